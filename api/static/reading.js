// Reads along while a field is filled in: says at once under it what it holds, and takes a pasted login apart.

import { element } from "./element.js";
import { describe } from "./faults.js";
import { readFile } from "./files.js";
import { readLogin } from "./logins.js";
import { readOtpauth } from "./otpauth.js";
import { controlOf, form, questionOf, questions, valueOf } from "./questions.js";
import { locale, say } from "./say.js";
import { readKey } from "./sshkey.js";

const READERS = { "ssh-key": readKey, otpauth: readOtpauth, file: readFile };
const PAUSE = 250; // milliseconds after a key stroke

const verdictOf = (question) => document.getElementById(`${question.dataset.field}-verdict`);

function tell(question, kind, sentence, fingerprint = "") {
  const place = verdictOf(question);
  place.className = sentence ? `verdict ${kind}` : "";
  place.replaceChildren();
  if (!sentence) return;
  const words = element("span", sentence);
  if (fingerprint) words.append(element("span", fingerprint, { class: "mono" }));
  place.append(words);
}

async function read(question) {
  const value = valueOf(question);
  const verdict = value.trim() === "" ? null : await READERS[question.dataset.reads](value);
  if (valueOf(question) !== value) return; // it was changed meanwhile, and that is read by itself
  question.dataset.verdict = verdict?.kind === "wrong" ? verdict.sentence : "";
  const { kind = "", sentence = "", fingerprint = "" } = verdict ?? {};
  tell(question, kind, sentence, fingerprint);
  if (question.dataset.reads === "ssh-key") askPassphrase(verdict?.encrypted === true);
}

// A key that is protected needs its passphrase; for one that is not, the question stays optional.
function askPassphrase(needed) {
  const question = questionOf("passphrase");
  if (!question) return;
  controlOf(question).required = needed;
  question.querySelector(".optional").hidden = needed;
}

const SAID = { host: say("server"), port: say("port"), username: say("user name") };

// A whole line, like “ssh root@shop.example.com -p 2222”: its parts go where they belong.
function takeApart(question, line) {
  const login = readLogin(line);
  if (!login) return false;
  const filled = Object.keys(SAID).filter((name) => login[name] && questionOf(name));
  for (const name of filled) controlOf(questionOf(name)).value = login[name];
  const names = new Intl.ListFormat(locale).format(filled.map((name) => SAID[name]));
  tell(question, "good", say("Filled in from that line: %(names)s", { names }));
  return true;
}

function readLines(question) {
  const control = controlOf(question);
  const hint = question.querySelector(".hint");
  const also = say("You can also paste the whole line that you log in with");
  if (hint) hint.textContent += `. ${also}`;
  control.addEventListener("paste", (event) => {
    if (takeApart(question, event.clipboardData.getData("text").trim())) event.preventDefault();
  });
  control.addEventListener("change", () => takeApart(question, control.value.trim()));
  control.addEventListener("input", () => tell(question, "", ""));
}

function readAlong(question) {
  let waiting = 0;
  controlOf(question).addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(read, PAUSE, question);
  });
  question.addEventListener("picked", () => read(question));
  read(question); // what was entered while this page was still loading
}

// Everything once more, before it is judged as a whole.
export async function readAll() {
  await Promise.all(questions().filter((one) => one.dataset.reads in READERS).map(read));
}

for (const question of questions()) {
  const { reads, field } = question.dataset;
  if (reads !== "ssh-command" && !(reads in READERS)) continue;
  question.append(element("p", "", { id: `${field}-verdict`, role: "status" }));
  describe(question);
  if (reads === "ssh-command") readLines(question);
  else readAlong(question);
}
form.addEventListener("reset", () => questions().filter(verdictOf).forEach((question) => tell(question, "", "")));
