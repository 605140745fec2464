"""Row digests: what the ledger remembers of a row, so that a change behind the program's back is seen at use."""

import hashlib
import json
from functools import lru_cache

from vault.model.rows import Row

_encode = json.JSONEncoder(
    ensure_ascii=True, separators=(",", ":"), default=lambda blob: bytes(blob).hex()
).encode


@lru_cache(maxsize=2048)
def digest(table: str, values: tuple[object, ...]) -> bytes:
    """SHA-256 over the table's name and every column in order, as a JSON array; bytes stand in it as hex.

    A column has one type, so nothing else can have the same spelling. Rows that decide together come again and again,
    therefore the last ones are remembered: by their whole content, so that a changed row is never taken for another.
    """
    return hashlib.sha256(_encode([table, *values]).encode("ascii")).digest()


def values_of(row: Row) -> tuple[object, ...]:
    """The row's values in the order of its table's columns."""
    return tuple(getattr(row, column.key) for column in row.table().columns)


def row_id(row: Row) -> str:
    """How the ledger names the row: its table and its primary key."""
    return f"{row.table().name}:{getattr(row, 'id')}"  # noqa: B009 (every guarded table has an id)
