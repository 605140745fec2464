"""The server as a process: it starts, is reached, and ends without losing what it was given."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from httpx2 import ConnectError, get, post

from tests.source_tree import ROOT
from tests.world import free_port
from vault.crypto.encoding import b64
from vault.crypto.tokens import new_intake_code

from .conftest import Deployment

PROGRAM = """
import sys
from api.serve import serve
from vault.settings import Settings

serve(Settings(), intake_only=sys.argv[1] == "intake")
"""


@contextmanager
def process(data: Path, log: Path, kind: str = "core") -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "VALETKEY_DATA_DIR": str(data),
        "VALETKEY_BASE_URL": f"http://127.0.0.1:{port}",
        "VALETKEY_PORT": str(port),
    }
    with log.open("ab") as said:
        running = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, kind], env=environment, stdout=said, stderr=said
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", running, log)
        yield running, f"http://127.0.0.1:{port}"
    finally:
        running.kill()
        running.wait(20)


def wait_for(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert running.poll() is None, log.read_text()
        try:
            get(address)
        except ConnectError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())


def order(place: Path, **said: object) -> dict:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(place))
        line.sendall(json.dumps(said).encode() + b"\n")
        return json.loads(line.makefile("rb").readline())


@pytest.mark.attack("DP03")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_server_ends_in_good_order_and_starts_again(
    deployment: Deployment, tmp_path: Path, number: signal.Signals
) -> None:
    log = tmp_path / "log"
    sockets = (deployment.settings.operator_socket, deployment.settings.intake_socket)
    with process(deployment.settings.data_dir, log) as (running, address):
        assert [stat.S_IMODE(place.stat().st_mode) for place in sockets] == [0o600, 0o660]
        not_ready = get(f"{address}/readyz")
        assert not_ready.status_code == 503
        assert "server" not in not_ready.headers
        assert order(sockets[0], do="unseal", root_key=b64(deployment.root_key)) == {"ok": None}
        assert get(f"{address}/readyz").json()["status"] == "ok"
        running.send_signal(number)
        assert running.wait(30) == 0, log.read_text()
    assert not any(place.exists() for place in sockets)
    with process(
        deployment.settings.data_dir, log
    ):  # its last checkpoint was signed and kept, or this start would refuse
        assert order(sockets[0], do="status")["ok"]["sealed"] is True
    text = log.read_text()
    assert "Traceback" not in text, text
    assert b64(deployment.root_key) not in text


@pytest.mark.promise("P3")
def test_the_form_runs_in_a_process_with_neither_key_nor_database(
    deployment: Deployment, tmp_path: Path
) -> None:
    place = tmp_path / "web"
    place.mkdir()
    shutil.copy(deployment.settings.statement_key_place, place)
    with process(place, tmp_path / "log", "intake") as (running, address):
        assert "<form" in get(f"{address}/give", follow_redirects=True).text
        assert get(f"{address}/api/v1/session").status_code == 404
        alone = post(f"{address}/give/begin", json={"code": new_intake_code()})
        assert alone.status_code == 503  # the core is not there, and that is all that happens
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0, (tmp_path / "log").read_text()
    assert [left.name for left in place.iterdir()] == ["key-statement.pub"]
