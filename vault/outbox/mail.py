"""Mail: the same words in text and in HTML, no tracking, no secret, and no link that acts by being opened."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

import aiosmtplib

from vault.errors import Unavailable
from vault.outbox.letter import Letter
from vault.settings import Settings

SECONDS = 20
_PERMANENT = 500

Outcome = Literal["taken", "later", "refused"]
"""What the server said of one mail: yes, not now, or never."""


@dataclass(frozen=True)
class Mail:
    """One letter to one address, with what is enclosed: file names and their bytes, which are text."""

    to: str
    letter: Letter = field(repr=False)
    enclosed: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.letter.subject

    @property
    def text(self) -> str:
        """What it says, as plain text."""
        return self.letter.text()


async def send(settings: Settings, mail: Mail) -> Outcome:
    """Hand a mail to the configured server, never in the clear where STARTTLS is asked for.

    Raises Unavailable when there is no conversation with it: nobody there, another certificate, no STARTTLS, cut off.
    """
    message = _written(settings, mail)
    password = settings.smtp_password()
    try:
        await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            start_tls=settings.smtp_starttls,
            username=settings.smtp_user or None,
            password=password.expose() if password else None,
            timeout=SECONDS,
        )
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as said:
        return "refused" if _code_of(said) >= _PERMANENT else "later"
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise Unavailable("the mail server did not take a mail") from error
    return "taken"


def _code_of(said: Exception) -> int:
    """The server's reply code (RFC 5321 §4.2); of several recipients', the mildest."""
    if isinstance(said, aiosmtplib.SMTPRecipientsRefused):
        return min((one.code for one in said.recipients), default=0)
    return int(getattr(said, "code", 0))


def _written(settings: Settings, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.letter.html(), subtype="html")
    for name, content in mail.enclosed:
        message.add_attachment(
            content, maintype="text", subtype="plain", filename=name, params={"charset": "utf-8"}
        )
    message["Content-Language"] = (
        mail.letter.language
    )  # last: what begins with Content- moves into the first part
    return message
