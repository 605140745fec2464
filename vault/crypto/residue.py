"""Keys leave as few traces as the platform lets them: reduced residue, never a promise of none.

Python and OpenSSL copy what they work with, and those copies are only freed. What is done here keeps the
long-lived copy off swap and out of core dumps, and overwrites it.
"""

import ctypes
import mmap
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # <linux/prctl.h>
_libc = ctypes.CDLL(None, use_errno=True)


def lock_down_process() -> list[str]:
    """No core dumps, no debugger of the same user; the answer names what the platform would not do."""
    refused = []
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        refused.append("core dumps could not be turned off (RLIMIT_CORE)")
    if sys.platform != "linux" or _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        refused.append("the process could not be made undumpable (PR_SET_DUMPABLE)")
    return refused


class LockedBytes:
    """A key in a page of its own, locked into memory and left out of core dumps where the platform can.

    Own pages, because memory locks do not count: unlocking one key would unlock its neighbour on the page.
    """

    __slots__ = ("_map", "_size", "locked")

    def __init__(self, secret: bytes | bytearray | memoryview) -> None:
        self._size = len(secret)
        self._map = mmap.mmap(-1, max(self._size, 1))
        self.locked = _lock(self._map)
        if hasattr(mmap, "MADV_DONTDUMP"):
            self._map.madvise(mmap.MADV_DONTDUMP)
        self._map[: self._size] = bytes(secret)

    def view(self) -> memoryview:
        """The bytes in place, uncopied; after `wipe` they are zeros. Nobody keeps the view."""
        return memoryview(self._map)[: self._size]

    def wipe(self) -> None:
        """Overwrite the key, as often as you like.

        A key that is merely let go is not overwritten: a view of it would turn into zeros while in use. Its
        page goes back to the kernel, which clears it before anybody else gets it.
        """
        self._map[: self._size] = bytes(self._size)

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return "LockedBytes(…)"


def _lock(page: mmap.mmap) -> bool:
    start = ctypes.c_char.from_buffer(page)
    return bool(_libc.mlock(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(page))) == 0)
