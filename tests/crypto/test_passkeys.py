"""Passkeys: an honest one is accepted, and every lie of WebAuthn's lists is refused in the same words."""

import hashlib
import json
import secrets
from contextlib import nullcontext
from typing import Any

import pytest
from fido2 import cbor
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.authenticator import AT, ED, EDDSA, ES256, ES384, RS1, RS256, Lies, SoftPasskey
from vault.crypto.encoding import b64, unb64
from vault.crypto.passkeys import (
    LARGEST_ANSWER,
    LEAVES_THE_DEVICE,
    NOT_ACCEPTED,
    Passkey,
    RelyingParty,
    assertion_options,
    credential_handle,
    credential_id_of,
    new_challenge,
    register,
    registration_options,
    verify,
)
from vault.errors import Denied, Tampered

ORIGIN = "https://vault.example"
RP = RelyingParty("vault.example", ORIGIN, "Green Lane Web")
STRICT = RelyingParty("vault.example", ORIGIN, "Green Lane Web", device_bound=True)
ADA = b"per_ada"
BOB = b"per_bob"
CHALLENGE = new_challenge()
EVERY_LIE = {
    "a sister's origin": Lies(origin="https://vault.example.evil.example"),
    "a subdomain": Lies(origin="https://www.vault.example"),
    "plain http": Lies(origin="http://vault.example"),
    "another port": Lies(origin="https://vault.example:8443"),
    "a trailing slash": Lies(origin="https://vault.example/"),
    "no origin": Lies(origin="null"),
    "another host's hash": Lies(rp_id="evil.example"),
    "a parent's hash": Lies(rp_id="example"),
    "a type of nothing": Lies(type="webauthn"),
    "another challenge": Lies(challenge=new_challenge()),
    "a longer challenge": Lies(challenge=CHALLENGE + b"\0"),
    "no challenge": Lies(challenge=b""),
    "somebody's frame": Lies(cross_origin=True),
    "a page above": Lies(top_origin=ORIGIN),
    "nobody there": Lies(user_present=False),
    "nobody verified": Lies(user_verified=False),
    "a backup of what has none": Lies(backup_eligible=False, backed_up=True),
    "another id": Lies(credential_id=secrets.token_bytes(32)),
    "an id that is no id": Lies(credential_id=b""),
    "bytes behind": Lies(tail=b"\0"),
    "an empty map behind": Lies(tail=b"\xa0"),
    "an extension of nothing": Lies(flags=ED),
    "an extension that is no map": Lies(flags=ED, tail=b"\x01"),
    "an extension said twice": Lies(flags=ED, tail=b"\xa2\x61a\x01\x61a\x02"),
    "an extension cut short": Lies(flags=ED, tail=b"\xa1\x61a\x44xx"),
    "an extension cut short and drawn out": Lies(flags=ED, tail=b"\xa1\x18\x01\x44xx"),
    "an extension and more": Lies(flags=ED, tail=b"\xa1\x61a\x01\x00"),
    "an empty statement": Lies(client_data=b""),
    "a list": Lies(client_data=b"[]"),
    "a bomb": Lies(client_data=b"[" * 5000),
}


def made(passkey: SoftPasskey, rp: RelyingParty = RP) -> Passkey:
    options = registration_options(rp, CHALLENGE, ADA, "ada@agency.example", "Ada Adams", [])
    return register(rp, CHALLENGE, passkey.create(options))


def asked(rp: RelyingParty = RP, *allow: bytes) -> dict[str, Any]:
    return assertion_options(rp, CHALLENGE, allow)


def creation() -> dict[str, Any]:
    return registration_options(RP, CHALLENGE, ADA, "ada@agency.example", "Ada Adams", [])


def is_refused(call: Any, *rest: Any) -> None:
    with pytest.raises(Denied) as refusal:
        call(*rest)
    assert type(refusal.value) is Denied
    assert str(refusal.value) == NOT_ACCEPTED
    assert refusal.value.__cause__ is None


