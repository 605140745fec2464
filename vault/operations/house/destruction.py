"""The end of a service: intent, keys, rows, certificate, in that order, so that a crash anywhere finishes forward.

An end that comes by itself may leave a grace first: nothing opens then, and the intent is recorded when it is over.
"""

import asyncio
import hmac
import json
from contextlib import suppress
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from vault.errors import Conflict, Invalid, NotFound, Tampered
from vault.model.desk_views import Way
from vault.model.tables import Certificate, Customer, Deployment, LedgerEntry, Secret, Service, Ticket
from vault.model.views import CertificateView
from vault.operations import presence, showing
from vault.operations.asking import service_for, service_of
from vault.operations.customers.requests import end_requests
from vault.operations.customers.visits import own_service
from vault.operations.leases.exposure import WAYS
from vault.operations.leases.leases import end_leases
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.services.services import type_of
from vault.operations.services.tickets import close_ticket
from vault.operations.vault import Vault
from vault.policy.ending import grace_until
from vault.sentences import Sentence
from vault.storage.database import scrub
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, known_id, to_datetime

_SERVICES = Service.table()
_ENTRIES = LedgerEntry.table()
_UNFINISHED = (
    select(_SERVICES.c.id)
    .where(_SERVICES.c.state == "ended", _SERVICES.c.destroy_at.is_(None))
    .order_by(_SERVICES.c.id)
)
_LAPSED = (
    select(_SERVICES.c.id)
    .where(_SERVICES.c.state == "ended", _SERVICES.c.destroy_at <= bindparam("at"))
    .order_by(_SERVICES.c.id)
)
_OVERDUE = (
    select(_SERVICES.c.id)
    .where(_SERVICES.c.state == "open", _SERVICES.c.ends_at <= bindparam("at"))
    .order_by(_SERVICES.c.id)
)
_SEEN = (
    select(
        _ENTRIES.c.actor, _ENTRIES.c.type, func.count(), func.min(_ENTRIES.c.time), func.max(_ENTRIES.c.time)
    )
    .where(
        _ENTRIES.c.service_id == bindparam("service"),
        LedgerEntry.is_of(*WAYS),
        _ENTRIES.c.body.contains('"outcome":"ok"'),
    )
    .group_by(_ENTRIES.c.actor, _ENTRIES.c.type)
    .order_by(_ENTRIES.c.actor)
)
_COUNTED: dict[Way, str] = {"revealed": "reveals", "used": "uses", "code": "codes"}
_WAYS = {
    "reveals": "shown to the person, who could have kept it",
    "uses": "handed to a program of the person's by its own word, who could have kept it with some effort",
    "codes": "a one-time code was made and shown; what it was made of was not",
}
"""What the certificate says of the three ways in which something was opened."""
SCRUB_TRIES = 50
SCRUB_SECONDS = 0.02


async def end(
    vault: Vault, actor: Actor, service_id: str, confirm: str, given: Presence = NOTHING
) -> CertificateView:
    """End a service and destroy its secrets now; `confirm` is its title, typed again, and it takes a proof of presence.

    One that ended by itself and is in its grace is destroyed at once too. When this returns, no process and no copy of
    `vault.db` opens them any more. Raises NotSignedIn, Denied, NotFound, Invalid (another title), Conflict (ended
    already), Sealed; NotRecorded when keyring or mirror could not be written: then nothing opens any more, and the
    destruction is finished by itself as soon as they can.
    """
    known_id("svc", service_id)
    vault.keys  # noqa: B018 (raises Sealed: without keys nobody could sign the certificate)
    proof = await presence.proved(vault, given, _deed_of, actor, service_id)
    await vault.perform(_intend, actor, service_id, confirm, proof)
    return await finish(vault, service_id)


def _deed_of(reading: Reading, actor: Actor, service_id: str) -> Deed:
    title = service_for(reading, actor, "service.end", service_id).title
    return _deed(service_id, f"end “{title}” and destroy everything that was given for it")


def _deed(service_id: str, words: str = "") -> Deed:
    return Deed(words, ("service.end", service_id))


@operation("service.end")
def _intend(unit: Unit, actor: Actor, service_id: str, confirm: str, proof: str) -> None:
    unit.about(service=service_id)
    service = service_for(unit, actor, "service.end", service_id)
    if not hmac.compare_digest(confirm.encode("utf-8", "surrogatepass"), service.title.encode()):
        raise Invalid("to end this service type its title exactly as it is written", "/confirm")
    if service.state != "open" and service.destroy_at is None:
        raise Conflict(Sentence("this service has ended already"))
    presence.spend(unit, actor, proof, _deed(service_id))
    end_service(unit, service)


