"""Statements are compiled once a process, and not once for each of its vaults: that was a third of the work.

What is compiled is the same: an engine looks into this mapping where it would have looked into one of its own.
"""

from functools import partial
from typing import Any

from sqlalchemy.engine import Compiled

from vault.storage import database


class _Statements(dict[tuple[Any, ...], Compiled]):
    """By the database's name in place of its engine's dialect, which is the first of what SQLAlchemy asks by."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Compiled) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


def share_statements() -> None:
    """Give every engine of this process the same statements from now on."""
    made = {"compiled_cache": _Statements()}
    database.create_engine = partial(database.create_engine, execution_options=made)  # type: ignore[attr-defined]