def test_what_a_browser_is_asked_to_make() -> None:
    options = registration_options(RP, CHALLENGE, ADA, "ada@agency.example", "Ada Adams", [b"old"])
    assert json.loads(json.dumps(options)) == options
    assert options["rp"] == {"id": "vault.example", "name": "Green Lane Web"}
    assert options["user"] == {"id": b64(ADA), "name": "ada@agency.example", "displayName": "Ada Adams"}
    assert options["challenge"] == b64(CHALLENGE)
    assert [entry["alg"] for entry in options["pubKeyCredParams"]] == [ES256, EDDSA, RS256]
    assert options["timeout"] == 300_000
    assert options["excludeCredentials"] == [{"type": "public-key", "id": b64(b"old")}]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"


def test_what_a_browser_is_asked_to_sign() -> None:
    options = assertion_options(RP, CHALLENGE, [b"one", b"two"])
    assert json.loads(json.dumps(options)) == options
    assert options["rpId"] == "vault.example"
    assert options["userVerification"] == "required"
    assert [entry["id"] for entry in options["allowCredentials"]] == [b64(b"one"), b64(b"two")]
    assert asked()["allowCredentials"] == []


def test_a_challenge_is_new_and_32_bytes_long() -> None:
    assert len({new_challenge() for _ in range(100)}) == 100
    assert len(new_challenge()) == 32


@pytest.mark.parametrize("alg", [ES256, EDDSA, RS256])
@pytest.mark.parametrize("synced", [False, True])
def test_an_honest_passkey_is_registered_and_proves_itself(alg: int, synced: bool) -> None:
    key = SoftPasskey(ORIGIN, alg=alg, synced=synced)
    passkey = made(key)
    assert (passkey.credential_id, passkey.sign_count) == (key.id, 0)
    assert (passkey.device_bound, passkey.backed_up) == (not synced, synced)
    answer = key.get(asked())
    assert credential_id_of(answer) == key.id
    assert unb64(answer["response"]["userHandle"]) == ADA
    count = verify(RP, CHALLENGE, answer, passkey.data, 0, ADA)
    assert count == key.sign_count == (0 if synced else 1)
    named = key.get(asked(RP, key.id))
    assert "userHandle" not in named["response"]
    assert verify(RP, CHALLENGE, named, passkey.data, count, ADA) == key.sign_count


def test_extensions_that_are_whole_do_no_harm() -> None:
    key = SoftPasskey(ORIGIN)
    answer = key.create(creation(), Lies(flags=ED, tail=cbor.encode({"credProtect": 2})))
    passkey = register(RP, CHALLENGE, answer)
    lies = Lies(flags=ED, tail=cbor.encode({"example": True}))
    assert verify(RP, CHALLENGE, key.get(asked(), lies), passkey.data, 0, ADA) == 1


def test_who_made_the_authenticator_decides_nothing() -> None:
    """Some browsers pass the statement on although none was asked for."""
    lies = Lies(format="packed", statement={"alg": -7, "sig": b"x" * 70})
    assert register(RP, CHALLENGE, SoftPasskey(ORIGIN).create(creation(), lies))
    empty = Lies(format="none", statement={"alg": -7})
    is_refused(register, RP, CHALLENGE, SoftPasskey(ORIGIN).create(creation(), empty))


@pytest.mark.attack("AN22")
@pytest.mark.parametrize("lie", [*EVERY_LIE, "the other deed"])
def test_a_lie_makes_no_passkey(lie: str) -> None:
    lies = EVERY_LIE.get(lie, Lies(type="webauthn.get"))
    is_refused(register, RP, CHALLENGE, SoftPasskey(ORIGIN).create(creation(), lies))


@pytest.mark.attack("AN22")
@pytest.mark.parametrize("lie", [*EVERY_LIE, "the other deed"])
def test_a_lie_proves_nothing(lie: str) -> None:
    key = SoftPasskey(ORIGIN)
    passkey = made(key)
    lies = EVERY_LIE.get(lie, Lies(type="webauthn.create"))
    is_refused(verify, RP, CHALLENGE, key.get(asked(), lies), passkey.data, 0, ADA)
    assert verify(RP, CHALLENGE, key.get(asked()), passkey.data, 0, ADA)  # and the truth still does


def client_data(*more: str) -> bytes:
    kind = '"type":"webauthn.get"'
    return (
        "{" + ",".join((kind, f'"challenge":"{b64(CHALLENGE)}"', f'"origin":"{ORIGIN}"', *more)) + "}"
    ).encode()


