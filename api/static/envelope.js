// Seals a secret into an envelope: the browser's half of vault/crypto/envelope.py and sealing.py.

import { bigEndian, concat, nonceAt, pack, utf8 } from "./bytes.js";
import { expand, KEMS, seal as sealToKey } from "./hpke.js";

const CHUNK = 16 * 1024;
const SMALLEST = 256;
export const MOST_PLAINTEXT = 2 * 1024 * 1024 - 4;

// Length, data and zeros up to 256 bytes or the next power of two: the size tells nothing.
export function pad(data) {
  if (data.length > MOST_PLAINTEXT) throw new RangeError("too long to be kept");
  let size = SMALLEST;
  while (size < data.length + 4) size *= 2;
  const padded = new Uint8Array(size);
  padded.set(bigEndian(data.length, 4));
  padded.set(data, 4);
  return padded;
}

// Cobblestone-256 (C2SP chunked-encryption with SHA-512 and AES-256-GCM): salt, commitment, chunks; the last is short.
export async function sealChunks(plaintext, key, context, salt = crypto.getRandomValues(new Uint8Array(24))) {
  const purpose = utf8("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0");
  const derived = await expand(key, concat(purpose, salt, context), 32 + 12 + 32, "SHA-512");
  const [chunkKey, baseNonce, commitment] = [derived.subarray(0, 32), derived.subarray(32, 44), derived.subarray(44)];
  const imported = await crypto.subtle.importKey("raw", chunkKey, "AES-GCM", false, ["encrypt"]);
  const chunks = [];
  for (let count = 0; count * CHUNK <= plaintext.length; count += 1) {
    const how = { name: "AES-GCM", iv: nonceAt(baseNonce, count), tagLength: 128 };
    const chunk = plaintext.subarray(count * CHUNK, (count + 1) * CHUNK);
    chunks.push(new Uint8Array(await crypto.subtle.encrypt(how, imported, chunk)));
  }
  return concat(salt, commitment, ...chunks);
}

// The row that an envelope belongs to, each part behind its length.
export const packedContext = (context, suiteName) =>
  pack(
    "valetkey/v1",
    context.deployment,
    context.service,
    context.key,
    context.secret,
    context.version,
    context.kind,
    suiteName,
  );

// An envelope that opens only with the service's key and only for this context. The data key is fresh and forgotten.
export async function seal(plaintext, suiteName, publicKey, context) {
  const boundTo = packedContext(context, suiteName);
  const dataKey = crypto.getRandomValues(new Uint8Array(32));
  const padded = pad(plaintext);
  try {
    const sealedKey = await sealToKey(suiteName, publicKey, boundTo, dataKey);
    const message = await sealChunks(padded, dataKey, boundTo);
    return concat(utf8("VKE1"), Uint8Array.of(KEMS[suiteName].number), sealedKey, message);
  } finally {
    dataKey.fill(0);
    padded.fill(0);
  }
}

// What is sealed of a secret: the names sorted, each value as it was typed.
export function packFields(fields) {
  const sorted = Object.fromEntries(Object.keys(fields).sort().map((name) => [name, fields[name]]));
  return utf8(JSON.stringify({ fields: sorted, v: 1 }));
}
