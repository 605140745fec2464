"""The closed set of HPKE suites (RFC 9180). A name or number outside it is refused; there is no fallback."""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hpke

from vault.errors import Invalid


@dataclass(frozen=True)
class Suite:
    """One way to seal a 32-byte data key to a public key. Sizes are in bytes; no number is used twice."""

    name: str
    number: int
    sealed_key_size: int
    public_key_size: int


XWING: Final = Suite("xwing", 1, 1168, 1216)
"""ML-KEM-768 with X25519 (X-Wing): stays shut also when one of the two is broken."""

X25519: Final = Suite("x25519", 2, 80, 32)
"""For browsers without ML-KEM."""

SUITES: Final = (XWING, X25519)
"""In the order of preference."""

HPKE: Final = {
    XWING: hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM),
    X25519: hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM),
}

_NAMED = {suite.name: suite for suite in SUITES}
_NUMBERED = {suite.number: suite for suite in SUITES}


def suite_named(name: str) -> Suite:
    """The suite of that name. Raises Invalid for any other."""
    try:
        return _NAMED[name]
    except KeyError:
        raise Invalid("there is no such suite") from None


def suite_numbered(number: int) -> Suite:
    """The suite with that number. Raises Invalid for any other."""
    try:
        return _NUMBERED[number]
    except KeyError:
        raise Invalid("there is no such suite") from None
