"""What the client sends, to whom, and what it makes of the answers."""

import json
import os
import socket
import threading
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from cli import desktop, session
from cli.exits import exit_status
from cli.http import Client, signed_in
from tests.cli.running import Answer, Asked, TinyServer
from vault import errors
from vault.errors import VaultError


@pytest.mark.parametrize(
    ("status", "kind", "cls", "exits"),
    [
        (422, "invalid", errors.Invalid, os.EX_DATAERR),
        (401, "not-signed-in", errors.NotSignedIn, os.EX_NOPERM),
        (401, "stale-proof", errors.StaleProof, os.EX_NOPERM),
        (401, "proof-needed", errors.ProofNeeded, os.EX_NOPERM),
        (403, "not-agreed", errors.NotAgreed, os.EX_NOPERM),
        (403, "resting", errors.Resting, os.EX_NOPERM),
        (404, "not-found", errors.NotFound, os.EX_NOINPUT),
        (410, "ended", errors.Ended, os.EX_NOINPUT),
        (429, "too-many", errors.TooMany, os.EX_TEMPFAIL),
        (503, "sealed", errors.Sealed, os.EX_UNAVAILABLE),
        (503, "clock-in-doubt", errors.ClockInDoubt, os.EX_UNAVAILABLE),
        (503, "tampered", errors.Tampered, os.EX_PROTOCOL),
    ],
)
def test_a_problem_becomes_the_error_that_it_was(
    tiny: TinyServer, status: int, kind: str, cls: type[VaultError], exits: int
) -> None:
    problem = {"type": f"urn:valetkey:problem:{kind}", "detail": "It is so.", "hint": "Do that."}
    tiny.answer("GET", "/x", status, json.dumps(problem).encode(), "application/problem+json")
    with Client(tiny.url) as client, pytest.raises(cls, match="It is so") as caught:
        client.get("/x")
    assert type(caught.value) is cls
    assert caught.value.hint == "Do that."
    assert exit_status(caught.value) == exits


@pytest.mark.parametrize("body", [b"<h1>502</h1>", b"[1]", b"\xff", b'{"detail": 7}', b"[" * 100_000])
def test_a_proxys_answer_is_read_by_its_status_alone(tiny: TinyServer, body: bytes) -> None:
    tiny.answer("GET", "/x", 502, body, "text/html")
    with Client(tiny.url) as client, pytest.raises(errors.Unavailable, match="status 502"):
        client.get("/x")


def test_what_is_not_json_is_no_vault(tiny: TinyServer) -> None:
    tiny.answer("GET", "/x", 200, b"<h1>It works!</h1>", "text/html")
    with Client(tiny.url) as client, pytest.raises(errors.Unavailable, match="not a vault"):
        client.get("/x")


def test_a_token_does_not_follow_a_redirect(tiny: TinyServer) -> None:
    tiny.answer("GET", "/x", 302, b"/elsewhere")
    with Client(tiny.url, {"Authorization": "Bearer vk_ses_x"}) as client, pytest.raises(VaultError):
        client.get("/x")
    assert [asked.path for asked in tiny.asked] == ["/x"]


