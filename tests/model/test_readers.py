"""What the readers say of keys, logins, seeds and files: sentences for whoever pasted them, and never a repetition."""

import base64
import secrets
import subprocess
import time
from pathlib import Path

import pyotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.keys import PASSPHRASE, made_by_ssh_keygen, openssh_key, putty_key
from tests.pasted import BAD_KEYS, LINES, SEEDS
from vault.errors import Invalid
from vault.model import sshkeys
from vault.model.files import LARGEST, LONGEST_TEXT, MARK, file_bytes, file_value, read_file
from vault.model.keyfiles import try_key
from vault.model.logins import Login, read_login
from vault.model.otpauth import parse_otpauth, read_otpauth
from vault.model.sshkeys import read_key


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return made_by_ssh_keygen(tmp_path_factory.mktemp("keys"))


def test_every_key_that_ssh_keygen_writes_is_known_as_ssh_keygen_knows_it(keys: dict[str, Path]) -> None:
    assert len(keys) > 30
    seen = set()
    for name, path in keys.items():
        kind, shape, lock = name.split()
        verdict = read_key(path.read_text())
        assert verdict.kind == ("question" if kind == "rsa1024" and verdict.type == "RSA 1024" else "good"), (
            name
        )
        assert verdict.encrypted == (lock == "locked"), name
        if lock == "open" or shape == "RFC4716":
            told = subprocess.run(
                ["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True
            ).stdout
            bits, fingerprint, *_, ending = told.split()
            assert verdict.fingerprint == fingerprint, name
            assert verdict.type.split() in ([ending.strip("()").title()], [ending.strip("()"), bits]), name
            seen.add(verdict.type)
        else:
            assert verdict.fingerprint == ""
    assert seen == {"Ed25519", "RSA 2048", "RSA 1024", "ECDSA 256", "ECDSA 384", "ECDSA 521"}


def test_a_passphrase_is_tried_on_every_key_that_this_host_can_open(keys: dict[str, Path]) -> None:
    for name, path in keys.items():
        text = path.read_text()
        try_key(text, PASSPHRASE if name.endswith("locked") else "not needed and not used")
        if name.endswith(("PEM locked", "PKCS8 locked")):
            with pytest.raises(Invalid, match="does not open the key") as refusal:
                try_key(text, PASSPHRASE + " ")
            assert refusal.value.pointer == "/fields/passphrase"


def test_a_passphrase_of_openssh_s_own_format_is_tried_where_the_host_can(keys: dict[str, Path]) -> None:
    pytest.importorskip(
        "bcrypt", reason="without this package OpenSSH's own protection cannot be undone here"
    )
    with pytest.raises(Invalid, match="does not open the key"):
        try_key(keys["ed25519 RFC4716 locked"].read_text(), "wrong")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("passphrase", ["", PASSPHRASE])
def test_putty_s_files_are_read_and_opened(version: int, passphrase: str) -> None:
    text = putty_key(version, passphrase, comment="Ada: my key, ünique ")
    verdict = read_key(text.replace("\n", "\r\n"))
    assert (verdict.kind, verdict.type, verdict.encrypted) == ("good", "Ed25519", bool(passphrase))
    assert "PuTTY" in verdict.sentence
    assert verdict.fingerprint == read_key(openssh_key()).fingerprint
    try_key(text, passphrase)
    if passphrase:
        with pytest.raises(Invalid, match="does not open the key"):
            try_key(text, "wrong")
    with pytest.raises(Invalid) as refusal:
        try_key(text.replace("Comment: Ada", "Comment: Eve"), passphrase)
    assert refusal.value.pointer == ("/fields/passphrase" if passphrase else "/fields/private_key")


@pytest.mark.parametrize(("name", "sentence"), [(name, sentence) for name, (_, sentence) in BAD_KEYS.items()])
def test_what_is_no_key_is_told_what_it_is(name: str, sentence: str) -> None:
    verdict = read_key(BAD_KEYS[name][0])
    assert verdict.kind == "wrong"
    assert verdict.sentence == sentence
    assert verdict.fingerprint == ""


def test_the_bad_keys_show_every_sentence_there_is() -> None:
    """The canary of the samples."""
    sentences = {
        value
        for name, value in vars(sshkeys).items()
        if name.isupper() and isinstance(value, str) and value[0].isupper() and " " in value
    }
    assert len(sentences) > 14
    assert sentences - {sshkeys.OPENSSH} <= {sentence for _, sentence in BAD_KEYS.values()}


def test_what_stands_around_a_key_does_not_matter() -> None:
    text = openssh_key()
    for around in (
        f"\ufeff{text}",
        f"\n\n {text} \n",
        text.rstrip("\n"),
        text.replace("\n", "\r\n"),
        text.replace("\n", "\r"),
        text.replace("\n", " \t\n"),
        f"my key:\n{text}\nbye",
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + text,
    ):
        assert read_key(around) == read_key(text)
        try_key(around, "")


@pytest.mark.attack("IN16")
@given(st.integers(0, 10_000), st.integers(0, 255), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_key_that_was_cut_or_changed_is_never_an_accident(place: int, byte: int, cut: bool) -> None:
    """Any text gets a verdict, a part of a key is never good, and nothing takes long."""
    for whole in (openssh_key(), putty_key(2), putty_key(3, PASSPHRASE, memory=8)):
        at = place % len(whole)
        text = whole[:at] if cut else whole[:at] + chr(byte) + whole[at + 1 :]
        verdict = read_key(text)
        if cut and at < len(whole) - 41:
            assert verdict.kind == "wrong", (at, text)


@pytest.mark.attack("IN16")
@given(
    st.binary(max_size=200),
    st.sampled_from(["OPENSSH PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"]),
)
def test_any_bytes_under_a_key_s_name_get_a_verdict(data: bytes, label: str) -> None:
    text = f"-----BEGIN {label}-----\n{base64.b64encode(data).decode()}\n-----END {label}-----\n"
    if read_key(text).kind == "wrong":
        assert read_key(text).type == ""


@pytest.mark.attack("IN16", "CR07")
def test_a_key_file_cannot_order_endless_work() -> None:
    """Costs stand in the file; beyond what people's tools choose nothing is begun."""
    started = time.perf_counter()
    for text in (
        putty_key(3, PASSPHRASE).replace("Argon2-Memory: 64", "Argon2-Memory: 4194304"),
        putty_key(3, PASSPHRASE).replace("Argon2-Passes: 2", "Argon2-Passes: 9999999"),
        putty_key(3, PASSPHRASE).replace("Argon2-Parallelism: 1", "Argon2-Parallelism: 0"),
        _pkcs8(
            bytes.fromhex("30 29 06 09 2a864886f70d01050d 30 1c 30 0f 06 09 2a864886f70d01050c 30 02 04 00")
        ),
        _pkcs8(_pbkdf2(2**31 - 1)),
        _pkcs8(_scrypt(2**30, 8, 1)),
    ):
        with pytest.raises(Invalid):
            try_key(text, PASSPHRASE)
    assert time.perf_counter() - started < 2
    assert read_key("x" * 10**6).sentence == sshkeys.TOO_LARGE


@pytest.mark.attack("IN16")
@pytest.mark.parametrize(
    "piece",
    [
        "ssh-",
        "sk-a@",
        "-----BEGIN ",
        "-----BEGIN A PRIVATE KEY-----\n",
        "a:\n",
        " ",
        "> ",
        "Public-Lines: 1\n",
        "=",
        "\r",
    ],
)
def test_no_text_keeps_the_reader_of_keys_busy(piece: str) -> None:
    started = time.perf_counter()
    for before in (
        "",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-MAC: " + "0" * 40 + "\n",
    ):
        for after in ("", "x", "\n-----END RSA PRIVATE KEY-----"):
            room = sshkeys.LONGEST - len(before) - len(after)
            assert read_key(before + (piece * room)[:room] + after).kind == "wrong"
    assert time.perf_counter() - started < 3


def _der(tag: int, *parts: bytes) -> bytes:
    inner = b"".join(parts)
    return bytes([tag, len(inner)]) + inner


def _pkcs8(algorithm: bytes) -> str:
    data = _der(0x30, algorithm, _der(4, bytes(32)))
    text = base64.b64encode(data).decode()
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{text}\n-----END ENCRYPTED PRIVATE KEY-----\n"


def _pbes2(derivation: bytes) -> bytes:
    cipher = _der(0x30, _der(6, bytes.fromhex("60864801650304012a")), _der(4, bytes(16)))
    return _der(0x30, _der(6, bytes.fromhex("2a864886f70d01050d")), _der(0x30, derivation, cipher))


def _number(value: int) -> bytes:
    return _der(2, value.to_bytes(value.bit_length() // 8 + 1))


def _pbkdf2(iterations: int) -> bytes:
    parameters = _der(0x30, _der(4, bytes(8)), _number(iterations))
    return _pbes2(_der(0x30, _der(6, bytes.fromhex("2a864886f70d01050c")), parameters))


def _scrypt(cost: int, size: int, lanes: int) -> bytes:
    parameters = _der(0x30, _der(4, bytes(8)), _number(cost), _number(size), _number(lanes))
    return _pbes2(_der(0x30, _der(6, bytes.fromhex("2b06010401da47040b")), parameters))


@pytest.mark.parametrize(("line", "found"), LINES.items())
def test_a_pasted_line_fills_the_form(line: str, found: tuple[str, str, str] | None) -> None:
    assert read_login(line) == (found and Login(*found))


def test_a_password_in_an_address_is_not_taken_over() -> None:
    found = read_login("sftp://deploy:hunter2@shop.example.com")
    assert found is not None
    assert "hunter2" not in repr(found)


@given(st.text())
def test_any_line_is_a_login_or_none(line: str) -> None:
    read_login(line)
    read_login(f"ssh {line}")
    read_login(f"ssh://{line}")


@pytest.mark.parametrize(("text", "expected"), SEEDS.items())
def test_a_seed_is_read_and_what_is_none_is_explained(text: str, expected: tuple[str, str]) -> None:
    verdict = read_otpauth(text)
    assert (verdict.kind, verdict.sentence) == expected
    if verdict.kind == "wrong":
        with pytest.raises(Invalid):
            parse_otpauth(text)


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
@pytest.mark.parametrize("digits", [6, 7, 8])
@pytest.mark.parametrize("period", [10, 30, 60, 120])
def test_whatever_pyotp_writes_is_read_as_pyotp_reads_it(algorithm: str, digits: int, period: int) -> None:
    link = (
        f"otpauth://totp/My%20Shop:ada%40shop.example?secret={base64.b32encode(secrets.token_bytes(20)).decode()}"
        f"&issuer=My%20Shop&algorithm={algorithm}&digits={digits}&period={period}"
    )
    ours, theirs = parse_otpauth(link), pyotp.parse_uri(link)
    assert isinstance(theirs, pyotp.TOTP)
    assert (ours.digits, ours.period, ours.seed) == (theirs.digits, theirs.interval, theirs.byte_secret())
    assert theirs.digest().name == algorithm.lower()
    assert ours.algorithm == algorithm
    assert ours.label == "My Shop:ada@shop.example"
    assert str(ours.seed) not in repr(ours)


@given(st.text())
def test_any_text_is_a_seed_or_is_refused(text: str) -> None:
    for one in (text, f"otpauth://totp/a?secret={text}", f"otpauth://{text}"):
        verdict = read_otpauth(one)
        if verdict.kind == "wrong" and len(text) > 40:
            assert text not in verdict.sentence


@given(st.binary(min_size=1, max_size=300))
def test_a_file_comes_back_byte_for_byte(data: bytes) -> None:
    assert file_bytes(file_value(data)) == data
    assert read_file(file_value(data)).kind == "good"


def test_text_stands_as_text_and_everything_else_as_base64() -> None:
    assert file_value("ß=1\r\n".encode()) == "ß=1\r\n"
    assert file_value(b"\xef\xbb\xbfa") == "\ufeffa"
    for data in (b"\xff", b"a\0b", MARK.encode() + b"AAAA", b"x" * (LONGEST_TEXT + 1)):
        assert file_value(data).startswith(MARK)
        assert file_bytes(file_value(data)) == data
    assert read_file(file_value(bytes(LARGEST))).sentence == "A file of 1,048,576 bytes"
    assert read_file("x").sentence == "A text of 1 byte"
    with pytest.raises(Invalid, match="empty"):
        file_value(b"")
