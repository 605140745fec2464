"""Signing in and out, and who a session belongs to."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, select, update

from vault.crypto import passkeys
from vault.crypto.recovery import parse_recovery_code
from vault.crypto.tokens import new_token, parse_token, token_hash
from vault.errors import Invalid, NotFound, NotSignedIn, Sealed, Tampered, TooMany, Unavailable
from vault.model.people import ApiToken, Person, Session
from vault.model.views import OwnSessionView, SessionView
from vault.operations import attempts, showing
from vault.operations.asking import agreement_in_force, may, person_of
from vault.operations.people import browsers, challenges, factors
from vault.operations.vault import Vault
from vault.policy.attempts import neighbourhood
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import (
    HOUR,
    MINUTE,
    SECOND,
    Actor,
    Channel,
    MailAddress,
    Plaintext,
    known_id,
    new_id,
    to_datetime,
)

IDLE = 15 * MINUTE
LONGEST = 12 * HOUR
SEEN_EVERY = 30 * SECOND
SLOWEST_NO = 0.05
"""Seconds from the last hash of a wrong sign-in to its answer: longer than its record takes, known or unknown."""
_WRONG = "mail address, password or code is not right"
_NO_PASSKEY = "that passkey does not sign in here"
_SESSIONS = Session.table()
_PEOPLE = Person.table()
_RESOLVE = (
    select(
        _SESSIONS.c.id,
        _SESSIONS.c.person_id,
        _SESSIONS.c.tag,
        _SESSIONS.c.seen_at,
        _SESSIONS.c.expires_at,
        _SESSIONS.c.ended_at,
        _PEOPLE.c.state,
    )
    .join(_PEOPLE, _PEOPLE.c.id == _SESSIONS.c.person_id)
    .where(_SESSIONS.c.token_hash == bindparam("token_hash"))
)
_SEEN = update(_SESSIONS).where(_SESSIONS.c.id == bindparam("session")).values(seen_at=bindparam("at"))
_END = (
    update(_SESSIONS)
    .where(_SESSIONS.c.id == bindparam("session"), _SESSIONS.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"))
)
_END_ALL = (
    update(_SESSIONS)
    .where(_SESSIONS.c.person_id == bindparam("person"), _SESSIONS.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"))
)
_BY_MAIL = select(_PEOPLE.c.id, _PEOPLE.c.password_hash).where(_PEOPLE.c.mail == bindparam("mail"))
_RUNNING = (
    select(_SESSIONS)
    .where(
        _SESSIONS.c.person_id == bindparam("person"),
        _SESSIONS.c.ended_at.is_(None),
        _SESSIONS.c.expires_at > bindparam("at"),
    )
    .order_by(_SESSIONS.c.seen_at.desc(), _SESSIONS.c.id)
)


@dataclass(frozen=True)
class SignedIn:
    """A session just started: its token, shown this once, and the token by which this browser is known from now on."""

    token: str = field(repr=False)
    known_browser: str = field(repr=False)
    session: SessionView


async def sign_in(
    vault: Vault, mail: str, password: str, code: str, actor: Actor, client: str = "", known: str = ""
) -> SignedIn:
    """Sign in with mail address, password and a one-time code, or a recovery code in its place.

    `client` says in short words with what, `known` is this browser's token from an earlier sign-in: it keeps the way
    in while strangers guess at the account. Unknown, disabled and mistaken look alike and cost alike. Raises
    NotSignedIn, TooMany, Sealed.
    """
    if vault.is_sealed:
        raise Sealed("the vault is sealed, and with it the second factors of its staff")
    try:
        account = MailAddress.parse(mail).text
    except Invalid:
        account = "-"
    browser = await vault.read(browsers.known_for, actor, known, account)
    strangers = (f"source:{neighbourhood(actor.source)}", "everybody:", f"account:{account}")
    await attempts.count(vault, actor, *((f"browser:{browser}",) if browser else strangers))
    recovery = parse_recovery_code(code)
    number = recovery[0] if recovery else None
    found = await vault.read(_by_mail, actor, account)
    # beside the hash, which takes longer: whether there was a sheet to be opened does not show
    right, sheet = await asyncio.gather(
        vault.hashing.verify(found.password_hash, Plaintext(password)),
        vault.read(_on_sheet, actor, found.person_id, number),
    )
    if recovery:
        # whoever types a recovery code waits for a second hash, whether or not there is such a person
        right &= await vault.hashing.verify(sheet, Plaintext(recovery[1]))
        found = replace(found, recovery_hash=sheet)
    started = await _unhurried(vault.perform(_start, actor, found, right, code, number, client))
    if started is None:
        raise NotSignedIn(_WRONG)
    await _renew_hash(vault, actor, found, password)
    return started


async def _renew_hash(vault: Vault, actor: Actor, found: "_Found", password: str) -> None:
    """Hash the password at today's cost while it is at hand. What cannot be done now is left to the next sign-in."""
    person, former = found.person_id, found.password_hash
    if person is None or former is None or not vault.hashing.is_outdated(former):
        return
    with suppress(TooMany, Unavailable):
        renewed = await vault.hashing.hash(Plaintext(password))
        await vault.perform(_rehashed, actor, person, former, renewed)


