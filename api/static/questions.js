// The questions of the form that asks for a secret: what was answered, and what is wrong with it.

import { say } from "./say.js";

export const form = document.getElementById("give");

// Field name to the text of a file, byte for byte as it was read.
export const picked = new Map();

export const questions = () => [...form.querySelectorAll("[data-field]")];
export const questionOf = (name) => form.querySelector(`[data-field="${CSS.escape(name)}"]`);
export const controlOf = (question) => question.querySelector("input:not([type=file]), textarea, select");
export const valueOf = (question) => picked.get(question.dataset.field) ?? controlOf(question).value;

// What was entered, without what was left empty.
export function entered() {
  const filled = questions().filter((question) => valueOf(question) !== "");
  return Object.fromEntries(filled.map((question) => [question.dataset.field, valueOf(question)]));
}

export function faultOf(question) {
  const value = valueOf(question);
  const control = controlOf(question);
  const { title, missing, wrong, longest } = question.dataset;
  const pattern = control.getAttribute("pattern") ?? control.dataset.pattern ?? "";
  if (value === "") return control.required ? missing : "";
  if ([...value].length > Number(longest)) {
    return say("%(field)s can have at most %(longest)s characters", { field: title, longest: Number(longest) });
  }
  if (!value.isWellFormed() || value.includes("\0")) {
    return say("%(field)s holds a character that no keyboard types", { field: title });
  }
  if (question.dataset.verdict) return question.dataset.verdict;
  if (pattern && !new RegExp(`^(?:${pattern})$`, "v").test(value)) return wrong;
  return "";
}

// Every fault by the name of its field.
export function faultsOf() {
  const found = questions().map((question) => [question.dataset.field, faultOf(question)]);
  return Object.fromEntries(found.filter(([, fault]) => fault));
}
