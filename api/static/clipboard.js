// Puts a secret on the clipboard, and takes it away again: after a while, and if it is still there. What it was is not
// kept for that, only its digest.

import { countTo } from "./countdown.js";

const SECONDS = 30;

let held = null;

const digest = async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
const same = (one, other) => one.every((byte, at) => byte === other[at]);

// The writing begins at once, while the click is fresh: some browsers allow none after a wait.
function written(value) {
  if (!window.ClipboardItem) return value.then((text) => navigator.clipboard.writeText(text));
  const blob = value.then((text) => new Blob([text], { type: "text/plain" }));
  blob.catch(() => {}); // told by `value` itself
  return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}

// Whether it is still there: yes, no, or null where the browser does not let the page see that.
async function isThere({ digest: known, aside }) {
  if (!aside) return true; // nobody was anywhere else since
  const may = await navigator.permissions?.query({ name: "clipboard-read" }).catch(() => null);
  if (may?.state !== "granted") return null;
  return same(await digest(await navigator.clipboard.readText()), known);
}

function focused() {
  return document.hasFocus()
    ? Promise.resolve()
    : new Promise((resolve) => addEventListener("focus", resolve, { once: true }));
}

async function takeAway(it) {
  it.stop();
  if (it !== held) return;
  if (!document.hasFocus()) it.tell("Copied. The clipboard is cleared when you come back to this page");
  await focused();
  if (it !== held) return;
  held = null;
  try {
    const there = await isThere(it);
    if (there) await navigator.clipboard.writeText("");
    if (there === null) it.tell("Copied. This browser does not let the page clear the clipboard by itself", true);
    else it.tell("");
  } catch {
    it.tell("Copied. This browser does not let the page clear the clipboard by itself", true);
  }
}

// Copies what `value` promises; `tell` hears where it stands, and whether the person is to clear it by hand. Throws what
// `value` throws, and NotAllowedError where the browser does not allow it.
export async function copy(value, tell) {
  const writing = written(value);
  writing.catch(() => {}); // told below, after what the vault says
  const text = await value;
  await writing;
  held?.stop();
  held?.tell("");
  const it = { digest: await digest(text), aside: !document.hasFocus(), tell, stop: () => {} };
  held = it;
  const left = (seconds) => tell(`Copied. The clipboard is cleared in ${seconds} s`);
  it.stop = countTo(Date.now() + SECONDS * 1000, left, () => takeAway(it));
}

// Takes it away now, if there is something; waits no longer than a person would.
export async function clear() {
  if (!held || !document.hasFocus()) return;
  await Promise.race([takeAway(held), new Promise((resolve) => setTimeout(resolve, 500))]);
}

export const wipe = () => navigator.clipboard.writeText("");

addEventListener("blur", () => {
  if (held) held.aside = true;
});
for (const taken of ["copy", "cut"]) {
  document.addEventListener(taken, () => {
    held?.stop(); // now it holds something else
    held?.tell("");
    held = null;
  });
}
