"""A connection that lasts no longer than the lease that it was made under."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from cli.watching import Watch
from vault.errors import Ended

_GRACE_SECONDS = 3.0
"""For ssh to put the terminal right and take its leave, once it is cut off."""
_PASSED_ON = frozenset({"PATH", "HOME", "TERM", "COLORTERM", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME"})


def environment() -> dict[str, str]:
    """What ssh sees of this session: where programs are, which terminal and language. No token, no agent."""
    return {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("LC_")}


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    watch: Watch,
    started: Callable[[int], None] | None,
) -> int:
    """Run it on this terminal until it ends or the lease does; gives its exit status, as a shell would say it.

    `started` is told its process. It cannot be suspended, since the lease goes on meanwhile. Whatever it did to the
    terminal is undone. Raises Ended where the lease ended first, OSError where there is no such program.
    """
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(command[0])
    over = threading.Event()
    with _terminal_as_it_is(), _signals_for_the_child():
        child = subprocess.Popen([*_ending_with_us(), *command], env=dict(environment))
        if started:
            started(child.pid)
        cutting = threading.Thread(target=_cut_when, args=(over, child), daemon=True)
        cutting.start()
        watch.start(over.set)
        try:
            status = child.wait()
        finally:
            over.set()
            cutting.join()  # it ends what is left, whatever has woken it
            watch.stop()
    if watch.ended():
        raise Ended(f"the lease has ended ({watch.ended()}), and so the connection was cut")
    return status if status >= 0 else 128 - status


def _ending_with_us() -> list[str]:
    """What has a program end when this process is killed without a chance to end it (PR_SET_PDEATHSIG); Linux only."""
    found = shutil.which("setpriv") if sys.platform == "linux" else None
    return [found, "--pdeathsig", "TERM", "--"] if found else []


def _cut_when(over: threading.Event, child: "subprocess.Popen[bytes]") -> None:
    over.wait()
    _cut(child)


def _cut(child: "subprocess.Popen[bytes]") -> None:
    """End it, politely first, so that it puts the terminal right."""
    child.terminate()
    until = time.monotonic() + _GRACE_SECONDS
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    child.kill()


@contextlib.contextmanager
def _terminal_as_it_is() -> Iterator[None]:
    """Leave the terminal as it was found."""
    if not sys.stdin.isatty():
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _signals_for_the_child() -> Iterator[None]:
    """Leave Ctrl-C to the child; end it where this process is told to end; let nobody suspend either.

    A handler does not pass to the child, which has its own way with a signal; what is ignored does, and is meant to.
    """
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, _nothing),
        signal.SIGQUIT: signal.signal(signal.SIGQUIT, _nothing),
        signal.SIGTERM: signal.signal(signal.SIGTERM, _leave),
        signal.SIGHUP: signal.signal(signal.SIGHUP, _leave),
        signal.SIGTSTP: signal.signal(signal.SIGTSTP, signal.SIG_IGN),
    }
    try:
        yield
    finally:
        for number, how in before.items():
            signal.signal(number, how)


def _nothing(_number: int, _frame: object) -> None:
    """Nothing: it is the child's."""


def _leave(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
