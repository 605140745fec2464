"""The databases as they are opened: durable, overwriting what they delete, of one schema, held by one process."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.postgres import Cluster
from tests.storage.ground import ROOT, away, finished, spawn, started
from tests.world import World
from vault.errors import Conflict, Unavailable
from vault.operations.house import operator
from vault.operations.vault import Vault
from vault.settings import Settings
from vault.storage.database import check_schema, create_schema, expected_schema, open_engine, scrub


def pragma(url: str, name: str, *, keyring: bool = False, reader: bool = False) -> object:
    engine = open_engine(url, keyring=keyring, reader=reader)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"PRAGMA {name}").scalar()
    engine.dispose()
    return found


@pytest.mark.promise("P1", "P5")
def test_sqlite_syncs_every_commit_and_overwrites_what_it_deletes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    assert pragma(url, "synchronous") == 2, "FULL: the log is synced at every commit"
    assert pragma(url, "journal_mode") == "wal"
    assert pragma(url, "secure_delete") == 1
    assert pragma(url, "foreign_keys") == 1
    assert pragma(url, "temp_store") == 2, "nothing of a sort goes to a file"
    ring = f"sqlite:///{tmp_path / 'k.db'}"
    assert pragma(ring, "synchronous", keyring=True) == 3, "EXTRA: the directory too"
    assert pragma(ring, "journal_mode", keyring=True) == "delete"
    assert pragma(ring, "secure_delete", keyring=True) == 1


@pytest.mark.promise("P1")
def test_no_setting_of_the_server_makes_a_commit_less_than_durable(cluster: Cluster) -> None:
    cluster.admin("CREATE DATABASE lazy")
    cluster.admin("ALTER DATABASE lazy SET synchronous_commit = off")
    engine = open_engine(cluster.url("lazy"))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "5s"
    engine.dispose()
    cluster.admin("DROP DATABASE lazy WITH (FORCE)")


@pytest.mark.attack("AU10")
def test_a_reader_cannot_write(world: World) -> None:
    for statement in (
        "DELETE FROM ledger_entry",
        "UPDATE ledger_head SET size = 0",
        "CREATE TABLE x (y int)",
    ):
        with pytest.raises(Exception, match=r"(?i)read.?only"), world.vault.reader.connect() as connection:
            connection.execute(text(statement))
    assert world.size() > 0


@pytest.mark.promise("P5")
def test_deleted_bytes_leave_the_file_and_the_log(tmp_path: Path) -> None:
    """Over pages, overflow pages, the freelist; found before, gone after."""
    place = tmp_path / "x.db"
    engine = open_engine(f"sqlite:///{place}")
    canaries = [b"canary-%04d-" % number + os.urandom(40).hex().encode() for number in range(40)]
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)")
        for number, canary in enumerate(canaries):
            row = (number, canary * (1 + 60 * (number % 3)))
            connection.exec_driver_sql("INSERT INTO t VALUES (?, ?)", row)

    def left() -> int:
        raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        return sum(canary in raw for canary in canaries)

    assert left() == 40
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE t SET b = x'' WHERE id % 2 = 0")
        connection.exec_driver_sql("DELETE FROM t WHERE id % 2 = 1")
    assert scrub(engine)
    assert left() == 0
    engine.dispose()


def test_a_reader_in_the_way_is_said_and_not_waited_for(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM t").fetchall()
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    assert not scrub(engine)
    other.close()
    assert scrub(engine)
    assert (tmp_path / "x.db-wal").stat().st_size == 0
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_savepoint_takes_back_its_own_work_and_nothing_else(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """Python's sqlite3 begins and commits by itself unless told not to; then savepoints are not what they seem."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    cluster: Cluster | None = request.getfixturevalue("cluster") if kind == "postgresql" else None
    if cluster:
        cluster.admin("CREATE DATABASE savepoints")
        url = cluster.url("savepoints")
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER PRIMARY KEY)")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        connection.exec_driver_sql("SAVEPOINT operation")
        connection.exec_driver_sql("INSERT INTO t VALUES (2)")
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT operation")
        connection.exec_driver_sql("RELEASE SAVEPOINT operation")
        connection.exec_driver_sql("SAVEPOINT operation")
        connection.exec_driver_sql("INSERT INTO t VALUES (3)")
        connection.exec_driver_sql("RELEASE SAVEPOINT operation")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT x FROM t ORDER BY x").scalars().all() == [1, 3]
        connection.rollback()
        connection.exec_driver_sql("INSERT INTO t VALUES (4)")
        connection.rollback()
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 2
    engine.dispose()
    if cluster:
        cluster.admin("DROP DATABASE savepoints WITH (FORCE)")


