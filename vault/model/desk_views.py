"""What the vault shows of work at the desk: who could have kept what, and reviews of what began without a yes."""

from datetime import datetime
from typing import Literal

from vault.model.views import LeaseView, View

Way = Literal["revealed", "used", "code"]
"""revealed: to eyes, and could have been kept; used: handed to a program, and could have been kept with some effort;
code: a one-time code was made of it, which is over, and nothing of the secret itself was seen."""

WAY_WORDS: dict[Way, str] = {
    "revealed": "revealed to eyes",
    "used": "used by a program",
    "code": "one-time code made",
}
"""The same as the staff read it."""


class SeenView(View):
    """In which way one person came to one version of a secret."""

    person_name: str
    way: Way
    times: int
    first: datetime
    last: datetime
    version: int
    kind_title: str
    """Of which kind of secret."""
    present: bool
    """Whether it is the version that is stored now; one that was replaced since can be kept no more."""


class ExposureView(View):
    """Who could have kept a secret."""

    secret_id: str
    kind_title: str
    seen: tuple[SeenView, ...]


class ReviewView(View):
    """The review of a lease that began by broken glass."""

    id: str
    lease: LeaseView
    reason: str
    """Why the glass was broken, in the words of whoever did."""
    created_at: datetime
    due_at: datetime
    state: Literal["open", "closed"]
    verdict: Literal["", "justified", "not justified"]
    note: str
    closed_by_name: str
    closed_at: datetime | None
    opened: tuple[SeenView, ...]
    """What was opened under that lease."""
    yours: bool
    """Whether whoever looks can close it."""
    why_not: str
    """Why they cannot, in words; empty where they can."""


class HostKeyView(View):
    """The key that a login's server showed when somebody first came to it."""

    line: str
    """As OpenSSH writes it: its type, and what it is in base64."""
    met_by: str
    met_at: datetime
