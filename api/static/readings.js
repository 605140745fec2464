// How a value can be read: the rule of vault/model/readings.py, step by step.

const SHORTEST = 18; // characters of base64 that thirteen digits make

export function readings(value) {
  const bare = value.startsWith("data:") ? value.replace(/data:[a-z0-9.+\/;=-]{0,100},/, "") : value;
  const inner = decoded(bare.replaceAll(/[ \t\r\n]+/g, ""));
  return (inner === null ? [value] : [value, inner]).map((text) => text.normalize("NFKC"));
}

function decoded(packed) {
  if (packed.length < SHORTEST || !/^[A-Za-z0-9+\/_\-]+={0,2}$/.test(packed)) return null;
  const plain = packed.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/");
  if (plain.length % 4 === 1) return null;
  const raw = atob(plain);
  try {
    const bytes = Uint8Array.from(raw, (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return raw; // one character for each byte
  }
}
