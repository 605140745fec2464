"""What customers are told: where a change leaves word of it, and what the mail then says by the rows of that moment.

Their address and language come from a row that matches the ledger, or a bent row could send their mail elsewhere. What
a notice names besides, like a title, decides nothing, and is said even where its row was bent: silence would be worse.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from sqlalchemy import select

from vault.errors import Conflict, NotFound
from vault.model.desk import Review
from vault.model.keylines import longer, stops_on
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.model.rows import Row
from vault.model.tables import (
    Certificate,
    Customer,
    Disclosed,
    Lease,
    Outbox,
    Request,
    Secret,
    Service,
    Ticket,
)
from vault.model.visits import Visit
from vault.operations import showing
from vault.operations.customers.forms import reference_of
from vault.operations.customers.offering import mark_of
from vault.operations.customers.visits import page_link
from vault.operations.house.audit import facts_of
from vault.outbox import customers, gathered, words
from vault.outbox.addressee import To
from vault.outbox.gathered import Notice
from vault.outbox.mail import Mail
from vault.storage.reading import Reading
from vault.storage.unit import Unit
from vault.values import DAY, MINUTE, Actor, clock_words, to_datetime

GATHERED = frozenset(gathered.NOTICES)
"""What can wait for others, in one mail or in the day's digest. The rest has a mail of its own, at once."""
SETTLES = 3 * MINUTE
"""How long a receipt waits for the others of the same form."""
ENDING = 7 * DAY
Opened = Literal["reveal", "use", "code"]
_FIRST = {"reveal": "secret.first-use", "use": "secret.first-handed", "code": "secret.first-code"}
_EACH = {"reveal": "secret.used", "use": "secret.handed", "code": "secret.code"}
R = TypeVar("R", bound=Row)
_DISCLOSED = Disclosed.table()
_ADDRESSES = select(_DISCLOSED.c.seq).where(_DISCLOSED.c.name == "mail").order_by(_DISCLOSED.c.seq)


# -- leaving word, as part of a change ---------------------------------------------------------------------------------


def on_received(unit: Unit, secret: Secret, service: Service) -> None:
    """What the customer gave passed the core's check."""
    unit.notify("secret.received", secret.id, service.customer_id, at=unit.now + SETTLES)


def on_opening(
    unit: Unit, lease_id: str, secret: Mapping[str, Any], customer_id: str, way: Opened = "reveal"
) -> None:
    """Somebody opens a field: the first opening of what was given is told, and each one of an extraordinary kind.

    So is the first look, where programs were handed it before. `way` is whether it was shown, handed to a program, or
    only a code was made of it. What was opened before stands in the secret's own row, which a reveal has read and
    checked anyway. So all but the first openings cost a comparison of numbers here, and no word to the database.
    """
    version = secret["version"]
    before = secret["shown_version" if way == "reveal" else "opened_version"]
    if before != version:
        known = {"opened_version": version} | ({"shown_version": version} if way == "reveal" else {})
        unit.change(Secret(**secret), **known)
        unit.notify(_FIRST[way], f"{lease_id} {secret['id']}", customer_id)
    elif KINDS[secret["kind"]].extraordinary:
        unit.notify(_EACH[way], f"{lease_id} {secret['id']}", customer_id)


def on_new_end(unit: Unit, service: Service) -> None:
    """A service has an end, or another one: the customer hears of it seven days before.

    The word that was left for an end that moved away says nothing any more when its time comes. Who registers a
    service for less than a week tells its end by asking.
    """
    at = service.ends_at - ENDING
    if at > unit.now or service.created_at < unit.now:
        unit.notify("service.ending", service.id, service.customer_id, at=max(at, unit.now))


def on_short_lines(unit: Unit, service: Service) -> None:
    """A service lasts longer than before: the lines that its customer added do not, so they hear of others."""
    if _short_lines(unit, service):
        unit.notify("service.lines", service.id, service.customer_id)


def _short_lines(reading: Reading, service: Service) -> list[Secret]:
    """What serves by a line that stops before the service ends."""
    held = reading.find_all_unchecked(Secret, service_id=service.id)
    until = to_datetime(service.ends_at)
    return [one for one in held if longer(one.state, one.made_line, until)]


def on_asked(unit: Unit, lease: Lease, service: Service, coordinators: Sequence[Person]) -> None:
    """A lease waits for a yes: whoever can say it hears of it at once."""
    if lease.approver == "customer":
        unit.notify("lease.asked", lease.id, service.customer_id)
        return
    for coordinator in coordinators:
        unit.notify("staff.lease-asked", f"{lease.id} {coordinator.id}", coordinator.id)


def on_decided(unit: Unit, how: Literal["approved", "refused", "lapsed"], lease: Lease) -> None:
    """It waits no longer: who asked hears how it ended."""
    unit.notify(f"staff.lease-{how}", f"{lease.id} {lease.person_id}", lease.person_id)


