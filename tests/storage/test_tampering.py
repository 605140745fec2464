"""Somebody with every right on the database changes rows behind the vault's back, while it runs or while it is stopped.

What decides is refused at use as Tampered and opens nothing; what is put back together with its index is found by the
full check; a whole older copy does not start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.storage.ground import away, findings
from tests.storage.scene import KEY, NOBODY, Scene, coordinator, technician
from tests.world import LOGIN, World
from vault.errors import Ended, Tampered, VaultError
from vault.model.messages import Begin
from vault.operations.customers import intake, requests
from vault.operations.house import destruction
from vault.operations.leases import checkout
from vault.operations.people import staff
from vault.operations.services import services, tickets
from vault.values import Actor

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
        "UPDATE lease SET person_id = (SELECT id FROM person WHERE roles = 'auditor')",
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
        "UPDATE factor SET step = step - 1",
        ["lease", "sign in"],
    ),
    "a technician's seed is another's": (
        "UPDATE factor SET sealed = (SELECT max(sealed) FROM factor WHERE kind = 'recovery') WHERE kind = 'totp'",
        ["sign in", "lease"],
    ),
    "a technician's password is another's": (
        "UPDATE person SET password_hash = 'none' WHERE roles = 'technician'",
        ["sign in", "reveal"],
    ),
    "a technician has agreed to more": (
        "UPDATE person SET agreed_version = agreed_version + 1 WHERE roles = 'technician'",
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
        "factor",
        lambda s: str(
            s.world.sql(
                "SELECT id FROM factor WHERE kind = 'totp' AND person_id = :tom",
                tom=s.world.member("technician").id,
            )[0][0]
        ),
        lambda s: s.world.sign_in("technician"),
        "lease",
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
    with world.vault.reader.connect() as connection:
        columns = list(connection.exec_driver_sql("SELECT * FROM row_head LIMIT 0").keys())
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
    world.sql("UPDATE person SET roles = 'technician' WHERE id = :id", id=auditor.id)
    world.sql("UPDATE assignment SET person_id = :id", id=auditor.id)
    world.sql("UPDATE lease SET person_id = :id", id=auditor.id)
    with pytest.raises(Tampered):
        world.perform(
            checkout.reveal,
            Actor("person", auditor.id, "api"),
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
