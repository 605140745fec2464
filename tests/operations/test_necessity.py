"""Extraordinary kinds: the necessity is written down, a second person approves it, and only then it is asked for."""

from dataclasses import replace
from typing import Any

import pytest

from tests.logins import GOOD
from tests.operations.council import administrators
from tests.operations.necessities import (
    ADA,
    HOST,
    LINE,
    NECESSITY,
    WAITS,
    WITH_REGISTRAR,
    approve,
    is_approved,
    registrar,
)
from tests.refusals import everything, refused
from tests.world import CATALOGUE, World
from vault.errors import (
    Conflict,
    Denied,
    NotFound,
    NotSignedIn,
    ProofNeeded,
    Resting,
    StaleProof,
    Tampered,
    VaultError,
)
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.operations import presence
from vault.operations.customers import requests
from vault.operations.presence import Deed, Presence
from vault.operations.services import catalogue, necessity
from vault.policy.necessity import Line
from vault.storage.unit import Unit, operation
from vault.values import DAY, Actor

WAITING = "waits for an administrator's approval"


@pytest.fixture
def asking(world: World) -> World:
    """The company, whose catalogue asks for a registrar's login that nobody has approved."""
    assert WAITS in world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR))
    return world


def ask(world: World, service: str, *kinds: str) -> Any:
    return world.perform(requests.ask, world.actor("coordinator"), service, list(kinds), "hand")


def not_approved(
    world: World,
    line: Line,
    error: type[VaultError],
    *entries: str,
    match: str,
    by: str = ADA,
) -> None:
    """It is refused, with these entries, and changes nothing."""
    actor, given = world.actor(by), world.presence(by)
    with refused(world, error, *entries, match=match):
        world.run(necessity.approve(world.vault, actor, line, given))


@pytest.mark.promise("P7")
def test_an_extraordinary_kind_is_asked_for_only_after_a_second_person_has_approved_its_line(
    asking: World,
) -> None:
    world = asking
    service = world.service()
    line = registrar(world)
    assert (line.necessity, is_approved(world)) == (NECESSITY, False)
    coordinator = world.actor("coordinator")
    for kinds in (["registrar"], ["ssh-password", "registrar"]):
        with refused(world, Denied, "request.ask", match=WAITING):
            world.perform(requests.ask, coordinator, service.id, kinds, "hand")
    assert ask(world, service.id, "ssh-password").kinds == ("ssh-password",)
    since = world.size()
    assert [one.approved for one in approve(world).may_ask] == [True, False]
    assert world.ledger(since)[-2:] == ["presence.prove ok", "catalogue.approve ok"]
    assert is_approved(world)
    assert ask(world, service.id, "registrar").kinds == ("registrar",)
    (row,) = world.sql("SELECT type, kind, digest, approved_by FROM necessity")
    assert tuple(row) == ("installation", "registrar", line.digest, world.member(ADA).id)


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "edit",
    [
        ("The registrar hands", "Our registrar hands"),
        ("to move your domain", "to move all your domains"),
        ('title = "Installation of a shop"', 'title = "Installation of shops"'),
        ('kind = "registrar",', 'kind = "registrar", approval = "coordinator",'),
    ],
)
def test_a_word_changed_in_the_line_is_another_line_and_waits_again(
    asking: World, edit: tuple[str, str]
) -> None:
    world = asking
    service = world.service()
    approve(world)
    lines = world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR.replace(*edit)))
    assert lines[-1] == WAITS
    assert not is_approved(world)
    coordinator = world.actor("coordinator")
    with refused(world, Denied, "request.ask", match=WAITING):
        world.perform(requests.ask, coordinator, service.id, ["registrar"], "hand")
    approve(world)
    assert ask(world, service.id, "registrar").kinds == ("registrar",)
    assert world.sql("SELECT count(*) FROM necessity") == [(1,)], "the newest yes is the one that counts"


@pytest.mark.promise("P7")
def test_what_an_approval_does_not_cover_leaves_it_as_it_is(asking: World) -> None:
    world = asking
    approve(world)
    other = WITH_REGISTRAR.replace("= 240", "= 120").replace("grace_days = 5", "grace_days = 6")
    lines = world.run(catalogue.apply(world.vault, HOST, other))
    assert lines == [
        "service type installation: longest lease 120 minutes instead of 240",
        "service type installation: grace 6 days instead of 5",
    ]
    assert is_approved(world)
    white = WITH_REGISTRAR.replace("hands the domain", "hands   the\\n domain")
    world.run(catalogue.apply(world.vault, HOST, white))
    assert is_approved(world), "white space says nothing, and is folded before anybody reads it"


