"""API tokens at the terminal: made with a proof that names them, printed once, ended."""

import json
from pathlib import Path

import pytest

from cli import desktop, session
from tests.cli.running import Answer, Asked, TinyServer, Valetkey

ABOUT = {
    "id": "tok_1",
    "name": "helpdesk",
    "scopes": ["tickets:read"],
    "made_at": "2026-11-30T18:00:00Z",
    "expires_at": "2026-12-31T18:00:00Z",
    "used_at": None,
}
CHALLENGE = {"id": "chl_1", "deed": "make the API token “helpdesk”", "code": True, "passkey": None}


@pytest.fixture
def vault(tiny: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyServer:
    """A vault at which somebody is signed in, and which asks for a proof before it makes a token."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(desktop, "keyring", lambda: None)
    session.keep(session.SignedIn(tiny.url, "vk_ses_x"))
    answers = TinyServer.reply

    def reply(asked: Asked) -> Answer:
        if asked.method == "POST" and asked.path == "/api/v1/tokens":
            if "presence" not in json.loads(asked.body):
                problem = {"type": "urn:valetkey:problem:proof-needed", "challenge": CHALLENGE}
                return 401, "application/problem+json", json.dumps(problem).encode()
            return 201, "application/json", json.dumps({"token": "vk_api_shown", "about": ABOUT}).encode()
        return answers(tiny, asked)

    monkeypatch.setattr(tiny, "reply", reply)
    tiny.answer("GET", "/api/v1/presence/chl_1", 404, b"")
    return tiny


MAKE = ("token", "make", "helpdesk", "--scope", "tickets:read", "--days", "30")


def test_a_token_is_made_by_a_code_and_printed_alone(valetkey: Valetkey, vault: TinyServer) -> None:
    ran = valetkey(*MAKE, typed="123456\n")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == b"vk_api_shown\n"
    assert "prove that it is you, to make the API token “helpdesk”" in ran.stderr.decode()
    assert b"vk_api" not in ran.stderr
    asked, proved = (json.loads(one.body) for one in vault.asked)
    assert asked == {"name": "helpdesk", "scopes": ["tickets:read"], "days": 30}
    assert proved == asked | {"presence": {"code": "123456"}}


@pytest.mark.parametrize("has_codes", [True, False])
def test_who_has_only_passkeys_or_types_nothing_proves_it_in_a_browser(
    valetkey: Valetkey, vault: TinyServer, monkeypatch: pytest.MonkeyPatch, has_codes: bool
) -> None:
    monkeypatch.setitem(CHALLENGE, "code", has_codes)
    ran = valetkey(*MAKE, typed="\n" if has_codes else "")
    assert ran.returncode == 0, ran.stderr
    assert f"{vault.url}/presence/chl_1" in ran.stderr.decode()
    assert [f"{one.method} {one.path}" for one in vault.asked] == [
        "POST /api/v1/tokens",
        "GET /api/v1/presence/chl_1",
        "POST /api/v1/tokens",
    ]
    assert json.loads(vault.asked[-1].body)["presence"] == {"challenge": "chl_1"}


def test_tokens_are_listed_without_themselves_and_ended_by_their_id(
    valetkey: Valetkey, vault: TinyServer
) -> None:
    vault.answer("GET", "/api/v1/tokens", 200, json.dumps([ABOUT]).encode())
    vault.answer("POST", "/api/v1/tokens/tok_1/end", 204, b"")
    listed = valetkey("token", "list").stdout.decode()
    assert listed.split()[:3] == ["tok_1", "helpdesk", "tickets:read"]
    assert "never" in listed
    assert json.loads(valetkey("token", "list", "--json").stdout) == [ABOUT]
    assert valetkey("token", "end", "tok_1").returncode == 0
