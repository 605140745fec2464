"""Customers on their own page: the link names them, a code from their mailbox proves it, and the visit ends soon."""

import hmac
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select, update

from vault.crypto.tokens import (
    mailed_code_hash,
    new_mailed_code,
    new_token,
    page_code,
    page_code_hash,
    parse_token,
    token_hash,
)
from vault.errors import Conflict, Denied, NotFound, NotSignedIn
from vault.model.tables import Customer, LedgerEntry, Secret, Service
from vault.model.visits import Visit
from vault.operations import attempts
from vault.operations.vault import Vault
from vault.policy.attempts import neighbourhood
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import HOUR, MINUTE, SECOND, Actor, known_id, new_id

CODE_LASTS = 15 * MINUTE
MOST_TRIES = 5
IDLE = 30 * MINUTE
LONGEST = 2 * HOUR
SEEN_EVERY = 30 * SECOND
_WRONG = "that code is not right, or its time is over"
_VISITS = Visit.table()
_FIND = select(_VISITS).where(_VISITS.c.browser_hash == bindparam("browser"))
_END_ALL = (
    update(_VISITS)
    .where(_VISITS.c.customer_id == bindparam("customer"), _VISITS.c.id != bindparam("but"))
    .values(state="ended", code_hash=None)
)
_ENTRIES = LedgerEntry.table()
_SEEN = update(_VISITS).where(_VISITS.c.id == bindparam("visit")).values(seen_at=bindparam("at"))


@dataclass(frozen=True)
class Visiting:
    """A visit that was started: the token of its browser, shown this once."""

    token: str = field(repr=False)
    visit: str


def page_link(reading: Reading, customer: Customer) -> str:
    """The link to a customer's own page. It names them and proves nothing. Raises Sealed: it hangs on the root key."""
    return f"{reading.settings.origin}/mine#{_code_of(reading, customer.id, customer.link_number)}"


def link_hash(reading: Reading, customer_id: str, number: int) -> bytes:
    """What is kept of a customer's link. Raises Sealed."""
    return page_code_hash(_code_of(reading, customer_id, number))


def _code_of(reading: Reading, customer_id: str, number: int) -> str:
    return page_code(reading.keys.customer_links.tag(customer_id, number))


async def ask(vault: Vault, actor: Actor, code: str) -> str:
    """Have a one-time code mailed to the customer whose page's code this is; works while the vault is sealed.

    Returns a token for this browser, which alone can give that code; for a code that names nobody too, so that nothing
    is learnt. Raises NotFound for what was never such a code, TooMany.
    """
    hashed = page_code_hash(code)
    await attempts.count(vault, actor, f"intake:{neighbourhood(actor.source)}", f"visit:{hashed.hex()}")
    token = new_token("vk_own")
    if await vault.read(_named, actor, hashed):
        await vault.perform(_asked, actor, hashed, token_hash(token))
    return token


def _named(reading: Reading, _actor: Actor, hashed: bytes) -> bool:
    return reading.find(Customer, link_hash=hashed) is not None


@operation("visit.ask")
def _asked(unit: Unit, _actor: Actor, hashed: bytes, browser: bytes) -> None:
    customer = unit.find(Customer, link_hash=hashed)
    if customer is None:
        raise NotFound("there is no such page")
    visit = Visit(
        id=new_id("vis"),
        customer_id=customer.id,
        browser_hash=browser,
        created_at=unit.now,
        seen_at=unit.now,
        expires_at=unit.now + CODE_LASTS,
    )
    visit.tag = _tag(unit, visit)
    unit.about(customer=customer.id, visit=visit.id)
    unit.insert(visit)
    unit.notify("customer.code", visit.id)


