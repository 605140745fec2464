"""A small company and its people, who do everything by the real commands and the real JSON API."""

import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cli.demo.ground import Ground, NotHeld, require
from cli.http import Client
from vault.crypto.factors import current_code
from vault.errors import VaultError

API = "/api/v1"
STEP_SECONDS = 30
HASTE_SECONDS = 12
"""A code that is good for less than this is left alone: it could be over when it arrives."""

CATALOGUE = """
[agreement]
text = \"\"\"
What I see of customers and their servers I keep to myself, during my time here and after it.
I use it for the service that it was given for, and for nothing else.
I copy no login out of the vault: not into a file, not into a chat, not onto paper.
\"\"\"

[service-types.shop-care]
title = "Care for a shop"
longest_lease_minutes = 240
longest_life_days = 90
needs = [{ kind = "ssh-password", because = "to install the new version of your shop on your server" }]
may_ask = [{ kind = "ssh-key", because = "to log in where your server takes keys only" }]
"""
SERVICE_TYPE = "shop-care"

TERMS = """
# What you can expect of us

We ask for a login only if your service cannot be provided without it.

We lend it to the people who work on your ticket, for a limited time, and keep a record of every use that you can read.

When the service ends we destroy it, and send you a signed certificate of that.
"""

PEOPLE = {
    "coordinator": "Clara Cole",
    "technician": "Tom Tanner",
    "auditor": "Axel Audley",
    "administrator": "Ada Adams",
}
"""The staff by role. Whoever else is needed is hired by name."""

CUSTOMER = ("Blumen Meyer", "shop@blumen-meyer.example")


