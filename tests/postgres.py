"""A real PostgreSQL for the tests: Debian's binaries in a throw-away cluster, on a Unix socket of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg


def binaries() -> Path | None:
    """Where PostgreSQL's server programs are: on the path, or where Debian keeps them."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


class Cluster:
    """A running server that only this test run can reach. `stop` and `start` are for the tests that pull the plug."""

    def __init__(self, place: Path, bin_dir: Path) -> None:
        self.place = place
        self.bin = bin_dir
        self._user = _throw_away_user() if os.geteuid() == 0 else None

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the server's programs as the user that owns the cluster; root may not."""
        command = [str(self.bin / program), *arguments]
        owner = {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}
        subprocess.run(command, check=True, capture_output=True, cwd=self.place, timeout=60, **owner)  # type: ignore[call-overload]

    def create(self) -> None:
        """Make the cluster's files."""
        if self._user:
            shutil.chown(self.place, self._user, self._user)
        self.place.chmod(0o700)
        self.run(
            "initdb", "-D", str(self.place / "data"), "-U", "tests", "--auth=trust", "-E", "UTF8", "--no-sync"
        )
        with (self.place / "data" / "postgresql.conf").open("a") as conf:
            conf.write(
                f"unix_socket_directories = '{self.place}'\nlisten_addresses = ''\nmax_connections = 200\n"
                "shared_buffers = 32MB\nfsync = off\nfull_page_writes = off\n"
                "wal_level = minimal\nmax_wal_senders = 0\nautovacuum = off\njit = off\n"
            )

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.run("pg_ctl", "-D", str(self.place / "data"), "-l", str(self.place / "log"), "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is pulling the plug."""
        self.run("pg_ctl", "-D", str(self.place / "data"), "-m", mode, "-w", "stop")

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database in it."""
        return f"postgresql://tests@/{database}?host={self.place}"

    def admin(self, statement: str) -> None:
        """Run one statement as its owner."""
        for attempt in range(40):
            try:
                with psycopg.connect(
                    host=str(self.place), user="tests", dbname="postgres", autocommit=True
                ) as connection:
                    connection.execute(statement)  # type: ignore[call-overload]
            except psycopg.errors.ObjectInUse:
                if attempt == 39:
                    raise
                time.sleep(0.05)
            else:
                return


def _throw_away_user() -> str:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise RuntimeError("there is no user to run PostgreSQL as")


ROOM = 4 << 30
"""Bytes that a cluster and the databases of many tests have room in."""


def quick_place() -> str:
    """Memory, where there is plenty: each test makes and drops two databases, which on a disk costs thrice as much."""
    memory = Path("/dev/shm")
    plenty = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return str(memory) if plenty else "/tmp"


@contextmanager
def running() -> Iterator[Cluster]:
    """A cluster that is gone afterwards."""
    bin_dir = binaries()
    if bin_dir is None:
        raise RuntimeError("there is no PostgreSQL on this machine: make test installs it on Debian")
    place = Path(tempfile.mkdtemp(prefix="vk-pg-", dir=quick_place()))
    cluster = Cluster(place, bin_dir)
    try:
        cluster.create()
        cluster.start()
        yield cluster
    finally:
        with suppress(subprocess.CalledProcessError):
            cluster.stop()
        shutil.rmtree(place, ignore_errors=True)
