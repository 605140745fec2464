// Takes the intake code out of the address, so that no history, log or shoulder keeps it. Nothing is sent before the button.

const code = document.getElementById("code");
const given = decodeURIComponent(location.hash.slice(1));

if (given && given !== "content" && given !== "code") {
  history.replaceState(null, "", location.pathname);
  code.value = given;
}
if (document.getElementById("summary")) document.getElementById("summary").focus();
