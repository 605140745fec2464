// The customer's form where the browser can seal: checks, seals and hands over. What is typed never leaves this page.

import { toBase64 } from "./bytes.js";
import { holdsCardNumber } from "./cards.js";
import { packFields, seal } from "./envelope.js";
import { bestSuite } from "./hpke.js";
import { canCheck, checkStatement } from "./statement.js";

const form = document.getElementById("give");
const progress = document.getElementById("progress");
const button = document.getElementById("submit");
const picked = new Map(); // field name to the text of a file, byte for byte as it was read
let handedOver = null; // the envelope of the last attempt, so that trying again gives the very same one

// An error whose message is a sentence for the customer.
class Said extends Error {}

const element = (name, text = "", attributes = {}) => {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

const questions = () => [...form.querySelectorAll("[data-field]")];
const controlOf = (question) => question.querySelector("input:not([type=file]), textarea");
const valueOf = (question) => picked.get(question.dataset.field) ?? controlOf(question).value;

// What was typed, without what was left empty.
function typed() {
  const filled = questions().filter((question) => valueOf(question) !== "");
  return Object.fromEntries(filled.map((question) => [question.dataset.field, valueOf(question)]));
}

function faultOf(question) {
  const value = valueOf(question);
  const control = controlOf(question);
  const title = question.querySelector("label").firstChild.textContent.trim();
  const pattern = control.getAttribute("pattern") ?? control.dataset.pattern ?? "";
  if (value === "") return control.required ? question.dataset.missing : "";
  if ([...value].length > Number(question.dataset.longest)) {
    return `${title} can have at most ${question.dataset.longest} characters`;
  }
  if (!value.isWellFormed() || value.includes("\0")) return `${title} holds a character that no keyboard types`;
  if (pattern && !new RegExp(`^(?:${pattern})$`, "v").test(value)) return question.dataset.wrong;
  return "";
}

function show(faults) {
  for (const question of questions()) {
    const name = question.dataset.field;
    const control = controlOf(question);
    question.querySelector(".error")?.remove();
    question.classList.toggle("wrong", name in faults);
    const described = [`${name}-hint`].filter((id) => document.getElementById(id));
    control.removeAttribute("aria-invalid");
    if (name in faults) {
      const error = element("p", "", { class: "error", id: `${name}-error` });
      error.append(element("span", "Error: ", { class: "unseen" }), faults[name]);
      (question.querySelector(".hint") ?? question.querySelector("label")).after(error);
      control.setAttribute("aria-invalid", "true");
      described.push(error.id);
    }
    control.setAttribute("aria-describedby", described.join(" "));
    if (!described.length) control.removeAttribute("aria-describedby");
  }
  summarise(Object.entries(faults).map(([name, sentence]) => ({ sentence, place: name })));
}

function summarise(lines) {
  const place = document.getElementById("faults");
  place.replaceChildren();
  document.title = document.title.replace(/^Error: /, "");
  if (!lines.length) return;
  document.title = `Error: ${document.title}`;
  const list = element("ul");
  for (const { sentence, place: name } of lines) {
    const item = element("li");
    const link = name ? element("a", sentence, { href: `#${name}` }) : element("span", sentence);
    if (name) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const control = document.getElementById(name);
        (control.hidden ? document.getElementById(`${name}-file`) : control).focus();
      });
    }
    item.append(link);
    list.append(item);
  }
  const summary = element("div", "", { class: "summary", role: "alert", tabindex: "-1", id: "summary" });
  summary.append(element("h2", "Please look at this again"), list);
  place.append(summary);
  summary.focus();
}

async function handOver(suite) {
  const fields = typed();
  const faults = Object.fromEntries(
    questions()
      .map((question) => [question.dataset.field, faultOf(question)])
      .filter(([, fault]) => fault),
  );
  if (!Object.keys(faults).length && holdsCardNumber(fields)) {
    const secret = questions().find((question) => "hidden" in question.dataset && valueOf(question) !== "");
    faults[(secret ?? questions()[0]).dataset.field] =
      "Card numbers are never kept here. Take it out; if it is none, change the login and give the new one";
  }
  show(faults);
  if (Object.keys(faults).length) return;
  const { deployment, service, secret, kind } = form.dataset;
  const version = Number(form.dataset.version);
  const packed = packFields(fields);
  const same = toBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", packed)));
  if (handedOver?.same !== same) {
    const { statement, signature, key: verifying } = form.dataset;
    const { keys, key } = await checkStatement(verifying, statement, signature, deployment, service).catch(() => {
      throw new Said(
        "The key of this service could not be verified, so nothing was sent. Please tell the person who asked you.",
      );
    });
    const envelope = await seal(packed, suite, keys[suite], { deployment, service, key, secret, version, kind });
    handedOver = { same, envelope: toBase64(envelope) };
  }
  packed.fill(0);
  const [answer, said] = await sent({ secret, version, envelope: handedOver.envelope, sealed_by: "browser" });
  if (!answer.ok) {
    const name = said.pointer?.match(/^\/fields\/(\w+)$/)?.[1];
    if (name && document.getElementById(name)) show({ [name]: said.detail });
    else summarise([{ sentence: `${said.detail} ${said.hint ?? ""}`.trim() }]);
    await refresh(secret);
    return;
  }
  form.reset();
  picked.clear();
  location.assign(`/give/thanks?reference=${encodeURIComponent(said.reference)}`);
}

