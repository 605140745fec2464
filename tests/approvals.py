"""Catalogues in which a lease takes somebody's yes, and the verbs that go with it."""

from dataclasses import dataclass
from typing import Any

from tests.operations.necessities import HOST
from tests.operations.visiting import Visitor, come
from tests.world import CATALOGUE, Member, World
from vault.model.own_views import AskedLeaseView
from vault.model.people import Person
from vault.model.views import LeaseView, ServiceView, TicketView
from vault.operations.customers import mine, own_approvals
from vault.operations.leases import approving, checkout
from vault.operations.presence import Presence
from vault.operations.services import catalogue
from vault.storage.unit import Unit, operation
from vault.values import Actor

PASSWORD_LINE = 'kind = "ssh-password", because'
REASON = "install the shop as ordered"
NO = "ask me on the telephone first, please"


def taking(approver: str) -> str:
    """The usual catalogue, where each lease of the password takes that yes."""
    return CATALOGUE.replace(PASSWORD_LINE, f'kind = "ssh-password", approval = "{approver}", because')


BY_COORDINATOR, BY_CUSTOMER = taking("coordinator"), taking("customer")


def put(world: World, toml: str) -> list[str]:
    """Apply a catalogue on the host."""
    return world.run(catalogue.apply(world.vault, HOST, toml))


def waits(world: World, approver: str = "coordinator") -> tuple[ServiceView, str, LeaseView]:
    """The usual middle of the story, with a lease that waits for that yes."""
    put(world, taking(approver))
    service, secret, _, lease = world.lent()
    assert (lease.state, lease.approver) == ("asked", approver)
    return service, secret, lease


def yes(world: World, lease: LeaseView, who: Any = "coordinator", **other: Any) -> Any:
    """A coordinator's yes with a fresh proof, not yet waited for."""
    actor, given = world.actor(who), other.pop("given", None) or world.presence(who)
    return approving.approve(world.vault, actor, lease.id, other.pop("digest", lease.digest), given)


def no(world: World, lease: LeaseView, who: Any = "coordinator", reason: str = NO) -> None:
    """A coordinator's no."""
    world.run(approving.refuse(world.vault, world.actor(who), lease.id, lease.digest, reason))


def approved(world: World, lease: LeaseView, who: "str | Member" = "coordinator") -> LeaseView:
    """Say a coordinator's yes to a lease that waits for it."""
    found: LeaseView = world.run(yes(world, lease, who))
    return found


def allowed(world: World, lease: LeaseView) -> LeaseView:
    """Have the customer come to their page and allow a lease that waits for them."""
    world.run(customer_approves(world, owner(world, lease), lease))
    return world.read(checkout.lease_view, world.actor("coordinator"), lease.id)


def owner(world: World, lease: LeaseView) -> Visitor:
    """The customer of a lease, on their page."""
    ((customer,),) = world.sql("SELECT customer_id FROM service WHERE id = :id", id=lease.service_id)
    return come(world, str(customer))


def listed(world: World, visitor: Visitor) -> tuple[AskedLeaseView, ...]:
    """What waits for a customer, as their page lists it."""
    services = world.read(mine.page, visitor.actor).services
    return tuple(one for service in services for one in service.asked)


def customer_approves(world: World, visitor: Visitor, lease: LeaseView, digest: str = "") -> Any:
    """A customer's yes, not yet waited for."""
    return world.vault.perform(own_approvals.approve, visitor.actor, lease.id, digest or lease.digest)


def customer_refuses(world: World, visitor: Visitor, lease: LeaseView, digest: str = "") -> Any:
    """A customer's no, not yet waited for."""
    return world.vault.perform(own_approvals.refuse, visitor.actor, lease.id, digest or lease.digest)


def row_of(world: World, lease: LeaseView) -> tuple[str, str, str]:
    """How a lease stands in the database: state, how it ended, who decided."""
    (row,) = world.sql("SELECT state, ended_how, decided_by FROM lease WHERE id = :id", id=lease.id)
    return tuple(row)


def told(world: World) -> list[tuple[str, str]]:
    """What word was left about leases, and for whom."""
    rows = world.sql("SELECT template, to_id FROM outbox WHERE template LIKE '%lease%' ORDER BY id")
    return [tuple(row) for row in rows]


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
    put(world, taking(approver))
    return world.lease(ticket, secret)


def given(
    world: World, approver: str, who: "str | Member" = "technician"
) -> tuple[ServiceView, str, TicketView]:
    """A service whose login was given, and somebody on a ticket of it."""
    put(world, taking(approver))
    service = world.service()
    return service, world.give(service), world.ticket(service, who)


def waiting(world: World, approver: str, who: "str | Member" = "technician") -> Waiting:
    """The same, asked for."""
    service, secret, ticket = given(world, approver, who)
    return Waiting(world, service, secret, ticket, world.lease(ticket, secret, who=who))


@operation("staff.add")
def changed(unit: Unit, _actor: Actor, person_id: str, values: dict[str, Any]) -> None:
    """Somebody's account as if it had come about otherwise; what the ledger says of it is true."""
    person = unit.find(Person, id=person_id)
    assert person is not None
    unit.change(person, **values)


WRONG = Presence(code="000000")
