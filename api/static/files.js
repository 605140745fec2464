// How a file stands in a field: the rule of vault/model/files.py, step by step. fileValue(bytes) spells a file and
// fileBytes(value) gives it back: both throw Refused, whose message is a sentence. readFile(value) gives
// {kind: "good" | "wrong", sentence}.

import { say } from "./say.js";

export const LARGEST = 1024 * 1024;
const LONGEST_TEXT = 64 * 1024;
export const MARK = "data:application/octet-stream;base64,";

const TOO_LARGE = say("A file can have at most 1 MiB. Leave out what is not needed");
const TOO_LONG = say("That is too long to paste. Choose the file instead");
const EMPTY = say("This file is empty");
const NOT_BASE64 = say("This file did not arrive as it was sent. Choose it anew");

// An error whose message is a sentence for the customer.
export class Refused extends Error {}

export function fileValue(bytes) {
  if (!bytes.length) throw new Refused(EMPTY);
  if (bytes.length > LARGEST) throw new Refused(TOO_LARGE);
  if (bytes.length <= LONGEST_TEXT && !bytes.includes(0)) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      if (!text.startsWith(MARK)) return text;
    } catch {
      // no text, so it goes as bytes
    }
  }
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return MARK + btoa(binary);
}

export function fileBytes(value) {
  let bytes;
  if (value.startsWith(MARK)) {
    const packed = value.slice(MARK.length);
    if (packed.length % 4 || !/^[A-Za-z0-9+\/]*={0,2}$/.test(packed)) throw new Refused(NOT_BASE64);
    try {
      bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
    } catch {
      throw new Refused(NOT_BASE64);
    }
  } else {
    bytes = new TextEncoder().encode(value);
    if (bytes.length > LONGEST_TEXT) throw new Refused(TOO_LONG);
  }
  if (!bytes.length) throw new Refused(EMPTY);
  if (bytes.length > LARGEST) throw new Refused(TOO_LARGE);
  return bytes;
}

export function readFile(value) {
  try {
    const size = fileBytes(value).length;
    return { kind: "good", sentence: value.startsWith(MARK) ? fileOf(size) : textOf(size) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { kind: "wrong", sentence: error.message };
  }
}

const fileOf = (size) => (size === 1 ? say("A file of 1 byte") : say("A file of %(size)s bytes", { size }));
const textOf = (size) => (size === 1 ? say("A text of 1 byte") : say("A text of %(size)s bytes", { size }));
