"""A slow disk for one process: the shim that waits at every sync, compiled where it is needed."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("slow_fsync.c")


def shim() -> Path:
    """The shared library to be named in LD_PRELOAD, compiled once for each state of its source.

    The process that loads it reads VALETKEY_FSYNC_DELAY_MS (milliseconds added to every fsync and fdatasync) and
    VALETKEY_FSYNC_COUNT (a file that grows by one byte with every call). Raises RuntimeError without a C compiler.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("there is no C compiler on this machine: make test installs it on Debian")
    name = f"valetkey-slow-fsync-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.so"
    place = SOURCE.parents[1] / ".cache" / name
    if not place.exists():
        place.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as making:
            made = Path(making) / name
            command = [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(made), str(SOURCE)]
            subprocess.run([*command, "-ldl", "-lpthread"], check=True, capture_output=True)
            made.rename(place)  # whole or not at all, whoever else compiles it just now
    return place


def surroundings(delay_ms: float = 0.0, count: Path | None = None) -> dict[str, str]:
    """The environment variables for a process on a disk that is `delay_ms` slower, its syncs counted into `count`."""
    found = {"LD_PRELOAD": str(shim()), "VALETKEY_FSYNC_DELAY_MS": str(delay_ms)}
    return found | ({"VALETKEY_FSYNC_COUNT": str(count)} if count else {})
