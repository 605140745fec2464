// Proves a deed with a passkey. The form is sent without a code first; the vault answers with a challenge that holds for
// this deed as it stands, and names it; the passkey's answer then goes with the very same form.

import { available, used, words } from "./passkeys.js";

async function asked(form) {
  if (form.dataset.challenge) return JSON.parse(form.dataset.challenge);
  const fields = new URLSearchParams(new FormData(form));
  fields.delete("code");
  fields.delete("presence");
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { Accept: "application/problem+json" },
    body: fields,
  });
  if (answer.ok) {
    location.assign(answer.url); // it needed no proof after all
    return null;
  }
  const { challenge } = await answer.json();
  if (!challenge) form.submit(); // refused for another reason: its page says at which field
  return challenge ?? null;
}

async function prove(button) {
  const { form } = button;
  const said = form.querySelector("[data-said]");
  const { code, presence } = form.elements;
  if (code) code.required = false; // the passkey stands in its place
  const complete = form.reportValidity();
  if (code) code.required = true;
  if (!complete) return;
  button.disabled = true;
  try {
    const challenge = await asked(form);
    if (!challenge) return;
    if (!challenge.passkey) {
      said.textContent = "You have no passkey here; use a code from your authenticator";
      return;
    }
    said.textContent = `Use your passkey to ${challenge.deed}.`;
    presence.value = JSON.stringify({ challenge: challenge.id, answer: await used(challenge.passkey) });
    form.submit();
  } catch (error) {
    said.textContent = words(error);
  } finally {
    button.disabled = false;
  }
}

for (const button of document.querySelectorAll("button[data-prove]")) {
  if (!available) continue;
  button.hidden = false;
  button.form.querySelector("[data-without]")?.remove();
  button.addEventListener("click", () => prove(button));
}
