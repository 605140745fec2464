"""What a sealed secret looks like at rest, which row it belongs to, and how its length is hidden.

b"VKE1" | suite number, 1 byte | sealed data key, exactly as long as its suite says | Cobblestone-256 message
"""

from dataclasses import dataclass
from typing import Final

from vault.crypto.encoding import pack
from vault.crypto.suites import Suite, suite_numbered
from vault.errors import Invalid, Tampered

MAGIC: Final = b"VKE1"
MOST_BYTES: Final = (2 * 1024 + 64) * 1024
"""No envelope is larger; it is checked before anything else is read."""

MOST_PLAINTEXT: Final = 2 * 1024 * 1024 - 4
"""What still fits after padding: the next size would be 4 MiB and its envelope larger than the cap."""

_HEADER = len(MAGIC) + 1
_LENGTH = 4
_SMALLEST_PADDED = 256
_MESSAGE_OVERHEAD = 24 + 32 + 16  # salt, commitment, tag of one chunk: C2SP chunked-encryption


@dataclass(frozen=True)
class Context:
    """The row that an envelope belongs to. Moved to any other row, version or suite it does not open."""

    deployment: str
    service: str
    key: str
    secret: str
    version: int
    kind: str

    def packed(self, suite: Suite) -> bytes:
        """HPKE's `info` and Cobblestone's context, both; length-prefixed, so that no two rows collide."""
        return pack(
            "valetkey/v1",
            self.deployment,
            self.service,
            self.key,
            self.secret,
            self.version,
            self.kind,
            suite.name,
        )


@dataclass(frozen=True)
class Envelope:
    """The parts of a sealed secret."""

    suite: Suite
    sealed_key: bytes
    message: bytes

    def encode(self) -> bytes:
        """The bytes at rest."""
        return b"".join((MAGIC, self.suite.number.to_bytes(), self.sealed_key, self.message))

    @classmethod
    def parse(cls, raw: bytes) -> "Envelope":
        """Raises Tampered for whatever cannot be an envelope; says nothing yet about whether it opens."""
        if not _HEADER < len(raw) <= MOST_BYTES or not raw.startswith(MAGIC):
            raise Tampered("this is not an envelope")
        try:
            suite = suite_numbered(raw[len(MAGIC)])
        except Invalid as error:
            raise Tampered("this is not an envelope") from error
        message_at = _HEADER + suite.sealed_key_size
        if len(raw) < message_at + _MESSAGE_OVERHEAD + _SMALLEST_PADDED:
            raise Tampered("this is not an envelope")
        return cls(suite, raw[_HEADER:message_at], raw[message_at:])


def _padded_size(length: int) -> int:
    return max(_SMALLEST_PADDED, 1 << (_LENGTH + length - 1).bit_length())


def pad(data: bytes) -> bytes:
    """Length, data and zeros, up to 256 bytes or the next power of two: sizes tell nothing about a password.

    Raises Invalid above MOST_PLAINTEXT bytes.
    """
    if len(data) > MOST_PLAINTEXT:
        raise Invalid("that is too long to be kept: at most two mebibytes")
    return (len(data).to_bytes(_LENGTH) + data).ljust(_padded_size(len(data)), b"\0")


def unpad(padded: bytes) -> bytes:
    """What `pad` was given. Raises Tampered unless size and every zero are the ones that `pad` writes."""
    end = _LENGTH + int.from_bytes(padded[:_LENGTH])
    if len(padded) != _padded_size(end - _LENGTH) or padded.count(0, end) != len(padded) - end:
        raise Tampered("what was sealed is not padded as it must be")
    return padded[_LENGTH:end]
