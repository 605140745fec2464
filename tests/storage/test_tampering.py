"""Somebody with every right on the database changes rows behind the vault's back, while it runs or while it is stopped.

What decides is refused at use as Tampered and opens nothing; what is put back together with its index is found by the
full check; a whole older copy does not start.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import _template
from tests.storage.ground import away, copied, findings, put_back, started, verified
from tests.world import LOGIN, World
from vault.errors import Ended, Tampered, VaultError
from vault.ledger import verify
from vault.model.messages import Begin
from vault.model.views import LeaseView, ServiceView, TicketView
from vault.operations import checkout, destruction, intake, requests, services, staff, tickets
from vault.values import Actor

KEY = {
    "host": "shop.example.com",
    "port": "22",
    "username": "deploy",
    "private_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IGEga2V5\n-----END OPENSSH PRIVATE KEY-----\n",
}
NOBODY = Actor.nobody("198.51.100.9", "intake")


@dataclass
class Scene:
    """The middle of the story, told once for each attack."""

    world: World
    service: ServiceView
    secret: str
    ticket: TicketView
    lease: LeaseView

    def reveal(self) -> str:
        return self.world.reveal(self.lease, self.secret)

    def row(self, table: str, row_id: str) -> dict[str, Any]:
        columns = self.world.vault.reader.connect().exec_driver_sql(f"SELECT * FROM {table} LIMIT 0").keys()
        found = self.world.sql(f"SELECT * FROM {table} WHERE id = :id", id=row_id)
        return dict(zip(columns, found[0], strict=True))

    def put(self, table: str, row: dict[str, Any], key: str = "id") -> None:
        """Put a whole row back as it was."""
        sets = ", ".join(f"{name} = :new_{name}" for name in row if name != key)
        values = {f"new_{name}": value for name, value in row.items()}
        self.world.sql(f"UPDATE {table} SET {sets} WHERE {key} = :new_{key}", **values)


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world, *world.lent())


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One scene for all attacks that are undone afterwards."""
    template = _template(request, request.getfixturevalue("templates"), "sqlite")
    with template.world(tmp_path_factory.mktemp("shared")) as world:
        service, secret, ticket, _ = world.lent()
        yield Scene(world, service, secret, ticket, world.lease(ticket, secret, minutes=240))


@pytest.fixture
def small(embedded: World) -> Scene:
    return Scene(embedded, *embedded.lent())


def coordinator(scene: Scene) -> Actor:
    return scene.world.actor("coordinator")


def technician(scene: Scene) -> Actor:
    return scene.world.actor("technician")


