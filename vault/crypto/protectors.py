"""What keeps the root key while the vault is sealed. A protector is one class.

Its record is JSON, holds no secret, and says how it was made. Whatever of it steers the work is bounded
before the work and authenticated by it, so that nobody can weaken a record or make it eat the host's memory.
"""

import os
import secrets
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Final, Self, TypeVar

from argon2.exceptions import Argon2Error
from argon2.low_level import Type, hash_secret_raw

from vault.crypto.encoding import b64, unb64
from vault.crypto.passwords import SHORTEST, Cost, prepare
from vault.crypto.rootkey import KEY_BYTES, WrappingKey
from vault.errors import Conflict, Denied, Invalid, Tampered, Unavailable
from vault.values import Plaintext

Record = dict[str, str | int]

COST: Final = Cost(memory=1024 * 1024, passes=3, lanes=4)
FLOOR: Final = Cost(memory=64 * 1024, passes=3, lanes=1)
"""RFC 9106 §4's second recommended option, the least it recommends; lanes only tell how the work is split."""
CEILING: Final = Cost(memory=4 * 1024 * 1024, passes=16, lanes=16)

_VERSION = 1
_SALT_BYTES = 16
_LABEL = "protector"


class Protector(ABC):
    """Turns the root key into a record and back."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def of(cls, passphrase: Plaintext | None, key_file: Path | None) -> Self:
        """The protector with what the operator brought. Raises Denied when that is not enough."""

    @abstractmethod
    def protect(self, root: bytes) -> Record:
        """A record from which only this protector regains the 32-byte root key."""

    @abstractmethod
    def unprotect(self, record: Mapping[str, object]) -> bytes:
        """The root key. Raises Denied when this does not open the record, Tampered when it is none."""


PROTECTORS: Final[dict[str, type[Protector]]] = {}

_Class = TypeVar("_Class", bound=type[Protector])


def protector(name: str) -> Callable[[_Class], _Class]:
    """Register a protector under a name that is written into records and never used for another."""

    def register(implementation: _Class) -> _Class:
        if name in PROTECTORS:
            raise RuntimeError(f"there is already a protector named {name}")
        implementation.name = name
        PROTECTORS[name] = implementation
        return implementation

    return register


def protector_of(
    record: Mapping[str, object], *, passphrase: Plaintext | None, key_file: Path | None
) -> Protector:
    """The protector that a record was made by. Raises Tampered for an unknown one, Denied without means."""
    name = record.get("protector")
    if not isinstance(name, str) or name not in PROTECTORS or record.get("v") != _VERSION:
        raise Tampered("the root key's record names no protector that this vault knows")
    return PROTECTORS[name].of(passphrase, key_file)


@protector("passphrase")
class Passphrase(Protector):
    """A passphrase that people remember, stretched by Argon2id, by default with 1 GiB for about two seconds.

    Raises Invalid for a cost outside FLOOR and CEILING. `cost` is for new records; an old one names its own.
    """

    def __init__(self, passphrase: Plaintext, cost: Cost = COST) -> None:
        if not cost.within(FLOOR, CEILING):
            raise Invalid("a root passphrase is stretched within 64 MiB to 4 GiB and 3 to 16 passes")
        self._passphrase = passphrase
        self._cost = cost

    @classmethod
    def of(cls, passphrase: Plaintext | None, key_file: Path | None) -> Self:  # noqa: ARG003 (needs no file)
        """Raises Denied without a passphrase."""
        if passphrase is None:
            raise Denied("this vault is unsealed by a passphrase, and none was given")
        return cls(passphrase)

    def protect(self, root: bytes) -> Record:
        """Raises Invalid for a passphrase under 12 characters."""
        if len(prepare(self._passphrase.expose())) < SHORTEST:
            raise Invalid(f"a root passphrase has at least {SHORTEST} characters", "/passphrase")
        salt = secrets.token_bytes(_SALT_BYTES)
        key = self._stretch(salt, self._cost)
        try:
            wrapped = key.wrap(root, *self._bound_to(salt, self._cost))
        finally:
            key.wipe()
        cost = {"memory_kib": self._cost.memory, "passes": self._cost.passes, "lanes": self._cost.lanes}
        return {"protector": self.name, "v": _VERSION, **cost, "salt": b64(salt), "wrapped": b64(wrapped)}

    def unprotect(self, record: Mapping[str, object]) -> bytes:
        """Raises Tampered for a cost out of bounds, before any work; Denied for another passphrase."""
        cost = Cost(_number(record, "memory_kib"), _number(record, "passes"), _number(record, "lanes"))
        salt, wrapped = _raw(record, "salt"), _raw(record, "wrapped")
        if not cost.within(FLOOR, CEILING) or len(salt) != _SALT_BYTES:
            raise Tampered("the root key's record asks for work that no vault would ask for")
        return _unwrapped(
            self._stretch(salt, cost),
            wrapped,
            self._bound_to(salt, cost),
            "the passphrase does not open this vault, or the record of its root key was changed",
        )

    def _bound_to(self, salt: bytes, cost: Cost) -> tuple[bytes | str | int, ...]:
        return (self.name, _VERSION, "argon2id", cost.memory, cost.passes, cost.lanes, salt)

    def _stretch(self, salt: bytes, cost: Cost) -> WrappingKey:
        typed = prepare(self._passphrase.expose()).encode()
        try:
            key = hash_secret_raw(typed, salt, cost.passes, cost.memory, cost.lanes, KEY_BYTES, Type.ID)
        except Argon2Error as error:
            raise Unavailable("this host has not enough free memory to stretch the passphrase") from error
        return WrappingKey.from_key(key, _LABEL)


@protector("file")
class KeyFile(Protector):
    """32 random bytes in a file that only the vault's user reads: starts without people, guards less."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, passphrase: Plaintext | None, key_file: Path | None) -> Self:  # noqa: ARG003 (needs no passphrase)
        """Raises Denied without a file."""
        if key_file is None:
            raise Denied("this vault is unsealed by a key file, and none was named")
        return cls(key_file)

    @classmethod
    def make(cls, path: Path) -> Self:
        """A new key file, its owner's alone, durable when this returns. Raises Conflict or Unavailable."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, 0o600)
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(handle)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except FileExistsError as error:
            raise Conflict("there is already a file in the place of the key file") from error
        except OSError as error:
            raise Unavailable("the key file cannot be written there") from error
        return cls(path)

    def protect(self, root: bytes) -> Record:
        """Raises Denied when the file is not one that may hold a key."""
        key = self._read()
        try:
            wrapped = key.wrap(root, self.name, _VERSION)
        finally:
            key.wipe()
        return {"protector": self.name, "v": _VERSION, "wrapped": b64(wrapped)}

    def unprotect(self, record: Mapping[str, object]) -> bytes:
        """Raises Denied when the file is another one or not one that may hold a key."""
        wrapped = _raw(record, "wrapped")
        return _unwrapped(
            self._read(),
            wrapped,
            (self.name, _VERSION),
            "the key file does not open this vault, or the record of its root key was changed",
        )

    def _read(self) -> WrappingKey:
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise Denied("there is no key file in that place that this user can read") from error
        try:
            status = os.fstat(handle)
            mode = stat.S_IMODE(status.st_mode)
            if (
                not stat.S_ISREG(status.st_mode)
                or status.st_uid != os.geteuid()
                or mode not in {0o600, 0o400}
            ):
                raise Denied(
                    "the key file must be a plain file of the vault's own user with mode 0600 or 0400"
                )
            key = os.read(handle, KEY_BYTES + 1)
        finally:
            os.close(handle)
        if len(key) != KEY_BYTES:
            raise Denied(f"a key file has exactly {KEY_BYTES} bytes")
        return WrappingKey.from_key(key, _LABEL)


def _unwrapped(
    key: WrappingKey, wrapped: bytes, bound_to: tuple[bytes | str | int, ...], refusal: str
) -> bytes:
    # a wrong key and a changed record fail in the same check and cannot be told apart
    try:
        root = key.unwrap(wrapped, *bound_to)
    except Tampered as error:
        raise Denied(refusal) from error
    finally:
        key.wipe()
    if len(root) != KEY_BYTES:
        raise Tampered("the root key's record holds no root key")
    return root


def _number(record: Mapping[str, object], name: str) -> int:
    value = record.get(name)
    if type(value) is not int:
        raise Tampered("the root key's record is not well formed")
    return value


def _raw(record: Mapping[str, object], name: str) -> bytes:
    value = record.get(name)
    if not isinstance(value, str):
        raise Tampered("the root key's record is not well formed")
    try:
        return unb64(value)
    except Invalid as error:
        raise Tampered("the root key's record is not well formed") from error
