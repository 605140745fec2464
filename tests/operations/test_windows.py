"""A lease that begins later: it opens nothing before, ends as every lease does, and takes its yes for that time."""

from datetime import timedelta

import pytest

from tests.approvals import BY_COORDINATOR, BY_CUSTOMER, approved, put
from tests.operations.desks import EXCLUSIVE, leased, longer, now, planned, two_of_them
from tests.operations.visiting import come
from tests.refusals import refused
from tests.world import CATALOGUE, LOGIN, World
from vault.errors import Conflict, Ended, Invalid, NotFound, Tampered
from vault.model.tables import Assignment, Lease
from vault.model.views import LeaseView
from vault.operations.customers import happened, mine
from vault.operations.house import upkeep
from vault.operations.leases import approving, checkout
from vault.operations.services import handover, tickets
from vault.storage.unit import Unit, operation
from vault.values import MINUTE, Actor, to_datetime, to_moment


def until(world: World, lease: LeaseView, short_of: int = 0) -> None:
    """Let time pass up to so many microseconds before a planned lease begins."""
    world.clock.advance(microseconds=to_moment(lease.starts_at) - world.clock.wall() - short_of)


@pytest.mark.promise("P2", "P4")
def test_a_planned_lease_opens_from_its_first_moment_to_its_last_and_not_before(world: World) -> None:
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    lease = planned(world, ticket, secret, hours=20)
    assert (lease.state, lease.begins_at) == ("planned", lease.starts_at)
    assert lease.expires_at - lease.starts_at == timedelta(minutes=30)
    with refused(world, Conflict, "secret.reveal", match="this lease begins on"):
        world.reveal(lease, secret)
    until(world, lease, short_of=45 * 1_000_000)
    tom = world.actor("technician")
    until(world, lease, short_of=1)
    with refused(world, Conflict, "secret.reveal", match="opens nothing before"):
        world.perform(checkout.reveal, tom, lease.id, secret, "password")
    world.clock.advance(microseconds=1)
    assert world.perform(checkout.reveal, tom, lease.id, secret, "password").expose() == LOGIN["password"]
    assert now(world, lease).state == "active"
    world.clock.advance(minutes=30)
    tom = world.actor("technician")
    with refused(world, Ended, "secret.reveal"):
        world.perform(checkout.reveal, tom, lease.id, secret, "password")
    world.run(upkeep.sweep(world.vault))
    assert (now(world, lease).state, now(world, lease).ended_how) == ("ended", "expiry")


