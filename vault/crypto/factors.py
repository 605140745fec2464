"""The second factor: six digits by the clock (TOTP, RFC 6238), by the rules that pyotp leaves to callers.

What must be stored is the time step that is answered, not the code: it is spent by a conditional update, so
that neither the same code nor an older one proves anything again.
"""

import base64
import hmac
import re
import secrets
from typing import Final

import pyotp
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

SEED_BYTES: Final = 20
STEP_SECONDS: Final = 30

_HASHES: Final[dict[str, type[SHA1] | type[SHA256] | type[SHA512]]] = {
    "SHA1": SHA1,
    "SHA256": SHA256,
    "SHA512": SHA512,
}
_CODE = re.compile(r"[0-9]{6}", re.ASCII)  # pyotp also takes full-width and mathematical digits


def new_totp_seed() -> bytes:
    """160 random bits, as RFC 4226 §4 recommends."""
    return secrets.token_bytes(SEED_BYTES)


def provisioning_uri(seed: bytes, mail: str, business: str) -> str:
    """The otpauth:// address for an authenticator. It holds the seed: shown once, never stored or logged."""
    return _totp(seed).provisioning_uri(name=mail, issuer_name=business)


def matching_step(seed: bytes, code: str, now_seconds: int) -> int | None:
    """The time step that the code belongs to: this one or the one before; None for anything else.

    Both candidates are always computed and compared in constant time. A code of the step to come is refused:
    taking it would let somebody use a code that its owner has not been shown yet.
    """
    if not _CODE.fullmatch(code):
        return None
    now = now_seconds // STEP_SECONDS
    totp = _totp(seed)
    matched = None
    for step in (now - 1, now):
        if hmac.compare_digest(totp.generate_otp(max(step, 0)), code):
            matched = max(step, 0)
    return matched


def current_code(seed: bytes, now_seconds: int) -> str:
    """What an authenticator shows at that time: for the demonstration and the tests."""
    return _totp(seed).generate_otp(now_seconds // STEP_SECONDS)


def timed_code(seed: bytes, algorithm: str, digits: int, step: int) -> str:
    """The code of one time step for a seed of somebody else's (RFC 6238): SHA1, SHA256 or SHA512, 6 to 8 digits.

    Many sites give seeds of 80 bits, shorter than RFC 4226 asks for: how long theirs are is for them to say.
    """
    made = HOTP(seed, digits, _HASHES[algorithm](), enforce_key_length=False)
    return made.generate(step).decode("ascii")


def _totp(seed: bytes) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(seed).decode("ascii"))
