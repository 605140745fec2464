"""Destroyed is destroyed: in old copies, on the disk, after a crash at any step, and with a mirror that is away."""

import asyncio
import base64
import json
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.storage import ground
from tests.storage.ground import away, copied, findings, put_back, spawn, spellings, verified
from tests.world import LOGIN, World
from vault.crypto.envelope import Context
from vault.crypto.opening import ServiceKey
from vault.crypto.rootkey import RootKey
from vault.errors import (
    Conflict,
    Denied,
    Ended,
    Invalid,
    NotFound,
    NotRecorded,
    NotSignedIn,
    Tampered,
    VaultError,
)
from vault.ledger import verify
from vault.ledger.note import open_note
from vault.model.messages import Begin, Look
from vault.model.views import ServiceView
from vault.operations.customers import intake
from vault.operations.house import destruction, operator, upkeep
from vault.operations.presence import Presence
from vault.operations.services import tickets
from vault.storage.database import open_engine
from vault.storage.keys import Keys, Opening, Receipt
from vault.values import Actor

NOBODY = Actor.nobody("198.51.100.9", "intake")


def envelope_of(world: World, secret_id: str) -> tuple[Context, bytes]:
    """What a thief of the database has of a secret."""
    columns = "service_id, key_id, id, version, kind, envelope"
    row = world.sql(f"SELECT {columns} FROM secret WHERE id = :id", id=secret_id)[0]
    return Context(world.vault.deployment, row[0], row[1], row[2], row[3], row[4]), bytes(row[5])


def wrapped_seeds(world: World) -> dict[str, tuple[str, bytes]]:
    engine = open_engine(world.settings.keyring_place, keyring=True)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT key_id, service_id, wrapped FROM seed").all()
    engine.dispose()
    return {key: (service, bytes(wrapped)) for key, service, wrapped in rows}


def ending_of(world: World, actor: Actor, service: ServiceView, given: Presence) -> Any:
    return destruction.end(world.vault, actor, service.id, service.title, given)


def state_of(world: World, service_id: str) -> str:
    return str(world.sql("SELECT state FROM service WHERE id = :id", id=service_id)[0][0])


def with_mirror(world: World, place: Path) -> Path:
    """The same world, whose keyring has a mirror now."""
    mirror = place / "mirror.db"
    with away(world):
        world.settings = world.settings.model_copy(update={"keyring_mirror_url": f"sqlite:///{mirror}"})
    world.run(operator.mirror(world.vault))
    return mirror


# -- copies from before ----------------------------------------------------------------------------------------------


@pytest.mark.promise("P5")
@pytest.mark.attack("DE01")
def test_the_row_of_before_does_not_open_with_todays_keys(world: World) -> None:
    """Whoever kept the row, the root key and all of today's keyring has nothing that opens it."""
    service, secret, _, _ = world.lent()
    world.give(other := world.service(title="Another shop"))
    context, envelope = envelope_of(world, secret)
    before = wrapped_seeds(world)
    wrapping = RootKey(world.root_key()).derive("keyring wrap")

    def opens(seeds: dict[str, tuple[str, bytes]]) -> int:
        count = 0
        for key, (owner, wrapped) in seeds.items():
            try:
                ServiceKey.from_seed(wrapping.unwrap(wrapped, "seed", key, owner)).open(envelope, context)
            except Tampered:
                continue
            count += 1
        return count

    assert opens(before) == 1, "before, it did open"
    world.end(service)
    after = wrapped_seeds(world)
    assert {owner for owner, _ in after.values()} == {other.id}
    assert opens(after) == 0
    keys = Keys(RootKey(world.root_key()), world.vault.keyring, world.vault.origin)
    with pytest.raises(Ended, match="destroyed"):
        keys.open(Receipt(0, world.vault.now(), None), Opening(context, envelope, "password"))


@pytest.mark.promise("P5")
@pytest.mark.attack("DE01", "CR04")
def test_a_copy_of_the_database_from_before_is_not_even_started(embedded: World, tmp_path: Path) -> None:
    service, _, _, _ = embedded.lent()
    with away(embedded):
        before = copied(embedded, tmp_path / "before", "vault.db")
    embedded.end(service)
    with away(embedded):
        today = copied(embedded, tmp_path / "today", "vault.db")
        put_back(embedded, before, "vault.db")
        assert ground.started(embedded).startswith("Tampered: the vault is older than the keyring")
        put_back(embedded, today, "vault.db")
        assert ground.started(embedded) == "started"


