// readKey(text) says what a text that should be a private key is: the rule of vault/model/sshkeys.py and puttykeys.py,
// step by step. It gives a promise of {kind: "good" | "question" | "wrong", sentence, type, fingerprint, encrypted}.

import { pack } from "./bytes.js";
import {
  BIT_STRING,
  BROKEN,
  Der,
  hex,
  INTEGER,
  latin1,
  OBJECT,
  OCTET_STRING,
  SEQUENCE,
  trim,
  unbase64,
  Unreadable,
  Wire,
} from "./der.js";
import { say } from "./say.js";

const LONGEST = 65536;
const SHORTEST_RSA = 2048;
const LARGEST_RSA = 16384;

const PUBLIC = say("This is the public half of a key. We need the private one: the file of the same name without .pub");
const CERTIFICATE = say("This is a certificate. We need the private key that you log in with");
const PGP = say("This is a PGP key, which no server takes for a login");
const OTHER_FORMAT = say(
  "This key is in a format that few programs read. Export it in the format of OpenSSH, and give that",
);
const NO_KEY = say("This is no private key. One starts with -----BEGIN, or in PuTTY's format with PuTTY-User-Key-File");
const NO_BEGIN = say("The first line is missing, the one that starts with -----BEGIN. Copy the whole file");
const NO_END = say("The last line is missing, the one that starts with -----END. Copy the whole file");
const ONE_LINE = say("The line breaks of the key got lost on the way. Choose the file instead of copying its text");
const INDENTED = say("There are spaces before the lines of the key. Copy it from its file, or choose the file");
const TWO = say("There is more than one key in it. Enter only the one that you log in with on this server");
const TOO_LARGE = say("This is too large to be a key");
const HARDWARE = say(
  "This key works only together with a security key that stays with you. Please make another one for us",
);
const UNKNOWN = say("This is a kind of key that servers do not take for a login");
const OLD_PUTTY = say(
  "This PuTTY key is in a format of long ago. Open it in PuTTYgen, save it again, and give the new file",
);
const NO_MAC = say("The end is missing: the last line starts with Private-MAC. Copy the whole file");

const LABEL = "([A-Z0-9 ]{0,40}PRIVATE KEY)";
const [BEGIN, BEGINS] = [new RegExp(`-----BEGIN ${LABEL}-----`), new RegExp(`^-----BEGIN ${LABEL}-----$`)];
const [END, ENDS] = [new RegExp(`-----END ${LABEL}-----`), new RegExp(`^-----END ${LABEL}-----$`)];
const PUBLIC_KEY = new RegExp(
  "(?:ssh-|ecdsa-sha2-|sk-)[a-z0-9@.\\-]{1,60} AAAA" +
    "|-----BEGIN (?:[A-Z0-9]{1,20} )?PUBLIC KEY-----|---- BEGIN SSH2 PUBLIC KEY ----",
);
const HEADER = /^[A-Za-z0-9\-]+:(?: .*)?$/;
const PUTTY = "PuTTY-User-Key-File-";
const CURVES = { "2a8648ce3d030107": "nistp256", "2b81040022": "nistp384", "2b81040023": "nistp521" };
const TAGGED = {
  "aes128-gcm@openssh.com": 16,
  "aes256-gcm@openssh.com": 16,
  "chacha20-poly1305@openssh.com": 16,
};

export async function readKey(text) {
  if ([...text].length > LONGEST) return wrong(TOO_LARGE);
  const stripped = trim(text, " \t\r\n\ufeff");
  try {
    if (stripped.startsWith(PUTTY)) return await verdict(putty(stripped.split(/\r\n|\n|\r/)), true);
    const lines = stripped.split(/\r\n|\n|\r/).map(trimEnd);
    return await verdict(keyOf(...block(lines)), false);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return wrong(error.message);
  }
}

const wrong = (sentence) => ({ kind: "wrong", sentence, type: "", fingerprint: "", encrypted: false });
const trimStart = (line) => line.replace(/^[ \t]+/, "");
const trimEnd = (line) => trim(`-${line}`, " \t").slice(1);
const key = (name, blob = null, bits = 0, encrypted = false) => ({ name, blob, bits, encrypted });

async function verdict(found, inPutty) {
  const { name, blob, bits, encrypted } = found;
  const sentence = described(found, inPutty);
  const doubt = doubted(found, sentence);
  return {
    kind: doubt ? "question" : "good",
    sentence: doubt || sentence,
    type: bits ? `${name} ${bits}` : name,
    fingerprint: blob ? await fingerprintOf(blob) : "",
    encrypted,
  };
}

function doubted({ name, bits }, sentence) {
  if (name === "DSA") return say("%(key)s. Servers of today refuse DSA keys. Is it the right one?", { key: sentence });
  if (name !== "RSA" || !bits || bits >= SHORTEST_RSA) return "";
  return say("%(key)s. That is short, and many servers refuse it. Is it the right one?", { key: sentence });
}

