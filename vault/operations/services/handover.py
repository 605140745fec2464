"""Several tickets at once: put somebody on them, or in another's place on all of a service."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import bindparam, select

from vault.errors import Conflict, Invalid, NotFound, VaultError
from vault.model.people import Person
from vault.model.tables import Assignment, Ticket
from vault.operations.asking import IS_ON, service_for, ticket_for
from vault.operations.services import tickets
from vault.operations.vault import Vault
from vault.policy.access import require_open_service
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, known_id

MOST_TICKETS = 50
_TICKETS, _ASSIGNMENTS = Ticket.table(), Assignment.table()
_OPEN_OF = (
    select(_TICKETS)
    .join(_ASSIGNMENTS, _ASSIGNMENTS.c.ticket_id == _TICKETS.c.id)
    .where(
        _TICKETS.c.service_id == bindparam("service"),
        _TICKETS.c.state == "open",
        _ASSIGNMENTS.c.person_id == bindparam("person"),
        IS_ON,
    )
    .order_by(_TICKETS.c.id)
)


async def assign_all(
    vault: Vault, actor: Actor, ticket_ids: Sequence[str], person_id: str, until: int | None = None
) -> int:
    """Put a technician on up to 50 tickets, as `tickets.assign` does; returns how many there are.

    What stands in the way of one of them stands in the way of all. Each has an entry of its own: the customer of one
    sees that one. Raises as `tickets.assign`, and Invalid for no ticket or too many.
    """
    wanted = list(dict.fromkeys(known_id("tkt", one) for one in ticket_ids))
    if not 1 <= len(wanted) <= MOST_TICKETS:
        raise Invalid(f"name 1 to {MOST_TICKETS} tickets", "/tickets")
    refused = await vault.read(_first_refused, actor, wanted, person_id, until)
    if refused:  # there alone, so that the record has it and nothing else happens
        await vault.perform(tickets.assign, actor, refused, person_id, until)
    done = await asyncio.gather(
        *(vault.perform(tickets.assign, actor, one, person_id, until) for one in wanted),
        return_exceptions=True,
    )
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return len(wanted)


def _first_refused(
    reading: Reading, actor: Actor, wanted: Sequence[str], person_id: str, until: int | None
) -> str:
    """The first of these tickets on which that person cannot be put now; nothing if there is none."""
    for ticket_id in wanted:
        try:
            ticket, service = ticket_for(reading, actor, "ticket.manage", ticket_id)
            tickets.require_open_ticket(ticket)
            tickets.assignable(reading, actor, person_id)
            tickets.require_until(service, until, reading.now)
        except VaultError:
            return ticket_id
    return ""


@operation("ticket.hand-over")
def hand_over(
    unit: Unit, actor: Actor, service_id: str, from_id: str, to_id: str, until: int | None = None
) -> int:
    """Put somebody in another's place on every open ticket of a service; returns how many tickets these are.

    Who leaves has no lease of it from this commit on. Raises NotSignedIn, Denied (coordinators only, and nobody takes
    over by their own hand), NotFound, Ended, Conflict, Invalid.
    """
    unit.about(service=service_id, person=to_id, former=from_id)
    service = service_for(unit, actor, "ticket.manage", service_id)
    require_open_service(is_open=service.state == "open", ends_at=service.ends_at, now=unit.now)
    person = tickets.assignable(unit, actor, to_id)
    if unit.find(Person, id=known_id("per", from_id)) is None:
        raise NotFound("there is no such person")
    if from_id == to_id:
        raise Conflict("who takes over is somebody else than who leaves")
    tickets.require_until(service, until, unit.now)
    theirs = [Ticket(**row) for row in unit.rows(_OPEN_OF, service=service.id, person=from_id, at=unit.now)]
    if not theirs:
        raise Conflict("that person is on no open ticket of this service")
    for ticket in theirs:
        tickets.put_on(unit, actor.id, ticket, person, until)
        tickets.take_off(unit, ticket.id, from_id)
    return len(theirs)
