"""Checking access out for a ticket: the lease, the reveal under it, and every way it ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, VaultError
from vault.model.codes import OneTimeCode
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.model.tables import Assignment, Lease, Secret, Service
from vault.model.views import LeaseView, RequestView
from vault.operations import presence, showing
from vault.operations.asking import (
    lease_for,
    may,
    own_lease,
    person_of,
    roles_of,
    service_of,
    ticket_for,
    ticket_of,
)
from vault.operations.customers.requests import ask_again
from vault.operations.house import notices
from vault.operations.leases import approvers, glass, openings, witnesses
from vault.operations.leases.leases import (
    LIVE,
    delivering,
    end_lease,
    extendable,
    logins,
    longest_of,
    openable,
    over_at,
    require_free,
)
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.vault import Vault
from vault.policy.access import lease_end, lease_start
from vault.policy.approval import WAITS_FOR
from vault.storage.keys import CodeOpening, Opening
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, Plaintext, Reason, clock_words, known_id, new_id, to_moment

Way = Literal["reveal", "use", "code"]
MOST_SECRETS = 20
_LEASES = Lease.table()


async def lease(
    vault: Vault,
    actor: Actor,
    ticket_id: str,
    secrets: list[str],
    minutes: int,
    reason: str,
    given: Presence = NOTHING,
    begins_at: datetime | None = None,
) -> LeaseView:
    """Check secrets of a ticket out: presence is proved for this very lease, then policy judges.

    The lease begins at once, or at `begins_at`, 30 days ahead at most; it ends by itself after `minutes`, and never
    after its service. Where the catalogue says so, it waits for the yes of a coordinator or the customer before it
    begins, a day at most or until it was to begin: it is `asked` then. So it does where its holder has opened too many
    services within a day. Raises NotSignedIn, Denied, NotFound, Ended, Invalid, Conflict (also where somebody else has
    what is lent to one at a time), TooMany, Sealed.
    """
    known_id("tkt", ticket_id)
    why = Reason.parse(reason)
    wanted = tuple(dict.fromkeys(known_id("sec", one) for one in secrets))
    if not 1 <= len(wanted) <= MOST_SECRETS:
        raise Invalid(f"name 1 to {MOST_SECRETS} secrets", "/secrets")
    begins = None if begins_at is None else int(to_moment(begins_at))
    wish = Wish(ticket_id, wanted, minutes, why, begins)
    proof = await presence.proved(vault, given, _deed_of, actor, wish)
    return await vault.perform(_leased, actor, wish, proof)


@dataclass(frozen=True)
class Wish:
    """What somebody wants to check out."""

    ticket: str
    secrets: tuple[str, ...]
    minutes: int
    why: Reason
    begins: int | None = None

    def deed(self, words: str = "") -> Deed:
        """To do so, by all that makes it up."""
        parts: tuple[str | int, ...] = ("lease", self.ticket, self.minutes, self.why.text, *self.secrets)
        return Deed(words, parts if self.begins is None else (*parts, self.begins))


def _deed_of(reading: Reading, actor: Actor, wish: Wish) -> Deed:
    ticket, service = ticket_for(reading, actor, "lease.start", wish.ticket)
    person = person_of(reading, actor)
    assignment = delivering(reading, person, ticket, service, "lease.start")
    needed, _, _ = _judged(reading, person, assignment, service, wish)
    said = {"": "", "coordinator": ", with a coordinator's yes", "customer": ", with the customer's yes"}
    which = f"{logins(wish.secrets)} of “{service.title}” for ticket {ticket.number}"
    since = f" from {clock_words(wish.begins)} on" if wish.begins else ""
    return wish.deed(f"check out {which}, {wish.minutes} minutes{since}{said[needed.approver]}")


def _judged(
    reading: Reading, person: Person, assignment: Assignment, service: Service, wish: Wish
) -> tuple[approvers.Needed, int, int]:
    """Whose yes a lease takes that is asked for now, and from when to when it lasts. Raises as `lease`."""
    over, wanted = over_at(service, assignment), list(wish.secrets)
    starts = lease_start(wish.begins, over, reading.now)
    ends = lease_end(wish.minutes, longest_of(reading, service), over, starts)
    openable(reading, service, wanted)
    needed = approvers.needed(reading, person, assignment, service, wanted, starts)
    require_free(reading, service, wanted, person.id, starts, ends)
    return needed, starts, ends


@operation("lease.start")
def _leased(unit: Unit, actor: Actor, wish: Wish, proof: str) -> LeaseView:
    unit.about(ticket=wish.ticket)
    unit.disclose(actor.id, reason=wish.why.text)
    person = may(unit, actor, "lease.start")
    ticket = ticket_of(unit, known_id("tkt", wish.ticket))
    service = service_of(unit, ticket.service_id)
    assignment = delivering(unit, person, ticket, service, "lease.start")
    unit.about(service=service.id, secrets=" ".join(wish.secrets))
    needed, starts, ends = _judged(unit, person, assignment, service, wish)
    presence.spend(unit, actor, proof, wish.deed())
    asked_until = min(max(unit.now + WAITS_FOR, starts), over_at(service, assignment))
    row = Lease(
        id=new_id("lse"),
        ticket_id=ticket.id,
        service_id=service.id,
        person_id=person.id,
        reason=wish.why.text,
        covers=" ".join(wish.secrets),
        minutes=wish.minutes,
        begins_at=wish.begins,
        approver=needed.approver,
        approver_why=needed.why,
        state="asked" if needed.approver else "active",
        starts_at=unit.now if needed.approver else starts,
        expires_at=asked_until if needed.approver else ends,
    )
    unit.about(lease=row.id)
    if wish.begins:
        unit.say(begins=str(wish.begins))
    unit.insert(row)
    if needed.approver:
        unit.say(approver=needed.approver)
        notices.on_asked(unit, row, service, approvers.coordinators_for(unit, person))
    if needed.why:
        unit.say(why=needed.why)
    if needed.why == "services a day":
        witnesses.on_many_services(unit, person)
    return showing.lease(unit, row)


_GUARDED_FIELDS = {
    name: frozenset(field.name for field in kind.all_fields if field.secret)
    for name, kind in KINDS.items()
    if kind.extraordinary
}
"""What opens only with a proof of its own, by kind."""


async def open_field(
    vault: Vault,
    actor: Actor,
    lease_id: str,
    secret_id: str,
    field: str,
    given: Presence = NOTHING,
    way: Literal["reveal", "use"] = "reveal",
) -> Plaintext:
    """One field of a secret under a lease, to eyes or to a program, once the record of it is durable.

    Which of the two it is, is the word of whoever asks. What is secret of an extraordinary kind takes a proof of
    presence each time. Raises as `reveal`; ProofNeeded, TooMany.
    """
    proof = await _proof(vault, actor, lease_id, secret_id, field, way, given)
    return await vault.perform(_OPENED[way], actor, lease_id, secret_id, field, proof)


async def issue_code(
    vault: Vault, actor: Actor, lease_id: str, secret_id: str, given: Presence = NOTHING
) -> OneTimeCode:
    """The one-time code of this moment, of a secret that makes codes, once the record of it is durable.

    Raises as `code`; ProofNeeded, TooMany.
    """
    proof = await _proof(vault, actor, lease_id, secret_id, "", "code", given)
    return await vault.perform(code, actor, lease_id, secret_id, proof)


async def _proof(
    vault: Vault, actor: Actor, lease_id: str, secret_id: str, field: str, way: Way, given: Presence
) -> str:
    if secret_id in _ORDINARY:
        return ""
    words = await vault.read(_extraordinary, actor, lease_id, secret_id, field, way)
    if not words:
        return ""
    return await presence.prove(vault, actor, _look(lease_id, secret_id, field, way, words), given)


_ORDINARY: set[str] = set()
"""Secrets that need no proof of their own, so that most openings ask nothing twice: of which sort a secret is never
changes. It only spares a question; what is extraordinary is refused without its proof by the opening itself."""
_MOST_ORDINARY = 100_000


def _extraordinary(
    reading: Reading, actor: Actor, lease_id: str, secret_id: str, field: str, way: Way
) -> str:
    """The opening in words, where it takes a proof and is not refused anyway; else nothing."""
    try:
        _, lease = own_lease(reading, actor, f"secret.{way}", lease_id)
    except VaultError:
        return ""  # refused in the deed, where it is recorded
    secret = reading.find(Secret, id=secret_id) if secret_id in lease.covers.split() else None
    if secret is None or lease.state != "active":
        return ""
    if secret.kind not in _GUARDED_FIELDS:
        if len(_ORDINARY) >= _MOST_ORDINARY:
            _ORDINARY.clear()
        _ORDINARY.add(secret.id)
        return ""
    kind, service = KINDS[secret.kind], service_of(reading, lease.service_id)
    if (field or kind.codes) not in _GUARDED_FIELDS[secret.kind]:
        return ""
    if not lease.starts_at <= reading.now < lease.expires_at or service.paused_at is not None:
        return ""
    what = {
        "reveal": f"open the {kind.field(field or kind.codes).called}",
        "use": f"hand the {kind.field(field or kind.codes).called} to a program, out",
        "code": "make a code",
    }
    return f"{what[way]} of “{kind.title}” for “{service.title}”"


def _look(lease_id: str, secret_id: str, field: str, way: Way, words: str = "") -> Deed:
    return Deed(words, (way, lease_id, secret_id, field))


@operation("secret.reveal")
def reveal(unit: Unit, actor: Actor, lease_id: str, secret_id: str, field: str, proof: str = "") -> Opening:
    """Let a technician see one field of a secret under a lease; `vault.perform` turns it into the plaintext.

    Judged in the transaction of its record, by rows that match their newest entries. Raises NotSignedIn, Denied (also
    for what only codes are made of), NotFound, Ended, Conflict, Tampered; StaleProof where what is extraordinary is
    opened without a proof for this.
    """
    return _opened(unit, actor, lease_id, secret_id, field, proof, "reveal")


@operation("secret.use")
def use(unit: Unit, actor: Actor, lease_id: str, secret_id: str, field: str, proof: str = "") -> Opening:
    """Hand one field of a secret to a program of a technician's, under a lease. Judged and raises as `reveal`."""
    return _opened(unit, actor, lease_id, secret_id, field, proof, "use")


