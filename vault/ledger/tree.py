"""The growing edge of the RFC 6962 Merkle tree: all that an append needs to know of what came before."""

from hashlib import sha256
from typing import Self

from vault.errors import Tampered
from vault.ledger.tiles import HEIGHT, WIDTH
from vault.ledger.verify import root_of

_HASH = 32


class Frontier:
    """The roots of the complete subtrees that make up a tree of `size` leaves, largest first.

    It is changed in place: the writer pushes thousands a second. `copy` before what may be rolled back.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: tuple[bytes, ...] = ()) -> None:
        """Take one 32-byte hash for each bit that is set in `size`. Raises Tampered if they do not fit."""
        if size < 0 or len(hashes) != size.bit_count() or any(len(part) != _HASH for part in hashes):
            raise Tampered("the ledger's frontier does not fit its size")
        self.size = size
        self._hashes = list(hashes)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The 32-byte hashes, largest subtree first."""
        return tuple(self._hashes)

    def push(self, leaf: bytes) -> tuple[tuple[int, int, bytes], ...]:
        """Append a leaf by its 32-byte hash.

        Returns the tiles that are now full, as (tile level, index, hash of the tile): each hash is the entry
        at `index` of the tile level above its own. Nearly always there is none; storage keeps those there
        are.
        """
        size, hashes, node = self.size, self._hashes, leaf
        self.size = size + 1
        if self.size % WIDTH:
            while size & 1:
                node = sha256(b"\x01" + hashes.pop() + node).digest()
                size >>= 1
            hashes.append(node)
            return ()
        full, height = [], 0
        while size & 1:
            node = sha256(b"\x01" + hashes.pop() + node).digest()
            size >>= 1
            height += 1
            if height % HEIGHT == 0:
                full.append((height // HEIGHT - 1, size, node))
        hashes.append(node)
        return tuple(full)

    def root(self) -> bytes:
        """Give the 32-byte root; of an empty tree, the hash of nothing."""
        return root_of(self._hashes)

    def copy(self) -> "Frontier":
        """Give an independent one of the same size."""
        return Frontier(self.size, self.hashes)

    def pack(self) -> bytes:
        """Put the hashes in a row, 32 bytes each; the size is kept beside them."""
        return b"".join(self._hashes)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Self:
        """Read back what `pack` gave. Raises Tampered if it does not fit the size."""
        return cls(size, tuple(packed[at : at + _HASH] for at in range(0, len(packed), _HASH)))
