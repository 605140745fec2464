"""AU01: what a forger with every right on the database does to the log, and where it is found."""

import json
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault.ledger.bundle import write_bundle
from vault.ledger.checkpoint import Checkpoint
from vault.ledger.note import Signer
from vault.ledger.tree import Frontier
from vault.ledger.verify import (
    MOST_CHECKPOINTS,
    NotVerified,
    canonical,
    leaf_hash,
    strict_json,
    verify_bundle,
)

pytestmark = [pytest.mark.promise("P6"), pytest.mark.attack("AU01")]

K = 7  # the entry that the forger is after; checkpoints were signed at 5, 10, 15 and 20


def line_of(body: bytes) -> bytes:
    return b64encode(leaf_hash(body)) + b" " + body + b"\n"


def body_of(line: bytes) -> bytes:
    return line[45:-1]


def changed(line: bytes, **fields) -> bytes:
    """The entry of a line, spelt well, with other facts in it."""
    return canonical({**json.loads(body_of(line)), **fields})


def header_with(lines: list[bytes], **fields) -> list[bytes]:
    return [canonical({**json.loads(lines[0]), **fields}) + b"\n", *lines[1:]]


def found(ledger, lines, since=""):
    with pytest.raises(NotVerified) as caught:
        ledger.verify(lines, since)
    return caught.value


def test_an_untouched_ledger_verifies_and_says_on_what_it_rests(ledger):
    verdict = ledger.verify(ledger.lines(), ledger.checkpoints[10])
    assert (verdict.size, verdict.disclosures) == (20, 20)
    assert verdict.root == ledger.frontier.root()
    assert verdict.trust == "the key and the checkpoint you hold"
    assert (
        verify_bundle(ledger.save(ledger.lines()), since=ledger.checkpoints[10]).trust
        == "the checkpoint you hold"
    )


def test_without_a_key_or_a_held_checkpoint_it_is_called_self_consistent_only(ledger):
    verdict = verify_bundle(ledger.save(ledger.lines()))
    assert verdict.trust == ""
    assert verdict.sentence().startswith("self-consistent only")


FIELDS = {
    "actor": "per_zzzzzzzzzzzzzzzzzzzz",
    "channel": "cli",
    "disclosed": {"reason": "00" * 32},
    "ids": {"service": "svc_zzzzzzzzzzzzzzzzzzzz"},
    "origin": "other.example/log",
    "outcome": "Denied",
    "rows": [["lease/lse_0123456789abcdefghjk", "00" * 32]],
    "seq": 8,
    "session": "ses_zzzzzzzzzzzzzzzzzzzz",
    "time": 1_790_000_000_007_001,
    "type": "lease.checkin",
    "v": 2,
}


def test_the_list_of_edited_fields_is_every_field_there_is(ledger):
    assert set(FIELDS) == set(json.loads(ledger.entries[0][1]))


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_an_edited_field_is_found_at_its_entry(ledger, field):
    lines = ledger.lines()
    body = changed(lines[K + 1], **{field: FIELDS[field]})
    assert body != body_of(lines[K + 1])
    lines[K + 1] = lines[K + 1][:45] + body + b"\n"
    assert found(ledger, lines).first == K


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"origin", "seq", "v"}))
def test_an_edited_field_with_a_recomputed_leaf_hash_is_found_between_two_checkpoints(ledger, field):
    lines = ledger.lines()
    lines[K + 1] = line_of(changed(lines[K + 1], **{field: FIELDS[field]}))
    error = found(ledger, lines)
    assert (error.first, error.last, error.vouched) == (5, 9, 5)
    assert "between 5 and 9" in str(error)


@pytest.mark.parametrize(("field", "first"), [("origin", K), ("seq", K), ("v", K)])
def test_another_origin_number_or_version_is_found_at_once_although_recomputed(ledger, field, first):
    lines = ledger.lines()
    lines[K + 1] = line_of(changed(lines[K + 1], **{field: FIELDS[field]}))
    assert found(ledger, lines).first == first


