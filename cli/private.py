"""Small files that only their owner reads: written so from the first byte on, and not believed otherwise."""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vault.errors import Denied


def folder() -> Path:
    """Say where such files are kept, after the XDG base directory specification."""
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(configured) if configured.startswith("/") else Path.home() / ".config"
    return base / "valetkey"


def write(path: Path, facts: dict[str, str]) -> None:
    """Write the file with mode 0600, whole or not at all. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(file, "w", encoding="ascii") as out:
            json.dump(facts, out)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def fresh(path: Path | None) -> Iterator[BinaryIO | None]:
    """Make a new file with mode 0600 and write into it; whatever fails meanwhile leaves none. Nothing for no path.

    Raises OSError, FileExistsError for what is there already, a dangling symbolic link too.
    """
    if path is None:
        yield None
        return
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(file, "wb") as out:
            yield out
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read(path: Path) -> dict[str, str]:
    """Read the file; nothing for none and for a damaged one.

    Raises Denied for a file that others could read or write, OSError for a symbolic link.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return {}
    with os.fdopen(file, "rb") as source:
        status = os.fstat(source.fileno())
        if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise Denied("others can read the file with your session, so it is not used").hinting(
                f"delete {path}"
            )
        try:
            found = json.loads(source.read(65_536))
        except (ValueError, RecursionError):
            return {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return {}
    return found
