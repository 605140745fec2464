"""Seals, and cannot open: all that the intake needs, and nothing that would let it read."""

import secrets
from typing import Final

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

from vault.crypto.envelope import Context, Envelope, pad
from vault.crypto.suites import HPKE, XWING, Suite
from vault.errors import Tampered

DATA_KEY_BYTES: Final = 32
MLKEM_PUBLIC_BYTES: Final = 1184


def seal(plaintext: bytes, suite: Suite, public_key: bytes, context: Context) -> bytes:
    """An envelope that opens only with the service's key and only for this context.

    The data key is fresh and nobody keeps it. Raises Invalid when the plaintext is above MOST_PLAINTEXT
    bytes, and Tampered when the public key is none of that suite: it comes from a statement, not from people.
    """
    bound_to = context.packed(suite)
    data_key = secrets.token_bytes(DATA_KEY_BYTES)
    padded = pad(plaintext)
    try:
        sealed_key = HPKE[suite].encrypt(data_key, _public_key(suite, public_key), info=bound_to)
    except ValueError as error:
        raise Tampered("the service's public key cannot be used") from error
    return Envelope(suite, sealed_key, seal_message(padded, data_key, bound_to)).encode()


def seal_message(plaintext: bytes, key: bytes | memoryview, context: bytes) -> bytes:
    """A Cobblestone-256 message (C2SP chunked-encryption) under a 32-byte key; 72 bytes longer, at least.

    It commits to key and context. Plain AES-GCM does not: there, one message can open under two keys.
    """
    encryptor = Cobblestone256Encryptor(key, context)
    return encryptor.update(plaintext) + encryptor.finalize()


def _public_key(suite: Suite, raw: bytes) -> X25519PublicKey | MLKEM768X25519PublicKey:
    if len(raw) != suite.public_key_size:
        raise Tampered("the service's public key cannot be used")
    if suite is XWING:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(raw[:MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(raw[MLKEM_PUBLIC_BYTES:]),
        )
    return X25519PublicKey.from_public_bytes(raw)
