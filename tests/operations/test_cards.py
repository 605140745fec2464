"""P7: card numbers and card codes are known in every spelling, and what is no card passes or has a safe way on."""

import base64
import secrets
import time
from itertools import permutations

import pytest

from tests.samples import CARDS, NO_CARDS, SPELLINGS, VISA, base64_of
from vault.model.cards import NO_CARDS as REFUSAL
from vault.model.cards import holds_card_number, passes_luhn
from vault.model.kinds import KINDS


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_card_is_known_in_every_spelling(spelling: str) -> None:
    assert holds_card_number({"password": spelling})
    assert holds_card_number({"subject": "Our shop", "text": f"Dear Tom,\n\n{spelling}\n\nAda"})


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
@pytest.mark.parametrize("card", CARDS)
def test_the_cards_of_every_scheme_are_known_in_every_kind_and_field(card: str) -> None:
    assert passes_luhn(card)
    for kind in KINDS.values():
        for field in kind.fields:
            assert holds_card_number({field.name: card})
    assert holds_card_number(
        {"text": "Where the money is, one of 31 cards. " * 40 + f"No. {card}, valid to 12/27"}
    )


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_a_card_spread_over_fields_is_known_whatever_their_order() -> None:
    assert holds_card_number({"host": "shop.example", "username": "root 4111 1111", "password": "1111 1111"})
    for cut in range(1, 16):
        split = {"username": VISA[:cut], "password": VISA[cut:]}
        for order in permutations({"host": "shop.example", "port": "22", **split, "host_key": ""}.items()):
            assert holds_card_number(dict(order))
    assert holds_card_number({"host": "4111", "username": "1111", "password": "1111 1111"})
    assert holds_card_number({"username": "cvv", "password": "123"})
    assert holds_card_number(
        {"name": "4111 1111 1111", "contents": "1111\n" + "the rest of a long file\n" * 400}
    )
    assert holds_card_number(
        {"name": "1111 1111", "contents": "the rest of a long file\n" * 400 + "4111 1111"}
    )


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16", "utf-16-be", "utf-8-sig"])
def test_a_card_within_a_file_is_known_in_every_encoding(encoding: str) -> None:
    text = "Rechnung für Müller\r\n\r\nKarte: 4111 1111 1111 1111\r\n" + "Zeile um Zeile\r\n" * 900
    spelt = base64_of(text, encoding)
    for contents in (
        spelt,
        "\r\n".join(spelt[at : at + 76] for at in range(0, len(spelt), 76)),
        f"data:text/plain;base64,{spelt}",
        spelt.replace("+", "-").replace("/", "_").rstrip("="),
    ):
        assert holds_card_number({"name": "invoice.txt", "contents": contents})


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
@pytest.mark.parametrize("value", NO_CARDS)
def test_what_is_no_card_passes(value: str) -> None:
    assert not holds_card_number({"password": value})
    assert not holds_card_number(
        {"host": "203.100.113.79", "port": "2222", "username": "root", "password": value}
    )


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_keys_and_tokens_are_next_to_never_taken_for_cards() -> None:
    """One chance in thousands each: what the customer did not choose must not be refused."""
    makers = {
        "hexadecimal key": lambda: secrets.token_hex(32),
        "OpenVPN key": lambda: "\n".join(secrets.token_hex(16) for _ in range(16)),
        "token": lambda: secrets.token_urlsafe(40),
        "key file": lambda: base64.encodebytes(secrets.token_bytes(1700)).decode(),
        "number of 617 digits": lambda: str(secrets.randbits(2048)),
        "file": lambda: base64.b64encode(secrets.token_bytes(3000)).decode(),
    }
    for name, make in makers.items():
        refused = sum(holds_card_number({"name": "some.key", "contents": make()}) for _ in range(100))
        assert refused <= 1, name


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_a_false_alarm_has_a_safe_way_on_and_a_card_has_none() -> None:
    imei = "490154203237518"
    assert "a letter between its digits" in REFUSAL
    assert "its last four digits" in REFUSAL
    assert holds_card_number({"username": imei})
    assert not holds_card_number({"username": f"{imei[:7]}x{imei[7:]}"})
    assert not holds_card_number({"username": imei[-4:]})
    for card in CARDS:
        for cut in range(1, len(card)):
            assert holds_card_number({"username": f"{card[:cut]} {card[cut:]}"})
            assert holds_card_number({"username": f"{card[:cut]}x{card[cut:]}"})


def test_an_address_and_its_port_are_no_card_whatever_their_digits() -> None:
    for last in range(256):
        assert not holds_card_number({"host": f"203.100.113.{last}", "port": "2222", "username": "root"})


def test_luhn_takes_one_check_digit_of_ten() -> None:
    assert [digit for digit in "0123456789" if passes_luhn("7992739871" + digit)] == ["3"]


def test_a_card_is_found_wherever_it_stands_among_other_numbers() -> None:
    for card in CARDS:
        for before in range(30):
            assert holds_card_number({"password": "0 " * before + card + " 00" * (before % 7)})


HOSTILE = [
    *(
        "1",
        "4",
        "6",
        "1 ",
        "4 ",
        "44 ",
        "4111 ",
        "4a",
        "4:",
        "1.1.1.",
        "+49 1",
        "::",
        "0f:",
        "12345678-",
        "QUJD",
        "data:,",
    ),
    *(
        "%34",
        "&#52;",
        "\\u0034",
        "cvv",
        "cvv        ",
        "cvv code code code ",
        "Karten",
        "\uff14",
        "\u200b4",
        "\u0301",
    ),
]


@pytest.mark.attack("IN11")
@pytest.mark.attack("DO04")
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_file_is_judged_at_once(piece: str) -> None:
    """The effort grows with the size and not faster: four times as much takes far less than sixteen times as long."""
    needed = []
    for size in (100_000, 400_000):
        value = piece * (size // len(piece))
        started = time.process_time()
        holds_card_number({"name": "some.file", "contents": value})
        needed.append(time.process_time() - started)
    assert needed[1] < 3
    assert needed[1] < 0.2 + 9 * needed[0]
