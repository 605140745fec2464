"""From rows to views: what people see of a thing, the same in the API, the pages and the command line."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from vault.errors import Tampered
from vault.model.desk import Review
from vault.model.keylines import longer, stops_on
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.model.rows import Row
from vault.model.tables import Customer, Lease, Request, Secret, Service, ServiceType, Ticket
from vault.model.views import (
    AssignedView,
    CustomerView,
    LeaseView,
    PersonView,
    RequestView,
    SecretView,
    ServiceTypeView,
    ServiceView,
)
from vault.operations.asking import SECRETS_OF
from vault.policy.approval import Asked
from vault.storage.reading import Reading
from vault.values import to_datetime

_REQUESTS = (
    select(Request.table())
    .where(Request.table().c.service_id == bindparam("service_id"))
    .order_by(Request.table().c.id)
)


def person(row: Any, in_force: int) -> PersonView:
    """One of the staff."""
    return PersonView(
        id=row.id,
        name=row.name,
        mail=row.mail,
        roles=tuple(row.roles.split()),
        state=row.state,
        agreed=0 < in_force == row.agreed_version,
        by_host=row.made_by == "host",
    )


def assigned(row: Any, in_force: int) -> AssignedView:
    """A technician on a ticket."""
    until = None if row.ends_at is None else to_datetime(row.ends_at)
    return AssignedView(**dict(person(row, in_force)), until=until, alone=row.alone)


def name_of(reading: Reading, person_id: str) -> str:
    """The name of one of the staff; empty where the id is nobody's of them. Raises Tampered."""
    found = reading.find(Person, id=person_id) if person_id else None
    return found.name if found else ""


def names_of(reading: Reading, ids: Iterable[str], table: type[Row] = Person) -> dict[str, str]:
    """The names of these of the staff by their ids, as the rows have them now, whether or not those were bent since."""
    columns = table.table().c
    rows = reading.connection.execute(select(columns.id, columns.name).where(columns.id.in_(ids)))
    return {str(row.id): str(row.name) for row in rows}


def customer(row: Any) -> CustomerView:
    """A customer."""
    return CustomerView(id=row.id, name=row.name, mail=row.mail, language=row.language)


def secret(row: Any, ends_at: datetime) -> SecretView:
    """All about a secret of a service that ends then, but what is in it."""
    kind = KINDS[row.kind]
    is_short = longer(row.state, row.made_line, ends_at)
    return SecretView(
        id=row.id,
        kind=row.kind,
        kind_title=kind.title,
        version=row.version or row.asked_version,
        state=row.state,
        sealed_by=row.sealed_by,
        suite=row.suite,
        given_at=None if row.given_at is None else to_datetime(row.given_at),
        fields=() if kind.codes else tuple(field.name for field in kind.all_fields),
        codes=bool(kind.codes),
        asked_kind=row.asked_kind,
        line=row.made_line,
        line_stops=stops_on(row.made_line) if is_short else None,
    )


def secrets(reading: Reading, of: Service) -> tuple[SecretView, ...]:
    """The secrets of a service."""
    rows = reading.connection.execute(SECRETS_OF, {"service_id": of.id})
    return tuple(secret(row, to_datetime(of.ends_at)) for row in rows)


def request(
    row: Any,
    kinds: Iterable[str],
    code: str | None = None,
    link: str | None = None,
    pin: str | None = None,
) -> RequestView:
    """What a customer was asked for; with code and PIN only for whoever is to hand them over."""
    return RequestView(
        id=row.id,
        service_id=row.service_id,
        state=row.state,
        deliver=row.deliver,
        kinds=tuple(kinds),
        expires_at=to_datetime(row.expires_at),
        code=code,
        link=link,
        pin=pin,
    )


