"""An assignment lasts until its end, and nothing that hangs on it lasts longer; several change at once, or none."""

from datetime import timedelta

import pytest

from tests.approvals import BY_COORDINATOR, put, yes
from tests.operations.glasses import leave
from tests.refusals import refused
from tests.world import LOGIN, World
from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, Tampered
from vault.model.views import TicketView
from vault.operations.house import upkeep
from vault.operations.leases import checkout
from vault.operations.services import handover, tickets
from vault.values import HOUR, MINUTE, Actor, new_id, to_datetime


def until(world: World, **span: float) -> int:
    """A moment from now."""
    return world.vault.now() + int(timedelta(**span) / timedelta(microseconds=1))


def on_it(world: World, ticket: TicketView) -> list[tuple[str, object]]:
    """Who is on a ticket as a coordinator sees it, and until when."""
    shown = world.read(tickets.ticket, world.actor("coordinator"), ticket.id)
    return [(one.name, one.until) for one in shown.assigned]


def begun(world: World, who: str = "technician") -> tuple[str, TicketView]:
    service = world.service()
    return world.give(service), world.ticket(service, who)


# -- one that ends ----------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07", "AZ14")
def test_after_its_end_nobody_is_on_the_ticket_whether_or_not_a_sweep_has_come_by(world: World) -> None:
    secret, ticket = begun(world)
    clara, tom = world.actor("coordinator"), world.member("technician")
    end = until(world, hours=1)
    world.perform(tickets.assign, clara, ticket.id, tom.id, end)
    lease = world.lease(ticket, secret, minutes=240)
    assert lease.expires_at == to_datetime(end), "no longer than its holder is on the ticket"
    assert on_it(world, ticket) == [("Tom Tanner", to_datetime(end))]
    assert world.reveal(lease, secret) == LOGIN["password"]
    world.clock.advance(microseconds=end - world.clock.wall() - 1)
    assert world.reveal(lease, secret) == LOGIN["password"], "not a moment earlier"
    world.clock.advance(microseconds=1)
    actor = Actor("person", tom.id, "api")
    with refused(world, NotFound, "secret.reveal"):
        world.perform(checkout.reveal, actor, lease.id, secret, "password")
    world.actor("technician")
    given = world.presence("technician")
    with refused(world, NotFound, "lease.start"):
        why = "install the shop as ordered"
        world.run(checkout.lease(world.vault, world.actor("technician"), ticket.id, [secret], 30, why, given))
    assert world.read(tickets.tickets, world.actor("technician")) == []
    with pytest.raises(NotFound):
        world.read(tickets.ticket, world.actor("technician"), ticket.id)
    assert on_it(world, ticket) == []
    since = world.size()
    world.run(upkeep.sweep(world.vault))
    world.run(upkeep.sweep(world.vault))
    assert [one for one in world.ledger(since) if one.startswith("ticket")] == ["ticket.unassign ok"]
    assert world.sql("SELECT state, ended_how FROM lease") == [("ended", "expiry")]


@pytest.mark.promise("P4")
def test_an_end_that_comes_nearer_takes_what_is_lent_along(world: World) -> None:
    """Also what only begins after it; an end that goes away again brings nothing back."""
    secret, ticket = begun(world)
    clara, tom = world.actor("coordinator"), world.member("technician")
    lease = world.lease(ticket, secret, minutes=60)
    later = to_datetime(until(world, hours=5))
    given, why = world.presence("technician"), "change the disk at night"
    actor = world.actor("technician")
    planned = world.run(checkout.lease(world.vault, actor, ticket.id, [secret], 30, why, given, later))
    end = until(world, minutes=30)
    world.perform(tickets.assign, clara, ticket.id, tom.id, end)
    shown = world.read(checkout.lease_view, world.actor("technician"), lease.id)
    assert (shown.state, shown.expires_at) == ("active", to_datetime(end))
    gone = world.read(checkout.lease_view, world.actor("technician"), planned.id)
    assert (gone.state, gone.ended_how) == ("ended", "unassigned")
    world.clock.advance(minutes=31)
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, tom.id)
    world.actor("technician")
    for one in (lease, planned):
        with refused(world, Ended, "secret.reveal"):
            world.reveal(one, secret)