function described({ name, bits, encrypted }, inPutty) {
  let said = say("A key");
  if (name === "DSA") said = say("A DSA key");
  else if (name) said = say("An %(type)s key", { type: name });
  if (bits) said = say("%(key)s of %(bits)s bits", { key: said, bits: String(bits) });
  if (inPutty) said = say("%(key)s, in PuTTY's format", { key: said });
  if (encrypted) return say("%(key)s, protected by a passphrase: enter that too", { key: said });
  return say("%(key)s, without a passphrase", { key: said });
}

async function fingerprintOf(blob) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", blob));
  return `SHA256:${btoa(latin1(digest)).replace(/=+$/, "")}`;
}

// The one private key of a text in PEM: its label, its headers and its bytes.
function block(lines) {
  const begins = lines.flatMap((line, at) => (BEGINS.test(line) ? [at] : []));
  if (!begins.length) throw new Unreadable(other(lines));
  if (begins.length > 1) throw new Unreadable(TWO);
  const [, label] = BEGINS.exec(lines[begins[0]]);
  const rest = lines.slice(begins[0] + 1);
  const end = rest.indexOf(`-----END ${label}-----`);
  if (end < 0) throw new Unreadable(unended(rest));
  const body = rest.slice(0, end);
  if (body.some((line) => /^[ \t]/.test(line))) throw new Unreadable(INDENTED);
  const headers = [];
  while (body.length && HEADER.test(body[0])) headers.push(body.shift());
  return [label, headers, unbase64(body.join(""))];
}

function unended(rest) {
  if (rest.some((line) => ENDS.test(line))) return BROKEN;
  if (rest.some((line) => ENDS.test(trimStart(line)))) return INDENTED;
  return rest.some((line) => END.test(line)) ? ONE_LINE : NO_END;
}

// What it is that is no private key in PEM.
function other(lines) {
  const text = lines.join("\n");
  if (lines.some((line) => BEGINS.test(line.replace(/^[ \t>]+/, "")))) return INDENTED;
  if (BEGIN.test(text)) return ONE_LINE;
  if (PUBLIC_KEY.test(text)) return PUBLIC;
  if (lines.some((line) => ENDS.test(trimStart(line)))) return NO_BEGIN;
  if (text.includes("-----BEGIN CERTIFICATE-----")) return CERTIFICATE;
  if (text.includes("-----BEGIN PGP ")) return PGP;
  return text.includes("---- BEGIN SSH2 ") ? OTHER_FORMAT : NO_KEY;
}

function keyOf(label, headers, data) {
  const locked = headers.some((header) => header.startsWith("Proc-Type:") && header.includes("ENCRYPTED"));
  switch (label) {
    case "OPENSSH PRIVATE KEY":
      return openssh(data);
    case "ENCRYPTED PRIVATE KEY": {
      const der = whole(data);
      der.read(SEQUENCE);
      der.read(OCTET_STRING);
      return key("", null, 0, true);
    }
    case "RSA PRIVATE KEY":
      return locked ? key("RSA", null, 0, true) : pkcs1(whole(data));
    case "DSA PRIVATE KEY":
      return locked ? key("DSA", null, 0, true) : dsa(whole(data));
    case "EC PRIVATE KEY":
      return locked ? key("ECDSA", null, 0, true) : sec1(whole(data), "");
    case "PRIVATE KEY":
      return pkcs8(whole(data));
    default:
      throw new Unreadable(OTHER_FORMAT);
  }
}

function openssh(data) {
  const wire = new Wire(data);
  if (latin1(wire.take(15)) !== "openssh-key-v1\0") throw new Unreadable(BROKEN);
  const cipher = latin1(wire.string());
  wire.string();
  wire.string();
  if (wire.number() !== 1) throw new Unreadable(TWO);
  const blob = wire.string();
  const inner = wire.string();
  const encrypted = cipher !== "none";
  const tag = Object.hasOwn(TAGGED, cipher) ? TAGGED[cipher] : 0;
  if (wire.left !== tag || !inner.length || inner.length % (encrypted ? 16 : 8)) throw new Unreadable(BROKEN);
  const found = publicKey(blob, encrypted);
  if (!encrypted) {
    const inside = new Wire(inner);
    const same = inside.number() === inside.number();
    if (!same || latin1(inside.string()) !== latin1(new Wire(blob).string())) throw new Unreadable(BROKEN);
  }
  return found;
}

