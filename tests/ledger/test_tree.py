import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.errors import Invalid, Tampered
from vault.ledger import proof
from vault.ledger.tiles import WIDTH, TileReader
from vault.ledger.tree import Frontier
from vault.ledger.verify import (
    EMPTY_ROOT,
    NotVerified,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

pytestmark = pytest.mark.promise("P6")

MOST = 70
LEAVES = [leaf_hash(b"%d" % number) for number in range(1100)]


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def naive_node(level: int, index: int) -> bytes:
    return naive_root(LEAVES[index << level : (index + 1) << level])


def grown(size: int) -> Frontier:
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.push(leaf)
    return frontier


ROOTS = [naive_root(LEAVES[:size]) for size in range(MOST + 1)]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert Frontier().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@settings(max_examples=80, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=300))
def test_the_frontier_has_the_root_of_rfc_6962(entries):
    leaves = [leaf_hash(entry) for entry in entries]
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    assert frontier.root() == naive_root(leaves)
    assert Frontier.unpack(frontier.size, frontier.pack()).root() == frontier.root()


def test_a_copy_does_not_grow_with_the_frontier_it_was_taken_from():
    frontier = grown(7)
    copy = frontier.copy()
    frontier.push(LEAVES[7])
    assert (copy.size, copy.root()) == (7, ROOTS[7])
    assert frontier.root() == ROOTS[8]


@pytest.mark.parametrize(
    ("size", "packed"), [(1, b""), (0, bytes(32)), (3, bytes(63)), (2, bytes(64)), (-1, b"")]
)
def test_a_stored_frontier_that_does_not_fit_its_size_is_refused(size, packed):
    with pytest.raises(Tampered):
        Frontier.unpack(size, packed)


def test_inclusion_is_proved_for_every_entry_of_every_size_and_for_no_other_leaf_place_or_root():
    for size in range(1, MOST + 1):
        for index in range(size):
            path = proof.inclusion_proof(index, size, naive_node)
            verify_inclusion(index, size, LEAVES[index], path, ROOTS[size])
            for wrong in (
                (index, size, LEAVES[index - 1 if size > 1 else 5], path, ROOTS[size]),
                (index ^ 1, size, LEAVES[index], path, ROOTS[size]),
                (index, size, LEAVES[index], path, ROOTS[size - 1]),
                (index, size, LEAVES[index], (*path, LEAVES[0]), ROOTS[size]),
                (index, size, LEAVES[index], path[:-1], ROOTS[size] if path else ROOTS[0]),
            ):
                with pytest.raises(NotVerified):
                    verify_inclusion(*wrong)


def test_consistency_is_proved_between_all_sizes_and_with_no_other_past():
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            path = proof.consistency_proof(old, new, naive_node)
            verify_consistency(old, new, ROOTS[old], ROOTS[new], path)
            for wrong in (
                (old, new, ROOTS[old - 1], ROOTS[new], path),
                (old, new, ROOTS[old], ROOTS[new - 1], path),
                (old, new, ROOTS[old], ROOTS[new], (*path, LEAVES[0])),
                (old, new, LEAVES[3], LEAVES[3] if old == 0 else ROOTS[new], path),
            ):
                with pytest.raises(NotVerified):
                    verify_consistency(*wrong)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_bent_proof_verifies(data):
    size = data.draw(st.integers(2, MOST))
    index = data.draw(st.integers(0, size - 1))
    path = list(proof.inclusion_proof(index, size, naive_node))
    at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
    path[at] = (int.from_bytes(path[at]) ^ 1 << bit).to_bytes(32)
    with pytest.raises(NotVerified):
        verify_inclusion(index, size, LEAVES[index], path, ROOTS[size])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3), (4, 3)])
def test_there_is_no_proof_for_an_entry_that_is_not_there(index, size):
    with pytest.raises(Invalid):
        proof.inclusion_proof(index, size, naive_node)
    with pytest.raises(NotVerified):
        verify_inclusion(index, size, LEAVES[0], (), ROOTS[1])


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 3), (4, 3), (-1, 3)])
def test_consistency_with_nothing_or_backwards_is_refused(old, new):
    with pytest.raises(Invalid):
        proof.consistency_proof(old, new, naive_node)
    with pytest.raises(NotVerified):
        verify_consistency(old, new, ROOTS[0], ROOTS[3], ())


def stored_tiles(size: int) -> dict[tuple[int, int], bytes]:
    """What storage keeps: the leaf hashes, and the hash of each tile when it is full."""
    frontier, rows = Frontier(), {0: list(LEAVES[:size])}
    for leaf in LEAVES[:size]:
        for level, index, node in frontier.push(leaf):
            row = rows.setdefault(level + 1, [])
            assert len(row) == index
            row.append(node)
    assert frontier.root() == naive_root(LEAVES[:size])
    return {
        (level, at // WIDTH): b"".join(row[at : at + WIDTH])
        for level, row in rows.items()
        for at in range(0, len(row), WIDTH)
    }


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 700, 1024, 1100])
def test_proofs_from_tiles_verify(size):
    tiles = stored_tiles(size)
    assert all(len(tile) <= WIDTH * 32 for tile in tiles.values())
    reader = TileReader(lambda level, index: tiles[level, index])
    root = naive_root(LEAVES[:size])
    for index in {0, 1, size // 3, size // 2, size - 1} & set(range(size)):
        verify_inclusion(index, size, LEAVES[index], proof.inclusion_proof(index, size, reader), root)
        old = index + 1
        path = proof.consistency_proof(old, size, reader)
        verify_consistency(old, size, naive_root(LEAVES[:old]), root, path)


def test_the_second_level_of_tiles_is_filled_after_65536_leaves():
    frontier, full = Frontier(), []
    for number in range(WIDTH * WIDTH):
        full += [(level, index) for level, index, _ in frontier.push(LEAVES[number % 7])]
    assert full == [*((0, index) for index in range(WIDTH)), (1, 0)]


@pytest.mark.parametrize("tile", [b"", bytes(32), bytes(33), bytes(100)])
def test_a_tile_that_lacks_hashes_is_tampered_with(tile):
    with pytest.raises(Tampered):
        TileReader(lambda *_: tile)(1, 0)