@pytest.mark.promise("P5")
@pytest.mark.attack("CR04", "DE01")
def test_a_keyring_from_before_the_destruction_is_not_started(embedded: World, tmp_path: Path) -> None:
    """The erasure itself is a change that the vault remembers, not only the making of keys."""
    service, _, _, _ = embedded.lent()
    with away(embedded):
        before = copied(embedded, tmp_path / "before", "keyring.db")
    embedded.end(service)
    with away(embedded):
        today = copied(embedded, tmp_path / "today", "keyring.db")
        put_back(embedded, before, "keyring.db")
        assert ground.started(embedded).startswith("Tampered: the keyring is older than the vault")
        put_back(embedded, today, "keyring.db")
        assert ground.started(embedded) == "started"


# -- remnants --------------------------------------------------------------------------------------------------------


def needles_of(world: World, secret: str) -> dict[str, list[bytes]]:
    """What to look for: whole values and pieces, because a page boundary may cut them."""
    _, envelope = envelope_of(world, secret)
    wrapped = [wrapped for _, wrapped in wrapped_seeds(world).values()]
    pieces = [envelope[at : at + 64] for at in range(0, len(envelope) - 64, 256)]
    return {
        "envelope": pieces,
        "seed": wrapped,
        "plaintext": [
            spelt for value in (LOGIN["password"], LOGIN["host"]) for spelt in spellings(value.encode())
        ],
    }


@pytest.mark.promise("P9")
def test_the_search_finds_a_plaintext_in_every_spelling(tmp_path: Path) -> None:
    """The control of the searches below."""
    for number, spelt in enumerate(spellings(LOGIN["password"].encode())):
        (tmp_path / f"{number}").write_bytes(b"\x00noise" + spelt + b"noise")
    needles = spellings(LOGIN["password"].encode())
    assert len(needles) >= 10
    assert ground.where_found(tmp_path, needles) == {path.name for path in tmp_path.iterdir()}
    (tmp_path / "b64").write_bytes(base64.b64encode(b"xy" + LOGIN["password"].encode() + b"z"))
    assert "b64" in ground.where_found(tmp_path, needles)


@pytest.mark.promise("P5", "P9")
@pytest.mark.attack("DE02")
def test_nothing_of_it_is_left_in_any_file(embedded: World, tmp_path: Path) -> None:
    mirror = with_mirror(embedded, tmp_path)
    service, secret, _, lease = embedded.lent()
    assert embedded.reveal(lease, secret) == LOGIN["password"]
    needles = needles_of(embedded, secret)
    data = embedded.settings.data_dir
    assert ground.where_found(data, needles["envelope"]) & {"vault.db", "vault.db-wal"}
    assert ground.where_found(data, needles["seed"]) == {"keyring.db"}
    assert ground.where_found(tmp_path, needles["seed"]) == {"keyring.db", mirror.name}
    assert ground.where_found(tmp_path, needles["plaintext"]) == set(), "it was never there in the clear"
    embedded.end(service)
    for what, found in needles.items():
        assert ground.where_found(tmp_path, found) == set(), what


@pytest.mark.promise("P5")
@pytest.mark.attack("DE02", "DE03")
def test_a_process_killed_right_after_its_certificate_leaves_nothing(embedded: World, tmp_path: Path) -> None:
    service, secret, _, _ = embedded.lent()
    needles = needles_of(embedded, secret)
    with away(embedded):
        assert ground.where_found(tmp_path, needles["envelope"]), "it is there before"
        child = spawn(embedded, "end", service=service.id, title=service.title, linger=True)
        assert child.stdout is not None
        said = [child.stdout.readline(), child.stdout.readline()]
        child.kill()
        child.communicate()
        assert said[1].startswith(b"certificate"), said
        for what, found in needles.items():
            assert ground.where_found(tmp_path, found) == set(), what


