// Brings what is wrong before the eyes, and before the ears of a screen reader.

document.getElementById("summary")?.focus();
