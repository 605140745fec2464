// Puts every time on the page into the reader's own zone, in the words a person would use. The exact time stays behind it.

import { locale } from "./say.js";

const MINUTE = 60_000;
const AT = { "de-DE": (date, time) => `${date} um ${time} Uhr`, "en-GB": (date, time) => `${date} at ${time}` };
const days = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

const dayOf = (when) => new Date(when.getFullYear(), when.getMonth(), when.getDate()).getTime();

// A "day" may be today; a "date" is always told by its number, for sentences that go on with it. "short" and "clock" are for
// where there is little room.
function inWords(when, style, now = new Date()) {
  const away = Math.round((dayOf(when) - dayOf(now)) / (24 * 60 * MINUTE));
  const named = Math.abs(away) < 2 ? days.format(away, "day") : null;
  const clock = { hour: "2-digit", minute: "2-digit" };
  if (style === "short") return when.toLocaleDateString(locale, { day: "numeric", month: "short" });
  if (style === "clock") return when.toLocaleTimeString(locale, clock);
  const date = (year) => when.toLocaleDateString(locale, { day: "numeric", month: "long", year });
  if (style === "date") return date("numeric");
  if (style === "day") return named ?? date("numeric");
  const year = when.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return AT[locale](named ?? date(year), when.toLocaleTimeString(locale, clock));
}

for (const time of document.querySelectorAll("time[data-style]")) {
  time.textContent = inWords(new Date(time.dateTime), time.dataset.style);
}
