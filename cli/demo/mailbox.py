"""Mail that really went over SMTP to a server on loopback, and a page that shows it."""

import asyncio
import contextlib
import email
import email.policy
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from api.pages.templates import STATIC, environment
from cli.demo.background import Background
from cli.demo.ground import BUSINESS, wait_for

DELIVERY_SECONDS = 25
_LINK = re.compile(r"https?://localhost:[0-9]+/(?:give|enrol)#[0-9A-Z-]+")
_PAGE = re.compile(r"https?://localhost:[0-9]+/mine#[0-9A-Z-]+")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Letter:
    """One mail as it arrived."""

    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    at: datetime
    enclosed: dict[str, str] = field(default_factory=dict, repr=False)
    """What came with it, by file name."""

    @property
    def link(self) -> str:
        """The link in it, to a form or an enrolment, or nothing."""
        found = _LINK.search(self.text)
        return found[0] if found else ""

    @property
    def page(self) -> str:
        """The link in it to a customer's own page, or nothing."""
        found = _PAGE.search(self.text)
        return found[0] if found else ""


@dataclass
class Mailbox:
    """All mail that arrived, oldest first, and where it is shown."""

    smtp_port: int
    url: str
    letters: list[Letter] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take one mail in, as aiosmtpd hands it over."""
        message: EmailMessage = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text, html = _body(message, "plain"), _body(message, "html")
        enclosed = {str(part.get_filename()): str(part.get_content()) for part in message.iter_attachments()}
        for to in envelope.rcpt_tos:
            self.letters.append(Letter(to, str(message["Subject"]), text, html, datetime.now(UTC), enclosed))
        return "250 thank you"

    def wait(self, to: str, words: str) -> Letter:
        """The newest mail to somebody whose subject has these words; waits for it. Raises NotHeld."""

        def newest() -> Letter | None:
            return next(
                (one for one in reversed(self.letters) if one.to == to and words in one.subject), None
            )

        letter: Letter = wait_for(newest, DELIVERY_SECONDS, f"no mail about “{words}” came to {to}")
        return letter

    def page(self) -> bytes:
        """The mails as a page, newest first."""
        template = environment(Path(__file__).parent).get_template("mailbox.html")
        numbered = list(enumerate(self.letters))[::-1]
        return template.render(letters=numbered, business=BUSINESS).encode()

    def shown(self, path: str) -> tuple[bytes, str, str] | None:
        """What stands at a path: its bytes, their type, and what they may do. A mail's HTML is a page of its own."""
        if path == "/":
            return self.page(), "text/html; charset=utf-8", "style-src 'self'"
        if path == "/letter.css":
            return (STATIC / "letter.css").read_bytes(), "text/css", ""
        number = path.removeprefix("/html/")
        if number.isascii() and number.isdecimal() and int(number) < len(self.letters):
            return (
                self.letters[int(number)].html.encode(),
                "text/html; charset=utf-8",
                "style-src 'unsafe-inline'",
            )
        return None


def _body(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()).replace("\r\n", "\n") if isinstance(body, EmailMessage) else ""


@contextlib.contextmanager
def mailbox(beside: Background) -> Iterator[Mailbox]:
    """An SMTP server for any address and the page of what it took, each on a free port of the loopback."""
    box = Mailbox(0, "")

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown = box.shown(self.path)
            if shown is None:
                self.send_error(404)
                return
            content, kind, may = shown
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            policy = f"default-src 'none'; {may}; base-uri 'none'; frame-ancestors 'none'"
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nobody needs to know who reads mail."""

    pages = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    pages.daemon_threads = True
    thread = threading.Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()

    async def listen() -> Any:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: SMTP(box, hostname="localhost", loop=loop), "127.0.0.1", 0)

    server = beside.run(listen())
    box.smtp_port = server.sockets[0].getsockname()[1]
    box.url = f"http://localhost:{pages.server_address[1]}/"

    async def close() -> None:
        server.close()

    try:
        yield box
    finally:
        beside.run(close())
        pages.shutdown()
        thread.join()
        pages.server_close()
