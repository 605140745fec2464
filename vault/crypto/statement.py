"""A service's public keys, signed: a writer of the database cannot make customers seal to a key of theirs.

The signature is Ed25519 (RFC 8032) over one line of purpose and the statement's text, so that it can stand
for nothing else. The intake checks it against a verifying key from its own configuration. It does not stop
the web tier, which serves the page and the checker alike.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vault.crypto.encoding import b64, unb64
from vault.crypto.suites import X25519, XWING
from vault.errors import Invalid, Tampered

_PURPOSE: Final = b"valetkey key statement v1\n"
_LONGEST = 4096
_TEXTS = ("deployment", "service", "key", "xwing", "x25519")


@dataclass(frozen=True)
class KeyStatement:
    """A service's public keys in URL-safe base64; `made_at` is in microseconds since 1970, UTC."""

    deployment: str
    service: str
    key: str
    xwing: str
    x25519: str
    made_at: int

    def text(self) -> str:
        """Canonical JSON: sorted keys, no spaces, ASCII."""
        return json.dumps({**asdict(self), "v": 1}, sort_keys=True, separators=(",", ":"))

    def public_key(self, suite_name: str) -> bytes:
        """The raw public key for that suite. Raises Invalid for a suite that there is none of."""
        spelt = {XWING.name: self.xwing, X25519.name: self.x25519}.get(suite_name)
        if spelt is None:
            raise Invalid("there is no such suite")
        return unb64(spelt)


def statement_public(private: bytes) -> bytes:
    """The 32-byte verifying key of a 32-byte signing key. Raises Tampered for a key of wrong size."""
    return _signing_key(private).public_key().public_bytes_raw()


def sign_statement(private: bytes, statement: KeyStatement) -> tuple[str, str]:
    """The statement's text and its signature in URL-safe base64. Raises Tampered for a wrong key."""
    text = statement.text()
    return text, b64(_signing_key(private).sign(_PURPOSE + text.encode()))


def check_statement(public: bytes, text: str, signature_b64: str) -> KeyStatement:
    """The statement, once its signature holds and its text is the one canonical spelling. Raises Tampered."""
    try:
        signed = _PURPOSE + text.encode()
        Ed25519PublicKey.from_public_bytes(public).verify(unb64(signature_b64), signed)
        statement = _parse(text)
        sizes = len(statement.public_key(XWING.name)), len(statement.public_key(X25519.name))
    except (InvalidSignature, Invalid, ValueError) as error:
        raise Tampered("the service's public keys are not signed by this vault") from error
    if statement.text() != text or sizes != (XWING.public_key_size, X25519.public_key_size):
        raise Tampered("the service's public keys are not signed by this vault")
    return statement


def _signing_key(private: bytes) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(private)
    except ValueError as error:
        raise Tampered("the key for key statements has 32 bytes") from error


def _parse(text: str) -> KeyStatement:
    if len(text) > _LONGEST:
        raise ValueError("too long")
    raw = json.loads(text)
    if not isinstance(raw, dict) or raw.pop("v", None) != 1 or raw.keys() != {*_TEXTS, "made_at"}:
        raise ValueError("not a key statement")
    if not all(isinstance(raw[name], str) for name in _TEXTS) or type(raw["made_at"]) is not int:
        raise ValueError("not a key statement")
    return KeyStatement(**raw)
