"""The customer's page over HTTP: every sentence is there in both languages, and its JSON keeps to its cookie."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import get_args

import pytest
from httpx2 import Client

from api.pages.happening import SENTENCES, told
from api.visiting import MINE_COOKIE
from tests.operations.visiting import Visitor, code_of, come, mailed
from tests.world import World
from vault.languages import LANGUAGES, translation
from vault.model.own_views import HappenedView, Why
from vault.model.views import ServiceView
from vault.operations.customers.happened import TYPES

ONE = HappenedView(
    seq=1,
    at=datetime(2026, 11, 1, tzinfo=UTC),
    type="",
    outcome="ok",
    by="staff",
    by_name="Tom Tanner",
    ticket="T-1",
    reason="",
    secret="Server login with a password",
    field="Password",
)


@pytest.mark.promise("P8")
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_is_told_has_its_sentence_in_each_language(language: str) -> None:
    assert set(SENTENCES) == TYPES
    say = translation(language)
    told_of = [(entry_type, "") for entry_type in sorted(TYPES)]
    told_of += [("lease.start", "asked"), ("lease.check-in", "taken back"), ("lease.expire", "not answered")]
    for entry_type, of_asking in told_of:
        for outcome in ("ok", "Denied"):
            for by in ("staff", "you", "vault", "host"):
                what = {"type": entry_type, "of_asking": of_asking}
                seen = ONE.model_copy(update={**what, "outcome": outcome, "by": by})
                sentence = told(seen, say, "Green Lane Web")
                assert "%" not in sentence
                bare = told(
                    seen.model_copy(update={"by_name": "", "secret": "", "field": "", "ticket": ""}), say, "B"
                )
                assert "%" not in bare
    checked = [ONE.model_copy(update={"type": "secret.checked", "why": why}) for why in get_args(Why)]
    assert len({told(one, say, "B") for one in checked}) == len(checked)
    assert all("%" not in told(one, say, "B") for one in checked)
    named = ONE.model_copy(update={"type": "ticket.assign", "whom": "Theo Brand"})
    assert "Theo Brand" in told(named, say, "B")
    refused = ONE.model_copy(update={"type": "secret.reveal", "outcome": "Denied"})
    assert told(refused, say, "B") != told(refused.model_copy(update={"outcome": "ok"}), say, "B")


@pytest.fixture
def visited(embedded: World, server: str) -> Iterator[tuple[World, Client, ServiceView, str, Visitor]]:
    service, secret, _ticket, _lease = embedded.lent()
    visitor = come(embedded, service.customer.id)
    cookies = {"cookie": f"{MINE_COOKIE}={visitor.token}", "origin": embedded.settings.origin}
    with Client(base_url=server, headers=cookies) as client:
        yield embedded, client, service, secret, visitor


Visited = tuple[World, Client, ServiceView, str, Visitor]


@pytest.mark.promise("P8")
def test_a_script_of_the_page_reads_and_stops_by_the_same_cookie(visited: Visited) -> None:
    _world, client, service, secret, _visitor = visited
    own = client.get("/api/v1/mine").json()
    assert [one["id"] for one in own["services"]] == [service.id]
    place = f"/api/v1/mine/services/{service.id}"
    assert client.post(f"{place}/pause", json={}).status_code == 204
    assert client.get(place).json()["paused_at"]
    assert client.post(f"{place}/resume", json={}).status_code == 204
    newest = client.get(f"{place}/happened").json()["happened"][0]
    assert (newest["type"], newest["by"]) == ("service.resume", "you")
    assert client.post(f"{place}/records", json={}).json()["records"] == 1
    assert client.post(f"/api/v1/mine/secrets/{secret}/replace", json={}).json()["code"]
    assert client.post(f"/api/v1/mine/secrets/{secret}/withdraw", json={}).status_code == 204
    assert client.post("/api/v1/mine/details", json={"language": "de"}).json()["language"] == "de"
    assert client.post(f"{place}/end", json={"confirm": "no"}).status_code == 422
    assert client.post(f"{place}/end", json={"confirm": service.title}).json()["state"] == "destroyed"
    assert client.delete("/api/v1/mine/visit").status_code == 204
    assert client.get("/api/v1/mine").status_code == 401


@pytest.mark.attack("AZ17")
def test_no_other_site_and_no_twin_cookie_stops_anything(visited: Visited) -> None:
    world, client, service, _secret, visitor = visited
    place = f"/api/v1/mine/services/{service.id}/pause"
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"cookie": f"{MINE_COOKIE}={visitor.token}; {MINE_COOKIE}=x"},
    ):
        assert client.post(place, json={}, headers=headers).status_code in {400, 403}
    assert client.post(place, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post(place, json={}, headers={"authorization": "Bearer x", "cookie": ""}).status_code == 401
    assert world.sql("SELECT paused_at FROM service") == [(None,)]


@pytest.mark.attack("AN13", "AN14", "AN11")
def test_the_cookie_is_new_at_each_stage_and_says_nothing_of_whom_it_names(
    embedded: World, server: str
) -> None:
    acme = embedded.customer()
    with Client(base_url=server, headers={"origin": embedded.settings.origin}) as client:
        planted = {"cookie": f"{MINE_COOKIE}=vk_own_planted"}
        real = client.post("/mine", data={"code": code_of(embedded, acme.id)}, headers=planted)
        none = client.post("/mine", data={"code": "7K3M-9QXA"})
        asked = real.headers["set-cookie"]
        assert (real.status_code, real.headers["location"], none.status_code) == (303, "/mine/code", 404)
        assert all(
            part in asked for part in ("HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=900")
        )
        assert "vk_own_planted" not in asked
        token = asked.partition("=")[2].partition(";")[0]
        opened = client.post(
            "/mine/code", data={"code": mailed(embedded)}, headers={"cookie": f"{MINE_COOKIE}={token}"}
        )
        assert (opened.status_code, opened.headers["location"]) == (303, "/mine/services")
        assert token not in opened.headers["set-cookie"]
        again = client.get("/mine/services", headers={"cookie": f"{MINE_COOKIE}={token}"})
        assert (again.status_code, again.headers["location"]) == (303, "/mine")


@pytest.mark.attack("IN04")
def test_whoever_only_opens_links_changes_nothing(visited: Visited) -> None:
    """A scanner of mails, and also a browser that fetches ahead on a page that is open."""
    world, client, service, secret, _visitor = visited
    since, rows = world.size(), world.sql("SELECT * FROM service") + world.sql("SELECT * FROM secret")
    for path in (
        "",
        "/code",
        "/services",
        f"/services/{service.id}",
        f"/services/{service.id}/end",
        f"/services/{service.id}/pause",
        f"/services/{service.id}/records",
        f"/secrets/{secret}/withdraw",
        f"/secrets/{secret}/replace",
        "/details",
        "/leave",
    ):
        for headers in ({}, {"cookie": ""}):
            for method in ("GET", "HEAD"):
                answer = client.request(method, f"/mine{path}", headers=headers)
                assert answer.status_code in {200, 303, 405}, path
    assert world.size() == since
    assert world.sql("SELECT * FROM service") + world.sql("SELECT * FROM secret") == rows
    assert client.get("/api/v1/mine").status_code == 200
