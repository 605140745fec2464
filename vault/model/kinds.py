"""The kinds of secrets. One class is one kind: forms, prompts, masks and checks follow from its fields."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, TypeVar

from vault.errors import Invalid

LONGEST_PAYLOAD = 256 * 1024
"""Bytes of all fields of one secret together, as JSON. Far above any key file, far below what hurts."""


@dataclass(frozen=True)
class Field:
    """One thing to type.

    `pattern` is a regular expression that Python and browsers read alike, `wrong` the sentence for what does
    not match it; `longest` counts code points.
    """

    name: str
    title: str
    hint: str = ""
    secret: bool = False
    required: bool = True
    multiline: bool = False
    longest: int = 255
    pattern: str = ""
    wrong: str = ""
    default: str = ""
    autocomplete: str = "off"
    inputmode: str = "text"

    @property
    def missing(self) -> str:
        """What a person reads who left it empty."""
        return f"Enter the {self.title[0].lower()}{self.title[1:]}"

    @cached_property
    def _matches(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def check(self, value: str) -> None:
        """Raise Invalid, pointing at this field, for a value nobody could log in with. Nothing is trimmed."""
        pointer = f"/fields/{self.name}"
        if not value:
            if self.required:
                raise Invalid(self.missing, pointer)
            return
        if len(value) > self.longest:
            raise Invalid(f"{self.title} can have at most {self.longest} characters", pointer)
        if any("\ud800" <= character <= "\udfff" or character == "\0" for character in value):
            raise Invalid(f"{self.title} holds a character that no keyboard types", pointer)
        if not self.multiline and ("\n" in value or "\r" in value):
            raise Invalid(f"{self.title} is one line", pointer)
        if self.pattern and not self._matches.fullmatch(value):
            raise Invalid(self.wrong, pointer)


class Kind:
    """One kind of secret. Its name is set where it is registered and is never used again for another one."""

    name: ClassVar[str]
    title: ClassVar[str]
    because: ClassVar[str]
    """Why such a secret can be needed at all, for a catalogue that does not say it better."""
    fields: ClassVar[tuple[Field, ...]]

    @classmethod
    def field(cls, name: str) -> Field:
        """Find its field of that name. Raises Invalid for one that it does not have."""
        for field in cls.fields:
            if field.name == name:
                return field
        raise Invalid("this kind of secret has no such field", "/field")

    @classmethod
    def check(cls, fields: Mapping[str, str]) -> None:
        """Raise Invalid, with a pointer like `/fields/host`, at the first wrong, missing or unknown field."""
        known = {field.name for field in cls.fields}
        if not known.issuperset(fields):
            raise Invalid("there is a field that this kind of secret does not have", "/fields")
        for field in cls.fields:
            field.check(fields.get(field.name, ""))


KINDS: dict[str, type[Kind]] = {}

K = TypeVar("K", bound=type[Kind])


def kind(name: str) -> Callable[[K], K]:
    """Register a kind under its name. A taken name fails at import."""

    def register(cls: K) -> K:
        if name in KINDS:
            raise TypeError(f"two kinds are called {name}")
        cls.name = name
        KINDS[name] = cls
        return cls

    return register


def kind_named(name: str) -> type[Kind]:
    """Find the kind of that name. Raises Invalid for one that does not exist."""
    if name not in KINDS:
        raise Invalid("there is no such kind of secret", "/kind")
    return KINDS[name]


def pack_fields(fields: Mapping[str, str]) -> bytes:
    """Write what is sealed of a secret: JSON in UTF-8, keys sorted, each value as typed. Raises Invalid."""
    text = json.dumps(
        {"fields": dict(fields), "v": 1}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    try:
        packed = text.encode()
    except UnicodeEncodeError:
        raise Invalid("there is a character that no keyboard types", "/fields") from None
    if len(packed) > LONGEST_PAYLOAD:
        raise Invalid("that is more than a login can be", "/fields")
    return packed


def unpack_fields(packed: bytes) -> dict[str, str]:
    """Read the fields of an opened secret, unchecked against its kind. Raises Invalid for anything else."""
    if len(packed) > LONGEST_PAYLOAD:
        raise Invalid("that is more than a login can be", "/fields")
    try:
        payload = json.loads(packed)
    except (ValueError, RecursionError):
        raise Invalid("what was sealed is not a secret of this vault", "/fields") from None
    match payload:
        case {"fields": dict() as fields, "v": 1, **rest} if not rest and all(
            isinstance(value, str) for value in fields.values()
        ):
            return fields
    raise Invalid("what was sealed is not a secret of this vault", "/fields")


# Everything in ASCII that no host name, IPv4 or IPv6 address has is refused; other scripts' letters may pass.
_NO_HOST = r"\s\x00-,\/;-@\[-`\{-\x7f"

HOST = Field(
    "host",
    "Server",
    "Its name or address, like shop.example.com or 192.0.2.10",
    longest=253,
    pattern=rf"[^{_NO_HOST}\-][^{_NO_HOST}]{{0,252}}",
    wrong="Enter only the server's name or address, without spaces, “ssh” or “https://”",
)
PORT = Field(
    "port",
    "Port",
    "Almost always 22",
    longest=5,
    pattern=r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]",
    wrong="Enter the port as a number from 1 to 65535",
    default="22",
    inputmode="numeric",
)
USERNAME = Field(
    "username",
    "User name",
    "The name you log in with on that server",
    longest=100,
    pattern=r"[^\s\x00-\x1f\x7f]+",
    wrong="Enter the user name without spaces",
)
HOST_KEY = Field(
    "host_key",
    "Host key of the server",
    "It lets us notice an impostor of your server. It starts with SHA256: or ssh-ed25519. "
    "Leave it empty if you do not know it.",
    required=False,
    longest=2000,
    pattern=r"SHA256:[A-Za-z0-9+\/]{43}=?"
    r"|(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+\/]{40,1900}={0,2}"
    r"( [^\x00-\x1f\x7f]*)?",
    wrong="Enter the host key as one line that starts with SHA256: or ssh-ed25519, or leave it empty",
)


@kind("ssh-password")
class SshPassword(Kind):
    """A login on a server by user name and password."""

    title = "Server login with a password"
    because = "to work on your server"
    fields = (
        HOST,
        PORT,
        USERNAME,
        Field(
            "password",
            "Password",
            "Taken exactly as you type it, spaces too",
            secret=True,
            longest=1024,
        ),
        HOST_KEY,
    )


_PEM = r"([A-Z0-9]{1,20} ){0,3}PRIVATE KEY"


@kind("ssh-key")
class SshKey(Kind):
    """A login on a server by a private key."""

    title = "Server login with a key"
    because = "to work on your server"
    fields = (
        HOST,
        PORT,
        USERNAME,
        Field(
            "private_key",
            "Private key",
            "The whole file, from -----BEGIN to the last -----. It is often called id_ed25519 or id_rsa",
            secret=True,
            multiline=True,
            longest=65_536,
            pattern=rf"\s*(-----BEGIN {_PEM}-----[^\x00]+-----END {_PEM}-----"
            r"|PuTTY-User-Key-File-[23]: [^\x00]+)\s*",
            wrong="Enter the whole private key, first and last line too; "
            "the file that ends in .pub is the wrong half",
        ),
        Field(
            "passphrase",
            "Passphrase of the key",
            "Leave it empty if the key has none",
            secret=True,
            required=False,
            longest=1024,
        ),
        HOST_KEY,
    )
