"""AZ24: whoever opens one service after another meets a second person, and others hear of it."""

from typing import Any

import pytest

from tests.approvals import BY_CUSTOMER, approved, put
from tests.operations.desks import REASON, leased, planned
from tests.refusals import refused
from tests.world import World
from vault.errors import Conflict, Denied
from vault.ledger.entry import decode
from vault.model.views import TicketView
from vault.operations import presence
from vault.operations.leases import approving, checkout
from vault.operations.people import staff
from vault.values import Actor, Reason

A_DAY = 2


@pytest.fixture
def house(world: World) -> World:
    """Two services a day, so that the tests need only three."""
    world.settings = world.settings.model_copy(update={"services_a_day": A_DAY})
    world.reopen()
    return world


def job(world: World, at: int) -> tuple[TicketView, str]:
    """One more service with its login and its ticket."""
    service = world.service(title=f"Shop number {at}")
    return world.ticket(service, number=f"T-{at}"), world.give(service)


def newest(world: World, entry_type: str) -> Any:
    ((body,),) = world.sql(
        "SELECT body FROM ledger_entry WHERE type = :type ORDER BY seq DESC LIMIT 1", type=entry_type
    )
    return decode(body.encode())


def heard(world: World) -> list[tuple[str]]:
    return world.sql("SELECT to_id FROM outbox WHERE template = 'staff.many-services' ORDER BY to_id")


@pytest.mark.promise("P2", "P8")
@pytest.mark.attack("AZ24")
def test_the_service_after_the_last_of_the_day_takes_a_yes_and_others_hear_of_it(house: World) -> None:
    jobs = [job(house, at) for at in range(A_DAY + 1)]
    for ticket, secret in jobs[:A_DAY]:
        assert house.lease(ticket, secret).state == "active"
        assert house.lease(ticket, secret).state == "active", "the same one again is no other"
    assert heard(house) == []
    ticket, secret = jobs[A_DAY]
    lease = house.lease(ticket, secret)
    assert (lease.state, lease.approver, lease.approver_why) == ("asked", "coordinator", "services a day")
    entry = newest(house, "lease.start")
    assert (entry.ids["why"], entry.ids["approver"]) == ("services a day", "coordinator")
    with refused(house, Conflict, "secret.reveal", match="waits for another person's yes"):
        house.reveal(lease, secret)
    told = sorted((house.member(who).id,) for who in ("coordinator", "auditor"))
    assert heard(house) == told
    house.lease(ticket, secret)
    assert heard(house) == told, "once a day"
    shown = house.read(approving.approval_view, house.actor("coordinator"), lease.id)
    assert shown.lease.approver_why == "services a day"
    assert len(shown.lately) == 2 * A_DAY, "and what they opened lately stands beside it"
    approved(house, lease)
    assert house.reveal(lease, secret)
    house.clock.advance(days=1)
    other, login = job(house, 9)
    assert house.lease(other, login).state == "active", "a day later it is another day"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ24")
def test_neither_a_plan_nor_handing_back_at_once_goes_around_it(house: World) -> None:
    jobs = [job(house, at) for at in range(A_DAY + 1)]
    for ticket, secret in jobs[:A_DAY]:
        lease = house.lease(ticket, secret)
        house.reveal(lease, secret)
        house.perform(checkout.check_in, house.actor("technician"), lease.id)
    ticket, secret = jobs[A_DAY]
    assert house.lease(ticket, secret).state == "asked"
    assert planned(house, ticket, secret, hours=23).state == "asked", "planned within the same day"
    assert planned(house, ticket, secret, hours=25).state == "planned"
    late, login = job(house, 9)
    soon = planned(house, late, login, hours=26)
    assert soon.state == "planned"
    one_more, last = job(house, 10)
    assert planned(house, one_more, last, hours=27).state == "asked", "two are planned for that day already"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ24")
def test_a_stricter_yes_stays_and_without_anybody_to_say_it_nothing_begins(house: World) -> None:
    jobs = [job(house, at) for at in range(A_DAY + 1)]
    for ticket, secret in jobs[:A_DAY]:
        house.lease(ticket, secret)
    ticket, secret = jobs[A_DAY]
    house.perform(staff.disable, Actor.host(), house.member("coordinator").id)
    asked = leased(house, ticket, secret)
    with refused(house, Denied, "lease.start", match="no other coordinator"):
        house.run(asked)
    house.actor(house.hire("Cora Clear", "coordinator", "cora@agency.example"))
    assert house.lease(ticket, secret).approver == "coordinator"
    put(house, BY_CUSTOMER)
    again = house.lease(ticket, secret)
    assert (again.approver, again.approver_why) == ("customer", "services a day")


@pytest.mark.attack("AZ24", "AZ16")
def test_of_several_begun_at_the_same_moment_no_more_begin_than_the_day_has(house: World) -> None:
    why, begun = Reason.parse(REASON), []
    for ticket, secret in [job(house, at) for at in range(A_DAY + 2)]:
        tom, given = house.actor("technician"), house.presence("technician")
        wish = checkout.Wish(ticket.id, (secret,), 30, why)
        proof = house.run(presence.prove(house.vault, tom, wish.deed(), given))
        begun.append(house.vault.perform(checkout._leased, tom, wish, proof))
    views = house.together(*begun)
    assert sorted(view.state for view in views) == ["active"] * A_DAY + ["asked"] * 2
