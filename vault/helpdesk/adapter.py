"""What every kind of helpdesk brings: how it signs, and how it says things. Pure: bytes in, events out."""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, TypeVar

from vault.errors import Invalid, NotSignedIn
from vault.helpdesk.events import Delivery, Event
from vault.strict_json import read_json
from vault.values import MailAddress, Moment, to_moment

Headers = Mapping[str, Sequence[str]]
"""Every value of every header, under its name in lower case: of one that comes twice nobody believes either."""
MOST_FIELDS = 400
"""Of one object in a body that is signed: a helpdesk sends dozens, and those that its own people added."""


def unsigned() -> NotSignedIn:
    """The refusal of what is not signed as it has to be, or not now: the same for all that can be wrong with it."""
    return NotSignedIn("no helpdesk has signed this within the last five minutes").hinting(
        "The helpdesk has to sign with its present secret, and its clock has to be right."
    )


class Adapter(ABC):
    """One kind of helpdesk."""

    name: ClassVar[str]
    title: ClassVar[str]

    def new_secret(self) -> str:
        """A fresh signing secret, as it is typed into the helpdesk."""
        return secrets.token_urlsafe(32)

    def key_of(self, secret: str) -> bytes:
        """What the helpdesk signs under with that secret."""
        return secret.encode()

    @abstractmethod
    def opened(self, keys: Sequence[bytes], headers: Headers, body: bytes) -> Delivery:
        """The message, if it is signed under one of the keys; nothing of its body is believed before.

        How old it may be is not judged here. Raises NotSignedIn, and Invalid for a body that is signed and says
        nothing of when.
        """

    @abstractmethod
    def events(self, delivery: Delivery) -> tuple[Event, ...]:
        """What the message says, in the order in which it happened; nothing where it is not for us. Raises Invalid."""


ADAPTERS: dict[str, Adapter] = {}
A = TypeVar("A", bound=type[Adapter])


def adapter(name: str, title: str) -> Callable[[A], A]:
    """Register a kind of helpdesk. A name that is taken fails at import."""

    def register(kind: A) -> A:
        if name in ADAPTERS:
            raise ValueError(f"there is a helpdesk of kind {name} already")
        kind.name, kind.title = name, title
        ADAPTERS[name] = kind()
        return kind

    return register


def one(headers: Headers, name: str) -> str:
    """The one value of a header. Raises NotSignedIn where it is missing or comes twice."""
    values = headers.get(name, ())
    if len(values) != 1:
        raise unsigned()
    return values[0]


def read_object(body: bytes) -> dict[str, object]:
    """The JSON object that a signed body is. Raises Invalid."""
    value = read_json(body, MOST_FIELDS)
    if not isinstance(value, dict):
        raise Invalid("the body must be a JSON object")
    return value


def member(of: Mapping[str, object], name: str, place: str = "") -> dict[str, object]:
    """An object within an object. Raises Invalid, with its place as a JSON pointer."""
    found = of.get(name)
    if not isinstance(found, dict):
        raise Invalid("this must be a JSON object", f"{place}/{name}")
    return found


def text(of: Mapping[str, object], name: str, place: str = "", longest: int = 200) -> str:
    """A text within an object: not empty, bounded. Raises Invalid, with its place as a JSON pointer."""
    found = of.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= longest:
        raise Invalid(f"this must be text of at most {longest} characters", f"{place}/{name}")
    return found


def address(of: Mapping[str, object], name: str, place: str = "") -> str:
    """A mail address in its one canonical spelling. Raises Invalid, with its place as a JSON pointer."""
    return MailAddress.parse(text(of, name, place, 254), f"{place}/{name}").text


def moment(of: Mapping[str, object], name: str, place: str = "") -> Moment:
    """A time with its zone, as ISO 8601 writes it. Raises Invalid, with its place as a JSON pointer."""
    try:
        return to_moment(datetime.fromisoformat(text(of, name, place, 40)))
    except (ValueError, OverflowError, Invalid):
        raise Invalid("give the time with its zone, like 2026-12-31T18:00:00Z", f"{place}/{name}") from None
