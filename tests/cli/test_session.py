"""Signing in at a terminal: what is asked, what is kept and where, and when it is not believed."""

import json
import os
import re
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import desktop, session
from tests.cli.running import PROGRAM, Answer, Asked, TinyServer, Valetkey, environment, serving
from tests.world import World
from vault.errors import Denied, NotSignedIn, Unavailable
from vault.operations import presence
from vault.operations.people import device

PERSON = {
    "id": "per_1",
    "name": "Tina",
    "mail": "tina@x.example",
    "roles": ["coordinator", "technician"],
    "state": "active",
    "agreed": True,
}
SESSION = {"person": PERSON, "expires_at": "2026-12-31T18:00:00Z"}
ASKED = {
    "device_code": "vk_dvc_secret",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://vault.example/device",
    "verification_uri_complete": "https://vault.example/device#WDJB-MJHT",
    "expires_in": 600,
    "interval": 0,
}
TOKENS = {
    "access_token": "vk_ses_secret",
    "token_type": "Bearer",
    "expires_in": 900,
    "refresh_token": "vk_ref_one.vk_ref_two",
}
KEPT = session.SignedIn("https://vault.example", "vk_ses_x", "vk_ref_x.vk_ref_y")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(desktop, "keyring", lambda: None)
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class Door(TinyServer):
    """A vault that answers a command line as it is told to: each poll gets the next of `grants`."""

    def __init__(self, *grants: dict[str, Any]) -> None:
        super().__init__()
        self.grants = list(grants)
        self.answer("POST", "/oauth/device_authorization", 200, json.dumps(ASKED).encode())
        self.answer("GET", "/api/v1/session", 200, json.dumps(SESSION).encode())

    def reply(self, asked: Asked) -> Answer:
        if asked.path != "/oauth/token":
            return super().reply(asked)
        told = self.grants.pop(0)
        return 400 if "error" in told else 200, "application/json", json.dumps(told).encode()


@pytest.fixture
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    with serving(Door({"error": "authorization_pending"}, TOKENS)) as server:
        assert isinstance(server, Door)
        yield server


# -- the file ---------------------------------------------------------------------------------------------------------


def test_only_its_owner_reads_a_kept_session(home: Path) -> None:
    before = os.umask(0)
    try:
        said = session.keep(KEPT)
    finally:
        os.umask(before)
    path = home / "config" / "valetkey" / "session.json"
    assert said == f"{path}, which only you can read"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert session.kept() == KEPT
    assert [kept.name for kept in path.parent.iterdir()] == ["session.json"]
    assert "vk_" not in repr(session.kept())


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o660])
def test_a_session_that_others_can_read_is_not_used(home: Path, open_to: int) -> None:
    session.keep(KEPT)
    session.place().chmod(open_to)
    with pytest.raises(Denied, match="others can read"):
        session.kept()


def test_a_session_behind_a_link_is_not_used(home: Path) -> None:
    session.keep(KEPT)
    session.place().rename(home / "elsewhere")
    session.place().symlink_to(home / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        session.kept()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"url": "x"}', "7"])
def test_a_damaged_session_is_none(home: Path, text: str) -> None:
    session.keep(KEPT)
    session.place().write_text(text)
    with pytest.raises(NotSignedIn):
        session.kept()


# -- the keyring ------------------------------------------------------------------------------------------------------


class Backend:
    """A desktop's keyring in memory; locked, it refuses, and forgetful, it keeps nothing and says nothing."""

    name = "Secret Service"
    priority = 5.0

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.locked = self.forgetful = False

    def _asked(self) -> None:
        if self.locked:
            raise RuntimeError("locked, with the password hunter2 in it")

    def set_password(self, service: str, url: str, secret: str) -> None:
        self._asked()
        if not self.forgetful:
            self.held[service, url] = secret

    def get_password(self, service: str, url: str) -> str | None:
        self._asked()
        return self.held.get((service, url))

    def delete_password(self, service: str, url: str) -> None:
        self._asked()
        del self.held[service, url]


