"""A personal or free-text field of an entry: the entry holds its salted digest, so that it can be erased."""

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from vault.errors import Invalid, Tampered
from vault.ledger.verify import NotVerified, canonical, strict_json

LONGEST_DISCLOSURE = 1 << 16
"""Bytes of a disclosure in its canonical form."""

_SALT = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A named value with the random salt that keeps its digest from being guessed once it is erased."""

    salt: str
    name: str
    value: str

    @classmethod
    def of(cls, name: str, value: str) -> Self:
        """Make one with 16 fresh random bytes of salt, in hex."""
        return cls(secrets.token_hex(16), name, value)

    def encode(self) -> bytes:
        """Spell it as canonical JSON, `["salt","name","value"]` in UTF-8 (RFC 8785). Raises Invalid."""
        try:
            encoded = canonical([self.salt, self.name, self.value])
        except UnicodeEncodeError:
            raise Invalid("a disclosed value holds characters that cannot be written") from None
        if (
            not _SALT.fullmatch(self.salt)
            or not _NAME.fullmatch(self.name)
            or len(encoded) > LONGEST_DISCLOSURE
        ):
            raise Invalid("this cannot be a disclosure of the ledger")
        return encoded

    def digest(self) -> str:
        """Give the SHA-256 of the canonical form in hex: what stands in the entry."""
        return sha256(self.encode()).hexdigest()


def decode(encoded: bytes) -> Disclosure:
    """Read a disclosure back. Raises Tampered unless it is spelt exactly as `encode` spells it."""
    try:
        parts = strict_json(encoded, "a disclosure")
        if isinstance(parts, list) and [type(part) for part in parts] == [str, str, str]:
            disclosure = Disclosure(*parts)
            if disclosure.encode() == encoded:
                return disclosure
    except (NotVerified, Invalid):
        pass
    raise Tampered("a disclosure of the ledger is not in its canonical form")
