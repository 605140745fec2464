"""Who is signed in here: the server's address and a session's token, in a file only its owner reads."""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from vault.errors import Denied, NotSignedIn


@dataclass(frozen=True)
class SignedIn:
    """A session kept on this computer. `token` is worth as much as a password while it lasts."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"SignedIn({self.url})"


def place() -> Path:
    """Say where the session is kept, after the XDG base directory specification."""
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(configured) if os.path.isabs(configured) else Path.home() / ".config"  # noqa: PTH117 (text, may be empty)
    return base / "valetkey" / "session.json"


def keep(session: SignedIn) -> Path:
    """Write the session, mode 0600 from its first byte on, and give its place."""
    path = place()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".session.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(file, "w", encoding="ascii") as out:
            json.dump({"url": session.url, "token": session.token}, out)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return path


def kept() -> SignedIn:
    """Read the session. Raises NotSignedIn for none, Denied for a file that others could read or write."""
    path = place()
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise _nobody() from None
    with os.fdopen(file, "rb") as source:
        status = os.fstat(source.fileno())
        if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
            error = Denied("others can read the file with your session, so it is not used")
            vars(error)["hint"] = f"delete {path} and run: valetkey login URL"
            raise error
        try:
            found = json.loads(source.read(65_536))
            return SignedIn(str(found["url"]), str(found["token"]))
        except (ValueError, KeyError, TypeError):
            raise _nobody() from None


def forget() -> None:
    """Delete the kept session, if there is one."""
    place().unlink(missing_ok=True)


def _nobody() -> NotSignedIn:
    error = NotSignedIn("you are not signed in here")
    vars(error)["hint"] = "valetkey login URL"
    return error
