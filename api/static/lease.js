// Reveals one field at a time in place, covers it again after a while, copies or saves it, and counts the lease down.

import { fileBytes, MARK, Refused } from "./files.js";

const said = document.getElementById("said");
const countdown = document.getElementById("countdown");

const element = (name, text, kind = "") => {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

// Puts the dots back and forgets the value; what it was is held nowhere else.
function cover(row) {
  clearInterval(Number(row.dataset.timer));
  delete row.dataset.timer;
  const dots = element("span", "••••••••", "covered");
  dots.setAttribute("aria-label", "covered");
  row.querySelector("dd").replaceChildren(dots);
  const button = row.querySelector(".reveal button");
  if (button) button.textContent = "Reveal";
  for (const way of row.querySelectorAll(".copy, .save")) {
    if (way.href) URL.revokeObjectURL(way.href);
    way.remove();
  }
}

function coverAll() {
  for (const row of document.querySelectorAll(".fields [data-timer]")) cover(row);
}

function copying(row, value) {
  const copy = element("button", "Copy", "quiet small copy");
  copy.type = "button";
  copy.setAttribute("aria-describedby", row.querySelector("dt").id);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value);
      copy.textContent = "Copied";
      said.textContent = `${row.dataset.title} copied`;
    } catch {
      said.textContent = "The browser does not allow copying; select the text instead";
      copy.textContent = "Not allowed";
    }
  });
  return copy;
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

// A link to the file's bytes, which this page holds in memory until the field is covered.
function saving(row, bytes) {
  const save = element("a", "Save the file", "button quiet small save");
  save.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  save.download = shownName(row) || row.dataset.file;
  save.setAttribute("aria-describedby", row.querySelector("dt").id);
  save.addEventListener("click", () => {
    said.textContent = "Saved. Delete it when your work is done";
  });
  return save;
}

// The customer's own name of the file, if it is revealed at this moment. To look it up would be another look.
function shownName(row) {
  const named = document.querySelector(`[data-secret="${row.dataset.secret}"][data-name="name"] .value`);
  return named ? named.textContent : "";
}

function show(row, value) {
  cover(row);
  const left = element("p", "", "left");
  const until = Date.now() + Number(row.dataset.seconds) * 1000;
  const tick = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds <= 0) cover(row);
    else left.textContent = `Covered again in ${seconds} s`;
  };
  const bytes = "file" in row.dataset ? bytesOf(value) : null;
  const isText = !bytes || !value.startsWith(MARK);
  const size = bytes?.length.toLocaleString("en-GB");
  const sight = isText
    ? element("p", value, "value")
    : element("p", `A file of ${size} bytes, which is not text. Save it instead.`);
  row.querySelector("dd").replaceChildren(sight, left);
  row.dataset.timer = String(setInterval(tick, 500));
  tick();
  row.querySelector(".reveal button").textContent = "Cover";
  if (isText) row.querySelector(".reveal").append(copying(row, value));
  if (bytes) row.querySelector(".reveal").append(saving(row, bytes));
  said.textContent = `${row.dataset.title} is shown for ${row.dataset.seconds} seconds`;
}

function refuse(row, sentence) {
  row.querySelector("dd").replaceChildren(element("p", sentence, "error"));
  said.textContent = sentence;
}

async function reveal(event) {
  event.preventDefault();
  const row = event.target.closest("[data-lease]");
  if (row.dataset.timer) {
    cover(row);
    return;
  }
  const button = row.querySelector(".reveal button");
  button.disabled = true;
  try {
    const answer = await fetch(`/api/v1/leases/${row.dataset.lease}/reveal`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ secret: row.dataset.secret, field: row.dataset.name }),
    });
    const body = await answer.json();
    if (answer.ok) show(row, body.value);
    else refuse(row, body.detail);
  } catch {
    refuse(row, "The vault did not answer. Whether this was recorded as a look is in the log; try again");
  } finally {
    button.disabled = false;
  }
}

function count() {
  const left = Math.floor((new Date(countdown.dataset.until) - Date.now()) / 1000);
  if (left <= 0) {
    coverAll();
    for (const form of document.querySelectorAll(".reveal")) form.remove();
    countdown.textContent = ", which is over";
    return;
  }
  const [hours, minutes] = [Math.floor(left / 3600), Math.floor((left % 3600) / 60)];
  const words = hours ? `${hours} h ${minutes} min` : left < 120 ? `${left} s` : `${minutes} min`;
  countdown.textContent = `, ${words} left`;
  setTimeout(count, left < 120 ? 1000 : 15_000);
}

// What is shown is saved here, without asking the vault for it a second time.
for (const button of document.querySelectorAll(".reveal [name=save]")) button.remove();
for (const form of document.querySelectorAll(".reveal")) form.addEventListener("submit", reveal);
if (countdown) count();
addEventListener("pagehide", coverAll);
