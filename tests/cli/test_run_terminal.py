"""`valetkey run` of a program that is typed to: it has a terminal of its own, and ours is afterwards as it was."""

import os
import pty
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path
from struct import pack

import pytest

from tests.cli.running import PROGRAM, environment
from tests.cli.test_run import BARE, ENV, HASTY, line_of, processes_with, running, unique
from tests.cli.test_show import signed_in
from tests.world import World
from vault.model.views import LeaseView
from vault.operations.leases import checkout

__all__ = ["unique"]
PATIENCE = 60.0
Do = Callable[[], object]


class Person:
    """Somebody at a terminal in which the command runs."""

    def __init__(self, terminal: int, process: int) -> None:
        self.terminal, self.process = terminal, process
        self.shown = b""
        self.status: int | None = None

    def sees(self, words: bytes) -> None:
        """Wait for it, behind what was seen before."""
        until = time.monotonic() + PATIENCE
        while words not in self.shown:
            assert time.monotonic() < until, self.shown
            assert self._reads(), self.shown
        self.seen, _, self.shown = self.shown.partition(words)

    def types(self, keys: bytes) -> None:
        os.write(self.terminal, keys)

    def is_raw(self) -> bool:
        return not termios.tcgetattr(self.terminal)[3] & termios.ICANON

    def leaves(self) -> int:
        """See it to its end; gives its status."""
        until = time.monotonic() + PATIENCE
        while self._reads():
            assert time.monotonic() < until, self.shown
        _, status = os.waitpid(self.process, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def _reads(self) -> bool:
        if not select.select([self.terminal], [], [], 1.0)[0]:
            return True
        try:
            new = os.read(self.terminal, 65_536)
        except OSError:
            new = b""
        self.shown += new
        return bool(new)


@contextmanager
def at_terminal(home: Path, *command: str, program: tuple[str, ...] = PROGRAM) -> Iterator[Person]:
    """Run it in a terminal of 33 lines."""
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        ioctl(0, termios.TIOCSWINSZ, size(33))
        arguments = [*program, "run", "T-1001", *ENV, "--", *command]
        os.execve(arguments[0], arguments, environment(home, PS1="ready: "))  # noqa: S606 (a terminal needs a fork of its own)
    person = Person(terminal, child)
    try:
        yield person
    finally:
        if person.status is None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(terminal)


def size(lines: int) -> bytes:
    return pack("HHHH", lines, 111, 0, 0)


@pytest.fixture
def lease(embedded: World, server: str, tmp_path: Path) -> LeaseView:
    """The technician's lease of ticket T-1001, and who is signed in here."""
    *_, lease = embedded.lent()
    signed_in(embedded, server, tmp_path)
    return lease


@pytest.mark.attack("DP01")
def test_a_shell_that_is_typed_to_works_as_anywhere_and_is_masked(lease: LeaseView, tmp_path: Path) -> None:
    """Line editing, Ctrl-C for what it runs and not for itself, its jobs, its size as the window changes."""
    with at_terminal(tmp_path, "bash", "--norc", "--noprofile", "-i") as person:
        person.sees(b"ready: ")
        assert person.is_raw()
        person.types(b'test -t 0 -a -t 1 -a -t 2 && echo "word $WORD" here; stty size\r')
        person.sees(b"word  <masked>  here\r\n33 111\r\n")
        ioctl(person.terminal, termios.TIOCSWINSZ, size(44))
        person.types(b"until [ $(stty size | cut -c 1-2) = 44 ]; do sleep 0.1; done; echo as larg''e\r")
        person.sees(b"as large\r\n")
        for key, told in ((b"\x1a", b"status 148\r\n"), (b"\x03", b"status 130\r\n")):
            person.types(b"sh -c 'echo slee''ping; exec sleep 60'\r")
            person.sees(b"sleeping\r\n")
            person.types(key)
            person.sees(b"ready: ")
            person.types(b"echo status $?; kill %1 2>/dev/null\r")
            person.sees(told)
        # What begins like the secret is seen as it is typed, and a secret that comes key by key is not.
        for key in BARE:
            person.types(bytes([key]))
            time.sleep(0.05)
        person.types(b" \x15exit 7\r")
        assert person.leaves() == 7
        assert BARE not in person.shown
        assert not person.is_raw()
        assert b"\r\nnext: valetkey checkin" in person.shown


@pytest.mark.promise("P4")
def test_the_terminal_is_put_right_however_it_ends(
    unique: tuple[LeaseView, bytes], embedded: World, tmp_path: Path
) -> None:
    lease, word = unique
    code = "import os, tty; tty.setraw(0); print('up', flush=True); os.read(0, 1); os.kill(os.getpid(), 9)"
    typist = (sys.executable, "-c", code)
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o700)

    def typed(person: Person) -> None:
        person.types(b"x")

    def terminated(person: Person) -> None:
        os.kill(person.process, signal.SIGTERM)

    def revoked(_: Person) -> None:
        embedded.perform(checkout.revoke, embedded.actor("coordinator"), lease.id)

    for command, done, status in (
        (typist, typed, 128 + signal.SIGKILL),
        (typist, terminated, 128 + signal.SIGTERM),
        ((str(broken),), None, 126),
        # A shell that is typed to takes no notice of SIGTERM; it goes as from a window that is closed.
        (("bash", "--norc", "-i", "-c", "echo up; read x"), revoked, 128 + signal.SIGHUP),
    ):
        with at_terminal(tmp_path, *command, program=HASTY) as person:
            before = termios.tcgetattr(person.terminal)
            if done is not None:
                person.sees(b"up")
                assert person.is_raw()
                done(person)
            assert person.leaves() == status
            assert termios.tcgetattr(person.terminal) == before
    assert not processes_with(word), "nothing runs on"


@pytest.mark.promise("P4")
def test_what_has_secrets_goes_with_a_run_that_is_killed(
    unique: tuple[LeaseView, bytes],
    tmp_path: Path,
) -> None:
    word = unique[1]
    stubborn = ("sh", "-c", "trap '' TERM HUP; echo up; while :; do sleep 1; done")
    with running(tmp_path, *ENV, "--", *stubborn) as process:
        assert line_of(process) == "up\n"
        process.kill()
        process.wait(PATIENCE)
        nothing_has(word)
    with at_terminal(tmp_path, *stubborn) as person:
        person.sees(b"up\r\n")
        os.kill(person.process, signal.SIGKILL)
        assert person.leaves() == -signal.SIGKILL
        nothing_has(word)


def nothing_has(word: bytes) -> None:
    until = time.monotonic() + PATIENCE
    while found := processes_with(word):
        assert time.monotonic() < until, found
        time.sleep(0.05)
