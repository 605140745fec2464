"""Breaking the glass: a technician begins a lease that waits for a coordinator's yes, where nobody can say it in time.

It is short, loud and reviewed. What decides it is in `vault/policy/glass.py`; who looks at it then, in `reviewing`.
"""

from sqlalchemy import bindparam, select

from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, Tampered
from vault.ledger.entry import decode
from vault.model.desk import Review
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.model.tables import Lease, LedgerEntry, Secret, ServiceType
from vault.model.views import LeaseView, ServiceTypeView
from vault.operations import presence, showing
from vault.operations.asking import own_lease, service_of, ticket_of
from vault.operations.leases import approvers, begun, witnesses
from vault.operations.leases.leases import delivering, logins, openable, over_at, require_free
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.services.services import type_of
from vault.operations.vault import Vault
from vault.policy import glass as policy
from vault.policy.access import lease_end
from vault.policy.approval import busiest, is_easier, require_waiting
from vault.policy.glass import Glass
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import DAY, MINUTE, Actor, clean_text, new_id

SHORTEST_REASON, LONGEST_REASON = 40, 500
_NOTHING = "there is no such thing"
_CHANGED = (
    "the catalogue has changed since this was asked for, and does not allow it so any more; take it back and check it "
    "out anew"
)
_ENTRIES = LedgerEntry.table()
_BROKEN = select(_ENTRIES.c.body).where(
    _ENTRIES.c.actor == bindparam("person"), LedgerEntry.is_of("lease.break-glass")
)
_NO = select(_ENTRIES.c.body).where(
    _ENTRIES.c.service_id == bindparam("service"), LedgerEntry.is_of("lease.refuse", "lease.revoke")
)


async def break_glass(
    vault: Vault, actor: Actor, lease_id: str, reason: str, given: Presence = NOTHING
) -> LeaseView:
    """Begin one's own lease now, without the coordinator's yes that it waits for; presence is proved for that.

    It lasts as long as its service's type allows for this, or as it was asked for if that is shorter. The customer,
    every coordinator and every auditor are told at once, and somebody else reviews it. `reason` has 40 to 500
    characters. Raises NotSignedIn, Denied, Resting, NotFound, Ended (it waits no longer, or what it is for has ended),
    Conflict (a coordinator can still answer; it is planned for later; the catalogue has changed), Invalid,
    ProofNeeded, TooMany, Sealed.
    """
    why = clean_text(reason, "a reason for breaking the glass", LONGEST_REASON, SHORTEST_REASON, "/reason")
    proof = await presence.proved(vault, given, _deed_of, actor, lease_id, why)
    return await vault.perform(_broken, actor, lease_id, why, proof)


def _deed_of(reading: Reading, actor: Actor, lease_id: str, why: str) -> Deed:
    person, lease = _found(reading, actor, lease_id)
    _judged(reading, person, lease)
    return _deed(reading, lease, why)


def _deed(reading: Reading, lease: Lease, why: str) -> Deed:
    service, ticket = service_of(reading, lease.service_id), ticket_of(reading, lease.ticket_id)
    return Deed(
        f"break the glass: open {logins(lease.covers.split())} of “{service.title}” for ticket {ticket.number} "
        "without the coordinator's yes that it takes. The customer, every coordinator and every auditor are told at "
        "once, and it is reviewed",
        ("lease.break-glass", lease.id, showing.asked_of(lease).digest, why),
    )


@operation("lease.break-glass")
def _broken(unit: Unit, actor: Actor, lease_id: str, why: str, proof: str) -> LeaseView:
    unit.about(lease=lease_id)
    unit.disclose(actor.id, reason=why)
    person, lease = _found(unit, actor, lease_id)
    unit.about(service=lease.service_id, ticket=lease.ticket_id)
    of, ends = _judged(unit, person, lease)
    presence.spend(unit, actor, proof, _deed(unit, lease, why))
    review = Review(
        id=new_id("rev"),
        lease_id=lease.id,
        service_id=lease.service_id,
        person_id=person.id,
        reason=why,
        created_at=unit.now,
        due_at=unit.now + of.review_days * DAY,
    )
    unit.about(review=review.id)
    unit.insert(review)
    unit.change(lease, state="active", review_id=review.id, starts_at=unit.now, expires_at=ends)
    witnesses.on_broken(unit, review, service_of(unit, lease.service_id))
    return showing.lease(unit, lease)


def shown(reading: Reading, person: Person, lease: Lease, view: LeaseView) -> LeaseView:
    """A lease as its holder sees it: with what follows if they break the glass for it now, or why they cannot.

    Nothing is said of it where it waits for no coordinator, or where its type has no glass to be broken.
    """
    if view.state != "asked" or lease.approver != "coordinator" or lease.person_id != person.id:
        return view
    if not type_of(reading, service_of(reading, lease.service_id).type, running=True).break_glass_minutes:
        return view
    try:
        of, ends = _judged(reading, person, lease)
    except (Denied, NotFound, Ended, Conflict, Tampered) as refusal:
        return view.model_copy(update={"why_not_breakable": str(refusal)})
    follows = {
        "breakable": True,
        "breakable_minutes": (ends - reading.now) // MINUTE,
        "review_days": of.review_days,
        "reviewers": tuple(sorted(one.name for one in witnesses.reviewers_for(reading, person))),
    }
    return view.model_copy(update=follows)


