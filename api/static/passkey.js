// Makes a passkey: the button asks the device for one, and the form carries what it made to the vault.

import { available, made, post, words } from "./passkeys.js";
import { say } from "./say.js";

// An error whose message is a sentence for the person.
class Refused extends Error {}

const REFUSALS = {
  401: say("This page is not open here any more. Load it again"),
  503: say("Our vault is locked at the moment. Please come again later"),
};

async function asked(form) {
  if (form.dataset.asked) return JSON.parse(form.dataset.asked);
  const answer = await post(form.dataset.ask, {});
  const body = await answer.json();
  if (!answer.ok) throw new Refused(REFUSALS[answer.status] ?? body.detail);
  return body;
}

async function make(event) {
  const form = event.target;
  event.preventDefault();
  const said = form.querySelector("[data-said]");
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const question = await asked(form);
    said.textContent = say("Follow your browser: it asks you for the device that is to hold the passkey.");
    form.elements.made.value = JSON.stringify({ challenge: question.challenge, answer: await made(question.passkey) });
    form.submit();
  } catch (error) {
    said.textContent = error instanceof Refused ? error.message : words(error);
  } finally {
    button.disabled = false;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!available) continue;
  form.hidden = false;
  for (const instead of document.querySelectorAll("[data-without-passkey]")) instead.remove();
  for (const beside of document.querySelectorAll("[data-with-passkey]")) beside.hidden = false;
  form.addEventListener("submit", make);
}
