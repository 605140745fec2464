"""The signer: it reads entries back, recomputes the tree, and signs only what extends the last checkpoint."""

import threading
from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy import Connection, Engine, bindparam, select, update

from vault.errors import Tampered
from vault.ledger.checkpoint import Checkpoint
from vault.ledger.entry import Entry, decode
from vault.ledger.tree import Frontier
from vault.ledger.verify import leaf_hash
from vault.model.tables import GUARDED, LedgerEntry, LedgerHead, RowHead
from vault.storage.database import readable
from vault.storage.heads import tag_of
from vault.storage.keyring import KeptCheckpoint, Keyring
from vault.storage.keys import Keys
from vault.storage.rows import digest
from vault.storage.sealed import believed

_ENTRIES = LedgerEntry.table()
_HEAD = LedgerHead.table()
_BODIES = (
    select(_ENTRIES.c.seq, _ENTRIES.c.body, _ENTRIES.c.leaf)
    .where(_ENTRIES.c.seq >= bindparam("first"), _ENTRIES.c.seq < bindparam("end"))
    .order_by(_ENTRIES.c.seq)
)
_WHOLE = select(
    *(_ENTRIES.c[name] for name in ("seq", "body", "leaf", "type", "actor", "time", "service_id"))
).order_by(_ENTRIES.c.seq)
CHUNK = 4096


class Signer:
    """Keeps the signed end of the ledger; one at a time signs, because a fork is two signatures over one size."""

    def __init__(self, reader: Engine, engine: Engine, keyring: Keyring, origin: str) -> None:
        """Sign what `reader` sees and keep each checkpoint in `keyring`; `engine` is for vouching at unseal."""
        self._reader = reader
        self._engine = engine
        self._keyring = keyring
        self._origin = origin
        self._lock = threading.Lock()

    def signed_size(self) -> int:
        """How many entries the newest checkpoint covers."""
        kept = self._keyring.checkpoint()
        return kept.size if kept else 0

    def is_behind(self) -> bool:
        """Whether entries were recorded that no checkpoint covers yet."""
        with readable(), self._reader.connect() as connection:
            return int(connection.execute(select(_HEAD.c.size)).scalar_one()) > self.signed_size()

    def sign(self, keys: Keys, *, check_rows: bool = False) -> KeptCheckpoint:
        """The checkpoint of the whole ledger as it is now, kept in the keyring before it is returned.

        With `check_rows` every row named by the new entries must be what its newest entry says, and is vouched for then
        (at unseal, for the tail that was written without keys). Raises Tampered and signs nothing when the ledger
        does not extend the last checkpoint or an entry is not what its leaf says.
        """
        with self._lock, readable(), self._reader.connect() as connection:
            kept = self._keyring.checkpoint()
            head = connection.execute(select(_HEAD.c.size, _HEAD.c.frontier)).one()
            size, start = int(head.size), kept.size if kept else 0
            if size < start:
                raise Tampered("the ledger is shorter than its last checkpoint")
            frontier = Frontier.unpack(start, kept.frontier if kept else b"")
            checked = self._replay(connection, frontier, size, check_rows=check_rows)
            if frontier.pack() != bytes(head.frontier):
                raise Tampered("the entries of the ledger are not those that its head was made of")
            if kept is not None and size == start:
                return kept
            self._vouch(keys, checked)
            note = keys.signer.sign(Checkpoint(self._origin, size, frontier.root()).text())
            new = KeptCheckpoint(size, note, frontier.pack())
            self._keyring.keep_checkpoint(new)
            return new

    def _vouch(self, keys: Keys, checked: dict[str, tuple[int, bytes]]) -> None:
        """Tag the heads of rows that were changed without keys and are found right; no other head is touched."""
        if checked:
            with self._engine.begin() as connection:
                _tag(connection, keys, checked)

    def vouch_since(self, connection: Connection, keys: Keys, first: int) -> None:
        """Tag what was changed without keys from entry `first` on, while the unseal was on its way.

        Over the writer's own connection, so that nothing moves meanwhile. A row that does not match its entry stays
        without a tag, and is refused when it is used.
        """
        end = int(connection.execute(select(_HEAD.c.size)).scalar_one())
        for seq, body, _leaf in connection.execute(_BODIES, {"first": first, "end": end}).all():
            with suppress(Tampered):
                entry = decode(body.encode())
                found = believed(connection, entry, check_rows_of(connection, entry), first)
                _tag(connection, keys, {row_id: (int(seq), value) for row_id, value in found.items()})

    def _replay(
        self, connection: Connection, frontier: Frontier, size: int, *, check_rows: bool
    ) -> dict[str, tuple[int, bytes]]:
        """Push every entry up to `size`; gives the rows that were checked, with their newest entry and digest."""
        checked: dict[str, tuple[int, bytes]] = {}
        signed = frontier.size
        for first in range(signed, size, CHUNK):
            end = min(first + CHUNK, size)
            rows = connection.execute(_BODIES, {"first": first, "end": end}).all()
            for expected, (seq, body, leaf) in enumerate(rows, start=first):
                raw = body.encode()
                if seq != expected or leaf_hash(raw) != bytes(leaf):
                    raise Tampered(f"entry {expected} of the ledger is not what was recorded")
                frontier.push(bytes(leaf))
                if check_rows:
                    entry = decode(raw)
                    if entry.seq != expected or entry.origin != self._origin:
                        raise Tampered(f"entry {expected} of the ledger is not what was recorded")
                    found = believed(connection, entry, check_rows_of(connection, entry), signed)
                    checked |= {row_id: (seq, value) for row_id, value in found.items()}
            if len(rows) != end - first:
                raise Tampered(f"entries of the ledger are missing between {first} and {end}")
        return checked


