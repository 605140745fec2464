// Checks, on the page of a customer's records, that each line is in the log and the log's end is signed.

import { holds, openCheckpoint } from "./proofs.js";

const list = document.getElementById("records");
const verdict = document.getElementById("verdict");

async function isGood(line, checkpoint) {
  const { entry, hashes, seq, type, outcome, at, disclosures } = line.dataset;
  const shown = { seq, type, outcome, at };
  try {
    return await holds(entry, hashes.split(" ").filter(Boolean), shown, JSON.parse(disclosures), checkpoint);
  } catch {
    return false;
  }
}

function mark(line, good) {
  const said = document.createElement("span");
  said.className = good ? "state sure" : "state bad";
  said.textContent = good ? list.dataset.good : list.dataset.bad;
  line.append(said);
}

async function check() {
  let checkpoint = null;
  try {
    checkpoint = await openCheckpoint(list.dataset.checkpoint, list.dataset.key);
  } catch (error) {
    if (error instanceof DOMException) {
      verdict.textContent = verdict.dataset.old;
      return;
    }
  }
  let all = true;
  for (const line of list.children) {
    const good = checkpoint !== null && (await isGood(line, checkpoint));
    mark(line, good);
    all &&= good;
  }
  verdict.textContent = all ? verdict.dataset.good : verdict.dataset.bad;
}

check();
