"""Tiles of 256 hashes (C2SP tlog-tiles): the tree in pieces that never change once they are full.

Tile `index` of level 0 holds the leaf hashes from 256·index on; of level n+1, the hashes of 256 tiles of
level n. What lies between is computed when a proof asks for it.
"""

from collections.abc import Callable

from vault.errors import Tampered
from vault.ledger.verify import node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
_HASH = 32

Fetch = Callable[[int, int], bytes]
"""From tile level and tile index to its hashes, 32 bytes each; the newest tile of a level may be partial."""


def tile_of(level: int, index: int) -> tuple[int, int, int, int]:
    """Say where a node is: tile level, tile index, and the first and the number of the hashes under it."""
    height = level % HEIGHT
    first = index << height
    return level // HEIGHT, first // WIDTH, first % WIDTH, 1 << height


class TileReader:
    """Hashes of complete subtrees, from tiles fetched once each. It lives as long as one read of storage."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Give the 32-byte hash over the 2^level leaves from index·2^level on. Raises Tampered."""
        tile_level, tile_index, first, count = tile_of(level, index)
        tile = self._tiles.get((tile_level, tile_index))
        if tile is None:
            tile = self._tiles[tile_level, tile_index] = self._fetch(tile_level, tile_index)
        row = [tile[at * _HASH : (at + 1) * _HASH] for at in range(first, first + count)]
        if len(tile) % _HASH or len(row[-1]) != _HASH:
            raise Tampered("a tile of the ledger lacks hashes")
        while len(row) > 1:
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]
