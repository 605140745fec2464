import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.errors import Invalid, Tampered
from vault.ledger.entry import Entry, decode
from vault.ledger.verify import BEYOND_INTEGERS, canonical

pytestmark = pytest.mark.promise("P6")

TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'), max_size=30)
NAME = st.from_regex(r"[a-z][a-z0-9_.-]{0,12}", fullmatch=True)
DIGEST = st.binary(min_size=32, max_size=32).map(bytes.hex)
NUMBER = st.integers(0, BEYOND_INTEGERS - 1)
ENTRIES = st.builds(
    Entry,
    origin=TEXT,
    seq=NUMBER,
    time=NUMBER,
    type=TEXT,
    outcome=TEXT,
    actor=TEXT,
    channel=TEXT,
    session=TEXT,
    ids=st.dictionaries(NAME, TEXT, max_size=5),
    rows=st.lists(st.tuples(TEXT, DIGEST | st.just("")), max_size=4).map(tuple),
    disclosed=st.dictionaries(NAME, DIGEST, max_size=4),
)
PLAIN = Entry("vault.example/log", 3, 1_790_000_000_000_000, "lease.open", "done", "per_x", "page")


@settings(max_examples=200, deadline=None)
@given(ENTRIES)
def test_an_entry_is_spelt_as_canonical_json_and_reads_back_the_same(entry):
    body = entry.encode()
    assert body == canonical(json.loads(body))
    assert decode(body) == entry
    assert decode(body).encode() == body
    assert json.loads(body)["v"] == 1


@settings(max_examples=300, deadline=None)
@given(ENTRIES, st.data())
def test_whatever_reads_as_an_entry_is_spelt_exactly_so(entry, data):
    body = bytearray(entry.encode())
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = decode(bytes(body))
    except Tampered:
        return
    assert read.encode() == bytes(body)


STRINGS = ["origin", "type", "outcome", "actor", "channel", "session"]


@pytest.mark.parametrize("field", STRINGS)
@pytest.mark.parametrize(
    "value", ['"', "\\", "\n", "\x00", "\x7f", "é", "\ud800", 'x","channel":"y', "x\\u0041"]
)
def test_a_string_that_has_more_than_one_spelling_is_never_written(field, value):
    with pytest.raises(Invalid) as caught:
        replace(PLAIN, **{field: value}).encode()
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"ids": {"service": 'x","ticket":"y'}},
        {"ids": {'a":"b","c': "d"}},
        {"ids": {"": "x"}},
        {"ids": {"Service": "x"}},
        {"ids": {"a" * 65: "x"}},
        {"disclosed": {"reason": "ab"}},
        {"disclosed": {"reason": "AB" * 32}},
        {"rows": (('x",""],["y', ""),)},
        {"rows": (("row", "zz" * 32),)},
        {"seq": -1},
        {"seq": BEYOND_INTEGERS},
        {"time": BEYOND_INTEGERS},
        {"time": 1.5},
        {"seq": True},
        {"actor": "x" * (1 << 20)},
    ],
)
def test_what_the_grammar_does_not_hold_is_never_written(changes):
    with pytest.raises(Invalid):
        replace(PLAIN, **changes).encode()


def test_names_are_written_in_ascending_order_however_they_came():
    entry = replace(PLAIN, ids={"ticket": "t", "lease": "l", "service": "s"})
    assert list(json.loads(entry.encode())["ids"]) == ["lease", "service", "ticket"]


GOOD = replace(PLAIN, ids={"a": "1", "b": "2"}, disclosed={"a": "00" * 32, "b": "00" * 32}).encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"a":"1","b":"2"', b'"b":"2","a":"1"'),
        (b'"a":"1","b":"2"', b'"a":"1","a":"2"'),
        (b'"a":"00', b'"c":"00'),
        (b'"seq":3', b'"seq":03'),
        (b'"seq":3', b'"seq":3.0'),
        (b'"seq":3', b'"seq":9007199254740992'),
        (b'"seq":3', b'"seq":-3'),
        (b'"seq":3', b'"seq": 3'),
        (b'"seq":3', b'"seq":"3"'),
        (b'"seq":3', b'"seq":3,"seq":3'),
        (b"1790000000000000", b"9999999999999999"),
        (b'"v":1', b'"v":2'),
        (b"per_x", b"per_\\u0078"),
        (b"per_x", b"per_\xc3\xa9"),
        (b"per_x", b"per_\xff"),
        (b'"v":1}', b'"v":1}\n'),
        (b'"v":1}', b'"v":1'),
        (b'{"actor"', b' {"actor"'),
        (b'"rows":[]', b'"rows":[[]]'),
        (b'"rows":[]', b'"rows":[["a",""],]'),
        (b'"rows":[]', b'"rows":{}'),
        (b'"ids":{', b'"ids":{"0":"",'),
    ],
)
def test_a_stored_entry_that_is_spelt_otherwise_is_tampered_with(old, new):
    assert GOOD.count(old) == 1
    assert decode(GOOD).seq == 3
    with pytest.raises(Tampered):
        decode(GOOD.replace(old, new))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_entry_or_tampered_with(body):
    with pytest.raises(Tampered):
        decode(body)
