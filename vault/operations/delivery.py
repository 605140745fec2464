"""Delivering the outbox: after the commit, at least once, in order; what a mail needs is looked up and minted now."""

import logging

from sqlalchemy import bindparam, select, update

from vault.errors import Conflict, NotFound
from vault.model.tables import Certificate, Customer, Outbox, Person, Request, Service
from vault.operations import requests
from vault.operations.vault import Vault
from vault.outbox import words
from vault.outbox.mail import Mail, send
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.storage.writer import where
from vault.values import MINUTE, SECOND, Actor, to_datetime

MOST = 50
_log = logging.getLogger("valetkey.delivery")
_OUTBOX = Outbox.table()
_DUE = (
    select(_OUTBOX)
    .where(_OUTBOX.c.state == "waiting", _OUTBOX.c.next_at <= bindparam("at"))
    .order_by(_OUTBOX.c.id)
    .limit(MOST)
)
_SETTLE = (
    update(_OUTBOX)
    .where(_OUTBOX.c.id == bindparam("row"))
    .values(state=bindparam("now_is"), tries=bindparam("tried"), next_at=bindparam("again"))
)


async def deliver(vault: Vault) -> int:
    """Send what is due; returns how many were settled. What fails is tried again later and later, and blocks nobody."""
    due = await vault.read_aside(_due, Actor.core())
    settled = 0
    for row in due:
        number = row.id or 0
        try:
            mail = await _mail_for(vault, row)
            if mail is not None and vault.settings.smtp_host:
                await send(vault.settings, mail)
        except Exception as fault:  # noqa: BLE001 (one message that cannot be sent stops no other)
            _log.warning("a message waits: %s", where(fault))
            wait = min(SECOND * 2 ** min(row.tries + 2, 12), 60 * MINUTE)
            await vault.perform(_settle, Actor.core(), number, "waiting", row.tries + 1, vault.now() + wait)
            continue
        await vault.perform(_settle, Actor.core(), number, "settled", row.tries + 1, vault.now())
        settled += 1
    return settled


def _due(reading: Reading, _actor: Actor) -> list[Outbox]:
    return [Outbox(**row) for row in reading.rows(_DUE, at=reading.now)]


@operation("outbox.settle", recorded=False)
def _settle(unit: Unit, _actor: Actor, row: int, state: str, tried: int, again: int) -> None:
    unit.execute(_SETTLE, row=row, now_is=state, tried=tried, again=again)


async def _mail_for(vault: Vault, row: Outbox) -> Mail | None:
    """The mail that a row stands for, or None where nobody is to be told by mail."""
    if row.template == "request.asked" and vault.settings.smtp_host:
        try:
            code: str = await vault.perform(requests.mint, Actor.core(), row.subject_id)
        except (Conflict, NotFound):
            return None  # answered, cancelled or late meanwhile
        return await vault.read_aside(
            _asked, Actor.core(), row.subject_id, f"{vault.settings.origin}/give#{code}"
        )
    if row.template == "service.destroyed":
        return await vault.read_aside(_destroyed, Actor.core(), row.subject_id)
    return None


def _asked(reading: Reading, _actor: Actor, request_id: str, link: str) -> Mail | None:
    request = reading.find(Request, id=request_id)
    asker = reading.find(Person, id=request.asked_by) if request else None
    service = reading.find(Service, id=request.service_id) if request else None
    customer = reading.find(Customer, id=service.customer_id) if service else None
    if request is None or asker is None or service is None or customer is None:
        return None
    until = to_datetime(request.expires_at).strftime("%d %B %Y, %H:%M UTC")
    return words.asked(
        customer.mail, customer.name, reading.settings.business, service.title, asker.name, link, until
    )


def _destroyed(reading: Reading, _actor: Actor, service_id: str) -> Mail | None:
    service = reading.find(Service, id=service_id)
    customer = reading.find(Customer, id=service.customer_id) if service else None
    found = reading.find(Certificate, id=service_id)
    if service is None or customer is None or found is None:
        return None
    return words.destroyed(customer.mail, customer.name, reading.settings.business, service.title, found.note)
