"""Somebody with every right on the database bends the ledger itself, or puts back an older copy of a whole database."""

from pathlib import Path

import pytest

from tests.storage.ground import away, copied, findings, put_back, started, verified
from tests.storage.scene import KEY, Scene, coordinator, technician
from tests.world import LOGIN, World
from vault.errors import Tampered
from vault.ledger import verify
from vault.model.views import ServiceView
from vault.operations.leases import checkout
from vault.operations.services import tickets


@pytest.mark.promise("P6")
@pytest.mark.attack("CR04")
def test_an_older_copy_of_the_whole_database_is_not_started(small: Scene, tmp_path: Path) -> None:
    with away(small.world):
        before = copied(small.world, tmp_path / "before", "vault.db")
    small.world.perform(checkout.check_in, technician(small), small.lease.id)
    with away(small.world):
        today = copied(small.world, tmp_path / "today", "vault.db")
        put_back(small.world, before, "vault.db")
        assert started(small.world).startswith("Tampered: the vault is older than the keyring")
        put_back(small.world, today, "vault.db")
        assert started(small.world) == "started"


@pytest.mark.attack("CR04")
def test_an_older_keyring_is_not_started_with_todays_database(small: Scene, tmp_path: Path) -> None:
    with away(small.world):
        before = copied(small.world, tmp_path / "before", "keyring.db")
    small.world.service(title="A newer one")
    with away(small.world):
        today = copied(small.world, tmp_path / "today", "keyring.db")
        put_back(small.world, before, "keyring.db")
        assert started(small.world).startswith("Tampered: the keyring is older than the vault")
        put_back(small.world, today, "keyring.db")


@pytest.mark.promise("P6")
@pytest.mark.attack("CR04", "AU01")
def test_another_history_of_the_same_length_is_not_started(small: Scene, tmp_path: Path) -> None:
    """A fork: the older copy was led on by itself, beyond what the keyring's checkpoint covers."""
    world = small.world
    with away(world):
        before = copied(world, tmp_path / "before", "vault.db", "keyring.db")
    for number in range(3):
        world.perform(tickets.open_ticket, coordinator(small), small.service.id, f"T-{number}", "Work")
    with away(world):
        today = copied(world, tmp_path / "today", "vault.db", "keyring.db")
        put_back(world, before, "vault.db", "keyring.db")
    for number in range(9):
        world.perform(tickets.open_ticket, coordinator(small), small.service.id, f"T-1{number}", "Work")
    with away(world):
        put_back(world, today, "keyring.db")
        assert started(world).startswith("Tampered: the ledger is not the one")
        put_back(world, today, "vault.db")
        assert started(world) == "started"


# -- the ledger's own rows -------------------------------------------------------------------------------------------

LAST = "(SELECT max(seq) FROM ledger_entry)"
TAIL_EDITS = {
    "the last one is gone": f"DELETE FROM ledger_entry WHERE seq = {LAST}",
    "an entry before it is gone": f"DELETE FROM ledger_entry WHERE seq = {LAST} - 1",
    "an entry says something else": f"UPDATE ledger_entry SET body = replace(body, 'ok', 'ko') WHERE seq = {LAST} - 1",
    "a leaf is another": f"UPDATE ledger_entry SET leaf = zeroblob(32) WHERE seq = {LAST}",
    "the head was set back": "UPDATE ledger_head SET size = size - 1",
    "the head was set forward": "UPDATE ledger_head SET size = size + 1",
    "the head's tree is another": "UPDATE ledger_head SET frontier = zeroblob(length(frontier))",
}