@operation("password.renew")
def _rehashed(unit: Unit, _actor: Actor, person_id: str, former: str, renewed: str) -> None:
    unit.about(person=person_id)
    person = unit.find(Person, id=person_id)
    if person is not None and person.password_hash == former:  # else somebody chose a new one meanwhile
        unit.change(person, password_hash=renewed)


async def _unhurried(work: Awaitable[SignedIn | None]) -> SignedIn | None:
    """The session that was started, at once; or None, at a time that does not tell what was written about it.

    Of an account that is there a wrong sign-in leaves an entry and a sealed disclosure; of one that is not it is
    counted, because no flood may grow the ledger. Half a millisecond lies between the two, and it was measured.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        started = await work
    except NotSignedIn:
        started = None
    if started is None:
        await asyncio.sleep(began + SLOWEST_NO - clock())
    return started


@dataclass(frozen=True)
class _Found:
    person_id: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    recovery_hash: str | None = field(default=None, repr=False)


def _by_mail(reading: Reading, _actor: Actor, mail: str) -> _Found:
    row = reading.connection.execute(_BY_MAIL, {"mail": mail}).first()
    return _Found(row.id, row.password_hash or None) if row else _Found()


def _on_sheet(reading: Reading, _actor: Actor, person_id: str | None, number: int | None) -> str | None:
    """The stored hash of the recovery code of that number, where there is one."""
    if person_id is None or number is None:
        return None
    person = reading.find(Person, id=person_id)
    return factors.recovery_hash(reading, person, number) if person else None


@operation("session.start")
def _start(
    unit: Unit, actor: Actor, found: _Found, right: bool, code: str, number: int | None, client: str
) -> SignedIn | None:
    """Start a session if everything is right; None, with an entry that says so, if it is not."""
    person = unit.find(Person, id=found.person_id) if found.person_id else None
    if person is None:
        raise NotSignedIn(_WRONG)
    unit.about(person=person.id)
    unit.say(by="code" if number is None else "recovery code")
    unit.disclose(person.id, source=actor.source)
    if not right or person.state != "active" or person.password_hash != found.password_hash:
        accepted = False
    elif number is None:
        accepted = factors.accept_code(unit, person, code)
    else:
        accepted = factors.spend_recovery(unit, person, number, found.recovery_hash or "")
    if not accepted:
        unit.draft.outcome = "NotSignedIn"
        return None
    if number is not None:
        unit.notify("staff.recovery-code", person.id)
    return begin(unit, actor, person, client)


async def ask_passkey(vault: Vault, actor: Actor) -> dict[str, Any]:
    """What a browser needs to sign in by a passkey, the same for everybody: nobody has said yet who they are.

    Raises TooMany, Sealed.
    """
    if vault.is_sealed:
        raise Sealed("the vault is sealed, and with it the second factors of its staff")
    await attempts.count(vault, actor, f"asking:{neighbourhood(actor.source)}")
    asked: dict[str, Any] = await vault.perform(_asked, actor)
    return asked


@operation("session.ask", recorded=False)
def _asked(unit: Unit, _actor: Actor) -> dict[str, Any]:
    challenge = challenges.ask(unit, "sign-in")
    unit.insert(challenge)
    options = passkeys.assertion_options(factors.relying_party(unit.settings), bytes(challenge.question), [])
    return {"challenge": challenge.id, "passkey": options}


async def sign_in_with_passkey(
    vault: Vault, challenge_id: str, answer: Mapping[str, Any], actor: Actor, client: str = ""
) -> SignedIn:
    """Sign in with a passkey alone: it is two factors, for it verifies who uses it. It is never locked by guessing.

    Raises NotSignedIn, TooMany (one network address), Sealed.
    """
    if vault.is_sealed:
        raise Sealed("the vault is sealed, and with it the second factors of its staff")
    await attempts.count(vault, actor, f"asking:{neighbourhood(actor.source)}")
    started: SignedIn | None = await vault.perform(_start_by_passkey, actor, challenge_id, answer, client)
    if started is None:
        raise NotSignedIn(_NO_PASSKEY)
    return started


@operation("session.start")
def _start_by_passkey(
    unit: Unit, actor: Actor, challenge_id: str, answer: Mapping[str, Any], client: str
) -> SignedIn | None:
    unit.say(by="passkey")
    try:
        factor = factors.accept_sign_in(unit, challenge_id, answer)
    except NotFound:
        raise NotSignedIn(_NO_PASSKEY) from None
    person = unit.find(Person, id=factor.person_id) if factor else None
    if person is None or person.state != "active":
        unit.draft.outcome = "NotSignedIn"
        if person is not None:
            unit.about(person=person.id)
        return None
    unit.about(person=person.id)
    unit.disclose(person.id, source=actor.source)
    return begin(unit, actor, person, client)


def begin(unit: Unit, actor: Actor, person: Person, client: str, refresh: str = "") -> SignedIn:
    """Start a session for somebody who has proved who they are, as part of another change."""
    token = new_token("vk_ses")
    session = Session(
        id=new_id("ses"),
        token_hash=token_hash(token),
        person_id=person.id,
        channel=actor.channel,
        refresh_hash=token_hash(refresh) if refresh else None,
        created_at=unit.now,
        seen_at=unit.now,
        expires_at=unit.now + LONGEST,
    )
    session.tag = tag_of(unit, session)
    told = json.dumps({"client": client, "source": actor.source}).encode()
    session.sealed = unit.keys.factors.wrap(told, "session", session.id)
    unit.insert(session)
    unit.about(session=session.id)
    unit.draft.actor = Actor("person", person.id, actor.channel, session.id, actor.source)
    view = SessionView(
        person=showing.person(person, agreement_in_force(unit)), expires_at=to_datetime(session.expires_at)
    )
    known = browsers.remember(unit, person.id) if actor.channel == "page" else ""
    return SignedIn(token, known, view)


def tag_of(reading: Reading, session: Any) -> bytes:
    """What vouches for a session's row."""
    return reading.keys.sessions.tag(
        session.id, bytes(session.token_hash), session.person_id, session.expires_at
    )


