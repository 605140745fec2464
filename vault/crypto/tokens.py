"""What people and programs carry: session tokens and intake codes. The vault keeps only their hashes.

Both hold so much randomness that a plain SHA-256 of them cannot be searched. Both carry a check, so that a
typing error is told from a wrong token without a look into the database, and so that scanners find leaks.
"""

import hashlib
import re
import secrets
import unicodedata
import zlib
from typing import Final, Literal

from vault.errors import NotFound, NotSignedIn

TokenPrefix = Literal["vk_ses", "vk_giv"]

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY = 43  # 62**43 > 2**256
_CHECK = 6  # 62**6 > 2**32
_TOKEN = re.compile(rf"(vk_[a-z]{{3}})_([0-9A-Za-z]{{{_BODY}}})([0-9A-Za-z]{{{_CHECK}}})", re.ASCII)

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_BODY = 26  # 130 bits
_CODE_CHECK = 2
_CODE = re.compile(rf"[{_CROCKFORD}]{{{_CODE_BODY + _CODE_CHECK}}}", re.ASCII)
_MISREAD: Final = str.maketrans("OIL", "011")
_CODE_PRIME: Final = 1021
"""The largest prime that two characters hold: one wrong character or two swapped neighbours never pass."""


def new_token(prefix: TokenPrefix) -> str:
    """A fresh token: prefix, 43 characters with 256 random bits, 6 characters of CRC-32."""
    body = "".join(secrets.choice(_BASE62) for _ in range(_BODY))
    return f"{prefix}_{body}{_check_of(prefix, body)}"


def parse_token(prefix: TokenPrefix, raw: str) -> bytes:
    """The hash to look the token up by. Raises NotSignedIn for what was never a token with that prefix."""
    found = _TOKEN.fullmatch(raw)
    if found is None or found[1] != prefix or found[3] != _check_of(prefix, found[2]):
        raise NotSignedIn("that is not a session of this vault")
    return token_hash(raw)


def token_hash(token: str) -> bytes:
    """SHA-256 of the token as it is written, prefix and check included: what is stored."""
    return hashlib.sha256(token.encode()).digest()


def _check_of(prefix: str, body: str) -> str:
    rest = zlib.crc32(f"{prefix}_{body}".encode())
    check = ""
    for _ in range(_CHECK):
        rest, digit = divmod(rest, 62)
        check = _BASE62[digit] + check
    return check


def new_intake_code() -> str:
    """A fresh code with 130 random bits, to be read out and typed: seven groups of four, like `7K3M-…`."""
    body = "".join(secrets.choice(_CROCKFORD) for _ in range(_CODE_BODY))
    code = body + _code_check_of(body)
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def intake_code_hash(raw: str) -> bytes:
    """The hash to look the code up by, in any case, with any spaces and dashes, O for 0, I or L for 1.

    Raises NotFound for what was never a code, in the words for a code that does not exist.
    """
    code = "".join(
        character
        for character in raw
        if not character.isspace() and unicodedata.category(character) not in {"Pd", "Cf"}
    )
    # str.upper maps some foreign letters into ASCII, so ASCII is asked for first
    code = code.upper().translate(_MISREAD) if code.isascii() else ""
    if not _CODE.fullmatch(code) or _code_check_of(code[:_CODE_BODY]) != code[_CODE_BODY:]:
        raise NotFound("there is no such code, or it is over")
    return hashlib.sha256(b"valetkey intake code\n" + code.encode()).digest()


def _code_check_of(body: str) -> str:
    number = 0
    for character in body:
        number = number * 32 + _CROCKFORD.index(character)
    high, low = divmod(number % _CODE_PRIME, 32)
    return _CROCKFORD[high] + _CROCKFORD[low]
