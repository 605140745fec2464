"""What a refusal must leave behind: its entry, and everything else as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from tests.world import World
from vault.errors import VaultError
from vault.model.people import Session
from vault.model.tables import GUARDED, Outbox

SPENT = {"step"}
"""What a code or passkey that was given leaves in a factor's row, whether or not its deed is then done."""


def everything(world: World) -> dict[str, list[Any]]:
    """Every row that a deed could change, but for used time steps."""
    found: dict[str, list[Any]] = {}
    with world.behind(reader=True) as engine, engine.connect() as connection:
        for model in (*GUARDED.values(), Outbox):
            table = model.table()
            columns = [column for column in table.columns if column.key not in SPENT]
            found[table.name] = [
                tuple(row) for row in connection.execute(select(*columns).order_by(table.c.id))
            ]
        sessions = Session.table()
        ended = select(sessions.c.id, sessions.c.ended_at).order_by(sessions.c.id)
        found["session"] = [tuple(row) for row in connection.execute(ended)]
    return found


@contextmanager
def refused(world: World, error: type[VaultError], *entries: str, match: str | None = None) -> Iterator[None]:
    """What happens inside is refused with exactly that error, leaves exactly these entries and changes nothing.

    An entry without an outcome has the refusal's.
    """
    before, since = everything(world), world.size()
    with pytest.raises(error, match=match) as caught:
        yield
    assert type(caught.value) is error
    assert everything(world) == before
    expected = [entry if " " in entry else f"{entry} {error.__name__}" for entry in entries]
    assert world.ledger(since) == expected


def answer(world: World, work: Any) -> tuple[type[BaseException], str, str]:
    """How an asynchronous call is refused, as whoever asked sees it: class, sentence, hint."""
    with pytest.raises(VaultError) as caught:
        world.run(work)
    return type(caught.value), str(caught.value), caught.value.hint
