"""What a helpdesk's word changes: messages come late, twice and in any order, and what was said last counts. Pure.

All times are the helpdesk's own, of when things happened there. Of two words of one moment the one counts that takes
away, and the outcome is the same in whatever order they arrive.
"""

from dataclasses import dataclass

from vault.errors import Invalid
from vault.values import DAY, MINUTE

TOLERANCE = 5 * MINUTE
"""How far a message's time may be from ours, either way; the tolerance that Standard Webhooks' own libraries have."""
KEPT = 30 * DAY
"""How long we remember a message, and so how long after something happened a helpdesk can still tell of it."""
GRACE_DAYS = 7
"""So many days at least the end that a helpdesk told of can be undone: a helpdesk destroys nothing."""


@dataclass(frozen=True)
class Span:
    """When a thing was opened there last, and closed; or a person put on it, and taken off. 0 for never."""

    on_at: int = 0
    off_at: int = 0

    @property
    def is_on(self) -> bool:
        """What was said last."""
        return self.on_at > self.off_at

    def takes_on(self, at: int) -> bool:
        """Whether a word that opens or puts on says anything new."""
        return at > self.on_at and at > self.off_at

    def takes_off(self, at: int) -> bool:
        """Whether a word that closes says anything new; also one that comes after a later opening."""
        return at > self.off_at


def takes_person_off(span: Span, at: int) -> bool:
    """Whether a word that takes somebody off says anything new: not where they were put on later."""
    return at > span.off_at and at >= span.on_at


def is_on(person: Span, ticket: Span) -> bool:
    """Whether somebody is on a ticket: put on it after they were taken off, and after it was closed."""
    return person.is_on and person.on_at > ticket.off_at


def is_fresh(sent_at: int, now: int) -> bool:
    """Whether a message was sent within the tolerance."""
    return abs(now - sent_at) <= TOLERANCE


def require_tellable(at: int, now: int) -> None:
    """What is told of has happened, and not so long ago that we may have forgotten a later word. Raises Invalid."""
    if at > now + TOLERANCE:
        raise Invalid("this is told before it has happened; the helpdesk's clock is wrong", "/timestamp")
    if at < now - KEPT:
        raise Invalid(
            "this happened more than 30 days ago; what is still true has to be told anew", "/timestamp"
        )
