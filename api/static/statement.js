// Whose public keys these are: checks the service's key statement against the key that the page carries.

import { concat, fromBase64, utf8 } from "./bytes.js";

const SIZES = { xwing: 1216, x25519: 32 };

// The statement, once its signature (Ed25519, RFC 8032) holds and it speaks of this deployment and service.
export async function checkStatement(verifyingKey, text, signature, deployment, service) {
  const key = await crypto.subtle.importKey("raw", fromBase64(verifyingKey), { name: "Ed25519" }, false, ["verify"]);
  const signed = concat(utf8("valetkey key statement v1\n"), utf8(text));
  if (!(await crypto.subtle.verify({ name: "Ed25519" }, key, fromBase64(signature), signed))) {
    throw new Error("the key statement is not signed by this vault");
  }
  const statement = JSON.parse(text);
  const keys = Object.fromEntries(Object.keys(SIZES).map((suite) => [suite, fromBase64(statement[suite])]));
  const fits = Object.entries(SIZES).every(([suite, size]) => keys[suite].length === size);
  if (statement.v !== 1 || !fits || statement.deployment !== deployment || statement.service !== service) {
    throw new Error("the key statement speaks of something else");
  }
  return { ...statement, keys };
}

// Whether this browser can check a statement at all.
export async function canCheck() {
  try {
    await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "Ed25519" }, false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}
