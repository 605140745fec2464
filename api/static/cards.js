// Card numbers never leave this page, also not sealed: the rule of vault/model/cards.py, step by step.

import { readings } from "./readings.js";
import { say } from "./say.js";

export const NO_CARDS = say(
  "This looks like a card number or card code, and those are never kept here: please take it out. If it is " +
  "another number, write a letter between its digits, or only its last four digits",
);

const SHORTEST = 13;
const LONGEST = 19;
const SHORT_VALUE = 255;
const MOST_FIELDS = 16;
const TABLE = 40; // groups of digits in a row
const AT_THE_BORDER = 120; // characters of a field that a number over two fields can reach into it

const ESCAPED = new RegExp(
  "%([0-9A-Fa-f]{2})|&#([0-9]{1,6});|&#[xX]([0-9A-Fa-f]{1,5});|&[A-Za-z]{2,8};" +
    "|\\\\u([0-9A-Fa-f]{4})|\\\\x([0-9A-Fa-f]{2})|\\\\[nrtfv]",
  "g",
);
const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const HEXTETS = "[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}";
const NO_NUMBER = new RegExp(
  [
    `(?<![0-9])(?<![0-9]\\.)(?:${OCTET}\\.){3}${OCTET}(?![0-9]|\\.[0-9])(?:[:/][0-9]{1,5}(?![0-9]))?`,
    `(?<![0-9a-z:])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:${HEXTETS})?::(?:${HEXTETS})?)(?![0-9a-z:])`,
    "(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])",
    "(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{32,}(?![0-9a-z])",
    "(?<![0-9a-z:])(?=[0-9:]*[a-f])(?:[0-9a-f]{2}:){14,}[0-9a-f]{2}(?![0-9a-z])",
    "(?<![0-9])\\+(?:[1-9][0-9]{0,2}[ ./()-]{1,2}[0-9 ./()-]{5,16}|[1-9][0-9]{6,14})(?![0-9])",
    "(?<![0-9])\\+(?=[0-9])",
  ].join("|"),
  "g",
);
const NUMBER = /[0-9]+(?:[^0-9a-z]+[0-9]+)*/g;
const NUMBER_WITH_LETTERS = /[0-9]+(?:(?:[^0-9a-z]+|[a-z](?=[0-9]))[0-9]+)*/g;
const EXPIRY = /^(?:(?:0[1-9]|1[0-2])[2-4][0-9]|[2-4][0-9](?:0[1-9]|1[0-2]))(?:[0-9]{3,4})?$/;
const CODE = new RegExp(
  "(?<![0-9a-z_])(?:cvv2?|cvc2?|cvn2?|csc|cav2|card (?:security|verification) (?:code|number|value)" +
    "|(?:karten)?pr(?:ue|u)f(?:nummer|ziffer))(?![0-9a-z_])" +
    "(?:[^0-9a-z]{0,8}(?:code|number|no|nr|nummer|value|is|ist|lautet)(?![0-9a-z_])){0,3}" +
    "[^0-9a-z]{0,8}[0-9](?:[ .-]?[0-9]){2,3}(?![0-9])",
);

export function holdsCardNumber(fields) {
  const values = Object.values(fields);
  const plain = values.map(folded);
  const undone = values.map((value) => folded(unescaped(value)));
  const inner = values.flatMap((value) => readings(value).slice(1));
  const hidden = inner.flatMap((text) => [folded(text), folded(unescaped(text))]);
  if ([plain.join("\n"), undone.join("\n"), ...hidden].some((text) => CODE.test(text))) return true;
  if ([...new Set([...plain, ...undone, ...hidden])].some((text) => holdsNumber(bare(text)))) return true;
  return [plain, undone].some((texts) => rows(texts).some(holdsNumberOverBorders));
}

export function passesLuhn(digits) {
  let total = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const value = Number(digits[digits.length - 1 - place]) * (1 + (place % 2));
    total += value > 9 ? value - 9 : value;
  }
  return total % 10 === 0;
}

// -- spellings

