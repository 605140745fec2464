"""Every route of the running application is closed, but for those that are named here."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from httpx2 import Client
from pydantic import BaseModel

from api.app import build
from tests.permission_table import OPEN as NAMED_OPEN
from tests.permission_table import rights_of, routes
from tests.world import World
from vault.crypto.tokens import new_token

OPEN = {
    "POST /api/v1/session": "signing in",
    "POST /api/v1/session/passkey/ask": "the same for everybody",
    "POST /api/v1/session/passkey": "signing in",
    "POST /api/v1/enrolment": "exchanging an invitation's code",
    "GET /api/v1/terms": "the terms, which everybody can read before they agree",
    "GET /api/v1/terms/{version}": "the same",
    "GET /terms": "the same, as a page",
    "GET /terms/{version}": "the same, as a page",
    "GET /healthz": "whether it lives",
    "GET /readyz": "whether it works",
    "GET /signin": "the page to sign in",
    "POST /signin": "signing in from the page",
    "POST /signin/passkey/ask": "the same for everybody",
    "POST /signin/passkey": "signing in from the page",
    "GET /enrol": "the page that reads an invitation's code",
    "GET /enrol/code": "the same without JavaScript",
    "POST /enrol": "exchanging an invitation's code",
    "POST /oauth/device_authorization": "a command line asks to be let in",
    "POST /oauth/token": "exchanging a device code that somebody has allowed, or a refresh token",
    "GET /mine": "the page that asks whose page it is to be",
    "POST /mine": "has a code mailed to whom a link names",
    "GET /mine/code": "the page that asks for the code from the mail",
    "POST /mine/code": "opening one's own page with that code",
    "POST /mine/passkey/ask": "the same for everybody",
    "POST /mine/passkey": "opening one's own page with a passkey",
    "GET /give": "leads to the form",
    "GET /give/": "the form before its code is given: it asks for the code",
    "GET /give/begin": "the same",
    "POST /give/begin": "exchanging the code",
    "GET /static/": "the same for everybody",
    "GET /give/static/": "the same for everybody",
}
CANARIES = {
    "POST /api/v1/leases/{lease_id}/reveal",
    "GET /api/v1/openapi.json",
    "POST /give/secret",
    "GET /healthz",
}

IDS = {
    "service": "svc",
    "customer": "cus",
    "request": "req",
    "ticket": "tkt",
    "lease": "lse",
    "secret": "sec",
    "person": "per",
    "factor": "fac",
    "session": "ses",
    "challenge": "chl",
    "change": "chg",
    "token": "tok",
    "review": "rev",
    "helpdesk": "hlp",
}


@pytest.fixture
def app(embedded: World) -> FastAPI:
    return build(embedded.vault)


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=server) as client:
        yield client


def ask(client: Client, route: str, headers: dict[str, str]) -> Any:
    method, path = route.split(" ", 1)
    path = re.sub(r"\{(\w+?)_id\}", lambda found: f"{IDS[found[1]]}_{'0' * 20}", path)
    path = re.sub(r"\{\w+(:path)?\}", "x", path)
    is_json = path.startswith(("/api/", "/give/secret"))
    kind = "application/json" if is_json else "application/x-www-form-urlencoded"
    body: dict[str, Any] = {} if method == "GET" else {"content": b"{}" if is_json else b"x=1"}
    return client.request(method, path, headers={"content-type": kind, **headers}, **body)


def is_closed(route: str, answer: Any) -> bool:
    """401; a page may lead to the sign-in instead."""
    is_page = not route.split(" ", 1)[1].startswith(("/api/", "/give/"))
    return answer.status_code == 401 or (
        is_page
        and answer.status_code == 303
        and answer.headers["location"].startswith(("/signin", "/mine"))
        and answer.headers["location"] != "/mine/services"
    )


@pytest.mark.promise("P2")
def test_the_sweep_sees_every_kind_of_route_and_nothing_stale_is_open(app: FastAPI) -> None:
    seen = {route for route, _ in routes(app)}
    assert seen >= CANARIES
    assert len(seen) > 100
    assert seen >= set(OPEN)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01")
def test_what_is_named_open_is_what_is_open_here(app: FastAPI) -> None:
    """A route cannot open itself by its name alone: it has to be listed above, with its reason."""
    assert {route for route, right in rights_of(app).items() if right == NAMED_OPEN} == set(OPEN)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01")
def test_every_route_is_closed_to_who_is_not_signed_in(app: FastAPI, client: Client) -> None:
    closed = sorted({route for route, _ in routes(app)} - set(OPEN))
    for headers in (
        {},
        {"authorization": "Bearer " + new_token("vk_ses")},
        {"authorization": "Bearer hunter2"},
        {"authorization": "Basic eDp5"},
        {"authorization": ""},
        {
            "cookie": "__Host-vk_session=" + new_token("vk_ses"),
            "origin": str(client.base_url).rstrip("/"),
        },
    ):
        for route in closed:
            if route.startswith(("GET /give/", "POST /give/")) and headers:
                continue  # the customers' form knows no staff session; without its own cookie it is closed
            answer = ask(client, route, headers)
            assert is_closed(route, answer), f"{route} answered {answer.status_code} to {headers}"


@pytest.mark.attack("AZ20")
@pytest.mark.parametrize(
    "path",
    [
        "//api/v1/services",
        "/./api/v1/services",
        "/api/v1/%2e%2e/v1/services",
        "/api/v1/services;x",
        "/API/v1/services",
        "/api/v1/services/",
        "/api/v1/services%2F",
        "/api/v1/services%00",
        "/api/v1//services",
    ],
)
def test_a_bent_path_names_nothing(client: Client, path: str) -> None:
    with_raw = client.base_url.copy_with(raw_path=path.encode())
    assert client.get(with_raw).status_code in {401, 404}
    assert client.get(with_raw, headers={"accept": "text/html"}).status_code in {303, 401, 404}


@pytest.mark.attack("DP05")
@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"])
def test_nothing_describes_us_to_strangers(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.get("/api/v1/openapi.json").status_code == 401


def dependants(route: APIRoute) -> Iterator[Dependant]:
    waiting = [route.dependant]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += found.dependencies


def test_every_handler_and_every_dependency_is_async(app: FastAPI) -> None:
    looked_at = 0
    for route, handler in routes(app):
        if isinstance(handler, APIRoute):
            for found in dependants(handler):
                assert inspect.iscoroutinefunction(found.call), f"{route} leaves the loop for {found.call}"
                looked_at += 1
    assert looked_at > 100


@pytest.mark.attack("AZ04")
def test_every_body_is_closed_to_unknown_fields_and_to_free_names(app: FastAPI) -> None:
    models = set()
    for _route, handler in routes(app):
        if isinstance(handler, APIRoute) and handler.body_field is not None:
            model = handler.body_field.field_info.annotation
            assert isinstance(model, type)
            assert issubclass(model, BaseModel), model
            models.add(model)
    assert len(models) > 10
    for model in models:
        assert model.model_config.get("extra") == "forbid", model
        for free in ("additionalProperties': {", "additionalProperties': True"):
            assert free not in str(model.model_json_schema()), model