def service(reading: Reading, row: Service) -> ServiceView:
    """A service, with its secrets and requests. Raises Tampered."""
    owner = reading.find(Customer, id=row.customer_id)
    if owner is None:
        raise Tampered("the customer of a service is not there any more")
    held = list(reading.connection.execute(SECRETS_OF, {"service_id": row.id}))
    asked = list(reading.connection.execute(_REQUESTS, {"service_id": row.id}))
    found = listed_service(row, customer(owner))
    return found.model_copy(
        update={
            "secrets": tuple(secret(one, found.ends_at) for one in held),
            "requests": tuple(
                request(one, [of.asked_kind for of in held if of.request_id == one.id]) for one in asked
            ),
        }
    )


def listed_service(row: Any, owner: CustomerView) -> ServiceView:
    """A service as lists have it."""
    return ServiceView(
        id=row.id,
        customer=owner,
        type=row.type,
        title=row.title,
        state=row.state,
        created_at=to_datetime(row.created_at),
        ends_at=to_datetime(row.ends_at),
        paused_at=None if row.paused_at is None else to_datetime(row.paused_at),
        ended_at=None if row.ended_at is None else to_datetime(row.ended_at),
        destroy_at=None if row.destroy_at is None else to_datetime(row.destroy_at),
        destroyed_at=None if row.destroyed_at is None else to_datetime(row.destroyed_at),
    )


def service_type(reading: Reading, name: str) -> ServiceTypeView:
    """The service type that governs a registered service, a retired one too: it stays in the catalogue.

    Raises Tampered.
    """
    found = reading.find(ServiceType, id=name)
    if found is None:
        raise Tampered("the type of a service is not there any more")
    return ServiceTypeView.model_validate_json(found.body)


def lease(reading: Reading, row: Lease) -> LeaseView:
    """A lease. One whose time is over is shown as ended, whether or not the sweep has come by."""
    on = reading.find(Ticket, id=row.ticket_id)
    of = reading.find(Service, id=row.service_id)
    owner = reading.find(Customer, id=of.customer_id) if of else None
    covered = row.covers.split()
    over = row.state != "ended" and reading.now >= row.expires_at
    planned = row.state == "active" and reading.now < row.starts_at
    review = reading.find(Review, id=row.review_id) if row.review_id else None
    how = "expiry" if row.state == "active" else "not answered"
    return LeaseView(
        id=row.id,
        ticket_id=row.ticket_id,
        ticket_number=on.number if on else "",
        service_id=row.service_id,
        service_title=of.title if of else "",
        customer_name=owner.name if owner else "",
        person_id=row.person_id,
        person_name=name_of(reading, row.person_id),
        reason=row.reason,
        state="ended" if over else "planned" if planned else row.state,
        ended_how=how if over else row.ended_how,
        minutes=row.minutes,
        approver=row.approver,
        approver_why=row.approver_why,
        decided_by_name=_decider(reading, row),
        refusal=row.refusal,
        digest=asked_of(row).digest,
        begins_at=None if row.begins_at is None else to_datetime(row.begins_at),
        starts_at=to_datetime(row.starts_at),
        expires_at=to_datetime(row.expires_at),
        paused_at=to_datetime(of.paused_at) if of and of.paused_at is not None else None,
        review_id=row.review_id,
        review_state=review.state if review else "",
        secrets=tuple(one for one in (secrets(reading, of) if of else ()) if one.id in covered),
    )


def asked_of(row: Lease) -> Asked:
    """What a lease was asked for, as its yes binds it."""
    return Asked(
        row.id,
        row.ticket_id,
        row.person_id,
        tuple(row.covers.split()),
        row.minutes,
        row.reason,
        row.begins_at,
    )


def _decider(reading: Reading, row: Lease) -> str:
    if row.approver != "customer" or not row.decided_by:
        return name_of(reading, row.decided_by)
    found = reading.find(Customer, id=row.decided_by)
    return found.name if found else ""


def kinds_of(reading: Reading, request_id: str) -> list[str]:
    """The kinds that a request asks for now."""
    table = Secret.table()
    query = select(table.c.asked_kind).where(table.c.request_id == request_id).order_by(table.c.id)
    return list(reading.connection.execute(query).scalars())