@operation("visit.mint")
def mint(unit: Unit, actor: Actor, visit_id: str) -> tuple[str, str]:
    """A fresh code for the mail that is being sent now, and the id of whose visit it is; a former code is dead.

    For the outbox alone. Raises Denied, NotFound, Conflict for a visit that is not waiting for one.
    """
    unit.about(visit=visit_id)
    if actor.kind != "core":
        raise Denied("only the outbox makes codes for mails")
    visit = unit.find(Visit, id=visit_id)
    if visit is None:
        raise NotFound("there is no such thing")
    if visit.state != "asked" or unit.now >= visit.expires_at or not _is_vouched_for(unit, visit):
        raise Conflict("this visit is not waiting for a code")
    code = new_mailed_code()
    unit.about(customer=visit.customer_id)
    unit.change(visit, code_hash=mailed_code_hash(visit.id, code))
    unit.change(visit, tag=_tag(unit, visit))
    return code, visit.customer_id


async def start(vault: Vault, actor: Actor, token: str, code: str) -> Visiting:
    """Open the page with the code from the mail; five tries, then a new mail is needed. A new token each time.

    Raises NotSignedIn.
    """
    browser = parse_token("vk_own", token)
    fresh = new_token("vk_own")
    visit: str | None = await vault.perform(_started, actor, browser, code, token_hash(fresh))
    if visit is None:
        raise NotSignedIn(_WRONG)
    return Visiting(fresh, visit)


@operation("visit.start")
def _started(unit: Unit, actor: Actor, browser: bytes, code: str, fresh: bytes) -> str | None:
    """Open the visit if the code is right; None, with an entry that says so, if it is not."""
    visit = unit.find(Visit, browser_hash=browser)
    if visit is None or visit.state != "asked" or unit.now >= visit.expires_at:
        raise NotSignedIn(_WRONG)
    if _has_left(unit, visit, "visit.start"):
        raise NotSignedIn(_WRONG)  # its code was used, and its row put back to before that
    unit.about(customer=visit.customer_id, visit=visit.id)
    if not _is_right(unit, visit, code):
        unit.draft.outcome = "NotSignedIn"
        tries = visit.tries + 1
        unit.change(visit, tries=tries, state="asked" if tries < MOST_TRIES else "ended")
        unit.change(visit, tag=_tag(unit, visit))
        return None
    unit.change(
        visit,
        state="open",
        browser_hash=fresh,
        code_hash=None,
        seen_at=unit.now,
        expires_at=unit.now + LONGEST,
    )
    unit.change(visit, tag=_tag(unit, visit))
    unit.disclose(visit.customer_id, source=actor.source)
    unit.draft.actor = Actor("customer", visit.customer_id, actor.channel, visit.id, actor.source)
    return visit.id


def begin(unit: Unit, actor: Actor, customer_id: str, browser: bytes) -> str:
    """Open a customer's page for a browser where they have proved who they are, as part of another change."""
    visit = Visit(
        id=new_id("vis"),
        customer_id=customer_id,
        state="open",
        browser_hash=browser,
        created_at=unit.now,
        seen_at=unit.now,
        expires_at=unit.now + LONGEST,
    )
    visit.tag = _tag(unit, visit)
    unit.insert(visit)
    unit.about(customer=customer_id, visit=visit.id)
    unit.disclose(customer_id, source=actor.source)
    unit.draft.actor = Actor("customer", customer_id, actor.channel, visit.id, actor.source)
    return visit.id


def _is_right(unit: Unit, visit: Visit, code: str) -> bool:
    try:
        given = mailed_code_hash(visit.id, code)
    except NotFound:
        return False
    kept = bytes(visit.code_hash or b"")
    return _is_vouched_for(unit, visit) and hmac.compare_digest(kept, given)


async def resolve(vault: Vault, token: str, source: str) -> Actor:
    """Whose visit this token is, and that it still runs. Raises NotSignedIn."""
    browser = parse_token("vk_own", token)
    actor = Actor.nobody(source, "page")
    row = await vault.read(_resolved, actor, browser)
    if row is None:
        raise NotSignedIn("this page is not open here, or it was left alone for too long")
    if vault.now() - row.seen_at >= SEEN_EVERY:
        await vault.perform(_seen, actor, row.id)
    return Actor("customer", row.customer_id, "page", row.id, source)


def _resolved(reading: Reading, _actor: Actor, browser: bytes) -> Any:
    row = reading.connection.execute(_FIND, {"browser": browser}).first()
    return row if row is not None and _runs(reading, row) else None


