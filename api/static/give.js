// The customer's form where the browser can seal: checks, seals and hands over. What is entered never leaves this page.

import { NO_CARDS, holdsCardNumber } from "./cards.js";
import { doubtOf } from "./doubts.js";
import { show, summarise } from "./faults.js";
import { Said, handedOver, refresh } from "./handing.js";
import { bestSuite } from "./hpke.js";
import { addPeek } from "./peek.js";
import { addPick, canPick } from "./picking.js";
import { entered, faultsOf, form, picked, questionOf, questions, valueOf } from "./questions.js";
import { readAll } from "./reading.js";
import { say } from "./say.js";
import { canCheck } from "./statement.js";
import { askWhetherSure, isSure } from "./sure.js";

const progress = document.getElementById("progress");
const button = document.getElementById("submit");

function cardFaults(fields) {
  if (!holdsCardNumber(fields)) return {};
  const secret = questions().find((question) => "hidden" in question.dataset && valueOf(question) !== "");
  return { [(secret ?? questions()[0]).dataset.field]: NO_CARDS };
}

function doubted(sentence) {
  askWhetherSure(sentence);
  summarise([{ sentence, place: "sure" }]);
}

async function handOver(suite) {
  await readAll();
  const fields = entered();
  const wrong = faultsOf();
  const faults = Object.keys(wrong).length ? wrong : cardFaults(fields);
  show(faults);
  if (Object.keys(faults).length) return;
  const sure = isSure();
  const doubt = sure ? "" : doubtOf(form.dataset.kind, fields);
  if (doubt) {
    doubted(doubt);
    return;
  }
  const [answer, said] = await handedOver(fields, suite, form.dataset, sure);
  if (!answer.ok) {
    refused(said);
    await refresh(form.dataset);
    return;
  }
  const { secret } = form.dataset;
  form.reset();
  picked.clear();
  location.assign(`/give/?given=${encodeURIComponent(secret)}`);
}

// Only what is at fault is asked again; all else stays as it was entered.
function refused({ pointer = "", detail, hint = "" }) {
  const name = pointer.match(/^\/fields\/(\w+)$/)?.[1];
  if (pointer === "/sure") doubted(detail);
  else if (name && questionOf(name)) show({ [name]: detail });
  else summarise([{ sentence: `${detail} ${hint}`.trim() }]);
}

async function onSubmit(event, ready) {
  event.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  progress.textContent = say("Sealing and handing over …");
  try {
    const suite = await ready;
    if (suite) await handOver(suite);
    else HTMLFormElement.prototype.submit.call(form); // the button named so hides the form's own
  } catch (error) {
    const unknown = say(
      "This page could not seal what you entered, so nothing was sent. Please tell the person who asked you.",
    );
    summarise([{ sentence: error instanceof Said ? error.message : unknown }]);
  } finally {
    progress.textContent = "";
    button.disabled = false;
  }
}

// Which suite this browser can seal in. Where there is none, the form goes to the intake as it is, and the page says so.
async function suiteHere() {
  const suite = (await canCheck()) ? await bestSuite() : null;
  if (!suite) {
    form.noValidate = false;
    return null;
  }
  questions().filter(canPick).forEach(addPick);
  const protection = document.getElementById("protection");
  protection.textContent = protection.dataset.sealed;
  button.textContent = button.dataset.sealed;
  document.documentElement.dataset.suite = suite;
  return suite;
}

document.getElementById("summary")?.focus();
form.noValidate = true;
const ready = suiteHere();
form.addEventListener("submit", (event) => onSubmit(event, ready));
form.querySelectorAll("[data-peeks]").forEach(addPeek);

// From here on the form can do its own; what was asked for while it was still loading is done now.
delete document.documentElement.dataset.holding;
if ("wanted" in document.documentElement.dataset) form.requestSubmit();