def walk(connection: Connection, kept: KeptCheckpoint | None) -> Iterator[Entry]:
    """Every entry from the first on, each held against its leaf and all against the last checkpoint.

    So are the columns by which entries are found, which no leaf covers: an entry that is not found is as good as none.
    Raises Tampered at the first that is not what was recorded, or after those that the checkpoint does not cover.
    """
    frontier = Frontier()
    for seq, body, leaf, *found_by in connection.execute(_WHOLE):
        raw = body.encode()
        if seq != frontier.size or leaf_hash(raw) != bytes(leaf):
            raise Tampered(f"entry {frontier.size} of the ledger is not what was recorded")
        frontier.push(bytes(leaf))
        if kept is not None and frontier.size == kept.size and frontier.pack() != kept.frontier:
            raise Tampered("the ledger is not the one that its last checkpoint covers")
        entry = decode(raw)
        if found_by != [entry.type, entry.actor, entry.time, entry.ids.get("service")]:
            raise Tampered(f"entry {seq} of the ledger is not found by what it says")
        yield entry


def _tag(connection: Connection, keys: Keys, checked: dict[str, tuple[int, bytes]]) -> None:
    heads = RowHead.table()
    for row_id, (seq, value) in checked.items():
        untagged = (heads.c.row_id == row_id) & (heads.c.seq == seq) & (heads.c.tag == b"")
        connection.execute(update(heads).where(untagged).values(tag=tag_of(keys, row_id, seq, value)))


def check_rows_of(connection: Connection, entry: Entry) -> dict[str, bytes]:
    """Hold the rows whose newest entry this is against it; gives their digests. Raises Tampered for a difference."""
    heads = RowHead.table()
    found: dict[str, bytes] = {}
    for row_id, expected in entry.rows:
        head = connection.execute(select(heads.c.seq, heads.c.digest).where(heads.c.row_id == row_id)).first()
        if head is None or head.seq < entry.seq:
            raise Tampered(f"the index of rows forgot entry {entry.seq}")
        if head.seq != entry.seq:
            continue
        table_name, _, key = row_id.partition(":")
        table = GUARDED[table_name].table()
        cast_key = int(key) if table.c.id.type.python_type is int else key
        row = connection.execute(select(table).where(table.c.id == cast_key)).first()
        if (
            row is None
            or digest(table_name, tuple(row)).hex() != expected
            or bytes(head.digest).hex() != expected
        ):
            raise Tampered(f"a row does not match entry {entry.seq} of the ledger")
        found[row_id] = bytes(head.digest)
    return found
