// Takes a code out of the address, so that no history, log or shoulder keeps it. Nothing is sent before the button.

const code = document.getElementById("code");

function take() {
  const given = decodeURIComponent(location.hash.slice(1));
  if (!given || given === "content" || given === "code") return;
  history.replaceState(null, "", location.pathname);
  code.value = given;
}

take();
addEventListener("hashchange", take); // the link was opened on the page where it leads to
document.getElementById("summary")?.focus();
