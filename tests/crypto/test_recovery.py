"""Recovery codes: on paper, typed as people type, one spelling for the hash, and nothing else is one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto.passwords import FLOOR, hash_password, verify_password
from vault.crypto.recovery import new_recovery_codes, parse_recovery_code
from vault.values import Plaintext


def test_a_sheet_has_ten_numbered_codes_of_sixty_random_bits() -> None:
    sheet = new_recovery_codes()
    assert [parse_recovery_code(code) for code in sheet] == list(enumerate(sheet))
    for number, code in enumerate(sheet):
        assert re.fullmatch(rf"{number}(-[0-9A-HJKMNP-TV-Z]{{4}}){{3}}", code)
    bodies = {code[2:] for _ in range(30) for code in new_recovery_codes()}
    assert len(bodies) == 300
    assert len(set("".join(bodies))) == 33  # all of the alphabet, and the dash


@pytest.mark.attack("AN25")
def test_a_code_has_one_spelling_however_it_is_typed() -> None:
    for typed in (
        "1-01AB-CDEF-GHJK",
        "1-01ab-cdef-ghjk",
        "101ABCDEFGHJK",
        " 1 01AB CDEF GHJK\n",
        "I-OLAB-CDEF-GHJK",
        "l-oiab-cdef-ghjk",
        "1\u201301AB\u2013CDEF\u2011GHJK",
        "1-01AB-\u200bCDEF-GHJK",
    ):
        assert parse_recovery_code(typed) == (1, "1-01AB-CDEF-GHJK")


@pytest.mark.attack("AN25")
def test_the_spelling_is_slow_hashed_like_a_password() -> None:
    code = new_recovery_codes()[7]
    parsed = parse_recovery_code(code.lower().replace("-", " "))
    assert parsed == (7, code)
    assert verify_password(hash_password(Plaintext(code), FLOOR), Plaintext(parsed[1]), FLOOR)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "123456",
        "1-01AB-CDEF-GHJ",
        "1-01AB-CDEF-GHJKM",
        "01AB-CDEF-GHJK",
        "A-01AB-CDEF-GHJK",
        "10-01AB-CDEF-GHJK",
        "1-01AB-CDEF-GHJU",
        "1_01AB_CDEF_GHJK",
        "1-01AB-CDEF-GHJ\u212a",
        "1-01AB-CDEF-GHJ\uff2b",
        "\u0661-01AB-CDEF-GHJK",
        "1-01AB-CDEF-GHJK\x00",
        "1-01AB-CDEF-GHJK" + " " * 100,
    ],
    ids=range(14),
)
def test_anything_else_is_no_recovery_code(raw: str) -> None:
    assert parse_recovery_code(raw) is None


@given(st.text(max_size=60) | st.text(alphabet="01IOLUX -\u2013\u212a\ud800", max_size=40))
def test_any_text_is_a_code_in_its_one_spelling_or_none(raw: str) -> None:
    parsed = parse_recovery_code(raw)
    if parsed is not None:
        assert parse_recovery_code(parsed[1]) == parsed
        assert parsed[1].isascii()
