"""Bytes that mean one thing."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto.encoding import b64, pack, unb64
from vault.errors import Invalid

PARTS = st.lists(st.binary(max_size=20), max_size=6)


@pytest.mark.attack("CR08")
@given(PARTS, PARTS)
def test_two_lists_of_parts_never_give_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (pack(*one) == pack(*other)) == (one == other)


@pytest.mark.attack("CR08")
def test_an_empty_part_is_a_part() -> None:
    assert len({pack(), pack(b""), pack(b"", b""), pack(b"\0"), pack(b"\0\0\0\0")}) == 5
    assert pack("12", "3") != pack("1", "23")
    assert pack("ä", 12, b"\xff") == b"\0\0\0\2\xc3\xa4\0\0\0\00212\0\0\0\1\xff"


@given(st.binary(max_size=200))
def test_base64_comes_back(raw: bytes) -> None:
    spelt = b64(raw)
    assert unb64(spelt) == raw
    assert "=" not in spelt
    assert spelt.isascii()


@given(st.text(alphabet="ABab01-_=+/ \n", max_size=12))
def test_each_value_has_one_spelling(text: str) -> None:
    with suppress(Invalid):
        assert b64(unb64(text)) == text


@pytest.mark.parametrize(
    "bad", ["A", "AA==", "AB", "AAB", "A A", "AA\n", "+/+/", "\uff21A", "AAAAA", "\u00e4AAA"]
)
def test_loose_spellings_are_refused(bad: str) -> None:
    with pytest.raises(Invalid):
        unb64(bad)
