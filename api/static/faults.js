// Says what is wrong: at the top, where the eye begins and a screen reader is sent, and at each field.

import { element } from "./element.js";
import { controlOf, questionOf, questions } from "./questions.js";
import { say } from "./say.js";

const ERROR = say("Error:");

export function show(faults) {
  for (const question of questions()) mark(question, faults[question.dataset.field] ?? "");
  summarise(Object.entries(faults).map(([name, sentence]) => ({ sentence, place: name })));
}

function mark(question, sentence) {
  const name = question.dataset.field;
  const control = controlOf(question);
  question.querySelector(".error")?.remove();
  question.classList.toggle("wrong", sentence !== "");
  control.removeAttribute("aria-invalid");
  if (sentence) {
    const error = element("p", "", { class: "error", id: `${name}-error` });
    error.append(element("span", ERROR, { class: "unseen" }), " ", sentence);
    (question.querySelector(".hint") ?? question.querySelector("label")).after(error);
    control.setAttribute("aria-invalid", "true");
    question.closest("details")?.setAttribute("open", "");
  }
  describe(question);
}

// What a screen reader says after the name of a field: its hint, its verdict, its fault, as far as they are there.
export function describe(question) {
  const name = question.dataset.field;
  const told = ["hint", "verdict", "error"].map((what) => `${name}-${what}`).filter((id) => document.getElementById(id));
  if (told.length) controlOf(question).setAttribute("aria-describedby", told.join(" "));
  else controlOf(question).removeAttribute("aria-describedby");
}

function goTo(name) {
  const question = questionOf(name);
  const control = question ? controlOf(question) : document.getElementById(name);
  (control.hidden ? document.getElementById(`${name}-file`) : control).focus();
}

export function summarise(lines) {
  const place = document.getElementById("faults");
  place.replaceChildren();
  if (document.title.startsWith(ERROR)) document.title = document.title.slice(ERROR.length).trim();
  if (!lines.length) return;
  document.getElementById("received")?.remove(); // that was about another one
  document.title = `${ERROR} ${document.title}`;
  const list = element("ul");
  for (const { sentence, place: name } of lines) {
    const item = element("li");
    const link = name ? element("a", sentence, { href: `#${name}` }) : element("span", sentence);
    if (name) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        goTo(name);
      });
    }
    item.append(link);
    list.append(item);
  }
  const summary = element("div", "", { class: "summary", role: "alert", tabindex: "-1", id: "summary" });
  summary.append(element("h2", say("Please look at this again")), list);
  place.append(summary);
  summary.focus();
}
