"""Browsers in which somebody has signed in before: they keep a way in while strangers guess at the account."""

import hmac
from typing import Any

from sqlalchemy import bindparam, delete, select

from vault.crypto.tokens import new_token, parse_token, token_hash
from vault.errors import NotSignedIn
from vault.model.people import KnownBrowser, Person
from vault.storage.reading import Reading
from vault.storage.unit import Unit
from vault.values import DAY, Actor, new_id

KNOWN_FOR = 90 * DAY
_BROWSERS = KnownBrowser.table()
_PEOPLE = Person.table()
_FIND = (
    select(_BROWSERS, _PEOPLE.c.mail)
    .join(_PEOPLE, _PEOPLE.c.id == _BROWSERS.c.person_id)
    .where(_BROWSERS.c.token_hash == bindparam("token_hash"))
)
_FORGET = delete(_BROWSERS).where(_BROWSERS.c.person_id == bindparam("person"))


def known_for(reading: Reading, _actor: Actor, token: str, mail: str) -> str:
    """The id of the known browser whose token this is, if it is known for the account with that address; else nothing.

    It proves nothing about who sits there: it only has a counter of its own for what is tried.
    """
    try:
        hashed = parse_token("vk_dev", token)
    except NotSignedIn:
        return ""
    row = reading.connection.execute(_FIND, {"token_hash": hashed}).first()
    if row is None or row.mail != mail or reading.now >= row.expires_at:
        return ""
    return str(row.id) if hmac.compare_digest(bytes(row.tag), _tag(reading, row)) else ""


def remember(unit: Unit, person_id: str) -> str:
    """Know the browser that signs in now; returns its new token. The tokens before it go on for their time."""
    token = new_token("vk_dev")
    row = KnownBrowser(
        id=new_id("brw"), token_hash=token_hash(token), person_id=person_id, expires_at=unit.now + KNOWN_FOR
    )
    row.tag = _tag(unit, row)
    unit.insert(row)
    return token


def forget_all(unit: Unit, person_id: str) -> None:
    """Know none of a person's browsers any more."""
    unit.execute(_FORGET, person=person_id)


def _tag(reading: Reading, row: Any) -> bytes:
    return reading.keys.sessions.tag(row.id, bytes(row.token_hash), row.person_id, row.expires_at)
