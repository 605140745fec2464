"""Delivering the outbox: after the commit, at least once, in order; what a mail needs is looked up and minted now."""

import logging
from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Select, and_, bindparam, case, exists, func, or_, select, update

from vault.errors import Conflict, NotFound, Unavailable
from vault.model.people import Person, StaffChange
from vault.model.tables import Customer, Outbox
from vault.operations.customers import requests, visits
from vault.operations.helpdesk import helpdesk_mails
from vault.operations.house import notices
from vault.operations.house.notices import GATHERED, SETTLES
from vault.operations.leases import witnesses
from vault.operations.people import enrolling
from vault.operations.people.altering import NOWHERE
from vault.operations.vault import Vault
from vault.outbox import words
from vault.outbox.mail import Mail, send
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.storage.writer import where
from vault.values import DAY, HOUR, MINUTE, SECOND, Actor, Moment, clock_words

MOST = 50
MOST_NOTICES = 5
"""How often one of the staff is told the same within a day; more of it would only hide the rest of their mail."""
MOST_AN_HOUR = 12
"""So many notices one customer gets within an hour; those after them wait, and come together in one mail."""
LONGEST_WAIT = 60 * MINUTE
UNNOTICED = 2
"""So many failed tries are nothing for the doctor yet."""
LATE = 15 * MINUTE
MOST_REFUSALS = 130
"""So often, at most one an hour, a mail is tried that the server will never take: five days (RFC 5321 §4.5.4.1)."""
DIGEST_AT = 6 * HOUR
"""When the day's digest goes out, after midnight UTC: whoever reads mail in the morning has it."""
URGENT = "customer.code"
"""Waits for nobody, and is sent while the vault is sealed too: somebody sits in front of their page."""

_log = logging.getLogger("valetkey.delivery")
_OUTBOX, _CUSTOMERS = Outbox.table(), Customer.table()
_EARLIER = _OUTBOX.alias("earlier")
_IS_GATHERED = _OUTBOX.c.template.in_(GATHERED)
_IN_DIGEST = and_(func.coalesce(_CUSTOMERS.c.digest, False), _IS_GATHERED)
_WAITING: Select[tuple[int]] = (
    select(*_OUTBOX.c)
    .outerjoin(_CUSTOMERS, _CUSTOMERS.c.id == _OUTBOX.c.to_id)
    .where(_OUTBOX.c.state == "waiting")
    .order_by(_OUTBOX.c.id)
)
_STUCK = exists().where(
    _EARLIER.c.to_id == _OUTBOX.c.to_id,
    _EARLIER.c.id < _OUTBOX.c.id,
    _EARLIER.c.state == "waiting",
    _EARLIER.c.tries > 0,
    _EARLIER.c.next_at > bindparam("at"),
)
_TOLD_LATELY = (
    select(func.count())
    .where(
        _EARLIER.c.to_id == _OUTBOX.c.to_id,
        _EARLIER.c.template.in_(GATHERED),
        _EARLIER.c.state == "settled",
        _EARLIER.c.next_at > bindparam("lately"),
    )
    .correlate(_OUTBOX)
    .scalar_subquery()
)
_DUE = _WAITING.where(
    _OUTBOX.c.next_at <= bindparam("at"),
    or_(_OUTBOX.c.template == URGENT, ~_STUCK),
    or_(~_IN_DIGEST, _OUTBOX.c.created_at < bindparam("morning")),
    or_(~_IS_GATHERED, _TOLD_LATELY < MOST_AN_HOUR),
).limit(MOST)
_DUE_SEALED = _WAITING.where(_OUTBOX.c.template == URGENT, _OUTBOX.c.next_at <= bindparam("at")).limit(MOST)
_TOGETHER = _WAITING.where(
    _OUTBOX.c.to_id == bindparam("to"), _IS_GATHERED, _OUTBOX.c.next_at <= bindparam("at")
).limit(MOST)
_BEFORE = _OUTBOX.c.id < bindparam("before")
_OF_TODAY = or_(~_IN_DIGEST, _OUTBOX.c.created_at < bindparam("morning"))
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