@pytest.fixture
def backend(home: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    backend = Backend()
    found: Any = backend
    monkeypatch.setattr(desktop, "keyring", lambda: desktop.Keyring(backend.name, found))
    return backend


def test_a_real_keyring_has_the_tokens_and_the_file_has_none(backend: Backend) -> None:
    assert session.keep(KEPT) == "the keyring of this desktop (Secret Service)"
    assert session.kept() == KEPT
    assert "vk_" not in session.place().read_text()
    backend.locked = True
    with pytest.raises(Unavailable, match="locked") as caught:
        session.kept()
    assert "hunter2" not in str(caught.value)
    backend.locked = False
    session.forget()
    assert (backend.held, session.place().exists()) == ({}, False)
    with pytest.raises(NotSignedIn):
        session.kept()


@pytest.mark.parametrize("weakness", ["locked", "forgetful"])
def test_a_keyring_that_does_not_keep_it_leaves_it_to_the_file(backend: Backend, weakness: str) -> None:
    setattr(backend, weakness, True)
    assert session.keep(KEPT).startswith(str(session.place()))
    assert session.kept() == KEPT
    assert not session.is_in_keyring()


def test_a_backend_that_hides_nothing_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring")
    backend = Backend()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    found = desktop.keyring()
    assert found is not None
    assert found.name == "Secret Service"
    for priority in (0.5, 0, -1):
        backend.priority = priority
        assert desktop.keyring() is None
    backend.priority = 5
    monkeypatch.setattr(desktop, "find_spec", lambda _name: None)
    assert desktop.keyring() is None, "and none without the extra"


# -- the commands -----------------------------------------------------------------------------------------------------


def test_signing_in_shows_a_code_waits_and_keeps_only_tokens(
    valetkey: Valetkey, door: Door, tmp_path: Path
) -> None:
    ran = valetkey("login", door.url)
    assert ran.returncode == 0, ran.stderr
    assert [f"{one.method} {one.path}" for one in door.asked] == [
        "POST /oauth/device_authorization",
        "POST /oauth/token",
        "POST /oauth/token",
        "GET /api/v1/session",
    ]
    assert "authorization" not in door.asked[0].headers
    assert door.asked[3].headers["authorization"] == "Bearer vk_ses_secret"
    path = tmp_path / "config" / "valetkey" / "session.json"
    assert json.loads(path.read_text()) == {
        "url": door.url,
        "token": "vk_ses_secret",
        "refresh": "vk_ref_one.vk_ref_two",
    }
    assert mode(path) == 0o600
    told = ran.stderr.decode()
    for words in ("https://vault.example/device#WDJB-MJHT", "this code: WDJB-MJHT", str(path)):
        assert words in told
    assert "signed in as Tina (coordinator, technician) until 2026-12-31 18:00 UTC" in told
    assert "secret" not in told + ran.stdout.decode()
    assert "vk_" not in told + ran.stdout.decode()
    assert told.endswith("next: valetkey tickets\n")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("access_denied", os.EX_NOPERM, b"refused in the browser"),
        ("expired_token", os.EX_NOINPUT, b"nobody has allowed it in time"),
        ("invalid_grant", os.EX_NOINPUT, b"begin again"),
    ],
)
def test_what_is_not_allowed_signs_nobody_in(
    valetkey: Valetkey, tmp_path: Path, error: str, status: int, words: bytes
) -> None:
    with serving(Door({"error": error})) as door:
        ran = valetkey("login", door.url)
    assert ran.returncode == status
    assert words in ran.stderr
    assert not (tmp_path / "config" / "valetkey" / "session.json").exists()


def test_something_else_than_a_vault_is_said_to_be_none(valetkey: Valetkey, tiny: TinyServer) -> None:
    tiny.answer("POST", "/oauth/device_authorization", 200, b'{"hello": "world"}')
    ran = valetkey("login", tiny.url)
    assert ran.returncode == os.EX_UNAVAILABLE
    assert b"not a vault" in ran.stderr


@pytest.mark.attack("AN15")
def test_signing_out_forgets_the_tokens_also_when_the_server_has(
    valetkey: Valetkey, door: Door, tmp_path: Path
) -> None:
    assert valetkey("login", door.url).returncode == 0
    problem = {"type": "urn:valetkey:problem:not-signed-in", "detail": "No."}
    door.answer("DELETE", "/api/v1/session", 401, json.dumps(problem).encode())
    door.grants = [{"error": "invalid_grant"}]
    ran = valetkey("logout")
    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "config" / "valetkey" / "session.json").exists()


def test_who_is_signed_in_and_where_is_said_in_lines_and_in_json(valetkey: Valetkey, door: Door) -> None:
    assert valetkey("login", door.url).returncode == 0
    told = valetkey("whoami").stdout.decode()
    assert re.search(r"^roles +coordinator, technician$", told, re.MULTILINE)
    assert re.search(rf"^vault +{re.escape(door.url)}$", told, re.MULTILINE)
    assert json.loads(valetkey("whoami", "--json").stdout) == SESSION


