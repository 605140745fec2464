"""What of the changes of a sealed vault is believed at the unseal: no key vouched for them when they were made."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select

from vault.ledger.entry import Entry, decode
from vault.model.tables import GUARDED, LedgerEntry
from vault.storage.heads import CHANGED_WHILE_SEALED, may_change_sealed
from vault.storage.rows import digest

_ENTRIES = LedgerEntry.table()
_BEFORE = (
    select(_ENTRIES.c.body)
    .where(
        _ENTRIES.c.service_id == bindparam("service"),
        _ENTRIES.c.seq < bindparam("signed"),
        _ENTRIES.c.body.contains(bindparam("row_id")),
    )
    .order_by(_ENTRIES.c.seq.desc())
)


def believed(
    connection: Connection, entry: Entry, found: Mapping[str, bytes], signed: int
) -> dict[str, bytes]:
    """The rows of an unsigned entry that are vouched for from now on, of those that match it; by id, with digests.

    Where a customer took something away, it must be gone by what the row says now, and nothing else of a paused
    service may differ from what the `signed` entries before say: whoever writes to the database while no key is there
    forges no later end and no other owner by a pause.
    """
    return {
        row_id: value for row_id, value in found.items() if _is_believed(connection, entry, row_id, signed)
    }


def _is_believed(connection: Connection, entry: Entry, row_id: str, signed: int) -> bool:
    if not may_change_sealed(entry.type, row_id):
        return False
    name, _, key = row_id.partition(":")
    if name in CHANGED_WHILE_SEALED:
        return True
    table = GUARDED[name].table()
    row = connection.execute(select(table).where(table.c.id == key)).mappings().one()
    match name:
        case "lease":
            return bool(row["state"] == "ended")
        case "ticket":
            return bool(row["state"] == "closed")
        case _ if row["state"] == "ended":
            return row["ended_at"] is not None and row["destroy_at"] is None
        case _:
            return row["paused_at"] is not None and _was(connection, key, signed) == digest(
                name, _resumed(row)
            )


def _resumed(row: Mapping[Any, Any]) -> tuple[object, ...]:
    """The values of a paused service's row as they were before the pause."""
    return tuple(None if column == "paused_at" else value for column, value in row.items())


def _was(connection: Connection, service_id: str, signed: int) -> bytes:
    """The digest that the newest signed entry names for a service; empty where there is none."""
    wanted = {"service": service_id, "signed": signed, "row_id": f'"service:{service_id}"'}
    for (body,) in connection.execute(_BEFORE, wanted):
        named = dict(decode(body.encode()).rows).get(f"service:{service_id}")
        if named is not None:
            return bytes.fromhex(named)
    return b""
