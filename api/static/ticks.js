// Ticks every ticket of the list, or as many as one deed takes; and none again.

for (const button of document.querySelectorAll("[data-ticks]")) {
  const listed = [...document.querySelectorAll("input[name=tickets]")];
  const boxes = listed.slice(0, Number(button.dataset.ticks));
  const which = boxes.length < listed.length ? "the first" : "all";
  const label = () => {
    button.textContent = boxes.every((box) => box.checked) ? "Tick none" : `Tick ${which} ${boxes.length}`;
  };
  button.addEventListener("click", () => {
    const missing = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = missing;
    label();
  });
  document.getElementById("tickets").addEventListener("change", label);
  label();
  button.hidden = boxes.length < 2;
}
