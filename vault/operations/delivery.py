"""Delivering the outbox: after the commit, at least once, in order; what a mail needs is looked up and minted now."""

import json
import logging

from sqlalchemy import bindparam, func, select, update

from vault.errors import Conflict, NotFound
from vault.model.kinds import KINDS
from vault.model.people import Person, StaffChange
from vault.model.tables import Certificate, Customer, Outbox, Request, Secret, Service
from vault.operations import enrolling, requests
from vault.operations.altering import NOWHERE
from vault.operations.offering import mark_of
from vault.operations.vault import Vault
from vault.outbox import words
from vault.outbox.mail import Mail, send
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.storage.writer import where
from vault.values import DAY, MINUTE, SECOND, Actor, Moment, to_datetime

MOST = 50
MOST_NOTICES = 5
"""How often one person is told the same within a day; more of it would only hide the rest of their mail."""
_log = logging.getLogger("valetkey.delivery")
_OUTBOX = Outbox.table()
_DUE = (
    select(_OUTBOX)
    .where(_OUTBOX.c.state == "waiting", _OUTBOX.c.next_at <= bindparam("at"))
    .order_by(_OUTBOX.c.id)
    .limit(MOST)
)
_TOLD = select(func.count()).where(
    _OUTBOX.c.state == "settled",
    _OUTBOX.c.template == bindparam("template"),
    _OUTBOX.c.subject_id == bindparam("subject"),
    _OUTBOX.c.next_at > bindparam("since"),
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
            if await vault.read_aside(_told_enough, Actor.core(), row):
                await vault.perform(_settle, Actor.core(), number, "dropped", row.tries, vault.now())
                continue
            for mail in await _mails_for(vault, row):
                await send(vault.settings, mail)
        except Exception as fault:  # noqa: BLE001 (one message that cannot be sent stops no other)
            _log.warning("a message waits: %s", where(fault))
            wait = min(SECOND * 2 ** min(row.tries + 2, 12), 60 * MINUTE)
            await vault.perform(_settle, Actor.core(), number, "waiting", row.tries + 1, vault.now() + wait)
            continue
        await vault.perform(_settle, Actor.core(), number, "settled", row.tries + 1, vault.now())
        settled += 1
    return settled


def _told_enough(reading: Reading, _actor: Actor, row: Outbox) -> bool:
    """Whether this person was told the same often enough today. What carries a code is never held back."""
    if row.template not in words.NOTICES:
        return False
    told = {"template": row.template, "subject": row.subject_id, "since": reading.now - DAY}
    return int(reading.connection.execute(_TOLD, told).scalar_one()) >= MOST_NOTICES


def _due(reading: Reading, _actor: Actor) -> list[Outbox]:
    return [Outbox(**row) for row in reading.rows(_DUE, at=reading.now)]


@operation("outbox.settle", recorded=False)
def _settle(unit: Unit, _actor: Actor, row: int, state: str, tried: int, again: int) -> None:
    unit.execute(_SETTLE, row=row, now_is=state, tried=tried, again=again)


async def _mails_for(vault: Vault, row: Outbox) -> list[Mail]:
    """The mails that a row stands for: none where nobody is to be told, or nothing can be sent."""
    if not vault.settings.smtp_host:
        return []
    core, subject = Actor.core(), row.subject_id
    try:
        match row.template:
            case "request.asked":
                code: str = await vault.perform(requests.mint, core, subject)
                link = f"{vault.settings.origin}/give#{code}"
                found = [await vault.read_aside(_asked, core, subject, link)]
            case "service.destroyed":
                found = [await vault.read_aside(_destroyed, core, subject)]
            case "staff.invited":
                minted = await vault.perform(enrolling.mint_for_mail, core, subject)
                found = [_invited(vault, *minted)]
            case "staff.mail":
                found = await vault.read_aside(_moved, core, subject)
            case _:
                found = [await vault.read_aside(_told, core, row.template, subject)]
    except (Conflict, NotFound):
        return []  # answered, used, cancelled or late meanwhile
    return [mail for mail in found if mail is not None and not mail.to.endswith(NOWHERE)]


def _asked(reading: Reading, _actor: Actor, request_id: str, link: str) -> Mail | None:
    request = reading.find(Request, id=request_id)
    asker = reading.find(Person, id=request.asked_by) if request else None
    service = reading.find(Service, id=request.service_id) if request else None
    customer = reading.find(Customer, id=service.customer_id) if service else None
    if request is None or asker is None or service is None or customer is None:
        return None
    until = _day(request.expires_at)
    return words.asked(
        customer.mail, customer.name, reading.settings.business, service.title, asker.name, link, until
    )


def _destroyed(reading: Reading, _actor: Actor, service_id: str) -> Mail | None:
    service = reading.find(Service, id=service_id)
    customer = reading.find(Customer, id=service.customer_id) if service else None
    found = reading.find(Certificate, id=service_id)
    if service is None or customer is None or found is None:
        return None
    certified = json.loads(found.note.partition("\n")[0])
    was_offered = any(
        secret.asked_kind in KINDS and KINDS[secret.asked_kind].instead
        for secret in reading.find_all_unchecked(Secret, service_id=service_id)
    )
    return words.destroyed(
        customer.mail,
        customer.name,
        reading.settings.business,
        service.title,
        found.note,
        lines=[removed["line"] for removed in certified["remove"]],
        mark=mark_of(service_id) if was_offered else "",
    )


def _invited(vault: Vault, code: str, name: str, mail: str, until: Moment) -> Mail:
    link = f"{vault.settings.origin}/enrol#{code}"
    return words.invited(mail, name, vault.settings.business, mail, link, _day(until))


def _moved(reading: Reading, _actor: Actor, change_id: str) -> list[Mail | None]:
    change = reading.find(StaffChange, id=change_id)
    person = reading.find(Person, id=change.person_id) if change else None
    if change is None or person is None:
        return []
    business = reading.settings.business
    return [
        words.moved(address, person.name, business, change.former_mail, change.mail)
        for address in (change.former_mail, change.mail)
    ]


def _told(reading: Reading, _actor: Actor, template: str, person_id: str) -> Mail | None:
    person = reading.find(Person, id=person_id)
    if person is None or template not in words.NOTICES:
        return None
    roles = " and ".join(person.roles.split())
    return words.told(template, person.mail, person.name, reading.settings.business, roles)


def _day(moment: int) -> str:
    return to_datetime(moment).strftime("%d %B %Y, %H:%M UTC")
