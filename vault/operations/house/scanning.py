"""Scanning: all that is kept is looked through for what must not be, in memory and seen by nobody."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from vault.errors import Conflict, Ended, Invalid, NotFound, Sealed, Tampered
from vault.model.cards import holds_card_number
from vault.model.tables import Secret
from vault.operations.asking import service_of
from vault.operations.customers.giving import purge, verdict_words
from vault.operations.services import necessity
from vault.operations.vault import Vault
from vault.storage.database import scrub
from vault.storage.keys import Opening
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor

AT_ONCE = 50
"""Secrets in one page, so that an answer never takes longer than its reader waits."""

_SECRETS = Secret.table()


@dataclass(frozen=True)
class Found:
    """One secret that was purged, or that did not open; never what is in it."""

    secret: str
    service: str
    kind: str
    why: str
    then: str


@dataclass(frozen=True)
class Page:
    """What came of some secrets, and where the next page begins; `after` is empty behind the last one."""

    looked_at: int
    purged: tuple[Found, ...]
    unopened: tuple[Found, ...]
    after: str


async def scan(vault: Vault, after: str = "") -> Page:
    """Open the next kept secrets, one after the other, each with a record of its own; purge what holds a card number.

    The rule may have grown since they were given. What is purged is asked for again. Nothing else is judged: a login
    that serves is not lost to a rule about its shape. What waits for its first check is left to that. Raises Sealed.
    """
    if vault.is_sealed:
        raise Sealed("the vault is sealed, so nothing in it can be looked at")
    if not after:
        await vault.perform(_begun, Actor.host())
    rows = await vault.read_aside(_kept, Actor.core(), after)
    purged, unopened = [], []
    for row in rows:
        try:
            then = await _look_at(vault, row.id, row.version)
        except (Tampered, Invalid):
            why = "it does not open, or is no secret of this vault"
            unopened.append(
                Found(row.id, row.service_id, row.kind, why, "kept as it is; run valetkey doctor")
            )
            continue
        except (Conflict, Ended, NotFound):
            continue  # replaced, withdrawn or destroyed since the page was read
        if then:
            purged.append(Found(row.id, row.service_id, row.kind, "a card number or card code", then))
    if purged:
        await vault.aside(scrub, vault.engine)  # it does not wait in the log for the next sweep
    last = rows[-1].id if len(rows) == AT_ONCE else ""
    return Page(len(rows), tuple(purged), tuple(unopened), last)


def _kept(reading: Reading, _actor: Actor, after: str) -> list[Any]:
    columns = _SECRETS.c.id, _SECRETS.c.service_id, _SECRETS.c.kind, _SECRETS.c.version
    query = select(*columns).where(_SECRETS.c.state == "checked", _SECRETS.c.id > after)
    return list(reading.connection.execute(query.order_by(_SECRETS.c.id).limit(AT_ONCE)))


async def _look_at(vault: Vault, secret_id: str, version: int) -> str:
    """Say what becomes of it, or nothing if it may stay."""
    fields = await vault.open_whole(_look_begun, Actor.core(), secret_id, version)
    plain = {name: value.expose() for name, value in fields.items()}
    passed = not await vault.aside(holds_card_number, plain)
    then: str = await vault.perform(_looked, Actor.core(), secret_id, version, passed)
    return then


@operation("vault.scan")
def _begun(unit: Unit, _actor: Actor) -> None:
    """The entry says it all."""


@operation("secret.check")
def _look_begun(unit: Unit, _actor: Actor, secret_id: str, version: int) -> Opening:
    secret = _still_kept(unit, secret_id, version)
    unit.say(version=str(secret.version))
    return unit.opening(secret.model_dump(), "")


@operation("secret.checked")
def _looked(unit: Unit, _actor: Actor, secret_id: str, version: int, passed: bool) -> str:
    secret = _still_kept(unit, secret_id, version)
    unit.say(version=str(secret.version), **verdict_words("" if passed else "card"))
    if passed:
        return ""
    if purge(unit, secret):
        return "the customer is asked for it again"
    service = service_of(unit, secret.service_id)
    return (
        "the customer's open form asks again"
        if service.state == "open" and necessity.is_asked(unit, service, secret.asked_kind)
        else "gone"
    )


def _still_kept(unit: Unit, secret_id: str, version: int) -> Secret:
    unit.about(secret=secret_id)
    secret = unit.find(Secret, id=secret_id)
    if secret is None or secret.state != "checked" or secret.version != version:
        raise Conflict("there is nothing to check")
    unit.about(service=secret.service_id)
    return secret
