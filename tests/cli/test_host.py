"""A vault from its making to its sealing, by commands on its own host and with a server of its own process."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.cli.browser import Browsers
from tests.cli.playing import Value, play
from tests.cli.running import PROGRAM, environment
from tests.hashes import SERVER
from tests.world import CATALOGUE, free_port
from vault.crypto.protectors import KeyFile
from vault.operations.house.operator import _files
from vault.settings import Settings

EX_CANTCREAT = 73
SESSIONS = Path(__file__).parent / "sessions"


@contextmanager
def serving(seen: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`valetkey serve` as a process, until its operator's socket is there; stopped as systemd stops it."""
    sockets = Path(seen["VALETKEY_DATA_DIR"]) / "operator.sock"
    command = [sys.executable, "-c", SERVER, "serve"]
    with subprocess.Popen(command, env=seen, stderr=subprocess.PIPE) as server:
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
        "server": host["VALETKEY_BASE_URL"],
        "key_file": str(tmp_path / "root.key"),
        "wrong_key_file": str(tmp_path / "wrong.key"),
        "catalogue": str(tmp_path / "catalogue.toml"),
        "nowhere": str(tmp_path / "nowhere.toml"),
    }
    known = play(SESSIONS / "host.txt", PROGRAM, host, known)
    data = Path(host["VALETKEY_DATA_DIR"])
    assert data.stat().st_mode & 0o777 == 0o700
    for place in (tmp_path / "root.key", data / "vault.db", data / "keyring.db"):
        assert place.stat().st_mode & 0o777 == 0o600, place
    with serving(host) as server:
        assert (data / "operator.sock").stat().st_mode & 0o777 == 0o600
        browsers = Browsers(host["VALETKEY_BASE_URL"])
        play(SESSIONS / "running.txt", PROGRAM, host, known, browsers.verbs())
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


def init(seen: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, "init", *arguments], env=seen, capture_output=True, check=False)


@pytest.mark.attack("DP11")
def test_the_first_administrator_is_made_with_the_vault_and_only_once(
    host: dict[str, str], tmp_path: Path
) -> None:
    first = ("--yes", "--key-file", str(tmp_path / "root.key"), "--admin-name", "Ada", "--json")
    made = init(host, *first, "--admin-mail", "ada@agency.example")
    assert made.returncode == os.EX_OK, made.stderr
    facts = json.loads(made.stdout)
    assert facts["administrator"] == "ada@agency.example"
    code = facts["enrolment_link"].partition("#")[2]
    assert code.encode() not in made.stderr
    data = Path(host["VALETKEY_DATA_DIR"])
    assert all(code.encode() not in path.read_bytes() for path in data.iterdir() if path.is_file())
    again = init(host, *first, "--admin-mail", "eve@agency.example")
    assert again.returncode == EX_CANTCREAT
    with closing(sqlite3.connect(data / "vault.db")) as database:
        assert list(database.execute("SELECT mail, roles, state, made_by FROM person")) == [
            ("ada@agency.example", "administrator", "invited", "host")
        ]
        types = [row[0] for row in database.execute("SELECT type FROM ledger_entry ORDER BY seq")]
    assert types == ["vault.unseal", "staff.add"]


def test_nobody_is_asked_with_yes_and_half_of_a_name_makes_no_vault(
    host: dict[str, str], tmp_path: Path
) -> None:
    key_file = ("--yes", "--key-file", str(tmp_path / "root.key"))
    half = init(host, *key_file, "--admin-mail", "ada@agency.example")
    assert half.returncode == os.EX_DATAERR
    assert not Path(host["VALETKEY_DATA_DIR"], "vault.db").exists()
    made = init(host, *key_file)
    assert made.returncode == os.EX_OK, made.stderr
    assert b"enrolment link" not in made.stdout
    assert b"valetkey staff add invites people" in made.stderr


@pytest.mark.parametrize("place", ["root.key", "vault.db", "keyring.db", "."])
def test_the_doctor_sees_what_others_on_the_host_may_reach(
    host: dict[str, str], tmp_path: Path, place: str
) -> None:
    data = Path(host["VALETKEY_DATA_DIR"])
    data.mkdir(0o700)
    assert init(host, "--yes", "--key-file", str(data / "root.key")).returncode == os.EX_OK
    settings = Settings(data_dir=data, root_key_file=data / "root.key")
    assert _files(settings).level == "ok"
    (data / place).chmod(0o640)
    shut_in = place != "."
    assert _files(settings).level == ("ok" if shut_in else "alarm"), "nobody gets through the folder"
    data.chmod(0o755)
    (data / place).chmod(0o744)
    found = _files(settings)
    assert (found.level, str(data / place) in found.text) == ("alarm", True)


@pytest.mark.long
def test_a_passphrase_is_asked_twice_and_opens_the_vault(host: dict[str, str]) -> None:
    """With the real cost: a gigabyte, in the operator's process and not in the server's."""
    known: dict[str, Value] = {"passphrase": "seven wet horses in a field"}
    play(SESSIONS / "passphrase.txt", PROGRAM, host, known)
    with serving(host) as server:
        play(SESSIONS / "unsealing.txt", PROGRAM, host, known)
        peak = Path(f"/proc/{server.pid}/status").read_text().split("VmHWM:")[1].split()[0]
    assert int(peak) < 512 * 1024, "KiB of memory that the server ever had"
