"""Whether a technician may hold a lease, and whether it opens a secret now. Pure: facts in, verdict out."""

from collections.abc import Collection
from dataclasses import dataclass

from vault.errors import Conflict, Denied, Ended, Invalid, NotFound
from vault.policy.rights import Standing, require
from vault.values import DAY, MINUTE, clock_words

FURTHEST = 30 * DAY
"""So far ahead a lease is checked out for later."""


@dataclass(frozen=True)
class Delivery:
    """Whether the service is being delivered by this person, as it stands now."""

    standing: Standing
    assigned: bool
    ticket_open: bool
    service_open: bool
    service_ends_at: int
    paused: bool
    """The customer lets nothing of it open for the time being."""


@dataclass(frozen=True)
class Assigned:
    """Somebody's assignment to a ticket, as it stands."""

    state: str
    by: str
    """Who put them on it."""
    ends_at: int | None = None


@dataclass(frozen=True)
class Held:
    """A lease as it stands now."""

    person_id: str
    state: str
    """`asked` while it waits for somebody's yes, `active`, or `ended`."""
    expires_at: int
    covers: Collection[str]
    approver: str
    """Whose yes it takes, if anybody's."""
    decided_by: str
    """Who said it; empty where nobody has."""
    starts_at: int = 0
    """From when on it opens something."""
    review_id: str = ""
    """The review that it is owed, where it began by broken glass instead of a yes."""


def require_delivery(delivery: Delivery, now: int, right: str = "secret.reveal") -> None:
    """Only who delivers the service: an active technician who agreed, assigned to its open ticket, before its end.

    Raises NotSignedIn, Denied (also where the customer has paused it), NotFound (not assigned looks like no such
    ticket) or Ended.
    """
    require(delivery.standing, right)
    if not delivery.assigned:
        raise NotFound("there is no such thing")
    if not delivery.service_open or now >= delivery.service_ends_at:
        raise Ended("this service has ended")
    if not delivery.ticket_open:
        raise Ended("this ticket is closed")
    if delivery.paused:
        raise Denied("the customer has paused this service; nothing of it opens until they resume it")


def require_live(
    held: Held, secret_id: str, delivery: Delivery, now: int, right: str = "secret.reveal"
) -> None:
    """A lease opens a secret for its holder alone, while it lives and the service is being delivered.

    Raises what `require_delivery` raises; NotFound for another's lease or a secret that it does not cover; Ended;
    Conflict for one that waits for a yes or begins later, and Denied for one to which nobody else has said it.
    """
    if held.person_id != delivery.standing.id:
        raise NotFound("there is no such thing")
    require_delivery(delivery, now, right)
    if held.state == "asked" and now < held.expires_at:
        raise Conflict("this lease waits for another person's yes, and opens nothing before")
    if held.state != "active" or now >= held.expires_at:
        raise Ended("this lease has ended; check the access out again")
    if now < held.starts_at:
        raise Conflict(f"this lease begins on {clock_words(held.starts_at)}, and opens nothing before")
    by_glass = held.review_id and held.approver == "coordinator"  # which never stands in for a customer's yes
    if held.approver and held.decided_by in {"", held.person_id} and not by_glass:
        raise Denied("nobody else has said yes to this lease")
    if secret_id not in held.covers:
        raise NotFound("there is no such thing")


def puts_on(assigned: Assigned | None, person_id: str, now: int) -> bool:
    """Whether an assignment counts now: nobody is on a ticket by their own hand, nor after its end."""
    return (
        assigned is not None
        and assigned.state == "active"
        and assigned.by != person_id
        and (assigned.ends_at is None or now < assigned.ends_at)
    )


def lease_end(minutes: int, longest_minutes: int, over_at: int, starts: int) -> int:
    """When a lease ends: as asked, never after `over_at`, when the service ends or its holder leaves the ticket.

    Raises Invalid beyond the service type's longest lease.
    """
    if not 1 <= minutes <= longest_minutes:
        raise Invalid(f"this type of service allows a lease of 1 to {longest_minutes} minutes", "/minutes")
    return min(starts + minutes * MINUTE, over_at)


def lease_start(begins_at: int | None, over_at: int, now: int) -> int:
    """When a lease begins: at once, or as asked where that is later. Raises Invalid for a window that cannot be."""
    if begins_at is None:
        return now
    if begins_at <= now:
        raise Invalid("that time is over; leave it out to begin at once", "/begins_at")
    if begins_at > now + FURTHEST:
        raise Invalid("that is more than 30 days ahead; check it out when it comes nearer", "/begins_at")
    if begins_at >= over_at:
        raise Invalid(
            f"by then the service has ended or you are not on this ticket: both last until {clock_words(over_at)}",
            "/begins_at",
        )
    return begins_at


def room_left(held: Held, longest_minutes: int, over_at: int, now: int) -> int:
    """By how many whole minutes a lease can be made longer now.

    To the type's longest lease in all, and never past `over_at`. One that took a yes or broke glass is not made longer,
    nor one that has not begun or is over.
    """
    if (
        held.state != "active"
        or held.approver
        or held.review_id
        or not held.starts_at <= now < held.expires_at
    ):
        return 0
    return max(0, (min(held.starts_at + longest_minutes * MINUTE, over_at) - held.expires_at) // MINUTE)


def extended_end(held: Held, minutes: int, longest_minutes: int, over_at: int, now: int) -> int:
    """The new end of a lease that is made longer by `minutes`.

    Raises Ended for one that is over, Conflict for one that is not made longer at all, Invalid beyond what is left.
    """
    if held.state == "asked" or (held.state == "active" and now < held.starts_at):
        raise Conflict("this lease has not begun; hand it back and check out for as long as you need")
    if held.state != "active" or now >= held.expires_at:
        raise Ended("this lease has ended; check the access out again")
    if held.approver or held.review_id:
        raise Conflict(
            "the yes to this lease was for exactly its minutes; check the access out again when it ends"
        )
    room = room_left(held, longest_minutes, over_at, now)
    if not room:
        raise Conflict("this lease is as long as it can be; check the access out again when it ends")
    if not 1 <= minutes <= room:
        raise Invalid(f"this lease can be made longer by 1 to {room} minutes", "/minutes")
    return held.expires_at + minutes * MINUTE


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two spans of time, each without its end, have a moment in common."""
    return one[0] < other[1] and other[0] < one[1]


def require_openable(state: str) -> None:
    """Only what was given, passed the core's check and was not taken back is lent. Raises Conflict, Ended."""
    if state == "given":
        raise Conflict("this secret was given and is still to be checked; it can be lent in a moment")
    if state == "withdrawn":
        raise Ended("the customer has taken this secret back")
    if state != "checked":
        raise Conflict("the customer has not given this secret yet")


def require_open_service(*, is_open: bool, ends_at: int, now: int) -> None:
    """Nothing new begins on a service that has ended. Raises Ended."""
    if not is_open or now >= ends_at:
        raise Ended("this service has ended")


def require_kinds(asked: Collection[str], allowed: Collection[str]) -> None:
    """A customer is asked only for what the service type says it needs or may ask for. Raises Denied."""
    if not asked or not set(asked) <= set(allowed):
        raise Denied("this type of service does not ask for that kind of secret")