async function sent(given) {
  try {
    const answer = await fetch("/give/secret", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(given),
    });
    return [answer, await answer.json()];
  } catch {
    throw new Said("The connection was interrupted. Nothing that you typed is lost; please press the button again.");
  }
}

// After a refusal the vault may ask for a newer version: what was typed stays and is sealed anew for that one.
async function refresh(secret) {
  const answer = await fetch("/give/form", { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { items, statement, statement_signature: signature } = await answer.json();
  const version = items.find((item) => item.secret === secret)?.version;
  if (!version || String(version) === form.dataset.version) return;
  Object.assign(form.dataset, { version, statement, signature });
  handedOver = null;
}

async function onSubmit(event, ready) {
  event.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  progress.textContent = "Sealing and handing over …";
  try {
    const suite = await ready;
    if (suite) await handOver(suite);
    else HTMLFormElement.prototype.submit.call(form); // the button named so hides the form's own
  } catch (error) {
    const unknown = "This page could not seal what you typed, so nothing was sent. Please tell the person who asked you.";
    summarise([{ sentence: error instanceof Said ? error.message : unknown }]);
  } finally {
    progress.textContent = "";
    button.disabled = false;
  }
}

// A secret can be looked at while it is typed; it starts covered.
function addPeek(input) {
  const beside = element("div", "", { class: "beside" });
  const peek = element("button", "Show", { type: "button", class: "quiet small", "aria-controls": input.id });
  peek.setAttribute("aria-label", "Show what is typed");
  peek.addEventListener("click", () => {
    const covered = input.type === "password";
    input.type = covered ? "text" : "password";
    input.dataset.secret = "";
    peek.textContent = covered ? "Hide" : "Show";
    peek.setAttribute("aria-label", covered ? "Hide what is typed" : "Show what is typed");
  });
  input.before(beside);
  beside.append(input, peek);
}

// A key can be picked or dropped as a file. The browser reads it; the file itself is never uploaded.
function addPick(area) {
  const name = area.closest("[data-field]").dataset.field;
  const pick = element("div", "", { class: "pick" });
  const said = element("p", "Or drop the key file here", { class: "fine", role: "status" });
  const input = element("input", "", { type: "file", id: `${name}-file` });
  const label = element("label", "Choose a file", { for: input.id });
  const back = element("button", "Take it out again", { type: "button", class: "quiet small" });
  back.hidden = true;
  const read = (file) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      try {
        const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(reader.result);
        picked.set(name, text);
        area.value = "";
        area.required = false;
        area.hidden = true;
        back.hidden = false;
        said.textContent = `Read from ${file.name}, ${text.length} characters`;
      } catch {
        said.textContent = "That file is no key in text form. Choose another one";
      }
    });
    reader.addEventListener("error", () => (said.textContent = "That file could not be read"));
    if (file.size > Number(area.closest("[data-field]").dataset.longest) * 4) {
      said.textContent = "That file is too large to be a key. Choose another one";
    } else {
      reader.readAsArrayBuffer(file);
    }
  };
  input.addEventListener("change", () => input.files[0] && read(input.files[0]));
  back.addEventListener("click", () => {
    picked.delete(name);
    input.value = "";
    area.hidden = false;
    area.required = true;
    back.hidden = true;
    said.textContent = "Or drop the key file here";
    area.focus();
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    pick.addEventListener(kind, (event) => {
      event.preventDefault();
      pick.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
    });
  }
  pick.append(said, input, label, back);
  area.after(pick);
}

// Which suite this browser can seal in. Where there is none, the form goes to the intake as it is, and the page says so.
async function suiteHere() {
  const suite = (await canCheck()) ? await bestSuite() : null;
  if (!suite) {
    form.noValidate = false;
    return null;
  }
  for (const area of form.querySelectorAll("textarea[data-pattern]")) addPick(area);
  const protection = document.getElementById("protection");
  protection.textContent = protection.dataset.sealed;
  button.textContent = button.dataset.sealed;
  document.documentElement.dataset.suite = suite;
  return suite;
}

// A new code in the address is meant for its own form, not for the one that this browser has open.
if (/^#[0-9A-Za-z-]{28,40}$/.test(location.hash)) location.replace(`/give/begin${location.hash}`);
document.getElementById("summary")?.focus();
form.noValidate = true;
const ready = suiteHere();
form.addEventListener("submit", (event) => onSubmit(event, ready));
for (const input of form.querySelectorAll("input[type=password]")) addPeek(input);

// From here on the form can do its own; what was asked for while it was still loading is done now.
delete document.documentElement.dataset.holding;
if ("wanted" in document.documentElement.dataset) form.requestSubmit();