def _runs(reading: Reading, visit: Any) -> bool:
    return (
        visit.state == "open"
        and reading.now < min(visit.expires_at, visit.seen_at + IDLE)
        and _is_vouched_for(reading, visit)
        and not _has_left(reading, visit, "visit.end")
    )


def _has_left(reading: Reading, visit: Any, entry_type: str) -> bool:
    """Whether the ledger knows that this was done with a visit, whatever its row says: rows can be put back."""
    wanted = {"customer": visit.customer_id, "visit": f'"visit":"{visit.id}"'}
    return reading.connection.execute(_done(entry_type), wanted).first() is not None


@cache
def _done(entry_type: str) -> Select[tuple[int]]:
    return (
        select(_ENTRIES.c.seq)
        .where(
            _ENTRIES.c.actor == bindparam("customer"),
            LedgerEntry.is_of(entry_type),
            _ENTRIES.c.body.contains('"outcome":"ok"'),
            _ENTRIES.c.body.contains(bindparam("visit")),
        )
        .limit(1)
    )


@operation("visit.seen", recorded=False, in_any_time=True)
def _seen(unit: Unit, _actor: Actor, visit_id: str) -> None:
    unit.execute(_SEEN, visit=visit_id, at=unit.now)


@operation("visit.end", in_any_time=True)
def leave(unit: Unit, actor: Actor) -> None:
    """End the visit that asks for it. Raises NotSignedIn."""
    customer = customer_of(unit, actor)
    unit.about(customer=customer.id, visit=actor.session)
    visit = unit.find(Visit, id=actor.session)
    if visit is not None:
        unit.change(visit, state="ended")


def end_others(unit: Unit, customer_id: str, but: str) -> None:
    """End every visit of a customer but one, as part of a change of their link: the tags of the others are over too."""
    unit.execute(_END_ALL, customer=customer_id, but=but)
    kept = unit.find(Visit, id=but)
    if kept is not None:
        unit.change(kept, tag=_tag(unit, kept))


def customer_of(reading: Reading, actor: Actor) -> Customer:
    """The customer who acts, if their visit runs at this moment. Raises NotSignedIn for anybody else."""
    visit = reading.find(Visit, id=actor.session) if actor.kind == "customer" else None
    is_theirs = visit is not None and visit.customer_id == actor.id and _runs(reading, visit)
    found = reading.find(Customer, id=actor.id) if is_theirs else None
    if found is None:
        raise NotSignedIn("this page is not open here")
    return found


def own_service(reading: Reading, actor: Actor, service_id: str) -> Service:
    """A service of the customer who acts. Raises NotSignedIn, NotFound: another's is not there."""
    customer = customer_of(reading, actor)
    service = reading.find(Service, id=known_id("svc", service_id))
    if service is None or service.customer_id != customer.id:
        raise NotFound("there is no such thing")
    return service


def own_secret(reading: Reading, actor: Actor, secret_id: str) -> tuple[Secret, Service]:
    """A secret of the customer who acts, with its service. Raises NotSignedIn, NotFound."""
    customer_of(reading, actor)
    secret = reading.find(Secret, id=known_id("sec", secret_id))
    if secret is None:
        raise NotFound("there is no such thing")
    return secret, own_service(reading, actor, secret.service_id)


def _is_vouched_for(reading: Reading, visit: Any) -> bool:
    """Whether the vault itself wrote the row. While it is sealed nobody can tell, and nothing can be opened either."""
    return reading.is_sealed or hmac.compare_digest(bytes(visit.tag), _tag(reading, visit))


def _tag(reading: Reading, visit: Any) -> bytes:
    if reading.is_sealed:
        return b""
    customer = reading.find(Customer, id=visit.customer_id)
    return reading.keys.customer_links.tag(
        visit.id,
        visit.customer_id,
        customer.link_number if customer else 0,
        visit.state,
        bytes(visit.browser_hash),
        bytes(visit.code_hash or b""),
        visit.tries,
        visit.expires_at,
    )