async def resolve(
    vault: Vault, token: str, source: str, channel: Channel, *, by_itself: bool = False
) -> Actor:
    """Whose session this token is, and that it still runs. Raises NotSignedIn, and Sealed while the vault is sealed.

    `by_itself`: a page asks, and nobody has touched it, so that this keeps no session awake.
    """
    hashed = parse_token("vk_ses", token)
    if vault.is_sealed:
        raise Sealed("the vault is sealed")
    nobody = Actor.nobody(source, channel)
    row = await vault.read(_resolved, nobody, hashed)
    if row is None:
        raise NotSignedIn("nobody is signed in, or the session has ended")
    if not by_itself and vault.now() - row.seen_at >= SEEN_EVERY:
        await vault.perform(_seen, nobody, row.id)
    return Actor("person", row.person_id, channel, row.id, source)


def _resolved(reading: Reading, _actor: Actor, hashed: bytes) -> Any:
    row = reading.connection.execute(_RESOLVE, {"token_hash": hashed}).first()
    if row is None or row.ended_at is not None or row.state != "active":
        return None
    tag = reading.keys.sessions.tag(row.id, hashed, row.person_id, row.expires_at)
    if not hmac.compare_digest(bytes(row.tag), tag):
        raise Tampered("this session was not made by the vault; it is not used")
    if reading.now >= min(row.expires_at, row.seen_at + IDLE):
        return None
    return row


@operation("session.seen", recorded=False, in_any_time=True)
def _seen(unit: Unit, _actor: Actor, session_id: str) -> None:
    unit.execute(_SEEN, session=session_id, at=unit.now)


@operation("session.end", in_any_time=True)
def sign_out(unit: Unit, actor: Actor) -> None:
    """End the session that asks for it. Ending it twice is no fault."""
    person_of(unit, actor)
    unit.about(session=actor.session)
    unit.execute(_END, session=actor.session, at=unit.now)


@operation("session.end", in_any_time=True)
def end_one(unit: Unit, actor: Actor, session_id: str) -> None:
    """End one of one's own sessions. Raises NotSignedIn, NotFound for anybody else's."""
    unit.about(session=session_id)
    person = person_of(unit, actor)
    found = unit.find(Session, id=known_id("ses", session_id))
    if found is None or found.person_id != person.id or found.ended_at is not None:
        raise NotFound("there is no such session")
    unit.execute(_END, session=session_id, at=unit.now)


def end_all(unit: Unit, person_id: str) -> None:
    """End every session of a person, as part of another change."""
    unit.execute(_END_ALL, person=person_id, at=unit.now)


def session(reading: Reading, actor: Actor) -> SessionView:
    """The session, or API token, that asks. Raises NotSignedIn."""
    person = may(reading, actor, "session.show")
    is_token = actor.scopes is not None
    found = reading.find(ApiToken, id=actor.session) if is_token else reading.find(Session, id=actor.session)
    expires_at = found.expires_at if found else reading.now
    view = showing.person(person, agreement_in_force(reading))
    return SessionView(person=view, expires_at=to_datetime(expires_at))


def own_sessions(reading: Reading, actor: Actor) -> tuple[OwnSessionView, ...]:
    """The sessions of whoever asks that still run, the last used first. Raises NotSignedIn, Denied."""
    person = may(reading, actor, "account.show")
    views = []
    for row in reading.rows(_RUNNING, person=person.id, at=reading.now):
        if row["refresh_hash"] is None and reading.now >= row["seen_at"] + IDLE:
            continue
        told = json.loads(reading.keys.factors.unwrap(bytes(row["sealed"]), "session", row["id"]))
        views.append(
            OwnSessionView(
                id=row["id"],
                channel=row["channel"],
                client=told["client"]
                or {"cli": "Command line", "api": "A program"}.get(row["channel"], "A browser"),
                source=told["source"],
                started_at=to_datetime(row["created_at"]),
                seen_at=to_datetime(row["seen_at"]),
                expires_at=to_datetime(row["expires_at"]),
                here=row["id"] == actor.session,
            )
        )
    return tuple(views)
