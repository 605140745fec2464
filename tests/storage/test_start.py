"""A vault starts only on what belongs together: one schema, one process, one time of vault and keyring."""

from pathlib import Path

import pytest

from tests.world import World
from vault.errors import Tampered, Unavailable
from vault.operations.vault import Vault
from vault.settings import Settings
from vault.storage.database import open_engine


def start_again(world: World) -> None:
    """Start on what lies in the world's data directory, which nobody holds."""
    world.vault = world._start()


def copied(world: World, name: str) -> dict[Path, bytes]:
    """A database of the closed embedded vault as a backup would take it: the file and its write-ahead log."""
    return {path: path.read_bytes() for path in world.settings.data_dir.glob(f"{name}*")}


def put_back(world: World, name: str, copy: dict[Path, bytes]) -> dict[Path, bytes]:
    """Put a copy back in the place of what is there; returns what was there."""
    present = copied(world, name)
    for path in present:
        path.unlink()
    for path, content in copy.items():
        path.write_bytes(content)
    return present


@pytest.mark.attack("DP15")
def test_a_second_process_on_the_same_files_is_refused(embedded: World) -> None:
    with pytest.raises(Unavailable, match="another process"):
        Vault.start(embedded.settings)
    assert embedded.service().state == "open"


@pytest.mark.attack("DP14")
@pytest.mark.parametrize("version", ["0000", "zzzz_from_the_future"])
def test_an_older_or_newer_schema_is_refused_and_left_alone(embedded: World, version: str) -> None:
    embedded.run(embedded.vault.close())
    (mine,) = embedded.sql("SELECT version_num FROM alembic_version")[0]
    embedded.sql("UPDATE alembic_version SET version_num = :version", version=version)
    with pytest.raises(Unavailable, match="schema"):
        start_again(embedded)
    assert embedded.sql("SELECT version_num FROM alembic_version") == [(version,)]
    embedded.sql("UPDATE alembic_version SET version_num = :version", version=mine)
    start_again(embedded)
    assert embedded.service().state == "open"


def test_where_there_is_no_vault_the_start_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="valetkey init"):
        Vault.start(Settings(data_dir=tmp_path / "nothing"))
    (tmp_path / "empty").mkdir()
    open_engine(f"sqlite:///{tmp_path / 'empty' / 'vault.db'}").dispose()
    with pytest.raises(Unavailable, match="valetkey init"):
        Vault.start(Settings(data_dir=tmp_path / "empty"))


@pytest.mark.promise("P6")
@pytest.mark.attack("CR04")
def test_an_earlier_copy_of_the_whole_vault_is_refused(embedded: World) -> None:
    embedded.reopen()
    embedded.run(embedded.vault.close())
    earlier = copied(embedded, "vault.db")
    start_again(embedded)
    embedded.service()
    embedded.run(embedded.vault.close())
    present = put_back(embedded, "vault.db", earlier)
    with pytest.raises(Tampered, match="earlier copy"):
        start_again(embedded)
    put_back(embedded, "vault.db", present)
    start_again(embedded)
    assert embedded.service().state == "open"


@pytest.mark.promise("P5")
@pytest.mark.attack("CR04")
def test_an_earlier_copy_of_the_keyring_is_refused(embedded: World) -> None:
    service, *_ = embedded.lent()
    embedded.run(embedded.vault.close())
    earlier = copied(embedded, "keyring.db")
    start_again(embedded)
    embedded.end(service)
    embedded.run(embedded.vault.close())
    present = put_back(embedded, "keyring.db", earlier)
    with pytest.raises(Tampered, match="keyring is older"):
        start_again(embedded)
    put_back(embedded, "keyring.db", present)
    start_again(embedded)
