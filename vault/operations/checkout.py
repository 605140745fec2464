"""Checking access out for a ticket: the lease, the reveal under it, and every way it ends."""

from typing import Any

from sqlalchemy import Text, bindparam, cast, func, literal, select

from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, NotSignedIn, Tampered, VaultError
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.model.tables import Agreement, Assignment, Lease, RowHead, Secret, Service, Ticket
from vault.model.views import LeaseView, RequestView
from vault.operations import approvers, notices, presence, showing
from vault.operations.asking import (
    AGREEMENT_GONE,
    lease_for,
    may,
    person_of,
    roles_of,
    service_of,
    ticket_for,
)
from vault.operations.leases import LIVE, delivery_of, end_lease, openable, puts_on
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.requests import ask_again
from vault.operations.services import type_of
from vault.operations.vault import Vault
from vault.policy.access import Delivery, Held, lease_end, require_delivery, require_live, require_openable
from vault.policy.approval import WAITS_FOR, Approver, require_patience, require_room
from vault.policy.rights import Standing
from vault.storage.keys import Opening
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, Plaintext, Reason, known_id, new_id

MOST_SECRETS = 20
_LEASES = Lease.table()
_TABLES = (Lease, Secret, Person, Assignment, Ticket, Service)


async def lease(
    vault: Vault,
    actor: Actor,
    ticket_id: str,
    secrets: list[str],
    minutes: int,
    reason: str,
    given: Presence = NOTHING,
) -> LeaseView:
    """Check secrets of a ticket out: presence is proved for this very lease, then policy judges.

    The lease ends by itself after `minutes`, and never after its service. Where the catalogue says so, it waits for the
    yes of a coordinator or the customer before it begins, a day at most: it is `asked` then. Raises NotSignedIn,
    Denied, NotFound, Ended, Invalid, Conflict, TooMany, Sealed.
    """
    known_id("tkt", ticket_id)
    why = Reason.parse(reason)
    wanted = list(dict.fromkeys(known_id("sec", one) for one in secrets))
    if not 1 <= len(wanted) <= MOST_SECRETS:
        raise Invalid(f"name 1 to {MOST_SECRETS} secrets", "/secrets")
    try:
        words = await vault.read(_in_words, actor, ticket_id, wanted, minutes)
    except (Denied, NotFound, Conflict, Invalid):
        # nobody spends a code on what is refused anyway; the deed says no, so that the record has it
        proof = ""
    else:
        deed = _deed(ticket_id, wanted, minutes, why, words)
        proof = await presence.prove(vault, actor, deed, given)
    view: LeaseView = await vault.perform(_leased, actor, ticket_id, wanted, minutes, why, proof)
    return view


def _deed(ticket_id: str, wanted: list[str], minutes: int, why: Reason, words: str = "") -> Deed:
    return Deed(words, ("lease", ticket_id, minutes, why.text, *wanted))


def _in_words(reading: Reading, actor: Actor, ticket_id: str, wanted: list[str], minutes: int) -> str:
    ticket, service = ticket_for(reading, actor, "lease.start", ticket_id)
    assignment = reading.find(Assignment, ticket_id=ticket.id, person_id=actor.id)
    if assignment is None or not puts_on(assignment.state, assignment.assigned_by, actor.id):
        raise NotFound("there is no such thing")
    approver = _approver_of(reading, person_of(reading, actor), service, wanted)
    said = {"": "", "coordinator": ", with a coordinator's yes", "customer": ", with the customer's yes"}
    what = "one login" if len(wanted) == 1 else f"{len(wanted)} logins"
    which = f"{what} of “{service.title}” for ticket {ticket.number}"
    return f"check out {which}, {minutes} minutes{said[approver]}"


def _approver_of(reading: Reading, person: Person, service: Service, wanted: list[str]) -> Approver:
    """Whose yes it takes. Raises Invalid where that is two people's, Denied and Conflict where it would be in vain."""
    found = [one for secret in wanted if (one := reading.find(Secret, id=secret)) is not None]
    approver = approvers.approver_of(reading, service, [one for one in found if one.service_id == service.id])
    if approver:
        require_room(len(reading.find_all(Lease, person_id=person.id, state="asked")))
    if approver == "coordinator" and not approvers.coordinators_for(reading, person):
        raise Denied("this takes a coordinator's yes, and there is no other coordinator who can say it now")
    if approver == "customer":
        approvers.require_customers_own(reading, service, person)
        require_patience(approvers.asked_lately(reading, service, person))
    return approver


