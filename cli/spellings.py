"""In which ways programs write a secret down: quoted, escaped, in base64, in hexadecimal."""

import base64
import html
import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_ROW = 16
"""Bytes of a line of xxd and hexdump."""


def quoted(value: bytes) -> Iterator[bytes]:
    """Give the secret itself, and as shells, URLs, JSON, HTML, programming languages and dumps write it."""
    yield value
    text = value.decode("utf-8", "surrogateescape")
    in_json, in_html = json.dumps(text)[1:-1], html.escape(text)
    for spelt in (
        in_json,
        json.dumps(text, ensure_ascii=False)[1:-1],
        in_json.replace("/", "\\/"),
        repr(text)[1:-1],
        ascii(text)[1:-1],
        text.replace("\\", "\\\\"),
        shlex.quote(text).strip("'"),
        re.sub(r"([^\w@%+=:,./\u0080-\U0010ffff-])", r"\\\1", text),
        html.escape(text, quote=False),
        in_html,
        in_html.replace("&#x27;", "&#39;"),
        in_html.replace("&#x27;", "&apos;"),
    ):
        yield spelt.encode("utf-8", "surrogateescape")
    yield bytes(byte if 0x20 <= byte <= 0x7E else ord(".") for byte in value)  # noqa: PLR2004 (ASCII that is seen)
    yield from (value[at : at + _ROW] for at in range(0, len(value) - _ROW // 2, _ROW))
    for safe in ("", "/", "!~*'()", "!~*'();/?:@&=+$,#", "!$&'()*+,;=:@/?"):
        for spelt in (quote(value, safe=safe), quote_plus(value, safe=safe)):
            yield spelt.encode("ascii")
            yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), spelt).encode("ascii")


def escaped(value: bytes) -> Iterator[bytes]:
    """Give the spellings with a mark before each byte."""
    for mark in ("\\x", "%", "\\u00", "0x"):
        yield "".join(f"{mark}{byte:02x}" for byte in value).encode("ascii")
        yield "".join(f"{mark}{byte:02X}" for byte in value).encode("ascii")


def in_base64(value: bytes) -> Iterator[bytes]:
    """Give the base64 of both alphabets, wherever the secret stands within what was encoded.

    The characters that also spell bits of a neighbour are left out: they are anybody's.
    """
    for each in (value, *_wide(value)):
        for ahead in range(3):
            padded = base64.b64encode(b"\0" * ahead + each).rstrip(b"=")
            shared = 1 if (ahead + len(each)) % 3 else 0
            text = padded[(0, 2, 3)[ahead] : len(padded) - shared]
            yield text
            yield text.replace(b"+", b"-").replace(b"/", b"_")


def in_hexadecimal(value: bytes) -> Iterator[bytes]:
    """Give it in small and in capital digits."""
    for each in (value, *_wide(value)):
        yield each.hex().encode("ascii")
        yield each.hex().upper().encode("ascii")


def _wide(value: bytes) -> Iterator[bytes]:
    """Give it as Windows writes text, where it is text."""
    try:
        yield value.decode().encode("utf-16-le")
    except UnicodeDecodeError:
        return
