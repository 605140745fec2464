"""Ending leases, whatever the reason: one place, so that every way out leaves the same trace."""

from typing import Literal

from vault.model.tables import Lease
from vault.storage.unit import Unit

How = Literal[
    "check-in",
    "expiry",
    "revocation",
    "ticket closed",
    "unassigned",
    "service ended",
    "disabled",
    "account reset",
    "role taken away",
]


def end_lease(unit: Unit, lease: Lease, how: How) -> None:
    """End a lease that is active, and say how. One that has ended stays as it ended."""
    if lease.state == "active":
        unit.change(lease, state="ended", ended_how=how)


def end_leases(unit: Unit, how: How, **where: str) -> int:
    """End every active lease with those column values. Returns how many there were."""
    found = unit.find_all(Lease, state="active", **where)
    for lease in found:
        end_lease(unit, lease, how)
    return len(found)