@pytest.mark.promise("P6")
@pytest.mark.attack("AU01")
@pytest.mark.parametrize("edit", TAIL_EDITS)
def test_the_signer_signs_nothing_that_was_edited(shared: Scene, edit: str) -> None:
    world = shared.world
    kept = world.run(world.vault.checkpoint())
    assert kept.size == world.size()
    for number in range(4):
        world.perform(tickets.open_ticket, coordinator(shared), shared.service.id, f"T-{number}", "Work")
    whole = [tuple(row) for row in world.sql("SELECT seq, body, leaf FROM ledger_entry ORDER BY seq")]
    head = tuple(world.sql("SELECT size, frontier FROM ledger_head")[0])
    world.sql(TAIL_EDITS[edit])
    with pytest.raises(Tampered):
        world.run(world.vault.checkpoint())
    assert world.vault.keyring.checkpoint() == kept, "nothing new was signed"
    assert findings(world)["ledger"] == "alarm"
    world.sql("DELETE FROM ledger_entry WHERE seq >= :first", first=kept.size)
    for seq, body, leaf in whole[kept.size :]:
        world.sql(
            "INSERT INTO ledger_entry (seq, time, type, actor, body, leaf) VALUES (:seq, 0, '', '', :body, :leaf)",
            seq=seq,
            body=body,
            leaf=bytes(leaf),
        )
    world.sql(
        "UPDATE ledger_head SET size = :size, frontier = :frontier", size=head[0], frontier=bytes(head[1])
    )
    assert world.run(world.vault.checkpoint()).size == world.size(), "put right, it is signed"


@pytest.mark.promise("P6")
@pytest.mark.attack("AU01")
def test_an_entry_rewritten_with_its_leaf_is_not_signed(shared: Scene) -> None:
    """Between two checkpoints, in the second when nothing is signed yet, body and leaf are exchanged together."""
    world = shared.world
    kept = world.run(world.vault.checkpoint())
    for number in range(4):
        world.perform(tickets.open_ticket, coordinator(shared), shared.service.id, f"T-{number}", "Work")
    seq = world.size() - 2
    body = str(world.sql("SELECT body FROM ledger_entry WHERE seq = :seq", seq=seq)[0][0])
    forged = body.replace('"outcome":"ok"', '"outcome":"no"')
    assert forged != body
    world.sql(
        "UPDATE ledger_entry SET body = :body, leaf = :leaf WHERE seq = :seq",
        body=forged,
        leaf=verify.leaf_hash(forged.encode()),
        seq=seq,
    )
    with pytest.raises(Tampered):
        world.run(world.vault.checkpoint())
    assert world.vault.keyring.checkpoint() == kept
    honest = verify.leaf_hash(body.encode())
    world.sql(
        "UPDATE ledger_entry SET body = :body, leaf = :leaf WHERE seq = :seq", body=body, leaf=honest, seq=seq
    )


SIGNED_EDITS = {
    "the tail is cut": [
        "DELETE FROM ledger_entry WHERE seq >= {size} - 3",
        "UPDATE ledger_head SET size = {size} - 3",
    ],
    "a leaf is another": [
        "UPDATE ledger_entry SET leaf = (SELECT leaf FROM ledger_entry WHERE seq = 0) WHERE seq = 5"
    ],
    "two entries changed places": [
        "UPDATE ledger_entry SET seq = -1 WHERE seq = 7",
        "UPDATE ledger_entry SET seq = 7 WHERE seq = 8",
        "UPDATE ledger_entry SET seq = 8 WHERE seq = -1",
    ],
    "an entry is gone": ["DELETE FROM ledger_entry WHERE seq = 6"],
    "everything is gone": ["DELETE FROM ledger_entry", "UPDATE ledger_head SET size = 0, frontier = x''"],
    "the head is gone": ["DELETE FROM ledger_head"],
}


@pytest.mark.promise("P6")
@pytest.mark.attack("AU01")
def test_a_ledger_edited_while_it_was_stopped_is_not_started(small: Scene, tmp_path: Path) -> None:
    world = small.world
    with away(world):
        good = copied(world, tmp_path / "good", "vault.db")
        size = world.size()
        for edit, statements in SIGNED_EDITS.items():
            for statement in statements:
                world.sql(statement.format(size=size))
            assert started(world).startswith("Tampered: "), edit
            put_back(world, good, "vault.db")
        assert started(world) == "started"


