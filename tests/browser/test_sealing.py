"""The browser seals as the core opens, in both suites and both directions, and its HPKE is RFC 9180's."""

import base64
import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from playwright.sync_api import Error, Page

from vault.crypto.encoding import b64, unb64
from vault.crypto.envelope import Context
from vault.crypto.opening import ServiceKey
from vault.crypto.sealing import seal
from vault.crypto.statement import KeyStatement, sign_statement, statement_public
from vault.crypto.suites import SUITES, X25519, suite_named
from vault.errors import Tampered
from vault.model.cards import holds_card_number
from vault.model.kinds import KINDS, pack_fields

pytestmark = [pytest.mark.browser]

CONTEXT = Context("dep_a", "svc_b", "key_c", "sec_d", 3, "ssh-password")
SIZES = (0, 1, 251, 252, 253, 1000, 16_380, 16_381, 70_000)

SEAL = """async ({plain, suite, key, context}) => {
  const {seal} = await import("/static/envelope.js");
  const {fromBase64, toBase64} = await import("/static/bytes.js");
  return toBase64(await seal(fromBase64(plain), suite, fromBase64(key), context));
}"""

OPEN = """async ({envelope, suite, secret, context}) => {
  const {open} = await import("/bench/opening.js");
  const {fromBase64, toBase64} = await import("/static/bytes.js");
  const key = suite === "xwing" ? fromBase64(secret.seed)
    : {jwk: secret.jwk, publicKey: fromBase64(secret.jwk.x)};
  return toBase64(await open(fromBase64(envelope), suite, key, context));
}"""


def hpke_vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        (Path(cryptography_vectors.__file__).parent / "HPKE" / name).read_text("utf-8")
    )
    return found


def jwk(private: str, public: str) -> dict[str, str]:
    """An X25519 pair, given in hexadecimal, as WebCrypto imports it."""
    return {"kty": "OKP", "crv": "X25519", "d": b64(bytes.fromhex(private)), "x": b64(bytes.fromhex(public))}


@pytest.mark.promise("P3")
@pytest.mark.parametrize("suite", [suite.name for suite in SUITES])
def test_what_the_browser_seals_the_core_opens(bench: Page, suite: str) -> None:
    key = ServiceKey.from_seed(secrets.token_bytes(32))
    for size in SIZES:
        plain = secrets.token_bytes(size)
        public = b64(key.public_keys()[suite])
        sealed = bench.evaluate(
            SEAL, {"plain": b64(plain), "suite": suite, "key": public, "context": asdict(CONTEXT)}
        )
        envelope = unb64(sealed)
        assert key.open(envelope, CONTEXT) == plain
        assert len(envelope) == len(seal(plain, suite_named(suite), key.public_keys()[suite], CONTEXT))


@pytest.mark.attack("CR01")
@pytest.mark.parametrize("suite", [suite.name for suite in SUITES])
def test_what_the_browser_sealed_for_one_row_opens_in_no_other(bench: Page, suite: str) -> None:
    key = ServiceKey.from_seed(secrets.token_bytes(32))
    public = b64(key.public_keys()[suite])
    sealed = bench.evaluate(
        SEAL, {"plain": "AAAA", "suite": suite, "key": public, "context": asdict(CONTEXT)}
    )
    for other in (
        Context("dep_x", "svc_b", "key_c", "sec_d", 3, "ssh-password"),
        Context("dep_a", "svc_b", "key_c", "sec_d", 4, "ssh-password"),
        Context("dep_a", "svc_b", "key_c", "sec_", 3, "dssh-password"),
    ):
        with pytest.raises(Tampered):
            key.open(unb64(sealed), other)


