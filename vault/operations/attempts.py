"""Counting attempts: durable before the attempt is judged, so that neither parallel tries nor a restart get more."""

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from vault.errors import TooMany
from vault.model.tables import Attempt
from vault.operations.vault import Vault
from vault.policy.attempts import WINDOW, allowed
from vault.storage.unit import Unit, operation
from vault.values import Actor

_ATTEMPTS = Attempt.table()
_FIND = select(_ATTEMPTS.c.window_at, _ATTEMPTS.c.count.label("times")).where(
    _ATTEMPTS.c.id == bindparam("key")
)
_COUNT = (
    update(_ATTEMPTS)
    .where(_ATTEMPTS.c.id == bindparam("key"))
    .values(window_at=bindparam("began"), count=bindparam("times"))
)


async def count(vault: Vault, actor: Actor, *keys: str) -> None:
    """Count one attempt under each key (`sort:what`), durably. Raises TooMany when one of them has had its share."""
    if not await vault.perform(_counted, actor, keys):
        raise TooMany("there were too many attempts")


@operation("attempt.count", recorded=False, in_any_time=True)
def _counted(unit: Unit, _actor: Actor, keys: tuple[str, ...]) -> bool:
    """Whether all of them may still be tried. It never raises: a refusal would undo the count.

    A key after one that has had its share is not counted: whoever is refused for their own address cannot go on to
    lock the accounts of others.
    """
    for key in keys:
        found = unit.connection.execute(_FIND, {"key": key}).first()
        if found is None:
            make = sqlite_insert if unit.connection.dialect.name == "sqlite" else postgres_insert
            unit.execute(make(_ATTEMPTS).values(id=key, window_at=unit.now, count=1).on_conflict_do_nothing())
            continue
        fresh = unit.now >= found.window_at + WINDOW
        times = 1 if fresh else found.times + 1
        unit.execute(_COUNT, key=key, began=unit.now if fresh else found.window_at, times=times)
        if not allowed({key: times}):
            return False
    return True
