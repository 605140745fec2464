"""The order of writes and syncs, as the kernel saw it: the record is on the disk before the plaintext is shown."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.slow_disk import surroundings
from tests.storage.ground import away, finished, spawn
from tests.world import LOGIN, World

TRACED = "openat,close,write,pwrite64,fsync,fdatasync,unlink,unlinkat,ftruncate,rename"
_LINE = re.compile(r"^(?P<pid>\d+) +(?P<call>\w+)\((?P<rest>.*)$")
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"^(?P<pid>\d+) +<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)$")
_FD = re.compile(r"^(?P<fd>-?\d+|AT_FDCWD)(?:<(?P<path>[^>]*)>)?")


@dataclass
class Call:
    """One system call, in the order in which they returned."""

    name: str
    path: str
    text: str


def calls(trace: Path) -> Iterator[Call]:
    """Finished calls of a trace; one that another thread interrupted counts where it was resumed, at its return."""
    begun: dict[tuple[str, str], str] = {}
    for line in trace.read_text(errors="replace").splitlines():
        resumed = _RESUMED.match(line)
        if resumed:
            rest = begun.pop((resumed["pid"], resumed["call"]), "") + resumed["rest"]
            yield _call(resumed["call"], rest)
            continue
        found = _LINE.match(line)
        if not found:
            continue
        if found["rest"].endswith(_UNFINISHED):
            begun[found["pid"], found["call"]] = found["rest"].removesuffix(_UNFINISHED)
        else:
            yield _call(found["call"], found["rest"])


def _call(name: str, rest: str) -> Call:
    if name.startswith("unlink"):
        quoted = re.search(r'"([^"]*)"', rest)
        return Call("unlink", quoted[1] if quoted else "", rest)
    found = _FD.match(rest)
    return Call(name, (found["path"] or "") if found else "", rest)


@pytest.fixture(scope="module")
def strace() -> str:
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed; make test installs it on Debian")
    tried = subprocess.run([program, "-f", "true"], capture_output=True, check=False, timeout=20)
    if tried.returncode != 0:
        pytest.skip("this machine forbids ptrace, so no process can be traced")
    return program


def traced(world: World, strace: str, place: Path, do: str, **more: object) -> list[Call]:
    """A child's calls from its `ready` on."""
    trace = place / f"trace-{do}"
    command = (strace, "-f", "-y", "-s", "200", "-e", f"trace={TRACED}", "-o", str(trace))
    said = finished(spawn(world, do, *command, **more))
    assert said[0] == "ready", said
    found = list(calls(trace))
    start = next(at for at, call in enumerate(found) if call.name == "write" and '"ready' in call.text)
    return found[start:]


def at(found: list[Call], name: str, path: str = "", text: str = "") -> list[int]:
    return [
        number
        for number, call in enumerate(found)
        if call.name in name.split("|") and call.path.endswith(path) and text in call.text
    ]


@pytest.mark.promise("P1")
@pytest.mark.attack("AU03", "AU04")
def test_the_record_is_on_the_disk_before_the_plaintext_is_in_the_pipe(
    embedded: World, strace: str, tmp_path: Path
) -> None:
    _, secret, _, lease = embedded.lent()
    with away(embedded):
        found = traced(embedded, strace, tmp_path, "reveal", lease=lease.id, secret=secret)
    (shown,) = at(found, "write", text=LOGIN["password"].strip())
    written = [number for number in at(found, "pwrite64", "vault.db-wal") if number < shown]
    synced = [number for number in at(found, "fsync|fdatasync", "vault.db-wal") if number < shown]
    assert written, "the entry went to the log"
    assert synced, "and was synced"
    assert written[-1] < synced[-1] < shown
    assert " = 0" in found[synced[-1]].text
    record = [number for number in written if "secret.reveal" in found[number].text]
    assert not record or record[-1] < synced[-1]


@pytest.mark.promise("P5")
@pytest.mark.attack("DE03")
def test_the_seed_is_gone_from_the_disk_before_the_completion_and_the_certificate(
    embedded: World, strace: str, tmp_path: Path
) -> None:
    service, _, _, _ = embedded.lent()
    with away(embedded):
        found = traced(embedded, strace, tmp_path, "end", service=service.id, title=service.title)
    (shown,) = at(found, "write", text='"certificate ')
    intents = at(found, "fsync|fdatasync", "vault.db-wal")
    # the journal's end is the commit of a change of the keyring; erasure, checkpoint and checkpoint are three of them
    commits = [number for number in at(found, "unlink", "keyring.db-journal") if number < shown]
    assert len(commits) >= 3
    erased = commits[0]
    assert intents[0] < erased, "the intent was durable first"
    own = at(found, "fsync|fdatasync", "keyring.db")
    assert [number for number in own if number < erased], "what was overwritten reached the disk before that"
    directory = embedded.settings.data_dir.name
    after = [number for number in at(found, "fsync|fdatasync", directory) if number > erased]
    completed = [number for number in intents if number > erased]
    assert after, "the directory that the journal lay in was synced"
    assert completed
    assert erased < after[0] < completed[0] < shown, "so the journal cannot come back with the seed in it"
    emptied = [number for number in at(found, "ftruncate", "vault.db-wal", ", 0)") if number < shown]
    assert emptied, "the log of the database was emptied before the certificate"
    assert completed[0] < emptied[-1]


@pytest.mark.promise("P1")
def test_one_sync_serves_many(embedded: World, tmp_path: Path) -> None:
    """The shim of the benchmark counts: on a disk that is 2 ms slower, sixteen at once share their syncs."""
    _, secret, _, lease = embedded.lent()
    service = embedded.service(title="A second shop")
    count = tmp_path / "syncs"
    before = embedded.size()
    with away(embedded):
        child = spawn(
            embedded,
            "load",
            env=surroundings(2.0, count),
            lease=lease.id,
            secret=secret,
            service=service.id,
            rounds=20,
            sign=False,
        )
        said = finished(child)
    assert said[-1] == "closed"
    entries = embedded.size() - before
    assert entries >= 16 * 20
    assert 0 < count.stat().st_size < entries / 3


def test_the_shim_counts_and_waits(tmp_path: Path) -> None:
    script = (
        "import os,time,sys\nf=os.open(sys.argv[1],os.O_RDWR|os.O_CREAT)\nb=time.monotonic()\n"
        "[os.fsync(f) for _ in range(5)]; [os.fdatasync(f) for _ in range(5)]\nprint(time.monotonic()-b)\n"
        "try: os.fsync(999)\nexcept OSError as e: print(e.errno)"
    )
    count = tmp_path / "count"
    env = surroundings(20.0, count)
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "file")],
        env=env,
        capture_output=True,
        check=True,
        timeout=60,
    )
    waited, fault = ran.stdout.split()
    assert float(waited) >= 0.2
    assert fault == b"9", "errors pass through as they are"
    assert count.stat().st_size == 11
