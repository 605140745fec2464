"""Tickets: pieces of work on a service, and who is on them."""

from sqlalchemy import bindparam, func, select

from vault.errors import Conflict, Denied, NotFound
from vault.model.people import Person
from vault.model.tables import Assignment, Service, Ticket
from vault.model.views import TicketView
from vault.operations import approvers, showing
from vault.operations.asking import may, roles_of, service_for, ticket_for
from vault.operations.leases import end_leases
from vault.policy.access import require_open_service
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, Title, clean_text, known_id, new_id

_TICKETS = Ticket.table()
_ASSIGNMENTS = Assignment.table()
MOST_OPEN = 1000
"""Open tickets of one service: its end closes them all in one entry, which has a longest length."""
MOST_LISTED = 500
_ALL = (
    select(_TICKETS)
    .order_by(_TICKETS.c.state != "open", _TICKETS.c.created_at.desc(), _TICKETS.c.id)
    .limit(MOST_LISTED)
)
_OPEN = (
    select(func.count())
    .select_from(_TICKETS)
    .where(_TICKETS.c.service_id == bindparam("service"), _TICKETS.c.state == "open")
)
_MINE = (
    select(_TICKETS)
    .join(_ASSIGNMENTS, _ASSIGNMENTS.c.ticket_id == _TICKETS.c.id)
    .where(
        _ASSIGNMENTS.c.person_id == bindparam("person"),
        _ASSIGNMENTS.c.state == "active",
        _TICKETS.c.state == "open",
    )
    .order_by(_TICKETS.c.created_at.desc(), _TICKETS.c.id)
)


@operation("ticket.open")
def open_ticket(unit: Unit, actor: Actor, service_id: str, number: str, title: str) -> TicketView:
    """Open a ticket on an open service. Raises NotSignedIn, Denied, NotFound, Ended, Invalid, Conflict (too many)."""
    unit.about(service=service_id)
    service = service_for(unit, actor, "ticket.manage", service_id)
    require_open_service(is_open=service.state == "open", ends_at=service.ends_at, now=unit.now)
    if unit.connection.execute(_OPEN, {"service": service.id}).scalar_one() >= MOST_OPEN:
        raise Conflict(f"this service has {MOST_OPEN} open tickets; close some first")
    ticket = Ticket(
        id=new_id("tkt"),
        service_id=service.id,
        number=clean_text(number, "a ticket's number", 40, pointer="/number"),
        title=Title.parse(title, "a ticket's title", "/title").text,
        created_at=unit.now,
    )
    unit.about(ticket=ticket.id)
    unit.disclose(service.customer_id, number=ticket.number, title=ticket.title)
    unit.insert(ticket)
    return showing.ticket(unit, ticket, service)


@operation("ticket.assign")
def assign(unit: Unit, actor: Actor, ticket_id: str, person_id: str) -> None:
    """Put a technician on a ticket. Raises NotSignedIn, Denied (coordinators only), NotFound, Ended, Conflict."""
    unit.about(ticket=ticket_id, person=person_id)
    ticket, _service = _coordinated(unit, actor, ticket_id)
    if ticket.state != "open":
        raise Conflict("this ticket is closed")
    person = unit.find(Person, id=known_id("per", person_id))
    if person is None or person.state != "active":
        raise NotFound("there is no such person")
    if person.id == actor.id:
        raise Denied("nobody assigns themselves: another coordinator has to put you on this ticket")
    if "technician" not in roles_of(person.roles):
        raise Denied("only technicians are put on tickets: nobody else may open a secret")
    found = unit.find(Assignment, ticket_id=ticket.id, person_id=person.id)
    if found is None:
        unit.insert(
            Assignment(
                id=new_id("asg"),
                ticket_id=ticket.id,
                person_id=person.id,
                assigned_by=actor.id,
                created_at=unit.now,
            )
        )
    elif found.state != "active":
        unit.change(found, state="active", assigned_by=actor.id)


@operation("ticket.unassign", in_any_time=True)
def unassign(unit: Unit, actor: Actor, ticket_id: str, person_id: str) -> None:
    """Take a technician off a ticket; their leases for it end with the same commit.

    Raises NotSignedIn, Denied, NotFound.
    """
    unit.about(ticket=ticket_id, person=person_id)
    ticket, _service = _coordinated(unit, actor, ticket_id)
    found = unit.find(Assignment, ticket_id=ticket.id, person_id=known_id("per", person_id))
    if found is None or found.state != "active":
        raise NotFound("that person is not on this ticket")
    unit.change(found, state="ended")
    end_leases(unit, "unassigned", ticket_id=ticket.id, person_id=person_id)


@operation("ticket.close", in_any_time=True)
def close(unit: Unit, actor: Actor, ticket_id: str) -> None:
    """Close a ticket; every lease for it ends with the same commit. Raises NotSignedIn, Denied, NotFound, Conflict."""
    unit.about(ticket=ticket_id)
    ticket, _service = _coordinated(unit, actor, ticket_id)
    if ticket.state != "open":
        raise Conflict("this ticket is closed already")
    close_ticket(unit, ticket)


def close_ticket(unit: Unit, ticket: Ticket) -> None:
    """Close a ticket and end its leases, as part of another change."""
    unit.change(ticket, state="closed")
    end_leases(unit, "ticket closed", ticket_id=ticket.id)


def _coordinated(unit: Unit, actor: Actor, ticket_id: str) -> tuple[Ticket, Service]:
    ticket, service = ticket_for(unit, actor, "ticket.manage", ticket_id)
    unit.about(service=service.id)
    return ticket, service


def tickets(reading: Reading, actor: Actor) -> list[TicketView]:
    """Open tickets that a technician is on, newest first; for a coordinator the 500 newest, the open ones first.

    Raises NotSignedIn or Denied.
    """
    person = may(reading, actor, "ticket.list")
    every = "coordinator" in roles_of(person.roles)
    query, values = (_ALL, {}) if every else (_MINE, {"person": person.id})
    found = [Ticket(**row) for row in reading.rows(query, **values)]
    views = []
    for ticket in found:
        service = reading.find(Service, id=ticket.service_id)
        if service is not None:
            views.append(showing.ticket(reading, ticket, service, whole=False))
    return views


def ticket(reading: Reading, actor: Actor, ticket_id: str) -> TicketView:
    """One ticket with its service's secrets. Raises NotSignedIn, Denied or NotFound."""
    found, service = ticket_for(reading, actor, "ticket.list", ticket_id)
    return approvers.shown(reading, showing.ticket(reading, found, service), service)
