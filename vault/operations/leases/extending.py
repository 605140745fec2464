"""Making a lease longer while it runs, as far as its service type allows."""

from vault.errors import Conflict
from vault.model.people import Person
from vault.model.tables import Lease, Service, Ticket
from vault.model.views import LeaseView
from vault.operations import presence, showing
from vault.operations.asking import own_lease, service_of, ticket_of
from vault.operations.leases import approvers
from vault.operations.leases.leases import (
    delivering,
    held_of,
    longest_of,
    openable,
    over_at,
    require_free,
)
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.vault import Vault
from vault.policy.access import extended_end
from vault.policy.approval import needed
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, clock_words


async def extend(
    vault: Vault, actor: Actor, lease_id: str, minutes: int, given: Presence = NOTHING
) -> LeaseView:
    """Make one's own lease longer by that many minutes, with a proof of presence for this.

    In all it lasts no longer than the longest lease of its type, and never past the end of the service or of the
    assignment. It is judged like a new lease; one that took somebody's yes is not made longer. Raises NotSignedIn,
    Denied, Resting, NotFound, Ended, Conflict (nothing is left, or somebody else has planned it), Invalid, TooMany,
    ProofNeeded, Sealed.
    """
    proof = await presence.proved(vault, given, _deed_of, actor, lease_id, minutes)
    return await vault.perform(_extended, actor, lease_id, minutes, proof)


def _deed_of(reading: Reading, actor: Actor, lease_id: str, minutes: int) -> Deed:
    person, lease = own_lease(reading, actor, "lease.extend", lease_id)
    ends, service, ticket = _judged(reading, person, lease, minutes)
    words = (
        f"make your lease of “{service.title}” for ticket {ticket.number} longer by {minutes} minutes, "
        f"until {clock_words(ends)}"
    )
    return _deed(lease, minutes, words)


def _deed(lease: Lease, minutes: int, words: str = "") -> Deed:
    """Bound to the end that it has now: one proof makes it longer once."""
    return Deed(words, ("lease.extend", lease.id, lease.expires_at, minutes))


@operation("lease.extend")
def _extended(unit: Unit, actor: Actor, lease_id: str, minutes: int, proof: str) -> LeaseView:
    unit.about(lease=lease_id)
    person, lease = own_lease(unit, actor, "lease.extend", lease_id)
    unit.about(service=lease.service_id, ticket=lease.ticket_id)
    ends, _, _ = _judged(unit, person, lease, minutes)
    presence.spend(unit, actor, proof, _deed(lease, minutes))
    unit.say(until=str(ends))
    unit.change(lease, expires_at=ends)
    return showing.lease(unit, lease)


def _judged(reading: Reading, person: Person, lease: Lease, minutes: int) -> tuple[int, Service, Ticket]:
    """The new end, and what the lease is of. Raises as `extend`."""
    service, ticket = service_of(reading, lease.service_id), ticket_of(reading, lease.ticket_id)
    assignment = delivering(reading, person, ticket, service, "lease.extend")
    ends = extended_end(
        held_of(lease), minutes, longest_of(reading, service), over_at(service, assignment), reading.now
    )
    wanted = lease.covers.split()
    by_catalogue = approvers.approver_of(reading, service, openable(reading, service, wanted))
    if needed(by_catalogue, services=0, services_a_day=1, alone=assignment.alone)[0]:
        raise Conflict(
            "by now this takes another person's yes; check the access out again when the lease ends"
        )
    require_free(reading, service, wanted, person.id, lease.expires_at, ends)
    return ends, service, ticket
