"""Reviewing broken glass: somebody else looks at why it was broken and what was opened, and says what they find."""

from typing import Any, Literal

from sqlalchemy import bindparam, select

from vault.errors import Denied, Ended, Invalid, NotFound
from vault.ledger.entry import decode
from vault.model.desk import Review
from vault.model.desk_views import ReviewView
from vault.model.people import Person
from vault.model.tables import Lease, LedgerEntry
from vault.operations import presence, showing
from vault.operations.asking import may
from vault.operations.leases import exposure, witnesses
from vault.operations.leases.leases import end_lease
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.vault import Vault
from vault.policy import glass as policy
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import DAY, Actor, clean_text, known_id, to_datetime

Verdict = Literal["justified", "not justified"]
VERDICTS: tuple[Verdict, ...] = ("justified", "not justified")
SHORTEST_NOTE, LONGEST_NOTE = 10, 500
MOST_LISTED = 100
_NOTHING = "there is no such thing"
_REVIEWS, _ENTRIES = Review.table(), LedgerEntry.table()
_ALL = select(_REVIEWS).order_by(_REVIEWS.c.state.desc(), _REVIEWS.c.created_at.desc(), _REVIEWS.c.id)
_OPEN = select(_REVIEWS).where(_REVIEWS.c.state == "open").order_by(_REVIEWS.c.due_at, _REVIEWS.c.id)
_REMINDED = select(_ENTRIES.c.body).where(
    _ENTRIES.c.type == "review.overdue", _ENTRIES.c.time > bindparam("since")
)


# -- closing one ------------------------------------------------------------------------------------------------------


async def close_review(
    vault: Vault,
    actor: Actor,
    review_id: str,
    verdict: str,
    note: str,
    given: Presence = NOTHING,
    seen: int = 0,
) -> ReviewView:
    """Say whether broken glass was justified, as a coordinator or auditor, and why, in 10 to 500 characters.

    That it was not can be said at any time, and ends the lease; that it was, only when the lease is over, so that
    nothing is opened on the strength of it, and by who has seen all that was opened: `seen` is how many openings the
    view had that they have read. Presence is proved for this verdict. Raises NotSignedIn, Denied with the
    reason for the wrong person, Resting, NotFound, Ended (closed already), Conflict, Invalid, ProofNeeded, TooMany.
    """
    if verdict not in VERDICTS:
        raise Invalid("a review says “justified” or “not justified”", "/verdict")
    said = clean_text(note, "a note", LONGEST_NOTE, SHORTEST_NOTE, "/note")
    proof = await presence.proved(vault, given, _deed_of, actor, review_id, verdict, said, seen)
    return await vault.perform(_closed, actor, review_id, verdict, said, proof, seen)


def _deed_of(reading: Reading, actor: Actor, review_id: str, verdict: str, note: str, seen: int) -> Deed:
    return _judged(reading, *_found(reading, actor, "review.close", review_id), verdict, note, seen)


@operation("review.close")
def _closed(
    unit: Unit, actor: Actor, review_id: str, verdict: str, note: str, proof: str, seen: int = 0
) -> ReviewView:
    unit.about(review=review_id)
    unit.disclose(actor.id, note=note)
    reviewer, review, lease = _found(unit, actor, "review.close", review_id)
    _name_in(unit, review, lease)
    deed = _judged(unit, reviewer, review, lease, verdict, note, seen)
    presence.spend(unit, actor, proof, deed)
    unit.say(judged=verdict)
    unit.change(review, state="closed", verdict=verdict, note=note, closed_by=reviewer.id, closed_at=unit.now)
    if verdict == "not justified":
        end_lease(unit, lease, "revocation")
    witnesses.on_reviewed(unit, review)
    return _view(unit, reviewer, review, lease)


def _name_in(unit: Unit, review: Review, lease: Lease) -> None:
    """Have the entry say what it is about, and who broke the glass."""
    unit.about(lease=lease.id, service=lease.service_id, ticket=lease.ticket_id, holder=review.person_id)


def _judged(
    reading: Reading, reviewer: Person, review: Review, lease: Lease, verdict: str, note: str, seen: int
) -> Deed:
    """The deed of closing a review with that verdict, for who may."""
    breaker = _require_closable(reading, reviewer, review)
    opened = sum(one.times for one in exposure.under(reading, lease))
    policy.require_over(is_over=_is_over(lease, reading.now), is_seen=seen == opened, verdict=verdict)
    service = showing.lease(reading, lease).service_title
    return Deed(
        f"say that it was {verdict} that {breaker.name} broke the glass for “{service}”",
        ("review.close", review.id, verdict, note),
    )


