"""What a helpdesk has told so far, and what a new word of it comes to: looked up, and nothing changed."""

from collections.abc import Callable
from typing import Any, Literal

from sqlalchemy import bindparam, select

from vault.errors import Conflict, NotFound
from vault.helpdesk.events import (
    Assigned,
    Closed,
    Ended,
    Event,
    Opened,
    Owned,
    Registered,
    Unassigned,
)
from vault.helpdesk.events import Ticket as Told
from vault.model.helpdesks import Mirrored, MirroredPerson
from vault.model.people import Person
from vault.model.tables import Assignment, LedgerEntry, RowHead, Service, Ticket
from vault.operations.asking import roles_of
from vault.operations.leases import approvers
from vault.policy.mirroring import Span, is_on, takes_person_off
from vault.storage.reading import Reading
from vault.values import Actor

Deed = Literal[
    "",
    "helpdesk.told",
    "ticket.open",
    "ticket.assign",
    "ticket.unassign",
    "ticket.close",
    "service.register",
    "service.end",
]
"""What a word comes to, as the ledger calls it: `helpdesk.told` where it changes nothing of ours yet, "" where it says
nothing new."""

_HEADS, _ENTRIES = RowHead.table(), LedgerEntry.table()
_CHANGED = (
    select(_ENTRIES.c.actor, _ENTRIES.c.time)
    .join(_HEADS, _HEADS.c.seq == _ENTRIES.c.seq)
    .where(_HEADS.c.row_id == bindparam("row"))
)


def deed_of(reading: Reading, helpdesk: Actor, event: Event) -> Deed:
    """What an event comes to now. Raises NotFound for a service of which this helpdesk does not tell, Conflict."""
    return _JUDGES[type(event)](reading, helpdesk.id, event)


def parts_of(reading: Reading, helpdesk: Actor, event: Event) -> list[Event]:
    """An event as what was done: who owns a ticket now was put on it, and whoever else was on it is off."""
    if not isinstance(event, Owned):
        return [event]
    thing = ticket_told(reading, helpdesk.id, event.ticket)
    people = people_of(reading, thing) if thing else []
    latest = max([0, *(max(one.on_at, one.off_at) for one in people), thing.closed_at if thing else 0])
    if event.at <= latest:
        return []  # somebody has told of later things
    ticket = span_of(thing)
    on = {one.mail for one in people if is_on(span_of_person(one), ticket)}
    parts: list[Event] = [Unassigned(event.at, event.ticket, mail) for mail in sorted(on - {event.mail})]
    if event.mail and event.mail not in on:
        parts.append(Assigned(event.at, event.ticket, event.mail, event.by))
    return parts


# -- what was told so far ----------------------------------------------------------------------------------------------


def span_of(thing: Mirrored | None) -> Span:
    """When it was open there; never, where we have not heard of it."""
    return Span(thing.opened_at, thing.closed_at) if thing else Span()


def span_of_person(person: MirroredPerson | None) -> Span:
    """When somebody was on it there."""
    return Span(person.on_at, person.off_at) if person else Span()


def ticket_told(reading: Reading, helpdesk_id: str, told: Told) -> Mirrored | None:
    """What we know of a ticket of this helpdesk; another helpdesk's of the same name is another one."""
    return reading.find(Mirrored, helpdesk_id=helpdesk_id, thing="ticket", reference=told.reference)


def service_told(reading: Reading, helpdesk_id: str, reference: str) -> Mirrored | None:
    """What we know of a service of this helpdesk."""
    return reading.find(Mirrored, helpdesk_id=helpdesk_id, thing="service", reference=reference)


def people_of(reading: Reading, thing: Mirrored) -> list[MirroredPerson]:
    """Everybody whom the helpdesk has named on a ticket."""
    return reading.find_all(MirroredPerson, mirrored_id=thing.id)


def service_of(reading: Reading, helpdesk_id: str, told: Told) -> Service:
    """The service that a ticket is about, if this helpdesk may tell of it. Raises NotFound, Conflict."""
    thing = service_told(reading, helpdesk_id, told.service)
    service = our_service(reading, thing)
    if service is None:
        raise NotFound(
            "this helpdesk tells of no such service; a coordinator connects it: valetkey service connect"
        )
    known = ticket_told(reading, helpdesk_id, told)
    ours = ticket_of(reading, known)
    if ours is not None and ours.service_id != service.id:
        raise Conflict("this ticket belongs to another service here; close it, and open another one")
    return service


def our_service(reading: Reading, thing: Mirrored | None) -> Service | None:
    """Our service that it is, open or ended; none where there is none of ours now."""
    return reading.find(Service, id=thing.ours_id) if thing and thing.ours_id else None


def ticket_of(reading: Reading, thing: Mirrored | None) -> Ticket | None:
    """Our ticket that it is, open or closed; none where there is none of ours now."""
    return reading.find(Ticket, id=thing.ours_id) if thing and thing.ours_id else None


def open_ticket_of(reading: Reading, thing: Mirrored | None) -> Ticket | None:
    """Our ticket that it is, while it is open and its helpdesk tells of its service."""
    ours = ticket_of(reading, thing)
    if thing is None or ours is None or ours.state != "open":
        return None
    where = {"helpdesk_id": thing.helpdesk_id, "thing": "service", "ours_id": ours.service_id}
    return ours if reading.find(Mirrored, **where) is not None else None


def technician(reading: Reading, mail: str) -> Person | None:
    """Who of the staff has that address and can be put on tickets. Nothing is guessed by name."""
    person = reading.find(Person, mail=mail)
    if person is None or person.state != "active" or "technician" not in roles_of(person.roles):
        return None
    return person