def test_a_transaction_holds_the_write_lock_from_its_start(tmp_path: Path) -> None:
    """Read first, write later, is a decision on old facts, or a deadlock."""
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT * FROM t").all()
        other = sqlite3.connect(tmp_path / "x.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    engine.dispose()


# -- one schema, one process -----------------------------------------------------------------------------------------


@pytest.mark.attack("DP14")
@pytest.mark.parametrize("found", ["0000", "9999", ""])
def test_a_database_of_another_schema_is_not_started_and_not_touched(world: World, found: str) -> None:
    with away(world):
        world.sql("UPDATE alembic_version SET version_num = :found", found=found)
        before = world.sql("SELECT * FROM ledger_head")
        assert started(world).startswith("Unavailable: the database has schema")
        assert world.sql("SELECT * FROM ledger_head") == before
        world.sql("UPDATE alembic_version SET version_num = :found", found=expected_schema())
        assert started(world) == "started"


@pytest.mark.attack("DP14")
def test_an_empty_database_is_no_vault(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.connect() as connection, pytest.raises(Unavailable, match="valetkey init"):
        check_schema(connection)
    create_schema(engine)
    with engine.connect() as connection:
        assert check_schema(connection) == expected_schema()
    engine.dispose()
    with pytest.raises(Unavailable, match="valetkey init"):
        Vault.start(Settings(data_dir=tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists(), "looking makes nothing"


@pytest.mark.attack("DP15")
def test_a_second_process_on_the_same_files_is_refused(embedded: World) -> None:
    for do in ("start", "start"):
        said = finished(spawn(embedded, do))
        assert said == ["Unavailable: another process holds this vault; stop it first"]
    with pytest.raises(Unavailable, match="another process"):
        Vault.start(embedded.settings)
    with away(embedded):
        assert finished(spawn(embedded, "start")) == ["started"]


@pytest.mark.attack("DP15", "DP11")
def test_a_second_vault_is_not_made_over_the_first(world: World) -> None:
    from vault.crypto.protectors import KeyFile

    size = world.size()
    with away(world), pytest.raises((Conflict, Unavailable)):
        operator.initialise(world.settings, KeyFile(world.settings.root_key_file or Path("none")))
    assert world.size() == size


def test_a_process_that_dies_leaves_no_lock_behind(embedded: World) -> None:
    with away(embedded):
        child = spawn(
            embedded,
            "load",
            lease="lse_" + "0" * 20,
            secret="sec_" + "0" * 20,
            service="svc_" + "0" * 20,
            rounds=0,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.kill()
        child.communicate()
        assert started(embedded) == "started"


@pytest.mark.attack("DP01")
def test_what_a_database_says_in_an_error_names_no_values(embedded: World) -> None:
    engine = embedded.vault.engine
    with pytest.raises(Exception, match="hidden") as fault, engine.begin() as connection:
        connection.execute(text("INSERT INTO customer (id) VALUES (:canary)"), {"canary": "canary-9"})
    assert "canary-9" not in str(fault.value)


def test_other_databases_are_not_spoken() -> None:
    for url in ("mysql://localhost/x", "oracle://localhost/x"):
        with pytest.raises(Unavailable):
            open_engine(url)


def test_the_data_directory_and_its_files_are_the_owners_alone(embedded: World) -> None:
    data = embedded.settings.data_dir
    script = f"import os; os.umask(0o022); print(oct(os.stat({str(data)!r}).st_mode & 0o777))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == b"0o700"
    assert stat.S_IMODE((data / "vault.lock").stat().st_mode) == 0o600
