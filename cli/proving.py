"""Proving that it is you, for one deed: by a code that is typed here, or in a browser, where passkeys are."""

import time
from typing import Any

from cli.http import Client
from cli.terminal import ask, is_watched, say, say_error
from vault.errors import Denied, NotFound, ProofNeeded, StaleProof

_MISTYPED = "code is wrong"
"""How the server refuses a code, and nothing else."""
_TRIES = 2
"""Before the last one. The server counts them all."""

_SECONDS = 2.0
"""Between two looks at whether it was proved in the browser."""
_LONGEST_SECONDS = 330.0
"""A little longer than a proof can be given; the server decides, and this only ends waiting for one that is gone."""


def deed(client: Client, *path: str, **body: Any) -> Any:
    """POST a deed that takes presence, asking the person for it by naming the deed.

    The server names it: what is proved is what the server is about to do. From a pipe the code is the next line; at a
    terminal somebody who mistypes it is asked again, for the reason that they have typed before it.
    Raises the server's own refusals, and StaleProof when nobody proves it in time.
    """
    for _ in range(_TRIES):
        try:
            return _proved(client, path, body)
        except Denied as refused:
            if _MISTYPED not in str(refused) or not is_watched():
                raise
            say_error(str(refused), refused.hint)
    return _proved(client, path, body)


def _proved(client: Client, path: tuple[str, ...], body: dict[str, Any]) -> Any:
    try:
        return client.post(*path, **body)
    except ProofNeeded as needed:
        asked = needed.challenge
        if not isinstance(asked.get("id"), str) or not isinstance(asked.get("deed"), str):
            raise
    say(f"prove that it is you, to {asked['deed']}")
    if asked.get("code"):
        code = ask("code from your authenticator, or nothing to use your browser").strip()
        if code:
            return client.post(*path, **body, presence={"code": code})
    say(f"open this where you are signed in: {client.url}/presence/{asked['id']}")
    _wait(client, asked["id"])
    return client.post(*path, **body, presence={"challenge": asked["id"]})


def _wait(client: Client, challenge: str) -> None:
    """Wait until the challenge is no more to be answered: it was, or its five minutes are over."""
    until = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < until:
        try:
            client.get("/api/v1/presence", challenge)
        except NotFound:
            return
        time.sleep(_SECONDS)
    raise StaleProof("nobody has proved it in a browser in time")
