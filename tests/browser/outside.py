"""The core as the intake sees it: the other side of the door, with real keys. For tests of the form alone."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vault.crypto.encoding import b64, unb64
from vault.crypto.envelope import Context
from vault.crypto.opening import ServiceKey
from vault.crypto.statement import KeyStatement, sign_statement, statement_public
from vault.errors import Conflict, Ended, Invalid, NotFound, NotSignedIn, PinNeeded, Unavailable
from vault.languages import LANGUAGES, NO_SUCH_LANGUAGE
from vault.model.kinds import KINDS, unpack_fields
from vault.model.messages import (
    Accept,
    Again,
    Begin,
    Done,
    Form,
    FormItem,
    Give,
    Look,
    Question,
    Receipt,
    Speak,
    TermsShown,
)
from vault.sentences import Sentence
from vault.settings import Settings

CODE = "ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345"


LINE = (
    'expiry-time="20270122" ssh-ed25519 '
    "AAAAC3NzaC1lZDI1NTE5AAAAIGd1cmVseS1hLWtleS1mb3ItdGVzdHMtb25seS0wMDAx valetkey-svc_b"
)
TERMS = """# What we do with your logins

We ask for a login only if we cannot do our work without it, and for nothing more than that work needs.

## How long

- We keep it until the service ends.

- Then we destroy it, and tell you.
"""


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
        self.versions = dict.fromkeys(self.kinds, 1)
        self.optional: set[str] = set()
        self.given: dict[str, dict[str, str]] = {}
        self.given_kinds: dict[str, str] = {}
        self.messages: list[Give] = []
        self.finished = False
        self.words = ""
        self.language = "en"
        self.offers = False
        """Whether a key may be added instead of a password, where the kind allows it."""
        self.pin = ""
        self.tries = 0
        self.terms = ""
        self.accepted = 0
        self.wrong: Invalid | None = None
        """What the core's check will find in the next submission."""
        self.refused: set[str] = set()

    async def ask(self, message: Question) -> Form | Receipt:
        if self.down:
            raise Unavailable("the vault cannot be reached now")
        match message:
            case Begin():
                self._begin(message)
            case Give():
                self._mine(message.browser)
                return self._give(message)
            case Accept():
                self._mine(message.browser)
                self.accepted = message.version
            case Again():
                self._mine(message.browser)
                if message.secret not in self.kinds:
                    raise NotFound("this form does not ask for that")
                self.versions[message.secret] += message.secret in self.given
                self.given.pop(message.secret, None)
            case Speak():
                self._speak(message)
            case Done():
                self._mine(message.browser)
                self.finished = True
            case Look():
                self._mine(message.browser)
        return self._form()

    def _begin(self, message: Begin) -> None:
        if message.code.replace(" ", "-") != CODE:
            raise NotFound("there is no such code, or it is over")
        if self.browser and message.browser != self.browser:
            raise Ended("this code has been used")
        if self.pin and not self.browser and message.pin != self.pin:
            self.tries += bool(message.pin)
            if self.tries >= 5:
                raise Ended("this request is over; ask for a new code")
            left = Sentence("that is not the PIN; %(left)s tries are left", left=5 - self.tries)
            raise PinNeeded(left if message.pin else "this form opens with a PIN")
        self.browser = message.browser

    def _speak(self, message: Speak) -> None:
        self._mine(message.browser)
        if message.language not in LANGUAGES:
            raise Invalid(NO_SUCH_LANGUAGE, "/language")
        self.language = message.language

    def _give(self, message: Give) -> Receipt:
        secret = message.secret
        if secret not in self.kinds:
            raise NotFound("this form does not ask for that")
        if self.terms and not self.accepted:
            raise Conflict("please read and accept our terms first")
        if message.version != self.versions[secret]:
            raise Conflict("this form is out of date; load the page again")
        self.messages.append(message)
        kind = message.kind or self.kinds[secret]
        context = Context("dep_a", "svc_b", "key_c", secret, message.version, kind)
        fields = unpack_fields(self.key.open(unb64(message.envelope), context))
        if self.wrong:
            wrong, self.wrong = self.wrong, None
            self.versions[secret] += 1
            self.refused.add(secret)
            raise wrong
        self.given[secret], self.given_kinds[secret] = fields, kind
        self.refused.discard(secret)
        return Receipt(reference="R-1234", secret=secret, version=message.version, given_at=datetime.now(UTC))

    def _mine(self, browser: str) -> None:
        if browser != self.browser:
            raise NotSignedIn("this form has not been opened here yet")

    def _form(self) -> Form:
        return Form(
            state="done" if self.finished else "started",
            business="Nordlicht Web",
            customer_name=self.words or "Blumen Meyer",
            language=self.language,
            service="svc_b",
            service_title=self.words or "Shop migration",
            deployment="dep_a",
            asked_by="Clara Ottens",
            who_may_see="Only the technicians who are assigned to your ticket, and only while they work on it.",
            service_ends_at=datetime.now(UTC) + timedelta(days=60),
            code_expires_at=datetime.now(UTC) + timedelta(days=13),
            statement=self.statement,
            statement_signature=self.signature,
            terms=self._terms(),
            items=tuple(self._item(secret, kind) for secret, kind in self.kinds.items()),
        )

    def _terms(self) -> TermsShown | None:
        if not self.terms:
            return None
        soon = datetime.now(UTC) + timedelta(days=20)
        return TermsShown(version=3, text=self.terms, effective_at=soon, accepted=self.accepted == 3)

    def _item(self, secret: str, kind: str) -> FormItem:
        given = secret in self.given
        instead = KINDS[kind].instead if self.offers and not given else ""
        added = given and self.given_kinds[secret] != kind
        return FormItem(
            secret=secret,
            version=self.versions[secret],
            kind=kind,
            because=self.words or "to move your shop to the new server",
            required=secret not in self.optional,
            given=given,
            given_at=datetime.now(UTC) if given else None,
            given_kind=self.given_kinds[secret] if given else "",
            reference="R-1234" if given else "",
            refused=secret in self.refused,
            instead=instead,
            line=LINE if instead or added else "",
        )


def settings_in(folder: Path, port: int = 8700) -> Settings:
    return Settings(business="Nordlicht Web", data_dir=folder, base_url=f"http://127.0.0.1:{port}")
