"""A vault from its making to its sealing, by commands on its own host and with a server of its own process."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.playing import Value, play
from tests.cli.running import PROGRAM, environment
from tests.world import CATALOGUE, PASSWORD, free_port
from vault.crypto.protectors import KeyFile

SESSIONS = Path(__file__).parent / "sessions"


@contextmanager
def serving(seen: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`valetkey serve` as a process, until its operator's socket is there; stopped as systemd stops it."""
    sockets = Path(seen["VALETKEY_DATA_DIR"]) / "operator.sock"
    with subprocess.Popen([*PROGRAM, "serve"], env=seen, stderr=subprocess.PIPE) as server:
        try:
            give_up = time.monotonic() + 30
            while not sockets.exists() and server.poll() is None and time.monotonic() < give_up:
                time.sleep(0.02)
            assert sockets.exists(), "the server did not start"
            yield server
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


@pytest.fixture
def host(tmp_path: Path) -> dict[str, str]:
    port = str(free_port())
    return environment(tmp_path, VALETKEY_PORT=port, VALETKEY_BASE_URL=f"http://localhost:{port}")


def test_a_vault_is_made_run_and_administered_by_its_operator(host: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "catalogue.toml").write_text(CATALOGUE)
    KeyFile.make(tmp_path / "wrong.key")
    known: dict[str, Value] = {
        "data": host["VALETKEY_DATA_DIR"],
        "key_file": str(tmp_path / "root.key"),
        "wrong_key_file": str(tmp_path / "wrong.key"),
        "catalogue": str(tmp_path / "catalogue.toml"),
        "nowhere": str(tmp_path / "nowhere.toml"),
        "password": PASSWORD,
    }
    play(SESSIONS / "host.txt", PROGRAM, host, **known)
    data = Path(host["VALETKEY_DATA_DIR"])
    assert data.stat().st_mode & 0o777 == 0o700
    for place in (tmp_path / "root.key", data / "vault.db", data / "keyring.db"):
        assert place.stat().st_mode & 0o777 == 0o600, place
    with serving(host) as server:
        assert (data / "operator.sock").stat().st_mode & 0o777 == 0o600
        play(SESSIONS / "running.txt", PROGRAM, host, **known)
    assert server.stderr is not None
    assert not (data / "operator.sock").exists()


def test_a_folder_that_is_missing_is_named_and_the_vault_can_be_made_then(
    host: dict[str, str], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    seen = host | {"VALETKEY_KEYRING_URL": f"sqlite:///{elsewhere / 'keyring.db'}"}
    command = [*PROGRAM, "init", "--yes", "--key-file", str(tmp_path / "root.key")]
    missing = subprocess.run(command, env=seen, capture_output=True, check=False)
    assert missing.returncode == os.EX_UNAVAILABLE
    assert b"hint: the folders of data_dir, keyring_url" in missing.stderr
    elsewhere.mkdir()
    made = subprocess.run(command, env=seen, capture_output=True, check=False)
    assert made.returncode == os.EX_OK, made.stderr


@pytest.mark.long
def test_a_passphrase_is_asked_twice_and_opens_the_vault(host: dict[str, str]) -> None:
    """With the real cost: a gigabyte, in the operator's process and not in the server's."""
    known: dict[str, Value] = {"passphrase": "seven wet horses in a field"}
    play(SESSIONS / "passphrase.txt", PROGRAM, host, **known)
    with serving(host) as server:
        play(SESSIONS / "unsealing.txt", PROGRAM, host, **known)
        peak = Path(f"/proc/{server.pid}/status").read_text().split("VmHWM:")[1].split()[0]
    assert int(peak) < 512 * 1024, "KiB of memory that the server ever had"
