"""How a value can be read: as it is spelt, and where it is base64 of a file, as what is in that file.

`api/static/readings.js` is the same rule for the browser, and a test holds the two together.
"""

import base64
import re
import unicodedata

SHORTEST = 18
"""Characters of base64 that thirteen digits make: nothing shorter can hide what is looked for."""

_BLANK = re.compile(r"[ \t\r\n]+")
_PREFIX = re.compile(r"data:[a-z0-9.+/;=-]{0,100},")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def readings(value: str) -> tuple[str, ...]:
    """Give the value itself, and after it the text in it if it is base64; each folded by NFKC.

    Bytes that are no UTF-8 are read one by one: a text in an older or a wider encoding keeps its digits and ASCII
    letters, and in a true binary they are too few to look like anything. No archive is opened.
    """
    inner = _decoded(_BLANK.sub("", _PREFIX.sub("", value, count=1) if value.startswith("data:") else value))
    folded = unicodedata.normalize("NFKC", value)
    return (folded,) if inner is None else (folded, unicodedata.normalize("NFKC", inner))


def _decoded(packed: str) -> str | None:
    if len(packed) < SHORTEST or not _BASE64.fullmatch(packed):
        return None
    plain = packed.rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) % 4 == 1:
        return None
    raw = base64.b64decode(plain + "=" * (-len(plain) % 4))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