@pytest.mark.promise("P6")
@pytest.mark.attack("AU01")
def test_a_signed_entry_whose_text_was_edited_is_found_by_the_full_check_and_offline(
    small: Scene, tmp_path: Path
) -> None:
    """Its leaf still fits the tree, so only who reads every entry again finds it: the doctor, and the verifier."""
    world = small.world
    world.run(world.vault.checkpoint())
    assert findings(world)["rows"] == "ok"
    number = world.ledger().index("lease.start ok")
    body = str(world.sql("SELECT body FROM ledger_entry WHERE seq = :seq", seq=number)[0][0])
    world.sql(
        "UPDATE ledger_entry SET body = :body WHERE seq = :seq",
        body=body.replace('"channel":"api"', '"channel":"cli"'),
        seq=number,
    )
    assert "alarm" in {level for subject, level in findings(world).items() if subject in {"ledger", "rows"}}
    with pytest.raises(verify.NotVerified) as refusal:
        verified(world, tmp_path)
    assert str(number) in str(refusal.value)


@pytest.mark.promise("P6")
@pytest.mark.attack("AU01")
@pytest.mark.parametrize("bent", ["type = 'x'", "actor = 'x'", "time = 0", "service_id = NULL"])
def test_an_entry_that_is_not_found_any_more_by_what_it_says_is_found_by_the_full_check(
    small: Scene, bent: str
) -> None:
    """No leaf covers the columns by which entries are looked up: exposure and reviews would miss what they hide."""
    world = small.world
    world.run(world.vault.checkpoint())
    assert findings(world)["rows"] == "ok"
    number = world.ledger().index("lease.start ok")
    world.sql(f"UPDATE ledger_entry SET {bent} WHERE seq = :seq", seq=number)
    assert findings(world)["rows"] == "alarm"


# -- the tail that is written while the vault is sealed --------------------------------------------------------------


def sealed_tail(world: World, service: ServiceView) -> str:
    """A submission that comes in while the vault is sealed; returns its secret."""
    request = world.ask(service, "ssh-key")
    browser, form = world.begin(request)
    give = world.sealed(form, KEY)
    world.seal()
    world.hand_in(browser, give)
    return str(form.items[0].secret)


@pytest.mark.promise("P6")
@pytest.mark.attack("AU01", "CR03")
@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE secret SET kind = 'ssh-password' WHERE id = :id",
        "UPDATE secret SET envelope = salt WHERE id = :id",
        "UPDATE row_head SET digest = zeroblob(32) WHERE row_id = 'secret:' || :id",
        "DELETE FROM row_head WHERE row_id = 'secret:' || :id",
        f"DELETE FROM ledger_entry WHERE seq = {LAST} AND :id = :id",
        f"UPDATE ledger_entry SET body = replace(body, 'client', 'server') WHERE seq > {LAST} - 2 AND :id = :id",
    ],
)
def test_the_unsigned_tail_is_checked_before_it_is_signed(small: Scene, edit: str) -> None:
    world = small.world
    secret = sealed_tail(world, small.service)
    kept = world.vault.keyring.checkpoint()
    tables = {
        name: [tuple(row) for row in world.sql(f"SELECT * FROM {name}")]
        for name in ("secret", "row_head", "ledger_entry")
    }
    world.sql(edit, id=secret)
    changed = [
        name
        for name, rows in tables.items()
        if [tuple(r) for r in world.sql(f"SELECT * FROM {name}")] != rows
    ]
    assert changed, "the attack did something"
    with pytest.raises(Tampered):
        world.unseal()
    assert world.vault.is_sealed
    assert world.vault.keyring.checkpoint() == kept


@pytest.mark.promise("P3", "P6")
def test_an_honest_tail_is_signed_at_unseal_and_its_rows_are_used(scene: Scene, tmp_path: Path) -> None:
    world = scene.world
    secret = sealed_tail(world, scene.service)
    world.unseal()
    assert verified(world, tmp_path).size == world.size()
    states = world.sql("SELECT state FROM secret WHERE id = :id", id=secret)
    assert states[0][0] in {"checked", "refused"}, "the core has looked at it"
    assert scene.reveal() == LOGIN["password"]
    assert findings(world)["rows"] == "ok"
