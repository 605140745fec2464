"""Signing in and out, and who a session belongs to."""

import hmac
from typing import Any

from sqlalchemy import bindparam, select, update

from vault.crypto.tokens import new_token, parse_token, token_hash
from vault.errors import Invalid, NotSignedIn, Sealed, Tampered
from vault.model.tables import Person, Session
from vault.model.views import SessionView
from vault.operations import attempts, showing
from vault.operations.asking import agreement_in_force, person_of
from vault.operations.presence import accept_code
from vault.operations.vault import Vault
from vault.policy.attempts import neighbourhood
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import HOUR, MINUTE, SECOND, Actor, Channel, MailAddress, Plaintext, new_id, to_datetime

IDLE = 15 * MINUTE
LONGEST = 12 * HOUR
SEEN_EVERY = 30 * SECOND
_WRONG = "mail address, password or code is not right"
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
        _PEOPLE.c.role,
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
_BY_MAIL = select(_PEOPLE.c.id, _PEOPLE.c.password_hash).where(_PEOPLE.c.mail == bindparam("mail"))


async def sign_in(vault: Vault, mail: str, password: str, code: str, actor: Actor) -> tuple[str, SessionView]:
    """Sign in with mail address, password and one-time code. Returns the session's token, shown this once.

    Unknown, disabled and mistaken look alike and cost alike. Raises NotSignedIn, TooMany, Sealed.
    """
    if vault.is_sealed:
        raise Sealed("the vault is sealed, and with it the second factors of its staff")
    try:
        account = MailAddress.parse(mail).text
    except Invalid:
        account = "-"
    await attempts.count(vault, actor, f"source:{neighbourhood(actor.source)}", f"account:{account}")
    found = await vault.read(_by_mail, actor, account)
    person_id, stored = found or (None, None)
    right = await vault.hashing.verify(stored, Plaintext(password))
    token = new_token("vk_ses")
    view: SessionView | None = await vault.perform(_start, actor, person_id, right, code, token_hash(token))
    if view is None:
        raise NotSignedIn(_WRONG)
    return token, view


def _by_mail(reading: Reading, _actor: Actor, mail: str) -> tuple[str, str] | None:
    row = reading.connection.execute(_BY_MAIL, {"mail": mail}).first()
    return (row.id, row.password_hash) if row else None


@operation("session.start")
def _start(
    unit: Unit, actor: Actor, person_id: str | None, right: bool, code: str, hashed: bytes
) -> SessionView | None:
    """Start a session if everything is right; None, with an entry that says so, if it is not."""
    person = unit.find(Person, id=person_id) if person_id else None
    if person is None:
        raise NotSignedIn(_WRONG)
    unit.about(person=person.id)
    unit.disclose(person.id, source=actor.source)
    if not right or person.state != "active" or not accept_code(unit, person, code):
        unit.draft.outcome = "NotSignedIn"
        return None
    session_id, expires_at = new_id("ses"), unit.now + LONGEST
    session = Session(
        id=session_id,
        token_hash=hashed,
        tag=unit.keys.sessions.tag(session_id, hashed, person.id, expires_at),
        person_id=person.id,
        channel=actor.channel,
        created_at=unit.now,
        seen_at=unit.now,
        expires_at=expires_at,
    )
    unit.insert(session)
    unit.about(session=session.id)
    unit.draft.actor = Actor("person", person.id, actor.channel, session.id, person.role)
    view = showing.person(person, agreement_in_force(unit))
    return SessionView(person=view, expires_at=to_datetime(session.expires_at))


async def resolve(vault: Vault, token: str, source: str, channel: Channel) -> Actor:
    """Whose session this token is, and that it still runs. Raises NotSignedIn, and Sealed while the vault is sealed."""
    hashed = parse_token("vk_ses", token)
    if vault.is_sealed:
        raise Sealed("the vault is sealed")
    nobody = Actor.nobody(source, channel)
    row = await vault.read(_resolved, nobody, hashed)
    if row is None:
        raise NotSignedIn("nobody is signed in, or the session has ended")
    if vault.now() - row.seen_at >= SEEN_EVERY:
        await vault.perform(_seen, nobody, row.id)
    return Actor("person", row.person_id, channel, row.id, row.role, source)


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
    unit.about(session=actor.session)
    unit.execute(_END, session=actor.session, at=unit.now)


_END_ALL = (
    update(_SESSIONS)
    .where(_SESSIONS.c.person_id == bindparam("person"), _SESSIONS.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"))
)


def end_all(unit: Unit, person_id: str) -> None:
    """End every session of a person, as part of another change."""
    unit.execute(_END_ALL, person=person_id, at=unit.now)


_EXPIRES = select(_SESSIONS.c.expires_at).where(_SESSIONS.c.id == bindparam("session"))


def session(reading: Reading, actor: Actor) -> SessionView:
    """The session that asks. Raises NotSignedIn."""
    person = person_of(reading, actor)
    expires_at = reading.connection.execute(_EXPIRES, {"session": actor.session}).scalar_one()
    view = showing.person(person, agreement_in_force(reading))
    return SessionView(person=view, expires_at=to_datetime(expires_at))