def delete_one(lines):
    del lines[K + 1]


def delete_the_last_three(lines):
    del lines[18:21]


def delete_all(lines):
    del lines[1:21]


def delete_everything_but_the_header(lines):
    del lines[1:]


def insert_a_forged_one(lines):
    lines.insert(K + 1, line_of(changed(lines[K + 1], actor="per_zzzzzzzzzzzzzzzzzzzz")))


def append_a_forged_one(lines):
    lines.insert(21, line_of(changed(lines[20], seq=20)))


def reorder_two(lines):
    lines[K + 1], lines[K + 2] = lines[K + 2], lines[K + 1]


def duplicate_one(lines):
    lines.insert(K + 2, lines[K + 1])


def repeat_an_old_one(lines):
    lines.insert(K + 1, lines[1])


def swap_two_hashes(lines):
    one, two = lines[K + 1], lines[K + 4]
    lines[K + 1], lines[K + 4] = two[:45] + one[45:], one[:45] + two[45:]


def turn_back_time(lines):
    lines[K + 1] = line_of(changed(lines[K + 1], time=1_790_000_000_000_000))


def change_the_first(lines):
    lines[1] = lines[1][:45] + changed(lines[1], actor="host") + b"\n"


def cut_the_file_inside_an_entry(lines):
    lines[K + 1] = lines[K + 1][:-9]
    del lines[K + 2 :]


@pytest.mark.parametrize(
    ("deed", "first"),
    [
        (delete_one, K),
        (delete_the_last_three, 17),
        (delete_all, 0),
        (delete_everything_but_the_header, 0),
        (insert_a_forged_one, K),
        (append_a_forged_one, 20),
        (reorder_two, K),
        (duplicate_one, K + 1),
        (repeat_an_old_one, K),
        (swap_two_hashes, K),
        (turn_back_time, K),
        (change_the_first, 0),
        (cut_the_file_inside_an_entry, K),
    ],
)
def test_each_deed_of_the_list_is_found_and_the_first_bad_entry_named(ledger, deed, first):
    lines = ledger.lines()
    deed(lines)
    error = found(ledger, lines)
    assert (error.first, error.last) == (first, first)
    assert str(first) in str(error)


def rewritten(lines: list[bytes], start: int) -> list[bytes]:
    """The same ledger from `start` on with another actor and every leaf hash recomputed."""
    forged = [line_of(changed(line, actor="per_zzzzzzzzzzzzzzzzzzzz")) for line in lines[start + 1 : 21]]
    return [*lines[: start + 1], *forged, *lines[21:]]


@pytest.mark.parametrize(
    ("start", "span"), [(0, (0, 4)), (4, (0, 4)), (5, (5, 9)), (K, (5, 9)), (19, (15, 19))]
)
def test_a_log_rewritten_from_k_on_is_found_between_the_checkpoints_around_k(ledger, start, span):
    error = found(ledger, rewritten(ledger.lines(), start))
    assert (error.first, error.last) == span


def test_an_inserted_entry_with_all_later_ones_renumbered_is_found_between_checkpoints(ledger):
    lines = ledger.lines()
    bodies = [body_of(line) for line in lines[1:21]]
    bodies.insert(K, bodies[K])
    forged = [line_of(canonical({**json.loads(body), "seq": at})) for at, body in enumerate(bodies)]
    error = found(ledger, [lines[0], *forged, *lines[21:]])
    assert (error.first, error.last) == (5, 9)


def resigned(ledger, lines: list[bytes], signer: Signer) -> list[bytes]:
    frontier, notes = Frontier(), []
    for line in lines[1:21]:
        frontier.push(leaf_hash(body_of(line)))
        if frontier.size % 5 == 0:
            notes.append(signer.sign(Checkpoint(signer.name, frontier.size, frontier.root()).text()))
    return header_with(lines, checkpoints=notes, key=signer.vkey)


