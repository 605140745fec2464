"""Values that cannot exist wrong: people's input is parsed once, at the edge, and never checked again."""

import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, NewType, NoReturn

from vault.errors import Invalid, NotFound
from vault.sentences import Sentence

Moment = NewType("Moment", int)
"""Microseconds since 1970-01-01T00:00:00Z: an integer, because the ledger's canonical JSON has no floats."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(moment: int) -> datetime:
    """The same moment as an aware UTC datetime, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=moment)


def to_moment(when: datetime) -> Moment:
    """The same moment in microseconds. Raises Invalid for a datetime without a zone."""
    if when.tzinfo is None:
        raise Invalid("give the time with its zone, like 2026-12-31T18:00:00Z")
    return Moment((when - _EPOCH) // timedelta(microseconds=1))


def clock_words(moment: int) -> str:
    """The same moment as a sentence of ours says it: “24 November 2026, 22:00 UTC”."""
    return f"{to_datetime(moment):%d %B %Y, %H:%M} UTC".lstrip("0")


CustomerId = NewType("CustomerId", str)
PersonId = NewType("PersonId", str)
ServiceId = NewType("ServiceId", str)
TicketId = NewType("TicketId", str)
SecretId = NewType("SecretId", str)
RequestId = NewType("RequestId", str)
LeaseId = NewType("LeaseId", str)
SessionId = NewType("SessionId", str)
FactorId = NewType("FactorId", str)
HelpdeskId = NewType("HelpdeskId", str)
ChangeId = NewType("ChangeId", str)
ChallengeId = NewType("ChallengeId", str)
TokenId = NewType("TokenId", str)
ReviewId = NewType("ReviewId", str)

Prefix = Literal[
    "dep", "cus", "per", "svc", "tkt", "asg", "sec", "req", "lse", "prf", "key", "ses",
    "fac", "inv", "chg", "chl", "tok", "brw", "dsi", "nec", "vis", "rev", "hky", "hlp",
    "mir",
]  # fmt: skip

_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, in lower case: nobody misreads it aloud
_ID = re.compile(r"[a-z]{3}_[0-9a-hjkmnp-tv-z]{20}", re.ASCII)


def new_id(prefix: Prefix) -> str:
    """A fresh opaque id of 100 random bits, like `svc_4g7…`. This is the one place where ids are made."""
    return f"{prefix}_{''.join(secrets.choice(_ID_ALPHABET) for _ in range(20))}"


def known_id(prefix: Prefix, raw: str) -> str:
    """The id if it is shaped like one of that prefix. Raises NotFound otherwise: a misspelt id names nothing."""
    if not _ID.fullmatch(raw) or not raw.startswith(f"{prefix}_"):
        raise NotFound("there is no such thing")
    return raw


_UNSEEN = frozenset({"Cc", "Cf", "Cs"})
_JOINING = "\t\n\r\u200c\u200d"
"""White space, and what some scripts and pictures need between letters. Nothing else that is unseen: it could turn a
name around before the eyes of whoever vouches for it."""


def clean_text(raw: str, what: str, longest: int, shortest: int = 1, pointer: str = "") -> str:
    """One line of human text: NFC, white space folded, no control or surrogate characters.

    Lengths are in code points. Raises Invalid and never repeats the text.
    """
    if any(unicodedata.category(character) in _UNSEEN and character not in _JOINING for character in raw):
        raise Invalid(
            Sentence("%(what)s holds characters that cannot be shown", what=Sentence(what)), pointer
        )
    text = " ".join(unicodedata.normalize("NFC", raw).split())
    if not shortest <= len(text) <= longest:
        raise Invalid(
            Sentence(
                "%(what)s has %(shortest)s to %(longest)s characters",
                what=Sentence(what),
                shortest=shortest,
                longest=longest,
            ),
            pointer,
        )
    return text


@dataclass(frozen=True)
class Title:
    """What a service, a ticket or a customer is called: 1 to 120 characters on one line."""

    text: str

    @classmethod
    def parse(cls, raw: str, what: str = "a title", pointer: str = "") -> "Title":
        """Raises Invalid when it is empty, too long or cannot be shown."""
        return cls(clean_text(raw, what, 120, pointer=pointer))


@dataclass(frozen=True)
class Reason:
    """Why somebody needs access, in their own words: 10 to 200 characters on one line."""

    text: str

    @classmethod
    def parse(cls, raw: str, pointer: str = "/reason") -> "Reason":
        """Raises Invalid when it is too short to be a reason or too long to be read."""
        return cls(clean_text(raw, "a reason", 200, 10, pointer))


_MAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,186}[a-z0-9])?", re.ASCII)
_WRITTEN_OTHERWISE = re.compile(r"\.\.|=\?", re.ASCII)
"""Two dots, and what begins an encoded word (RFC 2047): a mail's header would say another address, or none."""


@dataclass(frozen=True)
class MailAddress:
    """A mail address in its one canonical spelling: ASCII, lower case, so that nobody exists twice."""

    text: str

    @classmethod
    def parse(cls, raw: str, pointer: str = "/mail") -> "MailAddress":
        """Raises Invalid for what is not a plain ASCII address of at most 254 characters."""
        if (
            not raw.isascii()
            or not _MAIL.fullmatch(lowered := raw.strip().lower())
            or _WRITTEN_OTHERWISE.search(lowered)
        ):
            raise Invalid("that is not a mail address", pointer)
        return cls(lowered)


class Plaintext:
    """A secret that hides itself: text, logging, pickling and comparison give nothing; `expose` is its one exit."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def expose(self) -> str:
        """The secret itself, byte for byte as it was given."""
        return self._value

    def __repr__(self) -> str:
        return "Plaintext(…)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a plaintext is never written down")


Role = Literal["technician", "coordinator", "auditor", "administrator"]
Channel = Literal["page", "api", "cli", "host", "intake", "core"]
ActorKind = Literal["person", "host", "customer", "helpdesk", "nobody", "core"]


@dataclass(frozen=True)
class Actor:
    """Who acts. Rights are never cached here: policy reads them again in the transaction of the deed."""

    kind: ActorKind
    id: str
    channel: Channel
    session: str = ""
    source: str = field(default="", repr=False)
    scopes: frozenset[str] | None = None
    """What an API token is limited to; None for a person's own session. `session` is then the token's id."""

    @classmethod
    def host(cls) -> "Actor":
        """An operator on the vault's own host, known only by being there."""
        return cls("host", "host", "host")

    @classmethod
    def core(cls) -> "Actor":
        """The vault itself: sweeps, checks and recovery."""
        return cls("core", "core", "core")

    @classmethod
    def nobody(cls, source: str, channel: Channel) -> "Actor":
        """Somebody who has not proved who they are; `source` is the network address they come from."""
        return cls("nobody", "nobody", channel, source=source)