USES: dict[str, Callable[[Scene], Any]] = {
    "reveal": lambda scene: scene.reveal(),
    "check in": lambda scene: scene.world.perform(checkout.check_in, technician(scene), scene.lease.id),
    "report": lambda scene: scene.world.run(
        checkout.report_broken(
            scene.world.vault, technician(scene), scene.lease.id, scene.secret, "it does not let me in"
        )
    ),
    "lease": lambda scene: scene.world.lease(scene.ticket, scene.secret),
    "ask": lambda scene: scene.world.ask(scene.service, "ssh-key"),
    "end": lambda scene: scene.world.end(scene.service),
    "show service": lambda scene: scene.world.read(services.service, coordinator(scene), scene.service.id),
    "assign": lambda scene: scene.world.perform(
        tickets.assign, coordinator(scene), scene.ticket.id, scene.world.member("technician").id
    ),
    "people": lambda scene: scene.world.read(staff.agreement, technician(scene)),
    "sign in": lambda scene: scene.world.sign_in("technician"),
}
EDITS = {
    "a lease is prolonged": (
        "UPDATE lease SET expires_at = expires_at + 1",
        ["reveal", "check in", "report"],
    ),
    "a lease covers more": ("UPDATE lease SET covers = covers || ' ' || covers", ["reveal", "report"]),
    "a lease changes hands": (
        "UPDATE lease SET person_id = (SELECT id FROM person WHERE role = 'auditor')",
        ["check in"],
    ),
    "a lease's reason is bettered": ("UPDATE lease SET reason = 'a much better reason'", ["reveal"]),
    "a ticket is of another service": ("UPDATE ticket SET number = 'T-9'", ["reveal", "lease"]),
    "a service lasts longer": ("UPDATE service SET ends_at = ends_at + 1", ["reveal", "lease", "ask", "end"]),
    "a service has another key": ("UPDATE service SET statement = '{}'", ["reveal", "ask", "show service"]),
    "a service type allows more": (
        "UPDATE service_type SET body = replace(body, '240', '999')",
        ["lease", "ask"],
    ),
    "a secret is of another kind": ("UPDATE secret SET kind = 'ssh-key'", ["reveal", "lease"]),
    "a secret is of an older version": ("UPDATE secret SET version = version - 1", ["reveal", "lease"]),
    "a secret has another envelope": ("UPDATE secret SET envelope = salt", ["reveal", "lease"]),
    "a secret's salt is another": ("UPDATE secret SET salt = envelope", ["reveal"]),
    "a technician's code step is lowered": (
        "UPDATE person SET factor_step = factor_step - 1 WHERE role = 'technician'",
        ["reveal", "lease", "sign in"],
    ),
    "a technician's seed is another's": (
        "UPDATE person SET factor = (SELECT factor FROM person WHERE role = 'auditor') WHERE role = 'technician'",
        ["sign in", "lease"],
    ),
    "a technician's password is another's": (
        "UPDATE person SET password_hash = 'none' WHERE role = 'technician'",
        ["sign in", "reveal"],
    ),
    "a technician has agreed to more": (
        "UPDATE person SET agreed_version = agreed_version + 1 WHERE role = 'technician'",
        ["reveal", "lease"],
    ),
    "a customer has another address": ("UPDATE customer SET mail = 'thief@evil.example'", ["show service"]),
    "an assignment is older": (
        "UPDATE assignment SET created_at = created_at - 1",
        ["reveal", "lease", "assign"],
    ),
}


@pytest.mark.promise("P6", "P9")
@pytest.mark.attack("CR03")
@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_row_is_refused_wherever_it_is_used(shared: Scene, edit: str) -> None:
    """One statement behind the vault's back, and every use of the row that it touched."""
    for role in ("technician", "coordinator"):
        shared.world.actor(role)
    statement, uses = EDITS[edit]
    table = statement.split()[1]
    keys = [row[0] for row in shared.world.sql(f"SELECT id FROM {table}")]
    rows = [shared.row(table, key) for key in keys]
    size = shared.world.size()
    shared.world.sql("DELETE FROM attempt")  # many codes are given in little time here
    shared.world.sql(statement)
    try:
        for use in uses:
            with pytest.raises(Tampered):
                USES[use](shared)
        assert "secret.reveal ok" not in shared.world.ledger(since=size)
        assert findings(shared.world)["rows"] == "alarm"
    finally:
        for row in rows:
            shared.put(table, row)
    assert shared.reveal() == LOGIN["password"], "put right again, it opens"


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
@pytest.mark.parametrize(
    "edit", ["a lease is prolonged", "a secret has another envelope", "a service lasts longer"]
)
def test_an_edited_row_is_refused_on_both_databases_and_after_a_restart(scene: Scene, edit: str) -> None:
    statement, _ = EDITS[edit]
    with away(scene.world):
        scene.world.sql(statement)
    for member in scene.world.staff.values():
        member.token = ""
    with pytest.raises(Tampered):
        scene.reveal()


@dataclass
class Past:
    """A row that was true once: how time goes on after it, where it lies, and what a thief of time would do with it."""

    table: str
    key: Callable[[Scene], str]
    goes_on: Callable[[Scene], Any]
    use: str
    meanwhile: type[VaultError] | None


