// Opens a customer's page with a passkey. The cookie comes with the vault's answer; no script sees it.

import { available, post, used } from "/give/static/passkeys.js";

const part = document.getElementById("by-passkey");
const said = document.getElementById("said");

async function open(event) {
  const button = event.target;
  button.disabled = true;
  said.textContent = "";
  try {
    const asked = await post("/mine/passkey/ask", {});
    const question = await asked.json();
    const answer = asked.ok && (await used(question.passkey));
    const opened = asked.ok && (await post("/mine/passkey", { challenge: question.challenge, answer }));
    if (opened && opened.ok) location.replace((await opened.json()).to);
    else said.textContent = part.dataset.no;
  } catch {
    said.textContent = part.dataset.no;
  } finally {
    button.disabled = false;
  }
}

if (available) {
  part.hidden = false;
  document.getElementById("passkey").addEventListener("click", open);
}
