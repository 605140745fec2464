"""The two doors of a command line over a real socket (RFC 8628, RFC 6749), and what an API token gets in with."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from httpx2 import Client, Response

from api.security import SESSION_COOKIE
from tests.world import World

from .speaking import held, problem, with_code

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT = {"client_id": "valetkey-cli"}


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=server) as client:
        yield client


def asked(client: Client) -> dict[str, Any]:
    answer = client.post("/oauth/device_authorization", data=CLIENT, headers={"Valetkey-Client": "cli"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def collect(client: Client, device_code: str) -> Response:
    sent = {"grant_type": GRANT, "device_code": device_code, **CLIENT}
    return client.post("/oauth/token", data=sent)


def refused(answer: Response, error: str) -> None:
    """The error object of RFC 6749, 5.2, and nothing of what was sent."""
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert "CANARY" not in answer.text


@pytest.mark.promise("P9")
@pytest.mark.attack("AN07", "AN13")
def test_a_command_line_is_let_in_by_its_person_in_another_place(embedded: World, client: Client) -> None:
    tom = held(embedded, "technician")
    begun = asked(client)
    place = urlsplit(begun["verification_uri_complete"])
    assert (place.path, place.query, place.fragment) == ("/device", "", begun["user_code"]), (
        "no server is sent what stands behind a #"
    )
    refused(collect(client, begun["device_code"]), "authorization_pending")
    refused(collect(client, begun["device_code"]), "slow_down")
    code = {"user_code": begun["user_code"]}
    seen = client.post("/api/v1/device/look", json=code, headers=tom).json()
    assert (seen["client"], seen["source"]) == ("command line", "127.0.0.1")
    needed = problem(
        client.post("/api/v1/device", json=code | {"allow": True}, headers=tom), 401, "proof-needed"
    )
    assert needed["challenge"]["deed"] == "let a command line at 127.0.0.1 sign in as you"
    yes = code | {"allow": True} | with_code(embedded, "technician")
    assert client.post("/api/v1/device", json=yes, headers=tom).status_code == 204
    answer = collect(client, begun["device_code"])
    tokens = answer.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert "set-cookie" not in answer.headers
    refused(collect(client, begun["device_code"]), "invalid_grant")

    line = {"authorization": f"Bearer {tokens['access_token']}"}
    session = client.get("/api/v1/session", headers=line).json()
    assert session["person"]["id"] == embedded.member("technician").id
    sent = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **CLIENT}
    renewed = client.post("/oauth/token", data=sent).json()
    assert client.get("/api/v1/session", headers=line).status_code == 401
    again = {"authorization": f"Bearer {renewed['access_token']}"}
    assert client.get("/api/v1/session", headers=again).json() == session
    refused(client.post("/oauth/token", data=sent), "invalid_grant")
    assert client.get("/api/v1/session", headers=again).status_code == 401, "used twice: over for both"


def test_refusals_are_said_in_the_words_of_the_rfcs(embedded: World, client: Client) -> None:
    tom, begun = held(embedded, "technician"), asked(client)
    no = {"user_code": begun["user_code"], "allow": False}
    assert client.post("/api/v1/device", json=no, headers=tom).status_code == 204
    refused(collect(client, begun["device_code"]), "access_denied")
    late = asked(client)
    embedded.clock.advance(minutes=11)
    refused(collect(client, late["device_code"]), "expired_token")

    def token(sent: dict[str, Any]) -> Response:
        return client.post("/oauth/token", data=sent)

    grant = {"grant_type": GRANT, "device_code": "vk_dvc_CANARY"}
    refused(token(grant | CLIENT), "invalid_grant")
    refused(token({"grant_type": "refresh_token", "refresh_token": "CANARY", **CLIENT}), "invalid_grant")
    refused(token(grant), "invalid_request")
    refused(token(grant | {"client_id": "CANARY"}), "invalid_client")
    refused(token(grant | {"client_id": ["valetkey-cli", "valetkey-cli"]}), "invalid_request")
    refused(token(CLIENT), "invalid_request")
    refused(token({"grant_type": GRANT, "device_code": "", **CLIENT}), "invalid_request")
    refused(token({"grant_type": "refresh_token", "device_code": "CANARY", **CLIENT}), "invalid_request")
    for unknown in ("password", "client_credentials", "CANARY"):
        refused(token({"grant_type": unknown, "username": "CANARY", **CLIENT}), "unsupported_grant_type")
    refused(client.post("/oauth/token", json=grant | CLIENT), "invalid_request")
    refused(client.post("/oauth/device_authorization", data={}), "invalid_request")
    refused(client.post("/oauth/device_authorization", data={"client_id": "CANARY"}), "invalid_client")
    refused(client.post("/oauth/token", params=grant | CLIENT), "invalid_request")
    assert client.get("/oauth/token").status_code == 405
    assert (
        client.post("/oauth/token", data=CLIENT, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    )


@pytest.mark.attack("AZ20")
def test_no_address_has_a_user_code_in_it(embedded: World, client: Client) -> None:
    tom, begun = held(embedded, "technician"), asked(client)
    code = begun["user_code"]
    for path in (f"/api/v1/device/{code}", f"/device/{code}"):
        assert client.get(path, headers=tom).status_code == 404
    assert client.post("/api/v1/device/look", json={"user_code": code}).status_code == 401
    problem(
        client.post("/api/v1/device/look", json={"user_code": "BCDF-GHJK"}, headers=tom), 404, "not-found"
    )


@pytest.mark.promise("P2")
@pytest.mark.attack("AN26", "AZ04")
def test_an_api_token_is_made_by_a_person_and_does_what_it_was_made_for(
    embedded: World, client: Client
) -> None:
    clara = held(embedded, "coordinator")
    wanted = {"name": "helpdesk", "scopes": ["tickets:read"], "days": 30}
    needed = problem(client.post("/api/v1/tokens", json=wanted, headers=clara), 401, "proof-needed")
    assert "helpdesk" in needed["challenge"]["deed"]
    made = client.post("/api/v1/tokens", json=wanted | with_code(embedded, "coordinator"), headers=clara)
    assert made.status_code == 201, made.text
    token, about = made.json()["token"], made.json()["about"]
    assert token not in client.get("/api/v1/tokens", headers=clara).text
    bearer = {"authorization": f"Bearer {token}"}
    assert client.get("/api/v1/tickets", headers=bearer).json() == []
    assert (
        client.get("/api/v1/session", headers=bearer).json()["person"]["id"]
        == embedded.member("coordinator").id
    )
    problem(client.get("/api/v1/services", headers=bearer), 403, "denied")
    for method, path in (("GET", "/tokens"), ("GET", "/account"), ("GET", "/account/sessions")):
        assert client.request(method, f"/api/v1{path}", headers=bearer).status_code in {401, 403}
    more = wanted | {"name": "another"} | with_code(embedded, "coordinator")
    problem(client.post("/api/v1/tokens", json=more, headers=bearer), 403, "denied")
    assert client.post(f"/api/v1/tokens/{about['id']}/end", headers=bearer).status_code == 403
    cookie = {"cookie": f"{SESSION_COOKIE}={token}"}
    assert client.get("/api/v1/tickets", headers=cookie).status_code == 401, "a browser carries none"
    assert client.get("/account", headers=cookie, follow_redirects=False).status_code in {303, 401}
    other = token[:-1] + ("y" if token[-1] == "x" else "x")
    assert client.get("/api/v1/tickets", headers={"authorization": f"Bearer {other}"}).status_code == 401
    for wrong in (
        {"scopes": ["*"]},
        {"scopes": []},
        {"days": 0},
        {"days": 366},
        {"scope": "x"},
        {"name": ""},
    ):
        assert client.post("/api/v1/tokens", json=wanted | wrong, headers=clara).status_code == 422
    assert client.post(f"/api/v1/tokens/{about['id']}/end", headers=clara).status_code == 204
    assert client.get("/api/v1/tickets", headers=bearer).status_code == 401