@operation("service.end")
def end_by_customer(unit: Unit, actor: Actor, service_id: str) -> None:
    """The intent of the customer whose service it is, for `finish`. Raises NotSignedIn, NotFound, Conflict."""
    unit.about(service=service_id)
    service = own_service(unit, actor, service_id)
    if service.state != "open" and service.destroy_at is None:
        raise Conflict(Sentence("this service has ended already"))
    end_service(unit, service)
    unit.notify("service.ended", service.id, service.customer_id)


def end_service(unit: Unit, service: Service, destroy_at: int | None = None) -> None:
    """From this commit on nothing of the service opens: no lease, no ticket, no form.

    Without `destroy_at` there is no way back from here either, and its keys may go.
    """
    unit.change(service, state="ended", ended_at=service.ended_at or unit.now, destroy_at=destroy_at)
    end_leases(unit, "service ended", service_id=service.id)
    end_requests(unit, service.id)
    for ticket in unit.find_all(Ticket, service_id=service.id, state="open"):
        close_ticket(unit, ticket)


async def finish(vault: Vault, service_id: str) -> CertificateView:
    """From a recorded intent to the certificate. Safe to repeat from any point.

    Seeds go first, here and in the mirror; then the signed checkpoint reaches the keyring; then rows are purged and
    the certificate is written; then the deleted bytes leave SQLite's log.
    """
    service = await vault.read_aside(_ended_service, Actor.core(), service_id)
    vault.keys.forget(service.key_id)  # first: the mirror may be away, and then the erasure is not done yet
    gone = await vault.aside(vault.keyring.erase_service, service_id, vault.now())
    vault.keys.forget(service.key_id)  # whoever was opening just then had loaded it again
    kept = await vault.checkpoint()
    body = await vault.read_aside(_statement, Actor.core(), service_id, gone, kept.note)
    body["keyring"] = {"mirrored": vault.keyring.mirrored, "generation": vault.keyring.generation()}
    text = json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":")) + "\n"
    note = vault.keys.signer.sign(text)
    note = await vault.perform(_complete, Actor.core(), service_id, note, vault.keyring.generation())
    await vault.checkpoint()
    for _ in range(SCRUB_TRIES):
        if await vault.aside(scrub, vault.engine):
            break
        await asyncio.sleep(SCRUB_SECONDS)  # a reader is in the way; the sweep comes by again
    return CertificateView(service_id=service_id, note=note, key=vault.keys.signer.vkey)


def _ended_service(reading: Reading, _actor: Actor, service_id: str) -> Service:
    service = service_of(reading, service_id)
    _require_intent(service)
    return service


def _require_intent(service: Service) -> None:
    """Keys go only once it is recorded that nothing can bring the service back."""
    if service.state == "open" or service.destroy_at is not None:
        raise Conflict("this service has not ended, or its end can still be undone")


def _statement(
    reading: Reading, _actor: Actor, service_id: str, gone: tuple[str, ...], checkpoint: str
) -> dict[str, Any]:
    """What the certificate says: which keys and secrets, how, when, who had seen what, and what it does not cover."""
    service = service_of(reading, service_id)
    customer = reading.find(Customer, id=service.customer_id)
    origin = reading.connection.execute(select(Deployment.table().c.origin)).scalar_one()
    held = reading.find_all_unchecked(Secret, service_id=service_id)
    return {
        "certificate": "valetkey destruction v1",
        "origin": origin,
        "service": service.id,
        "title": service.title,
        "customer": customer.name if customer else "",
        "registered": to_datetime(service.created_at).isoformat(),
        "ended": to_datetime(service.ended_at or 0).isoformat(),
        "destroyed": to_datetime(reading.now).isoformat(),
        "method": "cryptographic erase (NIST SP 800-88 Rev. 2): the only keys that opened these secrets were erased",
        "keys": sorted(gone),
        "secrets": [{"secret": secret.id, "kind": secret.kind, "version": secret.version} for secret in held],
        "remove": [{"secret": secret.id, "line": secret.made_line} for secret in held if secret.made_line],
        "seen": _seen(reading, service_id),
        "ways": _WAYS,
        "covers": "the keyring, its mirror, and every copy of the vault's database, older ones too",
        "does not cover": "older copies of the keyring itself, which the operator promises not to keep; "
        "what the persons above have seen; what the customer keeps",
        "checkpoint": checkpoint,
    }


