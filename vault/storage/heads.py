"""The newest digests of rows, remembered by the process that wrote or checked them.

While nobody else appends, memory knows better than the table: a row that is rolled back together with its row head is
then refused as well. Another node's append empties it.
"""

from sqlalchemy import Connection, bindparam, select

from vault.model.tables import RowHead

MOST = 20_000
_TABLE = RowHead.table()
_FIND = select(_TABLE.c.digest).where(_TABLE.c.row_id == bindparam("row_id"))


class Heads:
    """Row ids and the digest that each one's newest entry names, as of a ledger of `size` entries."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._size = -1
        self._known: dict[str, bytes] = {}
        self._changed: dict[str, bytes] = {}

    def begin(self, size: int) -> None:
        """Start a batch on a ledger of that size; what is known of another one is forgotten."""
        self._changed = {}
        if size != self._size or len(self._known) > MOST:
            self._known = {}

    def settle(self, size: int) -> None:
        """The batch is committed: what it changed is the newest now."""
        self._known.update(self._changed)
        self._changed = {}
        self._size = size

    def forget(self) -> None:
        """The batch is not committed, or nobody knows."""
        self._size = -1
        self._known = {}
        self._changed = {}

    def change(self, row_id: str, digest: bytes) -> None:
        """An operation of this batch, not rolled back, has changed that row."""
        self._changed[row_id] = digest

    def newest(self, connection: Connection, row_id: str) -> bytes | None:
        """The digest that the row must have; None for a row that no entry ever named."""
        found = self._changed.get(row_id) or self._known.get(row_id)
        if found is None:
            stored = connection.execute(_FIND, {"row_id": row_id}).scalar()
            if stored is None:
                return None
            found = self._known[row_id] = bytes(stored)
        return found
