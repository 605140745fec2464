"""API tokens for integrations: a few rights of their maker's, until they expire, and never more than the maker has."""

import hmac
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from vault.crypto.tokens import new_token, parse_token, token_hash
from vault.errors import Conflict, Denied, Invalid, NotFound, NotSignedIn, Sealed, Tampered
from vault.model.people import ApiToken, Person
from vault.model.views import ApiTokenView
from vault.operations.asking import may, roles_of
from vault.operations.presence import NOTHING, Deed, Presence, proved, spend
from vault.operations.vault import Vault
from vault.policy.rights import RIGHTS, SCOPES
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import DAY, MINUTE, Actor, clean_text, known_id, new_id, to_datetime

USUAL_DAYS = 90
LONGEST_DAYS = 365
LONGEST_NAME = 60
MOST = 20
"""Working tokens of one person: more of them is a leak that nobody notices."""
SEEN_EVERY = MINUTE
_TOKENS = ApiToken.table()
_PEOPLE = Person.table()
_RESOLVE = (
    select(_TOKENS, _PEOPLE.c.state)
    .join(_PEOPLE, _PEOPLE.c.id == _TOKENS.c.person_id)
    .where(_TOKENS.c.token_hash == bindparam("token_hash"))
)
_WORKING = (
    select(_TOKENS)
    .where(
        _TOKENS.c.person_id == bindparam("person"),
        _TOKENS.c.ended_at.is_(None),
        _TOKENS.c.expires_at > bindparam("at"),
    )
    .order_by(_TOKENS.c.created_at.desc(), _TOKENS.c.id)
)
_SEEN = update(_TOKENS).where(_TOKENS.c.id == bindparam("token")).values(seen_at=bindparam("at"))
_END = (
    update(_TOKENS)
    .where(_TOKENS.c.id == bindparam("token"), _TOKENS.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"))
)
_END_ALL = (
    update(_TOKENS)
    .where(_TOKENS.c.person_id == bindparam("person"), _TOKENS.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"))
)


def usable(roles: frozenset[str]) -> set[str]:
    """The scopes with which one of these roles could do anything at all."""
    return {right.scope for right in RIGHTS.values() if right.scope in SCOPES and right.roles & roles}


async def make(
    vault: Vault,
    actor: Actor,
    name: str,
    scopes: Sequence[str],
    days: int = USUAL_DAYS,
    given: Presence = NOTHING,
) -> tuple[str, ApiTokenView]:
    """Make an API token, with a proof of presence for this very one; the token is in the answer, this once.

    It may do what `scopes` name and its maker may do at the moment of use. It works for 1 to 365 days. Raises
    NotSignedIn, also for another API token, Denied for a scope that none of the maker's roles uses, Invalid,
    Conflict for too many, ProofNeeded, TooMany, Sealed.
    """
    called = clean_text(name, "a token's name", LONGEST_NAME, pointer="/name")
    wanted = " ".join(sorted(set(scopes)))
    if not scopes or not set(scopes) <= SCOPES.keys():
        raise Invalid(f"the scopes are {', '.join(SCOPES)}", "/scopes")
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid(f"a token works for 1 to {LONGEST_DAYS} days", "/days")
    proof = await proved(vault, given, _deed_of, actor, called, wanted, days)
    return await vault.perform(_made, actor, called, wanted, days, proof)


def _deed_of(reading: Reading, actor: Actor, name: str, scopes: str, days: int) -> Deed:
    _maker(reading, actor, scopes)
    return _deed(name, scopes, days)


def _deed(name: str, scopes: str, days: int) -> Deed:
    able = ", ".join(scopes.split())
    return Deed(f"make the API token “{name}” ({able}) for {_days(days)}", ("token.make", name, scopes, days))


@operation("token.make")
def _made(
    unit: Unit, actor: Actor, name: str, scopes: str, days: int, proof: str
) -> tuple[str, ApiTokenView]:
    unit.about(person=actor.id)
    person = _maker(unit, actor, scopes)
    if len(unit.rows(_WORKING, person=person.id, at=unit.now)) >= MOST:
        raise Conflict(f"you have {MOST} tokens that work; end one first")
    spend(unit, actor, proof, _deed(name, scopes, days))
    token = new_token("vk_api")
    row = ApiToken(
        id=new_id("tok"),
        token_hash=token_hash(token),
        person_id=person.id,
        name=name,
        scopes=scopes,
        created_at=unit.now,
        expires_at=unit.now + days * DAY,
    )
    row.tag = _tag(unit, row)
    unit.insert(row)
    unit.about(token=row.id)
    unit.say(scopes=scopes)
    unit.disclose(person.id, name=name)
    return token, _view(row)


def _maker(reading: Reading, actor: Actor, scopes: str) -> Person:
    """Whoever may make a token with these scopes: a person in a session, with a role that could use each of them."""
    person = may(reading, actor, "token.make")
    if not set(scopes.split()) <= usable(roles_of(person.roles)):
        raise Denied("none of your roles does what one of these scopes is for")
    return person


@operation("token.end", in_any_time=True)
def end(unit: Unit, actor: Actor, token_id: str) -> None:
    """End one of one's own API tokens at once. Raises NotSignedIn, NotFound for anybody else's and one that is over."""
    unit.about(token=token_id)
    person = may(unit, actor, "token.end")
    unit.about(person=person.id)
    found = unit.find(ApiToken, id=known_id("tok", token_id))
    if found is None or found.person_id != person.id or unit.execute(_END, token=token_id, at=unit.now) != 1:
        raise NotFound("there is no such token")


def end_all(unit: Unit, person_id: str) -> None:
    """End every API token of a person, as part of another change."""
    unit.execute(_END_ALL, person=person_id, at=unit.now)


def own_tokens(reading: Reading, actor: Actor) -> tuple[ApiTokenView, ...]:
    """The API tokens of whoever asks that still work, the newest first. Raises NotSignedIn, Denied."""
    person = may(reading, actor, "account.show")
    return tuple(_view(ApiToken(**row)) for row in reading.rows(_WORKING, person=person.id, at=reading.now))


async def resolve(vault: Vault, token: str, source: str) -> Actor:
    """Whose API token this is, and that it still works. What it may do is judged anew at each deed.

    Raises NotSignedIn, Sealed while the vault is sealed, Tampered for one that the vault did not make.
    """
    hashed = parse_token("vk_api", token)
    if vault.is_sealed:
        raise Sealed("the vault is sealed")
    nobody = Actor.nobody(source, "api")
    row = await vault.read(_resolved, nobody, hashed)
    if row is None:
        raise NotSignedIn("this API token does not work, or does not work any more")
    if row.seen_at is None or vault.now() - row.seen_at >= SEEN_EVERY:
        await vault.perform(_seen, nobody, row.id)
    return Actor("person", row.person_id, "api", row.id, source, frozenset(row.scopes.split()))


def _resolved(reading: Reading, _actor: Actor, hashed: bytes) -> Any:
    row = reading.connection.execute(_RESOLVE, {"token_hash": hashed}).first()
    if row is None or row.ended_at is not None or row.state != "active":
        return None
    if not hmac.compare_digest(bytes(row.tag), _tag(reading, row)):
        raise Tampered("this API token was not made by the vault; it is not used")
    return row if reading.now < row.expires_at else None


@operation("token.seen", recorded=False, in_any_time=True)
def _seen(unit: Unit, _actor: Actor, token_id: str) -> None:
    unit.execute(_SEEN, token=token_id, at=unit.now)


def _tag(reading: Reading, row: Any) -> bytes:
    """What vouches for a token's row: whose it is, what for and until when."""
    return reading.keys.sessions.tag(
        "api token", row.id, bytes(row.token_hash), row.person_id, row.scopes, row.expires_at
    )


def _view(row: ApiToken) -> ApiTokenView:
    return ApiTokenView(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes.split()),
        made_at=to_datetime(row.created_at),
        expires_at=to_datetime(row.expires_at),
        used_at=to_datetime(row.seen_at) if row.seen_at is not None else None,
    )


def _days(days: int) -> str:
    return "one day" if days == 1 else f"{days} days"
