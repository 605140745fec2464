"""Proofs that the ledger holds an entry, or that it only grew (RFC 6962, 2.1.1 and 2.1.2)."""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vault.errors import Invalid, Tampered
from vault.ledger import checkpoint, verify

NodeReader = Callable[[int, int], bytes]
"""From (level, index) to the 32-byte hash over the 2^level leaves from index·2^level on; all exist."""

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_MOST_HASHES = 64


def inclusion_proof(index: int, size: int, hashes_at: NodeReader) -> tuple[bytes, ...]:
    """Prove that entry `index` is in the tree of `size` leaves: hashes from the leaf up. Raises Invalid."""
    if not 0 <= index < size:
        raise Invalid("there is no such entry in a ledger of that size")
    return tuple(_subtree(low, high, hashes_at) for low, high in _beside(index, index + 1, size))


def consistency_proof(old: int, new: int, hashes_at: NodeReader) -> tuple[bytes, ...]:
    """Prove that the tree of `new` leaves extends the one of `old`. Raises Invalid unless 0 < old ≤ new."""
    if not 0 < old <= new:
        raise Invalid("consistency goes from a ledger that is not empty to one that is not smaller")
    if old == new:
        return ()
    # Where the old tree's last complete subtree also ends the old tree, its verifier knows it: then it is
    # left out.
    low = old - (old & -old)
    start = () if low == 0 else ((low, old),)
    ranges = (*start, *_beside(low, old, new))
    return tuple(_subtree(low, high, hashes_at) for low, high in ranges)


def _beside(low: int, high: int, size: int) -> list[tuple[int, int]]:
    """List the ranges of leaves that, from below, complete [low, high) to the whole tree."""
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while (start, end) != (low, high):
        split = start + (1 << (end - start - 1).bit_length() - 1)
        if high <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges[::-1]


def _subtree(low: int, high: int, hashes_at: NodeReader) -> bytes:
    """Hash the leaves [low, high), where low is a multiple of the next power of two."""
    parts: list[bytes] = []
    while low < high:
        level = (high - low).bit_length() - 1
        parts.append(hashes_at(level, low >> level))
        low += 1 << level
    return verify.root_of(parts)


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check an inclusion proof as anyone would. Raises Tampered if it fails."""
    try:
        verify.verify_inclusion(index, size, leaf, proof, root)
    except verify.NotVerified as refusal:
        raise Tampered(str(refusal)) from None


@dataclass(frozen=True, slots=True)
class Proof:
    """An inclusion proof that carries its signed checkpoint (C2SP tlog-proof), so that it stands alone."""

    index: int
    hashes: tuple[bytes, ...]
    signed: str

    def text(self) -> str:
        """Write it in the format of C2SP tlog-proof, for a file that ends in `.tlog-proof`."""
        lines = [_FIRST_LINE, f"index {self.index}", *(b64encode(part).decode() for part in self.hashes)]
        return "\n".join(lines) + "\n\n" + self.signed

    def check(self, entry: bytes, vkey: str) -> checkpoint.Checkpoint:
        """Give the checkpoint that covers this very entry, signed by the key of `vkey`. Raises Tampered."""
        covering = checkpoint.open_checkpoint(self.signed, vkey)
        leaf = verify.leaf_hash(entry)
        check_inclusion(self.index, covering.size, leaf, self.hashes, covering.root)
        return covering


def parse(text: str) -> Proof:
    """Read a C2SP tlog-proof; extra data, which nobody vouches for, is refused. Raises Tampered."""
    head, blank, signed = text.partition("\n\n")
    lines = head.split("\n", _MOST_HASHES + 3)
    index = re.fullmatch(r"index (0|[1-9][0-9]{0,15})", lines[1]) if len(lines) > 1 else None
    if not blank or index is None or lines[0] != _FIRST_LINE or len(lines) > _MOST_HASHES + 2:
        raise Tampered("this is not a proof of inclusion")
    try:
        hashes = tuple(b64decode(line, validate=True) for line in lines[2:])
    except (binascii.Error, ValueError):
        raise Tampered("a hash of the proof is not base64") from None
    proof = Proof(int(index[1]), hashes, signed)
    if proof.text() != text:
        raise Tampered("the proof is not in its one spelling")
    return proof
