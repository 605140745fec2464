// A day ends where it was chosen: its form says how far east of UTC that is, at the end of that very day.

for (const day of document.querySelectorAll("input[type=date]")) {
  const { offset } = day.form.elements;
  const sayWhere = () => {
    offset.value = day.value ? -new Date(`${day.value}T23:59:59`).getTimezoneOffset() || 0 : "";
  };
  sayWhere();
  day.addEventListener("input", sayWhere);
  day.form.addEventListener("submit", sayWhere);
}
