"""Leases: what each stands on, and their end, in one place, so that every way out leaves the same trace."""

from collections.abc import Sequence
from typing import Literal

from vault.errors import Conflict, NotFound
from vault.model.people import Person
from vault.model.tables import Assignment, Lease, Secret, Service, Ticket
from vault.operations import showing
from vault.operations.asking import standing_of
from vault.operations.leases import approvers
from vault.policy.access import (
    Assigned,
    Delivery,
    Held,
    overlap,
    puts_on,
    require_delivery,
    require_openable,
    room_left,
)
from vault.policy.approval import is_easier
from vault.storage.reading import Reading
from vault.storage.unit import Unit
from vault.values import clock_words

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
    return Delivery(
        standing=standing_of(reading, person),
        assigned=assignment_of(reading, person.id, ticket.id) is not None,
        ticket_open=ticket.state == "open",
        service_open=service.state == "open",
        service_ends_at=service.ends_at,
        paused=service.paused_at is not None,
    )


def assignment_of(reading: Reading, person_id: str, ticket_id: str) -> Assignment | None:
    """What puts a person on a ticket now; None where nothing does."""
    found = reading.find(Assignment, ticket_id=ticket_id, person_id=person_id)
    if found is None or not puts_on(
        Assigned(found.state, found.assigned_by, found.ends_at), person_id, reading.now
    ):
        return None
    return found


def delivering(reading: Reading, person: Person, ticket: Ticket, service: Service, right: str) -> Assignment:
    """What puts a person on a ticket, of one who delivers its service at this moment. Raises as `require_delivery`."""
    require_delivery(delivery_of(reading, person, ticket, service), reading.now, right)
    found = assignment_of(reading, person.id, ticket.id)
    if found is None:
        raise NotFound("there is no such thing")
    return found


def over_at(service: Service, assignment: Assignment) -> int:
    """The moment past which nothing lasts: the end of the service, or of the assignment where that is earlier."""
    return service.ends_at if assignment.ends_at is None else min(service.ends_at, assignment.ends_at)


def held_of(lease: Lease) -> Held:
    """A lease as policy judges it."""
    return Held(
        person_id=lease.person_id,
        state=lease.state,
        expires_at=lease.expires_at,
        covers=lease.covers.split(),
        approver=lease.approver,
        decided_by=lease.decided_by,
        starts_at=lease.starts_at,
        review_id=lease.review_id,
    )


def longest_of(reading: Reading, service: Service) -> int:
    """The minutes of the longest lease that a service's type allows now."""
    return showing.service_type(reading, service.type).longest_lease_minutes


def extendable(reading: Reading, lease: Lease) -> int:
    """By how many minutes its holder could make a lease longer now, as far as time goes."""
    service = reading.find(Service, id=lease.service_id)
    assignment = assignment_of(reading, lease.person_id, lease.ticket_id)
    if service is None or assignment is None or service.state != "open" or service.paused_at is not None:
        return 0
    return room_left(held_of(lease), longest_of(reading, service), over_at(service, assignment), reading.now)


def require_free(
    reading: Reading,
    service: Service,
    wanted: list[str],
    person_id: str,
    starts: int,
    ends: int,
    before: str | None = None,
) -> None:
    """Nobody else has one of these logins in that time, where the service type lends each to one at a time.

    What only waits for a yes takes up nothing, nor does a plan to which the catalogue opens none of them any more.
    `before` is a plan that is there already, from `starts` on: then of other plans only the earlier ones are in its
    way. Raises Conflict, and says who has it and until when.
    """
    if not showing.service_type(reading, service.type).exclusive:
        return
    for lease in reading.find_all(Lease, service_id=service.id, state="active"):
        planned, both = lease.begins_at is not None, set(lease.covers.split()) & set(wanted)
        if (
            lease.person_id != person_id
            and not (before and planned and (lease.starts_at, lease.id) >= (starts, before))
            and overlap((lease.starts_at, lease.expires_at), (starts, ends))
            and any(not planned or _is_enough(reading, lease, service, one) for one in both)
        ):
            who = showing.name_of(reading, lease.person_id) or "somebody else"
            since = f"from {clock_words(lease.starts_at)} " if lease.starts_at > reading.now else ""
            raise Conflict(
                f"this login is for one person at a time, and {who} has it {since}until "
                f"{clock_words(lease.expires_at)}; ask them to hand it back, or check it out for later"
            )


def _is_enough(reading: Reading, lease: Lease, service: Service, secret_id: str) -> bool:
    """Whether the yes of a lease, or none, is what the catalogue takes by now for one of its logins."""
    secret = reading.find(Secret, id=secret_id)
    return secret is None or not is_easier(lease.approver, approvers.approver_of(reading, service, [secret]))


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


def logins(covered: Sequence[str]) -> str:
    """How many secrets a lease is of, as people say it."""
    return "one login" if len(covered) == 1 else f"{len(covered)} logins"


def end_lease(unit: Unit, lease: Lease, how: How, **decided: str) -> None:
    """End a lease that is active or waits for a yes, and say how. One that has ended stays as it ended."""
    if lease.state in LIVE:
        if (
            unit.now >= lease.expires_at
        ):  # it was over by then, and that it was is what anybody has been shown
            how = "expiry" if lease.state == "active" else "not answered"
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