_SINCE = case((_OUTBOX.c.template == "service.ending", _OUTBOX.c.next_at), else_=_OUTBOX.c.created_at)
"""Since when it was to be told: word of an end is left long before its time."""
_BACKLOG = (
    select(func.count(), func.coalesce(func.min(_SINCE), 0))
    .where(
        _OUTBOX.c.state == "waiting",
        or_(_OUTBOX.c.tries > UNNOTICED, and_(_OUTBOX.c.tries == 0, _OUTBOX.c.next_at < bindparam("late"))),
        ~_IN_DIGEST,
    )
    .select_from(_OUTBOX.outerjoin(_CUSTOMERS, _CUSTOMERS.c.id == _OUTBOX.c.to_id))
)
_GIVEN_UP = select(func.count()).where(_OUTBOX.c.state == "undeliverable")

Result = Literal["settled", "waits", "nobody there"]


async def deliver(vault: Vault) -> int:
    """Send what is due; returns how many were settled. What fails is tried again later and later, and blocks nobody.

    What goes to one mailbox is in order: while something waits there after a try, what came after it waits too. Several
    notices that wait for one customer become one mail. When there is no mail server, the round ends at the first try.
    """
    settled = 0
    stuck: set[str] = set()
    for row in await vault.read_aside(_due, Actor.core()):
        for rows in await vault.read_aside(_mails_with, Actor.core(), row):
            if not rows or row.to_id in stuck:
                continue
            result = await _try(vault, rows)
            if result == "settled":
                settled += len(rows)
                continue
            stuck.add(row.to_id)
            if result == "nobody there":
                return settled
    return settled


def backlog(reading: Reading) -> tuple[int, int, int]:
    """How many messages could not be sent yet, since when the oldest of them waits, and how many were given up."""
    waiting, since = reading.connection.execute(_BACKLOG, {"late": reading.now - LATE}).one()
    given_up = reading.connection.execute(_GIVEN_UP).scalar_one()
    return int(waiting), int(since), int(given_up)


def _due(reading: Reading, _actor: Actor) -> list[Outbox]:
    if reading.is_sealed:
        return [Outbox(**row) for row in reading.rows(_DUE_SEALED, at=reading.now)]
    now = reading.now
    due = reading.rows(_DUE, at=now, morning=_morning(now), lately=now - HOUR)
    return [Outbox(**row) for row in due]


def _morning(now: int) -> int:
    """When the last digest was due: what is older goes out now."""
    return now - (now - DIGEST_AT) % DAY


def _mails_with(reading: Reading, _actor: Actor, row: Outbox) -> list[list[Outbox]]:
    """Which rows go out with a row that is due, mail by mail: notices together, and before whatever came after them.

    A digest stays together until its time, unless the end is told: then everything that came before is told first.
    """
    if row.template == URGENT:
        return [[row]]
    told = {"to": row.to_id, "at": reading.now + SETTLES, "morning": _morning(reading.now)}
    if row.template in GATHERED:
        return [[Outbox(**one) for one in reading.rows(_TOGETHER.where(_OF_TODAY), **told)]]
    query = _TOGETHER.where(_BEFORE)
    if row.template != "service.destroyed":
        query = query.where(~_IN_DIGEST)
    before = [Outbox(**one) for one in reading.rows(query, before=row.id, **told)]
    return [before, [row]] if before else [[row]]


async def _try(vault: Vault, rows: Sequence[Outbox]) -> Result:
    """Send what rows that go out together stand for, and write down what came of it."""
    result: Result = "waits"
    state = "settled"
    try:
        if await vault.read_aside(_told_enough, Actor.core(), rows[0]):
            state, mails = "dropped", []
        else:
            mails = await _mails_for(vault, rows)
        said = {await send(vault.settings, mail) for mail in mails}
    except Unavailable as fault:
        _log.warning("a message waits: %s", where(fault))
        result = "nobody there"
    except Exception as fault:  # noqa: BLE001 (one message that cannot be sent stops no other)
        _log.warning("a message waits: %s", where(fault))
    else:
        if "refused" in said and max(row.tries for row in rows) >= MOST_REFUSALS:
            _log.error("a message was given up: the mail server refuses it for good")
            state, result = "undeliverable", "settled"
        elif said <= {"taken"}:
            result = "settled"
        else:
            _log.warning("a message waits: the mail server does not take it")
    for row in rows:
        number, tries = row.id or 0, row.tries + 1
        if result == "settled":
            await vault.perform(_settle, Actor.core(), number, state, tries, vault.now())
        else:
            again = vault.now() + min(SECOND * 2 ** min(tries + 1, 12), LONGEST_WAIT)
            await vault.perform(_settle, Actor.core(), number, "waiting", tries, again)
    return result


