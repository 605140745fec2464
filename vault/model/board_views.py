"""What coordinators see of the whole house: what waits for whom, what is lent, what ends; and what a search finds."""

from datetime import datetime
from typing import Literal

from vault.model.desk_views import Way
from vault.model.views import View

Stage = Literal[
    "unasked", "asked", "unanswered", "empty", "ready", "working", "paused", "overdue", "grace", "ending", "destroyed"
]  # fmt: skip
"""Where a service is on its way. unasked: its customer was asked for nothing; asked: and has not answered; unanswered:
the link ran out; empty: nothing that was asked for is here; ready: it is here, and no ticket is open; working: one is;
paused: by its customer; overdue: its end is past, and it is about to end; grace: ended by itself, can be brought back;
ending: being destroyed."""


class StageCount(View):
    """How many services are at that stage."""

    stage: Stage
    count: int


class ServiceLine(View):
    """A service in a list."""

    id: str
    title: str
    customer_id: str
    customer_name: str
    stage: Stage
    created_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    destroy_at: datetime | None
    """Until when one that ended by itself can be brought back."""
    destroyed_at: datetime | None


class ServiceLines(View):
    """Services of one stage, or all that are not destroyed. `next` continues with further ones; None at the end."""

    services: tuple[ServiceLine, ...]
    next: str | None


class TicketLine(View):
    """A ticket in a list."""

    id: str
    number: str
    title: str
    state: Literal["open", "closed"]
    service_title: str
    customer_name: str


class RequestLine(View):
    """A request that nobody has answered yet."""

    id: str
    service_id: str
    service_title: str
    customer_name: str
    kinds: tuple[str, ...]
    deliver: Literal["mail", "hand"]
    state: Literal["asked", "started", "expired"]
    asked_at: datetime
    expires_at: datetime


class LeaseLine(View):
    """A lease that is asked for, planned or running."""

    id: str
    person_id: str
    person_name: str
    service_id: str
    service_title: str
    customer_name: str
    ticket_id: str
    ticket_number: str
    reason: str
    state: Literal["asked", "planned", "active"]
    since: datetime
    """Since when it was asked for, or it opens something; of a planned one, from when it will."""
    until: datetime
    """Until when it opens something, or can be decided."""
    minutes: int
    paused: bool
    """Whether the customer lets nothing of the service open now."""
    glass: bool
    """Whether it began by broken glass, without a yes."""


class ReviewLine(View):
    """Broken glass that nobody has looked at yet."""

    id: str
    person_id: str
    person_name: str
    service_title: str
    customer_name: str
    reason: str
    created_at: datetime
    due_at: datetime


class BoardView(View):
    """The whole house. Each list is bounded, what presses most first; beside it stands how many there are."""

    at: datetime
    stages: tuple[StageCount, ...]
    """Of the services that are not destroyed."""
    to_decide: tuple[LeaseLine, ...]
    """Leases that wait for a coordinator's yes, but for those that whoever looks has asked for."""
    to_decide_count: int
    to_review: tuple[ReviewLine, ...]
    to_review_count: int
    to_end: tuple[ServiceLine, ...]
    """Services whose end is past and that can still be brought back."""
    to_end_count: int
    lapsed: tuple[RequestLine, ...]
    """Requests whose link ran out before they were answered."""
    lapsed_count: int
    unstaffed: tuple[TicketLine, ...]
    """Open tickets that nobody is on."""
    unstaffed_count: int
    to_start: tuple[ServiceLine, ...]
    """Services that wait for a coordinator's next step: to ask, to ask again, or to open a ticket."""
    to_start_count: int
    requests: tuple[RequestLine, ...]
    """Requests that wait for the customer, the oldest first."""
    requests_count: int
    customers_decide: tuple[LeaseLine, ...]
    """Leases that wait for the customer's yes."""
    customers_decide_count: int
    paused: tuple[ServiceLine, ...]
    paused_count: int
    lent: tuple[LeaseLine, ...]
    """Leases that run or are planned, by their end."""
    lent_count: int
    ends_soon: tuple[ServiceLine, ...]
    """Services that end within a week."""
    ends_soon_count: int


class FoundView(View):
    """One thing that a search found. Where it is, its kind and id say."""

    kind: Literal["customer", "service", "ticket", "person"]
    id: str
    title: str
    said: str
    """Something more by which it is known: a customer's name, a mail address."""
    state: str = ""


class FoundList(View):
    """What was found of one kind."""

    kind: Literal["customer", "service", "ticket", "person"]
    found: tuple[FoundView, ...]
    more: bool
    """Whether there may be more than these."""


class SearchView(View):
    """What a search found, of everything that whoever asks may see: names, titles and numbers, and nothing else."""

    lists: tuple[FoundList, ...]


class SpanView(View):
    """Something that lasted, or still lasts or is planned."""

    look: Literal["asked", "here", "paused", "lent", "glass"]
    """glass: a lease that began by broken glass."""
    since: datetime
    until: datetime
    words: str


class MarkView(View):
    """Something that was opened."""

    way: Way
    at: datetime
    what: str


class LaneView(View):
    """What belongs on one line of the picture: the requests, one secret, one person."""

    title: str
    spans: tuple[SpanView, ...]
    marks: tuple[MarkView, ...]


class TimelineView(View):
    """The life of a service."""

    begins: datetime
    now: datetime
    """Now, or the end if that is past."""
    ends: datetime
    over: bool
    lanes: tuple[LaneView, ...]
    whole: bool
    """Whether all of it is here; of a very busy one the oldest part is only in the log."""
