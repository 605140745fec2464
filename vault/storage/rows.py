"""Row digests: what the ledger remembers of a row, so that a change behind the program's back is seen at use."""

import hashlib
from collections.abc import Iterable

from vault.model.tables import Row


def digest(table: str, values: Iterable[object]) -> bytes:
    """SHA-256 over the table's name and every column in order, each tagged with its type and length-prefixed."""
    parts = [table.encode()]
    for value in values:
        if value is None:
            parts.append(b"n")
        elif isinstance(value, str):
            parts.append(b"s" + value.encode())
        elif isinstance(value, int):  # bool too: SQLite hands back 0 and 1, PostgreSQL false and true
            parts.append(b"i%d" % value)
        else:
            parts.append(b"b" + bytes(value))  # type: ignore[call-overload]  # all that is left is BLOB or BYTEA
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def values_of(row: Row) -> tuple[object, ...]:
    """The row's values in the order of its table's columns."""
    return tuple(getattr(row, column.key) for column in row.table().columns)


def row_id(row: Row) -> str:
    """How the ledger names the row: its table and its primary key."""
    return f"{row.table().name}:{getattr(row, 'id')}"  # noqa: B009 (every guarded table has an id)
