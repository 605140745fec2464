"""P7: card numbers and card codes are known in every spelling, and what is no card passes."""

import time

import pytest

from vault.model.cards import holds_card_number, passes_luhn

VISA = "4111111111111111"
FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
ARABIC = str.maketrans("0123456789", "".join(chr(0x0660 + digit) for digit in range(10)))


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
@pytest.mark.parametrize(
    "spelling",
    [
        VISA,
        "4222222222222",
        "378282246310005",
        "6304000000000000",
        "5555 5555 5555 4444",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u200b1111\u200b1111\u200b1111",
        "4111\n1111\r\n1111\t1111",
        VISA.translate(FULL_WIDTH),
        VISA.translate(ARABIC),
        "".join(chr(0x1D7CE + int(digit)) for digit in VISA),
        f"the password is {VISA}, thanks",
        f"https://pay.example/?pan={VISA}&exp=12-27",
        f"{VISA} 12/27 123",
        f"12/27 {VISA}",
        "CVV 123",
        "cvc2: 1234",
        "Prüfziffer 123",
    ],
)
def test_a_card_is_known_in_every_spelling(spelling: str) -> None:
    assert holds_card_number({"password": spelling})


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_a_card_spread_over_fields_is_known() -> None:
    assert holds_card_number({"host": "shop.example", "username": "root 4111 1111", "password": "1111 1111"})
    assert holds_card_number({"username": "41111111", "password": "11111111"})


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"password": ""},
        {"password": "4111111111111112"},
        {"password": "411111111111"},
        {"password": "4111 1111 and 1111 1111"},
        {"host": "192.168.100.200", "port": "22", "username": "root", "password": "hunter2"},
        {"host": "212.227.142.131", "port": "22", "username": "1", "password": "0"},
        {"host": "2001:db8::1234:5678:9012:3456", "port": "22"},
        {"password": "cvv"},
        {"password": "recvv 123"},
    ],
)
def test_what_is_no_card_passes(fields: dict[str, str]) -> None:
    assert not holds_card_number(fields)


def test_an_address_and_its_port_are_no_card_whatever_their_digits() -> None:
    for last in range(256):
        assert not holds_card_number({"host": f"203.100.113.{last}", "port": "2222", "username": "root"})


def test_luhn_takes_one_check_digit_of_ten() -> None:
    assert [digit for digit in "0123456789" if passes_luhn("7992739871" + digit)] == ["3"]


def test_a_card_is_found_wherever_it_stands_in_a_long_run() -> None:
    for card in (VISA, "4222222222222", "378282246310005", "6011000990139424", "5105105105105100"):
        for before in range(30):
            assert holds_card_number({"password": "0" * before + card + "0" * (before % 7)})


@pytest.mark.attack("DO04")
def test_the_longest_field_is_judged_at_once() -> None:
    started = time.perf_counter()
    for hostile in (
        "1" * 65_536,
        "4" * 65_536,
        "6" * 65_536,
        "1 " * 32_000,
        "cvv" * 20_000,
        "Karten" * 10_000,
        "cvv        " * 6_000,
    ):
        holds_card_number({"private_key": hostile})
    assert time.perf_counter() - started < 2.5