@pytest.mark.attack("AN22")
@pytest.mark.parametrize(
    "more",
    ['"crossOrigin":null', '"crossOrigin":"false"', '"crossOrigin":0', '"topOrigin":null', '"origin":"x"'],
)
def test_what_the_browser_says_has_one_reading(more: str) -> None:
    key = SoftPasskey(ORIGIN)
    passkey = made(key)
    is_refused(
        verify, RP, CHALLENGE, key.get(asked(), Lies(client_data=client_data(more))), passkey.data, 0, ADA
    )
    twice = Lies(client_data=client_data(f'"origin":"{ORIGIN}"'))
    is_refused(verify, RP, CHALLENGE, key.get(asked(), twice), passkey.data, 0, ADA)
    padded = Lies(client_data=client_data().replace(b64(CHALLENGE).encode(), b64(CHALLENGE).encode() + b"="))
    is_refused(verify, RP, CHALLENGE, key.get(asked(), padded), passkey.data, 0, ADA)
    plain = Lies(client_data=client_data('"other_keys_can_be_added_here":"see §5.8.1"'))
    assert verify(RP, CHALLENGE, key.get(asked(), plain), passkey.data, 0, ADA)


@pytest.mark.attack("AN22")
def test_a_passkey_answers_for_its_owner_alone() -> None:
    key = SoftPasskey(ORIGIN)
    passkey = made(key)
    for handle in (BOB, b"", ADA + b"\0"):
        is_refused(verify, RP, CHALLENGE, key.get(asked(), Lies(user_handle=handle)), passkey.data, 0, ADA)
    is_refused(verify, RP, CHALLENGE, key.get(asked()), passkey.data, 0, BOB)
    other = made(SoftPasskey(ORIGIN))
    is_refused(verify, RP, CHALLENGE, key.get(asked()), other.data, 0, ADA)
    posing = key.get(asked(), Lies(credential_id=other.credential_id))
    is_refused(verify, RP, CHALLENGE, posing, other.data, 0, ADA)
    assert verify(RP, CHALLENGE, key.get(asked(), Lies(user_handle=ADA)), passkey.data, 0, ADA)


@pytest.mark.attack("AN22")
@pytest.mark.parametrize(("stored", "said"), [(5, 5), (5, 4), (5, 0), (1, 1), (2**32 - 1, 0)])
def test_a_count_that_does_not_grow_is_somebody_elses_copy(stored: int, said: int) -> None:
    key = SoftPasskey(ORIGIN)
    passkey = made(key)
    is_refused(verify, RP, CHALLENGE, key.get(asked(), Lies(sign_count=said)), passkey.data, stored, ADA)


@pytest.mark.parametrize(("stored", "said"), [(0, 0), (0, 1), (5, 6), (5, 2**32 - 1)])
def test_a_count_that_grows_or_never_counted_is_right(stored: int, said: int) -> None:
    key = SoftPasskey(ORIGIN)
    passkey = made(key)
    answer = key.get(asked(), Lies(sign_count=said))
    assert verify(RP, CHALLENGE, answer, passkey.data, stored, ADA) == said


@pytest.mark.attack("AN22")
def test_whether_it_can_be_backed_up_never_changes() -> None:
    """WebAuthn L3 §7.2 step 19; whether it is backed up may."""
    stays, synced = SoftPasskey(ORIGIN), SoftPasskey(ORIGIN, synced=True)
    bound, free = made(stays), made(synced)
    is_refused(verify, RP, CHALLENGE, stays.get(asked(), Lies(backup_eligible=True)), bound.data, 0, ADA)
    lies = Lies(backup_eligible=False, backed_up=False)
    is_refused(verify, RP, CHALLENGE, synced.get(asked(), lies), free.data, 0, ADA)
    assert verify(RP, CHALLENGE, synced.get(asked(), Lies(backed_up=False)), free.data, 0, ADA) == 0