def test_sessions_are_listed_and_ended(valetkey: Valetkey, door: Door, tmp_path: Path) -> None:
    assert valetkey("login", door.url).returncode == 0
    one = {"id": "ses_1", "channel": "cli", "client": "command line", "source": "192.0.2.7", "here": True}
    one |= dict.fromkeys(("started_at", "seen_at", "expires_at"), "2026-12-31T18:00:00Z")
    door.answer("GET", "/api/v1/account/sessions", 200, json.dumps([one]).encode())
    door.answer("POST", "/api/v1/account/sessions/ses_1/end", 204, b"")
    door.answer("POST", "/api/v1/account/sessions/end-all", 204, b"")
    listed = valetkey("sessions").stdout.decode()
    assert "192.0.2.7" in listed
    assert "this one" in listed
    assert json.loads(valetkey("sessions", "--json").stdout) == [one]
    assert valetkey("sessions", "end").returncode == os.EX_DATAERR
    assert valetkey("sessions", "end", "ses_1", "--all").returncode == os.EX_DATAERR
    assert valetkey("sessions", "end", "ses_1").returncode == 0
    assert valetkey("sessions", "end", "--all").returncode == 0
    assert not (tmp_path / "config" / "valetkey" / "session.json").exists()


# -- the whole way, with a real vault ---------------------------------------------------------------------------------


def begun(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
        text=True,
    )


def until(line: "subprocess.Popen[str]", pattern: str) -> str:
    assert line.stderr is not None
    for said in line.stderr:
        if match := re.search(pattern, said):
            return match[1]
    raise AssertionError(f"it never said {pattern}")


@pytest.mark.promise("P2")
@pytest.mark.attack("AN07")
def test_a_person_lets_their_command_line_in_and_proves_its_deed_in_the_browser(
    embedded: World, server: str, tmp_path: Path, valetkey: Valetkey
) -> None:
    service = embedded.service()
    embedded.give(service)
    embedded.ticket(service, number="T-1001")
    line = begun(tmp_path, "login", server)
    code = until(line, r"this code: (\S+)")
    tom = embedded.actor("technician")
    embedded.run(device.answer(embedded.vault, tom, code, True, embedded.presence("technician")))
    out, said = line.communicate(timeout=60)
    assert line.returncode == 0, said
    assert "signed in as Tom Tanner (technician)" in said
    embedded.clock.advance(minutes=20)  # its token has gone to sleep; the session is renewed unasked
    assert "Tom Tanner" in valetkey("whoami").stdout.decode()

    reason = ("--reason", "install the shop as ordered")
    code = embedded.code("technician")
    ran = valetkey("checkout", "T-1001", *reason, typed=f"{code}\n")
    assert ran.returncode == 0, ran.stderr
    assert "prove that it is you, to check out one login of" in ran.stderr.decode()
    assert "for ticket T-1001" in ran.stderr.decode()

    line = subprocess.Popen(
        [*PROGRAM, "checkout", "T-1001", *reason],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        text=True,
    )
    assert line.stdin is not None
    line.stdin.write("\n")
    line.stdin.flush()
    challenge = until(line, r"/presence/(chl_\w+)")
    time.sleep(0.2)
    tom = embedded.actor("technician")
    embedded.run(presence.prove_here(embedded.vault, tom, challenge, embedded.presence("technician")))
    out, said = line.communicate(timeout=60)
    assert line.returncode == 0, said
    assert out.startswith("lse_")


@pytest.mark.attack("AZ16")
def test_commands_that_run_side_by_side_renew_once_and_all_go_on(
    embedded: World, server: str, tmp_path: Path, valetkey: Valetkey
) -> None:
    line = begun(tmp_path, "login", server)
    code = until(line, r"this code: (\S+)")
    auditor = embedded.actor("auditor")
    embedded.run(device.answer(embedded.vault, auditor, code, True, embedded.presence("auditor")))
    assert line.communicate(timeout=60)
    assert line.returncode == 0
    embedded.clock.advance(minutes=20)
    since = embedded.size()
    lines = [begun(tmp_path, "whoami") for _ in range(6)]
    ended = [(one.communicate(timeout=60), one.returncode) for one in lines]
    assert [status for _, status in ended] == [0] * 6, ended
    assert embedded.ledger(since) == ["session.refresh ok"]
