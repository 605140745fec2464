"""The customer's page: what they gave, who may use it and what happened; and every way to stop it."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select

from vault.errors import Conflict, Ended, Invalid, NotFound, Sealed
from vault.languages import LANGUAGES, NO_SUCH_LANGUAGE
from vault.model.keylines import longer, stops_on
from vault.model.kinds import KINDS
from vault.model.own_views import AskedLeaseView, GivenView, LentView, OwnServiceView, OwnView
from vault.model.people import Person
from vault.model.tables import Assignment, Certificate, Lease, LedgerEntry, Request, Secret, Service, Ticket
from vault.model.views import RequestView
from vault.operations import showing
from vault.operations.customers.requests import ask_again
from vault.operations.customers.visits import customer_of, end_others, link_hash, own_secret, own_service
from vault.operations.house import destruction, notices
from vault.operations.leases import exposure
from vault.operations.services import necessity
from vault.operations.vault import Vault
from vault.storage.database import scrub
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, MailAddress, Title, to_datetime

_SERVICES, _SECRETS, _LEASES = Service.table(), Secret.table(), Lease.table()
_TICKETS, _ASSIGNMENTS, _PEOPLE = Ticket.table(), Assignment.table(), Person.table()
_ENTRIES = LedgerEntry.table()
_OWN = (
    select(_SERVICES)
    .where(_SERVICES.c.customer_id == bindparam("customer"))
    .order_by(_SERVICES.c.created_at.desc(), _SERVICES.c.id)
)
_ON_IT = (
    select(_PEOPLE.c.name)
    .distinct()
    .join(_ASSIGNMENTS, _ASSIGNMENTS.c.person_id == _PEOPLE.c.id)
    .join(_TICKETS, _TICKETS.c.id == _ASSIGNMENTS.c.ticket_id)
    .where(
        _TICKETS.c.service_id == bindparam("service"),
        _TICKETS.c.state == "open",
        _ASSIGNMENTS.c.state == "active",
        _ASSIGNMENTS.c.ends_at.is_(None) | (_ASSIGNMENTS.c.ends_at > bindparam("at")),
        _PEOPLE.c.state == "active",
    )
    .order_by(_PEOPLE.c.name)
)
_LIVE = (
    select(_LEASES, _PEOPLE.c.name, _TICKETS.c.number)
    .join(_PEOPLE, _PEOPLE.c.id == _LEASES.c.person_id)
    .join(_TICKETS, _TICKETS.c.id == _LEASES.c.ticket_id)
    .where(_LEASES.c.service_id == bindparam("service"), _LEASES.c.expires_at > bindparam("at"))
    .order_by(_LEASES.c.starts_at)
)
_LENT = _LIVE.where(_LEASES.c.state == "active")
_ASKED = _LIVE.where(_LEASES.c.state == "asked", _LEASES.c.approver == "customer")
_OPENED = (
    select(_ENTRIES.c.body)
    .where(
        _ENTRIES.c.service_id == bindparam("service"),
        LedgerEntry.is_of(*exposure.WAYS),
        _ENTRIES.c.body.contains('"outcome":"ok"'),
        _ENTRIES.c.body.contains(bindparam("secret")),
    )
    .with_only_columns(_ENTRIES.c.actor, func.count())
    .group_by(_ENTRIES.c.actor)
)


def page(reading: Reading, actor: Actor) -> OwnView:
    """All of a customer's own, also while the vault is sealed. Raises NotSignedIn."""
    customer = customer_of(reading, actor)
    return OwnView(
        id=customer.id,
        name=customer.name,
        mail=customer.mail,
        language=customer.language,
        digest=customer.digest,
        business=reading.settings.business,
        sealed=reading.is_sealed,
        services=tuple(_service(reading, row) for row in reading.rows(_OWN, customer=customer.id)),
    )


def service(reading: Reading, actor: Actor, service_id: str) -> OwnServiceView:
    """One service of the customer's. Raises NotSignedIn, NotFound."""
    return _service(reading, own_service(reading, actor, service_id).model_dump())