@pytest.mark.attack("AN22")
def test_a_business_may_take_only_passkeys_that_stay_where_they_are() -> None:
    synced = SoftPasskey(ORIGIN, synced=True)
    with pytest.raises(Denied) as refusal:
        made(synced, STRICT)
    assert str(refusal.value) == LEAVES_THE_DEVICE
    with pytest.raises(Denied, match="stay on one device"):
        register(STRICT, CHALLENGE, synced.create(creation(), Lies(backed_up=False)))
    is_refused(register, STRICT, CHALLENGE, synced.create(creation(), Lies(origin="https://evil.example")))
    before = made(synced)  # registered while the business took them
    is_refused(verify, STRICT, CHALLENGE, synced.get(asked(STRICT)), before.data, 0, ADA)
    key = SoftPasskey(ORIGIN)
    passkey = made(key, STRICT)
    assert verify(STRICT, CHALLENGE, key.get(asked(STRICT)), passkey.data, 0, ADA) == 1


P256 = SoftPasskey(ORIGIN).public_key
ED25519 = SoftPasskey(ORIGIN, alg=EDDSA).public_key
RSA = SoftPasskey(ORIGIN, alg=RS256).public_key
BAD_KEYS = {
    "no algorithm": {label: value for label, value in P256.items() if label != 3},
    "algorithm 0": {**P256, 3: 0},
    "algorithm of text": {**P256, 3: "none"},
    "an unknown algorithm": {**P256, 3: -7777},
    "ES256 as ESP256": {**P256, 3: -9},
    "ES384": SoftPasskey(ORIGIN, alg=ES384).public_key,
    "RS1": SoftPasskey(ORIGIN, alg=RS1).public_key,
    "PS256": {**RSA, 3: -37},
    "RS256 with a point": {**P256, 3: RS256},
    "another curve": {**P256, -1: 2},
    "another key type": {**P256, 1: 1},
    "a point beside the curve": {**P256, -3: bytes(32)},
    "a short coordinate": {**P256, -2: P256[-2][:31]},
    "a coordinate with a zero before": {**P256, -2: b"\0" + P256[-2]},
    "a coordinate of text": {**P256, -2: "x" * 32},
    "a coordinate of numbers": {**P256, -2: list(P256[-2])},
    "a private part": {**P256, -4: bytes(32)},
    "no coordinate": {label: value for label, value in P256.items() if label != -3},
    "Ed448": {**ED25519, -1: 7},
    "a short Ed25519": {**ED25519, -2: ED25519[-2][:31]},
    "a small modulus": {**RSA, -1: RSA[-1][:128]},
    "a huge modulus": {**RSA, -1: RSA[-1] * 4},
    "exponent 1": {**RSA, -2: b"\x01"},
    "exponent 3": {**RSA, -2: b"\x03"},
    "a huge exponent": {**RSA, -2: RSA[-1]},
    "an even modulus": {**RSA, -1: RSA[-1][:-1] + b"\0"},
    "nothing": {},
}


@pytest.mark.attack("AN22")
@pytest.mark.parametrize("what", BAD_KEYS)
def test_a_key_that_was_not_asked_for_or_makes_no_sense_is_not_taken(what: str) -> None:
    alg = EDDSA if "Ed" in what else RS256 if "exponent" in what or "modulus" in what else ES256
    key = SoftPasskey(ORIGIN, alg=alg)
    is_refused(register, RP, CHALLENGE, key.create(creation(), Lies(public_key=BAD_KEYS[what])))
    assert register(RP, CHALLENGE, key.create(creation()))


# -- answers that no browser gives ------------------------------------------------------------------------------------

KEY = SoftPasskey(ORIGIN)
PASSKEY = made(KEY)
CREATED = KEY.create(creation())
SIGNED = KEY.get(asked())
MEMBERS = ["id", "rawId", "type", "response"]
CREATED_PARTS = ["clientDataJSON", "attestationObject"]
SIGNED_PARTS = ["clientDataJSON", "authenticatorData", "signature"]
NO_TEXT = [None, 0, 1.5, True, [], {}, "", "=", "not base64!", "\ud800", b"bytes", ["a"], {"a": "b"}]


def judge_both(created: Any, signed: Any) -> None:
    is_refused(register, RP, CHALLENGE, created)
    is_refused(verify, RP, CHALLENGE, signed, PASSKEY.data, 0, ADA)


