// Opens envelopes, for the tests alone: the product's pages have nothing that can.

import { bigEndian, concat, nonceAt, utf8 } from "/static/bytes.js";
import { packedContext } from "/static/envelope.js";
import { expand, KEMS, keySchedule } from "/static/hpke.js";

const labeledExtract = async (suite, salt, label, material) => {
  const key = await crypto.subtle.importKey("raw", salt.length ? salt : new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, concat(utf8("HPKE-v1"), suite, utf8(label), material)));
};

async function decapsulateX25519(encapsulated, privateJwk, publicKey) {
  const privateKey = await crypto.subtle.importKey("jwk", privateJwk, { name: "X25519" }, false, ["deriveBits"]);
  const sender = await crypto.subtle.importKey("raw", encapsulated, { name: "X25519" }, false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: sender }, privateKey, 256));
  const suite = concat(utf8("KEM"), bigEndian(0x20, 2));
  const prk = await labeledExtract(suite, new Uint8Array(), "eae_prk", shared);
  const info = concat(bigEndian(32, 2), utf8("HPKE-v1"), suite, utf8("shared_secret"), encapsulated, publicKey);
  return expand(prk, info, 32);
}

async function decapsulateXWing(encapsulated, seed) {
  const privateKey = await crypto.subtle.importKey("raw-seed", seed, "MLKEM768-X25519", false, ["decapsulateBits"]);
  return new Uint8Array(await crypto.subtle.decapsulateBits("MLKEM768-X25519", privateKey, encapsulated));
}

async function openAead(key, baseNonce, count, ciphertext) {
  const imported = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonceAt(baseNonce, count) }, imported, ciphertext));
}

// `secret` is the seed for xwing, and {jwk, publicKey} for x25519.
export async function open(envelope, suiteName, secret, context) {
  const sealedSize = { xwing: 1168, x25519: 80 }[suiteName];
  const encSize = sealedSize - 48;
  if (envelope[4] !== KEMS[suiteName].number) throw new Error("another suite");
  const sealedKey = envelope.subarray(5, 5 + sealedSize);
  const message = envelope.subarray(5 + sealedSize);
  const info = packedContext(context, suiteName);
  const encapsulated = sealedKey.subarray(0, encSize);
  const shared = suiteName === "xwing" ? await decapsulateXWing(encapsulated, secret) : await decapsulateX25519(encapsulated, secret.jwk, secret.publicKey);
  const schedule = await keySchedule(KEMS[suiteName], shared, info);
  const dataKey = await openAead(schedule.key, schedule.baseNonce, 0, sealedKey.subarray(encSize));
  const salt = message.subarray(0, 24);
  const derived = await expand(dataKey, concat(utf8("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"), salt, info), 76, "SHA-512");
  if (derived.subarray(44).some((byte, at) => byte !== message[24 + at])) throw new Error("another commitment");
  let padded = new Uint8Array();
  for (let at = 56, count = 0; at < message.length; at += 16400, count += 1) {
    padded = concat(padded, await openAead(derived.subarray(0, 32), derived.subarray(32, 44), count, message.subarray(at, at + 16400)));
  }
  const length = new DataView(padded.buffer).getUint32(0);
  return padded.subarray(4, 4 + length);
}
