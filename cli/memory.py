"""Files that are only in memory, for programs that want a path: nothing of them is ever on a disk."""

import fcntl
import os
import sys
import threading
from contextlib import suppress


def memory_file(content: bytes) -> int:
    """A descriptor to hand to a program, which reads the content at `/dev/fd/NUMBER` as often as it likes.

    Where the platform has no files in memory it is a pipe, which can be read once.
    """
    return _in_memory(content) if sys.platform == "linux" else _in_a_pipe(content)


def _in_memory(content: bytes) -> int:
    file = os.memfd_create("valetkey", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.fchmod(file, 0o400)  # ssh refuses a key that others could read
    written = 0
    while written < len(content):
        written += os.write(file, content[written:])
    os.lseek(file, 0, os.SEEK_SET)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
    return file


def _in_a_pipe(content: bytes) -> int:
    reading, writing = os.pipe()

    def fill() -> None:
        left = memoryview(content)
        with suppress(OSError):  # whoever reads no further needs no more
            while left:
                left = left[os.write(writing, left) :]
        os.close(writing)

    threading.Thread(target=fill, daemon=True).start()
    return reading
