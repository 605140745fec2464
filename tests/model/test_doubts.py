"""P7: recovery words of wallets and keys of certificate authorities are questioned; ordinary logins are not."""

import base64
import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.samples import BIP39, NO_SEEDS, base64_of
from vault.model.doubts import AUTHORITY_KEY, SEED_PHRASE, doubt_of


def certified(common_name: str, *, authority: bool | None) -> tuple[str, str]:
    """A private key and a certificate of it, both in PEM; None makes one without basicConstraints."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=90))
    if authority is not None:
        length = 0 if authority else None
        builder = builder.add_extension(x509.BasicConstraints(authority, length), critical=authority)
    signed = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), signed.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.promise("P7")
@pytest.mark.parametrize("phrase", BIP39)
def test_recovery_words_are_questioned_however_they_are_written_down(phrase: str) -> None:
    words = phrase.split()
    spellings = [
        phrase,
        phrase.upper(),
        phrase.title(),
        "\n".join(words),
        "\r\n\r\n".join(words),
        ", ".join(words),
        "\u00a0".join(words),
        "\u3000".join(words),
        "\n".join(f"{at}. {word}" for at, word in enumerate(words, 1)),
        " ".join(f"{at}.{word}" for at, word in enumerate(words, 1)),
        "\n".join(f"({at}) {word}" for at, word in enumerate(words, 1)),
        "\n".join(f"- {word}" for word in words),
        "[" + ", ".join(f'"{word}"' for word in words) + "]",
        f"The wallet of the shop, do not lose it: {phrase}\nThank you",
        base64_of(phrase),
    ]
    for spelling in spellings:
        assert doubt_of("note", {"subject": "For you", "text": spelling}) == SEED_PHRASE, spelling
        assert doubt_of("ssh-password", {"host": "shop.example", "password": spelling}) == SEED_PHRASE


@pytest.mark.promise("P7")
@pytest.mark.parametrize("text", NO_SEEDS)
def test_passphrases_and_prose_are_not_taken_for_recovery_words(text: str) -> None:
    assert doubt_of("note", {"subject": "For you", "text": text}) == ""


@pytest.mark.promise("P7")
def test_no_file_of_random_bytes_is_taken_for_recovery_words() -> None:
    for _ in range(3):
        contents = base64.b64encode(secrets.token_bytes(400_000)).decode()
        assert doubt_of("file", {"name": "network.bin", "contents": contents}) == ""


@pytest.mark.promise("P7")
@pytest.mark.attack("IN16")
def test_the_key_of_an_authority_is_questioned_in_one_file_and_over_several_fields() -> None:
    key, certificate = certified("Acme Root", authority=True)
    chain = certified("shop.example", authority=False)[1]
    for fields in (
        {"name": "all.pem", "contents": key + certificate},
        {"name": "all.pem", "contents": certificate + "\n" + key},
        {"name": "all.pem", "contents": base64_of(key + certificate)},
        {
            "name": "all.pem",
            "contents": key + certificate + certified("shop.example", authority=False)[0] + chain,
        },
        {"name": "all.pem", "contents": (key + certificate).replace("\n", "\r\n")},
    ):
        assert doubt_of("file", fields) == AUTHORITY_KEY
    assert doubt_of("ssh-key", {"private_key": key, "passphrase": certificate}) == AUTHORITY_KEY


@pytest.mark.promise("P7")
def test_the_key_of_a_web_server_beside_its_chain_is_not_questioned() -> None:
    key, own = certified("shop.example", authority=False)
    old, plain = certified("old.example", authority=None)
    authorities = certified("Sub", authority=True)[1] + certified("Root", authority=True)[1]
    for contents in (key, key + own, key + own + authorities, old + plain + authorities, authorities, own):
        assert doubt_of("file", {"name": "fullchain.pem", "contents": contents}) == ""


@pytest.mark.promise("P7")
def test_the_names_of_an_authoritys_key_are_known_and_others_are_not() -> None:
    for name in ("ca.key", "CA.KEY", "rootCA.key", "root-ca.key.pem", "cakey.pem", "ca-key.pem", "my_ca.p12"):
        assert doubt_of("file", {"name": name, "contents": "x"}) == AUTHORITY_KEY, name
    for name in (
        "ca.crt",
        "ca-bundle.pem",
        "shop.ca.key",
        "alpaca.key",
        "america.key",
        "cat.key",
        "id_rsa",
        "",
    ):
        assert doubt_of("file", {"name": name, "contents": "x"}) == "", name
    assert doubt_of("note", {"name": "ca.key"}) == ""


def test_a_certificate_that_is_none_is_no_ground_for_a_question() -> None:
    key = certified("Acme Root", authority=True)[0]
    for body in ("", "!", "QUJD", "QUJ", "A" * 30_000):
        broken = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
        assert doubt_of("file", {"name": "x", "contents": key + broken}) == ""


@pytest.mark.attack("DO04")
@pytest.mark.parametrize(
    "piece", ["a", "ab1", "word ", "aaa bbb. ", " ", ", ", "1", "-----BEGIN CERTIFICATE-----", "A"]
)
def test_a_file_of_the_longest_size_is_judged_at_once(piece: str) -> None:
    hostile = "-----BEGIN PRIVATE KEY-----" + (piece + "the ") * (700_000 // (len(piece) + 4))
    started = time.process_time()
    doubt_of("file", {"name": piece * 200, "contents": hostile})
    doubt_of("file", {"name": piece * 200, "contents": piece * (700_000 // len(piece))})
    assert time.process_time() - started < 6
