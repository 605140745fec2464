// A few keys for who works here all day; ? shows them. They can be switched off, for whoever speaks to the browser or
// types otherwise (WCAG 2.2, 2.1.4). A key does no deed: it goes to its button, and the person presses that.

import { element } from "./element.js";

const OFF = "keys off";
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

const isOff = () => localStorage.getItem(OFF) !== null;
const keyed = () => [...document.querySelectorAll("[data-key]")].filter((one) => one.checkVisibility());
const nameOf = (one) => one.dataset.keyed ?? one.textContent.trim();

function line(key, does) {
  const row = element("div", "", { class: "key-line" });
  const name = element("dt");
  name.append(element("kbd", key));
  row.append(name, element("dd", does));
  return row;
}

function shown() {
  const dialog = element("dialog", "", { "aria-labelledby": "keys-title", class: "keys" });
  const list = element("dl");
  for (const one of keyed()) list.append(line(one.dataset.key, nameOf(one)));
  if (document.querySelector("[data-lease] .copy")) list.append(line("⇧ 1", "Copy what 1 reveals, without showing it"));
  if (document.querySelector("[data-lease]")) list.append(line("Esc", "Cover everything"));
  list.append(line("?", "This list"));
  const choice = element("div", "", { class: "choice" });
  const box = element("input", "", { type: "checkbox", id: "keys-on" });
  box.checked = !isOff();
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
  choice.append(box, element("label", "Use these keys on this device", { for: "keys-on" }));
  const close = element("button", "Close", { type: "button", class: "quiet" });
  close.addEventListener("click", () => dialog.close());
  dialog.append(element("h2", "Keys", { id: "keys-title" }), list, choice, close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

function go(one) {
  if (one.matches("a, summary, [data-lease] button")) one.click();
  one.focus();
  one.scrollIntoView({ block: "nearest" });
}

// A digit is meant by its place on the keyboard; anything else by what it says there.
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.(TYPED)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    event.preventDefault();
    shown();
    return;
  }
  if (isOff()) return;
  const find = (key) => keyed().find((one) => one.dataset.key === key);
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  const copy = event.shiftKey && digit && find(digit)?.closest("[data-lease]")?.querySelector(".copy");
  const one = copy || find(digit && !event.shiftKey ? digit : event.key.toLowerCase());
  if (!one) return;
  event.preventDefault();
  go(one);
}

const search = document.getElementById("q") ?? document.querySelector('.way a[href="/search"]');
if (search) Object.assign(search.dataset, { key: "/", keyed: "Search" });
const start = document.querySelector('.way a[href="/"]');
if (start) Object.assign(start.dataset, { key: "d", keyed: `Go to the start: ${start.textContent}` });
addEventListener("keydown", pressed);
for (const hint of document.querySelectorAll("[data-keys]")) {
  hint.hidden = false;
  hint.addEventListener("click", shown);
}