def _seen(reading: Reading, service_id: str) -> list[dict[str, Any]]:
    """Who had opened something, how often in each way, and from when to when."""
    found: dict[str, dict[str, Any]] = {}
    spans: dict[str, list[int]] = {}
    for actor, entry_type, times, first, last in reading.connection.execute(_SEEN, {"service": service_id}):
        about = {"person": actor, "name": showing.name_of(reading, actor), **dict.fromkeys(_WAYS, 0)}
        found.setdefault(actor, about)[_COUNTED[WAYS[entry_type]]] = int(times)
        spans.setdefault(actor, []).extend((first, last))
    for actor, moments in spans.items():
        found[actor] |= {
            "first": to_datetime(min(moments)).isoformat(),
            "last": to_datetime(max(moments)).isoformat(),
        }
    return list(found.values())


@operation("service.destroy")
def _complete(unit: Unit, _actor: Actor, service_id: str, note: str, generation: int) -> str:
    """The certificate that stands: another process may have finished it first, and there is only one."""
    unit.about(service=service_id)
    unit.keyring_is_at(generation)  # a keyring from before the erasure is refused from now on
    service = service_of(unit, service_id)
    standing = unit.find(Certificate, id=service_id)
    if standing is not None:
        return standing.note
    _require_intent(service)
    for secret in unit.find_all_unchecked(Secret, service_id=service_id):
        unit.change(
            secret, state="purged", envelope=b"", suite="", sealed_by="", made=b"", offer=b"", offer_line=""
        )
    unit.change(service, state="destroyed", destroyed_at=unit.now)
    unit.insert(Certificate(id=service_id, note=note, created_at=unit.now))
    unit.notify("service.destroyed", service_id, service.customer_id)
    return note


@operation("service.overdue")
def _overdue(unit: Unit, _actor: Actor, service_id: str) -> None:
    unit.about(service=service_id)
    service = service_of(unit, service_id)
    if service.state != "open" or unit.now < service.ends_at:
        raise Conflict("this service is not overdue")
    end_service(unit, service, grace_until(service.ends_at, _grace_of(unit, service), unit.now))


def _grace_of(unit: Unit, service: Service) -> int:
    """Days; none where the type was bent, or whoever bent it could keep the service from its end."""
    try:
        return type_of(unit, service.type, running=True).grace_days
    except (Tampered, NotFound):
        return 0


@operation("service.lapse")
def _lapsed(unit: Unit, _actor: Actor, service_id: str) -> None:
    """The grace is over: with this entry nobody can prolong the service any more, whatever their clock says."""
    unit.about(service=service_id)
    service = service_of(unit, service_id)
    if service.state != "ended" or service.destroy_at is None or unit.now < service.destroy_at:
        raise Conflict("this service is not at the end of its grace")
    unit.change(service, destroy_at=None)


async def end_overdue(vault: Vault) -> int:
    """End every service whose time is over, and finish every destruction that was begun. Returns how many.

    Where the service type has a grace, the keys go after it. A service of which a row does not match the ledger is
    refused, each time with an entry, and stops no other.
    """
    for late, over in ((_OVERDUE, _overdue), (_LAPSED, _lapsed)):
        for service_id in await vault.read_aside(_late_ids, Actor.core(), late):
            with suppress(Tampered, Conflict):
                await vault.perform(over, Actor.core(), service_id)
    finished = 0
    for service_id in await vault.read_aside(_unfinished_ids, Actor.core()):
        with suppress(Tampered, Conflict):
            await finish(vault, service_id)
            finished += 1
    return finished


def _late_ids(reading: Reading, _actor: Actor, late: Select[Any]) -> list[str]:
    return list(reading.connection.execute(late, {"at": reading.now}).scalars())


def _unfinished_ids(reading: Reading, _actor: Actor) -> list[str]:
    return list(reading.connection.execute(_UNFINISHED).scalars())


def certificate(reading: Reading, actor: Actor, service_id: str) -> CertificateView:
    """The certificate of a destroyed service, for coordinators. Raises NotSignedIn, Denied or NotFound."""
    service = service_for(reading, actor, "service.list", service_id)
    found = reading.find(Certificate, id=service.id)
    if found is None:
        raise NotFound("there is no certificate yet")
    return CertificateView(service_id=service.id, note=found.note, key=reading.keys.signer.vkey)