def on_moved(unit: Unit, customer: Customer, number: int) -> None:
    """A customer's address changed, with which their link became that number: both addresses hear of it."""
    unit.notify("customer.moved", f"{customer.id} {number}", customer.id)
    # in a row of its own, so that a mailbox that is gone keeps nothing from the new one
    unit.notify("customer.moved-from", f"{customer.id} {number}")


# -- saying it, when the mail is sent ----------------------------------------------------------------------------------


def told(reading: Reading, _actor: Actor, rows: Sequence[Outbox]) -> Mail | None:
    """One mail about all of these notices to one customer; None where nothing of it is news any more."""
    to = _to(reading, _customer(reading, rows[0].to_id))
    said = [notice for row in rows if (notice := _notice(reading, row)) is not None]
    return gathered.told(to, said) if said else None


def _notice(reading: Reading, row: Outbox) -> Notice | None:
    """What a row is about, or None where it is not true any more."""
    ids = {one[:3]: one for one in row.subject_id.split()}
    secret, lease = _any(reading, Secret, ids.get("sec")), _any(reading, Lease, ids.get("lse"))
    service = _any(reading, Service, secret.service_id if secret else ids.get("svc"))
    if service is None or not _is_news(reading, row.template, service, secret):
        return None
    ticket = _any(reading, Ticket, lease.ticket_id if lease else None)
    return Notice(
        row.template,
        to_datetime(row.created_at),
        service.title,
        what=KINDS[secret.kind].title if secret else "",
        who=_name(reading, lease.person_id) if lease else "",
        ticket=ticket.number if ticket else "",
        reference=reference_of(secret) if secret else "",
        ends=to_datetime(service.ends_at),
    )


def _is_news(reading: Reading, template: str, service: Service, secret: Secret | None) -> bool:
    match template:
        case "secret.received":
            return secret is not None and secret.state == "checked"
        case "service.ending":
            return service.state == "open" and 0 < service.ends_at - reading.now <= ENDING
        case "service.ended":
            return service.state != "destroyed"  # else the certificate has said so
    return True


def asked(reading: Reading, _actor: Actor, request_id: str, code: str) -> Mail:
    """Ask for access, with the form's link. Raises NotFound."""
    request = _sure(reading.find(Request, id=request_id))
    asker = _sure(reading.find(Person, id=request.asked_by))
    service = _sure(reading.find(Service, id=request.service_id))
    link = f"{reading.settings.origin}/give#{code}"
    to = _to(reading, _customer(reading, service.customer_id))
    return customers.asked(to, service.title, asker.name, link, to_datetime(request.expires_at))


def lease_asked(reading: Reading, _actor: Actor, lease_id: str) -> Mail:
    """Ask a customer whether a lease may begin, for as long as it waits. Raises NotFound, Conflict."""
    lease = _sure(reading.find(Lease, id=lease_id))
    if lease.state != "asked" or reading.now >= lease.expires_at:
        raise Conflict("it was decided, or is late")
    service = _sure(reading.find(Service, id=lease.service_id))
    ticket = _any(reading, Ticket, lease.ticket_id)
    later = lease.begins_at if _is_later(reading, lease.begins_at) else None
    return customers.lease_asked(
        _to(reading, _customer(reading, service.customer_id)),
        service.title,
        who=_name(reading, lease.person_id),
        ticket=ticket.number if ticket else "",
        what=_logins(reading, lease),
        minutes=lease.minutes,
        until=to_datetime(lease.expires_at),
        begins=None if later is None else to_datetime(later),
    )


def glass_broken(reading: Reading, _actor: Actor, lease_id: str) -> Mail:
    """Tell a customer that a lease began without the yes it takes, also when it is over by now. Raises NotFound."""
    lease = _sure(reading.find(Lease, id=lease_id))
    review = _sure(reading.find(Review, id=lease.review_id))
    service = _sure(reading.find(Service, id=lease.service_id))
    ticket = _any(reading, Ticket, lease.ticket_id)
    return customers.glass_broken(
        _to(reading, _customer(reading, service.customer_id)),
        service.title,
        who=_name(reading, lease.person_id),
        ticket=ticket.number if ticket else "",
        what=_logins(reading, lease),
        when=to_datetime(review.created_at),
        until=to_datetime(lease.expires_at),
    )


def _logins(reading: Reading, lease: Lease) -> list[str]:
    """The titles of what a lease is for."""
    found = [_any(reading, Secret, one) for one in lease.covers.split()]
    return [KINDS[one.kind].title for one in found if one]


