"""Counting attempts: durable before the attempt is judged, so that neither parallel tries nor a restart get more."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from vault.errors import TooMany
from vault.model.people import Attempt, KnownBrowser, Person
from vault.operations.vault import Vault
from vault.policy.attempts import WINDOW, allowed
from vault.storage.unit import Unit, operation
from vault.values import Actor

_ATTEMPTS = Attempt.table()
_PEOPLE = Person.table()
_BROWSERS = KnownBrowser.table()
_FIND = select(_ATTEMPTS.c.window_at, _ATTEMPTS.c.count.label("times")).where(
    _ATTEMPTS.c.id == bindparam("key")
)
_COUNT = (
    update(_ATTEMPTS)
    .where(_ATTEMPTS.c.id == bindparam("key"))
    .values(window_at=bindparam("began"), count=bindparam("times"))
)
_BEHIND = {
    "account": select(_PEOPLE.c.id).where(_PEOPLE.c.mail == bindparam("what")),
    "browser": select(_BROWSERS.c.person_id).where(_BROWSERS.c.id == bindparam("what")),
}
"""Whose account is tried, by the sort of key that strangers are counted under."""
_ALERTS = "alert:"


@dataclass(frozen=True)
class _Over:
    """A key that has had its share, and whether the ledger is to tell of it now."""

    sort: str
    person: str
    told: bool


async def count(vault: Vault, actor: Actor, *keys: str) -> None:
    """Count one attempt under each key (`sort:what`), durably. Raises TooMany when one of them has had its share.

    The first attempt too many of a key's window leaves an entry, the others are counted alone.
    """
    over: _Over | None = await vault.perform(_counted, actor, keys)
    if over is None:
        return
    if over.told:
        await vault.perform(_limited, actor, over.sort, over.person)
    raise TooMany("there were too many attempts")


@operation("attempt.count", recorded=False, in_any_time=True)
def _counted(unit: Unit, actor: Actor, keys: tuple[str, ...]) -> _Over | None:
    """The first key that has had its share, None where all may still be tried. It never raises: that would undo it.

    A key after one that has had its share is not counted: whoever is refused for their own address cannot go on to
    lock the accounts of others.
    """
    for key in keys:
        times = _count_one(unit, key)
        if allowed({key: times}):
            continue
        sort, _, what = key.partition(":")
        person = _person_behind(unit, actor, sort, what)
        # nobody can make up more people than there are, but addresses and accounts without end
        told = allowed({key: times - 1}) and (person != "" or allowed({_ALERTS: _count_one(unit, _ALERTS)}))
        return _Over(sort, person, told)
    return None


def _count_one(unit: Unit, key: str) -> int:
    """How often a key was tried in its running window, this time included."""
    found = unit.connection.execute(_FIND, {"key": key}).first()
    if found is None:
        make = sqlite_insert if unit.connection.dialect.name == "sqlite" else postgres_insert
        unit.execute(make(_ATTEMPTS).values(id=key, window_at=unit.now, count=1).on_conflict_do_nothing())
        return 1
    fresh = unit.now >= found.window_at + WINDOW
    times = 1 if fresh else int(found.times) + 1
    unit.execute(_COUNT, key=key, began=unit.now if fresh else found.window_at, times=times)
    return times


def _person_behind(unit: Unit, actor: Actor, sort: str, what: str) -> str:
    """The id of whoever's share it is; empty for nobody in particular."""
    if actor.kind == "person":
        return actor.id
    query = _BEHIND.get(sort)
    found = None if query is None else unit.connection.execute(query, {"what": what}).scalar()
    return str(found or "")


@operation("attempt.limit", in_any_time=True)
def _limited(unit: Unit, _actor: Actor, sort: str, person: str) -> None:
    """Somebody guesses, or overdoes it: the entry says at what, and whose account it is if it is anybody's."""
    unit.say(sort=sort)
    if person:
        unit.about(person=person)
