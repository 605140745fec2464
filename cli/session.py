"""Who is signed in here: the server's address and a session's tokens, in the desktop's keyring or in a file.

The file says where they are, and holds them where there is no keyring. Only its owner reads it.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cli import desktop, private
from vault.errors import NotSignedIn


@dataclass(frozen=True)
class SignedIn:
    """A session kept on this computer. Its tokens are worth as much as a password while it lasts."""

    url: str
    token: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    """What renews it, once; empty for a session that cannot be renewed."""


def place() -> Path:
    """Say where the session is kept, or where it is said that the keyring has it."""
    return private.folder() / "session.json"


def keep(session: SignedIn) -> str:
    """Keep the session in place of the one before, and say where in words. Raises OSError."""
    tokens = json.dumps({"token": session.token, "refresh": session.refresh})
    keyring = desktop.keyring()
    if keyring is not None and keyring.put(session.url, tokens):
        private.write(place(), {"url": session.url, "kept in": "keyring"})
        return f"the keyring of this desktop ({keyring.name})"
    private.write(place(), {"url": session.url, "token": session.token, "refresh": session.refresh})
    return f"{place()}, which only you can read"


def kept() -> SignedIn:
    """Read the session.

    Raises NotSignedIn for none, Denied for a file that others could read or write, Unavailable for a keyring that is
    locked or gone.
    """
    found = private.read(place())
    if found.get("url") and found.get("kept in") == "keyring":
        found |= _tokens(desktop.get(found["url"]))
    if not found.get("url") or not found.get("token"):
        raise NotSignedIn("you are not signed in here").hinting("valetkey login URL")
    return SignedIn(found["url"], found["token"], found.get("refresh", ""))


def is_in_keyring() -> bool:
    """Whether the keyring has the session, and not the file."""
    return private.read(place()).get("kept in") == "keyring"


def _tokens(raw: str) -> dict[str, str]:
    try:
        told = json.loads(raw)
    except ValueError:
        return {}
    wanted = ("token", "refresh")
    if not isinstance(told, dict):
        return {}
    return {name: told[name] for name in wanted if isinstance(told.get(name), str)}


def forget() -> str:
    """Delete the kept session, if there is one; gives the address of its vault."""
    found = private.read(place())
    if found.get("url") and found.get("kept in") == "keyring":
        desktop.forget(found["url"])
    place().unlink(missing_ok=True)
    return str(found.get("url", ""))


@contextmanager
def held() -> Iterator[None]:
    """Keep every other command from renewing the session meanwhile: of two who use one refresh token, one is a thief.

    It waits for as long as another command takes, and ends with the process at the latest.
    """
    path = place().with_name("session.lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
