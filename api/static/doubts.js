// What is questioned before it is sealed: the rule of vault/model/doubts.py, step by step.

import { readings } from "./readings.js";
import { say } from "./say.js";

export const SEED_PHRASE = say(
  "This looks like the recovery words of a wallet: whoever has them has its money. Is this really meant for us?",
);
export const AUTHORITY_KEY = say(
  "This looks like the private key of a certificate authority: whoever has it can vouch for any name. " +
  "Is this really meant for us?",
);

const FEWEST = 12;
const FARTHEST = 40; // characters between two words of a list

const LATIN_CYRILLIC = "a-z\\u00df-\\u00f6\\u00f8-\\u017e\\u0430-\\u044f\\u0451";
const [KANA, HANGUL, HAN] = ["\\u3041-\\u3096\\u30fc", "\\uac00-\\ud7a3", "\\u4e00-\\u9fff"];
const WORD = new RegExp(`[${LATIN_CYRILLIC}]+|[${KANA}]+|[${HANGUL}]+|[${HAN}]+`, "g");
const FITTING = new RegExp(`^(?:[${LATIN_CYRILLIC}]{3,9}|[${KANA}]{2,8}|[${HANGUL}]{2,8}|[${HAN}])$`);
const BLANK = " \\t\\r\\n\\v\\f\\u0085\\u200b\\u2028\\u2029\\u2060\\ufeff";
const BETWEEN = `[${BLANK},;|"*\\u00b7\\u2022_\\u2013\\u2014\\-]*`;
const GAP = new RegExp(`^(?![0-9]+$)${BETWEEN}(?:[(\\[#]{0,2}[0-9]{1,2}[.:)\\]]{0,2}${BETWEEN})?$`);
const NO_MARK = new RegExp(`[${BLANK}0-9.:()\\[\\]#]+`, "g");
const IN_EVERY_SENTENCE = new RegExp(
  "^(?:the|and|for|are|not|was|but|with|from|our|has|had|his|her" +
    "|der|die|das|und|ist|mit|auf|den|ein|eine|nicht|von|sich" +
    "|les|des|une|est|dans|pour|que|los|las|del|por|con|una|para)$",
);

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----/g;
const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+\/=\r\n\t ]{1,20000})-----END /g;
const BASE64 = /^(?:[A-Za-z0-9+\/]{4})+(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?$/;
const IS_AUTHORITY = /\x06\x03\x55\x1d\x13(?:\x01\x01\xff)?\x04[\x05-\x0f]\x30[\x03-\x0d]\x01\x01\xff/;
const AUTHORITY_FILE = new RegExp(
  "^(?:[^/]*[-_ ])?(?:(?:root|intermediate|issuing|signing|sub|my)[-_. ]?)?ca(?:[-_. ]?(?:private|priv|signing))?" +
    "(?:[-_. ]?key(?:\\.(?:pem|der|txt))?|\\.(?:key|p12|pfx|p8)(?:\\.(?:pem|enc))?)$",
);

// The question that the customer is asked about these fields, or an empty text where there is none.
export function doubtOf(kind, fields) {
  const texts = Object.values(fields).flatMap(readings);
  if (texts.some((text) => holdsSeedPhrase(text.toLowerCase()))) return SEED_PHRASE;
  const named = kind === "file" && AUTHORITY_FILE.test((fields.name ?? "").slice(0, 255).toLowerCase());
  return named || holdsAuthorityKey(texts) ? AUTHORITY_KEY : "";
}

function holdsSeedPhrase(text) {
  let row = 0;
  let end = 0;
  let mark = "";
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const marked = marks(text.slice(end, Math.min(index, end + FARTHEST + 1)));
    if (marked === null || (row > 1 && marked !== mark)) row = 0;
    row = FITTING.test(word) && !IN_EVERY_SENTENCE.test(word) ? row + 1 : 0;
    if (row === FEWEST) return true;
    end = index + word.length;
    mark = marked ?? "";
  }
  return false;
}

// The marks by which two words of a list are parted, blanks and numbers aside, or null where they are not.
function marks(gap) {
  return gap.length > FARTHEST || !GAP.test(gap) ? null : gap.replaceAll(NO_MARK, "");
}

function holdsAuthorityKey(texts) {
  const keys = texts.flatMap((text) => text.match(PRIVATE_KEY) ?? []).length;
  if (!keys) return false;
  const found = texts.flatMap((text) => [...text.matchAll(CERTIFICATE)].map(([, body]) => isAuthority(body)));
  return found.includes(true) && keys > found.filter((one) => !one).length;
}

function isAuthority(body) {
  const packed = body.replaceAll(/[\r\n\t ]+/g, "");
  return BASE64.test(packed) && IS_AUTHORITY.test(atob(packed));
}