@pytest.mark.promise("P3")
@pytest.mark.parametrize("suite", [suite.name for suite in SUITES])
def test_what_the_core_seals_a_browser_opens(bench: Page, suite: str) -> None:
    seed = secrets.token_bytes(32)
    key = ServiceKey.from_seed(seed)
    if suite == X25519.name:
        # The service's own pair never leaves Python; the browser makes one, and Python seals to it.
        made = bench.evaluate(
            """async () => {
              const pair = await crypto.subtle.generateKey({name: "X25519"}, true, ["deriveBits"]);
              return crypto.subtle.exportKey("jwk", pair.privateKey);
            }"""
        )
        secret, public = {"jwk": made}, unb64(made["x"])
    else:
        secret, public = {"seed": b64(seed)}, key.public_keys()[suite]
    for size in SIZES:
        plain = secrets.token_bytes(size)
        envelope = seal(plain, suite_named(suite), public, CONTEXT)
        asked = {"envelope": b64(envelope), "suite": suite, "secret": secret, "context": asdict(CONTEXT)}
        assert unb64(bench.evaluate(OPEN, asked)) == plain


@pytest.mark.attack("CR15")
def test_the_browsers_hpke_passes_the_vectors_of_rfc_9180_that_carry_aad(bench: Page) -> None:
    vectors = [
        vector
        for vector in hpke_vectors("test-vectors.json")
        if (vector["mode"], vector["kem_id"], vector["kdf_id"], vector["aead_id"]) == (0, 0x20, 1, 2)
    ]
    assert vectors
    for vector in vectors:
        got = bench.evaluate(
            """async ({ephemeral, recipient, info, messages}) => {
              const {encapsulateX25519, keySchedule, sealMessage, KEMS} = await import("/static/hpke.js");
              const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
              const hex = (raw) => Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
              const {d, ...open} = ephemeral;
              const pair = {
                privateKey: await crypto.subtle.importKey("jwk", ephemeral, "X25519", false, ["deriveBits"]),
                publicKey: await crypto.subtle.importKey("jwk", open, "X25519", true, []),
              };
              const {encapsulated, sharedSecret} = await encapsulateX25519(bytes(recipient), pair);
              const schedule = await keySchedule(KEMS.x25519, sharedSecret, bytes(info));
              const cts = [];
              for (const [at, {aad, pt}] of messages.entries()) {
                cts.push(hex(await sealMessage(schedule, at, bytes(aad), bytes(pt))));
              }
              return {enc: hex(encapsulated), shared_secret: hex(sharedSecret), key: hex(schedule.key),
                      base_nonce: hex(schedule.baseNonce), cts};
            }""",
            {
                "ephemeral": jwk(vector["skEm"], vector["pkEm"]),
                "recipient": vector["pkRm"],
                "info": vector["info"],
                "messages": [{"aad": one["aad"], "pt": one["pt"]} for one in vector["encryptions"]],
            },
        )
        assert got.pop("cts") == [one["ct"] for one in vector["encryptions"]]
        assert got == {name: vector[name] for name in got}


@pytest.mark.attack("CR15")
def test_the_browsers_key_schedule_is_that_of_x_wings_vectors(bench: Page) -> None:
    """The published ones of this KEM and KDF use another AEAD, so the schedule is what can be compared."""
    vectors = [
        vector
        for vector in hpke_vectors("hpke-pq-test-vectors.json")
        if (vector["mode"], vector["kem_id"], vector["kdf_id"]) == (0, 0x647A, 1)
    ]
    assert vectors
    for vector in vectors:
        got = bench.evaluate(
            """async ({seed, enc, info, aead}) => {
              const {keySchedule, KEMS} = await import("/static/hpke.js");
              const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
              const hex = (raw) => Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
              const [kem, use, {subtle}] = ["MLKEM768-X25519", ["decapsulateBits"], crypto];
              const pair = await subtle.importKey("raw-seed", bytes(seed), kem, false, use);
              const shared = new Uint8Array(await subtle.decapsulateBits(kem, pair, bytes(enc)));
              const sizes = {id: aead, keyBytes: 32, nonceBytes: 12};
              const {key, baseNonce} = await keySchedule(KEMS.xwing, shared, bytes(info), sizes);
              return {shared_secret: hex(shared), key: hex(key), base_nonce: hex(baseNonce)};
            }""",
            {
                "seed": vector["skRm"],
                "enc": vector["enc"],
                "info": vector["info"],
                "aead": vector["aead_id"],
            },
        )
        assert got == {name: vector[name] for name in got}