@operation("lease.start")
def _leased(
    unit: Unit,
    actor: Actor,
    ticket_id: str,
    wanted: list[str],
    minutes: int,
    why: Reason,
    proof: str,
) -> LeaseView:
    unit.about(ticket=ticket_id)
    unit.disclose(actor.id, reason=why.text)
    person = may(unit, actor, "lease.start")
    ticket = unit.find(Ticket, id=known_id("tkt", ticket_id))
    if ticket is None:
        raise NotFound("there is no such thing")
    service = service_of(unit, ticket.service_id)
    require_delivery(delivery_of(unit, person, ticket, service), unit.now, "lease.start")
    unit.about(service=service.id, secrets=" ".join(wanted))
    approver = _approver_of(unit, person, service, wanted)
    presence.spend(unit, actor, proof, _deed(ticket_id, wanted, minutes, why))
    longest = type_of(unit, service.type, running=True).longest_lease_minutes
    ends = lease_end(minutes, longest, service.ends_at, unit.now)
    openable(unit, service, wanted)
    row = Lease(
        id=new_id("lse"),
        ticket_id=ticket.id,
        service_id=service.id,
        person_id=person.id,
        reason=why.text,
        covers=" ".join(wanted),
        minutes=minutes,
        approver=approver,
        state="asked" if approver else "active",
        starts_at=unit.now,
        expires_at=min(unit.now + WAITS_FOR, service.ends_at) if approver else ends,
    )
    unit.about(lease=row.id)
    unit.insert(row)
    if approver:
        unit.say(approver=approver)
        notices.on_asked(unit, row, service, approvers.coordinators_for(unit, person))
    return showing.lease(unit, row)


def _joined() -> Any:
    """Everything that decides a reveal, in one query: six rows, the agreement in force, whether a later one is gone."""
    lease, secret, person, assignment, ticket, service = (table.table() for table in _TABLES)
    in_force = select(func.coalesce(func.max(Agreement.table().c.id), 0)).scalar_subquery()
    later = literal("agreement:") + cast(in_force + 1, Text)
    is_gone = select(RowHead.table().c.row_id).where(RowHead.table().c.row_id == later).exists()
    query = (
        select(lease, secret, person, assignment, ticket, service, in_force, is_gone)
        .select_from(lease)
        .join(secret, (secret.c.id == bindparam("secret")) & (secret.c.service_id == lease.c.service_id))
        .join(person, person.c.id == lease.c.person_id)
        .join(ticket, ticket.c.id == lease.c.ticket_id)
        .join(service, service.c.id == lease.c.service_id)
        .outerjoin(
            assignment,
            (assignment.c.ticket_id == lease.c.ticket_id) & (assignment.c.person_id == lease.c.person_id),
        )
    )
    return query.where(lease.c.id == bindparam("lease"))


_REVEAL = _joined()
_NAMES = [table.table().name for table in _TABLES]
_SPANS: list[slice] = []
_AT: dict[str, int] = {}
for _table in _TABLES:
    _start = _SPANS[-1].stop if _SPANS else 0
    _columns = list(_table.table().columns)
    _SPANS.append(slice(_start, _start + len(_columns)))
    _AT.update({f"{_table.table().name}.{column.key}": _start + at for at, column in enumerate(_columns)})
_IN_FORCE_AT = _SPANS[-1].stop
_GUARDED_FIELDS = {
    name: frozenset(field.name for field in kind.all_fields if field.secret)
    for name, kind in KINDS.items()
    if kind.extraordinary
}
"""What opens only with a proof of its own, by kind."""
_SECRET_COLUMNS = [column.key for column in Secret.table().columns]


async def open_field(
    vault: Vault, actor: Actor, lease_id: str, secret_id: str, field: str, given: Presence = NOTHING
) -> Plaintext:
    """One field of a secret under a lease, once the record of it is durable.

    What is secret of an extraordinary kind takes a proof of presence each time. Raises as `reveal`; ProofNeeded,
    TooMany.
    """
    proof = ""
    if secret_id not in _ORDINARY:
        words = await vault.read(_extraordinary, actor, lease_id, secret_id, field)
        if words:
            proof = await presence.prove(vault, actor, _look(lease_id, secret_id, field, words), given)
    return await vault.perform(reveal, actor, lease_id, secret_id, field, proof)