function unescaped(text) {
  return text.replaceAll(ESCAPED, (_all, byte, decimal, ...hexadecimal) => {
    if (byte) return parseInt(byte, 16) < 128 ? String.fromCharCode(parseInt(byte, 16)) : " ";
    const code = decimal ? Number(decimal) : parseInt(hexadecimal.slice(0, 3).find(Boolean) ?? "20", 16);
    return (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff ? " " : String.fromCodePoint(code);
  });
}

// A text in small ASCII: every letter stays a letter, every digit a digit.
function folded(text) {
  const lower = text.normalize("NFKC").toLowerCase().replaceAll("ü", "ue");
  return lower.replaceAll(/[^\x00-\x7f]/gu, spelt);
}

const known = new Map();

function spelt(character) {
  if (!known.has(character)) known.set(character, spelling(character));
  return known.get(character);
}

// Decimal digits stand in rows of ten, each from zero to nine.
function spelling(character) {
  if (/\p{Nd}/u.test(character)) {
    const point = character.codePointAt(0);
    let first = point;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((point - first) % 10);
  }
  if (/\p{Cf}|\p{M}/u.test(character)) return "";
  return /\p{L}/u.test(character) ? "x" : " ";
}

const bare = (text) => text.replaceAll(NO_NUMBER, "xx");

// The fields in their order, and each before each other one: their order is nobody's. Of long ones the ends.
function rows(texts) {
  const some = texts.slice(0, MOST_FIELDS);
  const isLong = (text) => text.length > 2 * AT_THE_BORDER;
  const begins = some.map((text) => bare(isLong(text) ? text.slice(0, AT_THE_BORDER).replace(/[0-9]+$/, "") : text));
  const ends = some.map((text) => bare(isLong(text) ? text.slice(-AT_THE_BORDER).replace(/^[0-9]+/, "") : text));
  const all = [begins.map((begin, at) => (begin === ends[at] ? begin : `${begin} xx ${ends[at]}`))];
  for (const [one, end] of ends.entries()) {
    for (const [other, begin] of begins.entries()) {
      if (one !== other) all.push([end, begin]);
    }
  }
  return all;
}

// -- numbers

const groupsOf = (run) => run.match(/[0-9]+/g) ?? [];
const digitsIn = (groups) => groups.reduce((total, group) => total + group.length, 0);

// The card of a known scheme anywhere, and in a short text any other.
function holdsNumber(text) {
  const short = text.length <= SHORT_VALUE;
  if (short && (text.match(NUMBER) ?? []).some((run) => isSomeCard(groupsOf(run)))) return true;
  for (const run of text.match(NUMBER_WITH_LETTERS) ?? []) {
    if (run.length < SHORTEST) continue;
    const groups = groupsOf(run);
    if (groups.some(withExpiry)) return true;
    const parts = short || groups.length <= TABLE ? [groups] : partsOfATable(groups);
    if (parts.some((part) => holdsCardOfAScheme(part, !short))) return true;
  }
  return false;
}

function holdsNumberOverBorders(texts) {
  const row = texts.join("\n");
  const borders = [];
  for (const text of texts.slice(0, -1)) borders.push((borders.at(-1) ?? 0) + text.length + 1);
  for (const { 0: run, index } of row.matchAll(NUMBER_WITH_LETTERS)) {
    const within = borders.filter((border) => index < border && border < index + run.length);
    const counts = within.map((border) => digitsIn(groupsOf(row.slice(index, border))));
    if (counts.length && holdsCardOfAScheme(groupsOf(run), false, counts)) return true;
  }
  return false;
}

// What stands between the small numbers of a table may still be a card.
function partsOfATable(groups) {
  const parts = [[]];
  for (const group of groups) {
    if (group.length < 3) parts.push([]);
    else parts.at(-1).push(group);
  }
  return parts.filter((part) => part.length);
}

function isSomeCard(groups) {
  const number = groups.join("");
  return number.length >= SHORTEST && number.length <= LONGEST && isGrouped(groups, false) && passesLuhn(number);
}

function isGrouped(groups, strict) {
  const first = groups[0].length;
  const even = groups.slice(1, -1).every((group) => group.length === first) && groups.at(-1).length <= first;
  if (!strict) return even || groups.length <= 3 || digitsIn(groups) >= 3 * groups.length;
  return (even && (groups.length === 1 || [1, 2, 4, 8].includes(first))) || (first === 4 && groups[1]?.length === 6);
}

// Every stretch of whole groups; with `over`, only those that reach over one of these digit counts.
function holdsCardOfAScheme(groups, strict, over = []) {
  const number = groups.join("");
  const borders = [0];
  for (const group of groups) borders.push(borders.at(-1) + group.length);
  const at = new Map(borders.map((border, place) => [border, place]));
  return borders.slice(0, -1).some((start, first) =>
    lengths(number.slice(start, start + 4)).some((length) => {
      const end = start + length;
      return (
        at.has(end) &&
        passesLuhn(number.slice(start, end)) &&
        isGrouped(groups.slice(first, at.get(end)), strict) &&
        (!over.length || over.some((count) => start < count && count < end))
      );
    }),
  );
}

function withExpiry(group) {
  return [4, 7, 8].some(
    (more) =>
      group.length - more >= SHORTEST &&
      group.length - more <= LONGEST &&
      [
        [group.slice(0, -more), group.slice(-more)],
        [group.slice(more), group.slice(0, more)],
      ].some(
        ([card, rest]) => EXPIRY.test(rest) && lengths(card.slice(0, 4)).includes(card.length) && passesLuhn(card),
      ),
  );
}

const UP_TO_19 = [16, 17, 18, 19];
const DINERS = [14, 15, ...UP_TO_19];
const SCHEMES = [
  [2200, 2205, UP_TO_19], // Mir
  [2221, 2720, [16]], // Mastercard
  [3000, 3059, DINERS],
  [3090, 3099, DINERS],
  [3400, 3499, [15]], // American Express
  [3500, 3599, UP_TO_19], // JCB
  [3600, 3699, DINERS],
  [3700, 3799, [15]], // American Express
  [3800, 3999, DINERS],
  [4000, 4999, [13, 16, 19]], // Visa
  [5000, 5099, UP_TO_19], // Maestro
  [5100, 5599, [16]], // Mastercard
  [5600, 5899, UP_TO_19], // Maestro
  [6000, 6999, UP_TO_19], // Discover, Maestro, RuPay, UnionPay
  [8100, 8199, UP_TO_19], // UnionPay
  [8600, 8600, [16]], // Uzcard
  [9792, 9792, [16]], // Troy
  [9860, 9860, [16]], // Humo
];

function lengths(firstFour) {
  const start = Number(firstFour);
  return SCHEMES.find(([first, last]) => first <= start && start <= last)?.[2] ?? [];
}
