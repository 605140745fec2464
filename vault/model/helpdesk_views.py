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
