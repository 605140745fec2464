"""Engines: the embedded SQLite and PostgreSQL, each set up so that a commit is durable and a delete really deletes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from vault.errors import Unavailable

CONNECT_SECONDS = 5
LOCK_MILLISECONDS = 5_000
SCRUB_MILLISECONDS = 50


def open_engine(url: str, *, keyring: bool = False, reader: bool = False) -> Engine:
    """An engine whose transactions hold the write lock from their start (SQLite) and sync at commit.

    The vault's SQLite file is in WAL mode so that readers never wait; a keyring uses the rollback journal, which
    leaves no old page behind, and syncs the directory after it is gone, else a power cut could bring the journal and
    with it an erased seed back. Both overwrite what they delete (`secure_delete`). A `reader` cannot write, and each
    of its statements stands for itself. Raises Unavailable for any other database.
    """
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        return _sqlite(place, keyring=keyring, reader=reader)
    if place.get_backend_name() == "postgresql":
        return _postgres(place, reader=reader)
    raise Unavailable("the database URL names neither SQLite nor PostgreSQL")


def _sqlite(place: URL, *, keyring: bool, reader: bool) -> Engine:
    engine = create_engine(
        place,
        # a keyring or its mirror that was put in place anew is another file: each change opens the one that is there
        poolclass=NullPool if keyring else QueuePool,
        connect_args={"timeout": LOCK_MILLISECONDS / 1000, "check_same_thread": False},
        hide_parameters=True,
    )
    pragmas = [
        "journal_mode=DELETE" if keyring else "journal_mode=WAL",
        "synchronous=EXTRA" if keyring else "synchronous=FULL",
        "secure_delete=ON",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ]

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = (
            None  # transactions are ours to begin, else savepoints are not what they seem
        )
        cursor = connection.cursor()
        for pragma in [*pragmas, "query_only=ON"] if reader else pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if not reader:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgres(place: URL, *, reader: bool) -> Engine:
    options = f"-c lock_timeout={LOCK_MILLISECONDS} -c statement_timeout=30000 -c timezone=UTC"
    options += " -c default_transaction_read_only=on" if reader else " -c synchronous_commit=on"
    return create_engine(
        place.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": CONNECT_SECONDS, "options": options, "tcp_user_timeout": 10_000},
        isolation_level="AUTOCOMMIT" if reader else "READ COMMITTED",
        pool_pre_ping=True,
        hide_parameters=True,
    )


@contextmanager
def readable() -> Iterator[None]:
    """What the driver raises while reading becomes Unavailable: the database is away, locked or not as it was."""
    try:
        yield
    except SQLAlchemyError as error:
        raise Unavailable("the vault's database cannot be read just now") from error


def is_sqlite(engine: Engine) -> bool:
    """Whether this is the embedded default."""
    return engine.dialect.name == "sqlite"


def _alembic(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def create_schema(engine: Engine) -> None:
    """Bring an empty database to this program's schema."""
    with engine.begin() as connection:
        command.upgrade(_alembic(connection), "head")


def expected_schema() -> str:
    """The schema version this program was written for."""
    return ScriptDirectory.from_config(_alembic()).get_current_head() or ""


def check_schema(connection: Connection) -> str:
    """The database's schema version. Raises Unavailable when it is not the one this program was written for."""
    try:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError:
        found = None
    if found is None:
        raise Unavailable("there is no vault in this database yet; make one with: valetkey init")
    if found != expected_schema():
        raise Unavailable(
            f"the database has schema {found} and this program wants {expected_schema()}; nothing was changed"
        )
    return str(found)


def scrub(engine: Engine) -> bool:
    """Take deleted bytes out of SQLite's write-ahead log. True when no reader was in the way (and on PostgreSQL).

    It holds the write lock while it waits for readers, therefore it waits only a moment; ask again later.
    """
    if not is_sqlite(engine):
        return True
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()  # outside of any transaction
        cursor.execute(f"PRAGMA busy_timeout={SCRUB_MILLISECONDS}")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout={LOCK_MILLISECONDS}")
        return bool(busy[0] == 0)
    finally:
        raw.close()