def test_a_log_rewritten_and_signed_with_another_key_convinces_only_who_brings_no_key(ledger):
    forged = resigned(ledger, rewritten(ledger.lines(), K), Signer(ledger.signer.name, bytes(32)))
    forged = forged[:21]  # the forger leaves the disclosures of other entries out
    assert verify_bundle(ledger.save(forged)).trust == ""
    assert "another key" in str(found(ledger, forged))
    with pytest.raises(NotVerified, match="the checkpoint you hold: the note is not signed by this key"):
        verify_bundle(ledger.save(forged), since=ledger.checkpoints[5])


def test_another_keys_signatures_under_the_true_key_are_refused(ledger):
    other = resigned(ledger, ledger.lines(), Signer(ledger.signer.name, bytes(32)))
    assert "not signed" in str(found(ledger, header_with(other, key=ledger.signer.vkey)))


def older_copy(ledger, size: int) -> list[bytes]:
    notes = [note for at, note in sorted(ledger.checkpoints.items()) if at <= size]
    lines = ledger.lines()
    return header_with([lines[0], *lines[1 : size + 1], *lines[21 : 21 + size]], checkpoints=notes)


def test_an_older_copy_in_place_of_the_log_is_found_by_a_held_checkpoint_and_by_nothing_else(ledger):
    copy = older_copy(ledger, 10)
    assert ledger.verify(copy).size == 10
    error = found(ledger, copy, ledger.checkpoints[15])
    assert error.first == 10
    assert "older than the checkpoint you hold" in str(error)
    assert ledger.verify(copy, ledger.checkpoints[10]).size == 10


def test_a_fork_that_the_true_key_signed_is_found_by_the_checkpoint_of_the_other_branch(ledger, another):
    another.entries, another.disclosures = ledger.entries[:12], ledger.disclosures[:12]
    for leaf, _ in another.entries:
        another.frontier.push(leaf)
    another.checkpoints = {5: ledger.checkpoints[5], 10: ledger.checkpoints[10]}
    for _ in range(18):
        another.append(actor="per_zzzzzzzzzzzzzzzzzzzz")
    assert another.verify(another.lines(), ledger.checkpoints[10]).size == 30
    error = found(another, another.lines(), ledger.checkpoints[15])
    assert (error.first, error.last) == (10, 14)
    assert "the checkpoint you hold at 15" in str(error)


@pytest.mark.parametrize(("old", "new"), [("\n15\n", "\n14\n"), ("vault.example", "vault.exbmple")])
def test_an_edited_held_checkpoint_is_refused(ledger, old, new):
    held = ledger.checkpoints[15].replace(old, new, 1)
    assert held != ledger.checkpoints[15]
    assert "the checkpoint you hold" in str(found(ledger, ledger.lines(), held))


def test_a_changed_origin_is_refused_wherever_it_stands(ledger):
    assert "another log" in str(found(ledger, header_with(ledger.lines(), origin="other.example/log")))
    stranger = Signer(ledger.signer.name, bytes(range(32))).sign(
        Checkpoint("other.example/log", 20, ledger.frontier.root()).text()
    )
    assert "another log" in str(found(ledger, header_with(ledger.lines(), checkpoints=[stranger])))
    assert "another log" in str(found(ledger, ledger.lines(), stranger))


def test_checkpoints_that_do_not_ascend_or_are_missing_are_refused(ledger):
    notes = [ledger.checkpoints[at] for at in (10, 5, 20)]
    assert "do not ascend" in str(found(ledger, header_with(ledger.lines(), checkpoints=notes)))
    assert "checkpoints" in str(found(ledger, header_with(ledger.lines(), checkpoints=[])))


def disclosed(line: bytes, at: int, value) -> bytes:
    parts = json.loads(line[1:])
    parts[at] = value
    return b"+" + canonical(parts) + b"\n"


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, K + 1), (1, "0" * 32), (2, "source"), (3, "another reason")],
    ids=["seq", "salt", "name", "value"],
)
def test_an_edited_disclosure_is_found_at_its_entry(ledger, at, value):
    lines = ledger.lines()
    lines[21 + K] = disclosed(lines[21 + K], at, value)
    assert found(ledger, lines).first == (value if at == 0 else K)


