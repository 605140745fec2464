// HPKE in base mode (RFC 9180): seals a data key to a service's public key. There is no open here: this page cannot read.

import { bigEndian, concat, nonceAt, utf8 } from "./bytes.js";

const subtle = globalThis.crypto?.subtle;
const HASH_BYTES = 32;
const AEAD = { id: 0x0002, keyBytes: 32, nonceBytes: 12 }; // AES-256-GCM
const KDF_ID = 0x0001; // HKDF-SHA256
const VERSION = utf8("HPKE-v1");
const EMPTY = new Uint8Array();

// RFC 5869, section 2.2. An empty salt stands for zeros, and WebCrypto knows no empty HMAC key.
async function extract(salt, keyMaterial) {
  return hmac(salt.length ? salt : new Uint8Array(HASH_BYTES), keyMaterial);
}

// RFC 5869, section 2.3. WebCrypto's own HKDF always extracts first, so it cannot expand a key as it stands.
export async function expand(key, info, length, hash = "SHA-256") {
  let block = EMPTY;
  let output = EMPTY;
  for (let count = 1; output.length < length; count += 1) {
    block = await hmac(key, concat(block, info, Uint8Array.of(count)), hash);
    output = concat(output, block);
  }
  return output.slice(0, length);
}

async function hmac(key, message, hash = "SHA-256") {
  const imported = await subtle.importKey("raw", key, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, message));
}

const labeledExtract = (suite, salt, label, keyMaterial) =>
  extract(salt, concat(VERSION, suite, utf8(label), keyMaterial));

const labeledExpand = (suite, key, label, info, length) =>
  expand(key, concat(bigEndian(length, 2), VERSION, suite, utf8(label), info), length);

// DHKEM(X25519, HKDF-SHA256), RFC 9180 section 4.1. A vector brings its own ephemeral pair.
export async function encapsulateX25519(publicKey, ephemeral) {
  const pair = ephemeral ?? (await subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]));
  const recipient = await subtle.importKey("raw", publicKey, { name: "X25519" }, false, []);
  // deriveBits refuses points of small order itself: an all-zero result is an error (WICG secure curves).
  const shared = new Uint8Array(await subtle.deriveBits({ name: "X25519", public: recipient }, pair.privateKey, 256));
  const encapsulated = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  const suite = concat(utf8("KEM"), bigEndian(KEMS.x25519.id, 2));
  const prk = await labeledExtract(suite, EMPTY, "eae_prk", shared);
  const sharedSecret = await labeledExpand(suite, prk, "shared_secret", concat(encapsulated, publicKey), HASH_BYTES);
  return { encapsulated, sharedSecret };
}

// X-Wing by the browser's own MLKEM768-X25519; its shared key is HPKE's shared secret as it stands.
async function encapsulateXWing(publicKey) {
  const recipient = await subtle.importKey("raw-public", publicKey, "MLKEM768-X25519", false, ["encapsulateBits"]);
  const { ciphertext, sharedKey } = await subtle.encapsulateBits("MLKEM768-X25519", recipient);
  return { encapsulated: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) };
}

export const KEMS = {
  xwing: { id: 0x647a, number: 1, encapsulate: encapsulateXWing },
  x25519: { id: 0x0020, number: 2, encapsulate: encapsulateX25519 },
};

// RFC 9180, section 5.1, base mode: no pre-shared key. `aead` differs only in published vectors.
export async function keySchedule(kem, sharedSecret, info, aead = AEAD) {
  const suite = concat(utf8("HPKE"), bigEndian(kem.id, 2), bigEndian(KDF_ID, 2), bigEndian(aead.id, 2));
  const pskHash = await labeledExtract(suite, EMPTY, "psk_id_hash", EMPTY);
  const infoHash = await labeledExtract(suite, EMPTY, "info_hash", info);
  const context = concat(Uint8Array.of(0), pskHash, infoHash);
  const secret = await labeledExtract(suite, sharedSecret, "secret", EMPTY);
  return {
    key: await labeledExpand(suite, secret, "key", context, aead.keyBytes),
    baseNonce: await labeledExpand(suite, secret, "base_nonce", context, aead.nonceBytes),
  };
}

// RFC 9180, section 5.2: the message number `counter` under a key schedule.
export async function sealMessage({ key, baseNonce }, counter, aad, plaintext) {
  const imported = await subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  const how = { name: "AES-GCM", iv: nonceAt(baseNonce, counter), additionalData: aad, tagLength: 128 };
  return new Uint8Array(await subtle.encrypt(how, imported, plaintext));
}

// One message, as `enc || ct`.
export async function seal(suiteName, publicKey, info, plaintext) {
  const kem = KEMS[suiteName];
  const { encapsulated, sharedSecret } = await kem.encapsulate(publicKey);
  const schedule = await keySchedule(kem, sharedSecret, info);
  return concat(encapsulated, await sealMessage(schedule, 0, EMPTY, plaintext));
}

// The best suite that this browser has, or null where it has none of them.
export async function bestSuite() {
  if (!subtle) return null;
  if (globalThis.SubtleCrypto?.supports?.("encapsulateBits", "MLKEM768-X25519") === true) return "xwing";
  try {
    await subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
    return "x25519";
  } catch {
    return null;
  }
}
