"""Whoever does not coordinate neither sees a customer nor registers, asks, staffs or ends anything on a page."""

import unicodedata
from datetime import timedelta

import pytest
from httpx2 import Client

from api.security import SESSION_COOKIE, form_token
from tests.world import World
from vault.values import to_datetime

SEEN = (
    "/customers",
    "/customers/{customer}",
    "/services/new",
    "/services/{service}",
    "/services/{service}/ask",
)
SEEN_TOO = ("/requests/{request}", "/tickets/new", "/prolong", "/end", "/certificate")
DONE: tuple[tuple[str, dict[str, str]], ...] = (
    ("/services/new", {"customer": "new", "name": "A", "mail": "a@shop.example", "type": "installation"}),
    ("/services/{service}/requests", {"kinds": "ssh-key", "deliver": "hand"}),
    ("/services/{service}/requests/{request}", {"deliver": "hand"}),
    ("/services/{service}/requests/{request}/cancel", {}),
    ("/services/{service}/tickets", {"number": "T-9", "work": "To look around"}),
    ("/services/{service}/prolong", {"ends_at": "2030-01-01", "code": "000000"}),
    ("/services/{service}/connect", {"helpdesk": "hlp_00000000000000000000"}),
    ("/services/{service}/disconnect", {}),
    ("/services/{service}/end", {"confirm": "Acme's new shop", "code": "000000"}),
    ("/tickets/{ticket}/assign", {"person": "{person}"}),
    ("/tickets/{ticket}/unassign", {"person": "{person}"}),
    ("/tickets/{ticket}/close", {}),
)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01", "AZ02")
@pytest.mark.parametrize("role", ["technician", "auditor", "administrator"])
def test_the_pages_of_coordinators_refuse_everybody_else(embedded: World, server: str, role: str) -> None:
    service = embedded.service()
    request, ticket = embedded.ask(service), embedded.ticket(service)
    embedded.actor(role)
    ids = {"service": service.id, "request": request.id, "customer": service.customer.id, "ticket": ticket.id}
    ids["person"] = embedded.member("technician").id
    token = embedded.member(role).token
    before = embedded.size()
    headers = {"cookie": f"{SESSION_COOKIE}={token}", "origin": server, "accept": "application/problem+json"}
    pages = [path.format(**ids) for path in (*SEEN, *(f"/services/{{service}}{end}" for end in SEEN_TOO))]
    with Client(base_url=server, headers=headers) as client:
        for path in pages:
            answer = client.get(path)
            assert answer.status_code == 403, path
            assert "Acme" not in answer.text
        for path, fields in DONE:
            filled = {name: value.format(**ids) for name, value in fields.items()}
            answer = client.post(path.format(**ids), data=filled | {"form_token": form_token(token)})
            assert answer.status_code == 403, path
            assert "Acme" not in answer.text
    assert not [entry for entry in embedded.ledger(before) if entry.endswith(" ok")]


@pytest.mark.promise("P2")
def test_a_coordinator_is_let_in_so_that_the_refusals_above_say_something(
    embedded: World, server: str
) -> None:
    service = embedded.service()
    token = embedded.member("coordinator").token
    with Client(base_url=server, headers={"cookie": f"{SESSION_COOKIE}={token}", "origin": server}) as client:
        assert client.get(f"/services/{service.id}/ask").status_code == 200
        given = {"kinds": "ssh-key", "deliver": "hand", "form_token": form_token(token)}
        answer = client.post(f"/services/{service.id}/requests", data=given)
        assert answer.status_code == 200
        assert "/give#" in answer.text


@pytest.mark.attack("IN09")
@pytest.mark.parametrize(
    "given",
    [
        {"type": "\u0663", "shown": "\u0663"},
        {"customer": "cus_\u00fc", "type": "installation", "shown": "installation", "ends_at": "9999-12-31"},
        {
            "customer": "new",
            "type": "installation",
            "shown": "installation",
            "ends_at": "0000-00-00",
            "offset": "-",
        },
        {
            "type": "installation",
            "shown": "installation",
            "customer": "new",
            "name": "\u202e",
            "mail": "\udcff@x".encode("utf-8", "replace").decode(),
            "title": "x" * 3000,
            "ends_at": "2026-12-31",
            "offset": "99999999",
            "language": "<b>",
            "deliver": "pigeon",
            "kinds": "registrar",
            "ask": "yes",
        },
    ],
)
def test_garbage_is_said_to_be_wrong_and_does_nothing(
    embedded: World, server: str, given: dict[str, str]
) -> None:
    embedded.actor("coordinator")
    token = embedded.member("coordinator").token
    before = embedded.size()
    with Client(base_url=server, headers={"cookie": f"{SESSION_COOKIE}={token}", "origin": server}) as client:
        answer = client.post("/services/new", data=given | {"form_token": form_token(token)})
    assert answer.status_code == 422
    assert not [entry for entry in embedded.ledger(before) if entry.endswith(" ok")]


@pytest.mark.attack("AZ16")
def test_a_title_in_another_spelling_of_the_same_letters_is_known_again(embedded: World, server: str) -> None:
    customer = embedded.customer()
    embedded.actor("coordinator")
    token = embedded.member("coordinator").token
    headers = {"cookie": f"{SESSION_COOKIE}={token}", "origin": server}
    ends = to_datetime(embedded.clock.wall()) + timedelta(days=9)
    filled = {"customer": customer.id, "type": "installation", "shown": "installation", "title": "Bücher"}
    filled |= {"ends_at": ends.date().isoformat(), "form_token": form_token(token)}
    apart = filled | {"title": unicodedata.normalize("NFD", filled["title"])}
    assert apart["title"] != filled["title"]
    with Client(base_url=server, headers=headers) as client:
        answers = [client.post("/services/new", data=one).status_code for one in (filled, apart, filled)]
    assert answers == [200, 409, 409]
    assert len(embedded.sql("SELECT id FROM service")) == 1
