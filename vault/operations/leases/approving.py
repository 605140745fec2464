"""Saying yes or no to a lease that waits: a coordinator's side, and what it is for both who may."""

from typing import Any

from sqlalchemy import bindparam, select

from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, Tampered
from vault.model.people import Person
from vault.model.tables import Lease
from vault.model.views import ApprovalView, LeaseView
from vault.operations import presence, showing
from vault.operations.asking import may, service_of, ticket_of
from vault.operations.house import notices
from vault.operations.leases import approvers
from vault.operations.leases.begun import HAS_BEGUN
from vault.operations.leases.leases import (
    assignment_of,
    delivery_of,
    end_lease,
    logins,
    openable,
    over_at,
    require_free,
)
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.services.services import type_of
from vault.operations.vault import Vault
from vault.policy import approval as policy
from vault.policy.access import lease_end
from vault.policy.vouching import WEEK
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, Reason, clock_words, known_id

_NOTHING = "there is no such thing"
MOST_LISTED = 100
MOST_LATELY = 10
_LEASES = Lease.table()
_WAITING = (
    select(_LEASES)
    .where(
        _LEASES.c.state == "asked",
        _LEASES.c.approver == "coordinator",
        _LEASES.c.expires_at > bindparam("at"),
    )
    .order_by(_LEASES.c.starts_at, _LEASES.c.id)
    .limit(MOST_LISTED)
)
_LATELY = (
    select(_LEASES)
    .where(
        _LEASES.c.person_id == bindparam("person"),
        _LEASES.c.id != bindparam("but"),
        _LEASES.c.starts_at > bindparam("since"),
        HAS_BEGUN,
    )
    .order_by(_LEASES.c.starts_at.desc(), _LEASES.c.id)
    .limit(MOST_LATELY)
)


# -- a coordinator's yes and no ---------------------------------------------------------------------------------------


async def approve(
    vault: Vault, actor: Actor, lease_id: str, digest: str, given: Presence = NOTHING
) -> LeaseView:
    """Say yes to another's lease, as a coordinator: it begins now, exactly as it was asked for.

    `digest` is that of the lease as it was read, and presence is proved for that. Raises NotSignedIn, Denied with the
    reason for the wrong person, Resting, NotFound, Ended (decided meanwhile, late, over), Conflict (it is not what was
    read, or the catalogue has changed), ProofNeeded, TooMany, Sealed.
    """
    proof = await presence.proved(vault, given, _deed_of, actor, lease_id, digest)
    return await vault.perform(_approved, actor, lease_id, digest, proof)


def _deed_of(reading: Reading, actor: Actor, lease_id: str, digest: str) -> Deed:
    coordinator, lease = _found(reading, actor, "lease.approve", lease_id)
    return _judged(reading, coordinator, lease, digest)


@operation("lease.approve")
def _approved(unit: Unit, actor: Actor, lease_id: str, digest: str, proof: str) -> LeaseView:
    unit.about(lease=lease_id)
    coordinator, lease = _found(unit, actor, "lease.approve", lease_id)
    name_in(unit, lease)
    deed = _judged(unit, coordinator, lease, digest)
    presence.spend(unit, actor, proof, deed)
    begin(unit, lease, actor.id)
    return showing.lease(unit, lease)


def _judged(reading: Reading, coordinator: Person, lease: Lease, digest: str) -> Deed:
    """The deed of saying yes, for who may, to what waits."""
    _require_theirs(lease)
    require_decidable(reading, lease, digest)
    holder = _holder_of(reading, lease)
    reason = approvers.why_not(reading, coordinator, holder)
    if reason:
        raise Denied(f"you cannot say yes to this: {reason}")
    require_beginning(reading, lease)
    ticket, service = ticket_of(reading, lease.ticket_id), service_of(reading, lease.service_id)
    what = logins(lease.covers.split())
    since = f" from {clock_words(lease.begins_at)} on" if lease.begins_at else ""
    return Deed(
        f"let {holder.name} check out {what} of “{service.title}” for ticket {ticket.number}, "
        f"{lease.minutes} minutes{since}",
        ("lease.approve", lease.id, digest),
    )


async def refuse(vault: Vault, actor: Actor, lease_id: str, digest: str, reason: str) -> None:
    """Say no to another's lease, as a coordinator, and say why, in 10 to 200 characters; they are told by mail.

    A no harms nobody, so it takes no proof of presence. Raises NotSignedIn, Denied, NotFound, Ended, Conflict, Invalid.
    """
    why = Reason.parse(reason)
    await vault.perform(_refused, actor, lease_id, digest, why)


@operation("lease.refuse", in_any_time=True)
def _refused(unit: Unit, actor: Actor, lease_id: str, digest: str, why: Reason) -> None:
    unit.about(lease=lease_id)
    coordinator, lease = _found(unit, actor, "lease.refuse", lease_id)
    name_in(unit, lease)
    _require_theirs(lease)
    require_decidable(unit, lease, digest)
    if lease.person_id == coordinator.id:
        raise Denied("you have asked for it yourself: take it back instead")
    unit.disclose(coordinator.id, reason=why.text)
    turn_down(unit, lease, coordinator.id, why.text)


