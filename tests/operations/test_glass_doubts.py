"""Breaking the glass where something looks wrong: a yes that is asked for because of who asks is never replaced."""

import pytest

from tests.approvals import NO, put
from tests.operations.glasses import (
    MINUTES,
    WHY,
    breakable,
    broken,
    reviewed,
    shown,
    stays_whole,
)
from tests.operations.necessities import HOST
from tests.world import CATALOGUE, World
from vault.errors import Denied
from vault.operations import presence
from vault.operations.leases import approving, glass
from vault.values import Actor, Reason


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11", "AZ24")
def test_a_yes_that_suspicion_asks_for_is_never_replaced(embedded: World) -> None:
    """Who is on a ticket by their own hand, or has opened too many services today, waits for a coordinator."""
    world = embedded
    world.settings = world.settings.model_copy(update={"services_a_day": 1})
    world.reopen()
    put(world, breakable())
    one, two = world.service(), world.service(world.customer("Globex", "it@globex.example"), "Another shop")
    secrets = world.give(one), world.give(two)
    first = world.lease(world.ticket(one), secrets[0])
    world.clock.advance(minutes=16)
    broken(world, first)
    world.clock.advance(minutes=MINUTES)
    reviewed(world, shown(world, first))
    ticket = world.ticket(two, number="T-2")
    second = world.lease(ticket, secrets[1])
    assert second.approver_why == "services a day"
    world.clock.advance(minutes=16)
    stays_whole(world, second, Denied, "so many services today")
    world.clock.advance(days=1)
    third = world.lease(ticket, secrets[1])
    assert third.approver_why == ""
    world.clock.advance(minutes=16)
    assert shown(world, third).breakable
    _alone(world, ticket.id)
    stays_whole(world, third, Denied, "nobody else has put you on this ticket")


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ24")
def test_what_was_asked_for_before_the_days_services_does_not_go_around_them(embedded: World) -> None:
    """Asked for first, opened last: what counts is how many there are when the glass is broken."""
    world = embedded
    world.settings = world.settings.model_copy(update={"services_a_day": 1})
    world.reopen()
    put(world, breakable())
    one, two = world.service(), world.service(world.customer("Globex", "it@globex.example"), "Another shop")
    asked = world.lease(world.ticket(one), world.give(one))
    put(world, CATALOGUE)
    assert world.lease(world.ticket(two, number="T-2"), world.give(two)).state == "active"
    put(world, breakable())
    world.clock.advance(minutes=16)
    stays_whole(world, asked, Denied, "so many services today")


def _alone(world: World, ticket_id: str) -> None:
    """As a helpdesk tells of somebody who has put themselves on a ticket."""
    from vault.model.tables import Assignment
    from vault.storage.unit import Unit, operation

    @operation("ticket.assign")
    def alone(unit: Unit, _actor: Actor, ticket: str) -> None:
        found = unit.find(Assignment, ticket_id=ticket)
        assert found is not None
        unit.change(found, alone=True)

    world.perform(alone, HOST, ticket_id)


@pytest.mark.attack("AZ11")
def test_a_no_in_the_same_moment_counts(world: World) -> None:
    """Both wait in one batch of the writer, the no first: its entry is not written yet when the glass is judged."""
    put(world, breakable())
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    refused, wanted = world.lease(ticket, secret), world.lease(ticket, secret)
    world.clock.advance(minutes=16)
    world.actor("auditor")
    technician, coordinator = world.actor("technician"), world.actor("coordinator")
    deed = world.read(glass._deed_of, technician, wanted.id, WHY)
    proof = world.run(presence.prove(world.vault, technician, deed, world.presence("technician")))
    done = world.together(
        world.vault.perform(approving._refused, coordinator, refused.id, refused.digest, Reason.parse(NO)),
        world.vault.perform(glass._broken, technician, wanted.id, WHY, proof),
    )
    assert done[0] is None
    assert isinstance(done[1], Denied)
