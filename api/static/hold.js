// Runs before the form is drawn: until its modules can seal, nothing is sent, however quick the hand. Without
// JavaScript this is not there either, and the form goes to the intake as the page says.

const page = document.documentElement;
const say = (sentence) => JSON.parse(document.getElementById("words")?.textContent || "{}")[sentence] ?? sentence;
page.dataset.holding = "";
addEventListener(
  "submit",
  (event) => {
    if (!("holding" in page.dataset)) return;
    event.preventDefault();
    page.dataset.wanted = ""; // the module takes it up as soon as it is there
    const progress = document.getElementById("progress");
    if (progress) {
      progress.textContent = say("This page is still loading. If it stays so, load it again; nothing was sent.");
    }
  },
  true,
);