@pytest.mark.promise("P4")
def test_what_ran_out_and_is_made_again_revives_nothing(world: World) -> None:
    """What waits for a yes is taken along as well: nobody says yes to what was asked from another assignment."""
    put(world, BY_COORDINATOR)
    secret, ticket = begun(world)
    tom = world.member("technician")
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, tom.id, until(world, hours=1))
    lease = world.lease(ticket, secret)
    assert lease.state == "asked"
    world.clock.advance(hours=2)
    with pytest.raises(Ended):
        world.run(yes(world, lease))
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, tom.id)
    with pytest.raises(Ended):
        world.run(yes(world, lease))
    assert world.sql("SELECT state FROM lease WHERE id = :id", id=lease.id) == [("ended",)]


def test_an_end_is_in_the_future_and_within_the_service(embedded: World) -> None:
    world = embedded
    _, ticket = begun(world)
    clara, tom = world.actor("coordinator"), world.member("technician")
    now, ends = world.vault.now(), int(ticket.service_ends_at.timestamp() * 10**6)
    for wrong in (0, now - HOUR, now, ends + MINUTE):
        with refused(world, Invalid, "ticket.assign", match="in the future and not after the service"):
            world.perform(tickets.assign, clara, ticket.id, tom.id, wrong)
    world.perform(tickets.assign, clara, ticket.id, tom.id, until(world, days=1))
    assert on_it(world, ticket)[0][1] is not None
    world.perform(tickets.assign, clara, ticket.id, tom.id)
    assert on_it(world, ticket) == [("Tom Tanner", None)], "without one, as long as the ticket is open"


@pytest.mark.promise("P2", "P6")
def test_an_end_that_was_moved_behind_the_vaults_back_is_none(embedded: World) -> None:
    world = embedded
    secret, ticket = begun(world)
    tom = world.member("technician")
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, tom.id, until(world, hours=1))
    lease = world.lease(ticket, secret)
    world.sql("UPDATE assignment SET ends_at = NULL")
    with refused(world, Tampered, "secret.reveal"):
        world.reveal(lease, secret)


# -- several at once --------------------------------------------------------------------------------------------------


def many(world: World, tickets_of: int = 3) -> list[str]:
    service = world.service()
    clara = world.actor("coordinator")
    made = [
        world.perform(tickets.open_ticket, clara, service.id, f"T-{at}", "Look at it")
        for at in range(tickets_of)
    ]
    return [one.id for one in made]


@pytest.mark.promise("P8")
def test_somebody_is_put_on_several_tickets_and_each_customer_sees_theirs(world: World) -> None:
    one, two = many(world, 2), many(world, 1)
    tom, end = world.member("technician"), until(world, days=2)
    clara, since = world.actor("coordinator"), world.size()
    assert world.run(handover.assign_all(world.vault, clara, [*one, *two, one[0]], tom.id, end)) == 3
    assert world.ledger(since) == ["ticket.assign ok"] * 3
    services = world.sql("SELECT service_id FROM ledger_entry WHERE seq >= :since", since=since)
    assert len({row[0] for row in services}) == 2
    rows = world.sql("SELECT assigned_by, ends_at, state FROM assignment")
    assert rows == [(clara.id, end, "active")] * 3
    assert len(world.read(tickets.tickets, world.actor("technician"))) == 3


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06", "AZ02")
def test_to_all_of_them_or_to_none(embedded: World) -> None:
    world = embedded
    found, tom = many(world), world.member("technician")
    clara = world.actor("coordinator")
    world.perform(tickets.close, clara, found[1])

    def bulk(who: Actor, ids: list[str], person: str, end: int | None = None) -> None:
        world.run(handover.assign_all(world.vault, who, ids, person, end))

    with refused(world, Conflict, "ticket.assign", match="closed"):
        bulk(clara, found, tom.id)
    with refused(world, NotFound, "ticket.assign"):
        bulk(clara, [found[0], new_id("tkt")], tom.id)
    with refused(world, Denied, "ticket.assign", match="nobody assigns themselves"):
        bulk(clara, found[::2], clara.id)
    with refused(world, Denied, "ticket.assign", match="only technicians"):
        bulk(clara, found[::2], world.member("auditor").id)
    with refused(world, Invalid, "ticket.assign"):
        bulk(clara, found[::2], tom.id, until(world, days=-1))
    technician = world.actor("technician")
    with refused(world, Denied, "ticket.assign", match="your role"):
        bulk(technician, found[::2], tom.id)
    for ids in ([], [new_id("tkt") for _ in range(51)]):
        with refused(world, Invalid, match="1 to 50"):
            bulk(clara, ids, tom.id)
    assert world.sql("SELECT id FROM assignment") == []


