"""What decides whether a lease opens a secret now, in one query: an opening waits for no other word of the database."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Text, bindparam, cast, func, literal, select

from vault.errors import NotFound, NotSignedIn, Tampered
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.model.tables import Agreement, Assignment, Lease, RowHead, Secret, Service, Ticket
from vault.operations.asking import AGREEMENT_GONE, roles_of
from vault.operations.leases import approvers
from vault.operations.leases.leases import require_free
from vault.policy.access import Assigned, Delivery, Held, puts_on, require_live, require_openable
from vault.policy.approval import is_easier, needed, require_still_enough
from vault.policy.rights import Standing
from vault.storage.unit import Unit
from vault.values import Actor

_TABLES = (Lease, Secret, Person, Assignment, Ticket, Service)


@dataclass(frozen=True, slots=True)
class Opened:
    """What may be opened: the secret's row, and whose it is."""

    secret: dict[str, Any] = field(repr=False)
    customer_id: str


def _joined() -> Any:
    """Everything that decides a reveal, in one query: six rows, the agreement in force, whether a later one is gone."""
    lease, secret, person, assignment, ticket, service = (table.table() for table in _TABLES)
    in_force = select(func.coalesce(func.max(Agreement.table().c.id), 0)).scalar_subquery()
    later = literal("agreement:") + cast(in_force + 1, Text)
    is_gone = select(RowHead.table().c.row_id).where(RowHead.table().c.row_id == later).exists()
    query = (
        select(lease, secret, person, assignment, ticket, service, in_force, is_gone)
        .select_from(lease)
        .join(secret, (secret.c.id == bindparam("secret")) & (secret.c.service_id == lease.c.service_id))
        .join(person, person.c.id == lease.c.person_id)
        .join(ticket, ticket.c.id == lease.c.ticket_id)
        .join(service, service.c.id == lease.c.service_id)
        .outerjoin(
            assignment,
            (assignment.c.ticket_id == lease.c.ticket_id) & (assignment.c.person_id == lease.c.person_id),
        )
    )
    return query.where(lease.c.id == bindparam("lease"))


_DECIDING = _joined()
_NAMES = [table.table().name for table in _TABLES]
_SPANS: list[slice] = []
_AT: dict[str, int] = {}
for _table in _TABLES:
    _start = _SPANS[-1].stop if _SPANS else 0
    _columns = list(_table.table().columns)
    _SPANS.append(slice(_start, _start + len(_columns)))
    _AT.update({f"{_table.table().name}.{column.key}": _start + at for at, column in enumerate(_columns)})
_IN_FORCE_AT = _SPANS[-1].stop
_SECRET_COLUMNS = [column.key for column in Secret.table().columns]
_SERVICE_COLUMNS = [column.key for column in Service.table().columns]


def judged(unit: Unit, actor: Actor, lease_id: str, secret_id: str, right: str) -> Opened:
    """The secret that a lease opens for whoever acts, at this moment and by rows that match their newest entries.

    The entry is told what it is about. Raises NotSignedIn, Denied, NotFound, Ended, Conflict, Tampered.
    """
    row = unit.connection.execute(_DECIDING, {"lease": lease_id, "secret": secret_id}).first()
    if row is None:
        raise NotFound("there is no such thing")
    if actor.kind != "person":
        raise NotSignedIn("nobody is signed in")
    if row[_AT["lease.person_id"]] != actor.id:
        raise NotFound("there is no such thing")
    _check_digests(unit, row)
    unit.say(service=row[_AT["lease.service_id"]], ticket=row[_AT["lease.ticket_id"]])
    if row[_IN_FORCE_AT + 1]:
        raise Tampered(AGREEMENT_GONE)
    require_live(_held(row), secret_id, _delivery(row, actor, unit.now), unit.now, right)
    require_openable(row[_AT["secret.state"]])
    if _may_take_more(row):
        _judge_anew(unit, row)
    unit.say(version=str(row[_AT["secret.version"]]))
    secret = dict(zip(_SECRET_COLUMNS, row[_SPANS[1]], strict=True))
    return Opened(secret, row[_AT["service.customer_id"]])


def _may_take_more(row: Any) -> bool:
    """Whether a lease may take a stricter yes by now than it had.

    Because it was planned and never judged when it began; because what it opens was asked for anew under another line,
    and given for that; or because it is extraordinary, of which an approved line counts only while it is approved.
    """
    kinds = (KINDS[row[_AT["secret.kind"]]], KINDS[row[_AT["secret.asked_kind"]]])
    return (
        row[_AT["lease.begins_at"]] is not None
        or is_easier(row[_AT["lease.approver"]], row[_AT["secret.approver"]])
        or any(kind.extraordinary for kind in kinds)
    )


def _judge_anew(unit: Unit, row: Any) -> None:
    """Hold a lease to the catalogue as it is by now.

    Raises Conflict where that takes another yes, or lends to one at a time what somebody else had first.
    """
    secret = Secret(**dict(zip(_SECRET_COLUMNS, row[_SPANS[1]], strict=True)))
    service = Service(**dict(zip(_SERVICE_COLUMNS, row[_SPANS[-1]], strict=True)))
    by_now, _ = needed(
        approvers.approver_of(unit, service, [secret]),
        services=0,
        services_a_day=1,
        alone=bool(row[_AT["assignment.alone"]]),
    )
    require_still_enough(row[_AT["lease.approver"]], by_now)
    lease_id, holder = row[_AT["lease.id"]], row[_AT["lease.person_id"]]
    span = row[_AT["lease.starts_at"]], row[_AT["lease.expires_at"]]
    require_free(unit, service, [secret.id], holder, *span, before=lease_id)


def _delivery(row: Any, actor: Actor, now: int) -> Delivery:
    in_force = row[_IN_FORCE_AT]
    state = row[_AT["assignment.state"]]
    assigned = state and Assigned(state, row[_AT["assignment.assigned_by"]], row[_AT["assignment.ends_at"]])
    return Delivery(
        standing=Standing(
            id=row[_AT["person.id"]],
            roles=roles_of(row[_AT["person.roles"]]),
            state=row[_AT["person.state"]],
            agreed=0 < in_force == row[_AT["person.agreed_version"]],
            rested=now >= row[_AT["person.rests_until"]],
            scopes=actor.scopes,
        ),
        assigned=puts_on(assigned, actor.id, now),
        ticket_open=row[_AT["ticket.state"]] == "open",
        service_open=row[_AT["service.state"]] == "open",
        service_ends_at=row[_AT["service.ends_at"]],
        paused=row[_AT["service.paused_at"]] is not None,
    )


def _held(row: Any) -> Held:
    return Held(
        person_id=row[_AT["lease.person_id"]],
        state=row[_AT["lease.state"]],
        expires_at=row[_AT["lease.expires_at"]],
        covers=row[_AT["lease.covers"]].split(),
        approver=row[_AT["lease.approver"]],
        decided_by=row[_AT["lease.decided_by"]],
        starts_at=row[_AT["lease.starts_at"]],
        review_id=row[_AT["lease.review_id"]],
    )


def _check_digests(unit: Unit, row: Any) -> None:
    """Every row that decides must be the one its newest entry names."""
    for name, span in zip(_NAMES, _SPANS, strict=True):
        values = tuple(row[span])
        if values[0] is not None:  # without an assignment policy says no by itself
            unit.trust(name, values[0], values)
