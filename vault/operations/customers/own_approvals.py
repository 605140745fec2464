"""A customer's yes and no, on their own page, to a lease that takes it. Their visit is what proves who they are."""

from vault.errors import Denied, NotFound, Sealed
from vault.model.people import Person
from vault.model.tables import Lease
from vault.operations.asking import service_of
from vault.operations.customers.visits import customer_of, own_service
from vault.operations.leases import approvers
from vault.operations.leases.approving import begin, name_in, require_decidable, turn_down
from vault.operations.leases.leases import assignment_of
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
def approve(unit: Unit, actor: Actor, lease_id: str, digest: str) -> None:
    """Allow a lease, exactly as it was read: it begins now.

    Raises NotSignedIn, NotFound, Denied (also where who asked may have typed this customer's address), Ended (decided
    or taken back meanwhile, late, over), Conflict (it is not what was read, or the catalogue has changed), Sealed.
    """
    unit.about(lease=lease_id)
    lease = own_lease(unit, actor, lease_id)
    name_in(unit, lease)
    require_decidable(unit, lease, digest)
    _require_own_address(unit, lease)
    if unit.is_sealed:
        raise Sealed("the vault is sealed, so nothing can begin; allow it when the vault is unsealed")
    begin(unit, lease, actor.id)


def _require_own_address(unit: Unit, lease: Lease) -> None:
    """Judged again when it counts: whose account can be told from whose may have changed since it was asked for."""
    asker = unit.find(Person, id=lease.person_id)
    if asker is None:
        raise NotFound("there is no such thing")
    try:
        assignment = assignment_of(unit, asker.id, lease.ticket_id)
        approvers.require_customers_own(unit, service_of(unit, lease.service_id), asker, assignment)
    except Denied:
        raise Denied(
            "who asked for this may have entered your address with us, so that your yes could be theirs; somebody else "
            "has to ask you for it"
        ) from None


@operation("lease.refuse", in_any_time=True)
def refuse(unit: Unit, actor: Actor, lease_id: str, digest: str) -> None:
    """Do not allow a lease; also while the vault is sealed. Raises NotSignedIn, NotFound, Ended, Conflict."""
    unit.about(lease=lease_id)
    lease = own_lease(unit, actor, lease_id)
    name_in(unit, lease)
    require_decidable(unit, lease, digest)
    turn_down(unit, lease, actor.id)
