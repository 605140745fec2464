"""A program that was given secrets: run, its output masked, until it and all that it has started have ended."""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from cli.masking import Mask
from cli.terminal import say

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
_CHUNK = 64 * 1024
_LOOK_SECONDS = 0.25
"""Between two looks at what the program has left behind."""
_GRACE_SECONDS = 10.0
"""Between being asked to end and being ended."""
_BY_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
"""What the terminal sends to every process in its foreground, so to the program as well."""
_PASSED_ON = (*_BY_TERMINAL, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


@dataclass
class Started:
    """What is to be run, with what."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    files: Sequence[int] = ()
    """Descriptors that the program inherits, beside the first three; they are closed here once it has them."""
    secrets: Sequence[bytes] | None = field(default=None, repr=False)
    """To be masked in what it prints; None leaves its output alone, so that it has the terminal itself."""


class Program:
    """One run. `wake` may be called from another thread until it is closed: then `ended_by` is asked at once."""

    def __init__(self, started: Started, ended_by: Callable[[], str]) -> None:
        """`ended_by` gives the reason why all has to end now, or nothing."""
        self._started = started
        self._ended_by = ended_by
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if _LINUX else _pipe()
        self._child: subprocess.Popen[bytes] | None = None
        self._asked_to_end_at: float | None = None
        self._said_left = False
        self._early: list[int] = []
        """Signals that came before there was a program."""
        self.reason = ""
        """Why it was ended, where it did not end by itself."""

    def close(self) -> None:
        """Let go of what wakes it."""
        os.close(self._woken)
        os.close(self._waker)

    def wake(self) -> None:
        """Have the loop look around."""
        with suppress(BlockingIOError):
            os.write(self._waker, b"\0")

    def run(self) -> int:
        """Run it, and give its exit status as shells do: 128 and the signal's number where one ended it.

        Raises OSError if it cannot be started.
        """
        _adopt_orphans()
        masked = self._started.secrets is not None
        pipe = subprocess.PIPE if masked else None
        with self._signals():
            try:
                self._child = subprocess.Popen(
                    list(self._started.command),
                    env=dict(self._started.environment),
                    stdout=pipe,
                    stderr=pipe,
                    pass_fds=tuple(self._started.files),
                )
            finally:
                for file in self._started.files:
                    os.close(file)
            for number in self._early:
                self._on_signal(number, None)
            self._attend(self._child)
        status = self._child.returncode
        return status if status >= 0 else 128 - status

    # -- its output ----------------------------------------------------------------------------------------------------

    def _attend(self, child: "subprocess.Popen[bytes]") -> None:
        """Show what it prints until nothing of it is left."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            for source, place in ((child.stdout, 1), (child.stderr, 2)):
                if source is not None and self._started.secrets is not None:
                    selector.register(source, selectors.EVENT_READ, (place, Mask(self._started.secrets)))
            ended_at = 0.0
            while True:
                ended = child.poll() is not None
                if ended:
                    ended_at = ended_at or time.monotonic()
                    _bury_orphans()
                left = _descendants() if ended else []
                if ended and not left and len(selector.get_map()) == 1:
                    return
                if ended and time.monotonic() > ended_at + _LOOK_SECONDS:
                    self._say_left(left)
                self._end_if_due()
                for key, _ in selector.select(_LOOK_SECONDS if ended or self._asked_to_end_at else None):
                    if key.fileobj == self._woken:
                        with suppress(BlockingIOError):
                            os.read(self._woken, _CHUNK)
                    elif not _passed_on(key.fd, *key.data):
                        selector.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr] # a pipe of the child

    def _say_left(self, left: Sequence[int]) -> None:
        """Say once what still runs; whatever ends within a moment needs no word."""
        if self._said_left or self._asked_to_end_at:
            return
        self._said_left = True
        names = ", ".join(f"{_name(process)} ({process})" for process in left) or "something elsewhere"
        say(f"what the command has started still runs, and has what it was given: {names}")
        say("waiting for that to end; Ctrl-C ends it")

    # -- its end -------------------------------------------------------------------------------------------------------

    def _end_if_due(self) -> None:
        if self._asked_to_end_at is None and not self.reason and (reason := self._ended_by()):
            self.end(reason)
        if self._asked_to_end_at is not None and time.monotonic() > self._asked_to_end_at + _GRACE_SECONDS:
            _signal_all(self._everything(), signal.SIGKILL)

    def end(self, reason: str) -> None:
        """Ask it and all that it has started to end; ten seconds later they are ended."""
        self.reason = reason
        self._asked_to_end_at = time.monotonic()
        _signal_all(self._everything(), signal.SIGTERM, signal.SIGCONT)

    def _everything(self) -> list[int]:
        own = [self._child.pid] if self._child is not None and self._child.returncode is None else []
        return list(dict.fromkeys([*own, *_descendants()]))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Pass signals on while it runs. What this process was told to ignore, it and the program go on ignoring."""
        before = {
            number: signal.signal(number, self._on_signal)
            for number in _PASSED_ON
            if signal.getsignal(number) != signal.SIG_IGN
        }
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        former = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(former)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        child = self._child
        if child is None:
            self._early.append(number)
        elif child.returncode is not None:
            self.end("")  # only what it left behind is still there
        elif number not in _BY_TERMINAL or not _in_foreground():
            with suppress(ProcessLookupError):
                os.kill(child.pid, number)


_LINUX = sys.platform == "linux"


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _passed_on(source: int, place: int, mask: Mask) -> bool:
    """Show what has come, and say whether more can come. A reader that has gone ends it for the program, too."""
    data = os.read(source, _CHUNK)
    shown = memoryview(mask.feed(data) if data else mask.close())
    while shown:
        try:
            shown = shown[os.write(place, shown) :]
        except BlockingIOError:
            time.sleep(0.01)  # somebody else made our terminal or pipe non-blocking
        except BrokenPipeError:
            return False
    return bool(data)


def _in_foreground() -> bool:
    """Whether the terminal's keys reach this process, and so the program as well."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


# -- what it has started -----------------------------------------------------------------------------------------------


def _adopt_orphans() -> None:
    """Become the parent of what the program leaves behind, where the platform lets us know of it."""
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _bury_orphans() -> None:
    """Take note of adopted processes that have ended. The program itself has to be noted before."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _descendants() -> list[int]:
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


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        return "it"


def _signal_all(processes: Sequence[int], *signals: int) -> None:
    for process in processes:
        for number in signals:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, number)
