import logging

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.testclient import TestClient

from api.gate import guarded
from api.security import HEADERS, SESSION_COOKIE, cookie_named, form_token, is_form_token
from api.source import LONGEST_CLIENT, client_of, source_of

from .conftest import ORIGIN, settings, small_app

TOKEN = "vk_ses_of_mine"
COOKIE = {"cookie": f"{SESSION_COOKIE}={TOKEN}"}


@pytest.mark.attack("DP17")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/thing", 200),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/thing/", 404),
        ("DELETE", "/api/v1/thing", 405),
        ("GET", "/api/v1/fault", 500),
        ("GET", "/api/v1/damaged", 503),
        ("GET", "/api/v1/closed", 401),
        ("POST", "/api/v1/things", 422),
    ],
)
def test_every_answer_carries_the_headers(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_what_is_the_same_for_everybody_may_be_kept(client: TestClient) -> None:
    assert "max-age" in client.get("/static/site.css").headers["cache-control"]
    assert client.get("/static/other.css").headers["cache-control"] == "no-store"


def test_a_refused_method_says_which_are_allowed(client: TestClient) -> None:
    assert client.delete("/api/v1/thing").headers["allow"] == "GET"
    assert client.get("/api/v1/closed").headers["www-authenticate"] == "Bearer"


@pytest.mark.attack("DP01")
def test_a_fault_is_logged_by_place_and_never_by_its_text(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/api/v1/fault")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text
    assert "fault" in caplog.text


@pytest.mark.attack("AN20")
@pytest.mark.parametrize(
    "host", ["evil.example", "vault.example.evil", "", "vault.example@evil", "[::1", "a b"]
)
def test_only_our_own_name_is_answered(client: TestClient, host: str) -> None:
    answer = client.get("/api/v1/thing", headers={"host": host, "x-forwarded-host": "vault.example"})
    assert answer.status_code == 421
    if host:
        assert host not in answer.text
    assert client.get("/api/v1/thing", headers={"host": "VAULT.example:443"}).status_code == 200


@pytest.mark.attack("AZ17")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin", **COOKIE}, 200),
        ({"sec-fetch-site": "none", **COOKIE}, 200),
        ({"sec-fetch-site": "same-site", **COOKIE}, 403),
        ({"sec-fetch-site": "cross-site", **COOKIE}, 403),
        ({"sec-fetch-site": "cross-site", "origin": ORIGIN, **COOKIE}, 403),
        (
            {"sec-fetch-site": "cross-site"},
            403,
        ),  # also a sign-in: nobody is signed in as somebody else's choice
        ({"origin": ORIGIN, **COOKIE}, 200),
        ({"origin": "null", **COOKIE}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ORIGIN + ":8443", **COOKIE}, 403),
        ({"origin": "http://vault.example", **COOKIE}, 403),
        ({"referer": ORIGIN + "/", **COOKIE}, 403),
        ({**COOKIE}, 403),
        ({"authorization": "Bearer x", **COOKIE}, 403),
        ({"authorization": "Bearer x"}, 200),
        ({}, 200),
    ],
    ids=str,
)
def test_a_deed_is_done_only_for_a_page_of_ours(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/deed", headers=headers)
    assert answer.status_code == status
    assert (
        client.post("/deed?_method=GET", headers=headers | {"x-http-method-override": "GET"}).status_code
        == status
    )


@pytest.mark.attack("AN14")
@pytest.mark.parametrize(
    "cookie",
    [
        f"{SESSION_COOKIE}=a; {SESSION_COOKIE}=b",
        f"{SESSION_COOKIE}=a; x=1; {SESSION_COOKIE.lower()}=a",
        "__Host-vk_give=a;__Host-vk_give=a",
    ],
)
def test_two_cookies_of_one_name_are_refused(client: TestClient, cookie: str) -> None:
    assert client.get("/api/v1/thing", headers={"cookie": cookie}).status_code == 400
    assert client.get("/api/v1/thing", headers={"cookie": "x=1; x=2"}).status_code == 200


def test_two_identities_in_one_request_are_refused(client: TestClient) -> None:
    headers = [("authorization", "Bearer a"), ("authorization", "Bearer b")]
    assert client.get("/api/v1/thing", headers=headers).status_code == 400


@pytest.mark.attack("AZ17")
@pytest.mark.parametrize(
    ("token", "status"),
    [
        (form_token(TOKEN), 200),
        (form_token("vk_ses_of_another"), 403),
        ("", 403),
        ("\ud800", 403),
        (None, 403),
    ],
)
def test_a_form_belongs_to_one_session(client: TestClient, token: str | None, status: int) -> None:
    fields = b"note=hello"
    if token is not None:
        fields += b"&form_token=" + token.encode("utf-8", "surrogatepass")
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": ORIGIN, **COOKIE}
    assert client.post("/form", content=fields, headers=headers).status_code == status
    path = f"/form?form_token={form_token(TOKEN)}"
    if token is None:  # a token in the address counts for nothing
        assert client.post(path, content=fields, headers=headers).status_code == 403


def test_a_form_token_says_nothing_about_its_session() -> None:
    assert is_form_token(TOKEN, form_token(TOKEN))
    assert not is_form_token("", form_token(TOKEN))
    assert TOKEN not in form_token(TOKEN)


def test_a_cookie_is_read_as_it_was_sent() -> None:
    headers = Headers({"cookie": "a=1;__Host-vk_session=x=y ; b"})
    assert cookie_named(headers, SESSION_COOKIE) == "x=y"
    assert cookie_named(headers, "b") == ""


def asked(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 1) if peer else None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("9.9.9.9", ("1.2.3.4",), "9.9.9.9"),
        ("127.0.0.1", ("1.2.3.4",), "1.2.3.4"),
        ("127.0.0.1", ("6.6.6.6, 1.2.3.4",), "1.2.3.4"),
        ("127.0.0.1", ("6.6.6.6", "1.2.3.4"), "1.2.3.4"),
        ("127.0.0.1", ("6.6.6.6, 1.2.3.4, 10.0.0.1",), "1.2.3.4"),
        ("127.0.0.1", ("<script>",), "127.0.0.1"),
        ("127.0.0.1", (), "127.0.0.1"),
        (None, ("1.2.3.4",), ""),
    ],
)
@pytest.mark.attack("AU06")
def test_a_source_is_believed_only_as_far_as_who_says_it(
    peer: str | None, forwarded: tuple[str], source: str
) -> None:
    assert source_of(asked(peer, *forwarded), ("127.0.0.1", "10.0.0.1")) == source


