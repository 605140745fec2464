"""The kept session: who can read it, and when it is not believed."""

import json
import os
import stat
from pathlib import Path

import pytest

from cli import session
from tests.cli.running import TinyServer, Valetkey
from vault.errors import Denied, NotSignedIn

PERSON = {
    "id": "per_1",
    "name": "Tina",
    "mail": "tina@x.example",
    "role": "technician",
    "state": "active",
    "agreed": True,
}
SESSION = {"person": PERSON, "expires_at": "2026-12-31T18:00:00Z"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_reads_a_kept_session(home: Path) -> None:
    before = os.umask(0)
    try:
        path = session.keep(session.SignedIn("https://vault.example", "vk_ses_x"))
    finally:
        os.umask(before)
    assert path == home / "config" / "valetkey" / "session.json"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert session.kept() == session.SignedIn("https://vault.example", "vk_ses_x")
    assert [kept.name for kept in path.parent.iterdir()] == ["session.json"]
    assert "vk_ses_x" not in repr(session.kept())


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o660])
def test_a_session_that_others_can_read_is_not_used(home: Path, open_to: int) -> None:
    path = session.keep(session.SignedIn("https://vault.example", "vk_ses_x"))
    path.chmod(open_to)
    with pytest.raises(Denied, match="others can read"):
        session.kept()


def test_a_session_behind_a_link_is_not_used(home: Path) -> None:
    path = session.keep(session.SignedIn("https://vault.example", "vk_ses_x"))
    path.rename(home / "elsewhere")
    path.symlink_to(home / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        session.kept()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"url": "x"}', "7"])
def test_a_damaged_session_is_none(home: Path, text: str) -> None:
    path = session.keep(session.SignedIn("https://vault.example", "vk_ses_x"))
    path.write_text(text)
    with pytest.raises(NotSignedIn):
        session.kept()


def test_signing_in_sends_what_was_typed_and_keeps_only_the_token(
    valetkey: Valetkey, tiny: TinyServer, tmp_path: Path
) -> None:
    answer = {"token": "vk_ses_secret", "session": SESSION}
    tiny.answer("POST", "/api/v1/session", 201, json.dumps(answer).encode())
    ran = valetkey("login", tiny.url, "--mail", "tina@x.example", typed="  hunter2 hunter2 \n123456\n")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(tiny.asked[0].body) == {
        "mail": "tina@x.example",
        "password": "  hunter2 hunter2 ",
        "code": "123456",
    }
    path = tmp_path / "config" / "valetkey" / "session.json"
    assert json.loads(path.read_text()) == {"url": tiny.url, "token": "vk_ses_secret"}
    assert mode(path) == 0o600
    told = ran.stderr.decode()
    assert str(path) in told
    assert "hunter2" not in told + ran.stdout.decode()
    assert "vk_ses_secret" not in told + ran.stdout.decode()
    assert told.endswith("next: valetkey ticket list\n")


def test_signing_out_forgets_the_token_also_when_the_server_has(
    valetkey: Valetkey, tiny: TinyServer, tmp_path: Path
) -> None:
    answer = {"token": "vk_ses_secret", "session": SESSION}
    tiny.answer("POST", "/api/v1/session", 201, json.dumps(answer).encode())
    valetkey("login", tiny.url, typed="tina@x.example\nhunter2 hunter2\n123456\n")
    problem = {"type": "urn:valetkey:problem:not-signed-in", "detail": "No."}
    tiny.answer("DELETE", "/api/v1/session", 401, json.dumps(problem).encode())
    ran = valetkey("logout")
    assert ran.returncode == 0, ran.stderr
    assert tiny.asked[-1].headers["authorization"] == "Bearer vk_ses_secret"
    assert not (tmp_path / "config" / "valetkey" / "session.json").exists()


def test_an_input_that_ends_early_is_an_error_and_sends_nothing(valetkey: Valetkey, tiny: TinyServer) -> None:
    ran = valetkey("login", tiny.url, typed="tina@x.example\n")
    assert ran.returncode == os.EX_DATAERR
    assert b"input ended" in ran.stderr
    assert tiny.asked == []
