"""What another process of the same user gets out of a running server: nothing by a look or a dump."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import ROOT

PROGRAM = """
import ctypes, os, resource, signal, sys
from vault.crypto.residue import lock_down_process

def become_nobody():
    if os.geteuid() == 0:  # root may look at everything, so nobody looks here
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # a change of user alone makes a process undumpable: undo that

def start(locked):
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)
        become_nobody()
        if locked:
            lock_down_process()
        os.write(tell, b"!")
        signal.pause()
    os.read(ready, 1)
    return pid

def neighbour_reads(pid):
    looker = os.fork()
    if looker == 0:
        become_nobody()
        try:
            open(f"/proc/{pid}/environ", "rb").read()
        except PermissionError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(looker, 0)[1] == 0

for locked in (False, True):
    pid = start(locked)
    seen = neighbour_reads(pid)
    os.kill(pid, signal.SIGABRT)
    dumped = os.WCOREDUMP(os.waitpid(pid, 0)[1])
    print("locked" if locked else "open", "read" if seen else "unread", "dumped" if dumped else "undumped")
"""


@pytest.mark.attack("DP03")
@pytest.mark.skipif(sys.platform != "linux", reason="what is forbidden here are means of Linux")
def test_no_neighbour_reads_the_locked_down_process_and_it_leaves_no_dump(tmp_path: Path) -> None:
    """The first line is the control: without locking down, the very same look succeeds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    control, locked = run.stdout.splitlines()
    assert control.startswith("open read")
    assert locked == "locked unread undumped"
