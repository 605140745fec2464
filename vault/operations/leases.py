"""Leases: what each stands on, and their end, in one place, so that every way out leaves the same trace."""

from typing import Literal

from vault.errors import NotFound
from vault.model.people import Person
from vault.model.tables import Assignment, Lease, Secret, Service, Ticket
from vault.operations.asking import standing_of
from vault.policy.access import Delivery, require_openable
from vault.storage.reading import Reading
from vault.storage.unit import Unit

How = Literal[
    "refused",
    "not answered",
    "taken back",
    "approver disabled",
    "check-in",
    "expiry",
    "revocation",
    "ticket closed",
    "unassigned",
    "service ended",
    "disabled",
    "account reset",
    "role taken away",
]
LIVE = ("active", "asked")


def delivery_of(reading: Reading, person: Person, ticket: Ticket, service: Service) -> Delivery:
    """Whether this person delivers the service at this moment, by rows that match the ledger."""
    assignment = reading.find(Assignment, ticket_id=ticket.id, person_id=person.id)
    return Delivery(
        standing=standing_of(reading, person),
        assigned=assignment is not None and puts_on(assignment.state, assignment.assigned_by, person.id),
        ticket_open=ticket.state == "open",
        service_open=service.state == "open",
        service_ends_at=service.ends_at,
        paused=service.paused_at is not None,
    )


def puts_on(state: str | None, assigned_by: str | None, person_id: str) -> bool:
    """Whether an assignment counts: nobody is on a ticket by their own hand."""
    return state == "active" and assigned_by != person_id


def openable(reading: Reading, service: Service, wanted: list[str]) -> list[Secret]:
    """The secrets of a service that are to be lent. Raises NotFound, Conflict, Ended for one that cannot be."""
    found = []
    for secret_id in wanted:
        secret = reading.find(Secret, id=secret_id)
        if secret is None or secret.service_id != service.id:
            raise NotFound("there is no such secret on this ticket")
        require_openable(secret.state)
        found.append(secret)
    return found


def end_lease(unit: Unit, lease: Lease, how: How, **decided: str) -> None:
    """End a lease that is active or waits for a yes, and say how. One that has ended stays as it ended."""
    if lease.state in LIVE:
        unit.change(lease, state="ended", ended_how=how, **decided)


def end_leases(unit: Unit, how: How, **where: str) -> int:
    """End every lease that is active or waits, with those column values. Returns how many there were."""
    found = [lease for state in LIVE for lease in unit.find_all(Lease, state=state, **where)]
    for lease in found:
        end_lease(unit, lease, how)
    return len(found)


def end_approved_by(unit: Unit, person_id: str) -> None:
    """End every lease to which somebody said yes: it counts no longer than they are who they were then."""
    end_leases(unit, "approver disabled", decided_by=person_id)