@pytest.mark.attack("DE02", "DO08")
def test_a_long_reader_stops_nobody_and_the_rest_goes_when_it_has_left(
    embedded: World, tmp_path: Path
) -> None:
    """SQLite cannot empty its log while somebody reads an old state; the writer must not wait for that."""
    service, secret, _, _ = embedded.lent()
    needles = needles_of(embedded, secret)
    other = embedded.service(title="Another shop")
    coordinator = embedded.actor("coordinator")
    reader = sqlite3.connect(embedded.settings.data_dir / "vault.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM secret").fetchall()

    async def both() -> tuple[float, float]:
        began = time.monotonic()
        ending = asyncio.create_task(
            ending_of(embedded, coordinator, service, embedded.presence("coordinator"))
        )
        slowest = 0.0
        turn = 0
        while not ending.done():
            asked_at = time.monotonic()
            await embedded.vault.perform(tickets.open_ticket, coordinator, other.id, f"T-{turn}", "Work")
            slowest = max(slowest, time.monotonic() - asked_at)
            turn += 1
            await asyncio.sleep(0.01)
        await ending
        return slowest, time.monotonic() - began

    slowest, whole = embedded.run(both())
    assert slowest < 2, "an operation waited for a reader"
    assert whole < 20
    reader.execute("COMMIT")
    reader.close()
    embedded.run(upkeep.sweep(embedded.vault))
    assert ground.where_found(tmp_path, [*needles["envelope"], *needles["seed"]]) == set()


@pytest.mark.promise("P5")
@pytest.mark.attack("DE02")
def test_postgresql_keeps_no_seed_in_its_pages(world: World) -> None:
    """Its own log keeps the bytes until it is recycled; a keyring's log is never archived (docs/operations.md)."""
    if world.ground.cluster is None:
        return  # every file of the embedded keyring is searched above
    cluster = world.ground.cluster
    service, _, _, _ = world.lent()
    seeds = [wrapped for _, wrapped in wrapped_seeds(world).values()]
    pages = cluster.place / "data" / "base"
    cluster.admin("CHECKPOINT")
    assert ground.where_found(pages, seeds), "it is there before"
    world.end(service)
    cluster.admin("CHECKPOINT")
    assert ground.where_found(pages, seeds) == set()


# -- crashes ---------------------------------------------------------------------------------------------------------

STEPS = {
    "before the intent is committed": ("_intend", "return"),
    "before the seed is erased": ("erase_service", "call"),
    "inside the keyring's transaction": ("_set_count", "return"),
    "after the seed is erased": ("erase_service", "return"),
    "before the certificate": ("_statement", "return"),
    "before the completion is committed": ("_complete", "return"),
    "before the log is emptied": ("scrub", "call"),
}


EVERYDAY = ("before the intent is committed", "inside the keyring's transaction", "after the seed is erased")


@pytest.mark.promise("P5")
@pytest.mark.attack("DE03")
@pytest.mark.parametrize("step", EVERYDAY)
def test_a_crash_half_way_finishes_by_itself(embedded: World, tmp_path: Path, step: str) -> None:
    crash_and_finish(embedded, tmp_path, step)


@pytest.mark.long
@pytest.mark.promise("P5")
@pytest.mark.attack("DE03")
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_finishes_by_itself(world: World, tmp_path: Path, step: str) -> None:
    crash_and_finish(world, tmp_path, step)


def crash_and_finish(world: World, tmp_path: Path, step: str) -> None:
    service, secret, _, lease = world.lent()
    needles = needles_of(world, secret)
    with away(world):
        child = spawn(world, "end", service=service.id, title=service.title, die=STEPS[step])
        assert ground.finished(child) == ["ready"], "no certificate before it is true"
        assert child.returncode == -9
    seeds = {owner for owner, _ in wrapped_seeds(world).values()}
    state = state_of(world, service.id)
    if state == "open":
        assert step == "before the intent is committed"
        assert world.reveal(lease, secret) == LOGIN["password"], "nothing has happened yet"
        world.end(service)
    else:
        assert not (state == "destroyed" and service.id in seeds), "never destroyed with a key"
        with pytest.raises((Ended, Conflict)):
            world.reveal(lease, secret)
        world.run(upkeep.sweep(world.vault))
    assert state_of(world, service.id) == "destroyed"
    assert wrapped_seeds(world) == {}
    assert world.sql("SELECT envelope FROM secret WHERE id = :id", id=secret)[0][0] == b""
    note = world.read(destruction.certificate, world.actor("coordinator"), service.id).note
    assert service.id in open_note(note, world.vkey())
    assert verified(world, tmp_path).size == world.size()
    assert world.ledger().count("service.destroy ok") == 1
    if world.ground.cluster is None:
        assert ground.where_found(world.settings.data_dir, [*needles["envelope"], *needles["seed"]]) == set()