@pytest.mark.parametrize(
    "url",
    [
        "http://vault.example",
        "ftp://127.0.0.1",
        "vault.example",
        "https://",
        "https://me:hunter2@vault.example",
        "https://vault.example/path",
        "https://vault.example/?q",
        "https://vault.example:port",
        "https://vault.example/#code",
        "",
    ],
)
def test_only_a_plain_https_address_or_loopback_is_spoken_to(url: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        Client(url)
    assert "hunter2" not in str(caught.value)


def test_what_a_person_typed_stays_one_part_of_the_path(tiny: TinyServer) -> None:
    tiny.answer("POST", "/api/v1/leases/..%2F..%2Fx%3Fy%23z/checkin", 204, b"")
    with Client(tiny.url) as client:
        assert client.post("/api/v1/leases", "../../x?y#z", "checkin") is None


def test_a_line_break_in_what_was_typed_makes_no_header(tiny: TinyServer) -> None:
    tiny.answer("GET", "/api/v1/services/a%0D%0AX-Y%3A%201", 200, b"{}")
    with Client(tiny.url) as client:
        assert client.get("/api/v1/services", "a\r\nX-Y: 1") == {}
    assert "x-y" not in tiny.asked[0].headers


def test_no_server_and_no_such_name_are_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with Client(url) as client, pytest.raises(errors.Unavailable, match="does not answer"):
            client.get("/x")


def test_half_a_stream_is_not_a_whole_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def cut() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(65_536)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

        thread = threading.Thread(target=cut)
        thread.start()
        with (
            Client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client,
            pytest.raises(errors.Unavailable),
        ):
            list(client.stream("/x"))
        thread.join()


def refuse(tiny: TinyServer, method: str, path: str, status: int, kind: str, **more: object) -> None:
    problem = {"type": f"urn:valetkey:problem:{kind}", "detail": "It is so.", **more}
    tiny.answer(method, path, status, json.dumps(problem).encode(), "application/problem+json")


def test_what_a_deed_is_to_be_proved_with_comes_along(tiny: TinyServer) -> None:
    challenge = {"id": "chl_1", "deed": "end a service", "code": True, "passkey": None}
    refuse(tiny, "POST", "/x", 401, "proof-needed", challenge=challenge)
    with Client(tiny.url) as client, pytest.raises(errors.ProofNeeded) as caught:
        client.post("/x")
    assert caught.value.challenge == challenge
    refuse(tiny, "POST", "/x", 401, "proof-needed", challenge="none")
    with Client(tiny.url) as client, pytest.raises(errors.ProofNeeded) as caught:
        client.post("/x")
    assert caught.value.challenge == {}


@pytest.fixture
def kept(tiny: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> session.SignedIn:
    """A session whose token the server no longer takes, and which it renews."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(desktop, "keyring", lambda: None)
    found = session.SignedIn(tiny.url, "vk_ses_old", "vk_ref_old")
    session.keep(found)

    def reply(asked: Asked) -> Answer:
        if asked.path == "/x" and asked.headers.get("authorization") != "Bearer vk_ses_new":
            problem = {"type": "urn:valetkey:problem:not-signed-in", "detail": "No."}
            return 401, "application/problem+json", json.dumps(problem).encode()
        return TinyServer.reply(tiny, asked)

    monkeypatch.setattr(tiny, "reply", reply)
    tokens = {"access_token": "vk_ses_new", "refresh_token": "vk_ref_new"}
    tiny.answer("POST", "/oauth/token", 200, json.dumps(tokens).encode())
    tiny.answer("POST", "/x", 200, b'{"done": true}')
    return found


def test_a_session_that_went_to_sleep_is_renewed_and_the_request_repeated(
    tiny: TinyServer, kept: session.SignedIn
) -> None:
    with signed_in() as client:
        assert client.post("/x", a=1) == {"done": True}
        assert client.post("/x", a=1) == {"done": True}
    assert [asked.path for asked in tiny.asked] == ["/x", "/oauth/token", "/x", "/x"]
    assert "authorization" not in tiny.asked[1].headers
    assert parse_qs(tiny.asked[1].body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["vk_ref_old"],
        "client_id": ["valetkey-cli"],
    }
    assert session.kept() == session.SignedIn(tiny.url, "vk_ses_new", "vk_ref_new")
    assert tiny.asked[0].body == tiny.asked[2].body


def test_what_another_command_has_renewed_is_taken_and_no_refresh_token_is_sent(
    tiny: TinyServer, kept: session.SignedIn
) -> None:
    with signed_in() as client:
        session.keep(session.SignedIn(tiny.url, "vk_ses_new", "vk_ref_new"))
        assert client.post("/x") == {"done": True}
    assert [asked.path for asked in tiny.asked] == ["/x", "/x"]


def test_a_session_that_cannot_be_renewed_is_forgotten_and_one_in_doubt_is_kept(
    tiny: TinyServer, kept: session.SignedIn
) -> None:
    refuse(tiny, "POST", "/oauth/token", 503, "sealed")
    with signed_in() as client, pytest.raises(errors.Sealed):
        client.post("/x")
    assert session.kept() == kept
    tiny.answer("POST", "/oauth/token", 400, b'{"error": "invalid_grant"}')
    with signed_in() as client, pytest.raises(errors.NotSignedIn, match="No"):
        client.post("/x")
    with pytest.raises(errors.NotSignedIn, match="not signed in here"):
        session.kept()


def test_a_refresh_token_goes_to_the_vault_that_gave_it_and_to_no_other(
    tiny: TinyServer, kept: session.SignedIn
) -> None:
    with signed_in() as client:
        session.keep(session.SignedIn("https://another.example", "vk_ses_other", "vk_ref_other"))
        with pytest.raises(errors.NotSignedIn):
            client.post("/x")
    assert [asked.path for asked in tiny.asked] == ["/x"]


def test_a_proof_that_is_asked_for_renews_nothing(tiny: TinyServer, kept: session.SignedIn) -> None:
    refuse(tiny, "POST", "/y", 401, "proof-needed", challenge={"id": "chl_1"})
    with signed_in() as client, pytest.raises(errors.ProofNeeded):
        client.post("/y")
    assert [asked.path for asked in tiny.asked] == ["/y"]
