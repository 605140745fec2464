"""A terminal of its own for a program that is given secrets: what is typed goes in, what it shows comes out.

The person's terminal passes every key on as it is. Lines, echo, Ctrl-C and the size are matters of the program's own
one, which the system has made like the person's; so shells, editors and pagers work as they do anywhere.
"""

import fcntl
import os
import selectors
import struct
import subprocess
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_PERSON = 0
"""The person's terminal."""
_KEYS = 1024
"""Bytes that are taken of what was typed, before the program has taken those."""
_SIZE = struct.calcsize("HHHH")


def is_offered() -> bool:
    """Whether somebody sits there who types to the program and reads what it shows."""
    return sys.stdin.isatty() and sys.stdout.isatty() and is_in_foreground()


def is_in_foreground() -> bool:
    """Whether the terminal's keys reach this process."""
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


class OwnTerminal:
    """The program's terminal, between `opened` and its end."""

    def __init__(self) -> None:
        self.shown, self._theirs = os.openpty()
        self._keys = os.dup(self.shown)
        """The same end again, because a selector knows each descriptor once."""
        os.set_blocking(self.shown, False)
        self._typed = b""
        self._before = termios.tcgetattr(_PERSON)
        termios.tcsetattr(self._theirs, termios.TCSANOW, self._before)
        self.resize()

    def started(self, tie: Callable[[], None], **more: Any) -> "subprocess.Popen[bytes]":
        """Start a program on it, which calls `tie` first; its errors go elsewhere if ours do. Raises OSError."""

        def take_it() -> None:
            tie()
            # Keys like Ctrl-C come from it then; outside Linux nothing else says so.
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        errors = self._theirs if sys.stderr.isatty() else subprocess.PIPE
        try:
            return subprocess.Popen(
                stdin=self._theirs,
                stdout=self._theirs,
                stderr=errors,
                start_new_session=True,
                preexec_fn=take_it,  # noqa: PLW1509 (as yet this process has one thread)
                **more,
            )
        finally:
            os.close(self._theirs)

    def resize(self) -> None:
        """Make it as large as the person's is now; the system tells the program."""
        with suppress(OSError):
            size = fcntl.ioctl(_PERSON, termios.TIOCGWINSZ, bytes(_SIZE))
            fcntl.ioctl(self.shown, termios.TIOCSWINSZ, size)

    @contextmanager
    def opened(self, selector: selectors.BaseSelector) -> Iterator[None]:
        """Have every key for the program, as `pass_on` is called; the person's terminal is put right afterwards."""
        tty.setraw(_PERSON, termios.TCSADRAIN)
        try:
            selector.register(_PERSON, selectors.EVENT_READ)
            yield
        finally:
            self.leave(selector)
            os.close(self._keys)

    def leave(self, selector: selectors.BaseSelector) -> None:
        """Give the person their terminal back, as it was; the program is gone."""
        for one in (_PERSON, self._keys):
            with suppress(KeyError):
                selector.unregister(one)
        with suppress(termios.error):
            termios.tcsetattr(_PERSON, termios.TCSADRAIN, self._before)

    def pass_on(self, selector: selectors.BaseSelector) -> None:
        """Move on what is typed, no faster than the program takes it."""
        waited_for = _PERSON
        if self._typed:
            waited_for = self._keys
        else:
            with suppress(OSError):  # it is gone, as is whoever typed there
                self._typed = os.read(_PERSON, _KEYS)
            if not self._typed:
                selector.unregister(_PERSON)
                return
        try:
            self._typed = self._typed[os.write(self._keys, self._typed) :]
        except BlockingIOError:
            pass
        except OSError:
            self._typed = b""  # nobody is there to read it
        selector.unregister(waited_for)
        if self._typed:
            selector.register(self._keys, selectors.EVENT_WRITE)
        else:
            selector.register(_PERSON, selectors.EVENT_READ)