# -- a mirror that is away -------------------------------------------------------------------------------------------


@pytest.mark.promise("P5")
@pytest.mark.attack("DE12")
def test_while_the_mirror_is_away_it_is_unreadable_and_not_called_done(
    embedded: World, tmp_path: Path
) -> None:
    mirror = with_mirror(embedded, tmp_path)
    service, secret, _, lease = embedded.lent()
    assert embedded.reveal(lease, secret) == LOGIN["password"]  # so that its key is in memory
    shutil.move(mirror, tmp_path / "away.db")
    mirror.mkdir()
    with pytest.raises(NotRecorded):
        embedded.end(service)
    assert state_of(embedded, service.id) == "ended"
    with pytest.raises(Ended):
        embedded.reveal(lease, secret)
    assert wrapped_seeds(embedded) == {}, "the seed is gone from the keyring"
    assert not embedded.vault.keys._services, "and from memory"
    with pytest.raises(NotFound):
        embedded.read(destruction.certificate, embedded.actor("coordinator"), service.id)
    with pytest.raises(NotRecorded):
        embedded.run(upkeep.sweep(embedded.vault))
    found = findings(embedded)
    assert found["destruction"] == "warning"
    assert found["mirror"] == "alarm"
    mirror.rmdir()
    shutil.copy(tmp_path / "away.db", mirror)  # what stood before: it still has the seed
    (tmp_path / "away.db").unlink()
    embedded.run(upkeep.sweep(embedded.vault))
    assert state_of(embedded, service.id) == "destroyed"
    with sqlite3.connect(mirror) as connection:
        assert connection.execute("SELECT key_id FROM seed").fetchall() == []
    connection.close()
    found = findings(embedded)
    assert found["destruction"] == "ok"
    assert found["mirror"] == "ok"


# -- what else was open ----------------------------------------------------------------------------------------------


@pytest.mark.promise("P4")
@pytest.mark.attack("DE05")
def test_everything_that_was_open_is_over_with_the_same_commit(world: World) -> None:
    service, secret, ticket, lease = world.lent()
    unused = world.ask(service, "ssh-key")
    browser, form = world.begin(world.ask(service, "ssh-key"))
    assert world.reveal(lease, secret) == LOGIN["password"]
    world.end(service)
    assert not world.vault.keys._services, "its key is not in memory any more"
    with pytest.raises(Ended):
        world.reveal(lease, secret)
    with pytest.raises(Ended):
        world.lease(ticket, secret)
    with pytest.raises((Ended, NotFound)):
        world.run(intake.begin(world.vault, NOBODY, Begin(code=unused.code or "", browser=browser)))
    with pytest.raises((Ended, NotFound)):
        world.run(intake.look(world.vault, NOBODY, Look(browser=browser)))
    with pytest.raises((Ended, NotFound)):
        world.hand_in(browser, world.sealed(form))
    states = world.sql("SELECT state, ended_how FROM lease")
    assert [tuple(row) for row in states] == [("ended", "service ended")]
    assert {row[0] for row in world.sql("SELECT state FROM ticket")} == {"closed"}
    assert {row[0] for row in world.sql("SELECT state FROM secret")} == {"purged"}


# -- the certificate -------------------------------------------------------------------------------------------------


@pytest.mark.attack("DE09", "DE08")
def test_a_certificate_verifies_offline_and_says_what_it_covers(world: World) -> None:
    service, secret, _, lease = world.lent()
    world.reveal(lease, secret)
    world.reveal(lease, secret, "username")
    key = world.sql("SELECT key_id FROM service WHERE id = :id", id=service.id)[0][0]
    view = world.end(service)
    vkey = world.vkey()
    body = json.loads(verify.open_note(view.note, vkey))  # with nothing but the one file
    assert body["service"] == service.id
    assert body["keys"] == [key]
    assert body["secrets"] == [{"kind": "ssh-password", "secret": secret, "version": 1}]
    assert [(one["person"], one["reveals"]) for one in body["seen"]] == [(world.member("technician").id, 2)]
    assert "SP 800-88" in body["method"]
    assert "keyring" in body["does not cover"]
    assert body["keyring"]["generation"] == world.vault.keyring.generation()
    checkpoint = verify.open_note(body["checkpoint"], vkey)
    assert verify.parse_checkpoint(checkpoint)[0] == world.vault.origin
    for value in LOGIN.values():
        if len(value) > 4:
            assert value not in view.note
    shown = world.read(destruction.certificate, world.actor("coordinator"), service.id)
    assert shown == view


