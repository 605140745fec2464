"""The keyring: a small database of its own for what must be able to disappear. What is gone from it is gone.

It is mirrored, the present state over the former one, and never archived or backed up. Everything in it that could
open something is wrapped under the root key.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)
from sqlalchemy import update as update_rows
from sqlalchemy.exc import SQLAlchemyError

from vault.errors import NotRecorded, Tampered, Unavailable
from vault.storage.database import is_sqlite, open_engine

_METADATA = MetaData()
SEED = Table(
    "seed",
    _METADATA,
    Column("key_id", String, primary_key=True),
    Column("service_id", String, nullable=False, index=True),
    Column("wrapped", LargeBinary, nullable=False),
)
TOMBSTONE = Table(
    "tombstone",
    _METADATA,
    Column("key_id", String, primary_key=True),
    Column("service_id", String, nullable=False),
    Column("destroyed_at", BigInteger, nullable=False),
)
SUBJECT = Table(
    "subject",
    _METADATA,
    Column("subject_id", String, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
FACT = Table(
    "fact", _METADATA, Column("name", String, primary_key=True), Column("value", Text, nullable=False)
)
_TABLES = (SEED, TOMBSTONE, SUBJECT, FACT)
_COUNT = select(FACT.c.value).where(FACT.c.name == "generation").with_for_update()


@dataclass(frozen=True)
class KeptCheckpoint:
    """The last checkpoint that the keyring holds: what the ledger can never be shorter than."""

    size: int
    note: str
    frontier: bytes


class Keyring:
    """Wrapped service seeds, per-person disclosure keys, the wrapped ledger keys, tombstones, the last checkpoint."""

    def __init__(self, url: str, mirror_url: str = "") -> None:
        """Open it, and its mirror where one is configured. Nothing is created here."""
        self._engine = open_engine(url, keyring=True)
        self._mirror = open_engine(mirror_url, keyring=True) if mirror_url else None
        self._lock = threading.Lock()

    @property
    def mirrored(self) -> bool:
        """Whether a mirror is configured."""
        return self._mirror is not None

    def create(self, facts: dict[str, str]) -> None:
        """Make an empty keyring that knows these facts. Raises Unavailable where one is already."""
        with self._engine.begin() as connection:
            _METADATA.create_all(connection)
            if connection.execute(select(FACT.c.name).limit(1)).first():
                raise Unavailable(
                    "there is a keyring already; a second one would orphan everything sealed under it"
                )
            connection.execute(
                insert(FACT), [{"name": name, "value": value} for name, value in facts.items()]
            )
            connection.execute(insert(FACT).values(name="generation", value="0"))
        self.mirror()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
        if self._mirror is not None:
            self._mirror.dispose()

    def _read(self, work: Callable[[Connection], Any]) -> Any:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise Unavailable("the keyring cannot be read") from error

    def _change(self, work: Callable[[Connection], object], *, counts: bool = True) -> int:
        """Do it in the keyring and then in its mirror, each durable before the next. Returns the new generation.

        The count moves in the transaction of the change: two changes at once are two, whoever makes them, else a
        keyring from between them would pass for the present one.
        """
        generation = 0
        try:
            with self._lock:
                for engine in (self._engine, self._mirror):
                    if engine is None:
                        continue
                    with engine.begin() as connection:
                        if counts:
                            here = int(connection.execute(_COUNT).scalar() or 0)
                            generation = here + 1 if engine is self._engine else max(here, generation)
                            _set_count(connection, generation)
                        work(connection)
        except SQLAlchemyError as error:
            raise NotRecorded("the keyring or its mirror could not be written") from error
        return generation

    def generation(self) -> int:
        """How many changes of keys this keyring has seen: the vault remembers it and refuses an older keyring."""
        return int(self.fact("generation"))

    def fact(self, name: str) -> str:
        """A fact by name. Raises Unavailable when there is no keyring yet."""
        value = self._read(
            lambda connection: connection.execute(select(FACT.c.value).where(FACT.c.name == name)).scalar()
        )
        if value is None:
            raise Unavailable(f"the keyring does not know its {name}")
        return str(value)

    def protector_record(self) -> dict[str, Any]:
        """The record of the protector that holds the root key; nothing in it is secret."""
        record: dict[str, Any] = json.loads(self.fact("protector"))
        return record

    def put_seed(self, key_id: str, service_id: str, wrapped: bytes) -> int:
        """Keep a new service's wrapped seed. Returns the generation that has it."""
        return self._change(
            lambda connection: connection.execute(
                insert(SEED).values(key_id=key_id, service_id=service_id, wrapped=wrapped)
            )
        )

    def seed(self, key_id: str) -> bytes | None:
        """The wrapped seed, or None where it was destroyed or never was."""
        found = self._read(
            lambda c: c.execute(select(SEED.c.wrapped).where(SEED.c.key_id == key_id)).scalar()
        )
        return None if found is None else bytes(found)

    def erase_service(self, service_id: str, moment: int) -> tuple[str, ...]:
        """Erase every seed of a service here and in the mirror, and leave tombstones. Repeating it is harmless.

        Returns the key ids that are gone now.
        """

        def erase(connection: Connection) -> None:
            keys = (
                connection.execute(select(SEED.c.key_id).where(SEED.c.service_id == service_id))
                .scalars()
                .all()
            )
            connection.execute(delete(SEED).where(SEED.c.service_id == service_id))
            for key in keys:
                row = {"key_id": key, "service_id": service_id, "destroyed_at": moment}
                connection.execute(insert(TOMBSTONE).values(**row))

        self._change(erase)
        self._rewrite()
        return self.tombstones(service_id)

    def _rewrite(self) -> None:
        """Leave no erased seed in PostgreSQL's pages: a DELETE only marks it, and VACUUM alone may keep its bytes.

        Its write-ahead log keeps them until it is recycled, which is why a keyring's log is never archived.
        """
        try:
            for engine in (self._engine, self._mirror):
                if engine is not None and not is_sqlite(engine):
                    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                        connection.exec_driver_sql("VACUUM FULL seed")
        except SQLAlchemyError as error:
            raise NotRecorded("the keyring's table of seeds could not be rewritten") from error

    def tombstones(self, service_id: str | None = None) -> tuple[str, ...]:
        """Ids of destroyed keys, of one service or of all."""
        query = select(TOMBSTONE.c.key_id)
        if service_id is not None:
            query = query.where(TOMBSTONE.c.service_id == service_id)
        return tuple(self._read(lambda connection: connection.execute(query).scalars().all()))

    def put_subject(self, subject_id: str, wrapped: bytes) -> int:
        """Keep a person's wrapped disclosure key. Returns the generation that has it."""
        return self._change(
            lambda connection: connection.execute(
                insert(SUBJECT).values(subject_id=subject_id, wrapped=wrapped)
            )
        )

    def subject(self, subject_id: str) -> bytes | None:
        """A person's wrapped disclosure key, or None where it was erased."""
        query = select(SUBJECT.c.wrapped).where(SUBJECT.c.subject_id == subject_id)
        found = self._read(lambda connection: connection.execute(query).scalar())
        return None if found is None else bytes(found)

    def keep_checkpoint(self, kept: KeptCheckpoint) -> None:
        """Replace the checkpoint; it never moves back."""
        value = json.dumps({"size": kept.size, "note": kept.note, "frontier": kept.frontier.hex()})

        def keep(connection: Connection) -> None:
            found = connection.execute(select(FACT.c.value).where(FACT.c.name == "checkpoint")).scalar()
            if found is not None and json.loads(found)["size"] > kept.size:
                return
            connection.execute(delete(FACT).where(FACT.c.name == "checkpoint"))
            connection.execute(insert(FACT).values(name="checkpoint", value=value))

        self._change(keep, counts=False)

    def checkpoint(self) -> KeptCheckpoint | None:
        """The last checkpoint, or None in a vault that has signed none yet. Raises Tampered when it cannot be read."""
        query = select(FACT.c.value).where(FACT.c.name == "checkpoint")
        found = self._read(lambda connection: connection.execute(query).scalar())
        if found is None:
            return None
        try:
            value = json.loads(found)
            return KeptCheckpoint(int(value["size"]), str(value["note"]), bytes.fromhex(value["frontier"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Tampered("the keyring's checkpoint is damaged") from error

    def mirror(self) -> None:
        """Make the mirror say exactly what the keyring says now. Without a mirror nothing happens."""
        if self._mirror is None:
            return
        try:
            with self._lock, self._engine.connect() as source, self._mirror.begin() as target:
                source.execute(
                    _COUNT
                )  # held to the end: what is erased meanwhile elsewhere must not come back
                _METADATA.create_all(target)
                for table in _TABLES:
                    target.execute(delete(table))
                    rows = [dict(row) for row in source.execute(select(table)).mappings()]
                    if rows:
                        target.execute(insert(table), rows)
        except SQLAlchemyError as error:
            raise NotRecorded("the keyring's mirror could not be written") from error

    def mirror_generation(self) -> int | None:
        """The mirror's generation, for the doctor; None without a mirror."""
        if self._mirror is None:
            return None
        try:
            with self._mirror.connect() as connection:
                found = connection.execute(select(FACT.c.value).where(FACT.c.name == "generation")).scalar()
        except SQLAlchemyError as error:
            raise Unavailable("the keyring's mirror cannot be read") from error
        return int(found or 0)


def _set_count(connection: Connection, generation: int) -> None:
    row = update_rows(FACT).where(FACT.c.name == "generation").values(value=str(generation))
    connection.execute(row)