def _service(reading: Reading, row: Any) -> OwnServiceView:
    certificate = reading.find(Certificate, id=row["id"])
    on_it = reading.connection.execute(_ON_IT, {"service": row["id"], "at": reading.now}).scalars()
    held = reading.find_all_unchecked(Secret, service_id=row["id"])
    titles = {secret.id: KINDS[secret.kind].title for secret in held}
    return OwnServiceView(
        id=row["id"],
        title=row["title"],
        state=row["state"],
        created_at=to_datetime(row["created_at"]),
        ends_at=to_datetime(row["ends_at"]),
        destroyed_at=None if row["destroyed_at"] is None else to_datetime(row["destroyed_at"]),
        paused_at=None if row["paused_at"] is None else to_datetime(row["paused_at"]),
        given=tuple(_given(reading, secret, to_datetime(row["ends_at"])) for secret in held),
        who_may=tuple(on_it) if row["state"] == "open" else (),
        lent=tuple(
            _lent(lease, titles, reading.now)
            for lease in reading.rows(_LENT, service=row["id"], at=reading.now)
        ),
        asked=tuple(
            _asked(lease, titles) for lease in reading.rows(_ASKED, service=row["id"], at=reading.now)
        ),
        exposure=exposure.of_service(reading, row["id"]),
        certificate=certificate.note if certificate else None,
    )


def _given(reading: Reading, secret: Secret, ends_at: datetime) -> GivenView:
    line = longer(secret.state, secret.made_line, ends_at)
    wanted = {"service": secret.service_id, "secret": f'"secret":"{secret.id}"'}
    opened = {str(actor): int(times) for actor, times in reading.connection.execute(_OPENED, wanted)}
    names = showing.names_of(reading, opened).values()
    return GivenView(
        id=secret.id,
        kind=secret.kind,
        title=KINDS[secret.kind].title,
        state=secret.state,
        given_at=None if secret.given_at is None else to_datetime(secret.given_at),
        because=secret.because,
        line=secret.made_line,
        line_stops=stops_on(secret.made_line) if line else None,
        longer_line=line,
        opened=sum(opened.values()),
        opened_by=tuple(sorted(names)),
    )


def _lent(row: Any, titles: dict[str, str], now: int) -> LentView:
    return LentView(
        id=row["id"],
        who=row["name"],
        ticket=row["number"],
        reason=row["reason"],
        since=to_datetime(row["starts_at"]),
        until=to_datetime(row["expires_at"]),
        secrets=tuple(titles[one] for one in row["covers"].split() if one in titles),
        planned=now < row["starts_at"],
        glass=bool(row["review_id"]),
    )


def _asked(row: Any, titles: dict[str, str]) -> AskedLeaseView:
    lease = Lease(**{column: row[column] for column in Lease.model_fields})
    return AskedLeaseView(
        id=lease.id,
        who=row["name"],
        ticket=row["number"],
        reason=lease.reason,
        minutes=lease.minutes,
        since=to_datetime(lease.starts_at),
        until=to_datetime(lease.expires_at),
        secrets=tuple(titles[one] for one in lease.covers.split() if one in titles),
        digest=showing.asked_of(lease).digest,
        begins_at=None if lease.begins_at is None else to_datetime(lease.begins_at),
    )


@operation("service.pause", in_any_time=True)
def pause(unit: Unit, actor: Actor, service_id: str) -> None:
    """Let nothing of a service open from this commit on, until the customer resumes it; also while the vault is sealed.

    Pausing twice is no fault. Raises NotSignedIn, NotFound, Ended.
    """
    unit.about(service=service_id)
    found = _running(unit, actor, service_id)
    if found.paused_at is None:
        unit.change(found, paused_at=unit.now)
        unit.notify("service.paused", found.id, found.customer_id)


@operation("service.resume")
def resume(unit: Unit, actor: Actor, service_id: str) -> None:
    """Let a paused service go on: what was lent and has not ended opens again.

    Raises NotSignedIn, NotFound, Ended, and Sealed: whoever writes to the database could forge that then, and nothing
    opens meanwhile anyway.
    """
    unit.about(service=service_id)
    found = _running(unit, actor, service_id)
    if found.paused_at is not None:
        if unit.is_sealed:
            raise Sealed(
                "the vault is sealed, so nothing of this opens; resume it when the vault is unsealed"
            )
        unit.change(found, paused_at=None)
        unit.notify("service.resumed", found.id, found.customer_id)


def _running(unit: Unit, actor: Actor, service_id: str) -> Service:
    found = own_service(unit, actor, service_id)
    if found.state != "open":
        raise Ended("this service has ended")
    return found


