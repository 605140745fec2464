"""The keyring: what is put there stays, what is erased is gone, here and in the mirror, and changes are counted."""

import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tests.storage.ground import away, copied, put_back, started
from tests.world import World
from vault.crypto.protectors import KeyFile
from vault.errors import Ended, NotRecorded, Tampered, Unavailable
from vault.operations.house import operator
from vault.settings import Settings
from vault.storage.database import open_engine
from vault.storage.keyring import KeptCheckpoint, Keyring


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'keyring.db'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = f"ring_{secrets.token_hex(4)}"
    cluster.admin(f'CREATE DATABASE "{name}"')
    yield cluster.url(name)
    cluster.admin(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def keyring(place: str, tmp_path: Path) -> Iterator[Keyring]:
    """A keyring with a mirror on SQLite, whatever it is itself."""
    made = Keyring(place, f"sqlite:///{tmp_path / 'mirror.db'}")
    made.create({"deployment": "dep_x"})
    yield made
    made.close()


def in_mirror(tmp_path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(tmp_path / "mirror.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_what_is_put_there_is_in_the_mirror_too(keyring: Keyring, tmp_path: Path) -> None:
    assert keyring.put_seed("key_a", "svc_a", b"wrapped") == 1
    assert keyring.put_subject("per_a", b"other") == 2
    assert keyring.seed("key_a") == b"wrapped"
    assert keyring.subject("per_a") == b"other"
    assert in_mirror(tmp_path, "SELECT key_id, wrapped FROM seed") == [("key_a", b"wrapped")]
    assert keyring.mirror_generation() == keyring.generation() == 2


@pytest.mark.promise("P5")
def test_an_erased_service_leaves_tombstones_and_nothing_else(keyring: Keyring, tmp_path: Path) -> None:
    keyring.put_seed("key_a", "svc_a", b"canary-wrapped-seed")
    keyring.put_seed("key_b", "svc_b", b"another")
    assert keyring.erase_service("svc_a", 17) == ("key_a",)
    assert keyring.seed("key_a") is None
    assert keyring.seed("key_b") == b"another"
    assert keyring.tombstones() == ("key_a",)
    assert in_mirror(tmp_path, "SELECT key_id FROM seed") == [("key_b",)]
    assert in_mirror(tmp_path, "SELECT key_id, destroyed_at FROM tombstone") == [("key_a", 17)]
    assert b"canary-wrapped-seed" not in (tmp_path / "mirror.db").read_bytes()
    assert keyring.erase_service("svc_a", 18) == ("key_a",), "repeating it is harmless"


@pytest.mark.promise("P5")
def test_two_changes_at_once_count_as_two(keyring: Keyring) -> None:
    """A lost count would let a keyring from between the two pass for the present one."""
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda n: keyring.put_subject(f"per_{n}", b"x"), range(24)))
    assert sorted(counted) == list(range(1, 25))
    assert keyring.generation() == keyring.mirror_generation() == 24


@pytest.mark.attack("DE12")
def test_a_mirror_that_is_away_is_told_and_caught_up_with(keyring: Keyring, tmp_path: Path) -> None:
    keyring.put_seed("key_a", "svc_a", b"wrapped")
    shutil.move(tmp_path / "mirror.db", tmp_path / "away.db")
    (tmp_path / "mirror.db").mkdir()  # what cannot be opened as a file, by root neither
    with pytest.raises(NotRecorded):
        keyring.erase_service("svc_a", 17)
    assert keyring.seed("key_a") is None, "it is gone here although the mirror could not follow"
    with pytest.raises(Unavailable):
        keyring.mirror_generation()
    (tmp_path / "mirror.db").rmdir()
    shutil.copy(tmp_path / "away.db", tmp_path / "mirror.db")  # another disk, not the same file again
    assert in_mirror(tmp_path, "SELECT key_id FROM seed") == [("key_a",)], "the mirror still had it"
    assert keyring.erase_service("svc_a", 18) == ("key_a",)
    assert in_mirror(tmp_path, "SELECT key_id FROM seed") == []
    assert in_mirror(tmp_path, "SELECT key_id FROM tombstone") == [("key_a",)]


def test_the_whole_mirror_can_be_made_anew(keyring: Keyring, tmp_path: Path) -> None:
    keyring.put_seed("key_a", "svc_a", b"wrapped")
    (tmp_path / "mirror.db").unlink()
    keyring.mirror()
    assert in_mirror(tmp_path, "SELECT key_id FROM seed") == [("key_a",)]
    assert keyring.mirror_generation() == keyring.generation()


def test_a_checkpoint_never_moves_back(keyring: Keyring) -> None:
    keyring.keep_checkpoint(KeptCheckpoint(9, "newer\n", b"\x01" * 32))
    keyring.keep_checkpoint(KeptCheckpoint(5, "older\n", b"\x02" * 32))
    kept = keyring.checkpoint()
    assert kept is not None
    assert (kept.size, kept.note) == (9, "newer\n")


@pytest.mark.parametrize("damaged", ["", "[]", "{}", '{"size":"x"}', '{"size":1,"note":"","frontier":"zz"}'])
def test_a_damaged_checkpoint_is_named(keyring: Keyring, place: str, damaged: str) -> None:
    keyring.keep_checkpoint(KeptCheckpoint(1, "note\n", b""))
    engine = open_engine(place, keyring=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM fact WHERE name = 'checkpoint'")
        connection.exec_driver_sql(f"INSERT INTO fact (name, value) VALUES ('checkpoint', '{damaged}')")
    engine.dispose()
    with pytest.raises(Tampered):
        keyring.checkpoint()


def test_a_second_keyring_is_not_made_over_the_first(keyring: Keyring) -> None:
    with pytest.raises(Unavailable):
        keyring.create({"deployment": "dep_y"})
    assert keyring.fact("deployment") == "dep_x"


def test_where_no_keyring_is_nothing_is_made_by_looking(tmp_path: Path) -> None:
    keyring = Keyring(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(Unavailable):
        keyring.generation()
    keyring.close()


@pytest.mark.attack("CR02")
def test_seeds_exchanged_in_the_keyring_unwrap_for_nobody(embedded: World) -> None:
    """A wrapped seed is bound to its key id and its service."""
    _, secret, _, lease = embedded.lent()
    other = embedded.service(title="Globex's shop")
    embedded.give(other)
    embedded.reopen()  # no key is in memory any more
    engine = open_engine(embedded.settings.keyring_place, keyring=True)
    with engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT key_id, wrapped FROM seed ORDER BY key_id").all()
        assert len(rows) == 2
        for (key, _), (_, wrapped) in zip(rows, reversed(rows), strict=True):
            connection.exec_driver_sql("UPDATE seed SET wrapped = ? WHERE key_id = ?", (wrapped, key))
    engine.dispose()
    with pytest.raises(Tampered):
        embedded.reveal(lease, secret)


@pytest.mark.attack("CR02")
def test_another_root_key_opens_nothing(embedded: World) -> None:
    embedded.seal()
    with pytest.raises(Tampered):
        embedded.run(operator.unseal(embedded.vault, secrets.token_bytes(32)))
    assert embedded.vault.is_sealed
    embedded.unseal()


def test_a_keyring_without_the_seed_says_that_the_key_is_destroyed(embedded: World) -> None:
    service, secret, _, lease = embedded.lent()
    embedded.reopen()
    embedded.vault.keyring.erase_service(service.id, 1)
    with pytest.raises(Ended):
        embedded.reveal(lease, secret)


@pytest.mark.attack("CR02")
def test_another_vaults_keyring_does_not_start(embedded: World, tmp_path: Path) -> None:
    other = Settings(data_dir=tmp_path / "other", base_url="http://localhost:1", root_key_file=tmp_path / "k")
    KeyFile.make(tmp_path / "k")
    operator.initialise(other, KeyFile(tmp_path / "k"))
    with away(embedded):
        own = copied(embedded, tmp_path / "own", "keyring.db")
        put_back(embedded, other.data_dir, "keyring.db")
        assert started(embedded).startswith("Tampered: this keyring belongs to another vault")
        put_back(embedded, own, "keyring.db")
        assert started(embedded) == "started"


def test_nothing_in_the_keyring_is_a_key_in_the_clear(embedded: World) -> None:
    """With the file alone nothing opens: every key in it is wrapped under the root key."""
    root = embedded.root_key()
    raw = (embedded.settings.data_dir / "keyring.db").read_bytes()
    assert embedded.vault.keys.statement_key not in raw
    assert root not in raw
    assert root.hex().encode() not in raw
    assert json.loads(embedded.vault.keyring.fact("protector"))["protector"] == "file"
