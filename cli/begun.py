"""A customer's form that was begun here.

An intake code works once, so what it was exchanged for is kept until all is given: who stops half way goes on with
the same link, on the same computer. That token can give; it can read no secret.
"""

import hashlib
from pathlib import Path
from typing import Any

from cli import private
from cli.http import Client
from vault.errors import Ended, NotFound, NotSignedIn

HEADER = "Valetkey-Give"


def begin(client: Client, code: str) -> dict[str, Any]:
    """Go on with the form that this code opened here before, or open it with the code.

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
    token = str(client.post("/give/begin", code=code)["token"])
    private.write(path, {"token": token})
    client.carry(HEADER, token)
    return _form(client)


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
