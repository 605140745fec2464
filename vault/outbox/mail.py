"""Mail: plain words, no tracking, no secret, and no link that acts by being opened."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import aiosmtplib

from vault.errors import Unavailable
from vault.settings import Settings

SECONDS = 20


@dataclass(frozen=True)
class Mail:
    """One message to one address."""

    to: str
    subject: str
    text: str = field(repr=False)


async def send(settings: Settings, mail: Mail) -> None:
    """Hand a mail to the configured server. Raises Unavailable when it does not take it; the caller tries again."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
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
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise Unavailable("the mail server did not take a mail") from error
