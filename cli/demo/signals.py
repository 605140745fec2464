"""Ending in good order: the first signal unwinds everything once, and nothing interrupts a start or a cleaning up."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Waiting:
    """How deep we are in work that must not be interrupted, and which signal came meanwhile."""

    depth = 0
    number = 0


def listen() -> None:
    """From now on Ctrl-C, SIGTERM and SIGHUP end the program by SystemExit, with the status that shells expect."""
    for number in _ENDING:
        signal.signal(number, _heard)


def _heard(number: int, _frame: FrameType | None) -> None:
    if _Waiting.depth:
        _Waiting.number = number
        return
    for other in _ENDING:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Do this without being interrupted; a signal that comes meanwhile is heard at its end."""
    _Waiting.depth += 1
    try:
        yield
    finally:
        _Waiting.depth -= 1
        if _Waiting.number and not _Waiting.depth:
            number, _Waiting.number = _Waiting.number, 0
            _heard(number, None)
