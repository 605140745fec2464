// readOtpauth(text) says what a text that should be the seed of one-time codes is: the rule of vault/model/otpauth.py,
// step by step. It gives {kind: "good" | "question" | "wrong", sentence, type}.

import { say } from "./say.js";

const LONGEST = 2000;
const SHORTEST_SEED = 10;
const LONGEST_SEED = 128;

const TOO_LONG = say("This is too long to be the text of such a QR code");
const ONE_CODE = say(
  "This is one code, which is over within a minute. We need the text of the QR code, or the key beside it",
);
const MANY = say("This is the move of a whole app to another telephone. We need the QR code of this one login only");
const COUNTING = say(
  "This link makes codes that are counted, and two people cannot use them. Choose codes by the time instead",
);
const FOREIGN = say("This QR code is not one for an authenticator app. Its text starts with otpauth://totp");
const TWICE = say("This link says one thing twice. Copy it anew from the QR code");
const NO_SEED = say("There is no key in this link. Copy it anew from the QR code, to its end");
const NOT_BASE32 = say("The key has only the letters A to Z and the digits 2 to 7. Compare it with what is shown");
const CUT = say("A letter or digit of the key is missing or too many. Compare it with what is shown");
const ALGORITHM = say("This link asks for a way to make codes that is not in use. We can use SHA1, SHA256 and SHA512");
const DIGITS = say("This link asks for codes of a length that is not in use. We can use 6 to 8 digits");
const PERIOD = say("This link asks for codes that change at a pace that is not in use. We can use 10 to 120 seconds");
const SHORT = say("This key is unusually short. Is it the whole one?");

class Unreadable extends Error {}

export function readOtpauth(text) {
  try {
    const { size, algorithm, digits, period } = parse(text);
    if (size < SHORTEST_SEED) return { kind: "question", sentence: SHORT, type: "" };
    const sentence = say("This makes codes of %(digits)s digits, a new one every %(period)s seconds", { digits, period });
    return { kind: "good", sentence, type: `${algorithm} ${digits} ${period}` };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { kind: "wrong", sentence: error.message, type: "" };
  }
}

function parse(text) {
  if ([...text].length > LONGEST) throw new Unreadable(TOO_LONG);
  const stripped = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  const link = /^otpauth:\/\/([^\/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(?:#.*)?$/is.exec(stripped);
  if (!link) return bare(stripped);
  const kind = link[1].toLowerCase();
  if (kind !== "totp") throw new Unreadable(kind === "hotp" ? COUNTING : FOREIGN);
  const pairs = [...new URLSearchParams(`?${link[3] ?? ""}`)];
  const values = new Map(pairs);
  if (values.size !== pairs.length) throw new Unreadable(TWICE);
  if (values.has("encoder")) throw new Unreadable(ALGORITHM);
  if (!values.get("secret")) throw new Unreadable(NO_SEED);
  const algorithm = (values.get("algorithm") ?? "SHA1").toUpperCase().replaceAll("-", "");
  if (!["SHA1", "SHA256", "SHA512"].includes(algorithm)) throw new Unreadable(ALGORITHM);
  return {
    size: sizeOf(values.get("secret")),
    algorithm,
    digits: number(values.get("digits") ?? "6", 6, 8, DIGITS),
    period: number(values.get("period") ?? "30", 10, 120, PERIOD),
  };
}

function bare(text) {
  if (text.toLowerCase().startsWith("otpauth-migration:")) throw new Unreadable(MANY);
  if (/^[a-z][a-z0-9+.\-]*:\/\//i.test(text)) throw new Unreadable(FOREIGN);
  if (/^[0-9]{3} ?[0-9]{3,5}$/.test(text)) throw new Unreadable(ONE_CODE);
  return { size: sizeOf(text), algorithm: "SHA1", digits: 6, period: 30 };
}

// How many bytes a seed in base32 has.
function sizeOf(text) {
  const letters = text.replaceAll(/[ \t\r\n\-]/g, "").replace(/=+$/, "");
  if (!/^[A-Za-z2-7]+$/.test(letters)) throw new Unreadable(NOT_BASE32);
  const size = Math.floor((letters.length * 5) / 8);
  if ([1, 3, 6].includes(letters.length % 8) || size > LONGEST_SEED) throw new Unreadable(CUT);
  return size;
}

function number(text, least, most, sentence) {
  if (!/^[0-9]{1,3}$/.test(text) || Number(text) < least || Number(text) > most) throw new Unreadable(sentence);
  return Number(text);
}
