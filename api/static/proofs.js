// The proofs of the log, checked in the browser: what vault/ledger/verify.py does, for one entry and one checkpoint.

const encoder = new TextEncoder();

// Strict base64 with its padding (RFC 4648, section 4).
export function fromPadded(text) {
  const binary = atob(text);
  if (btoa(binary) !== text) throw new Error("not base64");
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

async function sha256(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

const same = (one, two) => one.length === two.length && one.every((byte, at) => byte === two[at]);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

// The hash of an entry as a leaf of the tree (RFC 6962, 2.1).
export const leafHash = (entry) => sha256(Uint8Array.of(0), encoder.encode(entry));

// Whether the leaf is at `index` in the tree of that size and root (RFC 9162, 2.1.3.2).
export async function isIncluded(index, size, leaf, proof, root) {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return false;
  if ([leaf, root, ...proof].some((part) => part.length !== 32)) return false;
  let at = index;
  let end = size - 1;
  let node = leaf;
  for (const part of proof) {
    if (end === 0) return false;
    if (at % 2 === 1 || at === end) {
      node = await sha256(Uint8Array.of(1), part, node);
      while (at !== 0 && at % 2 === 0) {
        at = Math.floor(at / 2);
        end = Math.floor(end / 2);
      }
    } else {
      node = await sha256(Uint8Array.of(1), node, part);
    }
    at = Math.floor(at / 2);
    end = Math.floor(end / 2);
  }
  return end === 0 && same(node, root);
}

// Origin, size and root of a signed checkpoint, once this key has signed it (C2SP signed-note and tlog-checkpoint).
export async function openCheckpoint(note, vkey) {
  const [name, number, encoded, ...rest] = [...vkey.split("+", 2), vkey.split("+").slice(2).join("+")];
  const raw = fromPadded(encoded);
  if (rest.length || raw.length !== 33 || raw[0] !== 1) throw new Error("that is no key of a log");
  const id = (await sha256(encoder.encode(`${name}\n`), raw)).slice(0, 4);
  if (hex(id) !== number) throw new Error("the key was mistyped");
  const cut = note.lastIndexOf("\n\n");
  const text = note.slice(0, cut + 1);
  const public_ = await crypto.subtle.importKey("raw", raw.slice(1), { name: "Ed25519" }, false, ["verify"]);
  for (const line of note.slice(cut + 2).split("\n")) {
    const [dash, signer, signed] = line.split(" ");
    if (dash !== "—" || signer !== name) continue;
    const bytes = fromPadded(signed);
    if (!same(bytes.slice(0, 4), id)) continue;
    if (!(await crypto.subtle.verify({ name: "Ed25519" }, public_, bytes.slice(4), encoder.encode(text)))) break;
    const [origin, size, root, ...more] = text.split("\n");
    if (more.join("") !== "" || !/^(0|[1-9][0-9]{0,15})$/.test(size)) break;
    return { origin, size: Number(size), root: fromPadded(root) };
  }
  throw new Error("the checkpoint is not signed by this key");
}

// Whether this entry of the log is in that checkpoint's tree, and says what is shown of it.
export async function holds(entry, hashes, shown, disclosures, checkpoint) {
  const said = JSON.parse(entry);
  const agrees = ["seq", "type", "outcome"].every((name) => String(said[name]) === String(shown[name]));
  const isThen = Math.floor(said.time / 1000) === Date.parse(shown.at);
  if (!agrees || !isThen || said.origin !== checkpoint.origin) return false;
  const digests = new Set(Object.values(said.disclosed));
  for (const one of disclosures) if (!digests.has(hex(await sha256(encoder.encode(one))))) return false;
  return isIncluded(said.seq, checkpoint.size, await leafHash(entry), hashes.map(fromPadded), checkpoint.root);
}
