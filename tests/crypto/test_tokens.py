"""Tokens and codes: enough randomness, a check against typing errors, folded only where people type."""

import hashlib
import re
from itertools import permutations
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto.tokens import (
    TokenPrefix,
    intake_code_hash,
    invitation_code_hash,
    new_intake_code,
    new_token,
    new_user_code,
    parse_token,
    token_hash,
    user_code_hash,
)
from vault.errors import NotFound, NotSignedIn

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
PREFIXES = get_args(TokenPrefix)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_token_is_found_by_its_hash_alone(prefix: str) -> None:
    token = new_token(prefix)
    assert re.fullmatch(rf"{prefix}_[0-9A-Za-z]{{49}}", token)
    assert parse_token(prefix, token) == token_hash(token) == hashlib.sha256(token.encode()).digest()
    assert len({new_token(prefix) for _ in range(200)}) == 200


def test_no_character_of_a_token_can_be_mistyped() -> None:
    token = new_token("vk_ses")
    for at in range(len(token)):
        for other in "0aZ_- ":
            if token[at] != other:
                with pytest.raises(NotSignedIn):
                    parse_token("vk_ses", token[:at] + other + token[at + 1 :])


@pytest.mark.parametrize("spoil", [" {}", "{} ", "{}\n", "{}x", "x{}", "{}\x00", "Bearer {}"])
def test_a_token_has_one_spelling(spoil: str) -> None:
    token = new_token("vk_ses")
    for raw in (spoil.format(token), token.swapcase(), token[:-1], "", token.replace("vk", "\uff56k")):
        with pytest.raises(NotSignedIn):
            parse_token("vk_ses", raw)


@pytest.mark.attack("AN26")
def test_a_token_of_one_purpose_is_none_of_the_others() -> None:
    assert len(PREFIXES) == 8
    for made, wanted in permutations(PREFIXES, 2):
        token = new_token(made)
        assert parse_token(made, token)
        for raw in (token, token.replace(made, wanted)):
            with pytest.raises(NotSignedIn):
                parse_token(wanted, raw)


@given(st.text(max_size=100))
def test_any_text_is_no_token_and_no_code(raw: str) -> None:
    with pytest.raises(NotSignedIn):
        parse_token("vk_ses", raw)
    for hash_of in (intake_code_hash, invitation_code_hash, user_code_hash):
        with pytest.raises(NotFound, match="there is no such code, or it is over"):
            hash_of(raw)


@pytest.mark.attack("IN02")
def test_a_code_can_be_read_out_and_has_130_random_bits() -> None:
    code = new_intake_code()
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}", code)
    assert len({new_intake_code() for _ in range(200)}) == 200
    assert len(intake_code_hash(code)) == 32


def test_a_code_may_be_typed_as_people_type() -> None:
    code = code_with("0", "1")
    hashed = intake_code_hash(code)
    for typed in (
        code.lower(),
        code.replace("-", ""),
        code.replace("-", " "),
        code.replace("-", "\u2013"),
        code.replace("-", "\u2011"),
        code.replace("-", "\u00a0"),
        f"  {code}\n",
        code.replace("-", "\n"),
        code.replace("-", "-\u200b"),
        code.replace("0", "O"),
        code.replace("0", "o"),
        code.replace("1", "I"),
        code.replace("1", "l"),
        code.replace("1", "i").lower(),
    ):
        assert intake_code_hash(typed) == hashed


def code_with(*characters: str) -> str:
    while True:
        code = new_intake_code()
        if all(character in code for character in characters):
            return code


def test_one_wrong_character_or_two_swapped_ones_are_always_noticed() -> None:
    plain = new_intake_code().replace("-", "")
    for at, right in enumerate(plain):
        for wrong in set(CROCKFORD) - {right}:
            with pytest.raises(NotFound):
                intake_code_hash(plain[:at] + wrong + plain[at + 1 :])
    for at in range(25):
        swapped = plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :]
        if swapped != plain:
            with pytest.raises(NotFound):
                intake_code_hash(swapped)


def test_foreign_letters_are_not_folded_into_ours() -> None:
    code = code_with("S", "1", "K")
    for raw in (
        code.replace("S", "\u017f"),  # long s, whose upper case is S
        code.replace("1", "\u0131"),  # dotless i, whose upper case is I
        code.replace("K", "\u212a"),  # the Kelvin sign, whose lower case is k
        code.replace("1", "\uff11"),
        code.replace("1", "\U0001d7cf"),
        code + "U",
    ):
        with pytest.raises(NotFound):
            intake_code_hash(raw)


def test_the_code_of_an_invitation_is_typed_alike_and_opens_no_intake() -> None:
    code = code_with("0", "1")
    for typed in (code, code.lower(), code.replace("-", " "), code.replace("0", "o").replace("1", "l")):
        assert invitation_code_hash(typed) == invitation_code_hash(code) != intake_code_hash(code)


def test_a_user_code_is_eight_consonants_in_two_groups() -> None:
    """RFC 8628 §6.1"""
    codes = {new_user_code() for _ in range(400)}
    assert len(codes) == 400
    assert all(re.fullmatch(rf"[{CONSONANTS}]{{4}}-[{CONSONANTS}]{{4}}", code) for code in codes)
    assert set("".join(codes)) == {*CONSONANTS, "-"}


def test_a_user_code_may_be_typed_as_people_type() -> None:
    hashed = user_code_hash("WDJB-MJHT")
    assert len(hashed) == 32
    for typed in (
        "wdjb-mjht",
        "WDJBMJHT",
        " wdjb mjht\n",
        "WDJB\u2013MJHT",
        "w d j b m j h t",
        "-WDJB--MJHT-",
    ):
        assert user_code_hash(typed) == hashed
    assert user_code_hash("WDJB-MJHS") != hashed


@pytest.mark.parametrize(
    "raw",
    [
        "WDJB-MJH",
        "WDJB-MJHTT",
        "WDJB-MJHA",  # no vowels
        "WDJB-MJH1",
        "WDJB_MJHT",
        "WDJB-MJH\u017f",  # long s, whose upper case is S
        "WDJB-MJH\u212a",  # the Kelvin sign, whose lower case is k
        "\uff37DJB-MJHT",
        "WDJB-MJHT\ud800",
    ],
    ids=range(9),
)
def test_what_was_never_a_user_code_is_not_folded_into_one(raw: str) -> None:
    with pytest.raises(NotFound, match="there is no such code, or it is over"):
        user_code_hash(raw)


@pytest.mark.attack("IN02")
def test_a_wrong_code_and_an_unknown_one_sound_alike() -> None:
    said = set()
    for raw in ("", "hello", new_intake_code()[:-1] + "U"):
        with pytest.raises(NotFound) as refusal:
            intake_code_hash(raw)
        said.add(str(refusal.value))
    assert said == {"there is no such code, or it is over"}


@pytest.mark.attack("DO04")
@pytest.mark.parametrize("evil", ["0", "-", "vk_ses_", "A" * 28 + "-", "\u200b"])
def test_long_garbage_is_refused_fast(evil: str) -> None:
    import time

    begun = time.perf_counter()
    for hash_of in (intake_code_hash, invitation_code_hash, user_code_hash):
        with pytest.raises(NotFound):
            hash_of(evil * (50_000 // len(evil)))
    with pytest.raises(NotSignedIn):
        parse_token("vk_ses", evil * (50_000 // len(evil)))
    assert time.perf_counter() - begun < 1
