"""Bytes that mean one thing: parts that cannot run together, and base64 with a single spelling."""

import base64
import binascii
import re

from vault.errors import Invalid

_URL_SAFE = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def pack(*parts: bytes | str | int) -> bytes:
    """Each part behind its length (4 bytes, big endian), so that no two lists of parts give the same bytes.

    Text is UTF-8, a number is its decimal digits. Types are not written: callers give each place one type.
    """
    packed = bytearray()
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode()
        packed += len(raw).to_bytes(4)
        packed += raw
    return bytes(packed)


def b64(raw: bytes) -> str:
    """URL-safe base64 without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes:
    """The bytes that `b64` spelt so. Raises Invalid for any other spelling: padding, loose end bits."""
    if not _URL_SAFE.fullmatch(text):
        raise Invalid("that is not URL-safe base64")
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise Invalid("that is not URL-safe base64") from error
    # Python ignores set bits after the last byte, but "the same envelope again" must mean the same text again
    if b64(raw) != text:
        raise Invalid("that is not URL-safe base64")
    return raw
