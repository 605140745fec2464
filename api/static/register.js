// Helps to fill in what a service is: the rest of the form follows the chosen type and customer. Without it the form is
// sent once more to be continued. And whoever presses twice asks once.

const register = document.getElementById("register");
const byId = (id) => document.getElementById(id);

// A day ends where it was typed.
function sayWhere({ elements: { ends_at: day, offset } }) {
  if (day && offset) offset.value = -new Date(`${day.value}T23:59:59`).getTimezoneOffset() || 0;
}

for (const form of document.querySelectorAll("main form")) {
  sayWhere(form);
  form.addEventListener("input", () => sayWhere(form));
  form.addEventListener("submit", (event) => {
    sayWhere(form);
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("main form")) delete form.dataset.sent;
});

// Only who is new has to say who they are.
function followCustomer() {
  const isNew = byId("customer").value === "new";
  byId("new-customer").hidden = !isNew;
  byId("new-customer").disabled = !isNew;
  byId("name").required = isNew;
  byId("mail").required = isNew;
}

function followType() {
  const chosen = byId("type").selectedOptions[0];
  if (!chosen.value) return;
  const { title, ends_at: day, shown, type } = register.elements;
  const former = [...type.options].find((one) => one.value === shown.value);
  if (shown.value === chosen.value) return;
  if (!title.value || title.value === former?.dataset.title) title.value = chosen.dataset.title;
  day.max = chosen.dataset.latest;
  if (!day.value || day.value === former?.dataset.day || day.value > day.max) day.value = chosen.dataset.day;
  const kinds = [...document.querySelectorAll("template[data-type]")].find((one) => one.dataset.type === chosen.value);
  byId("chosen").replaceChildren(kinds.content.cloneNode(true));
  shown.value = chosen.value;
  byId("rest").hidden = byId("rest").disabled = false;
  byId("continue")?.remove();
}

function followAsk() {
  byId("asking").hidden = byId("asking").disabled = !byId("ask").checked;
}

if (register) {
  byId("customer").addEventListener("change", followCustomer);
  byId("type").addEventListener("change", followType);
  byId("ask").addEventListener("change", followAsk);
  followCustomer();
  followType();
  followAsk();
}
