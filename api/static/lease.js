// What a lease holds, in place: one field shown at a time and covered again, copied without being shown, a file saved, a
// one-time code. Nothing of it outlives the sight of it: not the tab that is left, not the lease's end, not the back button.

import { clear, copy, wipe } from "./clipboard.js";
import { countTo } from "./countdown.js";
import { element } from "./element.js";
import { fileBytes, MARK, Refused } from "./files.js";

class No extends Error {}

const said = document.getElementById("said");
const stops = new Map(); // what is shown now: its row, and how its clock is stopped
const read = Date.now();
const isCode = (row) => "code" in row.dataset;

async function ask(row, way) {
  const { lease, secret, name: field } = row.dataset;
  const told = isCode(row) ? { secret } : { secret, field };
  let answer;
  let body;
  try {
    answer = await fetch(`/api/v1/leases/${lease}/${way}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(told),
    });
    body = await answer.json();
  } catch {
    throw new No("The vault did not answer. Whether this was recorded is in the log; try again");
  }
  if (!answer.ok) throw new No(body.detail);
  return body;
}

const sight = (row) => row.querySelector(".sight");

// Puts the dots back and forgets the value; what it was is held nowhere else.
function cover(row) {
  stops.get(row)?.();
  stops.delete(row);
  sight(row).replaceChildren(element("span", "••••••••", { class: "covered", "aria-label": "covered" }));
  const button = row.querySelector(".reveal button");
  if (button) button.firstChild.data = button.dataset.shows;
}

const coverAll = () => [...stops.keys()].forEach(cover);

function show(row, parts, seconds, tell) {
  coverAll();
  if (document.hidden) {
    refuse(row, "You left this page before it arrived, so it is not shown. It is recorded as opened");
    return;
  }
  const left = element("p", "", { class: "left" });
  sight(row).replaceChildren(...parts, left);
  const end = () => {
    cover(row);
    if (isCode(row)) refuse(row, "That code is over", "left");
  };
  stops.set(row, () => {}); // the clock tells at once, and must find it there
  const stop = countTo(Date.now() + seconds * 1000, (now) => (left.textContent = tell(now)), end);
  if (stops.has(row)) stops.set(row, stop);
  const button = row.querySelector(".reveal button");
  if (button) button.firstChild.data = "Cover";
}

function refuse(row, sentence, kind = "error") {
  sight(row).replaceChildren(element("p", sentence, { class: kind }));
  said.textContent = sentence;
}

// What stands of the clipboard, beside what was copied.
function noteOf(row) {
  const note = row.querySelector("[data-note]") ?? row.querySelector("dd").appendChild(element("p", "", { "data-note": "" }));
  note.className = "left";
  return (sentence, byHand = false) => {
    note.replaceChildren(sentence);
    if (!byHand) return;
    const button = element("button", "Clear it now", { type: "button", class: "link" });
    button.addEventListener("click", () => wipe().then(() => note.replaceChildren("The clipboard is cleared")));
    note.append(". ", button);
  };
}

function codeOf(row, { code, period, until }) {
  const vaultNow = Date.parse(row.dataset.now) + Date.now() - read;
  const seconds = Math.min(period, Math.max(1, (Date.parse(until) - vaultNow) / 1000));
  const half = Math.ceil(code.length / 2);
  const digits = element("p", `${code.slice(0, half)} ${code.slice(half)}`, { class: "value digits", "data-code": code });
  show(row, [digits], seconds, (left) => `Good for ${left} s`);
  said.textContent = `The code is ${[...code].join(" ")}`;
}

function fieldOf(row, { value }) {
  const bytes = "file" in row.dataset ? bytesOf(value) : null;
  const isText = !bytes || !value.startsWith(MARK);
  const size = bytes?.length.toLocaleString("en-GB");
  const part = isText
    ? element("p", value, { class: "value" })
    : element("p", `A file of ${size} bytes, which is not text. Save it instead.`);
  show(row, [part], Number(row.dataset.seconds), (left) => `Covered again in ${left} s`);
  said.textContent = `${row.dataset.title} is shown for ${row.dataset.seconds} seconds`;
}

// What a revealed value stands for: the bytes of a file, or of what was kept as one before its rule was known.
function bytesOf(value) {
  try {
    return fileBytes(value);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return new TextEncoder().encode(value);
  }
}

// The customer's own name of the file, if it is revealed at this moment. To look it up would be another look.
function shownName(row) {
  const named = document.querySelector(`[data-secret="${row.dataset.secret}"][data-name="name"] .value`);
  return named ? named.textContent : "";
}

async function save(row) {
  const { value } = await ask(row, "use");
  const href = URL.createObjectURL(new Blob([bytesOf(value)], { type: "application/octet-stream" }));
  const link = element("a", "", { href, download: shownName(row) || row.dataset.file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
  noteOf(row)("Saved. Delete it when your work is done");
}

async function copied(row) {
  const shown = sight(row).querySelector("[data-code]")?.dataset.code;
  const value = shown
    ? Promise.resolve(shown)
    : ask(row, isCode(row) ? "code" : "use").then((body) => (isCode(row) ? body.code : body.value));
  try {
    await copy(value, noteOf(row));
  } catch (error) {
    if (error instanceof No) throw error;
    throw new No("The browser does not allow copying here. Reveal it, and select the text");
  }
  said.textContent = `${row.dataset.title} copied`;
}

// One deed at a time: its buttons wait, and what is refused is said in its place.
async function doing(row, deed) {
  const buttons = row.querySelectorAll("button");
  const focused = document.activeElement;
  for (const button of buttons) button.disabled = true;
  try {
    await deed();
  } catch (error) {
    if (!(error instanceof No)) throw error;
    cover(row);
    refuse(row, error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
    if (document.activeElement === document.body) focused?.focus();
  }
}

function reveal(event) {
  event.preventDefault();
  const row = event.target.closest("[data-lease]");
  if (event.submitter?.name === "save") return doing(row, () => save(row));
  if (stops.has(row)) return cover(row);
  return isCode(row)
    ? doing(row, async () => codeOf(row, await ask(row, "code")))
    : doing(row, async () => fieldOf(row, await ask(row, "reveal")));
}

for (const [at, form] of document.querySelectorAll(".reveal").entries()) {
  const row = form.closest("[data-lease]");
  const [button] = form.querySelectorAll("button");
  button.dataset.shows = button.firstChild.data;
  if (at < 9) Object.assign(button.dataset, { key: at + 1, keyed: `Show or cover: ${row.dataset.title}` });
  form.addEventListener("submit", reveal);
  if ("file" in row.dataset) continue;
  const way = element("button", "Copy", { type: "button", class: "quiet small copy" });
  way.append(element("span", ` ${row.dataset.title}`, { class: "unseen" }));
  way.addEventListener("click", () => doing(row, () => copied(row)));
  form.append(way);
}

// What came with the page, because it took a proof of its own, is covered like the rest.
for (const value of document.querySelectorAll(".sight .value")) {
  const row = value.closest("[data-lease]");
  show(row, [value], Number(row.dataset.seconds), (left) => `Covered again in ${left} s`);
}

document.addEventListener("over", () => {
  coverAll();
  clear();
  for (const way of document.querySelectorAll(".reveal, [data-while]")) way.remove();
  said.textContent = "This lease has ended";
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) coverAll();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") coverAll();
});
addEventListener("pagehide", coverAll);

// What is handed back is not left behind on the clipboard.
document.getElementById("hand-back")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  await clear();
  event.target.submit();
});
