"""A program that was given secrets: run, its output masked, until it and all that it has started have ended."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from cli.masking import Mask
from cli.ownterminal import OwnTerminal, is_in_foreground, is_offered
from cli.processes import adopt_orphans, bury_orphans, descendants, named, signal_all, tied
from cli.terminal import say

_CHUNK = 64 * 1024
_LOOK_SECONDS = 0.25
"""Between two looks at what the program has left behind."""
_PAUSE_SECONDS = 0.02
"""Without output, until somebody at a terminal waits to see what they have typed."""
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
    """For what it prints; None leaves its output alone, so that it has the person's terminal itself."""


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
        self._terminal: OwnTerminal | None = None
        """Its own, where it has one."""
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

    def run(self, begun: Callable[[], None]) -> int:
        """Run it, and give its exit status as shells do: 128 and the signal's number where one ended it.

        Where a person types and reads, and the output is masked, it has a terminal of its own. `begun` is called once
        it runs. Raises OSError if it cannot be started.
        """
        adopt_orphans()
        if self._started.mask is not None and is_offered():
            self._terminal = OwnTerminal()
        with self._signals(), selectors.DefaultSelector() as selector, ExitStack() as held:
            try:
                if self._terminal is not None:
                    held.enter_context(self._terminal.opened(selector))
                self._child = self._begun()
            finally:
                for file in self._started.files:
                    os.close(file)
            for number in self._early:
                self._on_signal(number, None)
            try:
                begun()
                self._attend(self._child, selector)
            except BaseException:
                signal_all(self._everything(), signal.SIGKILL)  # nothing that has secrets runs on unattended
                raise
        status = self._child.poll()
        if status is None:
            return os.EX_TEMPFAIL
        return status if status >= 0 else 128 - status

    def _begun(self) -> "subprocess.Popen[bytes]":
        started = self._started
        told: dict[str, Any] = {
            "args": list(started.command),
            "env": dict(started.environment),
            "pass_fds": tuple(started.files),
        }
        if self._terminal is not None:
            return self._terminal.started(tied(), **told)
        pipe = subprocess.PIPE if started.mask is not None else None
        # By then this process has one thread, so the child may call what it wants before its program.
        return subprocess.Popen(**told, stdout=pipe, stderr=pipe, preexec_fn=tied())  # noqa: PLW1509

    # -- its output ----------------------------------------------------------------------------------------------------

    def _attend(self, child: "subprocess.Popen[bytes]", selector: selectors.BaseSelector) -> None:
        """Show what it prints until nothing of it is left."""
        selector.register(self._woken, selectors.EVENT_READ)
        own, mask = self._terminal, self._started.mask
        screen = None if own is None else os.fdopen(own.shown, "rb", buffering=0)
        for source, place in ((screen or child.stdout, 1), (child.stderr, 2)):
            if source is not None and mask is not None:
                selector.register(source, selectors.EVENT_READ, (place, mask.again()))
        is_paused = True
        while not self._is_over(child, any(_outputs(selector))):
            if own is not None and child.returncode is not None:
                own.leave(selector)
            soon = _LOOK_SECONDS if self._ended_at or self._asked_to_end_at else None
            is_paused = not self._moved(selector, soon if is_paused or own is None else _PAUSE_SECONDS)
            if is_paused and own is not None:
                for place, one in _outputs(selector):
                    _show(one.paused(), place)

    def _moved(self, selector: selectors.BaseSelector, seconds: float | None) -> bool:
        """Move what is there by then, output and what is typed; whether anything was, or has come to look at."""
        ready = selector.select(seconds)
        for key, _ in ready:
            if key.fileobj == self._woken:
                with suppress(BlockingIOError):
                    os.read(self._woken, _CHUNK)
            elif key.data is not None:
                if not _passed_on(key.fd, *key.data):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr] # a pipe of the child, or its terminal
            elif self._terminal is not None:
                self._terminal.pass_on(selector)
        return bool(ready)

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
        # A shell that somebody types to takes no notice of SIGTERM, only of its terminal being gone.
        gone = [signal.SIGHUP] if self._terminal is not None else []
        signal_all(self._everything(), signal.SIGTERM, *gone, signal.SIGCONT)

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
        if (own := self._terminal) is not None:
            before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, lambda *_: own.resize())
            before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, lambda *_: None)  # the lease would go on
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
        has_it = number in _BY_TERMINAL and self._terminal is None and is_in_foreground()
        if child.returncode is None and not has_it:
            with suppress(ProcessLookupError):
                os.kill(child.pid, number)


_LINUX = sys.platform == "linux"


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _outputs(selector: selectors.BaseSelector) -> list[tuple[int, Mask]]:
    """Where the program's output goes, with its mask: of each that more can come from."""
    return [key.data for key in selector.get_map().values() if key.data is not None]


def _passed_on(source: int, place: int, mask: Mask) -> bool:
    """Show what has come, and say whether more can come. A reader that has gone ends it for the program, too."""
    try:
        data = os.read(source, _CHUNK)
    except BlockingIOError:
        return True
    except OSError:
        data = b""  # so a terminal says that nobody has it open any more
    return _show(mask.feed(data) if data else mask.close(), place) and bool(data)


def _show(text: bytes, place: int) -> bool:
    """Write it all, and say whether somebody reads there."""
    shown = memoryview(text)
    while shown:
        try:
            shown = shown[os.write(place, shown) :]
        except BlockingIOError:
            time.sleep(0.01)  # somebody else made our terminal or pipe non-blocking
        except OSError:
            return False  # the pipe's reader, or the terminal
    return True
