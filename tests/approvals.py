"""A catalogue whose logins take somebody's yes, and a lease that waits for it."""

from dataclasses import dataclass

from tests.world import CATALOGUE, Member, World
from vault.model.views import LeaseView, ServiceView, TicketView
from vault.operations import catalogue, checkout
from vault.values import Actor

_BECAUSE = 'because = "to install the shop on your server"'
REASON = "install the shop as ordered"


def taking_the_yes_of(approver: str) -> str:
    """The tests' catalogue; each lease of the server's password takes the yes of `coordinator` or `customer`."""
    return CATALOGUE.replace(_BECAUSE, f'{_BECAUSE}, approval = "{approver}"')


@dataclass
class Waiting:
    """A lease that waits for somebody's yes, and what it is for."""

    world: World
    service: ServiceView
    secret: str
    ticket: TicketView
    lease: LeaseView

    def now(self) -> LeaseView:
        """The lease as it is by now."""
        found: LeaseView = self.world.read(checkout.lease_view, self.world.actor("technician"), self.lease.id)
        return found


def once_more(world: World, approver: str, ticket: TicketView, secret: str) -> LeaseView:
    """The same login asked for again, now that the catalogue has somebody's yes for it."""
    world.run(catalogue.apply(world.vault, Actor.host(), taking_the_yes_of(approver)))
    return world.lease(ticket, secret)


def given(
    world: World, approver: str, who: "str | Member" = "technician"
) -> tuple[ServiceView, str, TicketView]:
    """A service whose login was given, and somebody on a ticket of it."""
    world.run(catalogue.apply(world.vault, Actor.host(), taking_the_yes_of(approver)))
    service = world.service()
    return service, world.give(service), world.ticket(service, who)


def waiting(world: World, approver: str, who: "str | Member" = "technician") -> Waiting:
    """The same, asked for."""
    service, secret, ticket = given(world, approver, who)
    return Waiting(world, service, secret, ticket, world.lease(ticket, secret, who=who))
