"""Customers on their own page: they come by their link, read the code in their mailbox, and are there."""

from dataclasses import dataclass, field

from tests.world import World
from vault.model.own_views import OwnServiceView
from vault.model.tables import Customer
from vault.model.views import LeaseView, ServiceView
from vault.operations.customers import mine, visits
from vault.storage.reading import Reading
from vault.values import Actor

NOBODY = Actor.nobody("198.51.100.9", "page")


@dataclass
class Visitor:
    """A customer with a page that is open."""

    actor: Actor
    token: str = field(repr=False)


Lent = tuple[World, ServiceView, str, LeaseView, Visitor]


def lent(world: World) -> Lent:
    """The usual middle of the story, with its customer on their page: service, secret, lease, visitor."""
    service, secret, _ticket, lease = world.lent()
    return world, service, secret, lease, come(world, service.customer.id)


def shown(world: World, visitor: Visitor, service: ServiceView) -> OwnServiceView:
    """A service as its customer sees it."""
    return world.read(mine.service, visitor.actor, service.id)


def link_of(world: World, customer_id: str) -> str:
    """The link to a customer's own page, as every mail to them ends with it."""

    def look(reading: Reading, _actor: Actor) -> str:
        customer = reading.find(Customer, id=customer_id)
        assert customer is not None
        return visits.page_link(reading, customer)

    return world.read(look, NOBODY)


def code_of(world: World, customer_id: str) -> str:
    return link_of(world, customer_id).partition("#")[2]


def waiting_visit(world: World) -> str:
    """The visit whose code was asked for last."""
    rows = world.sql("SELECT subject_id FROM outbox WHERE template = 'customer.code' ORDER BY id DESC")
    return str(rows[0][0])


def mailed(world: World) -> str:
    """Send the mail with the newest code, and read it."""
    code, _ = world.perform(visits.mint, Actor.core(), waiting_visit(world))
    return str(code)


def ask(world: World, page_code: str) -> str:
    """Ask for a code by mail; returns this browser's token."""
    return world.run(visits.ask(world.vault, NOBODY, page_code))


def come(world: World, customer_id: str, page_code: str = "") -> Visitor:
    """Open a customer's page, all the way. `page_code` is needed while the vault is sealed."""
    token = ask(world, page_code or code_of(world, customer_id))
    started = world.run(visits.start(world.vault, NOBODY, token, mailed(world)))
    return Visitor(world.run(visits.resolve(world.vault, started.token, NOBODY.source)), started.token)


def come_again(world: World, visitor: Visitor) -> Visitor:
    """The same browser, a moment later. Raises NotSignedIn."""
    actor = world.run(visits.resolve(world.vault, visitor.token, NOBODY.source))
    return Visitor(actor, visitor.token)
