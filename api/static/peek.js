// A secret can be looked at while it is typed; it starts covered, and is covered again before it is sent.

import { say } from "./say.js";

export function addPeek(peek) {
  const input = document.getElementById(peek.dataset.peeks);
  const set = (shown) => {
    input.type = shown ? "text" : "password";
    peek.textContent = shown ? say("Hide") : say("Show");
    peek.setAttribute("aria-label", shown ? say("Hide what is typed") : say("Show what is typed"));
  };
  set(false);
  peek.hidden = false;
  peek.setAttribute("aria-controls", input.id);
  peek.addEventListener("click", () => set(input.type === "password"));
  input.form.addEventListener("submit", () => set(false));
}