def _report(scene: Scene) -> None:
    """The customer gives a new version."""
    world = scene.world
    view = USES["report"](scene)
    again = world.perform(requests.reissue, coordinator(scene), view.id, "hand")
    browser, form = world.begin(again)
    world.hand_in(browser, world.sealed(form, {**LOGIN, "password": "the new password"}))


PASTS = {
    "the former version of a secret": Past("secret", lambda s: s.secret, _report, "reveal", None),
    "a lease that was handed back": Past("lease", lambda s: s.lease.id, USES["check in"], "reveal", Ended),
    "an assignment that was taken away": Past(
        "assignment",
        lambda s: str(s.world.sql("SELECT id FROM assignment")[0][0]),
        lambda s: s.world.perform(
            tickets.unassign, coordinator(s), s.ticket.id, s.world.member("technician").id
        ),
        "lease",
        VaultError,
    ),
    "a ticket that was closed": Past(
        "ticket",
        lambda s: s.ticket.id,
        lambda s: s.world.perform(tickets.close, coordinator(s), s.ticket.id),
        "lease",
        VaultError,
    ),
    "a service that has ended": Past(
        "service", lambda s: s.service.id, lambda s: s.world.end(s.service), "lease", Ended
    ),
    "the used step of a code": Past(
        "person",
        lambda s: s.world.member("technician").id,
        lambda s: s.world.sign_in("technician"),
        "reveal",
        None,
    ),
    "a person who was disabled": Past(
        "person",
        lambda s: s.world.member("technician").id,
        lambda s: s.world.perform(
            staff.disable, s.world.actor("administrator"), s.world.member("technician").id
        ),
        "sign in",
        VaultError,
    ),
}


@pytest.mark.promise("P4", "P6")
@pytest.mark.attack("CR03", "AN17")
@pytest.mark.parametrize("past", PASTS)
def test_a_row_put_back_to_its_own_past_is_refused(small: Scene, past: str) -> None:
    """It was true once, to the byte, with its salt; its newest entry says something else."""
    put_back_and_use(small, past)


@pytest.mark.long
@pytest.mark.promise("P4", "P6")
@pytest.mark.attack("CR03", "AN17")
@pytest.mark.parametrize("past", PASTS)
def test_a_row_put_back_to_its_own_past_is_refused_on_both_databases(scene: Scene, past: str) -> None:
    put_back_and_use(scene, past)


def put_back_and_use(scene: Scene, past: str) -> None:
    what, world = PASTS[past], scene.world
    key = what.key(scene)
    actor_before = technician(scene)
    former = scene.row(what.table, key)
    what.goes_on(scene)
    if what.meanwhile is not None:
        with pytest.raises(what.meanwhile):
            USES[what.use](scene)
    scene.put(what.table, former)
    use = USES[what.use]
    if what.use == "reveal":  # by somebody who was signed in before
        use = lambda _: world.perform(  # noqa: E731
            checkout.reveal, actor_before, scene.lease.id, scene.secret, "password"
        )
    with pytest.raises(Tampered):
        use(scene)
    assert findings(world)["rows"] == "alarm"


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
@pytest.mark.parametrize("restart", [False, True], ids=["while it runs", "after a restart"])
def test_a_row_put_back_with_its_index_is_found_by_the_full_check(scene: Scene, restart: bool) -> None:
    """Whoever knows how rows are tied to entries puts back both: the running process remembers, the doctor finds it."""
    world = scene.world
    lease = scene.row("lease", scene.lease.id)
    name = f"lease:{scene.lease.id}"
    columns = [*world.vault.reader.connect().exec_driver_sql("SELECT * FROM row_head LIMIT 0").keys()]
    values = world.sql("SELECT * FROM row_head WHERE row_id = :name", name=name)[0]
    USES["check in"](scene)
    assert findings(world)["rows"] == "ok"
    scene.put("lease", lease)
    scene.put("row_head", dict(zip(columns, values, strict=True)), "row_id")
    if restart:
        with away(world):
            pass
    else:
        with pytest.raises(Tampered):
            scene.reveal()
    assert findings(world)["rows"] == "alarm"