@pytest.mark.promise("P7")
@pytest.mark.attack("AZ06", "AZ11")
def test_nobody_approves_what_the_operator_has_written_since_they_read_it(asking: World) -> None:
    world = asking
    read = registrar(world)
    world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR.replace("only to who", "to whoever")))
    not_approved(world, read, Conflict, "catalogue.approve", match="changed meanwhile")
    now = registrar(world)
    for other in (
        replace(now, title="Another service"),
        replace(now, because=""),
        replace(now, necessity=now.necessity + " "),
        replace(now, necessity="\ud800"),
    ):
        not_approved(world, other, Conflict, "catalogue.approve", match="changed meanwhile")
    approve(world)
    not_approved(world, registrar(world), Conflict, "catalogue.approve", match="approved already")


@pytest.mark.promise("P2", "P7")
@pytest.mark.attack("AZ01", "AZ06", "AZ22")
def test_only_a_rested_administrator_approves(asking: World) -> None:
    world = asking
    line = registrar(world)
    for role in ("technician", "coordinator", "auditor"):
        not_approved(world, line, Denied, "catalogue.approve", match="your role does not do this", by=role)
    for nobody in (HOST, Actor.core(), Actor.nobody("192.0.2.7", "api")):
        with pytest.raises(NotSignedIn):
            world.run(necessity.approve(world.vault, nobody, line))
    (bea,) = administrators(world, "Bea")
    world.perform(_unrested, HOST, bea.id)
    not_approved(world, line, Resting, "catalogue.approve", match="changed within the last day", by=bea.id)
    world.clock.advance(days=1)
    approve(world, bea)
    assert is_approved(world)


@operation("staff.add")
def _unrested(unit: Unit, _actor: Actor, person_id: str) -> None:
    person = unit.find(Person, id=person_id)
    assert person is not None
    unit.change(person, rests_until=unit.now + DAY)


@pytest.mark.promise("P2", "P7")
def test_the_proof_is_for_this_line_and_once(asking: World) -> None:
    world = asking
    ada, line = world.actor(ADA), registrar(world)
    with pytest.raises(ProofNeeded) as needed:
        world.run(necessity.approve(world.vault, ada, line))
    assert needed.value.challenge["deed"] == (
        f"approve that “Installation of a shop” asks customers for “{KINDS['registrar'].title}”: {NECESSITY}"
    )
    for parts in (("installation", "registrar", "0" * 64), ("other", "registrar", line.digest)):
        deed = Deed("try it", ("catalogue.approve", *parts))
        proof = world.run(presence.prove(world.vault, ada, deed, world.presence(ADA)))
        with refused(world, StaleProof, "catalogue.approve"):
            world.perform(necessity._approved, ada, line, proof)
    with refused(world, Denied, "presence.prove", match="code is wrong"):
        given = Presence(code="000000")
        world.run(necessity.approve(world.vault, ada, line, given))
    assert not is_approved(world)


@pytest.mark.attack("AZ02")
def test_what_does_not_wait_for_a_second_person_cannot_be_approved(asking: World) -> None:
    world = asking
    line = registrar(world)
    for other, said in (
        (replace(line, kind="ssh-password"), "no such line"),
        (replace(line, kind="payment-provider"), "no such line"),
        (replace(line, kind="\0"), "no such line"),
        (replace(line, type="removal"), "no such service type"),
        (replace(line, type="\ud800"), "no such service type"),
        (replace(line, type="x" * 100_000), "no such service type"),
    ):
        not_approved(world, other, NotFound, "catalogue.approve", match=said)


@pytest.mark.promise("P6", "P7")
@pytest.mark.attack("CR03", "AZ06")
def test_an_approval_that_nobody_gave_is_no_approval(asking: World) -> None:
    """Made or bent behind the vault's back, it does not match the ledger."""
    world = asking
    service, line = world.service(), registrar(world)
    coordinator = world.actor("coordinator")
    forged = (
        "INSERT INTO necessity (id, type, kind, digest, state, approved_by, created_at, salt) "
        "VALUES (:id, 'installation', 'registrar', :digest, 'approved', :by, 0, :salt)"
    )
    world.sql(forged, id="nec_" + "0" * 20, digest=line.digest, by=world.member(ADA).id, salt=b"x" * 16)
    with refused(world, Tampered, "request.ask"):
        world.perform(requests.ask, coordinator, service.id, ["registrar"], "hand")
    world.sql("DELETE FROM necessity")
    approve(world)
    other = WITH_REGISTRAR.replace("only to who", "to whoever")
    world.run(catalogue.apply(world.vault, HOST, other))
    world.sql("UPDATE necessity SET digest = :digest", digest=_digest_of(other))
    coordinator = world.actor("coordinator")
    with refused(world, Tampered, "request.ask"):
        world.perform(requests.ask, coordinator, service.id, ["registrar"], "hand")


def _digest_of(toml: str) -> str:
    _, types = catalogue.parse(toml)
    (line,) = necessity.lines_of(types["installation"])
    return line.digest


