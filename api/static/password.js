// Shows a password that is being chosen, and hides it again before it is sent.

for (const button of document.querySelectorAll("button[data-shows]")) {
  const field = document.getElementById(button.dataset.shows);
  const set = (shown) => {
    field.type = shown ? "text" : "password";
    button.firstChild.textContent = shown ? "Hide" : "Show";
  };
  button.hidden = false;
  button.addEventListener("click", () => set(field.type === "password"));
  field.form.addEventListener("submit", () => set(false));
}
