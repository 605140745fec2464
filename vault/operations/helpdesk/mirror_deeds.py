"""What a helpdesk's word changes here, each with its entry: what was told, and then what of ours comes of it.

Each is judged again in its transaction; whatever came in between decides.
"""

from typing import Any

from vault.errors import Conflict
from vault.helpdesk.events import (
    Assigned,
    Closed,
    Ended,
    Event,
    Opened,
    Registered,
    Unassigned,
)
from vault.helpdesk.events import Ticket as Told
from vault.model.helpdesks import Helpdesk, Mirrored, MirroredPerson
from vault.model.people import Person
from vault.model.tables import Customer, Service
from vault.operations.asking import active
from vault.operations.customers import customers
from vault.operations.helpdesk import helpdesks, mirrored
from vault.operations.helpdesk.mirrored import span_of, span_of_person
from vault.operations.house import destruction
from vault.operations.leases import witnesses
from vault.operations.services import services, tickets
from vault.policy import mirroring as policy
from vault.policy.rights import COORDINATOR
from vault.storage.unit import Operation, Unit, operation
from vault.values import DAY, Actor, new_id


def _judged(unit: Unit, actor: Actor, event: Event) -> Helpdesk:
    """The helpdesk that tells, once it is clear that its word still comes to what this operation does."""
    helpdesk = helpdesks.require_active(unit, actor)
    if mirrored.deed_of(unit, actor, event) != unit.draft.type:
        raise Conflict("something else was told or done meanwhile")
    return helpdesk


@operation("helpdesk.told")
def _told(unit: Unit, actor: Actor, event: Event) -> None:
    """A word that changes nothing of ours yet, and with which later ones will be compared."""
    helpdesk = _judged(unit, actor, event)
    match event:
        case Opened():
            _note(unit, helpdesk, event.ticket, opened_at=event.at)
        case Closed():
            _note(unit, helpdesk, event.ticket, closed_at=event.at)
        case Assigned():
            _note_on(unit, helpdesk, event)
        case Unassigned():
            _note_off(unit, helpdesk, event)
        case Registered():
            _note_service(unit, helpdesk, event.reference, opened_at=event.at)
        case Ended():
            _note_service(unit, helpdesk, event.reference, closed_at=event.at)


@operation("ticket.open")
def _opened(unit: Unit, actor: Actor, event: Opened) -> None:
    """Open a ticket of ours, also for one that was closed there and here, with all who were put on it meanwhile."""
    helpdesk = _judged(unit, actor, event)
    service = mirrored.service_of(unit, helpdesk.id, event.ticket)
    unit.about(service=service.id)
    ticket = tickets.put_ticket(unit, service, event.ticket.number, event.ticket.title)
    thing = _note(unit, helpdesk, event.ticket, opened_at=event.at, ours_id=ticket.id)
    put = []
    for told in mirrored.people_of(unit, thing):
        person = mirrored.technician(unit, told.mail)
        is_over = told.until is not None and told.until <= unit.now
        if person is not None and not is_over and policy.is_on(span_of_person(told), span_of(thing)):
            alone = mirrored.is_alone(unit, person, told.put_by)
            tickets.put_on(unit, helpdesk.id, ticket, person, _until(service, told), alone=alone)
            put.append(person.id)
    if put:
        unit.about(person=" ".join(put))


@operation("ticket.assign")
def _assigned(unit: Unit, actor: Actor, event: Assigned) -> None:
    """Put a technician on a ticket; alone, unless a coordinator is known to have done it."""
    helpdesk = _judged(unit, actor, event)
    told = _note_on(unit, helpdesk, event)
    service = mirrored.service_of(unit, helpdesk.id, event.ticket)
    ticket = mirrored.open_ticket_of(unit, mirrored.ticket_told(unit, helpdesk.id, event.ticket))
    person = mirrored.technician(unit, event.mail)
    if ticket is None or person is None:
        raise Conflict("there is nobody to put on this ticket, or it is closed")
    unit.about(service=service.id, ticket=ticket.id, person=person.id)
    alone = mirrored.is_alone(unit, person, event.by)
    tickets.put_on(unit, helpdesk.id, ticket, person, _until(service, told), alone=alone)


@operation("ticket.unassign", in_any_time=True)
def _unassigned(unit: Unit, actor: Actor, event: Unassigned | Closed) -> None:
    """Take somebody off a ticket, whoever has put them on it; or those who were on it before a late closing."""
    helpdesk = _judged(unit, actor, event)
    thing = mirrored.ticket_told(unit, helpdesk.id, event.ticket)
    ticket = mirrored.open_ticket_of(unit, thing)
    if ticket is None:
        raise Conflict("this ticket is closed")
    if isinstance(event, Closed):
        gone = [one.mail for one in mirrored.ends_with(unit, thing, event.at)]
        _note(unit, helpdesk, event.ticket, closed_at=event.at)
    else:
        gone = [event.mail]
        _note_off(unit, helpdesk, event)
    people = [person for mail in gone if (person := unit.find(Person, mail=mail)) is not None]
    unit.about(service=ticket.service_id, ticket=ticket.id, person=" ".join(one.id for one in people))
    for person in people:
        tickets.take_off(unit, ticket.id, person.id)


