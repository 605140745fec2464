"""The root key wraps nothing itself; each key that hangs on it unwraps its own purpose, row and bytes."""

import secrets
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto.residue import LockedBytes
from vault.crypto.rootkey import Label, RootKey, WrappingKey
from vault.errors import Sealed, Tampered

KEY = bytes(range(32))
SEED = bytes(range(100, 132))


def keyring() -> WrappingKey:
    return RootKey(KEY).derive("keyring wrap")


def test_what_was_wrapped_comes_back_for_the_same_row() -> None:
    blob = keyring().wrap(SEED, "svc_1", "key_1", 1)
    assert blob[0] == 1
    assert SEED not in blob
    assert keyring().unwrap(blob, "svc_1", "key_1", 1) == SEED
    assert blob != keyring().wrap(SEED, "svc_1", "key_1", 1)


def test_the_derivation_of_the_first_version_stays_as_it_is() -> None:
    """A changed label or hash would shut every keyring that exists."""
    assert [bytes(RootKey(KEY).derive(label)._key.view()).hex() for label in get_args(Label)] == [
        DERIVED[label] for label in get_args(Label)
    ]


DERIVED = {
    "keyring wrap": "bd6fa71b9f1fca408e5eacfc4e02e24fca6242c042bc8def48d12451e2956a4d",
    "staff factors": "959e426a50b1e9217cb3f761502e17a9ce5697dcc03c63fc0ddf0f3217699e83",
    "log disclosures": "77b193be4043622ad8b8c12d442627262d33fbd82d4b9c014fccf405cf8a0bc9",
}


@pytest.mark.attack("CR02")
def test_no_purpose_opens_what_another_wrapped() -> None:
    labels = get_args(Label)
    assert len({bytes(RootKey(KEY).derive(label)._key.view()) for label in labels}) == len(labels) == 3
    for label in labels:
        blob = RootKey(KEY).derive(label).wrap(SEED, "row")
        for other in set(labels) - {label}:
            with pytest.raises(Tampered):
                RootKey(KEY).derive(other).unwrap(blob, "row")
    with pytest.raises(Tampered):  # the same key bytes under another label
        WrappingKey.from_key(KEY, "one").unwrap(WrappingKey.from_key(KEY, "other").wrap(SEED))


@pytest.mark.attack("CR01", "CR02", "CR08")
def test_no_other_row_and_no_ambiguous_one() -> None:
    blob = keyring().wrap(SEED, "12", "3")
    for row in (("1", "23"), ("123",), ("12", "3", ""), ("12",), (), ("3", "12"), ("", "12", "3")):
        with pytest.raises(Tampered):
            keyring().unwrap(blob, *row)


@pytest.mark.attack("CR06")
def test_no_byte_of_a_wrapped_key_can_be_changed_cut_or_added() -> None:
    key = keyring()
    blob = key.wrap(SEED, "row")
    damaged = [
        blob[:at] + bytes([blob[at] ^ mask]) + blob[at + 1 :] for at in range(len(blob)) for mask in (1, 0x80)
    ]
    damaged += [blob[:length] for length in range(len(blob))]
    damaged += [blob + b"\0", b"\1" + blob, blob + blob]
    for raw in damaged:
        with pytest.raises(Tampered):
            key.unwrap(raw, "row")


@given(st.binary(max_size=400))
def test_any_bytes_are_tampered(raw: bytes) -> None:
    for blob in (raw, b"\1" + raw):
        with pytest.raises(Tampered):
            SHARED.unwrap(blob, "row")


SHARED = keyring()


def test_another_root_key_opens_nothing() -> None:
    blob = keyring().wrap(SEED, "row")
    with pytest.raises(Tampered):
        RootKey(secrets.token_bytes(32)).derive("keyring wrap").unwrap(blob, "row")


def test_a_key_has_32_bytes() -> None:
    for size in (0, 16, 31, 33, 64):
        with pytest.raises(Tampered):
            RootKey(bytes(size))
        with pytest.raises(Tampered):
            WrappingKey.from_key(bytes(size), "label")


def test_a_wiped_key_refuses_instead_of_working_with_zeros() -> None:
    root = RootKey(KEY)
    wrapping = root.derive("staff factors")
    blob = wrapping.wrap(SEED)
    root.wipe()
    assert wrapping.unwrap(blob) == SEED  # it has its own lifetime
    wrapping.wipe()
    wrapping.wipe()
    for deed in (
        lambda: root.derive("staff factors"),
        lambda: wrapping.wrap(SEED),
        lambda: wrapping.unwrap(blob),
    ):
        with pytest.raises(Sealed):
            deed()


def test_a_wipe_in_the_middle_of_a_wrap_lets_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As another thread would do it: after the key was asked for, before it is used."""
    key = keyring()
    view = LockedBytes.view

    def wiped_meanwhile(locked: LockedBytes) -> memoryview:
        seen = view(locked)
        key.wipe()
        return seen

    monkeypatch.setattr(LockedBytes, "view", wiped_meanwhile)
    with pytest.raises(Sealed):
        key.wrap(SEED, "row")