@pytest.mark.promise("P9")
@pytest.mark.attack("CR01", "CR02")
def test_envelopes_exchanged_between_rows_open_nowhere(scene: Scene) -> None:
    """Between secrets of one service, of two services of a customer, and of two customers; singly and as whole sets."""
    world = scene.world
    own = world.give(scene.service, KEY, "ssh-key")
    near = world.service(owner_of(world, scene), "A second shop")
    far = world.service(world.customer("Globex", "it@globex.example"), "Globex's shop")
    others = [own, *(world.give(service) for service in (near, far))]
    lease = world.lease(scene.ticket, scene.secret, own)
    assert world.reveal(lease, own, "private_key") == KEY["private_key"]
    for columns in (["envelope"], ["envelope", "suite"], ["key_id"], ["envelope", "key_id", "version"]):
        for other in others:
            mine, theirs = scene.row("secret", scene.secret), scene.row("secret", other)
            if all(mine[name] == theirs[name] for name in columns):
                continue  # secrets of one service have one key
            scene.put("secret", mine | {name: theirs[name] for name in columns})
            scene.put("secret", theirs | {name: mine[name] for name in columns})
            with pytest.raises(Tampered):
                world.reveal(lease, scene.secret)
            if other == own:
                with pytest.raises(Tampered):
                    world.reveal(lease, own, "private_key")
            scene.put("secret", mine)
            scene.put("secret", theirs)
    assert world.reveal(lease, scene.secret) == LOGIN["password"], "put right again, it opens"


def owner_of(world: World, scene: Scene) -> Any:
    return world.read(services.service, world.actor("coordinator"), scene.service.id).customer


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03", "AZ06")
def test_a_role_given_in_the_database_gives_nothing(scene: Scene) -> None:
    """An auditor with rights on the database makes a technician of themselves, and puts themselves on the ticket."""
    world = scene.world
    auditor = world.member("auditor")
    world.actor("auditor")
    world.sql("UPDATE person SET role = 'technician' WHERE id = :id", id=auditor.id)
    world.sql("UPDATE assignment SET person_id = :id", id=auditor.id)
    world.sql("UPDATE lease SET person_id = :id", id=auditor.id)
    with pytest.raises(Tampered):
        world.perform(
            checkout.reveal,
            Actor("person", auditor.id, "api", "", "technician"),
            scene.lease.id,
            scene.secret,
            "password",
        )
    with pytest.raises(VaultError):
        world.lease(scene.ticket, scene.secret, who="auditor")


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
def test_a_request_made_open_again_opens_no_form(scene: Scene) -> None:
    world = scene.world
    asked = world.ask(scene.service, "ssh-key")
    world.perform(requests.cancel, coordinator(scene), asked.id)
    world.sql("UPDATE request SET state = 'asked' WHERE id = :id", id=asked.id)
    with pytest.raises(VaultError):
        world.run(
            intake.begin(
                world.vault,
                NOBODY,
                Begin(code=asked.code or "", browser=world.begin(world.ask(scene.service, "ssh-key"))[0]),
            )
        )
    with pytest.raises(Tampered):
        world.perform(requests.cancel, coordinator(scene), asked.id)


@pytest.mark.promise("P5", "P6")
@pytest.mark.attack("CR03")
def test_a_certificate_edited_in_the_database_is_not_shown(scene: Scene) -> None:
    scene.world.end(scene.service)
    scene.world.sql("UPDATE certificate SET note = replace(note, 'SP 800-88', 'SP 900-99')")
    with pytest.raises(Tampered):
        scene.world.read(destruction.certificate, coordinator(scene), scene.service.id)


# -- copies of whole databases ---------------------------------------------------------------------------------------


@pytest.mark.promise("P6")
@pytest.mark.attack("CR04")
def test_an_older_copy_of_the_whole_database_is_not_started(small: Scene, tmp_path: Path) -> None:
    with away(small.world):
        before = copied(small.world, tmp_path / "before", "vault.db")
    USES["check in"](small)
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