def _told_enough(reading: Reading, _actor: Actor, row: Outbox) -> bool:
    """Whether this person was told the same often enough today. What carries a code is never held back."""
    if row.template not in words.NOTICES:
        return False
    told = {"template": row.template, "subject": row.subject_id, "since": reading.now - DAY}
    return int(reading.connection.execute(_TOLD, told).scalar_one()) >= MOST_NOTICES


@operation("outbox.settle", recorded=False)
def _settle(unit: Unit, _actor: Actor, row: int, state: str, tried: int, again: int) -> None:
    unit.execute(_SETTLE, row=row, now_is=state, tried=tried, again=again)


async def _mails_for(vault: Vault, rows: Sequence[Outbox]) -> list[Mail]:
    """The mails that rows stand for: none where nobody is to be told, or nothing can be sent."""
    if not vault.settings.smtp_host:
        return []
    to_staff = rows[0].template.startswith("staff.")
    try:
        found = await (_to_staff(vault, rows[0]) if to_staff else _to_customer(vault, rows))
    except (Conflict, NotFound):
        return []  # answered, used, cancelled, erased or late meanwhile
    return [mail for mail in found if mail is not None and not mail.to.endswith(NOWHERE)]


async def _to_customer(vault: Vault, rows: Sequence[Outbox]) -> list[Mail | None]:
    core, template, subject = Actor.core(), rows[0].template, rows[0].subject_id
    match template:
        case "request.asked":
            code: str = await vault.perform(requests.mint, core, subject)
            return [await vault.read_aside(notices.asked, core, subject, code)]
        case "customer.code":
            made, customer = await vault.perform(visits.mint, core, subject)
            return [await vault.read_aside(notices.code, core, subject, customer, made)]
        case "customer.moved" | "customer.moved-from":
            return [await vault.read_aside(notices.moved, core, template, subject)]
    if template in _BY_SUBJECT:
        return [await vault.read_aside(_BY_SUBJECT[template], core, subject)]
    return [await vault.read_aside(notices.told, core, rows)]


_BY_SUBJECT = {
    "lease.asked": notices.lease_asked,
    "lease.glass-broken": notices.glass_broken,
    "service.destroyed": notices.destroyed,
    "service.lines": notices.lines,
    "customer.passkey": notices.passkey,
}
"""What is said by the rows of that moment and nothing that is made for it."""


# -- to the staff ------------------------------------------------------------------------------------------------------


async def _to_staff(vault: Vault, row: Outbox) -> list[Mail | None]:
    core, subject = Actor.core(), row.subject_id
    match row.template:
        case "staff.invited":
            minted = await vault.perform(enrolling.mint_for_mail, core, subject)
            return [_invited(vault, *minted)]
        case "staff.mail":
            return await vault.read_aside(_moved, core, subject)
        case template if template in helpdesk_mails.TEMPLATES:
            return [await vault.read_aside(helpdesk_mails.told, core, template, subject)]
        case template if template in words.LEASES:
            return [await vault.read_aside(notices.lease_told, core, template, subject)]
        case template if template in words.WATCHED:
            return [await vault.read_aside(witnesses.told, core, template, subject)]
    return [await vault.read_aside(_told, core, row.template, subject)]


def _invited(vault: Vault, code: str, name: str, mail: str, until: Moment) -> Mail:
    link = f"{vault.settings.origin}/enrol#{code}"
    return words.invited(mail, name, vault.settings.business, mail, link, clock_words(until))


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