def lease_told(reading: Reading, _actor: Actor, template: str, subject: str) -> Mail | None:
    """Tell one of the staff of a lease that waits or waited for a yes; None where it is no news any more."""
    lease_id, person_id = subject.split()
    lease, to = _sure(reading.find(Lease, id=lease_id)), _sure(reading.find(Person, id=person_id))
    is_over = reading.now >= lease.expires_at
    is_news = {
        "staff.lease-asked": lease.state == "asked" and not is_over,
        "staff.lease-approved": lease.state == "active" and not is_over,
        "staff.lease-refused": lease.ended_how == "refused",
        "staff.lease-lapsed": lease.ended_how == "not answered",
    }
    if not is_news[template] or to.state != "active":
        return None
    service, ticket = _any(reading, Service, lease.service_id), _any(reading, Ticket, lease.ticket_id)
    by = "the customer" if lease.approver == "customer" else ""
    place = "approvals" if template == "staff.lease-asked" else "leases"
    from_then = f"from {clock_words(lease.starts_at)}" if _is_later(reading, lease.starts_at) else ""
    return words.lease(
        template,
        to.mail,
        to.name,
        reading.settings.business,
        f"{reading.settings.origin}/{place}/{lease.id}",
        who=_name(reading, lease.person_id),
        by=by or _name(reading, lease.decided_by) or "a coordinator",
        service=service.title if service else "",
        ticket=ticket.number if ticket else "",
        minutes=str(lease.minutes),
        begins=f", from {clock_words(lease.begins_at or 0)} on"
        if _is_later(reading, lease.begins_at)
        else "",
        runs=f"{from_then} until {clock_words(lease.expires_at)}".strip(),
    )


def _is_later(reading: Reading, moment: int | None) -> bool:
    return moment is not None and reading.now < moment


def destroyed(reading: Reading, _actor: Actor, service_id: str) -> Mail:
    """Send the certificate of a service, and say which lines are to be removed. Raises NotFound."""
    service = _sure(reading.find(Service, id=service_id))
    found = _sure(reading.find(Certificate, id=service_id))
    certified = json.loads(found.note.partition("\n")[0])
    was_offered = any(
        secret.asked_kind in KINDS and KINDS[secret.asked_kind].instead
        for secret in reading.find_all_unchecked(Secret, service_id=service_id)
    )
    return customers.destroyed(
        _to(reading, _customer(reading, service.customer_id)),
        service.title,
        found.note,
        lines=[removed["line"] for removed in certified["remove"]],
        mark=mark_of(service_id) if was_offered else "",
    )


def lines(reading: Reading, _actor: Actor, service_id: str) -> Mail:
    """Send the lines that let us in until the service's new end. Raises NotFound, Conflict where none is needed."""
    service = _sure(reading.find(Service, id=service_id))
    short = _short_lines(reading, service)
    if service.state != "open" or not short:
        raise Conflict("no line stops before the service ends")
    until = to_datetime(service.ends_at)
    return customers.lines(
        _to(reading, _customer(reading, service.customer_id)),
        service.title,
        until,
        stops=min(stops_on(one.made_line) for one in short),
        lines=[longer(one.state, one.made_line, until) for one in short],
    )


def code(reading: Reading, _actor: Actor, visit_id: str, customer_id: str, minted: str) -> Mail:
    """Send the code that opens the customer's page; also while the vault is sealed. Raises NotFound."""
    visit = _sure(reading.find(Visit, id=visit_id))
    to = _to(reading, _customer(reading, customer_id), with_page=False)
    return customers.code(to, minted, to_datetime(visit.expires_at))


def moved(reading: Reading, _actor: Actor, template: str, subject: str) -> Mail:
    """Tell the former or the new address. Which they were is known from the ledger's disclosures alone.

    Raises NotFound when these were erased.
    """
    customer_id, number = subject.split()
    at = int(number) - 1
    customer = _customer(reading, customer_id)
    seqs = list(
        reading.connection.execute(_ADDRESSES.where(_DISCLOSED.c.subject_id == customer_id)).scalars()
    )
    facts = facts_of(reading, seqs)
    addresses = [facts[seq]["mail"] for seq in seqs if "mail" in facts.get(seq, {})]
    if not 0 < at < len(addresses):
        raise NotFound("it is not known any more what the address was")
    former, new = addresses[at - 1], addresses[at]
    is_new = template == "customer.moved"
    to = _to(reading, customer, mail=new if is_new else former, with_page=is_new)
    return customers.moved(to, former, new)


def passkey(reading: Reading, _actor: Actor, customer_id: str) -> Mail:
    """Tell of a change to the passkeys of a customer's page. Raises NotFound."""
    return customers.passkey(_to(reading, _customer(reading, customer_id)))


def _to(reading: Reading, customer: Customer, *, mail: str = "", with_page: bool = True) -> To:
    return To(
        mail or customer.mail,
        customer.name,
        reading.settings.business,
        customer.language,
        page_link(reading, customer) if with_page else "",
    )


def _customer(reading: Reading, customer_id: str) -> Customer:
    return _sure(reading.find(Customer, id=customer_id))


def _sure(row: R | None) -> R:
    if row is None:
        raise NotFound("there is no such thing")
    return row


def _name(reading: Reading, person_id: str) -> str:
    """The name of one of the staff, as the row is there."""
    return showing.names_of(reading, [person_id]).get(person_id, "")


def _any(reading: Reading, model: type[R], row_id: str | None) -> R | None:
    """The row as it is there, for what decides nothing."""
    found = reading.find_all_unchecked(model, id=row_id) if row_id else []
    return found[0] if found else None
