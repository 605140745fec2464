"""The seed of one-time codes, as its owner can copy it: the otpauth link of a QR code, or the bare key beside it.

1. A link has the form of the Key URI Format that authenticator apps share: otpauth://totp/LABEL?secret=…
2. What pyotp can compute is good (RFC 6238): SHA-1, SHA-256 or SHA-512, 6 to 8 digits, a new code every 10 to 120
   seconds.
3. A bare key is base32 (RFC 4648) in any case, with spaces or hyphens between its groups.

`api/static/otpauth.js` is the same rule for the browser, and a test holds the two together.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from vault.errors import Invalid
from vault.model.verdict import Verdict
from vault.sentences import Sentence

LONGEST = 2000
"""Characters; a link with a long label and every parameter has a few hundred."""
SHORTEST_SEED, LONGEST_SEED = 10, 128
"""Bytes. RFC 4226 asks for 16, and many sites give 10."""

ALGORITHMS = ("SHA1", "SHA256", "SHA512")

TOO_LONG = Sentence("This is too long to be the text of such a QR code")
ONE_CODE = Sentence(
    "This is one code, which is over within a minute. We need the text of the QR code, or the key beside it"
)
MANY = Sentence(
    "This is the move of a whole app to another telephone. We need the QR code of this one login only"
)
COUNTING = Sentence(
    "This link makes codes that are counted, and two people cannot use them. Choose codes by the time instead"
)
FOREIGN = Sentence("This QR code is not one for an authenticator app. Its text starts with otpauth://totp")
TWICE = Sentence("This link says one thing twice. Copy it anew from the QR code")
NO_SEED = Sentence("There is no key in this link. Copy it anew from the QR code, to its end")
NOT_BASE32 = Sentence(
    "The key has only the letters A to Z and the digits 2 to 7. Compare it with what is shown"
)
CUT = Sentence("A letter or digit of the key is missing or too many. Compare it with what is shown")
ALGORITHM = Sentence(
    "This link asks for a way to make codes that is not in use. We can use SHA1, SHA256 and SHA512"
)
DIGITS = Sentence("This link asks for codes of a length that is not in use. We can use 6 to 8 digits")
PERIOD = Sentence(
    "This link asks for codes that change at a pace that is not in use. We can use 10 to 120 seconds"
)
SHORT = Sentence("This key is unusually short. Is it the whole one?")

_LINK = re.compile(r"otpauth://([^/?#]*)(?:/([^?#]*))?(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"\A[a-z][a-z0-9+.-]*://", re.IGNORECASE | re.ASCII)
_ENDS = " \t\r\n"


@dataclass(frozen=True)
class Otpauth:
    """What makes the codes of one login."""

    seed: bytes = field(repr=False)
    algorithm: str
    digits: int
    period: int
    """Seconds."""
    label: str
    """Whose login where, as the link says it; empty for a bare key."""


def read_otpauth(text: str) -> Verdict:
    """Say what this text is. Never raises; `wrong` is what no code could be made from."""
    try:
        found = parse_otpauth(text)
    except Invalid as fault:
        return Verdict("wrong", fault.sentence)
    if len(found.seed) < SHORTEST_SEED:
        return Verdict("question", SHORT)
    sentence = Sentence(
        "This makes codes of %(digits)s digits, a new one every %(period)s seconds",
        digits=found.digits,
        period=found.period,
    )
    return Verdict("good", sentence, f"{found.algorithm} {found.digits} {found.period}")


def parse_otpauth(text: str) -> Otpauth:
    """Read a link or a bare key. Raises Invalid with a sentence for whoever copied it."""
    if len(text) > LONGEST:
        raise Invalid(TOO_LONG)
    stripped = text.strip(_ENDS)
    link = _LINK.fullmatch(stripped)
    if link is None:
        return _bare(stripped)
    kind, label, query = link.group(1).lower(), link.group(2) or "", link.group(3) or ""
    if kind != "totp":
        raise Invalid(COUNTING if kind == "hotp" else FOREIGN)
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Invalid(TWICE)
    if "encoder" in values:
        raise Invalid(ALGORITHM)
    if not values.get("secret"):
        raise Invalid(NO_SEED)
    algorithm = values.get("algorithm", "SHA1").upper().replace("-", "")
    if algorithm not in ALGORITHMS:
        raise Invalid(ALGORITHM)
    return Otpauth(
        _seed(values["secret"]),
        algorithm,
        _number(values.get("digits", "6"), 6, 8, DIGITS),
        _number(values.get("period", "30"), 10, 120, PERIOD),
        unquote(label, errors="replace"),
    )


def _bare(text: str) -> Otpauth:
    if text.lower().startswith("otpauth-migration:"):
        raise Invalid(MANY)
    if _SCHEME.match(text):
        raise Invalid(FOREIGN)
    if re.fullmatch(r"[0-9]{3} ?[0-9]{3,5}", text, re.ASCII):
        raise Invalid(ONE_CODE)
    return Otpauth(_seed(text), "SHA1", 6, 30, "")


def _seed(text: str) -> bytes:
    letters = re.sub(r"[ \t\r\n-]", "", text).rstrip("=")
    if not re.fullmatch(r"[A-Za-z2-7]+", letters, re.ASCII):
        raise Invalid(NOT_BASE32)
    if len(letters) % 8 in (1, 3, 6) or len(letters) * 5 // 8 > LONGEST_SEED:
        raise Invalid(CUT)
    try:
        return base64.b32decode(letters.upper() + "=" * (-len(letters) % 8))
    except binascii.Error:
        raise Invalid(CUT) from None


def _number(text: str, least: int, most: int, sentence: Sentence) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) or not least <= int(text) <= most:
        raise Invalid(sentence)
    return int(text)
