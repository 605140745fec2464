"""Opens what was sealed. The intake must never import this module."""

import hashlib
from typing import Final

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.crypto.encoding import pack
from vault.crypto.envelope import Context, Envelope, unpad
from vault.crypto.suites import HPKE, X25519, XWING, Suite
from vault.errors import Tampered

SEED_BYTES: Final = 32
_DATA_KEY_BYTES = 32
_MLKEM_SEED_BYTES = 64


class ServiceKey:
    """One service's key pairs, loaded from its seed. Who holds it can open everything of that service."""

    __slots__ = ("_private", "_public")

    def __init__(
        self, private: dict[Suite, X25519PrivateKey | MLKEM768X25519PrivateKey], public: dict[str, bytes]
    ) -> None:
        self._private = private
        self._public = public

    @classmethod
    def from_seed(cls, seed: bytes) -> "ServiceKey":
        """The seed is X-Wing's own (draft-connolly-cfrg-xwing-kem §5.2); the X25519 pair is derived from it.

        The expansions are SHAKE256 and HKDF-SHA256 under an own label, so that neither pair tells about the
        other and no private scalar serves both suites. Raises Tampered unless the seed has 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise Tampered("a service's seed has 32 bytes")
        expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED_BYTES + 32)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES])
        traditional = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:])
        alone = X25519PrivateKey.from_private_bytes(
            HKDF(SHA256(), 32, None, pack("valetkey/v1", "service key", X25519.name)).derive(seed)
        )
        return cls(
            {XWING: MLKEM768X25519PrivateKey(mlkem, traditional), X25519: alone},
            {
                XWING.name: mlkem.public_key().public_bytes_raw()
                + traditional.public_key().public_bytes_raw(),
                X25519.name: alone.public_key().public_bytes_raw(),
            },
        )

    def public_keys(self) -> dict[str, bytes]:
        """What may be shown to everybody: suite name to raw public key."""
        return dict(self._public)

    def open(self, envelope: bytes, context: Context) -> bytes:
        """What was sealed for exactly this row. Raises Tampered for everything else."""
        parsed = Envelope.parse(envelope)
        bound_to = context.packed(parsed.suite)
        try:
            data_key = HPKE[parsed.suite].decrypt(
                parsed.sealed_key, self._private[parsed.suite], info=bound_to
            )
        except InvalidTag as error:
            raise Tampered("this does not open") from error
        return unpad(open_message(parsed.message, data_key, bound_to))

    def __repr__(self) -> str:
        return "ServiceKey(…)"


def open_message(message: bytes, key: bytes | memoryview, context: bytes) -> bytes:
    """The plaintext of a Cobblestone-256 message, whole or not at all. Raises Tampered.

    The library hands chunks out before the last one is checked; nothing leaves here until `finalize` agreed.
    """
    if len(key) != _DATA_KEY_BYTES:
        raise Tampered("this does not open")
    decryptor = Cobblestone256Decryptor(key, context)
    try:
        return decryptor.update(message) + decryptor.finalize()
    except InvalidTag as error:
        raise Tampered("this does not open") from error