def test_the_browser_prefers_x_wing(bench: Page) -> None:
    assert bench.evaluate("async () => (await import('/static/hpke.js')).bestSuite()") == "xwing"


@pytest.mark.promise("P3")
def test_the_browser_believes_only_the_statement_that_its_key_signed(bench: Page) -> None:
    private = secrets.token_bytes(32)
    keys = ServiceKey.from_seed(secrets.token_bytes(32)).public_keys()
    text, signature = sign_statement(
        private, KeyStatement("dep_a", "svc_b", "key_c", b64(keys["xwing"]), b64(keys["x25519"]), 1)
    )
    check = """async (given) => (await import("/static/statement.js"))
        .checkStatement(given.key, given.text, given.signature, given.deployment, given.service)
        .then((statement) => statement.key, () => "refused")"""
    good = {
        "key": b64(statement_public(private)),
        "text": text,
        "signature": signature,
        "deployment": "dep_a",
        "service": "svc_b",
    }
    assert bench.evaluate(check, good) == "key_c"
    for change in (
        {"key": b64(statement_public(secrets.token_bytes(32)))},
        {"text": text.replace("key_c", "key_x")},
        {"signature": b64(bytes(64))},
        {"deployment": "dep_x"},
        {"service": "svc_x"},
    ):
        assert bench.evaluate(check, good | change) == "refused"


def test_fields_are_packed_alike_byte_for_byte(bench: Page) -> None:
    pack = """async (fields) => {
      const {packFields} = await import("/static/envelope.js");
      return (await import("/static/bytes.js")).toBase64(packFields(fields));
    }"""
    for fields in (
        {},
        {"username": "root", "password": "  två spaces \u00a0 "},
        {"password": 'quote" back\\ slash/ \x07\x1f\x7f tab\t line\r\n \u2028 <\U0001f511>'},
    ):
        assert unb64(bench.evaluate(pack, fields)) == pack_fields(fields)


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_browser_and_core_know_the_same_card_numbers(bench: Page) -> None:
    digits = "\uff141\uff111 1111-1111.1111 \u0664\u0661\u0661\u0661"
    cases: list[dict[str, str]] = [
        {"password": "4111 1111 1111 1111"},
        {"username": "41111111", "password": "11111111"},
        {"host": "203.0.113.79", "port": "22", "username": "4567890123"},
        {"host": "2001:db8::1", "port": "4111111111111111"},
        {"password": "cvv: 123"},
        {"password": "recvv 123"},
        {"password": "Prüfziffer 123"},
        {"password": "4111\u00e91111"},
    ]
    cases += [
        {"password": "".join(secrets.choice("0123456789 -.a") for _ in range(40)), "host": digits[at % 20 :]}
        for at in range(400)
    ]
    known = bench.evaluate(
        """async (cases) => { const {holdsCardNumber} = await import("/static/cards.js");
                              return cases.map(holdsCardNumber); }""",
        cases,
    )
    assert known == [holds_card_number(case) for case in cases]
    assert any(known)
    assert not all(known)


def test_every_pattern_of_every_kind_reads_alike_in_a_browser(bench: Page) -> None:
    for kind in KINDS.values():
        for field in kind.fields:
            samples = [
                "",
                "22",
                "0",
                "65536",
                "a b",
                "shop.example",
                "-x",
                "root@x",
                "SHA256:" + "A" * 43,
                "münchen.de",
            ]
            samples += [
                "ssh-ed25519 " + "A" * 68 + " me",
                "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n",
            ]
            matched = bench.evaluate(
                "([pattern, samples]) => samples.map((one) => new RegExp(`^(?:${pattern})$`, 'v').test(one))",
                [field.pattern, samples],
            )
            assert matched == [bool(field._matches.fullmatch(sample)) for sample in samples], field.name


def test_envelopes_for_a_key_of_small_order_are_never_made(bench: Page) -> None:
    zero = base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()
    with pytest.raises(Error):
        bench.evaluate(SEAL, {"plain": "AAAA", "suite": "x25519", "key": zero, "context": asdict(CONTEXT)})