# -- handing over -----------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2", "P4", "P8")
@pytest.mark.attack("AZ07", "AZ14")
def test_who_hands_over_has_nothing_left_and_who_takes_over_has_every_open_ticket(world: World) -> None:
    service = world.service()
    secret = world.give(service)
    first, second = world.ticket(service), world.ticket(service, number="T-2")
    closed, elsewhere = world.ticket(service, number="T-3"), world.ticket(world.service(title="Another"))
    lease = world.lease(second, secret)
    kept = world.read(tickets.ticket, world.actor("technician"), elsewhere.id)
    clara, tom = world.actor("coordinator"), world.member("technician")
    world.perform(tickets.close, clara, closed.id)
    tim = world.hire("Tim Tyler", "technician")
    since, end = world.size(), until(world, days=3)
    assert world.perform(handover.hand_over, clara, service.id, tom.id, tim.id, end) == 2
    assert world.ledger(since) == ["ticket.hand-over ok"], "one deed, one entry"
    assert on_it(world, first) == on_it(world, second) == [("Tim Tyler", to_datetime(end))]
    assert on_it(world, elsewhere) == [("Tom Tanner", None)]
    assert kept.id == elsewhere.id
    world.actor("technician")
    with refused(world, NotFound, "secret.reveal"):
        world.reveal(lease, secret)
    assert world.sql("SELECT state, ended_how FROM lease") == [("ended", "unassigned")]
    theirs = world.lease(first, secret, who=tim)
    assert world.reveal(theirs, secret, who=tim) == LOGIN["password"]


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06")
def test_nobody_takes_over_by_their_own_hand_and_nothing_is_handed_to_who_opens_nothing(
    embedded: World,
) -> None:
    world = embedded
    service = world.service()
    world.ticket(service)
    tom, clara = world.member("technician"), world.actor("coordinator")
    tina = world.hire("Tina Tell", "technician coordinator")
    world.actor(tina)

    def over(who: Actor, leaves: str, takes: str, of: str = service.id) -> None:
        world.perform(handover.hand_over, who, of, leaves, takes)

    with refused(world, Denied, "ticket.hand-over", match="nobody assigns themselves"):
        over(world.actor(tina), tom.id, tina.id)
    with refused(world, Denied, "ticket.hand-over", match="only technicians"):
        over(clara, tom.id, world.member("administrator").id)
    with refused(world, Conflict, "ticket.hand-over", match="somebody else than who leaves"):
        over(clara, tom.id, tom.id)
    with refused(world, Conflict, "ticket.hand-over", match="on no open ticket"):
        over(clara, tina.id, tom.id)
    for leaves, takes in ((new_id("per"), tina.id), (tom.id, new_id("per"))):
        with refused(world, NotFound, "ticket.hand-over"):
            over(clara, leaves, takes)
    with refused(world, NotFound, "ticket.hand-over"):
        over(clara, tom.id, tina.id, new_id("svc"))
    technician = world.actor("technician")
    with refused(world, Denied, "ticket.hand-over", match="your role"):
        over(technician, tom.id, tina.id)
    over(clara, tom.id, tina.id)
    world.end(service)
    clara = world.actor("coordinator")
    with refused(world, Ended, "ticket.hand-over"):
        over(clara, tina.id, tom.id)


def test_who_has_left_the_company_still_hands_over(embedded: World) -> None:
    world = embedded
    service = world.service()
    ticket, tom = world.ticket(service), world.member("technician")
    tim = world.hire("Tim Tyler", "technician")
    leave(world, "technician")
    assert world.perform(handover.hand_over, world.actor("coordinator"), service.id, tom.id, tim.id) == 1
    assert on_it(world, ticket) == [("Tim Tyler", None)]
