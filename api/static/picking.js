// A key or a file can be picked or dropped. The browser reads it; the file itself is never uploaded.

import { element } from "./element.js";
import { LARGEST, Refused, fileValue } from "./files.js";
import { controlOf, picked, questionOf } from "./questions.js";
import { say } from "./say.js";

const DROP = say("Or drop the file here");
const textOf = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

// How a file becomes the value of a field, by who reads that field: a key is text, a file is whatever it is.
const KINDS = {
  "ssh-key": {
    most: ({ dataset }) => Number(dataset.longest),
    value: textOf,
    large: say("That file is too large to be a key. Choose another one"),
    wrong: say("That file is no key in text form. Choose another one"),
  },
  file: {
    most: () => LARGEST,
    value: fileValue,
    large: say("That file is larger than 1 MiB. Choose a smaller one"),
    wrong: say("That file could not be read. Choose it once more"),
  },
};

export const canPick = (question) => question.dataset.reads in KINDS;

function readFrom(name, bytes) {
  if (bytes < 1024) return say("Read from %(name)s, %(size)s bytes", { name, size: bytes });
  return say("Read from %(name)s, %(size)s KiB", { name, size: Math.ceil(bytes / 1024) });
}

export function addPick(question) {
  const { most, value, large, wrong } = KINDS[question.dataset.reads];
  const name = question.dataset.field;
  const area = controlOf(question);
  const pick = element("div", "", { class: "pick" });
  const said = element("p", DROP, { class: "fine", role: "status" });
  const input = element("input", "", { type: "file", id: `${name}-file` });
  const label = element("label", say("Choose a file"), { for: input.id });
  const back = element("button", say("Take it out again"), { type: "button", class: "quiet small" });
  const required = area.required;

  const put = (text) => {
    if (text === null) picked.delete(name);
    else picked.set(name, text);
    if (text !== null) area.value = "";
    area.required = required && text === null;
    area.hidden = text !== null;
    back.hidden = text === null;
    question.dispatchEvent(new Event("picked"));
  };
  const read = async (file) => {
    if (file.size > most(question)) {
      said.textContent = large;
      return;
    }
    try {
      put(value(new Uint8Array(await file.arrayBuffer())));
      said.textContent = readFrom(file.name, file.size);
      nameIt(file.name);
    } catch (error) {
      said.textContent = error instanceof Refused ? error.message : wrong;
    }
  };
  back.hidden = true;
  input.addEventListener("change", () => input.files[0] && read(input.files[0]));
  back.addEventListener("click", () => {
    put(null);
    input.value = "";
    said.textContent = DROP;
    area.focus();
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    pick.addEventListener(kind, (event) => {
      event.preventDefault();
      pick.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
    });
  }
  pick.append(said, input, label, back);
  area.after(pick);

  // Where the form asks for the name of the file, too, it need not be typed.
  function nameIt(called) {
    const question = questionOf("name");
    if (question && controlOf(question).value === "") controlOf(question).value = called;
  }
}
