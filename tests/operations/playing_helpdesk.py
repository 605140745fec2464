"""Everything that the ledger can tell of a helpdesk, once."""

import pytest

from tests.telling import Teller
from tests.world import World
from vault.errors import NotFound
from vault.operations.helpdesk import helpdesks
from vault.operations.services import tickets
from vault.values import DAY, Actor, to_datetime

TOM = "tom@agency.example"


def play_helpdesk(world: World) -> None:
    """It is made, connected, believed, changed and ended; a ticket and a service of it have their whole life."""
    teller = Teller(world)
    service = teller.connect(world.service(title="A mirrored shop"))
    told = teller.ticket(service)
    teller.tell("ticket.opened", teller.when(minutes=9), ticket=told)
    teller.tell("ticket.assigned", teller.when(minutes=8), ticket=told, assignee="who@elsewhere.example")
    teller.tell("ticket.assigned", teller.when(minutes=7), ticket=told, assignee=TOM)
    teller.tell("ticket.unassigned", teller.when(minutes=6), ticket=told, assignee=TOM)
    teller.tell("ticket.closed", teller.when(minutes=5), ticket=told)
    teller.tell("ticket.assigned", teller.when(minutes=4), ticket=told, assignee=TOM)
    teller.tell("ticket.opened", teller.when(minutes=3), ticket=told)
    coordinator = world.actor("coordinator")
    again = next(one for one in world.read(tickets.tickets, coordinator) if one.number == told["number"])
    world.perform(tickets.close, coordinator, again.id)
    ends = to_datetime(world.clock.wall() + 20 * DAY).isoformat()
    known = {"id": "C-7", "type": "installation", "title": "Shop of Berta", "ends_at": ends}
    customer = {"name": "Berta Books", "mail": "berta@books.example"}
    teller.tell("service.registered", teller.when(minutes=2), service=known, customer=customer)
    teller.tell("service.ended", service={"id": "C-7"})
    with pytest.raises(NotFound):
        teller.tell("ticket.opened", ticket=teller.ticket("not ours"))
    world.perform(helpdesks.disconnect, coordinator, service.id)
    world.perform(helpdesks.renew, Actor.host(), teller.id)
    world.perform(helpdesks.end, Actor.host(), teller.id)