async def withdraw(vault: Vault, actor: Actor, secret_id: str) -> None:
    """Take one secret back: from this commit on it opens for nobody, also while the vault is sealed.

    What was sealed of it is deleted here; its key goes with its service. Raises NotSignedIn, NotFound, Conflict.
    """
    await vault.perform(_withdrawn, actor, secret_id)
    await vault.aside(scrub, vault.engine)


@operation("secret.withdraw", in_any_time=True)
def _withdrawn(unit: Unit, actor: Actor, secret_id: str) -> None:
    unit.about(secret=secret_id)
    secret, found = own_secret(unit, actor, secret_id)
    unit.about(service=found.id)
    if secret.state not in {"given", "checked"}:
        raise Conflict("there is nothing of it here to be withdrawn")
    unit.change(
        secret,
        state="withdrawn",
        asked_version=max(secret.version + 1, secret.asked_version),
        envelope=b"",
        made=b"",
        offer=b"",
        offer_line="",
        suite="",
        given_at=None,
    )
    unit.notify("secret.withdrawn", secret.id, found.customer_id)


@operation("secret.replace")
def replace(unit: Unit, actor: Actor, secret_id: str) -> RequestView:
    """Open a form on which the customer gives a secret anew; what is there serves until then.

    The form's code is in the answer, this once. Raises NotSignedIn, NotFound, Ended, and Conflict for an
    extraordinary kind that is not approved any more.
    """
    unit.about(secret=secret_id)
    secret, found = own_secret(unit, actor, secret_id)
    unit.about(service=found.id)
    if found.state != "open" or unit.now >= found.ends_at:
        raise Ended("this service has ended")
    if not necessity.is_asked(unit, found, secret.asked_kind):
        raise Conflict(
            "we do not ask for this any more; instead of giving it anew, you can take back what you gave"
        )
    request = unit.find(Request, id=secret.request_id)
    if request is None:
        raise NotFound("there is no such thing")
    return ask_again(unit, request.asked_by, found, [secret], "hand")


async def end(vault: Vault, actor: Actor, service_id: str) -> None:
    """End a service and destroy everything of it now, as its customer.

    While the vault is sealed nothing opens any more either; the keys go at once, and the certificate is made after the
    unseal. Raises NotSignedIn, NotFound, Conflict (ended already); NotRecorded as `destruction.end` does.
    """
    await vault.perform(destruction.end_by_customer, actor, service_id)
    if vault.is_sealed:
        await vault.aside(vault.keyring.erase_service, service_id, vault.now())
    else:
        await destruction.finish(vault, service_id)


async def correct(
    vault: Vault,
    actor: Actor,
    name: str | None = None,
    mail: str | None = None,
    language: str | None = None,
    digest: bool | None = None,
) -> OwnView:
    """Change the customer's own data. A new mail address voids the link to the page and ends every other visit.

    Both addresses are told of a change. Raises NotSignedIn, Invalid, Sealed.
    """
    vault.keys  # noqa: B018 (raises Sealed: nobody could vouch for the change)
    changed: dict[str, Any] = {}
    if name is not None:
        changed["name"] = Title.parse(name, "a name", "/name").text
    if mail is not None:
        changed["mail"] = MailAddress.parse(mail).text
    if language is not None:
        if language not in LANGUAGES:
            raise Invalid(NO_SUCH_LANGUAGE, "/language")
        changed["language"] = language
    if digest is not None:
        changed["digest"] = digest
    await vault.perform(_corrected, actor, changed)
    return await vault.read(page, actor)


@operation("customer.correct")
def _corrected(unit: Unit, actor: Actor, changed: dict[str, Any]) -> None:
    customer = customer_of(unit, actor)
    unit.about(customer=customer.id)
    new = {name: value for name, value in changed.items() if getattr(customer, name) != value}
    if not new:
        return
    unit.disclose(customer.id, **{name: new[name] for name in ("name", "mail") if name in new})
    if "mail" in new:
        number = customer.link_number + 1
        new |= {"link_number": number, "link_hash": link_hash(unit, customer.id, number)}
    unit.change(customer, **new)
    if "mail" in new:
        end_others(unit, customer.id, actor.session)
        notices.on_moved(unit, customer, number)