_AGENT = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) {}"


@pytest.mark.parametrize(
    ("agent", "client"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Windows",
        ),
        (_AGENT.format("Linux; Android 10; K", "Chrome/143.0.0.0 Mobile Safari/537.36"), "Chrome on Android"),
        (_AGENT.format("X11; Linux x86_64", "HeadlessChrome/143.0.0.0 Safari/537.36"), "Chrome on Linux"),
        (
            _AGENT.format("Windows NT 10.0; Win64; x64", "Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0"),
            "Edge on Windows",
        ),
        (
            _AGENT.format(
                "iPhone; CPU iPhone OS 18_5 like Mac OS X", "Version/18.5 Mobile/15E148 Safari/604.1"
            ),
            "Safari on iPhone",
        ),
        (
            _AGENT.format("Macintosh; Intel Mac OS X 10_15_7", "Version/18.5 Safari/605.1.15"),
            "Safari on macOS",
        ),
        ("hunter2", ""),
        ("hunter2 Firefox/1", "Firefox"),
        ("<script>Windows", ""),
        ("x" * LONGEST_CLIENT + "Firefox/140.0 (Windows)", ""),
        ("", ""),
    ],
)
@pytest.mark.attack("IN09")
def test_with_what_somebody_signs_in_is_said_in_our_words_alone(agent: str, client: str) -> None:
    assert client_of(Headers({"user-agent": agent})) == client
    assert client_of(Headers({"user-agent": agent, "valetkey-client": "cli"})) == "command line"


def test_a_websocket_is_closed() -> None:
    from starlette.websockets import WebSocketDisconnect

    client = TestClient(guarded(small_app(), settings()), base_url=ORIGIN)
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/v1/thing"):
        pass
