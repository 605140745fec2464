// Looks whether somebody has answered, and then shows the page as it is by then. It says that it asks by itself: nobody has
// touched the page, so that keeps no session awake. A page that nobody looks at asks nothing at all.

const EVERY = 3000;
const HEADERS = { Accept: "application/json", "Valetkey-By-Itself": "yes" };
const LONGEST = 20 * 60_000;

const place = document.querySelector("[data-waits]");
const until = Date.now() + LONGEST;

async function look() {
  if (Date.now() > until) {
    clearInterval(timer);
    return;
  }
  if (document.hidden) return;
  try {
    const answer = await fetch(`/api/v1/leases/${place.dataset.waits}`, { headers: HEADERS });
    if ([401, 404].includes(answer.status)) location.reload();
    if (!answer.ok) return;
    const { state, breakable } = await answer.json();
    if (state !== "asked" || breakable !== "breakable" in place.dataset) location.reload();
  } catch {
    // the vault did not answer; the next look may find it
  }
}

const timer = place ? setInterval(look, EVERY) : 0;
if (place) place.firstChild.textContent = "This page shows the answer by itself when it is there; it comes by mail as well. ";
