"""Keeping a command line signed in by refresh tokens that work once (RFC 6749, 6; RFC 9700, 4.14.2).

A refresh token is two tokens with a dot between: one that stays for the whole session, by which it is found, and one
that each refresh replaces. Whoever brings the first with any other second has held a former one, however old: only
the vault and the holders of this session's refresh tokens ever knew the first. Both hashes are wrapped in the row
too, for a writer of the database could else put the hashes of tokens of their own into somebody's session.
"""

import hmac
import json
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy import bindparam, update

from vault.crypto.tokens import new_token, parse_token, token_hash
from vault.errors import NotSignedIn, Sealed, Tampered
from vault.model.people import Person, Session
from vault.model.views import SessionView
from vault.operations import showing
from vault.operations.asking import agreement_in_force
from vault.operations.people import sessions
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, to_datetime

_SESSIONS = Session.table()
_FAMILY = (
    update(_SESSIONS)
    .where(_SESSIONS.c.id == bindparam("session"))
    .values(refreshed_hash=bindparam("family"), sealed=bindparam("told"))
)
_ROTATE = (
    update(_SESSIONS)
    .where(
        _SESSIONS.c.id == bindparam("session"),
        _SESSIONS.c.refresh_hash == bindparam("former"),
        _SESSIONS.c.ended_at.is_(None),
    )
    .values(
        token_hash=bindparam("token"),
        tag=bindparam("vouched"),
        refresh_hash=bindparam("next"),
        sealed=bindparam("told"),
        seen_at=bindparam("at"),
    )
)
_END = (
    update(_SESSIONS)
    .where(_SESSIONS.c.id == bindparam("session"), _SESSIONS.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"))
)


@dataclass(frozen=True)
class SignedInDevice:
    """A command line's session: the token that it uses, and the one that renews it, each shown this once."""

    token: str = field(repr=False)
    refresh: str = field(repr=False)
    session: SessionView


def begin(unit: Unit, actor: Actor, person: Person, client: str) -> SignedInDevice:
    """Start a session that can be refreshed, for somebody who has proved who they are, as part of another change."""
    family, current = new_token("vk_ref"), new_token("vk_ref")
    started = sessions.begin(unit, actor, person, client, current)
    session = unit.draft.actor.session
    told = {"client": client, "source": actor.source}
    unit.execute(
        _FAMILY,
        session=session,
        family=token_hash(family),
        told=_sealed(unit, session, told, token_hash(family), token_hash(current)),
    )
    return SignedInDevice(started.token, f"{family}.{current}", started.session)


async def refresh(
    vault: Vault, actor: Actor, refresh_token: str
) -> SignedInDevice | Literal["invalid_grant"]:
    """New tokens for a command line's session, until twelve hours after its sign-in; the former ones die.

    A refresh token that was used before ends the session for everybody, and its person is told. Raises Sealed,
    Tampered, Busy.
    """
    if vault.is_sealed:
        raise Sealed("the vault is sealed")
    family, _, current = refresh_token.partition(".")
    by = replace(actor, channel="cli")
    try:
        hashes = parse_token("vk_ref", family), parse_token("vk_ref", current)
        if await vault.read(_is_current, actor, *hashes):
            renewed: SignedInDevice | None = await vault.perform(_refreshed, by, *hashes)
            if renewed is not None:
                return replace(renewed, refresh=f"{family}.{renewed.refresh}")
        await vault.perform(_reused, by, hashes[0])
    except NotSignedIn:
        pass
    return "invalid_grant"


def _is_current(reading: Reading, _actor: Actor, family: bytes, current: bytes) -> bool:
    row, _ = _refreshable(reading, family)
    return hmac.compare_digest(bytes(row.refresh_hash or b""), current)


def _refreshable(reading: Reading, family: bytes) -> tuple[Session, dict[str, str]]:
    row = reading.find(Session, refreshed_hash=family)
    if row is None or row.ended_at is not None or reading.now >= row.expires_at:
        raise NotSignedIn("this session has ended")
    told: dict[str, str] = json.loads(reading.keys.factors.unwrap(bytes(row.sealed), "session", row.id))
    if (
        not hmac.compare_digest(bytes(row.tag), sessions.tag_of(reading, row))
        or told.get("family") != family.hex()
        or told.get("refresh") != bytes(row.refresh_hash or b"").hex()
    ):
        raise Tampered("this session was not made by the vault; it is not used")
    return row, told


@operation("session.refresh")
def _refreshed(unit: Unit, actor: Actor, family: bytes, current: bytes) -> SignedInDevice | None:
    """Renew; None, with an entry that says so, when another was faster with the same token.

    It is recorded, unlike `session.seen`: a credential is made, and the log shall say from where it was asked for.
    """
    row, told = _refreshable(unit, family)
    person = _whose(unit, actor, row)
    token, following = new_token("vk_ses"), new_token("vk_ref")
    row.token_hash = token_hash(token)
    rotated = unit.execute(
        _ROTATE,
        session=row.id,
        former=current,
        token=row.token_hash,
        vouched=sessions.tag_of(unit, row),
        next=token_hash(following),
        told=_sealed(unit, row.id, told, family, token_hash(following)),
        at=unit.now,
    )
    if rotated != 1:
        unit.draft.outcome = "NotSignedIn"
        return None
    unit.disclose(person.id, source=actor.source)
    view = SessionView(
        person=showing.person(person, agreement_in_force(unit)), expires_at=to_datetime(row.expires_at)
    )
    return SignedInDevice(token, following, view)  # the first half is not stored: its holder has it


@operation("session.reuse", in_any_time=True)
def _reused(unit: Unit, actor: Actor, family: bytes) -> None:
    """End the session of a refresh token that came twice: one of the two who brought it has stolen it."""
    row, _ = _refreshable(unit, family)
    person = _whose(unit, actor, row)
    unit.disclose(person.id, source=actor.source)
    unit.execute(_END, session=row.id, at=unit.now)
    unit.notify("staff.stolen", person.id)


def _whose(unit: Unit, actor: Actor, row: Session) -> Person:
    person = unit.find(Person, id=row.person_id)
    if person is None or person.state != "active":
        raise NotSignedIn("this account is not active")
    unit.about(person=person.id, session=row.id)
    unit.draft.actor = Actor("person", person.id, actor.channel, row.id, actor.source)
    return person


def _sealed(unit: Unit, session: str, told: dict[str, str], family: bytes, current: bytes) -> bytes:
    kept = {"client": told["client"], "source": told["source"]}
    hashes = {"family": family.hex(), "refresh": current.hex()}
    return unit.keys.factors.wrap(json.dumps(kept | hashes).encode(), "session", session)
