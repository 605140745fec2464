"""The one table of who may do what. Operations ask it, and docs/permissions.md is made of it. Nothing means no."""

from collections.abc import Collection
from dataclasses import dataclass

from vault.errors import Denied, NotAgreed, NotSignedIn, Resting

TECHNICIAN = frozenset({"technician"})
COORDINATOR = frozenset({"coordinator"})
AUDITOR = frozenset({"auditor"})
ADMINISTRATOR = frozenset({"administrator"})
DELIVERING = TECHNICIAN | COORDINATOR
EVERYBODY = DELIVERING | AUDITOR | ADMINISTRATOR

SCOPES = {
    "services:read": "see customers, services and the catalogue",
    "services:write": "add customers, register services, ask customers for access",
    "tickets:read": "see tickets, who is on them and which leases are open",
    "tickets:write": "open tickets, assign technicians, close tickets",
    "log:read": "read and export the log",
}
"""What an API token can be made for. None opens a secret, changes an account or proves presence."""


@dataclass(frozen=True)
class Right:
    """Who may do one thing. `roles`: any one of them is enough."""

    roles: frozenset[str]
    customers: bool = False
    """It shows customers' data, so the confidentiality agreement in force comes first."""
    presence: bool = False
    """It takes a proof of presence given for this very deed."""
    rested: bool = False
    """Not within the cooling-off day after a change of the account."""
    second: bool = False
    """It waits for, or is, the yes of a second person, who is an administrator."""
    scope: str = ""
    """The scope with which an API token may do it; none where no token may."""


def _with_customers(roles: frozenset[str], scope: str = "", *, presence: bool = False) -> Right:
    return Right(roles, customers=True, scope=scope, presence=presence)


RIGHTS: dict[str, Right] = {
    # one's own account
    "session.show": Right(EVERYBODY, scope="*"),
    "session.end": Right(EVERYBODY),
    "account.show": Right(EVERYBODY),
    "account.change": Right(EVERYBODY, presence=True),
    "token.make": Right(EVERYBODY, presence=True),
    "token.end": Right(EVERYBODY),
    "device.answer": Right(EVERYBODY, presence=True),
    "presence.prove": Right(EVERYBODY, presence=True),
    "agreement.read": Right(EVERYBODY),
    "agreement.accept": Right(EVERYBODY),
    "description.read": Right(EVERYBODY),
    # the staff
    "staff.assignable": Right(COORDINATOR, scope="tickets:read"),
    "staff.list": Right(ADMINISTRATOR),
    "staff.ask": Right(ADMINISTRATOR, presence=True, second=True),
    "staff.vouch": Right(ADMINISTRATOR, presence=True, rested=True, second=True),
    "staff.refuse": Right(ADMINISTRATOR),
    "staff.restrict": Right(ADMINISTRATOR),
    # customers, catalogue, services
    "catalogue.read": Right(EVERYBODY, scope="services:read"),
    "catalogue.approve": Right(ADMINISTRATOR, presence=True, rested=True, second=True),
    "catalogue.revoke": Right(ADMINISTRATOR),
    "customer.list": _with_customers(COORDINATOR, "services:read"),
    "customer.add": _with_customers(COORDINATOR, "services:write"),
    "service.list": _with_customers(COORDINATOR, "services:read"),
    "service.register": _with_customers(COORDINATOR, "services:write"),
    "service.connect": _with_customers(COORDINATOR, "services:write"),
    "service.prolong": _with_customers(COORDINATOR, presence=True),
    "service.end": _with_customers(COORDINATOR, presence=True),
    "request.ask": _with_customers(COORDINATOR, "services:write"),
    "board.show": _with_customers(COORDINATOR),
    "search.find": Right(EVERYBODY),
    # tickets and leases
    "ticket.list": _with_customers(DELIVERING, "tickets:read"),
    "ticket.manage": _with_customers(COORDINATOR, "tickets:write"),
    "lease.list": _with_customers(DELIVERING, "tickets:read"),
    "lease.start": Right(TECHNICIAN, customers=True, presence=True, rested=True),
    "lease.extend": Right(TECHNICIAN, customers=True, presence=True, rested=True),
    "secret.reveal": Right(TECHNICIAN, customers=True, rested=True),
    "secret.use": Right(TECHNICIAN, customers=True, rested=True),
    "secret.code": Right(TECHNICIAN, customers=True, rested=True),
    "host-key.meet": Right(TECHNICIAN, customers=True, rested=True),
    "host-key.show": Right(TECHNICIAN, customers=True, rested=True),
    "lease.check-in": Right(EVERYBODY),
    "lease.revoke": _with_customers(COORDINATOR),
    "lease.approve": Right(COORDINATOR, customers=True, presence=True, rested=True),
    "lease.refuse": _with_customers(COORDINATOR),
    "secret.report": _with_customers(TECHNICIAN),
    "lease.break-glass": Right(TECHNICIAN, customers=True, presence=True, rested=True),
    "review.list": _with_customers(COORDINATOR | AUDITOR),
    "review.close": Right(COORDINATOR | AUDITOR, customers=True, presence=True, rested=True),
    # the log
    "log.read": _with_customers(AUDITOR, "log:read"),
}


CUSTOMERS_OWN = {
    "mine.show": "a customer whose own page is open: to see it, and to leave it",
    "mine.stop": "a customer whose own page is open: to pause, resume, withdraw, replace and end what is theirs",
    "mine.approve": "a customer whose own page is open: to allow a lease that takes their yes, or not to",
    "mine.correct": "a customer whose own page is open: to correct their own data, to add and remove passkeys",
    "mine.export": "a customer whose own page is open: to take their records with them",
}
"""What customers do on their own page. These are no rights of the staff, and nobody of the staff has them: each is
about the things of the one customer whose visit it is, which the operations look up by the visit itself."""


@dataclass(frozen=True)
class Standing:
    """How a person stands at this moment, read in the transaction of the deed."""

    id: str
    roles: frozenset[str]
    state: str
    agreed: bool
    """Has accepted the confidentiality agreement that is in force now."""
    rested: bool
    """Is not within a cooling-off day."""
    scopes: frozenset[str] | None = None
    """What the API token that asks is limited to; None for a session."""


def go_together(roles: Collection[str]) -> bool:
    """Whether one person may have all of these roles: separation of duties.

    Who audits does nothing else, and who looks after accounts delivers nothing.
    """
    held = frozenset(roles)
    return bool(held) and (held in (AUDITOR, ADMINISTRATOR) or held <= DELIVERING)


def require(standing: Standing, name: str) -> None:
    """Refuse whoever may not do this now. Raises NotSignedIn for who is not active, Denied, KeyError for no right."""
    right = RIGHTS[name]
    if standing.state != "active":
        raise NotSignedIn("this account is not active")
    if not go_together(standing.roles):
        raise Denied("these roles do not go together in one person; an administrator has to change them")
    if standing.scopes is not None and not (right.scope == "*" or right.scope in standing.scopes):
        raise Denied("this API token was not made for that")
    if not standing.roles & right.roles:
        raise Denied("your role does not do this").hinting(
            "Your roles stand on “My account”, or: valetkey whoami"
        )
    if right.customers and not standing.agreed:
        raise NotAgreed("accept the confidentiality agreement that is in force first")
    if right.rested and not standing.rested:
        raise Resting("your account was changed within the last day, so it does not do this yet")