def _found(reading: Reading, actor: Actor, right: str, lease_id: str) -> tuple[Person, Lease]:
    coordinator = may(reading, actor, right)
    lease = reading.find(Lease, id=known_id("lse", lease_id))
    if lease is None or not lease.approver:
        raise NotFound(_NOTHING)
    return coordinator, lease


def _require_theirs(lease: Lease) -> None:
    if lease.approver != "coordinator":
        raise Denied("this takes the customer's yes, on their own page")


# -- the same for a coordinator and a customer ------------------------------------------------------------------------


def name_in(unit: Unit, lease: Lease) -> None:
    """Have the entry say what is decided, and for whom."""
    unit.about(service=lease.service_id, ticket=lease.ticket_id, holder=lease.person_id)


def require_decidable(reading: Reading, lease: Lease, digest: str) -> None:
    """It waits, and is what was read. Raises Ended, Conflict."""
    policy.require_waiting(lease.state, lease.expires_at, reading.now)
    policy.require_same(showing.asked_of(lease), digest)


def require_beginning(reading: Reading, lease: Lease) -> tuple[int, int]:
    """All but the yes is there for a lease to begin; returns from when to when it then lasts.

    It begins now, or later where it was asked for later. Who asked is judged as if they checked it out at this moment,
    and the catalogue as it stands: a stricter one needs to be asked anew. Raises Denied, NotFound, Ended, Conflict.
    """
    service, holder = service_of(reading, lease.service_id), _holder_of(reading, lease)
    ticket = ticket_of(reading, lease.ticket_id)
    policy.require_wanted(delivery_of(reading, holder, ticket, service), reading.now)
    assignment = assignment_of(reading, holder.id, lease.ticket_id)
    over = over_at(service, assignment) if assignment else service.ends_at
    wanted = lease.covers.split()
    secrets = openable(reading, service, wanted)
    starts = max(reading.now, lease.begins_at or 0)
    if starts >= over:
        raise Ended(
            "when this was to begin, the service has ended or who asked is not on the ticket any more"
        )
    try:
        policy.require_strict_enough(lease.approver, approvers.approver_of(reading, service, secrets))
        longest = type_of(reading, service.type, running=True).longest_lease_minutes
        ends = lease_end(lease.minutes, longest, over, starts)
    except Invalid:
        raise Conflict(
            "the catalogue has changed since this was asked for, and does not allow it so any more; say no to it"
        ) from None
    require_free(reading, service, wanted, holder.id, starts, ends)
    return starts, ends


def begin(unit: Unit, lease: Lease, decided_by: str) -> None:
    """Let a lease begin to which somebody has said yes; who asked is told by mail. Raises as `require_beginning`."""
    starts, ends = require_beginning(unit, lease)
    if starts > unit.now:
        unit.say(begins=str(starts))
    unit.change(lease, state="active", decided_by=decided_by, starts_at=starts, expires_at=ends)
    notices.on_decided(unit, "approved", lease)


def turn_down(unit: Unit, lease: Lease, decided_by: str, why: str = "") -> None:
    """End a lease to which somebody has said no; who asked is told by mail."""
    end_lease(unit, lease, "refused", decided_by=decided_by, refusal=why)
    notices.on_decided(unit, "refused", lease)


def _holder_of(reading: Reading, lease: Lease) -> Person:
    holder = reading.find(Person, id=lease.person_id)
    if holder is None:
        raise NotFound(_NOTHING)
    return holder


# -- showing ----------------------------------------------------------------------------------------------------------


def waiting(reading: Reading, actor: Actor) -> list[ApprovalView]:
    """What waits for a coordinator's yes, the oldest first, 100 at most, and whether whoever asks can say it.

    What those who ask checked out lately is only in the view of each one. Raises NotSignedIn or Denied.
    """
    coordinator = may(reading, actor, "lease.refuse")
    return [_view(reading, coordinator, Lease(**row)) for row in reading.rows(_WAITING, at=reading.now)]


def approval_view(reading: Reading, actor: Actor, lease_id: str) -> ApprovalView:
    """One lease that takes a yes, decided or not, for coordinators. Raises NotSignedIn, Denied or NotFound."""
    coordinator, lease = _found(reading, actor, "lease.refuse", lease_id)
    lately: dict[str, Any] = {
        "person": lease.person_id,
        "but": lease.id,
        "since": reading.now - WEEK,
    }
    rows = reading.rows(_LATELY, **lately)
    return _view(reading, coordinator, lease, tuple(showing.lease(reading, Lease(**row)) for row in rows))


def _view(
    reading: Reading, coordinator: Person, lease: Lease, lately: tuple[LeaseView, ...] = ()
) -> ApprovalView:
    reason = _why_not(reading, coordinator, lease)
    return ApprovalView(lease=showing.lease(reading, lease), lately=lately, yours=not reason, why_not=reason)


def _why_not(reading: Reading, coordinator: Person, lease: Lease) -> str:
    try:
        _judged(reading, coordinator, lease, showing.asked_of(lease).digest)
    except (Denied, NotFound, Ended, Conflict, Tampered) as refusal:
        return str(refusal).removeprefix("you cannot say yes to this: ")
    return ""
