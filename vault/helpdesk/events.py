"""What a helpdesk can tell of, whichever it is: tickets and services, each by the helpdesk's own name for it."""

from dataclasses import dataclass, field
from typing import Literal

from vault.values import Moment


@dataclass(frozen=True)
class Ticket:
    """A ticket as the helpdesk describes it. `reference` is its own id, which stays when the number is changed."""

    reference: str
    service: str
    """By which name the helpdesk knows the service that the ticket is about."""
    number: str
    title: str


@dataclass(frozen=True)
class Opened:
    """A ticket is open.

    `how`: it was said when it was opened; or `implied`, because something was done with it that is done with open
    tickets; or `state`: it is open, and perhaps has been for long.
    """

    at: Moment
    ticket: Ticket
    how: Literal["said", "implied", "state"] = "said"


@dataclass(frozen=True)
class Assigned:
    """Somebody was put on a ticket, by whom it says, until then if it says so; mail addresses name both."""

    at: Moment
    ticket: Ticket
    mail: str = field(repr=False)
    by: str = field(default="", repr=False)
    until: Moment | None = None


@dataclass(frozen=True)
class Unassigned:
    """Somebody was taken off a ticket."""

    at: Moment
    ticket: Ticket
    mail: str = field(repr=False)


@dataclass(frozen=True)
class Owned:
    """All who are on a ticket now, of a helpdesk that tells how things are and not what was done: one person, or none.

    Whoever it put on the ticket before is off it.
    """

    at: Moment
    ticket: Ticket
    mail: str = field(repr=False)
    by: str = field(default="", repr=False)


@dataclass(frozen=True)
class Closed:
    """A ticket was closed."""

    at: Moment
    ticket: Ticket


@dataclass(frozen=True)
class Registered:
    """A service was registered for a customer, with the day of its end."""

    at: Moment
    reference: str
    type: str
    title: str
    ends_at: Moment
    customer_name: str = field(repr=False)
    customer_mail: str = field(repr=False)


@dataclass(frozen=True)
class Ended:
    """A service was ended."""

    at: Moment
    reference: str


Event = Opened | Assigned | Unassigned | Owned | Closed | Registered | Ended


@dataclass(frozen=True)
class Delivery:
    """One signed message of a helpdesk that was found to be signed; what it says is read apart.

    `id` is the same however often the message is sent; `sent_at` is covered by the signature.
    """

    id: str
    sent_at: Moment
    body: bytes = field(repr=False)
