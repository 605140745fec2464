"""What the vault shows of helpdesks."""

from datetime import datetime

from vault.model.views import View


class HelpdeskView(View):
    """A helpdesk that may tell of tickets."""

    id: str
    name: str
    kind: str
    state: str
    address: str
    """Where it sends what it tells."""
    created_at: datetime
    services: tuple[str, ...] = ()
    """The ids of the services of which it may tell."""
    secret: str | None = None
    """What it signs with: in the one answer after it was made, and never again."""


class NamedHelpdesk(View):
    """A helpdesk by its name."""

    id: str
    name: str
    state: str


class ConnectionView(View):
    """Which helpdesk tells of a service, and which could."""

    told_by: NamedHelpdesk | None
    """One that was ended on the host is not believed any more, and still holds its place."""
    reference: str
    """What it calls the service."""
    others: tuple[NamedHelpdesk, ...]
