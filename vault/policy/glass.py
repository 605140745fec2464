"""Breaking the glass: beginning a lease without the coordinator's yes it takes, and who reviews that. Pure.

It stands in the place of a yes that nobody can say in time, and of no other: not of the customer's, not of one that was
refused, not of one that is asked for because something looks wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vault.errors import Conflict, Denied
from vault.policy.vouching import Account, related
from vault.values import DAY, MINUTE

WAITED = 15 * MINUTE
"""So long somebody gives the coordinators to answer, where one of them could."""
A_NO_HOLDS = 2 * DAY
"""So long a no is a no."""
MISTRUSTED = 30 * DAY
"""So long nobody breaks the glass of whom it was said that they should not have."""


@dataclass(frozen=True)
class Glass:
    """A lease that waits for a yes, and everything that decides whether its holder may begin it without."""

    approver: str
    asked_at: int
    begins_at: int | None
    """When it is planned to begin; None for at once."""
    minutes: int
    """How long the service's type lets such a lease last; 0 where it lets nobody break the glass."""
    extraordinary: bool
    """Whether any of its secrets is of an extraordinary kind."""
    doubted: bool
    """Whether the yes is asked for because of who asks, or of how much: on their own, or too many services a day."""
    refused: bool
    """Whether they were told no about this service, or it was taken from them, within `A_NO_HOLDS`."""
    answerable: bool
    """Whether a coordinator could say yes to it now."""
    witnessed: bool
    """Whether there is anybody who could review it."""
    unreviewed: bool
    """Whether an earlier one of theirs is still to be reviewed."""
    unjustified: bool
    """Whether it was said of an earlier one, within `MISTRUSTED`, that it was not justified."""


def require_breakable(glass: Glass, now: int) -> None:
    """Its holder may break the glass at this moment. Raises Denied, or Conflict where it is only too early."""
    _require_of_its_sort(glass, now)
    if glass.refused:
        raise Denied(
            "within the last two days somebody has said no to you about this service, or has taken it back; "
            "the glass is for when nobody answers, and somebody has"
        )
    if glass.unreviewed:
        raise Denied(
            "you have broken the glass before, and nobody has reviewed that yet; until then you cannot do it again"
        )
    if glass.unjustified:
        raise Denied(
            "within the last thirty days it was said of you that you should not have broken the glass; until these are "
            "over you wait for a coordinator"
        )
    if not glass.witnessed:
        raise Denied(
            "there is no other coordinator or auditor who could review it, so the glass stays whole; an administrator "
            "can add one"
        )
    if glass.answerable and now < glass.asked_at + WAITED:
        raise Conflict(
            "a coordinator has been asked and can answer; the glass can be broken when they have not answered for "
            "15 minutes"
        )


def _require_of_its_sort(glass: Glass, now: int) -> None:
    """What it is asked for is of the sort for which the glass is there at all. Raises Denied, Conflict."""
    if glass.approver != "coordinator":
        raise Denied("this takes the customer's yes, and nothing stands in its place")
    if glass.extraordinary:
        raise Denied("this opens more than a server; it waits for its yes, whatever happens")
    if not glass.minutes:
        raise Denied("this type of service lets nobody break the glass; it waits for a coordinator's yes")
    if glass.doubted:
        raise Denied(
            "a coordinator is asked here because nobody else has put you on this ticket, or because you have opened so "
            "many services today; that is never replaced by breaking the glass"
        )
    if glass.begins_at is not None and now < glass.begins_at:
        raise Conflict("it is planned for later; the glass is for what is needed now")


def end_of(ends: int, minutes: int, now: int) -> int:
    """When a lease ends whose glass is broken now, which would end then with a yes: it is the shorter of both."""
    return min(ends, now + minutes * MINUTE)


def why_not_review(reviewer: Account, breaker: Account, accounts: Mapping[str, Account], now: int) -> str:
    """Why somebody may not review another's broken glass, in words for them; nothing if they may."""
    if reviewer.id == breaker.id:
        return "it is your own"
    if related(reviewer, breaker, accounts, now):
        return "within the last week one of you two was added by the other, or both by the same person"
    return ""


def require_over(*, is_over: bool, is_seen: bool, verdict: str) -> None:
    """What is called justified has been seen to its end: nothing is opened on the strength of it. Raises Conflict."""
    if verdict == "justified" and is_over and not is_seen:
        raise Conflict("more was opened than you have seen; read it as it is now")
    if verdict == "justified" and not is_over:
        raise Conflict(
            "this lease still runs, and more may be opened under it; say that it was justified when it is over, or "
            "have it revoked first"
        )