@operation("secret.code")
def code(unit: Unit, actor: Actor, lease_id: str, secret_id: str, proof: str = "") -> CodeOpening:
    """Let a technician have one one-time code under a lease; `vault.perform` makes it, and the seed never leaves.

    Judged as `reveal`; raises Conflict for what makes no codes.
    """
    return CodeOpening(_opened(unit, actor, lease_id, secret_id, "", proof, "code"))


_OPENED = {"reveal": reveal, "use": use}


def _opened(
    unit: Unit, actor: Actor, lease_id: str, secret_id: str, field: str, proof: str, way: Way
) -> Opening:
    unit.say(lease=known_id("lse", lease_id), secret=known_id("sec", secret_id))
    found = openings.judged(unit, actor, lease_id, secret_id, f"secret.{way}")
    kind = KINDS[found.secret["kind"]]
    name = kind.codes if way == "code" else field
    if way == "code" and not name:
        raise Conflict("no one-time codes are made of this secret; open its fields instead")
    if not name:  # the empty name is all of a secret, for the core's check alone
        raise NotFound("there is no such field")
    if way != "code" and name == kind.codes:
        raise Denied("one-time codes are issued of this secret instead; what they are made of never opens")
    if name in _GUARDED_FIELDS.get(kind.name, ()):
        presence.spend(unit, actor, proof, _look(lease_id, secret_id, field, way))
    opening = unit.opening(found.secret, name)
    if way != "code":
        unit.say(field=name)
    notices.on_opening(unit, lease_id, found.secret, found.customer_id, way)
    return opening


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
    _, lease = own_lease(unit, actor, "secret.report", lease_id)
    if known_id("sec", secret_id) not in lease.covers.split():
        raise NotFound("there is no such thing")
    _require_live(unit, lease)
    if lease.state == "asked":
        raise Conflict("this lease waits for another person's yes, and has opened nothing yet")
    if unit.now < lease.starts_at:
        raise Conflict("this lease has not begun, and has opened nothing yet")
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
    """One lease, for its holder or a coordinator, with what its holder can do about it now.

    Raises NotSignedIn, Denied or NotFound.
    """
    found = lease_for(reading, actor, "lease.list", lease_id)
    view = showing.lease(reading, found)
    if found.person_id != actor.id or actor.scopes is not None:
        return view
    view = view.model_copy(update={"extendable_minutes": extendable(reading, found)})
    return glass.shown(reading, person_of(reading, actor), found, view)
