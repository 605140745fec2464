// Puts every time on the page into the reader's own zone, in the words a person would use. The exact time stays behind it.

const MINUTE = 60_000;

const dayOf = (when) => new Date(when.getFullYear(), when.getMonth(), when.getDate()).getTime();

function inWords(when, style, now = new Date()) {
  const days = Math.round((dayOf(when) - dayOf(now)) / (24 * 60 * MINUTE));
  const named = { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
  const year = when.getFullYear() === now.getFullYear() ? undefined : "numeric";
  const date = named ?? when.toLocaleDateString("en-GB", { day: "numeric", month: "long", year });
  if (style === "day") return named ?? when.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  return `${date} at ${when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}

for (const time of document.querySelectorAll("time[data-style]")) {
  time.textContent = inWords(new Date(time.dateTime), time.dataset.style);
}
