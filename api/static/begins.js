// A time is meant where it was typed: the form says how far east of UTC that is, at that very time, and in which zone.

const { elements } = document.getElementById("begins_at")?.form ?? { elements: {} };
const { begins_at: begins, offset } = elements;

function sayWhere() {
  offset.value = begins.value ? -new Date(begins.value).getTimezoneOffset() || 0 : "";
}

if (begins) {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  document.getElementById("zone").textContent = `The time is yours, in ${timeZone.replaceAll("_", " ")}`;
  sayWhere();
  begins.addEventListener("input", sayWhere);
  begins.form.addEventListener("submit", sayWhere);
}
