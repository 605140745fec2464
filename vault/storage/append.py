"""Appending to the ledger inside the writer's transaction: entries, disclosures, row heads, tiles, the head."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from vault.errors import Tampered, VaultError
from vault.ledger.entry import Entry
from vault.ledger.tiles import WIDTH, TileReader
from vault.ledger.tree import Frontier
from vault.ledger.verify import leaf_hash
from vault.model.tables import Disclosed, LedgerEntry, LedgerHead, LedgerTile, RowHead
from vault.storage.heads import Heads, tag_of
from vault.storage.keys import Keys
from vault.storage.unit import Draft

_HEAD = LedgerHead.table()
_ENTRIES = LedgerEntry.table()
_TILES = LedgerTile.table()
_DISCLOSED = Disclosed.table()
_ROW_HEADS = RowHead.table()
TAKE_HEAD = select(_HEAD.c.size, _HEAD.c.time, _HEAD.c.frontier, _HEAD.c.keyring_generation).with_for_update()
_MOVE_HEAD = update(_HEAD).values(
    size=bindparam("new_size"),
    time=bindparam("new_time"),
    frontier=bindparam("new_frontier"),
    keyring_generation=bindparam("new_generation"),
)
_ADD_ENTRIES = insert(_ENTRIES)
_ADD_DISCLOSED = insert(_DISCLOSED)
_LEAVES = (
    select(_ENTRIES.c.leaf)
    .where(_ENTRIES.c.seq >= bindparam("first"), _ENTRIES.c.seq < bindparam("end"))
    .order_by(_ENTRIES.c.seq)
)
_TILE_AT = select(_TILES.c.hashes).where(
    _TILES.c.level == bindparam("level"), _TILES.c.index == bindparam("at")
)


@dataclass(frozen=True)
class Appended:
    """Where an entry stands and the hash of its leaf."""

    seq: int
    leaf: bytes


def disclosure_context(origin: str, seq: int, name: str) -> tuple[str | int, ...]:
    """What an encrypted disclosure belongs to."""
    return (origin, seq, name)


class Ledger:
    """The end of the ledger, held for one batch: whoever has taken the head row is the only one who appends."""

    def __init__(self, connection: Connection, origin: str, keys: Keys | None, heads: Heads) -> None:
        """Take the head row and wait for whoever holds it. Raises Tampered when it is gone."""
        row = connection.execute(TAKE_HEAD).first()
        if row is None:
            raise Tampered("the ledger has no head")
        self._connection = connection
        self._origin = origin
        self._keys = keys
        self._heads = heads
        self.last_time = int(row.time)
        self.first = int(row.size)
        heads.begin(self.first, keys)
        self._frontier = Frontier.unpack(self.first, bytes(row.frontier))
        self._generation = int(row.keyring_generation)
        self._entries: list[dict[str, Any]] = []
        self._disclosed: list[dict[str, Any]] = []
        self._full: list[tuple[int, int, bytes]] = []
        self._changed: dict[str, tuple[int, bytes]] = {}

    @property
    def size(self) -> int:
        """How many entries there will be after this batch."""
        return self.first + len(self._entries)

    @property
    def is_sealed(self) -> bool:
        """Whether nothing of this batch can be vouched for."""
        return self._keys is None

    def append(self, draft: Draft, now: int, generation: int) -> Appended:
        """Put one entry at the end. Nothing is written before `finish`.

        Raises Invalid for more than an entry can hold, and what the keyring raises; then nothing is put there.
        """
        seq = self.size
        body = Entry(
            origin=self._origin,
            seq=seq,
            time=now,
            type=draft.type,
            outcome=draft.outcome,
            actor=draft.actor.id,
            channel=draft.actor.channel,
            session=draft.actor.session,
            ids=draft.ids,
            rows=tuple((name, value.hex()) for name, value in draft.rows.items()),
            disclosed={disclosure.name: disclosure.digest() for _, disclosure in draft.disclosed},
        ).encode()
        disclosed = []
        for subject_id, disclosure in draft.disclosed:
            key = self._keys.subject(subject_id) if self._keys else None
            if key is not None:
                sealed = key.wrap(
                    disclosure.encode(), *disclosure_context(self._origin, seq, disclosure.name)
                )
                disclosed.append(
                    {"seq": seq, "name": disclosure.name, "subject_id": subject_id, "sealed": sealed}
                )
        leaf = leaf_hash(body)
        self._full += self._frontier.push(leaf)
        self._disclosed += disclosed
        self._entries.append(
            {
                "seq": seq,
                "time": now,
                "type": draft.type,
                "actor": draft.actor.id,
                "service_id": draft.ids.get("service"),
                "body": body.decode("ascii"),
                "leaf": leaf,
            }
        )
        for name, value in draft.rows.items():
            self._heads.change(name, value)
            self._changed[name] = (seq, value)
        self._generation = max(self._generation, generation)
        return Appended(seq, leaf)

    def append_refused(self, draft: Draft, now: int, generation: int) -> Appended:
        """Put a refusal at the end; where its words cannot be kept, then that it was refused."""
        try:
            return self.append(draft, now, generation)
        except VaultError:
            draft.ids.clear()
            draft.disclosed.clear()
            return self.append(draft, now, generation)

    def finish(self, now: int) -> None:
        """Write the batch's entries and move the head."""
        connection = self._connection
        if self._entries:
            connection.execute(_ADD_ENTRIES, self._entries)
        if self._disclosed:
            connection.execute(_ADD_DISCLOSED, self._disclosed)
        if self._changed:
            make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
            upsert = make(_ROW_HEADS)
            upsert = upsert.on_conflict_do_update(
                index_elements=["row_id"],
                set_={name: upsert.excluded[name] for name in ("seq", "digest", "tag")},
            )
            rows = [
                {
                    "row_id": name,
                    "seq": seq,
                    "digest": value,
                    "tag": tag_of(self._keys, name, seq, value) if self._keys else b"",
                }
                for name, (seq, value) in self._changed.items()
            ]
            connection.execute(upsert, rows)
        for level, index, root in self._full:
            if level == 0:
                leaves = {"first": index * WIDTH, "end": (index + 1) * WIDTH}
                row = connection.execute(_LEAVES, leaves).scalars()
                self._store(0, index, b"".join(bytes(leaf) for leaf in row))
            above = connection.execute(_TILE_AT, {"level": level + 1, "at": index // WIDTH}).scalar()
            self._store(level + 1, index // WIDTH, (bytes(above) if above else b"") + root)
        connection.execute(
            _MOVE_HEAD,
            {
                "new_size": self.size,
                "new_time": now,
                "new_frontier": self._frontier.pack(),
                "new_generation": self._generation,
            },
        )

    def _store(self, level: int, index: int, hashes: bytes) -> None:
        self._connection.execute(delete(_TILES).where(_TILES.c.level == level, _TILES.c.index == index))
        self._connection.execute(insert(_TILES).values(level=level, index=index, hashes=hashes))


def tile_hashes(connection: Connection, size: int, level: int, index: int) -> bytes:
    """The hashes of a tile as far as a tree of `size` entries fills it: 32 bytes each, in order."""
    if level == 0 and (index + 1) * WIDTH > size:
        leaves = connection.execute(_LEAVES, {"first": index * WIDTH, "end": size}).scalars()
        return b"".join(bytes(leaf) for leaf in leaves)
    found = connection.execute(_TILE_AT, {"level": level, "at": index}).scalar()
    return bytes(found) if found is not None else b""


def frontier_at(connection: Connection, size: int) -> Frontier:
    """The tree of the first `size` entries, from stored tiles and leaves. Raises Tampered when some are missing."""
    read = TileReader(partial(tile_hashes, connection, size))
    hashes: list[bytes] = []
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            hashes.append(read(level, start >> level))
            start += 1 << level
    return Frontier(size, tuple(hashes))
