"""The core as the intake sees it: the other side of the door, with real keys. For tests of the form alone."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vault.crypto.encoding import b64, unb64
from vault.crypto.envelope import Context
from vault.crypto.opening import ServiceKey
from vault.crypto.statement import KeyStatement, sign_statement, statement_public
from vault.errors import Ended, NotFound, NotSignedIn, Unavailable
from vault.model.kinds import unpack_fields
from vault.model.messages import Accept, Again, Begin, Done, Form, FormItem, Give, Look, Question, Receipt
from vault.settings import Settings

CODE = "ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345"


class Outside:
    """One request of one customer; `given` holds what arrived, opened."""

    def __init__(self, folder: Path, kinds: Sequence[str] = ("ssh-password",)) -> None:
        self.key = ServiceKey.from_seed(secrets.token_bytes(32))
        private = secrets.token_bytes(32)
        public = self.key.public_keys()
        self.statement, self.signature = sign_statement(
            private,
            KeyStatement("dep_a", "svc_b", "key_c", b64(public["xwing"]), b64(public["x25519"]), 1),
        )
        (folder / "key-statement.pub").write_text(statement_public(private).hex() + "\n")
        self.browser = ""
        self.down = False
        self.kinds = {f"sec_{at}": kind for at, kind in enumerate(kinds)}
        self.given: dict[str, dict[str, str]] = {}
        self.messages: list[Give] = []
        self.finished = False
        self.words = ""

    async def ask(self, message: Question) -> Form | Receipt:
        if self.down:
            raise Unavailable("the vault cannot be reached now")
        match message:
            case Begin():
                if message.code.replace(" ", "-") != CODE:
                    raise NotFound("there is no such code, or it is over")
                if self.browser:
                    raise Ended("this code has been used")
                self.browser = message.browser
            case Give():
                self._mine(message.browser)
                self.messages.append(message)
                kind = self.kinds[message.secret]
                context = Context("dep_a", "svc_b", "key_c", message.secret, message.version, kind)
                self.given[message.secret] = unpack_fields(self.key.open(unb64(message.envelope), context))
                return Receipt(
                    reference="R-1234", secret=message.secret, version=1, given_at=datetime.now(UTC)
                )
            case Done():
                self._mine(message.browser)
                self.finished = True
            case Look():
                self._mine(message.browser)
        return self._form()

    def _mine(self, browser: str) -> None:
        if browser != self.browser:
            raise NotSignedIn("this form has not been opened here yet")

    def _form(self) -> Form:
        return Form(
            state="done" if self.finished else "started",
            business="Nordlicht Web",
            customer_name=self.words or "Blumen Meyer",
            service="svc_b",
            service_title=self.words or "Shop migration",
            deployment="dep_a",
            asked_by="Clara Ottens",
            who_may_see="Only the technicians who are assigned to your ticket, and only while they work on it.",
            service_ends_at=datetime.now(UTC) + timedelta(days=60),
            code_expires_at=datetime.now(UTC) + timedelta(days=13),
            statement=self.statement,
            statement_signature=self.signature,
            items=tuple(
                FormItem(
                    secret=secret,
                    version=1,
                    kind=kind,
                    because=self.words or "to move your shop to the new server",
                    required=True,
                    given=secret in self.given,
                    given_at=datetime.now(UTC) if secret in self.given else None,
                )
                for secret, kind in self.kinds.items()
            ),
        )


def settings_in(folder: Path, port: int = 8700) -> Settings:
    return Settings(business="Nordlicht Web", data_dir=folder, base_url=f"http://127.0.0.1:{port}")
