// Bytes that mean one thing: the browser's half of vault/crypto/encoding.py.

export const utf8 = (text) => new TextEncoder().encode(text);

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// A whole number as `length` bytes, big endian.
export function bigEndian(number, length) {
  const bytes = new Uint8Array(length);
  for (let at = length - 1; at >= 0; at -= 1) {
    bytes[at] = number % 256;
    number = Math.floor(number / 256);
  }
  return bytes;
}

// Each part behind its length (4 bytes), so that no two lists of parts give the same bytes.
export const pack = (...parts) =>
  concat(
    ...parts.flatMap((part) => {
      const bytes = part instanceof Uint8Array ? part : utf8(String(part));
      return [bigEndian(bytes.length, 4), bytes];
    }),
  );

// URL-safe base64 without padding (RFC 4648, section 5).
export function toBase64(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function fromBase64(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error("not URL-safe base64");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (toBase64(bytes) !== text) throw new Error("not URL-safe base64");
  return bytes;
}

// The counter of a chunk or message, laid over the base nonce from its end (RFC 9180, section 5.2).
export function nonceAt(baseNonce, counter) {
  const over = bigEndian(counter, baseNonce.length);
  return baseNonce.map((byte, at) => byte ^ over[at]);
}
