"""Who is signed in here: the server's address and a session's token, in a file only its owner reads."""

from dataclasses import dataclass, field
from pathlib import Path

from cli import private
from vault.errors import NotSignedIn


@dataclass(frozen=True)
class SignedIn:
    """A session kept on this computer. `token` is worth as much as a password while it lasts."""

    url: str
    token: str = field(repr=False)


def place() -> Path:
    """Say where the session is kept."""
    return private.folder() / "session.json"


def keep(session: SignedIn) -> Path:
    """Keep the session and give its place."""
    private.write(place(), {"url": session.url, "token": session.token})
    return place()


def kept() -> SignedIn:
    """Read the session. Raises NotSignedIn for none, Denied for a file that others could read or write."""
    found = private.read(place())
    if not found.get("url") or not found.get("token"):
        error = NotSignedIn("you are not signed in here")
        vars(error)["hint"] = "valetkey login URL"
        raise error
    return SignedIn(found["url"], found["token"])


def forget() -> None:
    """Delete the kept session, if there is one."""
    place().unlink(missing_ok=True)