_ORDINARY: set[str] = set()
"""Secrets that need no proof of their own, so that most openings ask nothing twice: of which sort a secret is never
changes. It only spares a question; what is extraordinary is refused without its proof by `reveal` itself."""
_MOST_ORDINARY = 100_000


def _extraordinary(reading: Reading, actor: Actor, lease_id: str, secret_id: str, field: str) -> str:
    """The opening in words, where it takes a proof and is not refused anyway; else nothing."""
    try:
        lease = lease_for(reading, actor, "secret.reveal", lease_id)
    except VaultError:
        return ""  # refused in the deed, where it is recorded
    secret = reading.find(Secret, id=secret_id) if secret_id in lease.covers.split() else None
    if secret is None or lease.person_id != actor.id or lease.state != "active":
        return ""
    if secret.kind not in _GUARDED_FIELDS:
        if len(_ORDINARY) >= _MOST_ORDINARY:
            _ORDINARY.clear()
        _ORDINARY.add(secret.id)
        return ""
    if field not in _GUARDED_FIELDS[secret.kind]:
        return ""
    kind, service = KINDS[secret.kind], service_of(reading, lease.service_id)
    if reading.now >= lease.expires_at or service.paused_at is not None:
        return ""
    return f"open the {kind.field(field).called} of “{kind.title}” for “{service.title}”"


def _look(lease_id: str, secret_id: str, field: str, words: str = "") -> Deed:
    return Deed(words, ("reveal", lease_id, secret_id, field))


@operation("secret.reveal")
def reveal(unit: Unit, actor: Actor, lease_id: str, secret_id: str, field: str, proof: str = "") -> Opening:
    """Let a technician see one field of a secret under a lease; `vault.perform` turns it into the plaintext.

    Judged in the transaction of its record, by rows that match their newest entries. Raises NotSignedIn, Denied,
    NotFound, Ended, Conflict, Tampered; StaleProof where what is extraordinary is opened without a proof for this.
    """
    unit.say(lease=known_id("lse", lease_id), secret=known_id("sec", secret_id))
    row = unit.connection.execute(_REVEAL, {"lease": lease_id, "secret": secret_id}).first()
    if row is None:
        raise NotFound("there is no such thing")
    if actor.kind != "person":
        raise NotSignedIn("nobody is signed in")
    if row[_AT["lease.person_id"]] != actor.id:
        raise NotFound("there is no such thing")
    _check_digests(unit, row)
    unit.say(service=row[_AT["lease.service_id"]], ticket=row[_AT["lease.ticket_id"]])
    in_force, is_gone = row[_IN_FORCE_AT], row[_IN_FORCE_AT + 1]
    if is_gone:
        raise Tampered(AGREEMENT_GONE)
    delivery = Delivery(
        standing=Standing(
            id=row[_AT["person.id"]],
            roles=roles_of(row[_AT["person.roles"]]),
            state=row[_AT["person.state"]],
            agreed=0 < in_force == row[_AT["person.agreed_version"]],
            rested=unit.now >= row[_AT["person.rests_until"]],
            scopes=actor.scopes,
        ),
        assigned=puts_on(row[_AT["assignment.state"]], row[_AT["assignment.assigned_by"]], actor.id),
        ticket_open=row[_AT["ticket.state"]] == "open",
        service_open=row[_AT["service.state"]] == "open",
        service_ends_at=row[_AT["service.ends_at"]],
        paused=row[_AT["service.paused_at"]] is not None,
    )
    held = Held(
        person_id=row[_AT["lease.person_id"]],
        state=row[_AT["lease.state"]],
        expires_at=row[_AT["lease.expires_at"]],
        covers=row[_AT["lease.covers"]].split(),
        approver=row[_AT["lease.approver"]],
        decided_by=row[_AT["lease.decided_by"]],
    )
    require_live(held, secret_id, delivery, unit.now)
    require_openable(row[_AT["secret.state"]])
    unit.say(version=str(row[_AT["secret.version"]]))
    if not field:  # the empty name is all of a secret, for the core's check alone
        raise NotFound("there is no such field")
    if field in _GUARDED_FIELDS.get(row[_AT["secret.kind"]], ()):
        presence.spend(unit, actor, proof, _look(lease_id, secret_id, field))
    secret = dict(zip(_SECRET_COLUMNS, row[_SPANS[1]], strict=True))
    opening = unit.opening(secret, field)
    unit.say(field=field)
    notices.on_opening(unit, lease_id, secret, row[_AT["service.customer_id"]])
    return opening