@pytest.mark.promise("P4")
def test_a_window_lies_ahead_within_thirty_days_and_before_the_end_of_the_service(embedded: World) -> None:
    service = embedded.service(days=60)
    secret, ticket = embedded.give(service), embedded.ticket(service)
    short = embedded.service(title="Another shop", days=3)
    other, soon = embedded.give(short), embedded.ticket(short)
    for on, what, ahead, words in (
        (ticket, secret, timedelta(minutes=-1), "that time is over"),
        (ticket, secret, timedelta(days=30, minutes=5), "30 days ahead"),
        (soon, other, timedelta(days=3), "the service has ended"),
    ):
        asked = leased(embedded, on, what, begins_in=ahead)
        with refused(embedded, Invalid, "lease.start", match=words):
            embedded.run(asked)
    ends = embedded.run(leased(embedded, soon, other, begins_in=timedelta(days=2, hours=23, minutes=50)))
    assert ends.expires_at == short.ends_at, "and no window lasts longer than its service"


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07", "AZ14")
def test_a_planned_lease_is_handed_back_revoked_and_ends_with_its_ticket(world: World) -> None:
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    clara = world.actor("coordinator")
    back, taken, off, over = (planned(world, ticket, secret, hours=2) for _ in range(4))
    world.perform(checkout.check_in, world.actor("technician"), back.id)
    world.perform(checkout.revoke, clara, taken.id)
    tom = world.member("technician").id
    world.perform(tickets.unassign, clara, ticket.id, tom)
    world.perform(tickets.assign, clara, ticket.id, tom)
    late = planned(world, ticket, secret, hours=2)
    world.perform(tickets.close, clara, ticket.id)
    ended = [now(world, one, "coordinator").ended_how for one in (back, taken, off, over, late)]
    assert ended == ["check-in", "revocation", "unassigned", "unassigned", "ticket closed"]
    world.clock.advance(hours=2, minutes=1)
    actor = world.actor("technician")
    for lease in (back, taken, off, late):
        with refused(world, Ended, "secret.reveal"):
            world.perform(checkout.reveal, actor, lease.id, secret, "password")


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_a_yes_to_a_window_is_for_that_window(world: World) -> None:
    put(world, BY_COORDINATOR)
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    lease = planned(world, ticket, secret, days=3)
    assert (lease.state, lease.expires_at) == ("asked", lease.begins_at), (
        "a yes can come until it is to begin"
    )
    world.clock.advance(days=2)
    begun = approved(world, lease)
    assert (begun.state, begun.starts_at) == ("planned", lease.begins_at)
    assert begun.expires_at - begun.starts_at == timedelta(minutes=30)
    until(world, begun)
    assert world.reveal(begun, secret) == LOGIN["password"]
    late = planned(world, ticket, secret, hours=1)
    world.clock.advance(hours=3)
    begun = approved(world, late)
    assert begun.starts_at == to_datetime(world.clock.wall()), (
        "a yes that comes later than its window lets it begin"
    )
    assert begun.expires_at - begun.starts_at == timedelta(minutes=30)
    moved = planned(world, ticket, secret, hours=1)
    world.sql("UPDATE lease SET begins_at = begins_at + 1 WHERE id = :id", id=moved.id)
    digest, given = moved.digest, world.presence("coordinator")
    with pytest.raises(Tampered):
        world.run(approving.approve(world.vault, world.actor("coordinator"), moved.id, digest, given))


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
@pytest.mark.parametrize("later", [BY_COORDINATOR, BY_CUSTOMER], ids=["a coordinator's", "the customer's"])
def test_what_was_planned_without_a_yes_opens_nothing_when_it_takes_one_by_then(
    world: World, later: str
) -> None:
    service = world.service(days=60)
    secret, ticket = world.give(service), world.ticket(service)
    lease = planned(world, ticket, secret, days=20)
    put(world, later)
    until(world, lease)
    tom = world.actor("technician")
    with refused(world, Conflict, "secret.reveal", match="since this was checked out"):
        world.perform(checkout.reveal, tom, lease.id, secret, "password")
    put(world, CATALOGUE)
    assert world.perform(checkout.reveal, tom, lease.id, secret, "password").expose() == LOGIN["password"]


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_of_two_plans_for_what_became_exclusive_meanwhile_the_first_counts(world: World) -> None:
    tina, _, secret, ticket = two_of_them(world)
    world.clock.advance(days=1)
    first = planned(world, ticket, secret, days=5)
    second = planned(world, ticket, secret, who=tina, days=5)
    put(world, EXCLUSIVE)
    until(world, second)
    tom, other = world.actor("technician"), world.actor(tina)
    with refused(world, Conflict, "secret.reveal", match="and Tom Tanner has it until"):
        world.perform(checkout.reveal, other, second.id, secret, "password")
    assert world.perform(checkout.reveal, tom, first.id, secret, "password").expose() == LOGIN["password"]
    world.perform(checkout.check_in, tom, first.id)
    assert world.perform(checkout.reveal, other, second.id, secret, "password").expose() == LOGIN["password"]


@pytest.mark.promise("P2")
def test_a_plan_that_opens_nothing_any_more_keeps_its_login_from_nobody(embedded: World) -> None:
    world = embedded
    put(world, EXCLUSIVE)
    tina, service, secret, ticket = two_of_them(world)
    tom, clara = world.member("technician").id, world.actor("coordinator")
    soon = world.clock.wall() + 60 * MINUTE

    def free() -> None:
        theirs = planned(world, ticket, secret, who=tina, hours=2)
        world.perform(checkout.check_in, world.actor(tina), theirs.id)

    for ends in (
        lambda: world.perform(tickets.unassign, clara, ticket.id, tom),
        lambda: world.perform(tickets.assign, clara, ticket.id, tom, soon),
        lambda: world.perform(handover.hand_over, clara, service.id, tom, tina.id),
    ):
        planned(world, ticket, secret, hours=2)
        with pytest.raises(Conflict, match="and Tom Tanner has it from"):
            free()
        ends()
        free()
        world.perform(tickets.unassign, clara, ticket.id, tina.id)
        world.perform(tickets.assign, clara, ticket.id, tina.id)
        world.perform(tickets.assign, clara, ticket.id, tom)
    lease = planned(world, ticket, secret, hours=2)
    put(world, BY_COORDINATOR.replace("longest_life_days = 90", "longest_life_days = 90\nexclusive = true"))
    until(world, lease)
    world.clock.advance(minutes=1)
    taken = approved(world, world.lease(ticket, secret, who=tina))
    assert taken.state == "active", "Tom's plan takes a yes by now, and has none"
    put(world, EXCLUSIVE)
    actor = world.actor("technician")
    with refused(world, Conflict, "secret.reveal", match="and Tina Torres has it until"):
        world.perform(checkout.reveal, actor, lease.id, secret, "password")
    assert world.reveal(taken, secret, who=tina) == LOGIN["password"]


