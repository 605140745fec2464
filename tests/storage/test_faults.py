"""The record cannot be made: nothing is shown or done, that is said in time, and it recovers by itself."""

import os
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import psycopg
import pytest

from tests.conftest import _template
from tests.postgres import Cluster, running
from tests.storage.ground import away, findings, until, verified
from tests.storage.proxy import Proxy
from tests.world import LOGIN, Template, World
from vault.errors import Busy, Ended, NotRecorded, Unavailable
from vault.model.views import LeaseView
from vault.operations.house import operator
from vault.operations.leases import checkout
from vault.operations.people import sessions, staff
from vault.operations.services import services, tickets
from vault.values import Actor

Scene = tuple[World, LeaseView, str]


def everything_refuses(world: World, lease: LeaseView, secret: str) -> None:
    """Reveals, changes, sign-outs: each ends as NotRecorded, and none of them has happened."""
    technician = Actor("person", world.member("technician").id, "api")
    coordinator = Actor("person", world.member("coordinator").id, "api")
    service = lease.service_id
    answers = world.together(
        world.vault.perform(checkout.reveal, technician, lease.id, secret, "password"),
        world.vault.perform(tickets.open_ticket, coordinator, service, "T-FAULT", "Work"),
        world.vault.perform(checkout.check_in, technician, lease.id),
        world.vault.perform(sessions.sign_out, technician),
        world.vault.perform(staff.disable, Actor.host(), technician.id),
    )
    assert [type(answer) for answer in answers] == [NotRecorded] * 5, answers
    assert all(LOGIN["password"] not in repr(answer) for answer in answers)
    assert world.vault.writer.recording is False


def all_is_well(world: World, lease: LeaseView, secret: str, place: Path) -> None:
    assert world.reveal(lease, secret) == LOGIN["password"]
    assert operator.status(world.vault)["recording"] is True
    assert world.sql("SELECT count(*) FROM ticket WHERE number = 'T-FAULT'")[0][0] == 0
    assert world.sql("SELECT state FROM lease")[0][0] == "active"
    found = findings(world)
    assert (found["rows"], found["ledger"]) == ("ok", "ok")
    assert verified(world, place).size == world.size()


# -- a full disk -----------------------------------------------------------------------------------------------------


def _mounted(place: Path) -> bool:
    ran = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
    )
    return ran.returncode == 0


@pytest.fixture
def on_a_small_disk(request: pytest.FixtureRequest) -> Iterator[tuple[World, Path]]:
    place = Path(tempfile.mkdtemp(prefix="vk-disk-"))
    if os.geteuid() != 0 or not _mounted(place):
        place.rmdir()
        pytest.skip(
            "this machine does not let the tests mount a small disk; the file size limit stands in for it"
        )
    try:
        template = _template(request, request.getfixturevalue("templates"), "sqlite")
        with template.world(place) as world:
            yield world, place
            (place / "ballast").unlink(missing_ok=True)
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


@pytest.mark.promise("P1")
@pytest.mark.attack("AU03", "DO09")
def test_a_full_disk_shows_nothing_and_recovers(on_a_small_disk: tuple[World, Path], tmp_path: Path) -> None:
    world, disk = on_a_small_disk
    _, secret, _, lease = world.lent()
    before = world.size()
    with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(b"\0" * 512)
    technician = Actor("person", world.member("technician").id, "api")
    refused = 0
    for _ in range(400):  # SQLite may reuse what room its log has left
        answer = world.together(
            world.vault.perform(checkout.reveal, technician, lease.id, secret, "password")
        )[0]
        refused += isinstance(answer, NotRecorded)
        if refused == 3:
            break
    assert refused == 3
    everything_refuses(world, lease, secret)
    shown = world.size() - before
    (disk / "ballast").unlink()
    all_is_well(world, lease, secret, tmp_path)
    assert world.ledger(since=before).count("secret.reveal ok") == shown + 1


@pytest.mark.promise("P1")
@pytest.mark.attack("AU03", "DO09")
def test_a_file_that_may_not_grow_shows_nothing_and_recovers(embedded: World, tmp_path: Path) -> None:
    """A limit on file sizes, by the kernel: the log of the database can take no more."""
    _, secret, _, lease = embedded.lent()
    wal = embedded.settings.data_dir / "vault.db-wal"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, hard))
    try:
        everything_refuses(embedded, lease, secret)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    all_is_well(embedded, lease, secret, tmp_path)


