// readLogin(text) finds a whole login in one pasted line: the rule of vault/model/logins.py, step by step. It gives
// {host, port, username}, each empty where the line says nothing of it, or null where there is no login in it.

const LONGEST = 1000;
const ADDRESS = /^(?:ssh|sftp|ftps?|ftpes):\/\/(?:([^@\/]*)@)?([^\/?#]*)(?:[\/?#].*)?$/is;
const IPV6 = "[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*";
const AT = new RegExp(`^(?:([^@/:]+)@)?(${IPV6}|\\[${IPV6}\\]|[^@:]+)(?::([0-9]{0,5}|[^0-9@][^@]*))?$`);
const PLACE = new RegExp(`^(\\[${IPV6}\\]|[^:\\[\\]]*)(?::([0-9]{0,5}))?$`);
const COMMANDS = { ssh: ["BbcDEeFIiJLlmOoPpQRSWw", "p", "l"], sftp: ["BbcDFiJloPRSsX", "P", "User"] };

// The patterns of the form's own fields, in vault/model/fields.py.
const SPACES = "\\s\\x85\\ufeff";
const NO_HOST = `${SPACES}\\x00-,\\/;-@\\[-\`\\{-\\x7f`;
const HOST = new RegExp(`^[^${NO_HOST}\\-][^${NO_HOST}]{0,252}$`);
const PORT = /^(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$/;
const USERNAME = new RegExp(`^[^${SPACES}\\x00-\\x1f\\x7f]{1,100}$`);

export function readLogin(text) {
  if ([...text].length > LONGEST) return null;
  const words = text
    .split(/[ \t\r\n\u00a0]+/)
    .filter(Boolean)
    .map((word) => word.replace(/^["']+|["']+$/g, ""));
  if (/^[$#>%]$/.test(words[0])) words.shift();
  if (!words.length) return null;
  const name = words[0].split("/").at(-1).toLowerCase().replace(/\.exe$/, "");
  if (!words[0].includes("://") && Object.hasOwn(COMMANDS, name)) return command(words.slice(1), name);
  if (ADDRESS.test(words[0])) return words.length === 1 ? address(words[0]) : null;
  return words[0].includes("@") && !words[0].includes("://") ? command(words, "ssh") : null;
}

// Options wherever they stand; the first other word is the host, and what follows is done there.
function command(words, name) {
  const [valued, portLetter, userLetter] = COMMANDS[name];
  let [port, username, target] = ["", "", ""];
  for (const [option, given] of options(words, valued)) {
    const [called, ...rest] = given.split("=");
    const known = new Map([["port", portLetter], ["user", userLetter]]).get(called.toLowerCase()) ?? "o";
    const [letter, value] = option === "o" ? [known, rest.join("=")] : [option, given];
    if (letter === portLetter) port = value;
    else if (letter === userLetter) username = value;
    else if (letter === "" && target) break;
    else if (letter === "") target = value;
  }
  if (ADDRESS.test(target)) {
    const found = address(target);
    return found && login(found.host, found.port || port, found.username || username);
  }
  const parts = AT.exec(target);
  if (!parts) return null;
  const [, user = "", host, after = ""] = parts;
  return login(host, port || (/^[0-9]+$/.test(after) ? after : ""), user || username);
}

// Each option that takes a value with its value, and every other word without a letter.
function* options(words, valued) {
  const rest = words.values();
  for (let next = rest.next(); !next.done; next = rest.next()) {
    const word = next.value;
    if (!word.startsWith("-") || word.length === 1) {
      yield ["", word];
      continue;
    }
    const letters = [...word.slice(1)];
    const at = letters.findIndex((letter) => valued.includes(letter));
    if (at >= 0) yield [letters[at], letters.slice(at + 1).join("") || (rest.next().value ?? "")];
  }
}

function address(text) {
  const [, user = "", where] = ADDRESS.exec(text);
  const place = PLACE.exec(where);
  return place && login(place[1], place[2] ?? "", decoded(user.split(":")[0].split(";")[0]));
}

function decoded(text) {
  // URLSearchParams decodes what decodeURIComponent would throw at; it would read + as a space and & and = as its own.
  const escaped = text.replaceAll("+", "%2B").replaceAll("&", "%26").replaceAll("=", "%3D");
  return new URLSearchParams(`_=${escaped}`).get("_");
}

// Only what the form would take itself.
function login(spelt, port, username) {
  const host = spelt.replace(/^[\[\]]+|[\[\]]+$/g, "");
  const isRight = HOST.test(host) && (!port || PORT.test(port)) && (!username || USERNAME.test(username));
  return isRight ? { host, port, username } : null;
}