@pytest.mark.attack("AN22")
def test_a_field_that_is_missing_or_of_another_type_is_refused() -> None:
    for name in MEMBERS:
        judge_both(*({k: v for k, v in whole.items() if k != name} for whole in (CREATED, SIGNED)))
        for value in NO_TEXT:
            judge_both({**CREATED, name: value}, {**SIGNED, name: value})
    for name in CREATED_PARTS:
        parts = CREATED["response"]
        is_refused(
            register, RP, CHALLENGE, {**CREATED, "response": {k: v for k, v in parts.items() if k != name}}
        )
        for value in NO_TEXT:
            is_refused(register, RP, CHALLENGE, {**CREATED, "response": {**parts, name: value}})
    for name in SIGNED_PARTS:
        parts = SIGNED["response"]
        less = {**SIGNED, "response": {k: v for k, v in parts.items() if k != name}}
        is_refused(verify, RP, CHALLENGE, less, PASSKEY.data, 0, ADA)
        for value in NO_TEXT:
            answer = {**SIGNED, "response": {**parts, name: value}}
            is_refused(verify, RP, CHALLENGE, answer, PASSKEY.data, 0, ADA)
    for value in NO_TEXT[1:]:
        answer = {**SIGNED, "response": {**SIGNED["response"], "userHandle": value}}
        is_refused(verify, RP, CHALLENGE, answer, PASSKEY.data, 0, ADA)
    for whole in (None, [], "x", 1, {}):
        judge_both(whole, whole)
        is_refused(credential_id_of, whole)
    without = {**SIGNED, "response": {**SIGNED["response"], "userHandle": None}}  # as browsers write none
    assert verify(RP, CHALLENGE, without, PASSKEY.data, 0, ADA) == 1


@pytest.mark.attack("AN22")
def test_the_id_is_one_of_possible_length_and_said_twice_alike() -> None:
    assert credential_id_of(SIGNED) == KEY.id
    for said in (b"", bytes(1024)):
        is_refused(credential_id_of, {**SIGNED, "id": b64(said), "rawId": b64(said)})
    is_refused(credential_id_of, {**SIGNED, "rawId": b64(b"another")})
    is_refused(credential_id_of, {**SIGNED, "id": SIGNED["id"] + "=", "rawId": SIGNED["id"] + "="})
    is_refused(credential_id_of, {**SIGNED, "type": "password"})
    assert len(credential_id_of({**SIGNED, "id": b64(bytes(1023)), "rawId": b64(bytes(1023))})) == 1023


@pytest.mark.attack("AN22", "DO04")
def test_an_answer_of_absurd_size_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it was parsed")

    big = b64(b"{" + b" " * LARGEST_ANSWER)
    monkeypatch.setattr("vault.crypto.passkeys.unb64", never)
    for name in CREATED_PARTS:
        is_refused(register, RP, CHALLENGE, {**CREATED, "response": {**CREATED["response"], name: big}})
    monkeypatch.setattr("vault.crypto.passkeys._one_refusal", nullcontext)  # it would hide the AssertionError
    with pytest.raises(Denied):
        register(RP, CHALLENGE, {**CREATED, "response": {**CREATED["response"], "attestationObject": big}})


@pytest.mark.attack("AN22")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw + b"\0",
        lambda raw: raw + raw,
        lambda raw: raw[:-1],
        lambda raw: b"",
        lambda raw: b"\x81" * 11_000,  # a list of a list of a list …
        lambda raw: b"\x9b" + b"\xff" * 8,  # a list of 2**64 - 1
        lambda raw: b"\x5b" + b"\xff" * 8,
        lambda raw: b"\xa4" + raw[1:] + b"\x63fmt\x64none",  # the format twice
        lambda raw: cbor.encode({**cbor.decode(raw), "fmt": 1, "attStmt": []}) + b"\xf6",
        lambda raw: cbor.encode({"fmt": "none", "attStmt": {}}),
        lambda raw: cbor.encode({"fmt": "none", "attStmt": {}, "authData": "text"}),
    ],
    ids=range(11),
)
def test_an_attestation_of_loose_ends_is_refused(spoil: Any) -> None:
    raw = unb64(CREATED["response"]["attestationObject"])
    answer = {**CREATED, "response": {**CREATED["response"], "attestationObject": b64(spoil(raw))}}
    is_refused(register, RP, CHALLENGE, answer)
    assert register(RP, CHALLENGE, CREATED)


