// A secret can be looked at while it is typed; it starts covered, and is covered again before it is sent.

import { element } from "./element.js";

export function addPeek(input) {
  const beside = element("div", "", { class: "beside" });
  const peek = element("button", "Show", { type: "button", class: "quiet small", "aria-controls": input.id });
  const set = (shown) => {
    input.type = shown ? "text" : "password";
    peek.textContent = shown ? "Hide" : "Show";
    peek.setAttribute("aria-label", shown ? "Hide what is typed" : "Show what is typed");
  };
  set(false);
  peek.addEventListener("click", () => set(input.type === "password"));
  input.form.addEventListener("submit", () => set(false));
  input.before(beside);
  beside.append(input, peek);
}
