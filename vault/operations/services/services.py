"""Services: registered for a customer, with a key pair of their own and an end from the start, which can be moved."""

import secrets
from datetime import datetime

from sqlalchemy import select

from vault.crypto.encoding import b64
from vault.crypto.opening import ServiceKey
from vault.crypto.statement import KeyStatement, sign_statement
from vault.errors import Conflict, Invalid, NotFound, Tampered
from vault.model.tables import Customer, Service, ServiceType
from vault.model.views import ServiceTypeView, ServiceView
from vault.operations import presence, showing
from vault.operations.asking import may, service_for
from vault.operations.house import notices
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.vault import Vault
from vault.policy.ending import require_new_end, require_prolongable
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import DAY, Actor, Title, known_id, new_id, to_datetime, to_moment

_SERVICES = Service.table()
_ALL = select(_SERVICES).order_by(_SERVICES.c.created_at.desc(), _SERVICES.c.id)
_CUSTOMERS = select(Customer.table())


async def register(
    vault: Vault,
    actor: Actor,
    customer_id: str,
    type_name: str,
    title: str,
    ends_at: datetime,
    *,
    once: bool = False,
) -> ServiceView:
    """Register a service. Its seed is durable in the keyring (and mirror) before its public key is shown to anybody.

    With `once` this customer must have no open one of that type and title yet: a form that is sent twice registers one.
    Raises NotSignedIn, Denied, NotFound, Invalid (an end in the past or beyond the type's longest life), Conflict,
    Sealed, NotRecorded.
    """
    end = to_moment(ends_at)
    await vault.read(_may_register, actor, customer_id, type_name, end)  # judged again in the transaction
    service, generation = await prepared(vault, customer_id, type_name, title, end)
    view: ServiceView = await vault.perform(_registered, actor, service, generation, once)
    return view


async def prepared(
    vault: Vault, customer_id: str, type_name: str, title: str, end: int
) -> tuple[Service, int]:
    """A service that is still to be put into the vault, its seed durable in a keyring of that generation.

    Whoever asks for it has been judged. Raises Invalid (a title that is none), Sealed, NotRecorded.
    """
    parsed = Title.parse(title, "a service's title", "/title")
    service_id, key_id = new_id("svc"), new_id("key")
    seed = secrets.token_bytes(32)
    public = ServiceKey.from_seed(seed).public_keys()
    statement = KeyStatement(
        vault.deployment, service_id, key_id, b64(public["xwing"]), b64(public["x25519"]), vault.now()
    )
    text, signature = sign_statement(vault.keys.statement_key, statement)
    service = Service(
        id=service_id,
        customer_id=customer_id,
        type=type_name,
        title=parsed.text,
        key_id=key_id,
        statement=text,
        statement_signature=signature,
        ends_at=end,
    )
    wrapped = vault.keys.wrap_seed(key_id, service_id, seed)
    return service, await vault.aside(vault.keyring.put_seed, key_id, service_id, wrapped)


def _may_register(reading: Reading, actor: Actor, customer_id: str, type_name: str, end: int) -> None:
    may(reading, actor, "service.register")
    require_registrable(reading, customer_id, type_name, end)


def require_registrable(reading: Reading, customer_id: str, type_name: str, end: int) -> None:
    """There is such a customer and type, and the end is within the type's longest life. Raises NotFound, Invalid."""
    if reading.find(Customer, id=known_id("cus", customer_id)) is None:
        raise NotFound("there is no such customer")
    require_type(reading, type_name, end)


def require_type(reading: Reading, type_name: str, end: int) -> None:
    """There is such a type, and a service of it may last until then. Raises NotFound, Invalid."""
    longest = type_of(reading, type_name).longest_life_days
    if not reading.now < end <= reading.now + longest * DAY:
        raise Invalid(f"a service of this type ends in the future, within {longest} days", "/ends_at")


