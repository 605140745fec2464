"""A sealed secret opens with its service's key, for its own row, unchanged; everything else is Tampered."""

import json
import secrets
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import example, given
from hypothesis import strategies as st

from vault.crypto import envelope as envelopes
from vault.crypto.encoding import unb64
from vault.crypto.envelope import MOST_BYTES, MOST_PLAINTEXT, Context, Envelope, pad, unpad
from vault.crypto.opening import ServiceKey, open_message
from vault.crypto.sealing import seal, seal_message
from vault.crypto.suites import HPKE, SUITES, X25519, XWING, Suite, suite_named, suite_numbered
from vault.errors import Invalid, Tampered

SECRET = b'{"fields":{"host":"shop.example","password":"hunter2"},"v":1}'
ROW = Context("dep_1", "svc_1", "key_1", "sec_1", 1, "ssh-password")
OURS = ServiceKey.from_seed(bytes(range(32)))
THEIRS = ServiceKey.from_seed(bytes(range(1, 33)))

each_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def sealed(suite: Suite, plaintext: bytes = SECRET, row: Context = ROW, key: ServiceKey = OURS) -> bytes:
    return seal(plaintext, suite, key.public_keys()[suite.name], row)


def refuse(raw: bytes, row: Context = ROW, key: ServiceKey = OURS) -> None:
    with pytest.raises(Tampered):
        key.open(raw, row)


@each_suite
@pytest.mark.parametrize("size", [0, 1, 251, 252, 253, 16_380, 16_381, 100_000, MOST_PLAINTEXT])
def test_what_was_sealed_opens_byte_for_byte(suite: Suite, size: int) -> None:
    plaintext = secrets.token_bytes(size)
    assert OURS.open(sealed(suite, plaintext), ROW) == plaintext


@pytest.mark.promise("P3")
def test_envelopes_of_the_first_format_open_for_ever() -> None:
    kept = json.loads((Path(__file__).parent / "envelopes_v1.json").read_text())
    key = ServiceKey.from_seed(unb64(kept["seed"]))
    assert {name: key.public_keys()[name] for name in ("xwing", "x25519")} == {
        name: unb64(spelt) for name, spelt in kept["public_keys"].items()
    }
    assert set(kept["envelopes"]) == {suite.name for suite in SUITES}
    for spelt in kept["envelopes"].values():
        assert key.open(unb64(spelt), Context(**kept["context"])) == kept["plaintext"].encode()


@each_suite
def test_the_same_secret_never_looks_the_same_twice(suite: Suite) -> None:
    first, second = Envelope.parse(sealed(suite)), Envelope.parse(sealed(suite))
    assert first.sealed_key != second.sealed_key
    assert first.message[:24] != second.message[:24]


@pytest.mark.attack("CR06")
@pytest.mark.promise("P9")
@each_suite
@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_no_byte_can_be_changed(suite: Suite, mask: int) -> None:
    raw = sealed(suite)
    for at in range(len(raw)):
        refuse(raw[:at] + bytes([raw[at] ^ mask]) + raw[at + 1 :])


@pytest.mark.attack("CR06")
@each_suite
def test_nothing_can_be_cut_off_or_added(suite: Suite) -> None:
    raw = sealed(suite)
    for length in range(len(raw)):
        refuse(raw[:length])
    for more in (b"\0", raw[-16:], raw):
        refuse(raw + more)
        refuse(more + raw)


@pytest.mark.attack("CR06")
def test_a_change_in_the_last_chunk_lets_no_earlier_one_out() -> None:
    raw = bytearray(sealed(X25519, bytes(60_000)))
    raw[-1] ^= 1
    refuse(bytes(raw))


@pytest.mark.attack("CR07")
@each_suite
def test_every_other_suite_number_is_refused(suite: Suite) -> None:
    raw = sealed(suite)
    for number in set(range(256)) - {suite.number}:
        refuse(raw[:4] + bytes([number]) + raw[5:])


@pytest.mark.attack("CR07")
def test_a_data_key_cannot_be_sealed_again_by_the_weaker_suite() -> None:
    """The strongest downgrade: who knows the data key seals it anew. The message is bound to its suite."""
    strong = Envelope.parse(sealed(XWING))
    data_key = HPKE[XWING].decrypt(strong.sealed_key, OURS._private[XWING], info=ROW.packed(XWING))
    weak_public = OURS._private[X25519].public_key()
    for info in (ROW.packed(X25519), ROW.packed(XWING)):
        again = HPKE[X25519].encrypt(data_key, weak_public, info=info)
        refuse(Envelope(X25519, again, strong.message).encode())


