// Passkeys: from the JSON that the vault sends to the bytes that browsers want, and back (WebAuthn Level 3, 5.1.8 to 5.1.10).
// Browsers that know passkeys but not their JSON are still in use, so it is done here.

import { fromBase64, toBase64 } from "./bytes.js";
import { say } from "./say.js";

export const available = Boolean(window.PublicKeyCredential && navigator.credentials);

const bytesOf = (descriptors = []) => descriptors.map((one) => ({ ...one, id: fromBase64(one.id) }));
const text = (buffer) => toBase64(new Uint8Array(buffer));

const answered = (credential, response) => ({
  id: text(credential.rawId),
  rawId: text(credential.rawId),
  type: credential.type,
  authenticatorAttachment: credential.authenticatorAttachment ?? null,
  clientExtensionResults: {},
  response: { clientDataJSON: text(credential.response.clientDataJSON), ...response },
});

// Has the person use a passkey that is there; throws what the browser throws when they do not.
export async function used(options) {
  const publicKey = {
    ...options,
    challenge: fromBase64(options.challenge),
    allowCredentials: bytesOf(options.allowCredentials),
  };
  const credential = await navigator.credentials.get({ publicKey });
  const { authenticatorData, signature, userHandle } = credential.response;
  return answered(credential, {
    authenticatorData: text(authenticatorData),
    signature: text(signature),
    userHandle: userHandle?.byteLength ? text(userHandle) : null,
  });
}

// Has the person make a new one.
export async function made(options) {
  const publicKey = {
    ...options,
    challenge: fromBase64(options.challenge),
    user: { ...options.user, id: fromBase64(options.user.id) },
    excludeCredentials: bytesOf(options.excludeCredentials),
  };
  const credential = await navigator.credentials.create({ publicKey });
  return answered(credential, { attestationObject: text(credential.response.attestationObject) });
}

// Asks the vault, or gives it an answer.
export const post = (address, body) =>
  fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });

// What went wrong, in words: browsers say deliberately little about it.
export function words(error) {
  switch (error.name) {
    case "InvalidStateError":
      return say("This device holds a passkey for your account already. Use another device, or the one that is there");
    case "NotAllowedError":
      return say("No passkey was used. You can try again");
    case "SecurityError":
      return say("Passkeys do not work at this address; open the page at the address that your business gave you");
    case "TypeError": // so says fetch
      return say("The vault did not answer. Try again");
    default:
      return say("The passkey did not work. Try again, or use a code");
  }
}
