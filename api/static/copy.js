// Copies what is shown this once.

import { say } from "./say.js";

const said = document.getElementById("said");

for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).innerText.trim());
      said.textContent = say("Copied");
    } catch {
      said.textContent = say("The browser does not allow copying; select the text instead");
    }
  });
}