def test_suites_are_a_closed_set_and_unknown_ones_are_refused() -> None:
    assert [(suite.name, suite.number) for suite in SUITES] == [("xwing", 1), ("x25519", 2)]
    assert all(suite_named(suite.name) is suite_numbered(suite.number) is suite for suite in SUITES)
    for name in ("", "XWING", "xwing ", "p256", "none"):
        with pytest.raises(Invalid):
            suite_named(name)
    for number in (0, 3, 255, -1):
        with pytest.raises(Invalid):
            suite_numbered(number)


OTHER_ROWS = {
    "deployment": "dep_2",
    "service": "svc_2",
    "key": "key_2",
    "secret": "sec_2",
    "version": 2,
    "kind": "ssh-key",
}


@pytest.mark.attack("CR01", "CR02")
@pytest.mark.promise("P9")
@each_suite
@pytest.mark.parametrize("field", OTHER_ROWS)
def test_it_opens_for_no_other_row(suite: Suite, field: str) -> None:
    assert set(OTHER_ROWS) == set(Context.__dataclass_fields__)
    raw = sealed(suite)
    refuse(raw, replace(ROW, **{field: OTHER_ROWS[field]}))
    assert OURS.open(raw, ROW) == SECRET


@pytest.mark.attack("CR08")
@each_suite
def test_rows_whose_ids_run_together_are_still_two_rows(suite: Suite) -> None:
    fields = ("deployment", "service", "key", "secret")
    for left, right in pairwise(fields):
        one, other = replace(ROW, **{left: "12", right: "3"}), replace(ROW, **{left: "1", right: "23"})
        raw = sealed(suite, row=one)
        assert OURS.open(raw, one) == SECRET
        refuse(raw, other)
    refuse(sealed(suite, row=replace(ROW, secret="s", version=11)), replace(ROW, secret="s1", version=1))
    refuse(sealed(suite, row=replace(ROW, version=1, kind="1x")), replace(ROW, version=11, kind="x"))
    refuse(sealed(suite, row=replace(ROW, secret="")), replace(ROW, secret="", kind=""))


@pytest.mark.attack("CR01", "CR02")
@each_suite
def test_parts_of_two_envelopes_do_not_make_a_third(suite: Suite) -> None:
    one, two = Envelope.parse(sealed(suite, b"one")), Envelope.parse(sealed(suite, b"two"))
    refuse(Envelope(suite, one.sealed_key, two.message).encode())
    refuse(Envelope(suite, two.sealed_key, one.message).encode())


@pytest.mark.attack("CR01")
@each_suite
def test_another_services_key_does_not_open_it(suite: Suite) -> None:
    refuse(sealed(suite), key=THEIRS)
    refuse(sealed(suite, key=THEIRS))
    assert THEIRS.open(sealed(suite, key=THEIRS), ROW) == SECRET


@pytest.mark.attack("CR10")
def test_a_message_commits_to_its_data_key_where_plain_aes_gcm_would_not() -> None:
    one, other = secrets.token_bytes(32), secrets.token_bytes(32)
    nonce, two_faced = opens_under_both(one, other)
    assert AESGCM(one).decrypt(nonce, two_faced, None) != AESGCM(other).decrypt(nonce, two_faced, None)

    # so a sealed key that opens to `one` for us and to `other` for them can exist: the message decides
    message = seal_message(pad(SECRET), one, b"row")
    assert unpad(open_message(message, one, b"row")) == SECRET
    with pytest.raises(Tampered):
        open_message(message, other, b"row")
    # and the trick itself, played on the message's chunk, falls over the commitment in front of it
    for key in (one, other):
        with pytest.raises(Tampered):
            open_message(message[:56] + two_faced, key, b"row")


