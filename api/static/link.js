// A new code in the address is meant for its own form, not for the one that this browser has open.

if (/^#[0-9A-Za-z-]{28,40}$/.test(location.hash)) location.replace(`/give/begin${location.hash}`);