def is_anywhere(reading: Reading) -> bool:
    """Whether the catalogue lets the glass be broken for any type; for the doctor, who looks at every row besides."""
    types = reading.find_all_unchecked(ServiceType, retired=False)
    return any(ServiceTypeView.model_validate_json(one.body).break_glass_minutes for one in types)


# -- judging ----------------------------------------------------------------------------------------------------------


def _found(reading: Reading, actor: Actor, lease_id: str) -> tuple[Person, Lease]:
    """One's own lease that takes somebody's yes."""
    person, lease = own_lease(reading, actor, "lease.break-glass", lease_id)
    if not lease.approver:
        raise NotFound(_NOTHING)
    return person, lease


def _judged(reading: Reading, person: Person, lease: Lease) -> tuple[ServiceTypeView, int]:
    """The type by whose rule the glass can be broken now, and when the lease then ends. Raises as `break_glass`."""
    require_waiting(lease.state, lease.expires_at, reading.now)
    service, ticket = service_of(reading, lease.service_id), ticket_of(reading, lease.ticket_id)
    of = type_of(reading, service.type, running=True)
    assignment = delivering(reading, person, ticket, service, "lease.break-glass")
    doubted = assignment.alone or bool(lease.approver_why) or _is_one_too_many(reading, person, lease)
    policy.require_breakable(_glass(reading, person, lease, of, doubted=doubted), reading.now)
    covered = lease.covers.split()
    secrets = openable(reading, service, covered)
    try:
        by_now = approvers.approver_of(reading, service, secrets)
        over = over_at(service, assignment)
        whole = lease_end(lease.minutes, of.longest_lease_minutes, over, reading.now)
    except Invalid:
        raise Conflict(_CHANGED) from None
    if is_easier(lease.approver, by_now):
        raise Conflict(_CHANGED)
    ends = policy.end_of(whole, of.break_glass_minutes, reading.now)
    require_free(reading, service, covered, person.id, reading.now, ends)
    return of, ends


def _glass(reading: Reading, person: Person, lease: Lease, of: ServiceTypeView, *, doubted: bool) -> Glass:
    reviews = _reviews_of(reading, person)
    mistrusted = reading.now - policy.MISTRUSTED
    return Glass(
        approver=lease.approver,
        asked_at=lease.starts_at,
        begins_at=lease.begins_at,
        minutes=of.break_glass_minutes,
        extraordinary=any(_is_extraordinary(reading, one) for one in lease.covers.split()),
        doubted=doubted,
        refused=_was_refused(reading, person, lease.service_id),
        answerable=bool(approvers.coordinators_for(reading, person)),
        witnessed=bool(witnesses.reviewers_for(reading, person)),
        unreviewed=any(one.state == "open" for one in reviews),
        unjustified=any(
            one.verdict == "not justified" and (one.closed_at or 0) > mistrusted for one in reviews
        ),
    )


def _reviews_of(reading: Reading, person: Person) -> list[Review]:
    """The reviews of what somebody broke: those that are there, and those that the ledger names have to be.

    Else whoever writes to the database takes a review out, and the same person breaks the glass again. The ledger alone
    would not do, because it does not name yet what was broken in this very batch. Raises Tampered.
    """
    found = {one.id: one for one in reading.find_all(Review, person_id=person.id)}
    for row in reading.rows(_BROKEN, person=person.id):
        entry = decode(row["body"].encode())
        if entry.outcome == "ok" and entry.ids["review"] not in found:
            raise Tampered("a review that the ledger names is not there, so no glass is broken")
    return list(found.values())


def _is_one_too_many(reading: Reading, person: Person, lease: Lease) -> bool:
    """Whether they have begun so many services since they asked for this one that it would take a yes for that."""
    begins = begun.around(reading, person, reading.now)
    services = busiest(begins, lease.service_id, reading.now)
    return services > reading.settings.services_a_day


def _is_extraordinary(reading: Reading, secret_id: str) -> bool:
    secret = reading.find(Secret, id=secret_id)
    return secret is None or KINDS[secret.kind].extraordinary or KINDS[secret.asked_kind].extraordinary


def _was_refused(reading: Reading, person: Person, service_id: str) -> bool:
    """Whether somebody said no to this person about this service, or took it back, since `A_NO_HOLDS`.

    By service, because the same access can be asked for by another ticket, other logins and other words. By the ledger,
    because whoever writes to the database could take the lease with the no out; and by the leases, because of what was
    said in this very batch there is no entry yet.
    """
    entries = [decode(row["body"].encode()) for row in reading.rows(_NO, service=service_id)]
    said = {
        entry.ids["lease"]: entry.time
        for entry in entries
        if entry.outcome == "ok" and entry.ids.get("holder") == person.id
    }
    ended = reading.find_all(Lease, person_id=person.id, service_id=service_id, state="ended")
    just_now = any(
        one.ended_how in {"refused", "revocation"} and not one.review_id and one.id not in said
        for one in ended
    )
    return just_now or any(at > reading.now - policy.A_NO_HOLDS for at in said.values())
