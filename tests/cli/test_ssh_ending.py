"""How a connection ends with its lease, what could be seen of the secret meanwhile, and how the terminal is left."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli import sshd
from tests.cli.desk import (
    NUMBER,
    Desk,
    descendants,
    in_memory,
    is_running,
    name_of,
    seen_from_outside,
    spellings,
)
from tests.keys import PASSPHRASE, keygen
from tests.operations.visiting import come
from tests.source_tree import ROOT
from tests.world import World
from vault.model.views import LeaseView
from vault.operations.customers import mine
from vault.operations.leases import checkout
from vault.operations.people import sessions

pytestmark = [
    pytest.mark.skipif(bool(sshd.why_not()), reason=sshd.why_not() or "-"),
    pytest.mark.promise("P4"),
]

PASSWORD = "canary Zq7w!$`\"'\\ hunter2"
PATIENCE = 60.0
READY = b"ready2here"


@pytest.fixture
def desk(embedded: World, server: str, tmp_path: Path) -> Iterator[Desk]:
    with sshd.running(password=PASSWORD) as real:
        yield Desk(embedded, tmp_path, real, server)


class Terminal:
    """A shell on the customer's server, in a terminal of the technician's."""

    def __init__(self, desk: Desk, *arguments: str) -> None:
        desk.sign_in()
        self.ours, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.shown = b""
        self.process = subprocess.Popen(
            desk.command(*arguments),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=desk.environment(),
            cwd=desk.home,
            start_new_session=True,
        )

    def type(self, line: str) -> None:
        os.write(self.ours, line.encode() + b"\r")

    def until(self, words: bytes) -> None:
        """Read until these words were shown."""
        self._read(lambda: words in self.shown)

    def ended(self) -> int:
        """Read until it has ended; gives its exit status."""
        self._read(lambda: self.process.poll() is not None)
        self._drain()
        return self.process.wait(PATIENCE)

    def _read(self, enough: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE
        while not enough():
            assert time.monotonic() < give_up, self.shown.decode(errors="replace")
            self._drain()

    def _drain(self) -> None:
        while select.select([self.ours], [], [], 0.05)[0]:
            self.shown += os.read(self.ours, 65_536)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        os.close(self.ours)
        os.close(self.theirs)


@contextmanager
def connected(desk: Desk, *options: str) -> Iterator[Terminal]:
    """Logged in, with a prompt."""
    terminal = Terminal(desk, "ssh", NUMBER, *options)
    try:
        terminal.until(b"at the latest")
        terminal.until(b"$ ")
        terminal.type("echo ready$((1+1))here")
        terminal.until(READY)
        assert termios.tcgetattr(terminal.theirs) != terminal.before, "ssh has the terminal"
        yield terminal
    finally:
        terminal.close()


@pytest.mark.attack("DP01")
@pytest.mark.attack("DP04")
def test_while_connected_the_secret_is_nowhere_but_where_it_is_needed_and_the_end_of_the_lease_cuts(
    desk: Desk,
) -> None:
    world, real = desk.world, desk.server
    path = real.place / "key"
    keygen("-t", "rsa", "-b", "2048", "-m", "PEM", "-N", PASSPHRASE, "-C", "", "-f", str(path))
    real.allow(path.with_suffix(".pub").read_text())
    key = path.read_text()
    path.unlink()
    password = desk.give(password=PASSWORD, host_key=real.key_line)
    private = desk.give("ssh-key", private_key=key, passphrase=PASSPHRASE, host_key=real.key_line)
    (real.place / "key.pub").unlink()
    elsewhere = [one for folder in ("/tmp", "/dev/shm") for one in Path(folder).glob("*ssh-*")]
    roots = [desk.home, *(one for one in elsewhere if one != real.place)]
    clara = world.actor("coordinator")
    for secret, canaries, holders in (
        (password, (PASSWORD.encode(),), {"python", "ssh"}),
        (private, (key.encode(), PASSPHRASE.encode()), {"python"}),
    ):
        spelt = set().union(*map(spellings, canaries))
        lease = world.lease(desk.ticket, secret)
        with connected(desk) as terminal:
            assert seen_from_outside(spelt, roots) == []
            everybody = descendants(terminal.process.pid)
            plain = [line for one in canaries for line in one.splitlines() if len(line) > 8]
            names = {name_of(one) for one in everybody if in_memory(one, plain)}
            assert {name.split(".")[0].rstrip("0123456789") for name in names} <= holders
            agents = [one for one in everybody if name_of(one) == "ssh-agent"]
            assert len(agents) == len(list(desk.runtime.glob("*/agent"))) == (secret == private)
            world.perform(checkout.revoke, clara, lease.id)
            assert terminal.ended() == 66
            assert "the lease has ended (a coordinator has ended it), and so the connection was cut" in (
                terminal.shown.decode()
            )
            assert termios.tcgetattr(terminal.theirs) == terminal.before
            give_up = time.monotonic() + PATIENCE
            while any(map(is_running, agents)):
                assert time.monotonic() < give_up, "the agent lives on"
                time.sleep(0.05)
        assert seen_from_outside(spelt, roots) == []
        assert list(desk.runtime.iterdir()) == []
        real.children[-1].wait(PATIENCE)  # the server has seen the end too


@pytest.mark.promise("P2")
def test_the_agent_signs_for_that_server_alone_and_lasts_no_longer_than_the_lease(desk: Desk) -> None:
    """Whoever finds the socket and has the rights of the same user: another server's door stays closed to them."""
    real = desk.server
    path = real.place / "key"
    keygen("-t", "ed25519", "-N", "", "-C", "", "-f", str(path))
    public = path.with_suffix(".pub").read_text()
    secret = desk.give("ssh-key", private_key=path.read_text(), host_key=real.key_line)
    path.unlink()
    desk.world.lease(desk.ticket, secret)
    with sshd.running() as other:
        for server in (real, other):
            server.allow(public)
        with connected(desk) as terminal:
            (agent,) = desk.runtime.glob("*/agent")
            options = (
                f"StrictHostKeyChecking=no UserKnownHostsFile=/dev/null IdentityAgent={agent} BatchMode=yes"
            )
            words = [word for option in options.split() for word in ("-o", option)]
            came = {
                server.port: subprocess.run(
                    ["ssh", "-F", "none", *words, "-p", str(server.port), "deploy@127.0.0.1", "true"],
                    capture_output=True,
                    check=False,
                ).returncode
                for server in (real, other)
            }
            assert came == {real.port: 0, other.port: 255}
            listed = subprocess.run(
                ["ssh-add", "-L"],
                env={**os.environ, "SSH_AUTH_SOCK": str(agent)},
                capture_output=True,
                check=False,
            )
            assert listed.stdout.split()[1] == public.split()[1].encode()
            others = descendants(terminal.process.pid)[1:]
            assert {"ssh", "ssh-agent"} <= {name_of(one) for one in others}
            terminal.process.kill()  # without a chance to end anything
            real.children[0].wait(PATIENCE)
            give_up = time.monotonic() + PATIENCE
            while agent.exists() or any(
                map(is_running, others)
            ):  # an agent looks after its parent every ten seconds
                assert time.monotonic() < give_up, [name_of(one) for one in others if is_running(one)]
                time.sleep(0.1)