def is_alone(reading: Reading, person: Person, put_by: str) -> bool:
    """Whether nobody else is known to have put them on a ticket.

    Known is a coordinator who could say yes to that person's leases: not they themselves, nor somebody whose account
    cannot be told from theirs. Whom else a helpdesk names may be anybody.
    """
    other = reading.find(Person, mail=put_by) if put_by else None
    return other is None or approvers.why_not(reading, other, person) != ""


def _was_overruled(reading: Reading, helpdesk_id: str, ticket: Ticket, person: Person, at: int) -> bool:
    """Whether somebody here has taken them off that ticket after what the helpdesk tells of."""
    found = reading.find(Assignment, ticket_id=ticket.id, person_id=person.id)
    if found is None or found.state == "active":
        return False
    changed = reading.connection.execute(_CHANGED, {"row": f"assignment:{found.id}"}).first()
    return changed is not None and changed.actor != helpdesk_id and changed.time >= at


# -- what a word comes to ----------------------------------------------------------------------------------------------


def _of_opened(reading: Reading, helpdesk_id: str, event: Opened) -> Deed:
    thing = ticket_told(reading, helpdesk_id, event.ticket)
    span = span_of(thing)
    if event.how == "implied" and (span.on_at or span.off_at):
        return ""
    if (event.how == "state" and span.is_on) or not span.takes_on(event.at):
        return ""
    service = service_of(reading, helpdesk_id, event.ticket)
    if thing is not None and thing.ours_id:
        return "helpdesk.told"  # it is open here, or somebody here has closed it
    if service.state != "open":
        raise Conflict("this service has ended here, so no ticket is opened for it")
    return "ticket.open"


def _of_closed(reading: Reading, helpdesk_id: str, event: Closed) -> Deed:
    thing = ticket_told(reading, helpdesk_id, event.ticket)
    span = span_of(thing)
    if not span.takes_off(event.at):
        return ""
    if thing is None:
        service_of(reading, helpdesk_id, event.ticket)
    ours = open_ticket_of(reading, thing)
    if ours is None:
        return "helpdesk.told"
    if event.at >= span.on_at:
        return "ticket.close"
    return "ticket.unassign" if ends_with(reading, thing, event.at) else "helpdesk.told"


def ends_with(reading: Reading, thing: Mirrored | None, at: int) -> list[MirroredPerson]:
    """Who was on a ticket until a closing that we hear of after it was opened again."""
    if thing is None:
        return []
    ticket = span_of(thing)
    return [
        one for one in people_of(reading, thing) if is_on(span_of_person(one), ticket) and one.on_at <= at
    ]


def _of_assigned(reading: Reading, helpdesk_id: str, event: Assigned) -> Deed:
    thing = ticket_told(reading, helpdesk_id, event.ticket)
    before = span_of_person(_person_told(reading, thing, event.mail))
    if not before.takes_on(event.at):
        return ""
    service_of(reading, helpdesk_id, event.ticket)
    ours, person = open_ticket_of(reading, thing), technician(reading, event.mail)
    now, is_over = Span(event.at, before.off_at), event.until is not None and event.until <= reading.now
    if ours is None or person is None or is_over or not is_on(now, span_of(thing)):
        return "helpdesk.told"
    if is_on(before, span_of(thing)) or _was_overruled(reading, helpdesk_id, ours, person, event.at):
        return "helpdesk.told"  # told again, and somebody here may have taken them off meanwhile
    return "ticket.assign"


def _of_unassigned(reading: Reading, helpdesk_id: str, event: Unassigned) -> Deed:
    thing = ticket_told(reading, helpdesk_id, event.ticket)
    if not takes_person_off(span_of_person(_person_told(reading, thing, event.mail)), event.at):
        return ""
    if thing is None:
        service_of(reading, helpdesk_id, event.ticket)
    return "ticket.unassign" if assigned(reading, thing, event.mail) else "helpdesk.told"


def _person_told(reading: Reading, thing: Mirrored | None, mail: str) -> MirroredPerson | None:
    """What we know of somebody on a ticket."""
    return reading.find(MirroredPerson, mirrored_id=thing.id, mail=mail) if thing else None


def assigned(reading: Reading, thing: Mirrored | None, mail: str) -> tuple[Ticket, Person] | None:
    """Our ticket and the person with that address, if they are on it now, whoever has put them there."""
    ours = open_ticket_of(reading, thing)
    person = reading.find(Person, mail=mail)
    if ours is None or person is None:
        return None
    found = reading.find(Assignment, ticket_id=ours.id, person_id=person.id)
    return (ours, person) if found is not None and found.state == "active" else None


def _of_registered(reading: Reading, helpdesk_id: str, event: Registered) -> Deed:
    thing = service_told(reading, helpdesk_id, event.reference)
    if not span_of(thing).takes_on(event.at):
        return ""
    ours = our_service(reading, thing)
    return "helpdesk.told" if ours is not None and ours.state == "open" else "service.register"


def _of_ended(reading: Reading, helpdesk_id: str, event: Ended) -> Deed:
    thing = service_told(reading, helpdesk_id, event.reference)
    span = span_of(thing)
    if not span.takes_off(event.at):
        return ""
    ours = our_service(reading, thing)
    ends = ours is not None and ours.state == "open" and event.at >= span.on_at
    return "service.end" if ends else "helpdesk.told"


_JUDGES: dict[type[Event], Callable[[Reading, str, Any], Deed]] = {
    Opened: _of_opened,
    Closed: _of_closed,
    Assigned: _of_assigned,
    Unassigned: _of_unassigned,
    Registered: _of_registered,
    Ended: _of_ended,
}
"""By what was told; who owns a ticket is looked at in parts."""
