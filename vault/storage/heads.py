"""The newest digests of rows, remembered by the process that wrote or checked them.

While nobody else appends, memory knows better than the table: a row that is rolled back together with its row head is
then refused as well. Another node's append empties it.
"""

import hmac

from sqlalchemy import Connection, bindparam, select

from vault.errors import Tampered
from vault.model.tables import RowHead
from vault.storage.keys import Keys

MOST = 20_000
CHANGED_WHILE_SEALED = frozenset({"request", "secret", "service_type", "agreement"})
"""The tables whose rows a sealed vault changes: by the customers' form, and by the catalogue's operator.

Nothing can vouch for such a change before the next unseal looks it over. Of no other table is a row vouched for then,
but for those that only lose by it, so that a writer of the database makes no person, assignment or lease while the
vault is sealed.
"""
TAKEN_AWAY_WHILE_SEALED = {
    "service.pause": frozenset({"service"}),
    "lease.refuse": frozenset({"lease"}),
    "service.end": frozenset({"service", "lease", "ticket"}),
}
"""What customers take away on their own page while the vault is sealed, by the type of the entry."""
_TABLE = RowHead.table()
_FIND = select(_TABLE.c.seq, _TABLE.c.digest, _TABLE.c.tag).where(_TABLE.c.row_id == bindparam("row_id"))


class Heads:
    """Row ids and the digest that each one's newest entry names, as of a ledger of `size` entries."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._size = -1
        self._keys: Keys | None = None
        self._known: dict[str, bytes] = {}
        self._changed: dict[str, bytes] = {}

    def begin(self, size: int, keys: Keys | None) -> None:
        """Start a batch on a ledger of that size; what was known of another one, or before an unseal, is forgotten."""
        self._changed = {}
        if size != self._size or keys is not self._keys or len(self._known) > MOST:
            self._keys = keys
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

    def newest(self, connection: Connection, row_id: str, keys: Keys | None) -> bytes | None:
        """The digest that the row must have; None for a row that no entry ever named. Raises Tampered."""
        found = self._changed.get(row_id) or self._known.get(row_id)
        if found is None:
            found = stored_digest(connection, row_id, keys)
            if found is not None:
                self._known[row_id] = found
        return found


def stored_digest(connection: Connection, row_id: str, keys: Keys | None) -> bytes | None:
    """The digest in a row's head, or None without one. Raises Tampered for a head that the vault did not make.

    While the vault is sealed nobody can tell; what is changed then is checked at the next unseal.
    """
    head = connection.execute(_FIND, {"row_id": row_id}).first()
    if head is None:
        return None
    if keys is not None and not hmac.compare_digest(
        bytes(head.tag), tag_of(keys, row_id, head.seq, head.digest)
    ):
        raise Tampered("a row is not vouched for by the ledger; it is not used")
    return bytes(head.digest)


def may_change_sealed(entry_type: str, row_id: str) -> bool:
    """Whether an entry of that type changes rows of that table in a sealed vault."""
    table = row_id.partition(":")[0]
    return table in CHANGED_WHILE_SEALED or table in TAKEN_AWAY_WHILE_SEALED.get(entry_type, ())


def tag_of(keys: Keys, row_id: str, seq: int, digest: bytes) -> bytes:
    """What vouches for a row head."""
    return keys.row_heads.tag(row_id, seq, bytes(digest))
