import json
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.errors import Invalid, Tampered
from vault.ledger.disclosure import Disclosure, decode

pytestmark = pytest.mark.promise("P10")

VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_any_text_is_disclosed_and_reads_back_the_same(value):
    made = Disclosure.of("reason", value)
    assert decode(made.encode()) == made
    assert json.loads(made.encode()) == [made.salt, "reason", value]
    assert made.digest() == sha256(made.encode()).hexdigest()


def test_the_same_value_never_has_the_same_digest_twice():
    made = [Disclosure.of("name", "Ada") for _ in range(100)]
    assert len({one.digest() for one in made}) == 100
    assert all(len(bytes.fromhex(one.salt)) == 16 for one in made)


def test_it_is_spelt_as_rfc_8785_spells_it():
    made = Disclosure("0" * 32, "reason", 'é€😀"\\/\b\f\n\r\t\x01\x7f\u2028')
    spelling = '["' + "0" * 32 + '","reason","é€😀\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\u2028"]'
    assert made.encode() == spelling.encode()


@pytest.mark.parametrize(
    "made",
    [
        Disclosure("0" * 31, "reason", ""),
        Disclosure("0" * 31 + "A", "reason", ""),
        Disclosure("0" * 32, "Reason", ""),
        Disclosure("0" * 32, "", ""),
        Disclosure("0" * 32, "reason", "\ud800"),
        Disclosure("0" * 32, "reason", "x" * (1 << 16)),
    ],
)
def test_what_cannot_be_a_disclosure_is_refused_before_it_is_hashed(made):
    with pytest.raises(Invalid):
        made.digest()


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'["%b","reason",1]' % (b"0" * 32),
        b'["%b","reason","x"] ' % (b"0" * 32),
        b'["%b", "reason","x"]' % (b"0" * 32),
        b'["%b","reason","\\u0078"]' % (b"0" * 32),
        b'["%b","reason","\\ud800"]' % (b"0" * 32),
        b'["%b","reason","x","y"]' % (b"0" * 32),
        b'{"salt":"","salt":""}',
        b'["%b","reason",{}]' % (b"0" * 32),
    ],
)
def test_a_stored_disclosure_that_is_spelt_otherwise_is_tampered_with(encoded):
    with pytest.raises(Tampered):
        decode(encoded)
