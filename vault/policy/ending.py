"""When the end of a service can still be moved, and what happens at an end that comes by itself. Pure."""

from vault.errors import Ended, Invalid
from vault.values import DAY, Moment


def grace_until(ends_at: int, grace_days: int, now: int) -> Moment | None:
    """Until when an end that came by itself can be undone; None where its keys go at once.

    Counted from the end as it was announced, so that a vault that was sealed over it keeps nothing longer for that.
    """
    until = Moment(ends_at + grace_days * DAY)
    return until if now < until else None


def require_prolongable(state: str, ends_at: int, destroy_at: int | None, grace_days: int, now: int) -> None:
    """A service can be prolonged while it is open, and in the grace after an end that came by itself. Raises Ended.

    An open one whose end has come is judged as if the sweep had been there already.
    """
    if state == "open":
        destroy_at = ends_at if now < ends_at else grace_until(ends_at, grace_days, now)
    if state not in {"open", "ended"} or destroy_at is None or now >= destroy_at:
        raise Ended("this service has ended, and the time in which that could be undone is over")


def require_new_end(end: int, ends_at: int, longest_days: int, now: int) -> None:
    """A service is prolonged to a later end, within its type's longest life from now. Raises Invalid."""
    if not now < end <= now + longest_days * DAY:
        raise Invalid(f"a service of this type ends in the future, within {longest_days} days", "/ends_at")
    if end <= ends_at:
        raise Invalid("that is no later than the end that the service has already", "/ends_at")