@dataclass
class Person:
    """One of the staff: what they know, and the seed in their authenticator."""

    id: str
    name: str
    mail: str
    role: str
    password: str = field(default="", repr=False)
    seed: bytes = field(default=b"", repr=False)
    recovery: list[str] = field(default_factory=list, repr=False)
    token: str = field(default="", repr=False)
    used: int = 0
    """The last time step of which a code was used."""

    @property
    def first_name(self) -> str:
        """As colleagues say it."""
        return self.name.partition(" ")[0]

    def fresh_code(self) -> str:
        """A code that was never used, as early as the vault takes it; waits for the next one if need be."""
        while True:
            now = time.time()
            step, rest = int(now // STEP_SECONDS), STEP_SECONDS - now % STEP_SECONDS
            good = [step - 1, step] if rest > HASTE_SECONDS else [step]
            unused = [one for one in good if one > self.used]
            if unused:
                self.used = unused[0]
                return current_code(self.seed, self.used * STEP_SECONDS)
            time.sleep(min(rest + 0.05, 1.0))

    def shown_code(self) -> str:
        """The code that their authenticator shows now."""
        return current_code(self.seed, int(time.time()))

    def wait_until_unused(self) -> None:
        """Wait, half a minute at most, until their authenticator shows a code that was never used."""
        time.sleep(max(0.0, (self.used + 1) * STEP_SECONDS - time.time()))


class Company:
    """The business, on running ground."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.statement_key = ""
        self.ledger_key = ""

    # -- on the host -----------------------------------------------------------------------------------------------

    def found(self) -> None:
        """Make the vault, and remember what its operator publishes: two public keys."""
        made = self.ground.told("init", "--yes", "--key-file", str(self.ground.key_file))
        self.statement_key, self.ledger_key = str(made["statement_key"]), str(made["ledger_key"])

    def apply_catalogue(self) -> list[str]:
        """Say which service types there are; gives what changed."""
        file = self.ground.place / "catalogue.toml"
        file.write_text(CATALOGUE, "utf-8")
        changed: list[str] = self.ground.told("catalogue", "apply", str(file))
        return changed

    def publish_terms(self) -> dict[str, Any]:
        """Post the terms for customers; gives the version."""
        file = self.ground.place / "terms.txt"
        file.write_text(TERMS, "utf-8")
        posted: dict[str, Any] = self.ground.told("terms", "publish", str(file), "--yes")
        return posted

    def invite(self, name: str, role: str) -> Person:
        """Add one of the staff; the invitation is on its way to them by mail."""
        mail = f"{name.partition(' ')[0].lower()}@greenlane.example"
        invited = self.ground.told("staff", "add", name, mail, role)
        require(invited["link"] is None, "the operator holds the new colleague's invitation")
        return Person(str(invited["person"]["id"]), name, mail, role)

    def enrol(self, person: Person, link: str) -> None:
        """Do as somebody with an invitation does: choose a password, scan the seed, confirm it by a code."""
        _, _, code = link.partition("/enrol#")
        with Client(self.ground.url) as client:
            begun = client.post(f"{API}/enrolment", code=code)
        person.password = "-".join(secrets.token_hex(2) for _ in range(4))
        with Client(self.ground.url, {"Authorization": f"Bearer {begun['token']}"}) as client:
            client.post(f"{API}/enrolment/password", password=person.password)
            offered = client.post(f"{API}/enrolment/totp")
            person.seed = base64.b32decode(parse_qs(urlsplit(str(offered["uri"])).query)["secret"][0])
            sheet = client.post(f"{API}/enrolment/totp/confirm", code=person.fresh_code())
        person.recovery = [str(one) for one in sheet["codes"]]

    # -- over HTTP -------------------------------------------------------------------------------------------------

    def sign_in(self, person: Person, code: str = "") -> None:
        """Sign in by the JSON API, with a code that was never used unless one is given."""
        with Client(self.ground.url) as client:
            answer = client.post(
                f"{API}/session", mail=person.mail, password=person.password, code=code or person.fresh_code()
            )
        person.token = str(answer["token"])

    def agree(self, person: Person) -> None:
        """Read the confidentiality agreement and accept it."""
        self.post(person, "agreement", version=self.get(person, "agreement")["version"])

    def get(self, by: Person, /, *path: str, **query: Any) -> Any:
        """GET as this person. Raises the server's own refusal."""
        with self.client(by) as client:
            return client.get(API, *path, **query)

    def post(self, by: Person, /, *path: str, **body: Any) -> Any:
        """POST as this person. Raises the server's own refusal."""
        with self.client(by) as client:
            return client.post(API, *path, **body)

    def client(self, person: Person) -> Client:
        """A connection with this person's session."""
        return Client(self.ground.url, {"Authorization": f"Bearer {person.token}"})

    # -- the work --------------------------------------------------------------------------------------------------

    def add_customer(self, by: Person) -> str:
        """Add the customer; gives its id."""
        name, mail = CUSTOMER
        return str(self.post(by, "customers", name=name, mail=mail)["id"])

    def register(self, by: Person, customer: str, title: str, days: int = 30) -> dict[str, Any]:
        """Register a service that ends in some days at the latest."""
        ends = datetime.now(UTC) + timedelta(days=days)
        service: dict[str, Any] = self.post(
            by, "services", customer=customer, type=SERVICE_TYPE, title=title, ends_at=ends.isoformat()
        )
        return service

    def open_ticket(self, by: Person, service: str, number: str, title: str, *technicians: Person) -> str:
        """Open a ticket and put technicians on it; gives its id."""
        ticket = str(self.post(by, "tickets", service=service, number=number, title=title)["id"])
        for technician in technicians:
            self.post(by, "tickets", ticket, "assign", person=technician.id)
        return ticket

    def check_out(
        self, by: Person, ticket: str, secret: str, reason: str, minutes: int = 30
    ) -> dict[str, Any]:
        """Take a lease on one secret, with a fresh code."""
        lease: dict[str, Any] = self.post(
            by,
            "tickets",
            ticket,
            "leases",
            secrets=[secret],
            minutes=minutes,
            reason=reason,
            presence={"code": by.fresh_code()},
        )
        return lease

    def reveal(self, by: Person, lease: str, secret: str, name: str) -> str:
        """Reveal one field under a lease."""
        return str(self.post(by, "leases", lease, "reveal", secret=secret, field=name)["value"])

    # -- the customer ----------------------------------------------------------------------------------------------

    def open_form(self, link: str) -> None:
        """Open the form of a link as a browser does. Raises the server's own refusal."""
        place, _, code = link.partition("/give#")
        with Client(place, {"Valetkey-Client": "cli"}) as client:
            client.post("/give/begin", code=code)

    def hand_over(self, link: str, fields: dict[str, str]) -> None:
        """Do as a customer at a terminal: `valetkey submit` seals in its own process; all that is typed goes to stdin.

        After the link that is a yes to the terms, then the login.
        """
        lines = "".join(f"{line}\n" for line in (link, "y", *fields.values()))
        self.ground.valetkey("submit", "--statement-key", self.statement_key, given=lines)


def refused(kind: type[VaultError], words: str, deed: Callable[[], object]) -> None:
    """See a deed refused for this reason. Raises NotHeld when it is done, or refused for another one."""
    try:
        deed()
    except VaultError as refusal:
        if not isinstance(refusal, kind) or words not in str(refusal).lower():
            raise NotHeld(f"it was refused for another reason: {refusal}") from None
        return
    raise NotHeld("it was not refused")