AGENT = """
import sys; from pathlib import Path; from cli import sshagents, sshruns
with sshagents.agent(Path(sys.argv[1]), 600, sshruns.environment()) as agent:
    print(agent, flush=True)
    sys.stdin.read()
"""


def test_an_agent_goes_when_who_has_started_it_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", AGENT, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starting:
        assert starting.stdout is not None
        agent = Path(starting.stdout.readline().strip())
        assert agent.is_socket()
        starting.kill()
        give_up = time.monotonic() + PATIENCE
        while agent.exists():  # it looks after its parent every ten seconds
            assert time.monotonic() < give_up
            time.sleep(0.1)


def test_handing_back_pausing_and_signing_out_cut_it_too_and_time_does(desk: Desk) -> None:
    world, real = desk.world, desk.server
    secret = desk.give(password=PASSWORD, host_key=real.key_line)
    own = come(world, desk.service.customer.id).actor
    ways: dict[str, Callable[[LeaseView], object]] = {
        "it was handed back": lambda lease: world.perform(
            checkout.check_in, world.actor("technician"), lease.id
        ),
        "its time is over": lambda _: world.clock.advance(minutes=6),
        "the customer has paused the service": lambda _: world.perform(mine.pause, own, desk.service.id),
        "you are signed out": lambda _: world.perform(sessions.sign_out, world.actor("technician")),
    }
    for words, end in ways.items():
        lease = world.lease(desk.ticket, secret, minutes=5)
        terminal = Terminal(desk, "ssh", lease.id, "--", "echo", "ready$((1+1))here;", "sleep", "600")
        try:
            terminal.until(READY)
            end(lease)
            assert terminal.ended() == 66
            assert f"the lease has ended ({words}), and so the connection was cut" in (
                terminal.shown.decode()
            )
            assert termios.tcgetattr(terminal.theirs) == terminal.before
        finally:
            terminal.close()
        if words.startswith("the customer"):
            world.perform(mine.resume, own, desk.service.id)
    assert desk.files() == set()


def test_whoever_ends_the_command_ends_the_connection_and_no_trace_is_left(desk: Desk) -> None:
    secret = desk.give(password=PASSWORD, host_key=desk.server.key_line)
    desk.world.lease(desk.ticket, secret)
    for number in (signal.SIGTERM, signal.SIGHUP):
        with connected(desk) as terminal:
            (client,) = (one for one in descendants(terminal.process.pid) if name_of(one) == "ssh")
            for one in (terminal.process.pid, client):
                assert ignores(one, signal.SIGTSTP), "it could be suspended, and outlive its lease"
            terminal.process.send_signal(signal.SIGINT)
            terminal.type("echo still$((1+1))here")
            terminal.until(b"still2here")
            terminal.process.send_signal(number)
            assert terminal.ended() == 130
            assert termios.tcgetattr(terminal.theirs) == terminal.before
        assert desk.files() == set()
    with connected(desk) as terminal:
        (client,) = (one for one in descendants(terminal.process.pid) if name_of(one) == "ssh")
        os.kill(client, signal.SIGKILL)  # it has no chance to put the terminal right
        assert terminal.ended() == 128 + signal.SIGKILL
        assert termios.tcgetattr(terminal.theirs) == terminal.before
    assert desk.files() == set()


def ignores(process: int, number: signal.Signals) -> bool:
    """Whether a process ignores a signal (proc(5): a bit mask in hexadecimal)."""
    told = Path(f"/proc/{process}/status").read_text()
    mask = next(line.split()[1] for line in told.splitlines() if line.startswith("SigIgn:"))
    return bool(int(mask, 16) >> (number - 1) & 1)