@pytest.mark.promise("P7")
def test_a_catalogue_applied_while_the_vault_is_sealed_still_needs_its_second_person(world: World) -> None:
    service = world.service()
    world.seal()
    assert WAITS in world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR))
    world.unseal()
    coordinator = world.actor("coordinator")
    with refused(world, Denied, "request.ask", match=WAITING):
        world.perform(requests.ask, coordinator, service.id, ["registrar"], "hand")
    approve(world)
    assert ask(world, service.id, "registrar").kinds == ("registrar",)


@pytest.mark.promise("P7")
def test_a_type_that_needs_an_extraordinary_kind_asks_for_nothing_by_default_before_the_approval(
    world: World,
) -> None:
    needing = CATALOGUE.replace("needs = [", f"needs = [{LINE}, ")
    world.run(catalogue.apply(world.vault, HOST, needing))
    service = world.service()
    coordinator = world.actor("coordinator")
    with refused(world, Denied, "request.ask", match=WAITING):
        world.perform(requests.ask, coordinator, service.id, None, "hand")
    approve(world)
    asked = world.perform(requests.ask, world.actor("coordinator"), service.id, None, "hand")
    assert set(asked.kinds) == {"registrar", "ssh-password"}


@pytest.mark.promise("P7")
def test_a_running_service_of_a_retired_type_asks_only_for_what_was_approved(asking: World) -> None:
    world = asking
    approved, waiting = world.service(), world.service()
    approve(world)
    other = CATALOGUE.replace("[service-types.installation]", "[service-types.moving]")
    world.run(catalogue.apply(world.vault, HOST, other))
    assert ask(world, approved.id, "registrar").kinds == ("registrar",)
    world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR.replace("only to who", "to whoever")))
    before = everything(world)
    with pytest.raises(Denied, match=WAITING):
        ask(world, waiting.id, "registrar")
    assert everything(world) == before


@pytest.mark.promise("P7")
def test_a_dry_run_says_the_same_and_changes_nothing(asking: World) -> None:
    world = asking
    other = CATALOGUE.replace("= 90", "= 80").replace("I keep", "We keep") + (
        "[service-types.care]\ntitle = 'Care'\nlongest_lease_minutes = 60\nlongest_life_days = 30\n"
        f"needs = [{LINE}]\n"
    )
    before, since = everything(world), world.size()
    lines = world.run(catalogue.apply(world.vault, HOST, other, dry_run=True))
    assert everything(world) == before
    assert world.size() == since, "what changes nothing leaves no entry"
    assert lines == [
        "agreement: version 2 is in force; everybody has to accept it",
        "service type installation: longest life 80 days instead of 90",
        "service type installation: grace 0 days instead of 5",
        "service type installation: asks for no registrar any more",
        "service type care: new",
        "service type care: registrar waits for an administrator's approval",
    ]
    with pytest.raises(Denied, match="on the vault's host"):
        world.run(catalogue.apply(world.vault, world.actor(ADA), other, dry_run=True))
    assert world.run(catalogue.apply(world.vault, HOST, other)) == lines
    assert world.run(catalogue.apply(world.vault, HOST, other, dry_run=True)) == []


@pytest.mark.promise("P7")
def test_an_approval_that_was_taken_back_lets_nobody_be_asked_until_there_is_another(asking: World) -> None:
    world = asking
    approve(world)
    service, ada = world.service(), world.actor(ADA)
    secret = world.give(service, GOOD["registrar"], "registrar")
    since = world.size()
    world.perform(necessity.revoke, ada, "installation", "registrar")
    assert world.ledger(since) == ["catalogue.revoke ok"]
    assert not is_approved(world)
    with refused(world, Denied, "request.ask", match=WAITING):
        ask(world, service.id, "registrar")
    (kept,) = world.sql("SELECT state FROM secret WHERE id = :id", id=secret)
    assert kept.state == "checked", "what was given stays"
    with refused(world, Conflict, "catalogue.revoke", match="nobody has approved"):
        world.perform(necessity.revoke, ada, "installation", "registrar")
    approve(world)
    assert ask(world, world.service().id, "registrar").kinds == ("registrar",)


@pytest.mark.promise("P2", "P7")
def test_only_an_administrator_takes_an_approval_back_and_no_other_line_loses_its_own(asking: World) -> None:
    world, ada = asking, asking.actor(ADA)
    approve(world)
    for actor in map(world.actor, ("technician", "coordinator", "auditor")):
        with refused(world, Denied, "catalogue.revoke", match="your role does not do this"):
            world.perform(necessity.revoke, actor, "installation", "registrar")
    for of, kind in (("installation", "ssh-key"), ("moving", "registrar"), ("", "")):
        with refused(world, NotFound, "catalogue.revoke", match="no such"):
            world.perform(necessity.revoke, ada, of, kind)
    assert is_approved(world)


@pytest.mark.promise("P7")
def test_old_words_that_come_back_are_not_approved_once_that_was_taken_back(asking: World) -> None:
    world = asking
    approve(world)
    world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR.replace("only to who", "to whoever")))
    world.perform(necessity.revoke, world.actor(ADA), "installation", "registrar")
    world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR))
    assert not is_approved(world)
