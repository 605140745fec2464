"""A program that was given secrets: run, its output masked, until it and all that it has started have ended."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from cli.masking import Mask
from cli.processes import adopt_orphans, bury_orphans, descendants, named, signal_all
from cli.terminal import say

_CHUNK = 64 * 1024
_LOOK_SECONDS = 0.25
"""Between two looks at what the program has left behind."""
_GRACE_SECONDS = 10.0
"""Between being asked to end and being ended."""
_JUST_NOW_SECONDS = 5.0
"""Within which a signal was meant for all of it, the command's leftovers too."""
_BY_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
"""What the terminal sends to every process in its foreground, so to the program as well."""
_ENDING = (*_BY_TERMINAL, signal.SIGTERM, signal.SIGHUP)
_PASSED_ON = (*_ENDING, signal.SIGUSR1, signal.SIGUSR2)


@dataclass
class Started:
    """What is to be run, with what."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    files: Sequence[int] = ()
    """Descriptors that the program inherits, beside the first three; they are closed here once it has them."""
    mask: Mask | None = field(default=None, repr=False)
    """For what it prints; None leaves its output alone, so that it has the terminal itself."""


class Program:
    """One run. `wake` may be called from another thread until it is closed: then `ended_by` is asked at once."""

    def __init__(self, started: Started, ended_by: Callable[[], str]) -> None:
        """`ended_by` gives the reason why all has to end now, or nothing."""
        self._started = started
        self._ended_by = ended_by
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if _LINUX else _pipe()
        self._child: subprocess.Popen[bytes] | None = None
        self._asked_to_end_at: float | None = None
        self._ended_at: float | None = None
        self._said_left = False
        self._told_at = -_JUST_NOW_SECONDS
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
        adopt_orphans()
        masked = self._started.mask is not None
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
            try:
                self._attend(self._child)
            except BaseException:
                signal_all(self._everything(), signal.SIGKILL)  # nothing that has secrets runs on unattended
                raise
        status = self._child.poll()
        if status is None:
            return os.EX_TEMPFAIL
        return status if status >= 0 else 128 - status

    # -- its output ----------------------------------------------------------------------------------------------------

    def _attend(self, child: "subprocess.Popen[bytes]") -> None:
        """Show what it prints until nothing of it is left."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            for source, place in ((child.stdout, 1), (child.stderr, 2)):
                if source is not None and self._started.mask is not None:
                    selector.register(source, selectors.EVENT_READ, (place, self._started.mask.again()))
            while not self._is_over(child, len(selector.get_map()) > 1):
                soon = self._ended_at is not None or self._asked_to_end_at is not None
                for key, _ in selector.select(_LOOK_SECONDS if soon else None):
                    if key.fileobj == self._woken:
                        with suppress(BlockingIOError):
                            os.read(self._woken, _CHUNK)
                    elif not _passed_on(key.fd, *key.data):
                        selector.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr] # a pipe of the child

    def _is_over(self, child: "subprocess.Popen[bytes]", is_open: bool) -> bool:
        """Whether all has ended, or cannot be ended; what is due to end is told so. `is_open`: more output may come."""
        now = time.monotonic()
        if self._asked_to_end_at is None and (reason := self._ended_by()):
            self.end(reason)
        if self._asked_to_end_at is not None and now > self._asked_to_end_at + _GRACE_SECONDS:
            signal_all(self._everything(), signal.SIGKILL)
        left = []
        if child.poll() is not None:
            self._ended_at = self._ended_at or now
            remains = bury_orphans()
            if not remains and not is_open:
                return True
            left = descendants() if remains else []
            if left and now < self._told_at + _JUST_NOW_SECONDS and self._asked_to_end_at is None:
                self.end("")  # who has told the command to end meant all of it
            if now > self._ended_at + _LOOK_SECONDS:
                self._say_left(left)
        return self._cannot_be_ended(left)

    def _say_left(self, left: Sequence[int]) -> None:
        """Say once what still runs; whatever ends within a moment needs no word."""
        if self._said_left or self._asked_to_end_at:
            return
        self._said_left = True
        say(f"what the command has started still runs, and has what it was given: {named(left)}")
        say("waiting for that to end; Ctrl-C ends it")

    # -- its end -------------------------------------------------------------------------------------------------------

    def end(self, reason: str) -> None:
        """Ask it and all that it has started to end; ten seconds later they are ended."""
        self.reason = reason
        self._asked_to_end_at = time.monotonic()
        signal_all(self._everything(), signal.SIGTERM, signal.SIGCONT)

    def _cannot_be_ended(self, left: Sequence[int]) -> bool:
        """Whether even SIGKILL did not help, as with what runs as another user. Says so."""
        if self._asked_to_end_at is None or time.monotonic() < self._asked_to_end_at + 2 * _GRACE_SECONDS:
            return False
        say(f"this cannot be ended from here, and has what it was given: {named(left or self._everything())}")
        return True

    def _everything(self) -> list[int]:
        own = [self._child.pid] if self._child is not None and self._child.returncode is None else []
        return list(dict.fromkeys([*own, *descendants()]))

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
            return
        if number in _ENDING:
            self._told_at = time.monotonic()
        if child.returncode is None and (number not in _BY_TERMINAL or not _in_foreground()):
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
        except OSError:
            return False  # the pipe's reader, or the terminal
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