@pytest.mark.attack("AN22")
def test_what_is_registered_is_the_passkey_that_was_made() -> None:
    """Without the attested credential there is none, and the id around it must be the one inside."""
    raw = cbor.decode(unb64(CREATED["response"]["attestationObject"]))
    auth = bytearray(raw["authData"])
    auth[32] &= ~AT
    for data in (bytes(auth), bytes(auth[:37])):
        attestation = b64(cbor.encode({**raw, "authData": data}))
        answer = {**CREATED, "response": {**CREATED["response"], "attestationObject": attestation}}
        is_refused(register, RP, CHALLENGE, answer)
    is_refused(register, RP, CHALLENGE, KEY.create(creation(), Lies(credential_id=b"another")))


@pytest.mark.attack("AN22")
def test_an_answer_is_signed_as_a_whole() -> None:
    for name in SIGNED_PARTS:
        raw = unb64(SIGNED["response"][name])
        for at in range(0, len(raw), 5):
            spoilt = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
            answer = {**SIGNED, "response": {**SIGNED["response"], name: b64(spoilt)}}
            is_refused(verify, RP, CHALLENGE, answer, PASSKEY.data, 0, ADA)
    attested = Lies(flags=AT, tail=PASSKEY.data[1:])  # which belongs into a registration
    is_refused(verify, RP, CHALLENGE, KEY.get(asked(), attested), PASSKEY.data, 0, ADA)
    for signature in (b"", b"\0", b"\x30\x06\x02\x01\x00\x02\x01\x00"):
        is_refused(verify, RP, CHALLENGE, KEY.get(asked(), Lies(signature=signature)), PASSKEY.data, 0, ADA)


@pytest.mark.attack("AN22")
def test_no_challenge_and_a_short_one_are_never_answered() -> None:
    for challenge in (b"", b"\0" * 16, CHALLENGE[:-1]):
        options = assertion_options(RP, challenge, [])
        is_refused(verify, RP, challenge, KEY.get(options), PASSKEY.data, 0, ADA)
        is_refused(register, RP, challenge, KEY.create({**creation(), "challenge": b64(challenge)}))
    is_refused(verify, RP, new_challenge(), SIGNED, PASSKEY.data, 0, ADA)


@pytest.mark.attack("CR06")
def test_a_stored_passkey_that_was_changed_is_not_the_askers_fault() -> None:
    for data in (b"", b"\x02" + PASSKEY.data[1:], PASSKEY.data[:40], PASSKEY.data + b"\0", b"\0" * 100):
        with pytest.raises(Tampered):
            verify(RP, CHALLENGE, SIGNED, data, 0, ADA)


def test_what_is_looked_up_is_a_hash_of_its_own_kind() -> None:
    assert len(credential_handle(KEY.id)) == 32
    assert credential_handle(KEY.id) != hashlib.sha256(KEY.id).digest()
    assert "data" not in repr(PASSKEY)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=60).map(b64),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MEMBERS, *SIGNED_PARTS]), inner)
    ),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["", *MEMBERS]))
def test_any_json_is_refused(value: Any, name: str) -> None:
    judge_both(*(({**whole, name: value} if name else value) for whole in (CREATED, SIGNED)))


@given(st.sampled_from([*CREATED_PARTS, *SIGNED_PARTS]), st.binary(max_size=300), st.integers(0, 200))
def test_any_bytes_are_refused(name: str, raw: bytes, keep: int) -> None:
    for whole in (CREATED, SIGNED):
        if name in whole["response"]:
            true = unb64(whole["response"][name])
            made = true[:keep] + raw
            assume(made.strip(b" \t\r\n") != true)  # JSON means the same with space around it
            answer = {**whole, "response": {**whole["response"], name: b64(made)}}
            if whole is CREATED:
                is_refused(register, RP, CHALLENGE, answer)
            else:
                is_refused(verify, RP, CHALLENGE, answer, PASSKEY.data, 0, ADA)


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_for_a_key_are_refused(raw: bytes) -> None:
    """Whatever CBOR stands where the public key should."""
    attested = bytes(16) + len(KEY.id).to_bytes(2) + KEY.id + raw
    auth = hashlib.sha256(b"vault.example").digest() + bytes([0x45]) + bytes(4) + attested
    attestation = b64(cbor.encode({"fmt": "none", "attStmt": {}, "authData": auth}))
    answer = {**CREATED, "response": {**CREATED["response"], "attestationObject": attestation}}
    is_refused(register, RP, CHALLENGE, answer)
