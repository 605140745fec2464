"""What a helpdesk tells, taken in: signed, fresh, once, in whatever order it arrives, and each change with its entry.

First come the signature and the time, and until both are right whoever sent it is nobody in particular. Then each
event is judged without changing anything, and what says nothing new is only remembered. What changes something is
judged again in the transaction that changes it.
"""

from hashlib import sha256

from sqlalchemy import bindparam, delete, select

from vault.crypto.encoding import pack
from vault.errors import Conflict, Invalid, NotFound, NotSignedIn, VaultError
from vault.helpdesk.adapter import Adapter, Headers, unsigned
from vault.helpdesk.events import Delivery, Event, Registered
from vault.languages import LANGUAGES
from vault.model.helpdesks import HelpdeskEvent
from vault.model.tables import Customer
from vault.operations import attempts
from vault.operations.customers import customers
from vault.operations.helpdesk import helpdesks, mirror_deeds, mirrored
from vault.operations.services import services
from vault.operations.vault import Vault
from vault.policy import mirroring as policy
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, Title

TRIES = 3
"""How often a change is judged anew that another one has overtaken."""
_EVENTS = HelpdeskEvent.table()
_TAKEN = select(_EVENTS.c.digest).where(_EVENTS.c.id == bindparam("message"))
_FORGET = delete(_EVENTS).where(_EVENTS.c.at < bindparam("before"))


async def receive(vault: Vault, nobody: Actor, helpdesk_id: str, headers: Headers, body: bytes) -> None:
    """Take in one delivery of a helpdesk; the same one again changes nothing.

    Raises Sealed; NotSignedIn for an unknown or ended helpdesk, a wrong signature and a time outside the tolerance
    alike; Invalid for a body that is signed and not understood; NotFound, Conflict for what cannot be done here;
    TooMany for a delivery that was refused again and again, and for a helpdesk that says more than any does.
    """
    vault.keys  # noqa: B018 (raises Sealed: without keys nobody can tell who signed)
    adapter, keys = await vault.read(helpdesks.signer, nobody, helpdesk_id)
    actor = Actor("helpdesk", helpdesk_id, "api", source=nobody.source)
    digest = sha256(body).hexdigest()
    try:
        delivery = adapter.opened(keys, headers, body)
    except NotSignedIn:
        delivery = None
    except Invalid as refusal:  # it is signed
        await attempts.count(vault, nobody, f"delivery:{digest}")
        await vault.perform(_refused, actor, refusal)
        raise
    if delivery is None or not policy.is_fresh(delivery.sent_at, vault.now()):
        await vault.perform(_unsigned, nobody)
        raise unsigned()
    message = sha256(pack("valetkey/v1/helpdesk event", helpdesk_id, delivery.id)).hexdigest()
    taken = await vault.read(_taken, actor, message)
    if taken == digest:
        return
    await attempts.count(vault, nobody, f"delivery:{digest}", f"helpdesk:{helpdesk_id}")
    for event in await _events(vault, actor, adapter, delivery, is_new=taken is None):
        await _take(vault, actor, event)
    await vault.perform(_remember, actor, message, digest)


async def _events(
    vault: Vault, actor: Actor, adapter: Adapter, delivery: Delivery, *, is_new: bool
) -> tuple[Event, ...]:
    """What a delivery says; a refusal is written down. Raises Invalid, Conflict."""
    try:
        if not is_new:
            raise Conflict("this message's id was that of another message; nothing was changed")
        events = adapter.events(delivery)
        for event in events:
            policy.require_tellable(event.at, vault.now())
    except (Invalid, Conflict) as refusal:
        await vault.perform(_refused, actor, refusal)
        raise
    return events


async def _take(vault: Vault, actor: Actor, event: Event) -> None:
    for part in await vault.read(mirrored.parts_of, actor, event):
        for left in reversed(range(TRIES)):
            try:
                deed = await vault.read(mirrored.deed_of, actor, part)
            except (NotFound, Conflict) as refusal:
                await vault.perform(_refused, actor, refusal)
                raise
            if not deed:
                break
            try:
                await _carry_out(vault, actor, deed, part)
                break
            except Conflict:  # another change may have come in between; its entry says so, and this one's too
                if not left or await vault.read(mirrored.deed_of, actor, part) == deed:
                    raise


async def _carry_out(vault: Vault, actor: Actor, deed: str, event: Event) -> None:
    if deed == "service.register" and isinstance(event, Registered):
        await attempts.count(vault, actor, f"registering:{actor.id}")
        customer_id = await _customer_of(vault, actor, event)
        service, generation = await services.prepared(
            vault, customer_id, event.type, event.title, event.ends_at
        )
        await vault.perform(mirror_deeds.registered, actor, event, service, generation)
        return
    await vault.perform(mirror_deeds.DEEDS[deed], actor, event)


async def _customer_of(vault: Vault, actor: Actor, event: Registered) -> str:
    """The id of the customer with that address, who is added where there is none. Raises Conflict for two of them."""
    try:
        known = await vault.read(_known_customer, actor, event)
    except (Invalid, NotFound, Conflict) as refusal:
        await vault.perform(_refused, actor, refusal)
        raise
    if known:
        return known
    customer, generation = await customers.prepared(
        vault, event.customer_name, event.customer_mail, LANGUAGES[0]
    )
    await vault.perform(mirror_deeds.customer_added, actor, customer, generation)
    return customer.id


def _known_customer(reading: Reading, _actor: Actor, event: Registered) -> str:
    Title.parse(event.title, "a service's title", "/data/service/title")
    Title.parse(event.customer_name, "a customer's name", "/data/customer/name")
    found = reading.find_all(Customer, mail=event.customer_mail)
    if len(found) > 1:
        raise Conflict("two customers have this address; a coordinator has to register the service")
    services.require_type(reading, event.type, event.ends_at)
    return found[0].id if found else ""


def _taken(reading: Reading, _actor: Actor, message: str) -> str | None:
    found: str | None = reading.connection.execute(_TAKEN, {"message": message}).scalar()
    return found


# -- without a change --------------------------------------------------------------------------------------------------


@operation("helpdesk.unsigned", recorded=False)
def _unsigned(_unit: Unit, _nobody: Actor) -> None:
    """Counted by the minute, as every refusal of nobody in particular."""
    raise unsigned()


@operation("helpdesk.told")
def _refused(_unit: Unit, _actor: Actor, refusal: VaultError) -> None:
    """What a helpdesk has signed and cannot be done: the entry has its outcome."""
    raise refusal


@operation("helpdesk.taken", recorded=False)
def _remember(unit: Unit, actor: Actor, message: str, digest: str) -> None:
    """What a delivery changed has its entries; the same one again is recognised for as long as it could be told."""
    helpdesks.require_active(unit, actor)
    unit.execute(_FORGET, before=unit.now - policy.KEPT - policy.TOLERANCE)
    if unit.connection.execute(_TAKEN, {"message": message}).first() is None:
        unit.insert(HelpdeskEvent(id=message, digest=digest, at=unit.now))
