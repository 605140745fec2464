"""Whether a technician may hold a lease, and whether it opens a secret now. Pure: facts in, verdict out."""

from collections.abc import Collection
from dataclasses import dataclass

from vault.errors import Conflict, Denied, Ended, Invalid, NotFound
from vault.policy.rights import Standing, require
from vault.values import MINUTE


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


def require_live(held: Held, secret_id: str, delivery: Delivery, now: int) -> None:
    """A lease opens a secret for its holder alone, while it lives and the service is being delivered.

    Raises what `require_delivery` raises; NotFound for another's lease or a secret that it does not cover; Ended;
    Conflict for one that waits for a yes, and Denied for one to which nobody else has said it.
    """
    if held.person_id != delivery.standing.id:
        raise NotFound("there is no such thing")
    require_delivery(delivery, now)
    if held.state == "asked" and now < held.expires_at:
        raise Conflict("this lease waits for another person's yes, and opens nothing before")
    if held.state != "active" or now >= held.expires_at:
        raise Ended("this lease has ended; check the access out again")
    if held.approver and held.decided_by in {"", held.person_id}:
        raise Denied("nobody else has said yes to this lease")
    if secret_id not in held.covers:
        raise NotFound("there is no such thing")


def lease_end(minutes: int, longest_minutes: int, service_ends_at: int, now: int) -> int:
    """When a lease ends: as asked, never after the service. Raises Invalid beyond the service type's longest lease."""
    if not 1 <= minutes <= longest_minutes:
        raise Invalid(f"this type of service allows a lease of 1 to {longest_minutes} minutes", "/minutes")
    return min(now + minutes * MINUTE, service_ends_at)


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
