"""How a file stands in a field, which is text: as its own text where it is short, else as a data URL (RFC 2397).

1. What decodes as UTF-8, holds no NUL and has at most LONGEST_TEXT bytes stands as it is, byte for byte.
2. Everything else, and a text that starts like rule 2's own mark, stands as MARK and base64.
3. At most LARGEST bytes either way. Nothing is ever unpacked, and no name or type is believed.

`api/static/files.js` is the same rule for the browser, and a test holds the two together.
"""

import base64
import re

from vault.errors import Invalid
from vault.model.verdict import Verdict
from vault.sentences import Sentence

LARGEST = 1024 * 1024
"""Bytes of one file."""
LONGEST_TEXT = 64 * 1024
"""Bytes of UTF-8 that stand as they are: what one would paste, and what one would read on a page."""
MARK = "data:application/octet-stream;base64,"

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)

TOO_LARGE = Sentence("A file can have at most 1 MiB. Leave out what is not needed")
TOO_LONG = Sentence("That is too long to paste. Choose the file instead")
EMPTY = Sentence("This file is empty")
NOT_BASE64 = Sentence("This file did not arrive as it was sent. Choose it anew")


def file_value(data: bytes) -> str:
    """Spell a file for its field. Raises Invalid for an empty or too large one."""
    if not data:
        raise Invalid(EMPTY)
    if len(data) > LARGEST:
        raise Invalid(TOO_LARGE)
    if len(data) <= LONGEST_TEXT and b"\0" not in data and not data.startswith(MARK.encode()):
        try:
            return data.decode()
        except UnicodeDecodeError:
            pass
    return MARK + base64.b64encode(data).decode()


def file_bytes(value: str) -> bytes:
    """Give back the file, byte for byte. Raises Invalid for what is none."""
    if not value.startswith(MARK):
        data = value.encode(errors="surrogatepass")
        if len(data) > LONGEST_TEXT:
            raise Invalid(TOO_LONG)
    else:
        packed = value[len(MARK) :]
        if len(packed) % 4 or not _BASE64.fullmatch(packed):
            raise Invalid(NOT_BASE64)
        data = base64.b64decode(packed)
    if not data:
        raise Invalid(EMPTY)
    if len(data) > LARGEST:
        raise Invalid(TOO_LARGE)
    return data


def read_file(value: str) -> Verdict:
    """Say how large the file is. Never raises; `wrong` is what cannot be kept as a file."""
    try:
        size = len(file_bytes(value))
    except Invalid as fault:
        return Verdict("wrong", fault.sentence)
    if value.startswith(MARK):
        one, many = Sentence("A file of 1 byte"), Sentence("A file of %(size)s bytes", size=size)
    else:
        one, many = Sentence("A text of 1 byte"), Sentence("A text of %(size)s bytes", size=size)
    return Verdict("good", one if size == 1 else many)
