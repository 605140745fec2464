import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import PROGRAM, Ran, TinyServer, Valetkey, environment, serving


@pytest.fixture
def valetkey(tmp_path: Path) -> Valetkey:
    """Run the command in a process of its own, with the given lines on stdin."""

    def run(*arguments: str, typed: str = "", **more: str) -> Ran:
        return subprocess.run(
            [*PROGRAM, *arguments],
            input=typed.encode(),
            capture_output=True,
            env=environment(tmp_path, **more),
            cwd=tmp_path,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def tiny() -> Iterator[TinyServer]:
    with serving(TinyServer()) as server:
        yield server
