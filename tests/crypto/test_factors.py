"""The second factor: RFC 6238's codes, one spelling, this step or the one before."""

from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from vault.crypto.factors import current_code, matching_step, new_totp_seed, provisioning_uri, timed_code

SEED = b"12345678901234567890"
NOW = 1_234_567_890


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_times_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    assert current_code(SEED, seconds) == code[-6:]
    assert matching_step(SEED, code[-6:], seconds) == seconds // 30
    assert matching_step(SEED, code, seconds) is None


@pytest.mark.attack("AN08")
def test_this_step_and_the_one_before_and_no_other() -> None:
    step = NOW // 30
    answers = {skew: matching_step(SEED, current_code(SEED, NOW + 30 * skew), NOW) for skew in range(-3, 4)}
    assert answers == {-3: None, -2: None, -1: step - 1, 0: step, 1: None, 2: None, 3: None}
    for within in (step * 30, step * 30 + 29):
        assert matching_step(SEED, current_code(SEED, NOW), within) == step


@pytest.mark.attack("AN05")
@pytest.mark.parametrize(
    "spelt",
    [
        lambda code: f"{code[:3]} {code[3:]}",
        lambda code: f"{code[:3]}-{code[3:]}",
        lambda code: f" {code}",
        lambda code: f"{code} ",
        lambda code: f"{code}\n",
        lambda code: f"\u200b{code}",
        lambda code: f"+{code}",
        lambda code: f"0{code}",
        lambda code: "".join(chr(0xFF10 + int(digit)) for digit in code),  # full width
        lambda code: "".join(chr(0x1D7CE + int(digit)) for digit in code),  # mathematical
        lambda code: "".join(chr(0x0660 + int(digit)) for digit in code),  # Arabic-Indic
        lambda code: chr(0xFF10 + int(code[0])) + code[1:],
        lambda code: code[:-1],
        lambda code: "",
    ],
)
def test_a_code_has_one_spelling(spelt) -> None:
    code = current_code(SEED, NOW)
    assert matching_step(SEED, code, NOW) == NOW // 30
    assert matching_step(SEED, spelt(code), NOW) is None


@pytest.mark.attack("AN05")
def test_the_library_alone_would_take_foreign_digits() -> None:
    """The reason for the rule above; when this fails, pyotp has learnt it."""
    totp = pyotp.TOTP(pyotp.random_base32())
    assert totp.verify("".join(chr(0xFF10 + int(digit)) for digit in totp.at(NOW)), for_time=NOW)


def test_another_seed_has_other_codes() -> None:
    seeds = {new_totp_seed() for _ in range(50)}
    assert len(seeds) == 50
    assert {len(seed) for seed in seeds} == {20}
    assert len({current_code(seed, NOW) for seed in seeds}) > 40


def test_the_first_steps_of_time_have_no_step_before() -> None:
    assert matching_step(SEED, current_code(SEED, 0), 0) == 0
    assert matching_step(SEED, current_code(SEED, 0), 30) == 0


def test_an_authenticator_reads_the_address() -> None:
    uri = provisioning_uri(SEED, "tess@agency.example", "K\u00f6rner: Web & Co/GmbH")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/K\u00f6rner: Web & Co/GmbH:tess@agency.example"
    asked = parse_qs(parts.query)
    assert asked["issuer"] == ["K\u00f6rner: Web & Co/GmbH"]
    read = pyotp.parse_uri(uri)
    assert isinstance(read, pyotp.TOTP)
    assert read.at(NOW) == current_code(SEED, NOW)


RFC_6238 = {
    59: ("94287082", "46119246", "90693936"),
    1111111109: ("07081804", "68084774", "25091201"),
    1111111111: ("14050471", "67062674", "99943326"),
    1234567890: ("89005924", "91819424", "93441116"),
    2000000000: ("69279037", "90698825", "38618901"),
    20000000000: ("65353130", "77737706", "47863826"),
}
"""Appendix B: the seconds, and the codes of eight digits by SHA1, SHA256 and SHA512."""


@pytest.mark.parametrize(("at", "codes"), RFC_6238.items())
def test_codes_for_other_peoples_logins_are_those_of_the_rfc(at: int, codes: tuple[str, ...]) -> None:
    for algorithm, length, code in zip(("SHA1", "SHA256", "SHA512"), (20, 32, 64), codes, strict=True):
        seed = (b"1234567890" * 7)[:length]
        assert timed_code(seed, algorithm, 8, at // 30) == code
        assert timed_code(seed, algorithm, 6, at // 30) == code[2:]


def test_a_seed_of_eighty_bits_makes_codes_too() -> None:
    seed = b"Hello!\xde\xad\xbe\xef"
    assert timed_code(seed, "SHA1", 6, 1_800_000_000 // 30) == "309848"
