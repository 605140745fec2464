"""Tickets: pieces of work on a service, and who is on them."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from vault.errors import Conflict, Denied, Invalid, NotFound
from vault.model.people import Person
from vault.model.tables import Assignment, Customer, Lease, Service, Ticket
from vault.model.views import TicketView
from vault.operations import showing
from vault.operations.asking import IS_ON, agreement_in_force, may, roles_of, service_for, ticket_for
from vault.operations.leases import approvers
from vault.operations.leases.leases import end_lease, end_leases
from vault.policy.access import require_open_service
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, Title, clean_text, known_id, new_id, to_datetime

_TICKETS, _SERVICES, _CUSTOMERS = Ticket.table(), Service.table(), Customer.table()
_ASSIGNMENTS = Assignment.table()
MOST_OPEN = 1000
"""Open tickets of one service: its end closes them all in one entry, which has a longest length."""
MOST_LISTED = 500
_LISTED: Select[Any] = (
    select(
        *(_TICKETS.c[name] for name in ("id", "service_id", "number", "title", "state")),
        _SERVICES.c.title.label("service_title"),
        _SERVICES.c.ends_at.label("service_ends_at"),
        *(_SERVICES.c[name] for name in ("type", "paused_at")),
        func.coalesce(_CUSTOMERS.c.name, "").label("customer_name"),
    )
    .join_from(_TICKETS, _SERVICES, _SERVICES.c.id == _TICKETS.c.service_id)
    .outerjoin(_CUSTOMERS, _CUSTOMERS.c.id == _SERVICES.c.customer_id)
)
_ALL = _LISTED.order_by(_TICKETS.c.state != "open", _TICKETS.c.created_at.desc(), _TICKETS.c.id).limit(
    MOST_LISTED
)
_ONE = _LISTED.where(_TICKETS.c.id == bindparam("ticket"))
_OF_SERVICE = _ALL.where(_TICKETS.c.service_id == bindparam("service"))
_ON = (
    select(Person.table(), *(_ASSIGNMENTS.c[name] for name in ("ticket_id", "ends_at", "alone")))
    .join_from(Person.table(), _ASSIGNMENTS, _ASSIGNMENTS.c.person_id == Person.table().c.id)
    .where(_ASSIGNMENTS.c.ticket_id.in_(bindparam("tickets", expanding=True)), IS_ON)
    .order_by(Person.table().c.name)
)
_OPEN = (
    select(func.count())
    .select_from(_TICKETS)
    .where(_TICKETS.c.service_id == bindparam("service"), _TICKETS.c.state == "open")
)
_MINE = (
    _LISTED.join(_ASSIGNMENTS, _ASSIGNMENTS.c.ticket_id == _TICKETS.c.id)
    .where(
        _ASSIGNMENTS.c.person_id == bindparam("person"),
        IS_ON,
        _TICKETS.c.state == "open",
    )
    .order_by(_TICKETS.c.created_at.desc(), _TICKETS.c.id)
)
_LATE = select(_ASSIGNMENTS.c.id).where(
    _ASSIGNMENTS.c.state == "active", _ASSIGNMENTS.c.ends_at <= bindparam("at")
)


@operation("ticket.open")
def open_ticket(unit: Unit, actor: Actor, service_id: str, number: str, title: str) -> TicketView:
    """Open a ticket on an open service. Raises NotSignedIn, Denied, NotFound, Ended, Invalid, Conflict (too many)."""
    unit.about(service=service_id)
    service = service_for(unit, actor, "ticket.manage", service_id)
    return _view(unit, put_ticket(unit, service, number, title), service)


def put_ticket(unit: Unit, service: Service, number: str, title: str) -> Ticket:
    """Open a ticket as part of another change, for whoever has been judged. Raises Ended, Invalid, Conflict."""
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
    return ticket


# -- who is on them ---------------------------------------------------------------------------------------------------


@operation("ticket.assign")
def assign(unit: Unit, actor: Actor, ticket_id: str, person_id: str, until: int | None = None) -> None:
    """Put a technician on a ticket, as long as it is open or until a moment in microseconds; nothing opens after it.

    Whoever is on it already stays, until that moment. Raises NotSignedIn, Denied (coordinators only), NotFound, Ended,
    Conflict, Invalid (an end in the past, or after the service).
    """
    unit.about(ticket=ticket_id, person=person_id)
    ticket, service = _coordinated(unit, actor, ticket_id)
    require_open_ticket(ticket)
    person = assignable(unit, actor, person_id)
    require_until(service, until, unit.now)
    put_on(unit, actor.id, ticket, person, until)


def require_open_ticket(ticket: Ticket) -> None:
    """Nobody is put on a ticket that is closed. Raises Conflict."""
    if ticket.state != "open":
        raise Conflict("this ticket is closed")


def assignable(reading: Reading, actor: Actor, person_id: str) -> Person:
    """Somebody whom a coordinator can put on tickets. Raises NotFound, Denied."""
    person = reading.find(Person, id=known_id("per", person_id))
    if person is None or person.state != "active":
        raise NotFound("there is no such person")
    if person.id == actor.id:
        raise Denied("nobody assigns themselves: another coordinator has to put you on this ticket")
    if "technician" not in roles_of(person.roles):
        raise Denied("only technicians are put on tickets: nobody else may open a secret")
    return person


def require_until(service: Service, until: int | None, now: int) -> None:
    """An assignment ends in the future, and not after its service. Raises Invalid."""
    if until is not None and not now < until <= service.ends_at:
        raise Invalid(
            "the end of an assignment is in the future and not after the service's; without one, it lasts as long as "
            "the ticket is open",
            "/until",
        )


def put_on(
    unit: Unit, by: str, ticket: Ticket, person: Person, until: int | None = None, *, alone: bool = False
) -> None:
    """Put a person on a ticket as part of another change, for whoever `by` is, who has been judged.

    `alone`: nobody else is known to have wanted it, so that each lease takes a coordinator's yes; that is over when
    somebody else makes it. What one of us has made, no helpdesk makes anew while it stands.
    """
    found = unit.find(Assignment, ticket_id=ticket.id, person_id=person.id)
    if found is None:
        unit.insert(
            Assignment(
                id=new_id("asg"),
                ticket_id=ticket.id,
                person_id=person.id,
                assigned_by=by,
                alone=alone,
                created_at=unit.now,
                ends_at=until,
            )
        )
        return
    stands = found.state == "active" and (found.ends_at is None or unit.now < found.ends_at)
    is_known = not found.alone and found.ends_at == until and _is_of_us(found.assigned_by) >= _is_of_us(by)
    if stands and (alone or is_known or (_is_of_us(found.assigned_by) and not _is_of_us(by))):
        return
    if not stands:  # it has run out, and no sweep has come by: what hung on it does not live again
        end_leases(unit, "unassigned", ticket_id=ticket.id, person_id=person.id)
    unit.change(found, state="active", assigned_by=by, alone=alone, ends_at=until)
    if until is not None:
        _shorten_leases(unit, ticket.id, person.id, until)


def _is_of_us(by: str) -> bool:
    """Whether it is one of the staff, and no helpdesk."""
    return by.startswith("per_")


def _shorten_leases(unit: Unit, ticket_id: str, person_id: str, until: int) -> None:
    """Nothing that is lent says that it lasts longer than the assignment. What would begin after it does not begin."""
    for lease in unit.find_all(Lease, state="active", ticket_id=ticket_id, person_id=person_id):
        if lease.starts_at >= until:
            end_lease(unit, lease, "unassigned")
        elif lease.expires_at > until:
            unit.change(lease, expires_at=until)


@operation("ticket.unassign", in_any_time=True)
def unassign(unit: Unit, actor: Actor, ticket_id: str, person_id: str) -> None:
    """Take a technician off a ticket; their leases for it end with the same commit.

    Raises NotSignedIn, Denied, NotFound.
    """
    unit.about(ticket=ticket_id, person=person_id)
    ticket, _service = _coordinated(unit, actor, ticket_id)
    if not take_off(unit, ticket.id, known_id("per", person_id)):
        raise NotFound("that person is not on this ticket")


def take_off(unit: Unit, ticket_id: str, person_id: str) -> bool:
    """Take somebody off a ticket as part of another change; their leases for it end. Returns whether they were on."""
    found = unit.find(Assignment, ticket_id=ticket_id, person_id=person_id)
    if found is None or found.state != "active":
        return False
    unit.change(found, state="ended")
    end_leases(unit, "unassigned", ticket_id=ticket_id, person_id=person_id)
    return True


@operation("ticket.unassign", in_any_time=True)
def run_out(unit: Unit, _actor: Actor, assignment_id: str) -> None:
    """For the sweep: an assignment whose end has come. It counts for nothing since then; its leases end now too."""
    found = unit.find(Assignment, id=assignment_id)
    if found is None or found.state != "active" or found.ends_at is None or unit.now < found.ends_at:
        return
    ticket = unit.find(Ticket, id=found.ticket_id)
    unit.about(ticket=found.ticket_id, person=found.person_id)
    if ticket is not None:
        unit.about(service=ticket.service_id)
    take_off(unit, found.ticket_id, found.person_id)


def late(reading: Reading, _actor: Actor) -> list[str]:
    """The assignments whose end has come, for the sweep."""
    return list(reading.connection.execute(_LATE, {"at": reading.now}).scalars())


# -- their end --------------------------------------------------------------------------------------------------------


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


# -- showing ----------------------------------------------------------------------------------------------------------


def tickets(reading: Reading, actor: Actor) -> list[TicketView]:
    """Open tickets that a technician is on, newest first; for a coordinator the 500 newest, the open ones first.

    Raises NotSignedIn or Denied.
    """
    person = may(reading, actor, "ticket.list")
    every = "coordinator" in roles_of(person.roles)
    query, values = (_ALL, {}) if every else (_MINE, {"person": person.id, "at": reading.now})
    return _views(reading, query, **values)


def of_service(reading: Reading, actor: Actor, service_id: str) -> list[TicketView]:
    """The tickets of one service, the open ones first, for coordinators. Raises NotSignedIn, Denied or NotFound."""
    service = service_for(reading, actor, "ticket.manage", service_id)
    return _views(reading, _OF_SERVICE, service=service.id)


def _views(reading: Reading, query: Select[Any], **values: object) -> list[TicketView]:
    """Tickets of `_LISTED` with who is on them, without secrets: in as many queries for one as for hundreds."""
    rows = reading.rows(query, **values)
    types = {name: showing.service_type(reading, name) for name in {row["type"] for row in rows}}
    in_force = agreement_in_force(reading)
    on = defaultdict(list)
    for one in reading.connection.execute(_ON, {"tickets": [row["id"] for row in rows], "at": reading.now}):
        on[one.ticket_id].append(showing.assigned(one, in_force))
    named = ("id", "service_id", "service_title", "customer_name", "number", "title", "state")
    return [
        TicketView(
            **{name: row[name] for name in named},
            assigned=tuple(on[row["id"]]),
            secrets=(),
            service_ends_at=to_datetime(row["service_ends_at"]),
            paused_at=None if row["paused_at"] is None else to_datetime(row["paused_at"]),
            longest_lease_minutes=types[row["type"]].longest_lease_minutes,
            exclusive=types[row["type"]].exclusive,
        )
        for row in rows
    ]


def ticket(reading: Reading, actor: Actor, ticket_id: str) -> TicketView:
    """One ticket with its service's secrets. Raises NotSignedIn, Denied or NotFound."""
    found, service = ticket_for(reading, actor, "ticket.list", ticket_id)
    return approvers.shown(reading, _view(reading, found, service), service)


def _view(reading: Reading, ticket: Ticket, service: Service) -> TicketView:
    (view,) = _views(reading, _ONE, ticket=ticket.id)
    return view.model_copy(update={"secrets": showing.secrets(reading, service)})
