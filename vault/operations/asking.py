"""No lookup without an asker: whatever a person may not see is not there. Strangers and ghosts get the same answer."""

from functools import cache

from sqlalchemy import and_, bindparam, func, or_, select

from vault.errors import NotFound, NotSignedIn, Tampered
from vault.model.people import Person
from vault.model.tables import Agreement, Assignment, Lease, Request, Secret, Service, Ticket
from vault.policy.rights import Standing, require
from vault.storage.reading import Reading
from vault.values import Actor, known_id

_IN_FORCE = select(func.coalesce(func.max(Agreement.table().c.id), 0))
_NOTHING = "there is no such thing"
AGREEMENT_GONE = "the agreement in force is not where the ledger says that it is"


def agreement_in_force(reading: Reading) -> int:
    """The version of the confidentiality agreement in force; 0 when none was ever published.

    Raises Tampered where the ledger knows a later one: without its row an older one would be in force again.
    """
    version = int(reading.connection.execute(_IN_FORCE).scalar_one())
    if reading.newest_digest(f"agreement:{version + 1}") is not None:
        raise Tampered(AGREEMENT_GONE)
    return version


def person_of(reading: Reading, actor: Actor) -> Person:
    """The signed-in person's own row. Raises NotSignedIn for anybody else, who is not active, and API tokens."""
    person = reading.find(Person, id=actor.id) if actor.kind == "person" and actor.scopes is None else None
    if person is None or person.state != "active":
        raise NotSignedIn("nobody is signed in")
    return person


def standing_of(reading: Reading, person: Person, actor: Actor | None = None) -> Standing:
    """How a person stands now. Where no agreement was published nobody has agreed, and nobody sees customers' data."""
    in_force = agreement_in_force(reading)
    return Standing(
        id=person.id,
        roles=roles_of(person.roles),
        state=person.state,
        agreed=0 < in_force == person.agreed_version,
        rested=reading.now >= person.rests_until,
        scopes=actor.scopes if actor else None,
    )


@cache
def roles_of(stored: str) -> frozenset[str]:
    """The roles of a person's row."""
    return frozenset(stored.split())


def active(reading: Reading, roles: frozenset[str]) -> list[Person]:
    """Whoever of the active staff has one of these roles."""
    return [one for one in reading.find_all(Person, state="active") if roles_of(one.roles) & roles]


def may(reading: Reading, actor: Actor, right: str) -> Person:
    """The person who acts, if they have that right now. The one door of policy for whoever is signed in.

    Raises NotSignedIn or Denied; KeyError for a right that is not in the table.
    """
    person = reading.find(Person, id=actor.id) if actor.kind == "person" else None
    if person is None:
        raise NotSignedIn("nobody is signed in")
    require(standing_of(reading, person, actor), right)
    return person


def service_for(reading: Reading, actor: Actor, right: str, service_id: str) -> Service:
    """A service, for who has that right. Raises NotSignedIn, Denied or NotFound."""
    may(reading, actor, right)
    service = reading.find(Service, id=known_id("svc", service_id))
    if service is None:
        raise NotFound(_NOTHING)
    return service


def ticket_for(reading: Reading, actor: Actor, right: str, ticket_id: str) -> tuple[Ticket, Service]:
    """A ticket and its service, for a coordinator or a technician who is on it.

    Raises NotSignedIn, Denied or NotFound.
    """
    person = may(reading, actor, right)
    ticket = reading.find(Ticket, id=known_id("tkt", ticket_id))
    if ticket is None:
        raise NotFound(_NOTHING)
    if "coordinator" not in roles_of(person.roles):
        assignment = reading.find(Assignment, ticket_id=ticket.id, person_id=person.id)
        if assignment is None or assignment.state != "active" or _is_over(assignment, reading.now):
            raise NotFound(_NOTHING)
    return ticket, service_of(reading, ticket.service_id)


_ASSIGNMENTS = Assignment.table()
IS_ON = and_(
    _ASSIGNMENTS.c.state == "active",
    or_(_ASSIGNMENTS.c.ends_at.is_(None), _ASSIGNMENTS.c.ends_at > bindparam("at")),
)
"""Of an assignment's row: that it puts somebody on a ticket at the moment `at`."""


def _is_over(assignment: Assignment, now: int) -> bool:
    return assignment.ends_at is not None and now >= assignment.ends_at


def service_of(reading: Reading, service_id: str) -> Service:
    """The service that an already found row belongs to. Raises NotFound."""
    service = reading.find(Service, id=service_id)
    if service is None:
        raise NotFound(_NOTHING)
    return service


def ticket_of(reading: Reading, ticket_id: str) -> Ticket:
    """The ticket that an already found row belongs to. Raises NotFound."""
    ticket = reading.find(Ticket, id=ticket_id)
    if ticket is None:
        raise NotFound(_NOTHING)
    return ticket


def request_for(reading: Reading, actor: Actor, right: str, request_id: str) -> tuple[Request, Service]:
    """A request and its service, for who has that right. Raises NotSignedIn, Denied or NotFound."""
    may(reading, actor, right)
    request = reading.find(Request, id=known_id("req", request_id))
    if request is None:
        raise NotFound(_NOTHING)
    return request, service_of(reading, request.service_id)


def lease_for(reading: Reading, actor: Actor, right: str, lease_id: str) -> Lease:
    """A lease, for its holder or a coordinator. Raises NotSignedIn, Denied or NotFound."""
    person = may(reading, actor, right)
    lease = reading.find(Lease, id=known_id("lse", lease_id))
    if lease is None or ("coordinator" not in roles_of(person.roles) and lease.person_id != person.id):
        raise NotFound(_NOTHING)
    return lease


def own_lease(reading: Reading, actor: Actor, right: str, lease_id: str) -> tuple[Person, Lease]:
    """Oneself and a lease of one's own: nobody does with another's what its holder does.

    Raises NotSignedIn, Denied or NotFound.
    """
    person = may(reading, actor, right)
    lease = reading.find(Lease, id=known_id("lse", lease_id))
    if lease is None or lease.person_id != person.id:
        raise NotFound(_NOTHING)
    return person, lease


_SECRETS = Secret.table()
SECRETS_OF = (
    select(
        *[column for column in _SECRETS.columns if column.key not in {"envelope", "made", "offer", "salt"}]
    )
    .where(_SECRETS.c.service_id == bindparam("service_id"))
    .order_by(_SECRETS.c.id)
)
