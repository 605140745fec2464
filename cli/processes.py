"""The processes below this one: who they are, and telling all of them something."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>


def adopt_orphans() -> None:
    """Become the parent of what the program leaves behind, where the platform lets us know of it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def tied() -> Callable[[], None]:
    """What a new process calls to be killed when this one is, without a chance to end it; Linux only (prctl(2))."""
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return tie


def bury_orphans() -> bool:
    """Whether any process is left below this one; what has ended is buried. The program itself has to be noted before.

    Where nobody is adopted, nobody is known to be left.
    """
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def descendants() -> list[int]:
    """Every process below this one that still runs, where the platform tells."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            # the name before the last parenthesis can hold anything
            state, parent = (place / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state not in "ZX":
            children.setdefault(int(parent), []).append(int(place.name))
    found, waiting = [], [os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def named(processes: Sequence[int]) -> str:
    """Their names and numbers, for people."""
    return ", ".join(f"{_name(process)} ({process})" for process in processes) or "something elsewhere"


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        return "a process"


def signal_all(processes: Sequence[int], *signals: int) -> None:
    """Send each signal to each of them that is still there and ours."""
    for process in processes:
        for number in signals:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, number)