def _check_digests(unit: Unit, row: Any) -> None:
    """Every row that decides must be the one its newest entry names."""
    for name, span in zip(_NAMES, _SPANS, strict=True):
        values = tuple(row[span])
        if values[0] is not None:  # without an assignment policy says no by itself
            unit.trust(name, values[0], values)


@operation("lease.check-in", in_any_time=True)
def check_in(unit: Unit, actor: Actor, lease_id: str) -> None:
    """Hand access back before its time, or take back what waits for a yes, whatever else has changed meanwhile.

    Raises NotSignedIn, NotFound, Ended.
    """
    unit.about(lease=lease_id)
    person = person_of(unit, actor)
    lease = unit.find(Lease, id=known_id("lse", lease_id))
    if lease is None or lease.person_id != person.id:
        raise NotFound("there is no such thing")
    unit.about(service=lease.service_id, ticket=lease.ticket_id)
    _require_live(unit, lease)
    end_lease(unit, lease, "check-in" if lease.state == "active" else "taken back")


@operation("lease.revoke", in_any_time=True)
def revoke(unit: Unit, actor: Actor, lease_id: str) -> None:
    """Take access back at once, as a coordinator, or turn down what waits for any yes.

    Raises NotSignedIn, Denied, NotFound, Ended.
    """
    unit.about(lease=lease_id)
    lease = lease_for(unit, actor, "lease.revoke", lease_id)
    unit.about(service=lease.service_id, ticket=lease.ticket_id, holder=lease.person_id)
    _require_live(unit, lease)
    end_lease(unit, lease, "revocation")


def _require_live(unit: Unit, lease: Lease) -> None:
    if lease.state not in LIVE or unit.now >= lease.expires_at:
        raise Ended("this lease has ended already")


async def report_broken(vault: Vault, actor: Actor, lease_id: str, secret_id: str, note: str) -> RequestView:
    """Say that a login does not work: the customer is asked for it again; the present one stays until then.

    Raises NotSignedIn, Denied, NotFound, Ended, Invalid, Conflict.
    """
    why = Reason.parse(note, "/note")
    deliver = "mail" if vault.settings.smtp_host else "hand"
    view: RequestView = await vault.perform(_reported, actor, lease_id, secret_id, why, deliver)
    return view.model_copy(
        update={"code": None, "link": None}
    )  # a technician does not hold a customer's form


@operation("secret.report")
def _reported(
    unit: Unit, actor: Actor, lease_id: str, secret_id: str, why: Reason, deliver: str
) -> RequestView:
    unit.about(lease=lease_id, secret=secret_id)
    lease = lease_for(unit, actor, "secret.report", lease_id)
    if lease.person_id != actor.id or known_id("sec", secret_id) not in lease.covers.split():
        raise NotFound("there is no such thing")
    _require_live(unit, lease)
    if lease.state == "asked":
        raise Conflict("this lease waits for another person's yes, and has opened nothing yet")
    secret = unit.find(Secret, id=secret_id)
    service = service_of(unit, lease.service_id)
    unit.about(service=service.id, ticket=lease.ticket_id)
    unit.disclose(actor.id, note=why.text)
    if secret is None or service.state != "open":
        raise Ended("this service has ended")
    if secret.asked_version > secret.version:
        raise Conflict("the customer was asked for this one again already")
    return ask_again(unit, actor.id, service, [secret], deliver)


def leases(reading: Reading, actor: Actor) -> list[LeaseView]:
    """A technician's own leases, or for a coordinator every one that is active or waits too; the newest first.

    Raises NotSignedIn or Denied.
    """
    person = may(reading, actor, "lease.list")
    query = select(_LEASES).order_by(_LEASES.c.starts_at.desc(), _LEASES.c.id).limit(100)
    query = query.where(
        _LEASES.c.person_id == person.id
        if "coordinator" not in roles_of(person.roles)
        else _LEASES.c.state.in_(LIVE) | (_LEASES.c.person_id == person.id)
    )
    return [showing.lease(reading, Lease(**row)) for row in reading.rows(query)]


def lease_view(reading: Reading, actor: Actor, lease_id: str) -> LeaseView:
    """One lease, for its holder or a coordinator. Raises NotSignedIn, Denied or NotFound."""
    return showing.lease(reading, lease_for(reading, actor, "lease.list", lease_id))