@operation("service.register")
def _registered(unit: Unit, actor: Actor, service: Service, generation: int, once: bool) -> ServiceView:
    unit.about(service=service.id, customer=service.customer_id, key=service.key_id)
    _may_register(unit, actor, service.customer_id, service.type, service.ends_at)
    alike = {"customer_id": service.customer_id, "type": service.type, "title": service.title}
    if once and unit.find_all_unchecked(Service, state="open", **alike):
        raise Conflict("such a service is registered already")
    put_service(unit, service, generation)
    return showing.service(unit, service)


def put_service(unit: Unit, service: Service, generation: int) -> None:
    """Register a prepared service as part of another change, for whoever has been judged."""
    unit.disclose(service.customer_id, title=service.title)
    service.created_at = unit.now
    unit.keyring_is_at(generation)
    unit.insert(service)
    notices.on_new_end(unit, service)


async def prolong(
    vault: Vault, actor: Actor, service_id: str, ends_at: datetime, given: Presence = NOTHING
) -> ServiceView:
    """Move the end of a service: of one that is open, or of one that ended by itself and is in its grace.

    What that end has closed stays closed: leases, requests, tickets. It takes a proof of presence. Raises NotSignedIn,
    Denied, NotFound, Ended (ended by somebody, destroyed, or the grace is over), Invalid (no later end, or one beyond
    the type's longest life from now), ProofNeeded, TooMany, ClockInDoubt.
    """
    end = to_moment(ends_at)
    known_id("svc", service_id)
    proof = await presence.proved(vault, given, _deed_of, actor, service_id, end)
    return await vault.perform(_prolonged, actor, service_id, end, proof)


def _may_prolong(reading: Reading, actor: Actor, service_id: str, end: int) -> Service:
    found = service_for(reading, actor, "service.prolong", service_id)
    of = type_of(reading, found.type, running=True)
    require_prolongable(found.state, found.ends_at, found.destroy_at, of.grace_days, reading.now)
    require_new_end(end, found.ends_at, of.longest_life_days, reading.now)
    return found


def _deed_of(reading: Reading, actor: Actor, service_id: str, end: int) -> Deed:
    return _deed(_may_prolong(reading, actor, service_id, end), end)


def _deed(service: Service, end: int) -> Deed:
    words = f"prolong “{service.title}” until {to_datetime(end):%Y-%m-%d %H:%M} UTC"
    return Deed(words, ("service.prolong", service.id, end))


@operation("service.prolong")
def _prolonged(unit: Unit, actor: Actor, service_id: str, end: int, proof: str) -> ServiceView:
    unit.about(service=service_id)
    found = _may_prolong(unit, actor, service_id, end)
    presence.spend(unit, actor, proof, _deed(found, end))
    unit.change(found, state="open", ends_at=end, ended_at=None, destroy_at=None)
    notices.on_new_end(unit, found)
    notices.on_short_lines(unit, found)
    return showing.service(unit, found)


def type_of(reading: Reading, name: str, *, running: bool = False) -> ServiceTypeView:
    """A service type of the catalogue; a retired one still governs the services that were registered under it.

    Raises NotFound.
    """
    storable = name.isascii() and name.isprintable()  # a database would refuse the rest in its own words
    found = reading.find(ServiceType, id=name) if storable else None
    if found is None or (found.retired and not running):
        raise NotFound("the catalogue has no such service type")
    return ServiceTypeView.model_validate_json(found.body)


def services(reading: Reading, actor: Actor) -> list[ServiceView]:
    """All services, the newest first, for coordinators. Raises NotSignedIn, Denied or Tampered."""
    may(reading, actor, "service.list")
    rows, owners = (reading.connection.execute(query).all() for query in (_ALL, _CUSTOMERS))
    known = {row.id: showing.customer(row) for row in owners}
    if any(row.customer_id not in known for row in rows):
        raise Tampered("the customer of a service is not there any more")
    return [showing.listed_service(row, known[row.customer_id]) for row in rows]


def service(reading: Reading, actor: Actor, service_id: str) -> ServiceView:
    """One service with its secrets and requests, for coordinators. Raises NotSignedIn, Denied or NotFound."""
    return showing.service(reading, service_for(reading, actor, "service.list", service_id))
