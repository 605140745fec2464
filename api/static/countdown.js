// Counts down to what ends or begins: every element with data-left, the seconds that were left when the page was made. The
// vault's clock counts and not the browser's, which may be wrong. At the end the element says so, and an event "over" rises.

const read = Date.now();

// A number stays on one line with what it counts.
const of = (number, unit) => `${number}\u00a0${unit}`;

export function inWords(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  if (days >= 2) return of(Math.round(seconds / 86_400), "days");
  if (hours) return minutes % 60 ? `${of(hours, "h")} ${of(minutes % 60, "min")}` : of(hours, "h");
  return seconds < 120 ? of(seconds, "s") : of(minutes, "min");
}

// Calls `tick` with the seconds that are left, often enough to be true, and `end` once; gives a way to stop it.
export function countTo(until, tick, end) {
  let timer = 0;
  const count = () => {
    clearTimeout(timer);
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left <= 0) {
      stop();
      end();
      return;
    }
    tick(left);
    timer = setTimeout(count, left <= 120 ? 500 : 10_000);
  };
  const stop = () => {
    clearTimeout(timer);
    removeEventListener("visibilitychange", count, true);
    removeEventListener("pageshow", count);
  };
  addEventListener("visibilitychange", count, true); // a page that was asleep or aside tells the time at once
  addEventListener("pageshow", count);
  count();
  return stop;
}

// What a screen reader hears of it: not every second, but when it becomes serious.
const SAID_AT = [300, 60];

for (const place of document.querySelectorAll("[data-left]")) {
  const until = read + Number(place.dataset.left) * 1000;
  const aloud = document.getElementById(place.dataset.aloud);
  let before = Infinity;
  countTo(
    until,
    (left) => {
      place.textContent = `${place.dataset.before ?? ""}${inWords(left)}${place.dataset.after ?? ""}`;
      place.toggleAttribute("data-soon", left <= SAID_AT[0]);
      if (aloud && SAID_AT.some((at) => before > at && left <= at) && before < Infinity) {
        aloud.textContent = `${inWords(left)} left`;
      }
      before = left;
    },
    () => {
      place.textContent = place.dataset.over ?? "";
      place.dispatchEvent(new Event("over", { bubbles: true }));
      if ("reload" in place.dataset) setTimeout(() => location.reload(), 1000); // what began looks otherwise
    },
  );
}
