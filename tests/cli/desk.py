"""A technician's computer beside a customer's server: with a home and a runtime folder of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.spellings import escaped, in_base64, in_hexadecimal, quoted
from tests.cli.running import Ran, environment
from tests.cli.sshd import Sshd
from tests.world import World

NUMBER = "T-1001"
PROGRAM = (
    sys.executable,
    "-c",
    (
        "from cli import watching; from cli.main import run\n"
        "watching.EVERY_SECONDS = watching._LEAST_SECONDS = 0.3; run()"
    ),
)
"""The command, impatient: it looks at its lease three times a second."""
AT_HOME = 'mount --bind "$0" /etc/passwd && exec "$@"'
"""OpenSSH asks the system where home is, and not $HOME: here it is told another place than the tester's."""


@dataclass
class Desk:
    """Tom's computer, a customer's server, and the vault between them."""

    world: World
    home: Path
    server: Sshd
    url: str

    def __post_init__(self) -> None:
        self.runtime.mkdir(mode=0o700)
        root = re.sub(r"^root:.*$", f"root:x:0:0:root:{self.home}:/bin/sh", _passwd(), flags=re.MULTILINE)
        (self.home / "passwd").write_text(root)
        self.service = self.world.service()
        self.ticket = self.world.ticket(self.service, number=NUMBER)

    @property
    def runtime(self) -> Path:
        return self.home / "run"

    def give(self, *kinds: str, **fields: str) -> str:
        """The customer gives a login of the server."""
        login = {
            "host": self.server.address,
            "port": str(self.server.port),
            "username": self.server.user,
            **fields,
        }
        return self.world.give(self.service, login, *kinds)

    def sign_in(self) -> None:
        self.world.actor("technician")
        kept = {"url": self.url, "token": self.world.member("technician").token, "refresh": ""}
        path = self.home / "config" / "valetkey" / "session.json"
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        path.write_text(json.dumps(kept))
        path.chmod(0o600)

    def command(self, *arguments: str) -> list[str]:
        return ["unshare", "--mount", "sh", "-c", AT_HOME, str(self.home / "passwd"), *PROGRAM, *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        return environment(self.home, XDG_RUNTIME_DIR=str(self.runtime), TMPDIR=str(self.home), **more)

    def run(self, *arguments: str, typed: bytes = b"", **more: str) -> Ran:
        self.sign_in()
        return subprocess.run(
            self.command(*arguments),
            input=typed,
            capture_output=True,
            env=self.environment(**more),
            cwd=self.home,
            timeout=90,
            check=False,
        )

    def files(self) -> set[str]:
        """What lies on this computer now, but for what the test put there."""
        every = (path.relative_to(self.home).as_posix() for path in self.home.rglob("*"))
        return {name for name in every if not re.match(r"config|passwd$|run$|data", name)}


def _passwd() -> str:
    return Path("/etc/passwd").read_text()


def spellings(secret: bytes) -> set[bytes]:
    """A secret as programs write it down; of one of many lines, two of them in place of all."""
    lines = secret.splitlines()
    whole = [secret] if len(lines) < 4 else [lines[len(lines) // 2], lines[len(lines) // 3]]
    found = {
        spelt for one in whole for how in (quoted, escaped, in_base64, in_hexadecimal) for spelt in how(one)
    }
    found |= {one.decode().encode(wide) for one in whole for wide in ("utf-16-le", "utf-16-be")}
    return {spelt for spelt in found if len(spelt) > 8}


def descendants(process: int) -> list[int]:
    """The process and all that descend from it."""
    parents = {int(one.name): _parent(one) for one in Path("/proc").glob("[0-9]*")}
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _parent(process: Path) -> int:
    """Whose child it is (proc(5): behind the name in brackets stand state and parent)."""
    told = _read(process / "stat").rpartition(b")")[2].split()
    return int(told[1]) if len(told) > 1 else 0


def seen_from_outside(spelt: Iterable[bytes], roots: Iterable[Path]) -> list[str]:
    """Where somebody with the rights of root finds one of these: in what every process shows, and on the disk."""
    needles = list(spelt)
    return [where for where, content in _shown(roots) if any(needle in content for needle in needles)]


def _shown(roots: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    mine = os.getpid()
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == mine:
            continue  # this one plays the customer, the vault and the server's administrator at once
        for name in ("environ", "cmdline"):
            yield f"{process}/{name}", _read(process / name)
        for open_file in _listed(process / "fd"):
            if _is_nameless(open_file):
                yield str(open_file), _read(open_file)
    for root in roots:
        for path in root.rglob("*"):
            yield str(path), str(path).encode()
            if path.is_file() and not path.is_symlink():
                yield str(path), _read(path)


def _is_nameless(path: Path) -> bool:
    """Whether it is a file that only descriptors lead to: in memory, or deleted. The others are looked for by name."""
    try:
        return path.is_file() and path.readlink().name.endswith("(deleted)")
    except OSError:
        return False


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(4_000_000)
    except (OSError, ValueError):
        return b""


def in_memory(process: int, needles: Iterable[bytes]) -> bool:
    """Whether one of these lies in a process's memory."""
    wanted = list(needles)
    try:
        with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
            for line in Path(f"/proc/{process}/maps").read_text().splitlines():
                span, rights = line.split()[:2]
                start, end = (int(one, 16) for one in span.split("-"))
                if not rights.startswith("rw") or end - start > 1 << 28:
                    continue
                try:
                    memory.seek(start)
                    content = memory.read(end - start)
                except (OSError, OverflowError, ValueError):
                    continue
                if any(needle in content for needle in wanted):
                    return True
    except OSError:
        return False
    return False


def is_running(process: int) -> bool:
    """Whether it does anything yet; what only waits to be buried has no arguments any more."""
    return _read(Path(f"/proc/{process}/cmdline")) != b""


def name_of(process: int) -> str:
    """What a process is called."""
    return _read(Path(f"/proc/{process}/comm")).decode().strip()
