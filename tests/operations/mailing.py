"""A real mail server on loopback that keeps what it takes, and what is read in its mails."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from tests.world import World
from vault.operations.house import delivery


class PostOffice:
    """Keeps the mails it takes; `broken` makes it say no for now, and it takes nothing for `gone` mailboxes, ever."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.broken = False
        self.gone: set[str] = set()
        self.heard: list[str] = []
        """What clients said before the mail itself."""

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.heard.append("EHLO")
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.heard.append("RCPT")
        if address in self.gone:
            return "550 5.1.1 there is nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        if self.broken:
            return "451 4.3.0 try again later"
        mail: Message = message_from_bytes(envelope.content.replace(b"\r\n", b"\n"), policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 2.0.0 taken"

    def subjects(self, to: str = "") -> list[str]:
        """What the mails are about, of all or of those to one address, in their order."""
        return [str(mail["Subject"]) for mail in self.mails if to in {"", mail["To"]}]


@contextmanager
def post_office(world: World, *, starttls: bool = False, **settings: Any) -> Iterator[PostOffice]:
    """A post office, and the world set up to send by it; `settings` are aiosmtpd's."""
    office = PostOffice()
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    controller = Controller(office, hostname="127.0.0.1", port=port, **settings)
    controller.start()
    use(world, port, starttls=starttls)
    try:
        yield office
    finally:
        controller.stop()


def use(world: World, port: int, *, starttls: bool = False) -> None:
    """Let the world send by the mail server on that port."""
    host = "localhost" if starttls else "127.0.0.1"
    told = {
        "smtp_host": host,
        "smtp_port": port,
        "smtp_starttls": starttls,
        "mail_from": "vault@agency.example",
    }
    world.settings = world.settings.model_copy(update=told)
    world.reopen()


def deliver(world: World) -> int:
    return world.run(delivery.deliver(world.vault))


def text_of(mail: EmailMessage) -> str:
    """What the mail says as plain text."""
    return _part(mail, "plain")


def html_of(mail: EmailMessage) -> str:
    """What the mail says as HTML."""
    return _part(mail, "html")


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def sentences(mail: EmailMessage) -> str:
    """The text without its line breaks."""
    return " ".join(text_of(mail).split())


def links(mail: EmailMessage) -> set[str]:
    """Every address in it, in whichever part."""
    return set(re.findall(r"https?://[^\s\"'<>]+", text_of(mail) + html_of(mail)))


def about(world: World, subject: str) -> tuple[str, int]:
    """How the one message about something stands, and how often it was tried."""
    ((state, tries),) = world.sql("SELECT state, tries FROM outbox WHERE subject_id = :id", id=subject)
    return state, tries