def opens_under_both(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """One AES-GCM message of two blocks that both keys accept (the tag is linear in the ciphertext)."""
    nonce = secrets.token_bytes(12)

    def hash_key_and_mask(key: bytes) -> tuple[int, int]:
        block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 (GCM's own inner step)
        return int.from_bytes(block.update(bytes(16))), int.from_bytes(block.update(nonce + b"\0\0\0\1"))

    (h1, mask1), (h2, mask2) = hash_key_and_mask(one), hash_key_and_mask(other)
    first, lengths = int.from_bytes(secrets.token_bytes(16)), 256  # no AAD, 256 bits of ciphertext

    def power(h: int, n: int) -> int:
        product = h
        for _ in range(n - 1):
            product = times(product, h)
        return product

    wanted = mask1 ^ mask2 ^ times(first, power(h1, 3) ^ power(h2, 3)) ^ times(lengths, h1 ^ h2)
    second = times(wanted, inverse(power(h1, 2) ^ power(h2, 2)))
    tag = mask1 ^ times(first, power(h1, 3)) ^ times(second, power(h1, 2)) ^ times(lengths, h1)
    return nonce, first.to_bytes(16) + second.to_bytes(16) + tag.to_bytes(16)


def times(a: int, b: int) -> int:
    """Multiplication in GCM's field (SP 800-38D §6.3), most significant bit first."""
    product = 0
    for bit in range(127, -1, -1):
        if b >> bit & 1:
            product ^= a
        a = a >> 1 ^ (0xE1 << 120 if a & 1 else 0)
    return product


def inverse(a: int) -> int:
    """a to the power 2^128 - 2."""
    result, square = 1 << 127, a
    for _ in range(127):
        square = times(square, square)
        result = times(result, square)
    return result


@given(st.binary(max_size=3000))
@example(b"")
@example(b"VKE1")
@example(b"VKE1\x01")
@example(b"VKE1\x02" + bytes(80 + 328))
def test_any_bytes_are_tampered(raw: bytes) -> None:
    refuse(raw)


@given(st.binary(min_size=400, max_size=2000), st.sampled_from(SUITES))
def test_any_bytes_behind_a_good_header_are_tampered(rest: bytes, suite: Suite) -> None:
    refuse(b"VKE1" + bytes([suite.number]) + rest)


@pytest.mark.attack("CR06")
def test_an_envelope_above_the_cap_is_refused_unread() -> None:
    assert len(sealed(XWING, bytes(MOST_PLAINTEXT))) < MOST_BYTES
    raw = sealed(X25519)
    assert Envelope.parse(raw + bytes(MOST_BYTES - len(raw))).suite is X25519
    with pytest.raises(Tampered):
        Envelope.parse(raw + bytes(MOST_BYTES + 1 - len(raw)))
    with pytest.raises(Invalid):
        sealed(X25519, bytes(MOST_PLAINTEXT + 1))


@each_suite
def test_a_public_key_that_is_none_is_refused_before_anything_is_sealed(suite: Suite) -> None:
    good = OURS.public_keys()[suite.name]
    for bad in (b"", good[:-1], good + b"\0", bytes(len(good)), b"\xff" * (len(good) - 32) + bytes(32)):
        with pytest.raises(Tampered):
            seal(SECRET, suite, bad, ROW)


def test_the_two_suites_share_no_key() -> None:
    keys = OURS.public_keys()
    assert set(keys) == {"xwing", "x25519"}
    assert keys["xwing"][-32:] != keys["x25519"]
    for size in (0, 31, 33, 64):
        with pytest.raises(Tampered):
            ServiceKey.from_seed(bytes(size))


@given(st.binary(max_size=5000))
def test_padding_gives_back_what_it_was_given(data: bytes) -> None:
    assert unpad(pad(data)) == data
    assert len(pad(data)) in {256, 512, 1024, 2048, 4096, 8192}


@pytest.mark.promise("P9")
@each_suite
def test_lengths_tell_nothing_about_a_password(suite: Suite) -> None:
    assert len({len(sealed(suite, bytes(size))) for size in range(253)}) == 1
    assert len({len(sealed(suite, bytes(size))) for size in range(253, 509)}) == 1


@pytest.mark.attack("CR06")
def test_padding_has_one_spelling() -> None:
    padded = pad(b"password")
    for bad in (
        b"",
        b"\0\0\0",
        padded[:-1],
        padded + b"\0",
        padded + bytes(256),
        padded[:-1] + b"\1",
        (253).to_bytes(4) + padded[4:],
        (2**32 - 1).to_bytes(4) + padded[4:],
        bytes(8),
    ):
        with pytest.raises(Tampered):
            unpad(bad)
    with pytest.raises(Tampered):
        unpad((7).to_bytes(4) + padded[4:])  # a shorter length would leave a letter where zeros belong


@pytest.mark.promise("P3")
def test_what_the_intake_may_import_brings_nothing_that_opens() -> None:
    for module in ("encoding", "suites", "envelope", "sealing", "statement", "tokens"):
        loaded = subprocess.run(
            [sys.executable, "-c", f"import sys, vault.crypto.{module}; print(*sorted(sys.modules))"],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(envelopes.__file__).parents[2],
        ).stdout.split()
        assert f"vault.crypto.{module}" in loaded
        for opener in ("opening", "rootkey", "protectors", "residue"):
            assert f"vault.crypto.{opener}" not in loaded


def test_a_refusal_does_not_say_what_it_saw() -> None:
    said = set()
    good = sealed(XWING)
    for raw in (good[:-1] + bytes([good[-1] ^ 1]), good + b"x", sealed(XWING, key=THEIRS)):
        with pytest.raises(Tampered) as refusal:
            OURS.open(raw, ROW)
        assert isinstance(refusal.value.__cause__, InvalidTag)
        said.add(str(refusal.value))
    assert said == {"this does not open"}
