// Signs in with a passkey, without a name being typed. The cookie comes with the vault's answer; no script sees it.

import { available, post, used, words } from "./passkeys.js";

const part = document.getElementById("by-passkey");
const said = document.getElementById("said");
const form = document.getElementById("by-password");

async function signIn(event) {
  const button = event.target;
  button.disabled = true;
  said.textContent = "";
  try {
    const asked = await post("/signin/passkey/ask", {});
    const question = await asked.json();
    if (!asked.ok) {
      said.textContent = question.detail;
      return;
    }
    const answer = await used(question.passkey);
    const signed = await post("/signin/passkey", { challenge: question.challenge, answer, to: form.elements.to.value });
    const body = await signed.json();
    if (signed.ok) location.replace(body.to + location.hash);
    else said.textContent = body.detail;
  } catch (error) {
    said.textContent = words(error);
  } finally {
    button.disabled = false;
  }
}

if (available) {
  part.hidden = false;
  document.getElementById("passkey").addEventListener("click", signIn);
}
// a code that stands behind the address of the page one came from goes on to that page, and is sent to nobody
if (/^#[A-Za-z-]{8,9}$/.test(location.hash)) form.action += location.hash;
document.getElementById("summary")?.focus();