@operation("ticket.close", in_any_time=True)
def _closed(unit: Unit, actor: Actor, event: Closed) -> None:
    """Close a ticket; its leases end with it. Opened again there, it is another one here."""
    helpdesk = _judged(unit, actor, event)
    ticket = mirrored.open_ticket_of(unit, mirrored.ticket_told(unit, helpdesk.id, event.ticket))
    if ticket is None:
        raise Conflict("this ticket is closed already")
    unit.about(service=ticket.service_id, ticket=ticket.id)
    tickets.close_ticket(unit, ticket)
    _note(unit, helpdesk, event.ticket, closed_at=event.at, ours_id="")


@operation("customer.add")
def customer_added(unit: Unit, actor: Actor, customer: Customer, generation: int) -> None:
    """A customer for whom a helpdesk registers a service."""
    helpdesk = helpdesks.require_active(unit, actor)
    unit.about(customer=customer.id)
    customers.put_customer(unit, customer, helpdesk.id, generation, once=True)


@operation("service.register")
def registered(unit: Unit, actor: Actor, event: Registered, service: Service, generation: int) -> None:
    """Register a service, of which this helpdesk tells from now on. Nobody is asked for anything by it."""
    unit.about(service=service.id, customer=service.customer_id, key=service.key_id)
    helpdesk = _judged(unit, actor, event)
    services.require_registrable(unit, service.customer_id, service.type, service.ends_at)
    services.put_service(unit, service, generation)
    _note_service(unit, helpdesk, event.reference, opened_at=event.at, ours_id=service.id)


@operation("service.end")
def _ended(unit: Unit, actor: Actor, event: Ended) -> None:
    """End a service, with a grace in which a coordinator can undo it, whatever its type says: nothing is destroyed."""
    helpdesk = _judged(unit, actor, event)
    thing = mirrored.service_told(unit, helpdesk.id, event.reference)
    service = mirrored.our_service(unit, thing)
    if service is None:
        raise Conflict("there is no such service any more")
    unit.about(service=service.id)
    days = max(policy.GRACE_DAYS, services.type_of(unit, service.type, running=True).grace_days)
    destruction.end_service(unit, service, unit.now + days * DAY)
    _note_service(unit, helpdesk, event.reference, closed_at=event.at)
    _tell_coordinators(unit, "staff.helpdesk-ends", helpdesk, service.id)


DEEDS: dict[str, Operation[[Any], None]] = {
    operation.entry_type: operation for operation in (_told, _opened, _assigned, _unassigned, _closed, _ended)
}


# -- what it has told ----------------------------------------------------------------------------------------------


def _note(unit: Unit, helpdesk: Helpdesk, told: Told, **said: Any) -> Mirrored:
    return _note_thing(unit, helpdesk, "ticket", told.reference, said)


def _note_service(unit: Unit, helpdesk: Helpdesk, reference: str, **said: Any) -> None:
    _note_thing(unit, helpdesk, "service", reference, said)


def _note_thing(unit: Unit, helpdesk: Helpdesk, thing: str, reference: str, said: dict[str, Any]) -> Mirrored:
    found = unit.find(Mirrored, helpdesk_id=helpdesk.id, thing=thing, reference=reference)
    if found is not None:
        if said:
            unit.change(found, **said)
        return found
    made = Mirrored(id=new_id("mir"), helpdesk_id=helpdesk.id, thing=thing, reference=reference, **said)
    unit.insert(made)
    return made


def _note_on(unit: Unit, helpdesk: Helpdesk, event: Assigned) -> MirroredPerson:
    """Coordinators hear of somebody whom nobody can put on a ticket: nothing is guessed."""
    if mirrored.technician(unit, event.mail) is None:
        unit.disclose(helpdesk.id, mail=event.mail)
        _tell_coordinators(unit, "staff.helpdesk-unknown", helpdesk, "")
    return _note_person(
        unit, helpdesk, event.ticket, event.mail, on_at=event.at, put_by=event.by, until=event.until
    )


def _note_off(unit: Unit, helpdesk: Helpdesk, event: Unassigned) -> None:
    _note_person(unit, helpdesk, event.ticket, event.mail, off_at=event.at)


def _note_person(unit: Unit, helpdesk: Helpdesk, told: Told, mail: str, **said: Any) -> MirroredPerson:
    thing = _note(unit, helpdesk, told)
    found = unit.find(MirroredPerson, mirrored_id=thing.id, mail=mail)
    if found is not None:
        unit.change(found, **said)
        return found
    made = MirroredPerson(id=new_id("mir"), mirrored_id=thing.id, mail=mail, **said)
    unit.insert(made)
    return made


def _until(service: Service, told: MirroredPerson) -> int | None:
    """An assignment ends with its service at the latest."""
    return None if told.until is None else min(told.until, service.ends_at)


def _tell_coordinators(unit: Unit, template: str, helpdesk: Helpdesk, about: str) -> None:
    """Once a day each, whatever the helpdesk goes on to say; of each service by itself."""
    witnesses.tell(unit, template, f"{helpdesk.id} {about}".strip(), active(unit, COORDINATOR))
