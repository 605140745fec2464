// Says sentences in the language of the page. A page in another language than English carries what its scripts say, by
// the English sentence; what is not there is said as it is written here.

const { documentElement: page } = document;
const words = JSON.parse(document.getElementById("words")?.textContent || "{}");

// How dates, numbers and lists are written.
export const locale = { de: "de-DE" }[page.lang] ?? "en-GB";

const shown = (value) => (typeof value === "number" ? value.toLocaleString(locale) : value);

// The sentence with its values put in by name, as in %(name)s; a number is written as the language does.
export function say(sentence, values = {}) {
  const said = Object.hasOwn(words, sentence) ? words[sentence] : sentence;
  return said.replaceAll(/%\((\w+)\)s/g, (place, name) => (Object.hasOwn(values, name) ? shown(values[name]) : place));
}
