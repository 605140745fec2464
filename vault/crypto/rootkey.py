"""The root key and what hangs on it: one wrapping key for each purpose, each unable to unwrap for another."""

import hmac
from typing import Final, Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.crypto.encoding import pack
from vault.crypto.opening import open_message
from vault.crypto.residue import LockedBytes
from vault.crypto.sealing import seal_message
from vault.errors import Sealed, Tampered

KEY_BYTES: Final = 32
Label = Literal["keyring wrap", "staff factors", "log disclosures"]
TaggingLabel = Literal["row heads", "sessions", "customer links"]

_VERSION: Final = b"\x01"


class WrappingKey:
    """Wraps small secrets for one purpose, each bound to the row it belongs to."""

    __slots__ = ("_key", "_label", "_wiped")

    def __init__(self, key: LockedBytes, label: str) -> None:
        self._key = key
        self._label = label
        self._wiped = False

    @classmethod
    def from_key(cls, key: bytes, label: str) -> "WrappingKey":
        """A wrapping key that does not hang on the root, like a person's. 32 bytes, else Tampered."""
        if len(key) != KEY_BYTES:
            raise Tampered("a wrapping key has 32 bytes")
        return cls(LockedBytes(key), label)

    def wrap(self, plaintext: bytes, *context: bytes | str | int) -> bytes:
        """A version byte and a Cobblestone-256 message, 73 bytes longer. Raises Sealed after `wipe`."""
        message = seal_message(plaintext, self._view(), self._bound_to(context))
        self._view()  # a wipe in another thread may have come between: nothing that zeros sealed may get out
        return _VERSION + message

    def unwrap(self, blob: bytes, *context: bytes | str | int) -> bytes:
        """What was wrapped for this purpose and context. Raises Tampered, or Sealed after `wipe`."""
        if blob[:1] != _VERSION:
            raise Tampered("this does not unwrap")
        return open_message(blob[1:], self._view(), self._bound_to(context))

    def wipe(self) -> None:
        """Forget the key. A wrapping key that was wiped never wraps under zeros: it refuses."""
        self._wiped = True
        self._key.wipe()

    def _view(self) -> memoryview:
        if self._wiped:
            raise Sealed("the key for this is no longer in memory")
        return self._key.view()

    def _bound_to(self, context: tuple[bytes | str | int, ...]) -> bytes:
        return pack("valetkey/v1/wrap", self._label, *context)

    def __repr__(self) -> str:
        return f"WrappingKey({self._label!r}, …)"


class TaggingKey:
    """Vouches for rows: whoever writes to the database without the root key can make no tag (HMAC-SHA256, RFC 2104)."""

    __slots__ = ("_key", "_label", "_wiped")

    def __init__(self, key: LockedBytes, label: str) -> None:
        self._key = key
        self._label = label
        self._wiped = False

    def tag(self, *parts: bytes | str | int) -> bytes:
        """32 bytes over the parts and what this key is for. Raises Sealed after `wipe`."""
        tag = hmac.digest(self._key.view(), pack("valetkey/v1/tag", self._label, *parts), "sha256")
        if self._wiped:  # asked last, for a wipe in another thread would have left zeros to tag under
            raise Sealed("the key for this is no longer in memory")
        return tag

    def wipe(self) -> None:
        """Forget the key."""
        self._wiped = True
        self._key.wipe()

    def __repr__(self) -> str:
        return f"TaggingKey({self._label!r}, …)"


class RootKey:
    """The key above all others, between unseal and seal. It encrypts nothing itself."""

    __slots__ = ("_key", "_wiped")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise Tampered("a root key has 32 bytes")
        self._key = LockedBytes(key)
        self._wiped = False

    def derive(self, label: Label) -> WrappingKey:
        """The wrapping key of one purpose, by HKDF-SHA256 (RFC 5869). Raises Sealed after `wipe`."""
        return WrappingKey.from_key(self._derived(label), label)

    def derive_tagging(self, label: TaggingLabel) -> TaggingKey:
        """The tagging key of one purpose, by HKDF-SHA256 (RFC 5869). Raises Sealed after `wipe`."""
        return TaggingKey(LockedBytes(self._derived(label)), label)

    def _derived(self, label: str) -> bytes:
        derived = HKDF(SHA256(), KEY_BYTES, None, pack("valetkey/v1/derive", label)).derive(self._key.view())
        if self._wiped:  # asked last, for a wipe in another thread would have left zeros to derive from
            raise Sealed("the root key is not in memory")
        return derived

    def wipe(self) -> None:
        """Forget the root key; keys that were derived from it are wiped by their own holders."""
        self._wiped = True
        self._key.wipe()

    def __repr__(self) -> str:
        return "RootKey(…)"
