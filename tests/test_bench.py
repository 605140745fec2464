"""The benchmarks measure what the program does today: they are run, and nothing is said about time."""

import subprocess
import sys

import pytest

from tests.source_tree import ROOT


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_benchmarks_still_speak_with_the_server() -> None:
    command = [sys.executable, "-m", "bench", "--rounds", "1", "--seconds", "0.2", "--print-only"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for measured in ("no-op", "reveal", "submit", "checkout"):
        assert measured in done.stdout, measured
