"""Whose yes a lease takes by the catalogue as it stands, and which of the coordinators can say it."""

from collections.abc import Iterable

from vault.errors import Denied, NotSignedIn
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.model.tables import Secret, Service
from vault.model.views import AskedKind, SecretView, ServiceTypeView, TicketView
from vault.operations import changes, necessity
from vault.operations.asking import standing_of
from vault.operations.services import type_of
from vault.policy import approval as policy
from vault.policy.approval import Approver
from vault.policy.rights import require
from vault.storage.reading import Reading


def approver_of(reading: Reading, service: Service, secrets: Iterable[Secret]) -> Approver:
    """Whose yes a lease of these secrets takes now. Raises Invalid where two people would have to say it."""
    of = type_of(reading, service.type, running=True)
    return policy.approver_of([_of_one(reading, of, one) for one in secrets])


def _of_one(reading: Reading, of: ServiceTypeView, secret: Secret | SecretView) -> Approver:
    line: AskedKind | None = next(
        (one for one in (*of.needs, *of.may_ask) if one.kind == secret.asked_kind), None
    )
    if not (KINDS[secret.asked_kind].extraordinary or KINDS[secret.kind].extraordinary):
        return line.approval if line else ""
    known = [one for one in necessity.lines_of(of) if one.kind == secret.asked_kind]
    return policy.approver_by(
        line.approval if line else "",
        extraordinary=True,
        approved=any(necessity.is_approved(reading, one) for one in known),
    )


def shown(reading: Reading, ticket: TicketView, service: Service) -> TicketView:
    """A ticket as people see it: with whose yes a lease of each secret takes."""
    of = type_of(reading, service.type, running=True)
    secrets = tuple(one.model_copy(update={"approval": _of_one(reading, of, one)}) for one in ticket.secrets)
    return ticket.model_copy(update={"secrets": secrets})


def why_not(reading: Reading, coordinator: Person, asker: Person) -> str:
    """Why a coordinator cannot say yes to that person's lease now, in words for them; nothing if they can."""
    try:
        require(standing_of(reading, coordinator), "lease.approve")
    except (Denied, NotSignedIn) as refusal:
        return str(refusal)
    _, accounts = changes.accounts_of(reading, coordinator, asker)
    both = (changes.account_of(coordinator), changes.account_of(asker))
    return policy.why_not(*both, accounts, reading.now)


def coordinators_for(reading: Reading, asker: Person) -> list[Person]:
    """Who of the coordinators can say yes to that person's lease now."""
    return [
        person
        for person in reading.find_all(Person, state="active")
        if "coordinator" in person.roles.split() and not why_not(reading, person, asker)
    ]
