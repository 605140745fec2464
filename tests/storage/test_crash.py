"""kill -9 and a pulled plug at random moments: nothing acknowledged is lost, the ledger verifies, nothing is half done.

The test cluster runs with fsync off, so its immediate stop is a crash of PostgreSQL's processes, not of the machine;
what a machine's crash leaves is shown by the order of writes and syncs in test_order.py.
"""

import contextlib
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tests.storage.ground import away, findings, spawn, verified
from tests.world import LOGIN, World

EVERYDAY = 5
LONG = 50


class Listener:
    """Reads what a child acknowledges, as it does so."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.child = child
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            if line.endswith(b"\n"):
                self.lines.append(line.decode().strip())

    def wait_for(self, count: int, seconds: float = 40) -> None:
        end = time.monotonic() + seconds
        while len(self.lines) < count:
            if self.child.poll() is not None or time.monotonic() > end:
                error = (
                    self.child.stderr.read() if self.child.stderr and self.child.poll() is not None else b""
                )
                raise AssertionError(error.decode()[-2000:] or "the child says nothing")
            time.sleep(0.005)

    def end(self) -> dict[int, str]:
        """Every acknowledged entry by its number: the hash of its leaf."""
        self._thread.join(30)
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            with contextlib.suppress(BrokenPipeError):
                if stream:
                    stream.close()
        self.child.wait(30)
        pairs = (line.split() for line in self.lines if line[:1].isdigit())
        return {int(seq): leaf for seq, leaf in pairs}


def holds(
    world: World, acknowledged: dict[int, str], lease_and_secret: tuple[object, str], place: Path
) -> None:
    """Everything that must be so after a crash."""
    lease, secret = lease_and_secret
    leaves = {row[0]: bytes(row[1]).hex() for row in world.sql("SELECT seq, leaf FROM ledger_entry")}
    lost = {seq for seq, leaf in acknowledged.items() if leaves.get(seq) != leaf}
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged entries are lost or changed"
    assert sorted(leaves) == list(range(world.size())), "no gap, nothing beyond the end"
    found = findings(world)
    assert found["rows"] == "ok"
    assert found["ledger"] == "ok"
    opened = world.ledger().count("ticket.open ok")
    assert world.sql("SELECT count(*) FROM ticket")[0][0] == opened, "no ticket without its entry, none lost"
    named = "SELECT count(*) FROM row_head WHERE row_id LIKE 'ticket:%'"
    assert world.sql(named)[0][0] == opened
    assert world.reveal(lease, secret) == LOGIN["password"]  # type: ignore[arg-type]
    assert verified(world, place).size == world.size()


def crash(world: World, rounds: int, place: Path, kill_server: Cluster | None = None) -> None:
    service, secret, _, _ = world.lent()
    ticket = world.ticket(service, number="T-CRASH")
    owner = world.customer()
    chance = random.Random(20)
    for turn in range(rounds):
        world.sql("DELETE FROM attempt")
        lease = world.lease(ticket, secret, minutes=240)
        # A service has only so many open tickets: each round opens them for one of its own.
        busy = world.service(owner, title=f"Round {turn}")
        with away(world):
            child = spawn(world, "load", lease=lease.id, secret=secret, service=busy.id, mark=f"R{turn}")
            listener = Listener(child)
            listener.wait_for(2 + chance.randrange(60))
            time.sleep(chance.random() * 0.05)
            if kill_server is not None:
                kill_server.stop("immediate")
            child.kill()
            acknowledged = listener.end()
            if kill_server is not None:
                kill_server.start()
        assert acknowledged
        holds(world, acknowledged, (lease, secret), place)


@pytest.mark.promise("P1", "P6")
@pytest.mark.attack("AU04")
def test_a_killed_process_loses_nothing_that_it_acknowledged(world: World, tmp_path: Path) -> None:
    crash(world, EVERYDAY, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.promise("P1", "P6")
@pytest.mark.attack("AU04")
def test_fifty_killed_processes_lose_nothing_that_they_acknowledged(world: World, tmp_path: Path) -> None:
    crash(world, LONG, tmp_path)


@pytest.fixture
def own_cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Cluster]]:
    """A world on a server of its own, whose plug may be pulled."""
    from tests.postgres import running
    from tests.world import Template

    with running() as cluster:
        template = Template(tmp_path_factory.mktemp("plug"), cluster)
        with template.world(tmp_path_factory.mktemp("plug-world")) as world:
            yield world, cluster


@pytest.mark.promise("P1", "P6")
@pytest.mark.attack("AU04")
def test_a_crash_of_the_database_server_loses_nothing_acknowledged(
    own_cluster: tuple[World, Cluster], tmp_path: Path
) -> None:
    world, cluster = own_cluster
    crash(world, 2, tmp_path, kill_server=cluster)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.promise("P1", "P6")
@pytest.mark.attack("AU04")
def test_many_crashes_of_the_database_server_lose_nothing_acknowledged(
    own_cluster: tuple[World, Cluster], tmp_path: Path
) -> None:
    world, cluster = own_cluster
    crash(world, LONG, tmp_path, kill_server=cluster)
