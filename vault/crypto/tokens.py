"""What people and programs carry: tokens, and codes to be typed. The vault keeps only their hashes.

Tokens, intake codes and invitations hold so much randomness that a plain SHA-256 of them cannot be searched, and
carry a check, so that a typing error is told from a wrong one without a look into the database, and so that
scanners find leaks. User codes are short instead: what keeps those is that they live for minutes.
"""

import hashlib
import re
import secrets
import unicodedata
import zlib
from typing import Final, Literal

from vault.errors import NotFound, NotSignedIn

TokenPrefix = Literal["vk_ses", "vk_giv", "vk_ref", "vk_api", "vk_enr", "vk_dvc", "vk_dev", "vk_own"]
"""What a token is for: a session, giving secrets, refreshing a command line's session, an API token, a browser's
enrolment, a device that waits to be approved (RFC 8628 device_code), a browser that is known, a customer's own page."""

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY = 43  # 62**43 > 2**256
_CHECK = 6  # 62**6 > 2**32
_TOKEN = re.compile(rf"(vk_[a-z]{{3}})_([0-9A-Za-z]{{{_BODY}}})([0-9A-Za-z]{{{_CHECK}}})", re.ASCII)

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no letter that is misread for a digit, and no U, so that fewer words come up."""
_CODE_BODY = 26  # 130 bits
_CODE_CHECK = 2
_MAILED = 10
_CODE = re.compile(rf"[{CROCKFORD}]{{{_CODE_BODY + _CODE_CHECK}}}", re.ASCII)
_MISREAD: Final = str.maketrans("OIL", "011")
_NO_SUCH_CODE: Final = "there is no such code, or it is over"
_CODE_PRIME: Final = 1021
"""The largest prime that two characters hold: one wrong character or two swapped neighbours never pass."""

_CONSONANTS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_USER_CODE = re.compile(rf"[{_CONSONANTS}]{{8}}", re.ASCII)


def pick(alphabet: str, count: int) -> str:
    """So many characters of the alphabet, each as likely as any other, from the system's randomness."""
    return "".join(secrets.choice(alphabet) for _ in range(count))


def new_token(prefix: TokenPrefix) -> str:
    """A fresh token: prefix, 43 characters with 256 random bits, 6 characters of CRC-32."""
    body = pick(_BASE62, _BODY)
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
    body = pick(CROCKFORD, _CODE_BODY)
    return _grouped(body + _code_check_of(body))


def intake_code_hash(raw: str) -> bytes:
    """The hash to look an intake code up by, in any case, with any spaces and dashes, O for 0, I or L for 1.

    Raises NotFound for what was never a code, in the words for a code that does not exist.
    """
    return hashlib.sha256(b"valetkey intake code\n" + _code_of(raw)).digest()


def invitation_code_hash(raw: str) -> bytes:
    """As `intake_code_hash`, for the code that invites somebody to join; the same code hashes differently there.

    A code of one purpose, offered at the other's door, is one that does not exist.
    """
    return hashlib.sha256(b"valetkey invitation code\n" + _code_of(raw)).digest()


def page_code(derived: bytes) -> str:
    """The code of a customer's own page, written as an intake code is: 130 bits of what was derived for them."""
    number = int.from_bytes(derived, "big") >> (8 * len(derived) - 5 * _CODE_BODY)
    body = "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(_CODE_BODY)))
    return _grouped(body + _code_check_of(body))


def page_code_hash(raw: str) -> bytes:
    """As `intake_code_hash`, for the code in the link to a customer's own page."""
    return hashlib.sha256(b"valetkey page code\n" + _code_of(raw)).digest()


def new_mailed_code() -> str:
    """A fresh code like `7K3MX-9QXAP` that proves who reads a mailbox: 50 random bits, for a quarter of an hour."""
    code = pick(CROCKFORD, _MAILED)
    return f"{code[:5]}-{code[5:]}"


def mailed_code_hash(visit_id: str, raw: str) -> bytes:
    """The hash of a code for that visit, in any case, with any spaces and dashes. Raises NotFound for what is none."""
    code = typed(raw)
    if len(code) != _MAILED or not set(code) <= set(CROCKFORD):
        raise NotFound(_NO_SUCH_CODE)
    return hashlib.sha256(f"valetkey mailed code\n{visit_id}\n{code}".encode()).digest()


def _grouped(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _code_of(raw: str) -> bytes:
    code = typed(raw)
    if not _CODE.fullmatch(code) or _code_check_of(code[:_CODE_BODY]) != code[_CODE_BODY:]:
        raise NotFound(_NO_SUCH_CODE)
    return code.encode()


def new_user_code() -> str:
    """A fresh code like `WDJB-MJHT`, to be typed into another device (RFC 8628 §6.1): 34 random bits.

    Consonants only, which makes no words and is typed in one case. So few bits hold because the code lives for
    minutes, is counted against guessing, and opens nothing before somebody has approved it with a factor.
    """
    code = pick(_CONSONANTS, 8)
    return f"{code[:4]}-{code[4:]}"


def user_code_hash(raw: str) -> bytes:
    """The hash to look a user code up by, in any case, with any spaces and dashes.

    Raises NotFound for what was never one, in the words for a code that does not exist.
    """
    code = _plain(raw)
    if not _USER_CODE.fullmatch(code):
        raise NotFound(_NO_SUCH_CODE)
    return hashlib.sha256(b"valetkey user code\n" + code.encode()).digest()


def typed(raw: str) -> str:
    """What somebody typed of a code in Crockford's alphabet: upper case, no spaces or dashes, O is 0, I and L are 1.

    Empty when anything else than ASCII is left.
    """
    return _plain(raw).translate(_MISREAD)


def _plain(raw: str) -> str:
    left = "".join(
        character
        for character in raw
        if not character.isspace() and unicodedata.category(character) not in {"Pd", "Cf"}
    )
    # str.upper maps some foreign letters into ASCII, so ASCII is asked for first
    return left.upper() if left.isascii() else ""


def _code_check_of(body: str) -> str:
    number = 0
    for character in body:
        number = number * 32 + CROCKFORD.index(character)
    high, low = divmod(number % _CODE_PRIME, 32)
    return CROCKFORD[high] + CROCKFORD[low]
