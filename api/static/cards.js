// Card numbers never leave this page, also not sealed: the rule of vault/model/cards.py, number by number.

const SHORTEST = 13;
const LONGEST = 19;

const SCHEMES = new RegExp(
  "^(?:" +
    [
      "4(?:\\d{12}|\\d{15}|\\d{18})", // Visa
      "(?:5[1-5]\\d{2}|2[2-7]\\d{2})\\d{12}", // Mastercard
      "3[47]\\d{13}", // American Express
      "3(?:0[0-5]|[689]\\d)\\d{11,16}", // Diners Club
      "35\\d{14,17}", // JCB
      "(?:6\\d|5[0678])\\d{14,17}", // Discover, UnionPay, Maestro, RuPay
    ].join("|") +
    ")$",
);

const CODE = new RegExp(
  "(?<![\\p{L}\\p{N}_])(?:cvv2?|cvc2?|cvn2?|card (?:security|verification) (?:code|number|value)" +
    "|(?:karten)?pr(?:ü|ue|u)f(?:nummer|ziffer))(?![\\p{L}\\p{N}_])[^0-9a-z]{0,8}[0-9]{3,4}(?![0-9])",
  "iu",
);

export function holdsCardNumber(fields) {
  const texts = Object.values(fields).map((value) => (isAddress(value) ? null : folded(value.normalize("NFKC"))));
  if (texts.some((text) => text !== null && CODE.test(text))) return true;
  // An address parts two numbers as a letter does; between two fields there is only a separator.
  const joined = texts.map((text) => text ?? "x").join("\n");
  return joined
    .split(/\p{L}/u)
    .map((run) => run.replaceAll(/[^0-9]/g, ""))
    .some(isCard);
}

export function passesLuhn(digits) {
  let total = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const value = Number(digits[digits.length - 1 - place]) * (1 + (place % 2));
    total += value > 9 ? value - 9 : value;
  }
  return total % 10 === 0;
}

function isCard(run) {
  if (run.length >= SHORTEST && run.length <= LONGEST && passesLuhn(run)) return true;
  for (let length = SHORTEST; length <= Math.min(LONGEST, run.length); length += 1) {
    for (let start = 0; start + length <= run.length; start += 1) {
      const stretch = run.slice(start, start + length);
      if (SCHEMES.test(stretch) && passesLuhn(stretch)) return true;
    }
  }
  return false;
}

// Every decimal digit of Unicode as its ASCII one: they stand in rows of ten, each from zero to nine.
function folded(text) {
  return text.replaceAll(/\p{Nd}/gu, (digit) => {
    const point = digit.codePointAt(0);
    if (point < 128) return digit;
    let first = point;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((point - first) % 10);
  });
}

function isAddress(value) {
  const text = value.trim().replace(/^\[+|\]+$/g, "");
  if (/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)) return true;
  return /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/.test(text) && URL.canParse(`http://[${text}]/`);
}
