// A doubt about what was entered: it is asked with a box, and goes on only with a yes.

import { element } from "./element.js";
import { say } from "./say.js";

const place = document.getElementById("doubt");

export const isSure = () => document.getElementById("sure")?.checked === true;

export function askWhetherSure(doubt) {
  place.replaceChildren();
  if (!doubt) return;
  const question = element("div", "", { class: "question wrong" });
  const error = element("p", "", { class: "error", id: "sure-error" });
  error.append(element("span", say("Error:"), { class: "unseen" }), " ", doubt);
  const choice = element("div", "", { class: "choice" });
  const box = element("input", "", { type: "checkbox", id: "sure", name: "sure", value: "yes", "aria-describedby": "sure-error" });
  choice.append(box, element("label", say("Yes, this belongs to the login"), { for: "sure" }));
  question.append(error, choice);
  place.append(question);
}