@pytest.mark.promise("P1")
@pytest.mark.attack("AU03", "DO08")
def test_a_locked_database_is_refused_in_time_and_recovers(embedded: World, tmp_path: Path) -> None:
    _, secret, _, lease = embedded.lent()
    other = sqlite3.connect(embedded.settings.data_dir / "vault.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    everything_refuses(embedded, lease, secret)
    assert time.monotonic() - began < 8
    other.execute("ROLLBACK")
    other.close()
    all_is_well(embedded, lease, secret, tmp_path)


@pytest.mark.attack("DO08")
def test_a_long_reader_keeps_nobody_from_recording(embedded: World) -> None:
    _, secret, _, lease = embedded.lent()
    other = sqlite3.connect(embedded.settings.data_dir / "vault.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM ledger_entry").fetchone()
    began = time.monotonic()
    for _ in range(5):
        assert embedded.reveal(lease, secret) == LOGIN["password"]
    assert time.monotonic() - began < 3
    other.close()


# -- PostgreSQL goes away --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[tuple[Template, Cluster]]:
    """A server of this module's own, whose plug may be pulled."""
    with running() as cluster:
        place = Path(tempfile.mkdtemp(prefix="vk-own-"))
        yield Template(place, cluster), cluster
        shutil.rmtree(place)


@pytest.fixture
def own(own_cluster: tuple[Template, Cluster], tmp_path: Path) -> Iterator[tuple[World, Cluster]]:
    template, cluster = own_cluster
    with template.world(tmp_path) as world:
        yield world, cluster


@pytest.mark.promise("P1")
@pytest.mark.attack("AU03")
def test_a_server_that_is_gone_shows_nothing_and_recovers(own: tuple[World, Cluster], tmp_path: Path) -> None:
    world, cluster = own
    _, secret, _, lease = world.lent()
    coordinator = world.actor("coordinator")
    cluster.stop("immediate")
    try:
        began = time.monotonic()
        everything_refuses(world, lease, secret)
        assert time.monotonic() - began < 25
        with pytest.raises(Unavailable):
            world.read(services.services, coordinator)
        with pytest.raises(Unavailable):
            world.run(world.vault.checkpoint())
    finally:
        cluster.start()
    all_is_well(world, lease, secret, tmp_path)


@pytest.mark.promise("P1")
@pytest.mark.attack("AU03", "AU04")
def test_every_answer_is_true_while_connections_are_cut_at_random(
    own: tuple[World, Cluster], tmp_path: Path
) -> None:
    """Backends are terminated all the time: what was shown is recorded, what was called not recorded is not there.

    Every third answer is left in peace: on a busy machine none would come through in the time between two cuts.
    """
    world, cluster = own
    _, secret, _, lease = world.lent()
    technician = world.actor("technician")
    size = world.size()
    stop, peace = threading.Event(), threading.Lock()

    def cut() -> None:
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname LIKE 'vault_%' AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(
            host=str(cluster.place), user="tests", dbname="postgres", autocommit=True
        ) as connection:
            while not stop.wait(0.015):
                with peace:
                    connection.execute(query)

    thread = threading.Thread(target=cut)
    thread.start()
    shown = refused = 0
    try:
        for turn in range(60):
            with nullcontext() if turn % 3 else peace:
                answer = world.together(
                    world.vault.perform(checkout.reveal, technician, lease.id, secret, "password")
                )[0]
            if isinstance(answer, NotRecorded):
                refused += 1
            else:
                assert answer.expose() == LOGIN["password"]
                shown += 1
    finally:
        stop.set()
        thread.join()
    assert shown
    assert refused or shown == 60
    until(lambda: isinstance(_size(world), int))
    assert world.ledger(since=size).count("secret.reveal ok") == shown
    all_is_well(world, lease, secret, tmp_path)


def _size(world: World) -> int | None:
    try:
        return world.size()
    except Exception:  # noqa: BLE001 (a connection that was just cut)
        return None


@pytest.fixture
def proxied(own: tuple[World, Cluster]) -> Iterator[tuple[World, Proxy]]:
    world, cluster = own
    place = Path(tempfile.mkdtemp(prefix="vk-px-", dir="/tmp"))
    proxy = Proxy(place, cluster.place)
    url = world.settings.database_url.replace(str(cluster.place), str(place))
    with away(world):
        world.settings = world.settings.model_copy(update={"database_url": url})
    try:
        yield world, proxy
    finally:
        direct = url.replace(str(place), str(cluster.place))
        with away(world):
            world.settings = world.settings.model_copy(update={"database_url": direct})
        proxy.close()
        shutil.rmtree(place)


@pytest.mark.promise("P1")
@pytest.mark.attack("AU03", "AU04")
@pytest.mark.parametrize(("mode", "committed"), [("cut before", False), ("cut after", True), ("late", True)])
def test_a_line_lost_during_the_commit_is_answered_with_the_truth(
    proxied: tuple[World, Proxy], tmp_path: Path, mode: str, committed: bool
) -> None:
    """Nothing is answered before the truth is read back: it was recorded, or it was not."""
    world, proxy = proxied
    _, secret, _, lease = world.lent()
    technician = world.actor("technician")
    size = world.size()
    proxy.mode = mode  # type: ignore[assignment]
    answer = world.together(world.vault.perform(checkout.reveal, technician, lease.id, secret, "password"))[0]
    assert proxy.cuts == 1
    time.sleep(1)  # whatever is still on its way
    recorded = world.ledger(since=size).count("secret.reveal ok")
    assert recorded == int(committed)
    if committed:
        assert answer.expose() == LOGIN["password"]
    else:
        assert isinstance(answer, NotRecorded)
        assert world.vault.writer.recording is False
    all_is_well(world, lease, secret, tmp_path)


@pytest.mark.attack("DO08", "AU03")
def test_a_ledger_that_another_node_holds_is_refused_in_time(
    own: tuple[World, Cluster], tmp_path: Path
) -> None:
    world, cluster = own
    _, secret, _, lease = world.lent()
    name = world.ground.databases[0]
    with psycopg.connect(host=str(cluster.place), user="tests", dbname=name) as other:
        other.execute("SELECT * FROM ledger_head FOR UPDATE")
        began = time.monotonic()
        everything_refuses(world, lease, secret)
        assert time.monotonic() - began < 20
        other.rollback()
    all_is_well(world, lease, secret, tmp_path)


# -- the keyring -----------------------------------------------------------------------------------------------------


@pytest.mark.attack("AU03", "DE12")
def test_a_keyring_that_is_away_makes_no_service_and_opens_nothing_new(embedded: World) -> None:
    service, secret, _, lease = embedded.lent()
    embedded.reopen()
    coordinator = embedded.actor("coordinator")
    keyring = embedded.settings.data_dir / "keyring.db"
    shutil.move(keyring, keyring.with_name("elsewhere"))
    keyring.mkdir()
    count = embedded.sql("SELECT count(*) FROM service")[0][0]
    with pytest.raises((Unavailable, Ended)):
        embedded.reveal(lease, secret)
    with pytest.raises(Unavailable):
        embedded.service(title="Another shop")
    with pytest.raises(Unavailable):
        embedded.end(service)
    assert embedded.sql("SELECT count(*) FROM service")[0][0] == count
    keyring.rmdir()
    shutil.move(keyring.with_name("elsewhere"), keyring)
    assert embedded.read(services.service, coordinator, service.id).state == "ended"


@pytest.mark.attack("DO08")
def test_a_full_queue_says_so(embedded: World) -> None:
    """Behind a lock the queue fills up; more than it holds is refused at once, and what waits is answered."""
    _, secret, _, lease = embedded.lent()
    technician = embedded.actor("technician")

    def freed() -> None:
        time.sleep(0.7)
        other.execute("ROLLBACK")

    other = sqlite3.connect(
        embedded.settings.data_dir / "vault.db", isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=freed)
    thread.start()
    answers = embedded.together(
        *(
            embedded.vault.perform(checkout.reveal, technician, lease.id, secret, "password")
            for _ in range(2600)
        )
    )
    thread.join()
    other.close()
    busy = sum(isinstance(answer, Busy) for answer in answers)
    assert busy >= 2600 - 2048 - 256
    assert sum(getattr(answer, "expose", str)() == LOGIN["password"] for answer in answers) == 2600 - busy
