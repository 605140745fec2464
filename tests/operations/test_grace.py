"""An end that came by itself can be undone for some days, in which nothing opens; one that somebody wanted cannot."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.operations.necessities import HOST, WITH_REGISTRAR
from tests.refusals import refused
from tests.world import CATALOGUE, LOGIN, World
from vault.errors import (
    ClockInDoubt,
    Conflict,
    Denied,
    Ended,
    Invalid,
    NotFound,
    StaleProof,
    Tampered,
    VaultError,
)
from vault.model.views import ServiceView
from vault.operations.customers import requests
from vault.operations.house import destruction, upkeep
from vault.operations.services import catalogue, services, tickets
from vault.values import Actor, new_id, to_datetime, to_moment

PROVED = "presence.prove ok"
OVER = "the time in which that could be undone is over"


@pytest.fixture
def graceful(world: World) -> World:
    """The company, with a type of service that has five days of grace."""
    world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR))
    return world


def in_days(world: World, days: float) -> datetime:
    return to_datetime(world.clock.wall()) + timedelta(days=days)


def prolong(world: World, service: ServiceView, ends_at: datetime, who: str = "coordinator") -> ServiceView:
    actor, given = world.actor(who), world.presence(who)
    return world.run(services.prolong(world.vault, actor, service.id, ends_at, given))


def not_prolonged(
    world: World,
    service: str,
    ends_at: datetime,
    error: type[VaultError],
    *entries: str,
    match: str,
    who: str = "coordinator",
) -> None:
    """It is refused, with these entries, and changes nothing."""
    actor, given = world.actor(who), world.presence(who)
    with refused(world, error, *entries, match=match):
        world.run(services.prolong(world.vault, actor, service, ends_at, given))


def pass_days(world: World, *spans: float) -> None:
    """Days go by, with the sweep at the end of each span, as if the vault had run all the time."""
    for days in spans:
        world.clock.advance(days=days)
        world.run(upkeep.sweep(world.vault))


def state_of(world: World, service: ServiceView) -> Any:
    return world.sql("SELECT state, destroy_at FROM service WHERE id = :id", id=service.id)[0]


@pytest.mark.promise("P4", "P5")
def test_an_end_that_came_by_itself_closes_everything_and_keeps_the_keys_for_its_grace(
    graceful: World,
) -> None:
    world = graceful
    service = world.service(days=3)
    secret = world.give(service)
    ticket = world.ticket(service)
    lease = world.lease(ticket, secret)
    pass_days(world, 3.1)
    ended = world.read(services.service, world.actor("coordinator"), service.id)
    assert (ended.state, ended.destroy_at) == ("ended", service.ends_at + timedelta(days=5))
    assert world.sql("SELECT state FROM ticket") == [("closed",)]
    assert world.vault.keyring.tombstones(service.id) == ()
    for closed in (
        lambda: world.reveal(lease, secret),
        lambda: world.lease(ticket, secret),
        lambda: world.ask(service),
        lambda: world.perform(
            tickets.open_ticket, world.actor("coordinator"), service.id, "T-2", "More work"
        ),
    ):
        with pytest.raises(Ended):
            closed()
    with refused(world, NotFound, match="no certificate yet"):
        world.read(destruction.certificate, world.actor("coordinator"), service.id)
    pass_days(world, 4.5)
    assert state_of(world, service)[0] == "ended"
    since = world.size()
    pass_days(world, 1)
    assert [line for line in world.ledger(since) if line.startswith("service.")] == [
        "service.lapse ok",
        "service.destroy ok",
    ]
    assert tuple(state_of(world, service)) == ("destroyed", None)
    assert len(world.vault.keyring.tombstones(service.id)) == 1
    assert world.read(destruction.certificate, world.actor("coordinator"), service.id).note


def test_within_the_grace_a_coordinator_brings_it_back_and_its_secrets_open_again(graceful: World) -> None:
    world = graceful
    service = world.service(days=3)
    secret = world.give(service)
    former = world.lease(world.ticket(service), secret)
    pass_days(world, 3.1, 4)
    since, later = world.size(), in_days(world, 20)
    view = prolong(world, service, later)
    assert [line for line in world.ledger(since) if line.startswith(("service", "presence"))] == [
        PROVED,
        "service.prolong ok",
    ]
    assert (view.state, view.ends_at, view.ended_at, view.destroy_at) == ("open", later, None, None)
    with pytest.raises(Ended):
        world.reveal(former, secret)
    lease = world.lease(world.ticket(service, number="T-2"), secret)
    assert world.reveal(lease, secret) == LOGIN["password"]
    pass_days(world, 5, 5, 5)
    assert state_of(world, service)[0] == "open"
    pass_days(world, 6)
    assert state_of(world, service)[0] == "ended"


def test_an_open_service_is_prolonged_to_a_later_end_within_its_longest_life(graceful: World) -> None:
    world = graceful
    service = world.service(days=30)
    view = prolong(world, service, in_days(world, 60))
    assert view.ends_at > service.ends_at
    for ends_at, said in (
        (in_days(world, 59), "no later than the end"),
        (view.ends_at, "no later than the end"),
        (in_days(world, -1), "within 90 days"),
        (in_days(world, 90.1), "within 90 days"),
    ):
        not_prolonged(world, service.id, ends_at, Invalid, "service.prolong", match=said)
    naive = datetime(2030, 1, 1)  # noqa: DTZ001 (that is the fault)
    not_prolonged(world, service.id, naive, Invalid, match="with its zone")
    longest = in_days(world, 90)
    assert prolong(world, service, longest).ends_at == longest


@pytest.mark.promise("P5")
@pytest.mark.attack("DE05")
def test_an_end_that_somebody_wanted_has_no_grace_and_no_way_back(graceful: World) -> None:
    world = graceful
    service = world.service()
    world.end(service)
    not_prolonged(world, service.id, in_days(world, 40), Ended, "service.prolong", match=OVER)
    lapsing = world.service(days=3)
    world.give(lapsing)
    pass_days(world, 3.1)
    assert state_of(world, lapsing)[0] == "ended"
    assert world.end(lapsing).note, "who ends it within its grace has it destroyed at once"
    assert tuple(state_of(world, lapsing)) == ("destroyed", None)
    not_prolonged(world, lapsing.id, in_days(world, 40), Ended, "service.prolong", match=OVER)


@pytest.mark.promise("P4", "P5")
@pytest.mark.attack("DE12")
def test_while_the_mirror_is_away_an_end_that_somebody_wanted_cannot_be_undone(graceful: World) -> None:
    """The keys are still there then, and nothing may bring them back into use."""
    world = graceful
    service = world.service()
    world.perform(
        destruction._intend,
        world.actor("coordinator"),
        service.id,
        service.title,
        proof_of_end(world, service),
    )
    assert tuple(state_of(world, service)) == ("ended", None)
    not_prolonged(world, service.id, in_days(world, 40), Ended, "service.prolong", match=OVER)


def proof_of_end(world: World, service: ServiceView) -> str:
    from vault.operations import presence

    deed = presence.Deed("end it", ("service.end", service.id))
    return world.run(
        presence.prove(world.vault, world.actor("coordinator"), deed, world.presence("coordinator"))
    )


@pytest.mark.promise("P5")
def test_no_key_goes_before_it_is_recorded_that_nothing_brings_the_service_back(graceful: World) -> None:
    world = graceful
    service = world.service(days=3)
    with refused(world, Conflict, match="can still be undone"):
        world.run(destruction.finish(world.vault, service.id))
    pass_days(world, 3.1)
    with refused(world, Conflict, match="can still be undone"):
        world.run(destruction.finish(world.vault, service.id))
    with refused(world, Conflict, "service.lapse", match="not at the end of its grace"):
        world.perform(destruction._lapsed, Actor.core(), service.id)
    assert world.vault.keyring.tombstones(service.id) == ()
    world.clock.advance(days=5)
    not_prolonged(world, service.id, in_days(world, 20), Ended, "service.prolong", match=OVER)


@pytest.mark.promise("P4")
@pytest.mark.parametrize("late", [8.1, 30])
def test_a_vault_that_was_sealed_over_the_grace_keeps_nothing_longer_for_that(
    graceful: World, late: float
) -> None:
    world = graceful
    service = world.service(days=3)
    for _ in range(int(late)):
        world.clock.advance(days=late / int(late))
        world.actor("coordinator")
    since = world.size()
    world.run(upkeep.sweep(world.vault))
    assert [line for line in world.ledger(since) if line.startswith("service.")] == [
        "service.overdue ok",
        "service.destroy ok",
    ]
    assert state_of(world, service)[0] == "destroyed"


def test_before_the_sweep_has_come_by_the_grace_counts_all_the_same(graceful: World) -> None:
    world = graceful
    service = world.service(days=3)
    secret = world.give(service)
    ticket = world.ticket(service)
    world.clock.advance(days=4)
    with pytest.raises(Ended):
        world.lease(ticket, secret)
    assert prolong(world, service, in_days(world, 10)).state == "open"
    world.clock.advance(days=5)
    world.clock.advance(days=5)
    world.actor("coordinator")
    world.clock.advance(days=5.1)
    not_prolonged(world, service.id, in_days(world, 10), Ended, "service.prolong", match=OVER)


def test_without_a_grace_the_end_is_the_end(world: World) -> None:
    service = world.service(days=3)
    world.clock.advance(days=3.1)
    not_prolonged(world, service.id, in_days(world, 10), Ended, "service.prolong", match=OVER)
    since = world.size()
    world.run(upkeep.sweep(world.vault))
    assert "service.destroy ok" in world.ledger(since)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01", "AZ02")
def test_only_coordinators_prolong_with_a_proof_for_this_service_and_this_end(graceful: World) -> None:
    world = graceful
    service, other = world.service(), world.service()
    later = in_days(world, 40)
    for role in ("technician", "auditor", "administrator"):
        not_prolonged(
            world, service.id, later, Denied, "service.prolong", match="your role does not do this", who=role
        )
    not_prolonged(world, new_id("svc"), later, NotFound, "service.prolong", match="no such thing")
    for bent in ("svc_x", "", "\0"):
        not_prolonged(world, bent, later, NotFound, match="no such thing")
    actor = world.actor("coordinator")
    proof = proof_for(world, service, later)
    for wrong in ((other.id, to_moment(later)), (service.id, to_moment(later) + 1)):
        with refused(world, StaleProof, "service.prolong"):
            world.perform(services._prolonged, actor, *wrong, proof)
    world.perform(services._prolonged, actor, service.id, to_moment(later), proof)
    with refused(world, StaleProof, "service.prolong"):
        world.perform(services._prolonged, actor, service.id, to_moment(later) + 1, proof)


def proof_for(world: World, service: ServiceView, end: datetime) -> str:
    from vault.operations import presence

    deed = presence.Deed("prolong it", ("service.prolong", service.id, to_moment(end)))
    return world.run(
        presence.prove(world.vault, world.actor("coordinator"), deed, world.presence("coordinator"))
    )


@pytest.mark.promise("P4")
def test_a_clock_in_doubt_brings_nothing_back_and_ends_no_grace(graceful: World) -> None:
    world = graceful
    service = world.service(days=3)
    pass_days(world, 3.1)
    actor, given = world.actor("coordinator"), world.presence("coordinator")
    world.clock.jump(days=30)
    with pytest.raises(ClockInDoubt):
        world.run(services.prolong(world.vault, actor, service.id, in_days(world, 40), given))
    world.run(upkeep.sweep(world.vault))
    assert state_of(world, service)[0] == "ended"


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
def test_a_grace_that_was_stretched_behind_the_vault_s_back_is_noticed(graceful: World) -> None:
    world = graceful
    service = world.service(days=3)
    pass_days(world, 3.1)
    world.sql("UPDATE service SET destroy_at = destroy_at + 1 WHERE id = :id", id=service.id)
    with pytest.raises(Tampered):
        prolong(world, service, in_days(world, 20))


@pytest.mark.promise("P5")
def test_whoever_bends_the_service_type_keeps_no_service_from_its_end(graceful: World) -> None:
    world = graceful
    service = world.service(days=3)
    change = "UPDATE service_type SET body = replace(body, :ours, :theirs)"
    world.sql(change, ours='"grace_days":5', theirs='"grace_days":30')
    pass_days(world, 3.1)
    assert state_of(world, service)[0] == "destroyed"


def test_a_shorter_grace_in_the_catalogue_leaves_the_promise_that_was_made(graceful: World) -> None:
    world = graceful
    service = world.service(days=3)
    pass_days(world, 3.1)
    world.run(catalogue.apply(world.vault, HOST, CATALOGUE))
    assert prolong(world, service, in_days(world, 20)).state == "open"


@pytest.mark.promise("P5")
def test_prolonging_and_destroying_at_once_have_one_winner(graceful: World) -> None:
    world = graceful
    service = world.service(days=3)
    world.give(service)
    pass_days(world, 3.1)
    actor, later = world.actor("coordinator"), in_days(world, 20)
    end = (destruction._intend, actor, service.id, service.title, proof_of_end(world, service))
    back = (services._prolonged, actor, service.id, to_moment(later), proof_for(world, service, later))
    ended, prolonged = world.together(*(world.vault.perform(*deed) for deed in (end, back)))
    assert ended is None
    assert isinstance(prolonged, Ended)
    world.run(destruction.end_overdue(world.vault))
    assert state_of(world, service)[0] == "destroyed"


def test_a_certificate_that_came_after_a_grace_says_when_the_service_really_ended(graceful: World) -> None:
    import json

    world = graceful
    service = world.service(days=3)
    pass_days(world, 3.1)
    ended = world.read(services.service, world.actor("coordinator"), service.id).ended_at
    pass_days(world, 6)
    note = world.read(destruction.certificate, world.actor("coordinator"), service.id).note
    assert ended
    assert json.loads(note.splitlines()[0])["ended"] == ended.isoformat()


def test_what_a_customer_was_asked_for_is_over_and_can_be_asked_for_again(graceful: World) -> None:
    world = graceful
    service = world.service(days=3)
    asked = world.ask(service)
    pass_days(world, 3.1)
    prolong(world, service, in_days(world, 20))
    with pytest.raises(NotFound):
        world.begin(asked)
    again = world.perform(requests.ask, world.actor("coordinator"), service.id, None, "hand")
    assert world.begin(again)[1].items
