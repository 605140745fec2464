// What a key file is made of: the browser's half of vault/model/der.py. All of it throws Unreadable with a sentence.

import { say } from "./say.js";

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT = 0x06;
export const SEQUENCE = 0x30;
export const BROKEN = say(
  "Part of this key is missing or was changed on the way. Copy it anew from its file, or choose the file",
);
export const STRAY = say("There are characters in it that no key has. Copy it anew from its file, or choose the file");

// An error whose message is a sentence for whoever copied the key.
export class Unreadable extends Error {}

const LENGTH_BYTES = 3;

// Reads one value of DER after the other.
export class Der {
  #at = 0;

  constructor(data) {
    this.data = data;
  }

  get isOver() {
    return this.#at === this.data.length;
  }

  get tag() {
    return this.isOver ? 0 : this.data[this.#at];
  }

  read(tag) {
    if (this.tag !== tag) throw new Unreadable(BROKEN);
    const first = this.#byte(this.#at + 1);
    let start = this.#at + 2;
    let length = first;
    if (first > 0x80) {
      const size = first - 0x80;
      if (size > LENGTH_BYTES) throw new Unreadable(BROKEN);
      length = 0;
      for (let place = 0; place < size; place += 1) length = length * 256 + this.#byte(start + place);
      start += size;
    }
    if (first === 0x80 || start + length > this.data.length) throw new Unreadable(BROKEN);
    this.#at = start + length;
    return this.data.subarray(start, this.#at);
  }

  into(tag) {
    return new Der(this.read(tag));
  }

  #byte(at) {
    if (at >= this.data.length) throw new Unreadable(BROKEN);
    return this.data[at];
  }
}

// Reads what OpenSSH writes (RFC 4251, section 5).
export class Wire {
  #at = 0;

  constructor(data) {
    this.data = data;
  }

  get left() {
    return this.data.length - this.#at;
  }

  take(size) {
    if (size > this.left) throw new Unreadable(BROKEN);
    this.#at += size;
    return this.data.subarray(this.#at - size, this.#at);
  }

  number() {
    return this.take(4).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  string() {
    return this.take(this.number());
  }
}

export function unbase64(text) {
  if (!text) throw new Unreadable(BROKEN);
  if (!/^[A-Za-z0-9+\/]+={0,2}$/.test(text)) throw new Unreadable(STRAY);
  if (text.length % 4) throw new Unreadable(BROKEN);
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new Unreadable(BROKEN);
  }
}

// The text without these characters at its ends. A regular expression would take the square of the time for long blanks.
export function trim(text, signs) {
  let [start, end] = [0, text.length];
  while (start < end && signs.includes(text[start])) start += 1;
  while (end > start && signs.includes(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

// Every byte as the character of its number.
export const latin1 = (bytes) => String.fromCharCode(...bytes);

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
