"""Whose yes a lease takes by the catalogue as it stands, and which of the coordinators can say it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from vault.errors import Denied, NotSignedIn
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.model.tables import Assignment, Customer, Lease, Secret, Service
from vault.model.views import AskedKind, ServiceTypeView, TicketView
from vault.operations.asking import SECRETS_OF, active, standing_of
from vault.operations.leases import begun, witnesses
from vault.operations.people import changes
from vault.operations.services import necessity
from vault.operations.services.services import type_of
from vault.policy import approval as policy
from vault.policy.approval import Approver
from vault.policy.rights import COORDINATOR, require
from vault.storage.reading import Reading

_LEASES, _SERVICES = Lease.table(), Service.table()
_ASKED_LATELY = (
    select(func.count())
    .select_from(_LEASES.join(_SERVICES, _SERVICES.c.id == _LEASES.c.service_id))
    .where(
        _LEASES.c.person_id == bindparam("person"),
        _LEASES.c.approver == "customer",
        _LEASES.c.starts_at > bindparam("since"),
        _SERVICES.c.customer_id == bindparam("customer"),
    )
)


def approver_of(reading: Reading, service: Service, secrets: Iterable[Secret]) -> Approver:
    """Whose yes a lease of these secrets takes: the stricter of what the catalogue says now and said when asked.

    Raises Invalid where two people would have to say it.
    """
    of = type_of(reading, service.type, running=True)
    return policy.approver_of(
        [_of_one(reading, of, one.asked_kind, one.kind, one.approver) for one in secrets]
    )


@dataclass(frozen=True)
class Needed:
    """Whose yes a lease takes, and what makes it take one besides the catalogue."""

    approver: Approver
    why: policy.Why


def needed(
    reading: Reading,
    person: Person,
    assignment: Assignment,
    service: Service,
    wanted: list[str],
    starts: int,
) -> Needed:
    """Whose yes it takes that a person checks these secrets out, to begin then, who does not hold too much already.

    Raises Invalid where that is two people's, Denied and Conflict where it would be in vain.
    """
    held = reading.find_all(Lease, person_id=person.id, state="active")
    policy.require_few(sum(reading.now < one.expires_at for one in held))
    found = [one for secret in wanted if (one := reading.find(Secret, id=secret)) is not None]
    secrets = [one for one in found if one.service_id == service.id]
    approver, why = policy.needed(
        approver_of(reading, service, secrets),
        services=policy.busiest(begun.around(reading, person, starts), service.id, starts),
        services_a_day=reading.settings.services_a_day,
        alone=assignment.alone,
    )
    if approver:
        policy.require_room(len(reading.find_all(Lease, person_id=person.id, state="asked")))
    in_vain = approver == "coordinator" and not coordinators_for(reading, person)
    if in_vain and not _breakable(reading, person, service, secrets):
        raise Denied("this takes a coordinator's yes, and there is no other coordinator who can say it now")
    if approver == "customer":
        require_customers_own(reading, service, person, assignment)
        policy.require_patience(_asked_lately(reading, service, person))
    return Needed(approver, why)


def _breakable(reading: Reading, person: Person, service: Service, secrets: list[Secret]) -> bool:
    """Whether what nobody can say yes to can be opened all the same, and reviewed by somebody else afterwards."""
    return (
        type_of(reading, service.type, running=True).break_glass_minutes > 0
        and not any(KINDS[one.kind].extraordinary for one in secrets)
        and bool(witnesses.reviewers_for(reading, person))
    )


def line_of(of: ServiceTypeView, kind: str) -> AskedKind | None:
    """The line of a service type that asks for a kind."""
    return next((one for one in (*of.needs, *of.may_ask) if one.kind == kind), None)


def _of_one(reading: Reading, of: ServiceTypeView, asked_kind: str, kind: str, kept: str) -> Approver:
    line = line_of(of, asked_kind)
    if not (KINDS[asked_kind].extraordinary or KINDS[kind].extraordinary):
        return policy.stricter_of(kept, line.approval if line else "")
    known = [one for one in necessity.lines_of(of) if one.kind == asked_kind]
    return policy.approver_by(
        line.approval if line else "",
        extraordinary=True,
        approved=any(necessity.is_approved(reading, one) for one in known),
    )


def shown(reading: Reading, ticket: TicketView, service: Service) -> TicketView:
    """A ticket as people see it: with whose yes a lease of each secret takes."""
    of = type_of(reading, service.type, running=True)
    kept = {row["id"]: row["approver"] for row in reading.rows(SECRETS_OF, service_id=service.id)}
    secrets = tuple(
        one.model_copy(
            update={"approval": _of_one(reading, of, one.asked_kind, one.kind, kept.get(one.id, ""))}
        )
        for one in ticket.secrets
    )
    return ticket.model_copy(update={"secrets": secrets})


def approver_asked(of: ServiceTypeView, secret: Secret) -> Approver:
    """What is kept of whose yes it takes, for a secret whose customer is asked for it under the line as it is now.

    What was given is made no easier by asking for it again, because it opens until the next one is given. What has no
    line any more keeps what it had.
    """
    line = line_of(of, secret.asked_kind)
    if line is None or secret.envelope:
        return policy.stricter_of(secret.approver, line.approval if line else "")
    return line.approval


def why_not(reading: Reading, coordinator: Person, asker: Person) -> str:
    """Why a coordinator cannot say yes to that person's lease now, in words for them; nothing if they can."""
    try:
        require(standing_of(reading, coordinator), "lease.approve")
    except (Denied, NotSignedIn) as refusal:
        return str(refusal)
    _, accounts = changes.accounts_of(reading, coordinator, asker)
    both = (changes.account_of(coordinator), changes.account_of(asker))
    return policy.why_not(*both, accounts, reading.now)


def require_customers_own(
    reading: Reading, service: Service, asker: Person, assignment: Assignment | None
) -> None:
    """The customer who is to say yes is not whoever asks, by an address that they typed themselves. Raises Denied.

    Nor is it one of whom a helpdesk told, where a helpdesk has put them on the ticket too: whoever signs as it would
    be both.
    """
    customer = reading.find(Customer, id=service.customer_id)
    adder = reading.find(Person, id=customer.added_by) if customer else None
    if customer is not None and customer.added_by and adder is None:
        putter = reading.find(Person, id=assignment.assigned_by) if assignment else None
        policy.require_put_by_one_of_us(is_one=putter is not None)
    if adder is not None:
        _, accounts = changes.accounts_of(reading, asker, adder)
        both = (changes.account_of(asker), changes.account_of(adder))
        policy.require_known_otherwise(*both, accounts, reading.now)


def _asked_lately(reading: Reading, service: Service, asker: Person) -> int:
    """How often within a day somebody asked the customer of a service for a yes, whatever became of it."""
    since = reading.now - policy.WAITS_FOR
    whose = {"person": asker.id, "customer": service.customer_id, "since": since}
    return int(reading.connection.execute(_ASKED_LATELY, whose).scalar_one())


def coordinators_for(reading: Reading, asker: Person) -> list[Person]:
    """Who of the coordinators can say yes to that person's lease now."""
    return [one for one in active(reading, COORDINATOR) if not why_not(reading, one, asker)]
