"""A service's public keys are believed only as this vault signed them."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vault.crypto.encoding import b64, unb64
from vault.crypto.opening import ServiceKey
from vault.crypto.statement import KeyStatement, check_statement, sign_statement, statement_public
from vault.errors import Invalid, Tampered

PRIVATE = bytes(range(32))
PUBLIC = statement_public(PRIVATE)
KEYS = ServiceKey.from_seed(bytes(32)).public_keys()
OURS = KeyStatement("dep_1", "svc_1", "key_1", b64(KEYS["xwing"]), b64(KEYS["x25519"]), 1_790_000_000_000_000)
TEXT, SIGNATURE = sign_statement(PRIVATE, OURS)


def signed(text: str, purpose: bytes = b"valetkey key statement v1\n") -> tuple[str, str]:
    return text, b64(Ed25519PrivateKey.from_private_bytes(PRIVATE).sign(purpose + text.encode()))


def test_a_signed_statement_is_believed() -> None:
    assert check_statement(PUBLIC, TEXT, SIGNATURE) == OURS
    assert OURS.public_key("xwing") == KEYS["xwing"]
    assert OURS.public_key("x25519") == KEYS["x25519"]
    with pytest.raises(Invalid):
        OURS.public_key("rsa")


def test_the_text_is_canonical_json() -> None:
    again = json.dumps(json.loads(TEXT), sort_keys=True, separators=(",", ":"))
    assert again == TEXT
    assert TEXT.isascii()
    assert list(json.loads(TEXT)) == ["deployment", "key", "made_at", "service", "v", "x25519", "xwing"]


@pytest.mark.attack("CR06")
@pytest.mark.promise("P3")
def test_no_character_of_it_can_be_changed() -> None:
    for at in range(len(TEXT)):
        with pytest.raises(Tampered):
            check_statement(PUBLIC, TEXT[:at] + chr(ord(TEXT[at]) ^ 1) + TEXT[at + 1 :], SIGNATURE)
    raw = unb64(SIGNATURE)
    for at in range(len(raw)):
        with pytest.raises(Tampered):
            check_statement(PUBLIC, TEXT, b64(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]))
    for bad in ("", SIGNATURE[:-1], SIGNATURE + "A", SIGNATURE + "==", "\ud800"):
        with pytest.raises(Tampered):
            check_statement(PUBLIC, TEXT, bad)
    with pytest.raises(Tampered):
        check_statement(PUBLIC, TEXT + "\ud800", SIGNATURE)


@pytest.mark.promise("P3")
def test_another_vaults_signature_is_none() -> None:
    for public in (statement_public(bytes(32)), b"", PUBLIC[:-1]):
        with pytest.raises(Tampered):
            check_statement(public, TEXT, SIGNATURE)
    for private in (b"", bytes(31), bytes(64)):
        with pytest.raises(Tampered):
            sign_statement(private, OURS)
        with pytest.raises(Tampered):
            statement_public(private)


def test_a_signature_for_another_purpose_is_none() -> None:
    for purpose in (b"", b"valetkey certificate v1\n", b"valetkey key statement v2\n"):
        with pytest.raises(Tampered):
            check_statement(PUBLIC, *signed(TEXT, purpose))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "NaN",
        TEXT + " ",
        TEXT.replace(",", ", ", 1),
        TEXT.replace('"v":1', '"v":2'),
        TEXT.replace('"v":1', '"v":true'),
        TEXT.replace('"v":1', '"v":1.0'),
        TEXT.replace('"v":1', '"v":1,"v":1'),
        TEXT.replace('"service":"svc_1"', '"service":1'),
        TEXT.replace('"service":"svc_1",', ""),
        TEXT.replace('"v":1', '"v":1,"w":1'),
        TEXT.replace(str(OURS.made_at), "true"),
        TEXT.replace(str(OURS.made_at), "1e3"),
        replace(OURS, x25519=OURS.xwing).text(),
        replace(OURS, xwing=OURS.xwing[:-4]).text(),
        replace(OURS, x25519="").text(),
        replace(OURS, x25519=OURS.x25519 + "=").text(),
        "[" * 100_000,
    ],
    ids=lambda text: text[:12],
)
def test_even_a_signed_text_is_refused_unless_it_is_a_statement(text: str) -> None:
    assert check_statement(PUBLIC, *signed(TEXT)) == OURS
    with pytest.raises(Tampered):
        check_statement(PUBLIC, *signed(text))
