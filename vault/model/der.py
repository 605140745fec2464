"""Just enough DER (X.690) to see what a key file holds, and the strings and numbers of OpenSSH (RFC 4251, 5)."""

import base64
import re

from vault.errors import Invalid
from vault.sentences import Sentence

INTEGER, BIT_STRING, OCTET_STRING, OBJECT, SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
BROKEN = Sentence(
    "Part of this key is missing or was changed on the way. Copy it anew from its file, or choose the file"
)
STRAY = Sentence("There are characters in it that no key has. Copy it anew from its file, or choose the file")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)
_LENGTH_BYTES = 3
"""Of a length: 16 MiB is more than is ever read here."""


class Der:
    """Reads one value after the other. Raises Invalid where the bytes end early or are not what is expected."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._at = 0

    @property
    def is_over(self) -> bool:
        """Whether everything was read."""
        return self._at == len(self.data)

    @property
    def tag(self) -> int:
        """The tag of what comes next; 0 at the end."""
        return 0 if self.is_over else self.data[self._at]

    def read(self, tag: int) -> bytes:
        """Give the contents of the next value, which has to have this tag."""
        if self.tag != tag:
            raise Invalid(BROKEN)
        first = self._byte(self._at + 1)
        start = self._at + 2
        length = first
        if first > 0x80:  # noqa: PLR2004 (the long form says how many bytes the length has)
            size = first - 0x80
            if size > _LENGTH_BYTES:
                raise Invalid(BROKEN)
            length = int.from_bytes(bytes(self._byte(start + place) for place in range(size)))
            start += size
        self._at = start + length
        if first == 0x80 or self._at > len(self.data):  # noqa: PLR2004 (an indefinite length is not DER)
            raise Invalid(BROKEN)
        return self.data[start : self._at]

    def into(self, tag: int) -> "Der":
        """Read the next value's own values."""
        return Der(self.read(tag))

    def _byte(self, at: int) -> int:
        if at >= len(self.data):
            raise Invalid(BROKEN)
        return self.data[at]


class Wire:
    """Reads what OpenSSH writes. Raises Invalid where the bytes end early."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes were not read yet."""
        return len(self.data) - self._at

    def take(self, size: int) -> bytes:
        """Give the next `size` bytes."""
        if size > self.left:
            raise Invalid(BROKEN)
        self._at += size
        return self.data[self._at - size : self._at]

    def number(self) -> int:
        """Give the next number of four bytes."""
        return int.from_bytes(self.take(4))

    def string(self) -> bytes:
        """Give the next string; a number of any size is one too."""
        return self.take(self.number())


def wired(*parts: bytes) -> bytes:
    """Spell strings and numbers as OpenSSH does, each behind its length."""
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def unbase64(text: str) -> bytes:
    """Read the body of a key file. Raises Invalid with a sentence for whoever copied it."""
    if not text:
        raise Invalid(BROKEN)
    if not _BASE64.fullmatch(text):
        raise Invalid(STRAY)
    if len(text) % 4:  # the library forgives a stray mark at the end
        raise Invalid(BROKEN)
    return base64.b64decode(text)
