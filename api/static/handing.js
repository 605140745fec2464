// Seals what was entered and hands it over. Trying again with the same gives the very same envelope.

import { toBase64 } from "./bytes.js";
import { packFields, seal } from "./envelope.js";
import { say } from "./say.js";
import { checkStatement } from "./statement.js";

// An error whose message is a sentence for the customer.
export class Said extends Error {}

const ACCEPT = { Accept: "application/json", "Accept-Language": document.documentElement.lang };

let last = null;

async function envelopeFor(packed, suite, data) {
  const same = toBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", packed)));
  if (last?.same === same && last.version === data.version) return last.envelope;
  const { deployment, service, secret, kind, statement, signature, key: verifying } = data;
  const { keys, key } = await checkStatement(verifying, statement, signature, deployment, service).catch(() => {
    throw new Said(
      say("The key of this service could not be verified, so nothing was sent. Please tell the person who asked you."),
    );
  });
  const context = { deployment, service, key, secret, version: Number(data.version), kind };
  const envelope = toBase64(await seal(packed, suite, keys[suite], context));
  last = { same, version: data.version, envelope };
  return envelope;
}

// The answer of the vault and what it says. `data` is the form's dataset: for which row, and under which key.
export async function handedOver(fields, suite, data, sure) {
  const packed = packFields(fields);
  const envelope = await envelopeFor(packed, suite, data);
  packed.fill(0);
  const { secret, version, kind, asked } = data;
  const offered = kind === asked ? {} : { kind };
  const given = { secret, version: Number(version), envelope, sealed_by: "browser", ...offered, ...(sure && { sure }) };
  try {
    const answer = await fetch("/give/secret", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...ACCEPT },
      body: JSON.stringify(given),
    });
    return [answer, await answer.json()];
  } catch {
    throw new Said(
      say("The connection was interrupted. Nothing that you entered is lost; please press the button again."),
    );
  }
}

// After a refusal the vault may ask for a newer version: what was entered stays and is sealed anew for that one.
export async function refresh(data) {
  const answer = await fetch("/give/form", { headers: ACCEPT });
  if (!answer.ok) return;
  const { items, statement, statement_signature: signature } = await answer.json();
  const version = items.find((item) => item.secret === data.secret)?.version;
  if (version && String(version) !== data.version) Object.assign(data, { version, statement, signature });
}
