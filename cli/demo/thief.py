"""What somebody could do who has everything on the host: the databases, and the root key's file."""

import contextlib
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from vault.crypto.envelope import Context
from vault.crypto.opening import ServiceKey
from vault.crypto.protectors import KeyFile
from vault.crypto.rootkey import RootKey
from vault.model.kinds import unpack_fields
from vault.storage.keyring import Keyring


@dataclass(frozen=True)
class Sealed:
    """One secret as it lies in `vault.db`."""

    service: str
    key: str
    version: int
    kind: str
    envelope: bytes = field(repr=False)


def copy(database: Path, place: Path) -> None:
    """Back up an SQLite database while its server runs, by SQLite's own backup."""
    with contextlib.closing(_open(database)) as source, contextlib.closing(sqlite3.connect(place)) as target:
        source.backup(target)
    place.chmod(0o600)


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True)


def sealed(vault_db: Path, secret: str) -> Sealed:
    """Read what is stored of a secret, past the program."""
    query = "SELECT service_id, key_id, version, kind, envelope FROM secret WHERE id = ?"
    with contextlib.closing(_open(vault_db)) as connection:
        return Sealed(*connection.execute(query, (secret,)).fetchone())


def wrapped_seed(keyring_db: Path, key: str) -> bytes | None:
    """Read a service's wrapped seed past the program; None when the keyring has none."""
    with contextlib.closing(_open(keyring_db)) as connection:
        row = connection.execute("SELECT wrapped FROM seed WHERE key_id = ?", (key,)).fetchone()
    return bytes(row[0]) if row else None


def opened(vault_db: Path, keyring_db: Path, key_file: Path, secret: str) -> dict[str, str] | None:
    """Open a secret with the keys alone, asking no server; None when the keyring has no key for it."""
    found = sealed(vault_db, secret)
    keyring = Keyring(f"sqlite:///{keyring_db}")
    try:
        wrapped = keyring.seed(found.key)
        if wrapped is None:
            return None
        root = RootKey(KeyFile(key_file).unprotect(keyring.protector_record()))
        seed = root.derive("keyring wrap").unwrap(wrapped, "seed", found.key, found.service)
        context = Context(
            keyring.fact("deployment"), found.service, found.key, secret, found.version, found.kind
        )
        return unpack_fields(ServiceKey.from_seed(seed).open(found.envelope, context))
    finally:
        keyring.close()