def test_disclosures_out_of_order_of_no_entry_or_spelt_otherwise_are_refused(ledger):
    lines = ledger.lines()
    assert "order" in str(found(ledger, [*lines[:21], lines[23], lines[22]]))
    assert "order" in str(found(ledger, [*lines[:21], disclosed(lines[21], 0, 20)]))
    assert "order" in str(found(ledger, [*lines[:21], disclosed(lines[21], 0, -1)]))
    assert "well formed" in str(found(ledger, [*lines[:21], disclosed(lines[21], 0, True)]))
    assert "does not match" in str(found(ledger, [*lines[:21], lines[21].replace(b',"', b', "', 1)]))
    assert "no disclosure" in str(found(ledger, [*lines, b"one more line\n"]))


def test_one_more_space_in_header_or_disclosure_is_another_spelling_and_refused(ledger):
    lines = ledger.lines()
    assert "canonical" in str(found(ledger, [lines[0].replace(b",", b", ", 1), *lines[1:]]))
    assert found(ledger, [*lines[:21], lines[21].replace(b"+[", b"+[ ", 1)]).first == 0


def test_a_last_line_that_ends_in_anything_but_a_newline_is_cut_off(ledger):
    lines = ledger.lines()[:21]
    lines[20] = lines[20][:-1] + b"x"
    error = found(ledger, lines)
    assert error.first == 19
    assert "cut off" in str(error)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"ticket":"tkt_', b'"service":"tkt_'),
        (b'"ticket":"tkt_', b'"aaa":"tkt_'),
        (b'"disclosed":{', b'"disclosed":{"reason":"' + b"0" * 64 + b'",'),
        (b'"disclosed":{', b'"disclosed":{"zzz":"' + b"0" * 64 + b'",'),
    ],
)
def test_an_entry_with_names_twice_or_out_of_order_is_refused_even_when_signed(ledger, old, new):
    lines = ledger.lines()
    assert body_of(lines[K + 1]).count(old) == 1
    lines[K + 1] = line_of(body_of(lines[K + 1]).replace(old, new))
    error = found(ledger, resigned(ledger, lines, ledger.signer))
    assert error.first == K
    assert "not a canonical entry" in str(error)


@pytest.mark.promise("P10")
def test_erased_disclosures_leave_a_ledger_that_verifies(ledger):
    lines = ledger.lines()
    assert ledger.verify([*lines[:25], *lines[30:]]).disclosures == 15
    assert ledger.verify(lines[:21]).disclosures == 0


def test_of_too_many_checkpoints_evenly_spaced_ones_and_the_last_are_kept(ledger):
    notes = [f"note {at}" for at in range(10 * MOST_CHECKPOINTS)]
    header = strict_json(next(write_bundle([], [], notes, "", "")), "a header")
    kept = [int(note.split()[1]) for note in header["checkpoints"]]
    assert len(kept) == MOST_CHECKPOINTS
    assert (kept[0], kept[-1]) == (0, len(notes) - 1)
    assert max(two - one for one, two in pairwise(kept)) <= 11


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_changed_missing_or_added_byte_anywhere_verifies(ledger, data):
    if not hasattr(ledger, "whole"):
        ledger.checkpoints = {20: ledger.checkpoints[20]}  # one signature to check keeps it quick
        ledger.whole = b"".join(ledger.lines())
        assert ledger.verify([ledger.whole]).size == 20
    whole = ledger.whole
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = bytes([data.draw(st.integers(0, 255).filter(lambda value: value != whole[at]))])
    before, after = whole[:at], whole[at + 1 :]
    doctored = data.draw(st.sampled_from([before + byte + after, before + after, before + byte + whole[at:]]))
    found(ledger, [doctored])
