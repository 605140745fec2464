"""The library that makes syncs slow and counts them, built when it is needed."""

import hashlib
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

DELAY_MS = "VALETKEY_SYNC_DELAY_MS"
COUNT_FILE = "VALETKEY_SYNC_COUNT"
SOURCE = Path(__file__).with_name("slow_fsync.c")


@cache
def shim() -> Path:
    """The built library, for LD_PRELOAD. It is kept for the next run, under a name made from its source.

    Raises RuntimeError where there is no C compiler.
    """
    name = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"valetkey-slow-fsync-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    library = place / f"{name}.so"
    if not library.exists():
        built = place / f"{name}.{os.getpid()}.so"
        command = ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(built), str(SOURCE), "-ldl"]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise RuntimeError("the slow disk needs a C compiler (cc)") from error
        built.replace(library)
    return library
