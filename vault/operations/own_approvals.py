"""A customer's yes and no, on their own page, to a lease that takes it. Their visit is what proves who they are."""

from vault.errors import NotFound, Sealed
from vault.model.tables import Lease
from vault.operations.approving import begin, name_in, require_decidable, turn_down
from vault.operations.visits import customer_of, own_service
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, known_id


def own_lease(reading: Reading, actor: Actor, lease_id: str) -> Lease:
    """A lease that takes the yes of the customer who acts. Raises NotSignedIn, NotFound: another's is not there."""
    customer_of(reading, actor)
    lease = reading.find(Lease, id=known_id("lse", lease_id))
    if lease is None or lease.approver != "customer":
        raise NotFound("there is no such thing")
    own_service(reading, actor, lease.service_id)
    return lease


@operation("lease.approve")
def agree(unit: Unit, actor: Actor, lease_id: str, digest: str) -> None:
    """Allow a lease, exactly as it was read: it begins now.

    Raises NotSignedIn, NotFound, Denied, Ended (decided or taken back meanwhile, late, over), Conflict (it is not what
    was read, or the catalogue has changed), Sealed.
    """
    unit.about(lease=lease_id)
    lease = own_lease(unit, actor, lease_id)
    name_in(unit, lease)
    require_decidable(unit, lease, digest)
    if unit.is_sealed:
        raise Sealed("the vault is sealed, so nothing can begin; allow it when the vault is unsealed")
    begin(unit, lease, actor.id)


@operation("lease.refuse", in_any_time=True)
def disagree(unit: Unit, actor: Actor, lease_id: str, digest: str) -> None:
    """Do not allow a lease; also while the vault is sealed. Raises NotSignedIn, NotFound, Ended, Conflict."""
    unit.about(lease=lease_id)
    lease = own_lease(unit, actor, lease_id)
    name_in(unit, lease)
    require_decidable(unit, lease, digest)
    turn_down(unit, lease, actor.id)
