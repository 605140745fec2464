"""A customer's form that was begun here.

An intake code works once, so what it was exchanged for is kept until all is given: who stops half way goes on with
the same link, on the same computer. That token can give; it can read no secret.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli import private, terminal
from cli.http import Client
from cli.moments import until
from cli.terminal import say, say_error
from vault.errors import Ended, Invalid, NotFound, NotSignedIn, PinNeeded

HEADER = "Valetkey-Give"


def begin(client: Client, code: str) -> dict[str, Any]:
    """Go on with the form that this code opened here before, or open it with the code, and the PIN if it has one.

    The client carries the form's token from then on. Raises what the intake refuses with.
    """
    path = _place(client, code)
    token = private.read(path).get("token")
    if token:
        client.carry(HEADER, token)
        try:
            return _form(client)
        except (NotSignedIn, NotFound, Ended):
            path.unlink(missing_ok=True)
    token = str(_opened(client, code)["token"])
    private.write(path, {"token": token})
    client.carry(HEADER, token)
    return _form(client)


def _opened(client: Client, code: str) -> dict[str, Any]:
    """Open the form. Who mistypes the PIN before a terminal is asked again, as long as there are tries."""
    pin: dict[str, str] = {}
    while True:
        try:
            opened: dict[str, Any] = client.post("/give/begin", code=code, **pin)
        except (PinNeeded, Invalid) as refused:
            if isinstance(refused, Invalid) and refused.pointer != "/pin":
                raise
            if pin and not terminal.is_watched():
                raise
            if pin:
                say_error(str(refused), refused.hint)
            pin = {"pin": terminal.ask("PIN that you were told by telephone", hidden=True)}
        else:
            return opened


def accept_terms(client: Client, form: Mapping[str, Any]) -> None:
    """Show the terms and have them accepted, where there are any and they are not yet. Raises Invalid for a no."""
    terms = form.get("terms")
    if not terms or terms["accepted"]:
        return
    say()
    say(
        f"terms of {form['business']}, version {terms['version']}, in force from {until(terms['effective_at'])}"
    )
    say()
    for line in str(terms["text"]).splitlines():
        say(line)
    say()
    if not terminal.ask_yes("do you accept these terms"):
        raise Invalid("without them nothing can be handed over; nothing was sent")
    client.post("/give/accept", version=terms["version"])


def finish(client: Client, code: str) -> None:
    """Say that nothing more is coming, and forget the form here."""
    client.post("/give/done")
    _place(client, code).unlink(missing_ok=True)


def _form(client: Client) -> dict[str, Any]:
    form: dict[str, Any] = client.get("/give/form")
    return form


def _place(client: Client, code: str) -> Path:
    """Name the file by a hash: a code has 128 random bits, so nobody finds it by trying."""
    digest = hashlib.sha256(f"{client.url}\n{code}".encode()).hexdigest()
    return private.folder() / f"form-{digest[:32]}.json"
