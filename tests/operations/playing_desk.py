"""The rooms of a busy desk, for the book of entries: for later, for longer, for a program, by code, one too many."""

from datetime import timedelta

from tests.approvals import approved, put, taking
from tests.logins import GOOD
from tests.operations.desks import WITH_CODES, leased, longer, planned, used
from tests.world import World
from vault.operations.leases import checkout
from vault.operations.services import tickets


def play_desk(world: World) -> None:
    """A window with and without a yes, a code, a use, a longer lease, and one service too many."""
    put(world, WITH_CODES)
    service = world.service(title="A busy shop")
    login, seed = world.give(service), world.give(service, GOOD["totp-seed"], "totp-seed")
    ticket = world.ticket(service)
    lease = world.lease(ticket, login, seed)
    used(world, lease, login)
    world.run(checkout.issue_code(world.vault, world.actor("technician"), lease.id, seed))
    world.run(longer(world, lease, 10))
    planned(world, ticket, login, hours=2)
    put(world, taking("coordinator"))
    approved(world, world.run(leased(world, ticket, login, begins_in=timedelta(hours=3))))
    put(world, WITH_CODES)
    usual = world.settings
    world.settings = usual.model_copy(update={"services_a_day": 1})
    world.reopen()
    one_more = world.service(title="One more shop that day")
    assert world.lease(world.ticket(one_more), world.give(one_more)).approver_why == "services a day"
    world.settings = usual
    world.reopen()
    world.perform(tickets.close, world.actor("coordinator"), ticket.id)
    world.end(service)
