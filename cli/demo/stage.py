"""What the steps of the story share: who is there, and what has come to be."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cli.demo.background import Background
from cli.demo.company import Company, Person
from cli.demo.customer_server import CustomerServer, Login
from cli.demo.ground import Ground
from cli.demo.mailbox import Mailbox
from cli.demo.traces import Needles, encodings_of
from cli.http import Client


class Stage:
    """Made empty; each step leaves here what later ones need."""

    service: str
    link: str
    sealed_in: str
    """Which program sealed the login for the customer."""
    secret: str
    ticket: str
    lease: dict[str, Any]
    fields: dict[str, str]
    """What the technician has seen."""
    page: Client
    """The customer's own page, which they have opened."""
    verifier: Path
    old_copy: Path

    def __init__(
        self, stack: ExitStack, beside: Background, mailbox: Mailbox, server: CustomerServer, ground: Ground
    ) -> None:
        self.stack = stack
        self.beside = beside
        self.mailbox = mailbox
        self.server = server
        self.ground = ground
        self.company = Company(ground)
        self.people: dict[str, Person] = {}
        self.keys: Needles = {}
        """The wrapped seed and the sealed login, as the search looks for them."""
        self.plain: Needles = {
            f"{name}, {way}": pieces
            for name, value in (("password", self.login.password.strip()), ("user name", self.login.username))
            for way, pieces in encodings_of(value).items()
        }
        """Password and user name in every common encoding."""

    @property
    def login(self) -> Login:
        """What the customer knows."""
        return self.server.login

    def needles_of_sight(self) -> list[str]:
        """What nobody but a technician with a lease may see."""
        return [self.login.password.strip(), self.login.username, self.login.host_key]

    @property
    def clara(self) -> Person:
        """The coordinator."""
        return self.people["coordinator"]

    @property
    def tom(self) -> Person:
        """The technician who is put on the ticket."""
        return self.people["technician"]

    @property
    def theo(self) -> Person:
        """The technician who is on it too."""
        return self.people["colleague"]

    @property
    def tessa(self) -> Person:
        """A technician who is not."""
        return self.people["stranger"]

    @property
    def axel(self) -> Person:
        """The auditor."""
        return self.people["auditor"]

    @property
    def ada(self) -> Person:
        """The administrator."""
        return self.people["administrator"]