// A public key as it goes over the wire (RFC 4253, section 6.6).
function publicKey(blob, encrypted) {
  const wire = new Wire(blob);
  const name = latin1(wire.string());
  let found;
  if (name.startsWith("sk-")) throw new Unreadable(HARDWARE);
  if (name === "ssh-rsa") {
    wire.string();
    found = key("RSA", blob, bitsOf(wire.string()), encrypted);
  } else if (name === "ssh-dss") {
    found = key("DSA", blob, bitsOf(wire.string()), encrypted);
    for (let count = 0; count < 3; count += 1) wire.string();
  } else if (name === "ssh-ed25519") {
    if (wire.string().length !== 32) throw new Unreadable(BROKEN);
    found = key("Ed25519", blob, 0, encrypted);
  } else if (/^ecdsa-sha2-nistp(?:256|384|521)$/.test(name)) {
    wire.string();
    wire.string();
    found = key("ECDSA", blob, Number(name.slice(-3)), encrypted);
  } else {
    throw new Unreadable(UNKNOWN);
  }
  if (wire.left) throw new Unreadable(BROKEN);
  return found;
}

function bitsOf(number) {
  const first = number.findIndex((byte) => byte !== 0);
  const bits = first < 0 ? 0 : (number.length - first) * 8 - (Math.clz32(number[first]) - 24);
  if (!(bits > 0 && bits <= LARGEST_RSA)) throw new Unreadable(BROKEN);
  return bits;
}

// The values of the one sequence that a key in DER is, to its last byte.
function whole(data) {
  const outer = new Der(data);
  const inner = outer.into(SEQUENCE);
  if (!outer.isOver) throw new Unreadable(BROKEN);
  return inner;
}

function pkcs1(der) {
  der.read(INTEGER);
  const [modulus, exponent] = [der.read(INTEGER), der.read(INTEGER)];
  for (let count = 0; count < 6; count += 1) der.read(INTEGER);
  return publicKey(pack("ssh-rsa", exponent, modulus), false);
}

function dsa(der) {
  der.read(INTEGER);
  const numbers = [0, 1, 2, 3].map(() => der.read(INTEGER));
  der.read(INTEGER);
  return publicKey(pack("ssh-dss", ...numbers), false);
}

// RFC 5915; inside PKCS#8 the curve stands outside.
function sec1(der, outside) {
  der.read(INTEGER);
  der.read(OCTET_STRING);
  const curve = der.tag === 0xa0 ? curveOf(der.into(0xa0)) : outside;
  if (!curve) throw new Unreadable(BROKEN);
  if (der.tag !== 0xa1) return key("ECDSA", null, Number(curve.slice(-3)));
  const point = der.into(0xa1).read(BIT_STRING).subarray(1);
  return publicKey(pack(`ecdsa-sha2-${curve}`, curve, point), false);
}

function curveOf(der) {
  const name = hex(der.read(OBJECT));
  if (!Object.hasOwn(CURVES, name)) throw new Unreadable(UNKNOWN);
  return CURVES[name];
}

function pkcs8(der) {
  der.read(INTEGER);
  const algorithm = der.into(SEQUENCE);
  const inside = der.read(OCTET_STRING);
  switch (hex(algorithm.read(OBJECT))) {
    case "2a864886f70d010101":
      return pkcs1(whole(inside));
    case "2a8648ce3d0201":
      return sec1(whole(inside), curveOf(algorithm));
    case "2b6570":
      return key("Ed25519");
    case "2a8648ce380401":
      return key("DSA", null, bitsOf(algorithm.into(SEQUENCE).read(INTEGER)));
    default:
      throw new Unreadable(UNKNOWN);
  }
}

function putty(lines) {
  if (!["2: ", "3: "].includes(lines[0].slice(PUTTY.length, PUTTY.length + 3))) throw new Unreadable(OLD_PUTTY);
  const pairs = lines.filter((line) => line.includes(": ")).map((line) => [line.split(": ", 1)[0], line]);
  const headers = new Map(pairs.map(([name, line]) => [name, line.slice(name.length + 2)]));
  if (!headers.has("Private-MAC")) throw new Unreadable(NO_MAC);
  const isMac = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(trimEnd(headers.get("Private-MAC")));
  const encryption = headers.get("Encryption") ?? "";
  if (headers.size !== pairs.length || !isMac || !["none", "aes256-cbc"].includes(encryption)) {
    throw new Unreadable(BROKEN);
  }
  const encrypted = encryption !== "none";
  const blob = counted(lines, "Public-Lines");
  const inner = counted(lines, "Private-Lines");
  if (encrypted && inner.length % 16) throw new Unreadable(BROKEN);
  const found = publicKey(blob, encrypted);
  const type = trimEnd(lines[0].slice(PUTTY.length + 3));
  if (latin1(new Wire(blob).string()) !== type) throw new Unreadable(BROKEN);
  return found;
}

// The bytes of the lines that this header counts.
function counted(lines, name) {
  for (const [at, line] of lines.entries()) {
    const count = trimEnd(line.slice(name.length + 2));
    if (!line.startsWith(`${name}: `) || !/^[0-9]{1,4}$/.test(count)) continue;
    const body = lines.slice(at + 1, at + 1 + Number(count));
    if (body.length !== Number(count) || body.some((one) => one.includes(":"))) throw new Unreadable(BROKEN);
    return unbase64(body.map(trimEnd).join(""));
  }
  throw new Unreadable(BROKEN);
}