def _require_closable(reading: Reading, reviewer: Person, review: Review) -> Person:
    """It waits for somebody like this one; returns who broke the glass. Raises Ended, Denied, NotFound."""
    if review.state != "open":
        raise Ended("this was reviewed already")
    breaker = reading.find(Person, id=review.person_id)
    if breaker is None:
        raise NotFound(_NOTHING)
    reason = witnesses.why_not_review(reading, reviewer, breaker)
    if reason:
        raise Denied(f"you cannot review this: {reason}")
    return breaker


def _is_over(lease: Lease, now: int) -> bool:
    return lease.state == "ended" or now >= lease.expires_at


def _found(reading: Reading, actor: Actor, right: str, review_id: str) -> tuple[Person, Review, Lease]:
    person = may(reading, actor, right)
    review = reading.find(Review, id=known_id("rev", review_id))
    lease = reading.find(Lease, id=review.lease_id) if review else None
    if review is None or lease is None:
        raise NotFound(_NOTHING)
    return person, review, lease


# -- what nobody has closed in time -----------------------------------------------------------------------------------


def late(reading: Reading, _actor: Actor) -> list[str]:
    """The reviews that are overdue and were not recalled within a day, for the sweep. The ledger says which were."""
    entries = reading.rows(_REMINDED, since=reading.now - DAY)
    recalled = {decode(row["body"].encode()).ids.get("review") for row in entries}
    overdue = [str(row["id"]) for row in reading.rows(_OPEN) if row["due_at"] <= reading.now]
    return [one for one in overdue if one not in recalled]


@operation("review.overdue")
def overdue(unit: Unit, _actor: Actor, review_id: str) -> None:
    """For the sweep: nobody has closed a review in time. Whoever could is told, once a day until somebody does."""
    unit.about(review=review_id)
    review = unit.find(Review, id=review_id)
    lease = unit.find(Lease, id=review.lease_id) if review else None
    if review is None or lease is None or review.state != "open" or unit.now < review.due_at:
        return
    _name_in(unit, review, lease)
    witnesses.on_overdue(unit, review)


# -- showing ----------------------------------------------------------------------------------------------------------


def reviews(reading: Reading, actor: Actor) -> list[ReviewView]:
    """The reviews for coordinators and auditors, those that wait first, then the newest; 100 at most.

    Raises NotSignedIn or Denied.
    """
    person = may(reading, actor, "review.list")
    found = [Review(**row) for row in reading.rows(_ALL.limit(MOST_LISTED))]
    leases = [(review, reading.find(Lease, id=review.lease_id)) for review in found]
    return [_view(reading, person, review, lease) for review, lease in leases if lease is not None]


def review_view(reading: Reading, actor: Actor, review_id: str) -> ReviewView:
    """One review, for coordinators and auditors. Raises NotSignedIn, Denied or NotFound."""
    return _view(reading, *_found(reading, actor, "review.list", review_id))


def unclosed(reading: Reading, _actor: Actor) -> tuple[int, int]:
    """How many reviews are open, and how many of them overdue; for the doctor."""
    rows: list[Any] = reading.rows(_OPEN)
    return len(rows), sum(row["due_at"] <= reading.now for row in rows)


def _view(reading: Reading, looker: Person, review: Review, lease: Lease) -> ReviewView:
    reason = _why_not(reading, looker, review)
    return ReviewView(
        id=review.id,
        lease=showing.lease(reading, lease),
        reason=review.reason,
        created_at=to_datetime(review.created_at),
        due_at=to_datetime(review.due_at),
        state=review.state,
        verdict=review.verdict,
        note=review.note,
        closed_by_name=showing.name_of(reading, review.closed_by),
        closed_at=None if review.closed_at is None else to_datetime(review.closed_at),
        opened=exposure.under(reading, lease),
        yours=not reason,
        why_not=reason,
    )


def _why_not(reading: Reading, looker: Person, review: Review) -> str:
    try:
        _require_closable(reading, looker, review)
    except (Ended, Denied, NotFound) as refusal:
        return str(refusal).removeprefix("you cannot review this: ")
    return ""
