"""What customers see of their own: what was given, who may use it, all that happened. Their values never again."""

from datetime import datetime
from typing import Literal

from vault.model.desk_views import ExposureView
from vault.model.views import View

By = Literal["staff", "you", "vault", "host", "helpdesk"]
Verdict = Literal["", "passed", "refused"]
Why = Literal["", "card", "misplaced", "damaged", "unusable"]
Judged = Literal["", "justified", "not justified"]
OfAsking = Literal["", "asked", "taken back", "not answered"]


class HappenedView(View):
    """One thing that happened to a service, as its customer reads it; `seq` is its place in the ledger."""

    seq: int
    at: datetime
    type: str
    outcome: str
    """`ok`, or the name of the refusal."""
    by: By
    by_name: str
    whom: str = ""
    """The name of the technician who was put on a ticket or taken off it."""
    verdict: Verdict = ""
    """What came of the vault's own check of what was given."""
    why: Why = ""
    """Why it was refused. card: it held a card number or card code; misplaced: it looked like something that belongs
    elsewhere; damaged: it did not open; unusable: nobody could have logged in with it."""
    ticket: str
    """The number of the ticket that it was for; empty where it was for none."""
    reason: str
    secret: str
    """The title of the kind that it was about; empty for all of the service."""
    field: str
    """The title of the field that was opened."""
    of_asking: OfAsking = ""
    """Of a lease that took a yes: it was only asked for, taken back or never answered, so nothing of it opened."""
    judged: Judged = ""
    """Of a review of broken glass: what somebody else found."""
    begins_at: datetime | None = None
    """Of a lease that was checked out for later: when it is to begin."""
    until: datetime | None = None
    """Of a lease that was made longer: its end."""


class HappenedPage(View):
    """Some of what happened, the newest first."""

    happened: tuple[HappenedView, ...]
    next: str | None
    """Ask with this for what is older."""


class GivenView(View):
    """Something that was given, or is asked for, and how it stands."""

    id: str
    kind: str
    title: str
    state: Literal["awaited", "given", "checked", "refused", "withdrawn", "purged"]
    given_at: datetime | None
    because: str
    line: str
    """The line that was added on the server, to be removed there in the end."""
    line_stops: datetime | None
    """The day from which on that line lets nobody in, where the service lasts longer than that."""
    longer_line: str
    """Then the line to put in its place, with the same key, so that it goes on; else empty."""
    opened: int
    """How often anything of it was opened for a person or a program."""
    opened_by: tuple[str, ...]
    """By whom, in alphabetical order."""


class LentView(View):
    """A lease that is open now, or begins later."""

    id: str
    who: str
    ticket: str
    reason: str
    since: datetime
    until: datetime
    secrets: tuple[str, ...]
    planned: bool = False
    """Whether it only begins at `since`."""
    glass: bool = False
    """Whether it began by broken glass, without anybody's yes."""


class AskedLeaseView(View):
    """A lease that waits for the customer's yes."""

    id: str
    who: str
    ticket: str
    reason: str
    minutes: int
    since: datetime
    until: datetime
    """Until when a yes can be given."""
    secrets: tuple[str, ...]
    digest: str
    """Of all that is asked for: a yes is for exactly this."""
    begins_at: datetime | None = None
    """When it is to begin; None for as soon as there is a yes."""


class OwnServiceView(View):
    """A service as its customer sees it."""

    id: str
    title: str
    state: Literal["open", "ended", "destroyed"]
    created_at: datetime
    ends_at: datetime
    destroyed_at: datetime | None
    paused_at: datetime | None
    given: tuple[GivenView, ...]
    who_may: tuple[str, ...]
    """The names of the technicians who are on an open ticket of it now."""
    lent: tuple[LentView, ...]
    asked: tuple[AskedLeaseView, ...]
    """Leases that wait for this customer's yes."""
    exposure: tuple[ExposureView, ...] = ()
    """Who could have kept what was given; what nobody has opened is not among it."""
    certificate: str | None
    """The signed note, once everything was destroyed."""


class OwnView(View):
    """A customer's page."""

    id: str
    name: str
    mail: str
    language: str
    digest: bool
    business: str
    sealed: bool
    """Whether the vault is sealed now: then nothing can be opened, and reasons cannot be shown either."""
    services: tuple[OwnServiceView, ...]
