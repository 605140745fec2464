"""The rooms of broken glass and of work that changes hands, for the book of entries."""

from tests.approvals import put
from tests.operations.glasses import MINUTES, breakable, broken, reviewed
from tests.world import World
from vault.operations.house import upkeep
from vault.operations.people import staff
from vault.operations.services import handover, tickets
from vault.values import Actor


def play_glass(world: World) -> None:
    """Two leases that nobody answers to: one review is closed in time by an auditor, one late by a coordinator."""
    put(world, breakable(days=1))
    service = world.service(title="A shop at night")
    secret, ticket = world.give(service), world.ticket(service)
    for who, late in (("auditor", False), ("coordinator", True)):
        lease = world.lease(ticket, secret)
        world.clock.advance(minutes=16)
        begun = broken(world, lease)
        world.clock.advance(minutes=MINUTES)
        if late:
            world.clock.advance(days=1)
            world.run(upkeep.sweep(world.vault))
        reviewed(world, begun, who=who)
    invited = staff.add(
        world.vault, Actor.host(), "Tim Tonight", "tonight@agency.example", ["technician"], "hand"
    )
    tim = world.enrol(world.run(invited))
    tom, clara = world.member("technician").id, world.actor("coordinator")
    until = world.vault.now() + 3600 * 10**6
    world.perform(handover.hand_over, clara, service.id, tom, tim.id, until)
    world.clock.advance(hours=1)
    world.run(upkeep.sweep(world.vault))
    world.perform(tickets.close, world.actor("coordinator"), ticket.id)
    world.end(service)