@pytest.mark.attack("DE09")
def test_no_character_of_a_certificate_can_be_changed(embedded: World) -> None:
    service, _, _, _ = embedded.lent()
    note, vkey = embedded.end(service).note, embedded.vkey()
    text, mark, rest = note.partition("\n\n")
    for at in range(0, len(note), 7):
        other = "0" if note[at] != "0" else "1"
        edited = note[:at] + other + note[at + 1 :]
        with pytest.raises(verify.NotVerified):
            verify.open_note(edited, vkey)
    with pytest.raises(verify.NotVerified):
        verify.open_note(text.replace(service.id, "svc_" + "0" * 20) + mark + rest, vkey)
    name, number, _ = vkey.split("+", 2)
    with pytest.raises(verify.NotVerified):
        verify.open_note(note, f"{name}+{number}+" + "A" * 44)


@pytest.mark.attack("DE07", "AZ06")
def test_only_the_title_itself_ends_a_service_and_only_once(world: World) -> None:
    service, secret, _, lease = world.lent()
    other = world.service(title="Acme's new shop 2")
    for typed in ("", "acme's new shop", service.title + " ", other.title, service.id, "\ud800"):
        misread, clara = service.model_copy(update={"title": typed}), world.actor("coordinator")
        with pytest.raises(Invalid):
            world.run(ending_of(world, clara, misread, world.presence("coordinator")))
    for role in ("technician", "auditor", "administrator"):
        with pytest.raises(VaultError):
            world.run(ending_of(world, world.actor(role), service, world.presence(role)))
    with pytest.raises(NotSignedIn):
        world.run(destruction.end(world.vault, NOBODY, service.id, service.title, Presence(code="000000")))
    assert world.reveal(lease, secret) == LOGIN["password"]
    world.end(service)
    with pytest.raises(Conflict):
        world.end(service)
    assert state_of(world, other.id) == "open"
    assert world.ledger().count("service.destroy ok") == 1


@pytest.mark.attack("DE09", "AZ15")
def test_whoever_finishes_it_there_is_one_certificate(world: World) -> None:
    """The sweep may come by while somebody waits for the end; both must hold the certificate that is kept."""
    for turn in range(3):
        service = world.service(title=f"Shop {turn}")
        world.give(service)
        coordinator = world.actor("coordinator")
        codes = (world.presence("coordinator"), world.presence("coordinator"))
        ends = (ending_of(world, coordinator, service, code) for code in codes)
        first, second, *others = world.together(*ends, *(upkeep.sweep(world.vault) for _ in range(4)))
        mine, late = (second, first) if isinstance(first, VaultError) else (first, second)
        assert isinstance(late, Conflict | Denied), "ended already, or the later code was there first"
        assert others == [None] * 4
        assert mine == world.read(destruction.certificate, coordinator, service.id)
        assert json.loads(open_note(mine.note, world.vkey()))["service"] == service.id


def test_ending_while_sealed_says_so_and_changes_nothing(embedded: World) -> None:
    service, secret, _, lease = embedded.lent()
    coordinator = embedded.actor("coordinator")
    embedded.seal()
    with pytest.raises(VaultError, match="sealed"):
        embedded.run(ending_of(embedded, coordinator, service, embedded.presence("coordinator")))
    embedded.unseal()
    assert state_of(embedded, service.id) == "open"
    assert embedded.reveal(lease, secret) == LOGIN["password"]


@pytest.mark.promise("P4", "P5")
def test_a_service_whose_time_is_over_is_destroyed_without_being_asked(world: World) -> None:
    service, secret, _, lease = world.lent()
    world.clock.advance(days=31)
    world.run(upkeep.sweep(world.vault))
    assert state_of(world, service.id) == "destroyed"
    assert wrapped_seeds(world) == {}
    with pytest.raises(Ended):
        world.reveal(lease, secret)
    assert "service.overdue ok" in world.ledger()