@pytest.mark.promise("P8")
def test_the_customer_sees_what_is_planned_and_for_when(embedded: World) -> None:
    service = embedded.service()
    secret, ticket = embedded.give(service), embedded.ticket(service)
    lease = planned(embedded, ticket, secret, hours=20)
    visitor = come(embedded, service.customer.id)
    (lent,) = embedded.read(mine.service, visitor.actor, service.id).lent
    assert (lent.planned, lent.since, lent.until) == (True, lease.starts_at, lease.expires_at)
    newest = embedded.read(happened.happened, visitor.actor, service.id).happened[0]
    assert (newest.type, newest.begins_at) == ("lease.start", lease.starts_at)


# -- an assignment with an end ----------------------------------------------------------------------------------------


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07", "AZ22")
def test_an_assignment_ends_at_use_and_takes_its_leases_with_it(world: World) -> None:
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    clara, tom = world.actor("coordinator"), world.member("technician").id
    until = world.clock.wall() + 60 * MINUTE
    world.perform(tickets.assign, clara, ticket.id, tom, until)
    lease = world.lease(ticket, secret, minutes=120)
    assert to_moment(lease.expires_at) == until, "nothing lasts longer than what puts them on the ticket"
    beyond = leased(world, ticket, secret, begins_in=timedelta(hours=2))
    with refused(world, Invalid, "lease.start", match="not on this ticket"):
        world.run(beyond)
    world.perform(_lasting, Actor.core(), lease.id, until + 60 * MINUTE)
    world.clock.advance(minutes=50)
    actor, asking = world.actor("technician"), leased(world, ticket, secret)
    world.clock.advance(microseconds=until - world.clock.wall() - 1)
    assert world.perform(checkout.reveal, actor, lease.id, secret, "password").expose()
    world.clock.advance(microseconds=1)
    with refused(world, NotFound, "secret.reveal"):
        world.perform(checkout.reveal, actor, lease.id, secret, "password")
    with pytest.raises(NotFound):
        world.read(tickets.ticket, actor, ticket.id)
    with pytest.raises(NotFound):
        world.run(asking)
    clara = world.actor("coordinator")
    assert world.read(tickets.ticket, clara, ticket.id).assigned == ()
    world.run(upkeep.sweep(world.vault))
    assert now(world, lease, "coordinator").ended_how == "unassigned"
    assert world.ledger().count("ticket.unassign ok") == 1


@pytest.mark.promise("P2")
def test_whoever_put_themselves_on_a_ticket_elsewhere_takes_a_coordinators_yes_for_each_lease(
    world: World,
) -> None:
    _, secret, ticket, first = world.lent()
    (row,) = world.sql("SELECT id FROM assignment WHERE ticket_id = :id", id=ticket.id)
    world.perform(_alone, Actor.core(), row[0])
    assert world.reveal(first, secret), "what had begun before goes on"
    lease = world.lease(ticket, secret)
    assert (lease.state, lease.approver, lease.approver_why) == ("asked", "coordinator", "alone")
    with refused(world, Conflict, "secret.reveal", match="waits for another person's yes"):
        world.reveal(lease, secret)
    assert approved(world, lease).state == "active"
    assert world.reveal(lease, secret) == LOGIN["password"]
    with pytest.raises(Conflict, match="by now this takes another person's yes"):
        world.run(longer(world, first, 5))


@operation("ticket.assign")
def _alone(unit: Unit, _actor: Actor, assignment_id: str) -> None:
    """As if a helpdesk said that they had put themselves on it."""
    found = unit.find(Assignment, id=assignment_id)
    assert found is not None
    unit.change(found, alone=True)


@operation("lease.extend")
def _lasting(unit: Unit, _actor: Actor, lease_id: str, until: int) -> None:
    """As if a lease said that it lasts longer than what puts its holder on the ticket."""
    found = unit.find(Lease, id=lease_id)
    assert found is not None
    unit.change(found, expires_at=until)
