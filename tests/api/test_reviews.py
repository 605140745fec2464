"""Broken glass, its review, and work that changes hands, over the API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx2 import Client

from tests.operations.glasses import MINUTES, NOTE, WHY, nobody_answers
from tests.world import LOGIN, World
from vault.values import to_datetime

from .speaking import held, problem, with_code


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


@pytest.mark.promise("P2", "P8")
@pytest.mark.attack("AZ01", "AZ04")
def test_the_glass_is_broken_with_a_reason_and_a_proof_and_reviewed_by_somebody_else(
    embedded: World, client: Client
) -> None:
    world = embedded
    _, secret, _, asked = nobody_answers(world)
    tom, axel = held(world, "technician"), held(world, "auditor")
    place = f"/leases/{asked.id}"
    shown = client.get(place, headers=tom).json()
    assert (shown["breakable"], shown["why_not_breakable"]) == (True, "")
    for body, pointer in (
        ({}, "/reason"),
        ({"reason": "it burns"}, "/reason"),
        ({"reason": WHY, "minutes": 600}, None),
        ({"reason": WHY, "approver": ""}, None),
    ):
        said = problem(client.post(f"{place}/break-glass", json=body, headers=tom), 422, "invalid")
        assert said.get("pointer") == pointer
    why = {"reason": WHY}
    problem(client.post(f"{place}/break-glass", json=why), 401, "not-signed-in")
    problem(client.post(f"{place}/break-glass", json=why, headers=axel), 403, "denied")
    needed = problem(client.post(f"{place}/break-glass", json=why, headers=tom), 401, "proof-needed")
    assert needed["challenge"]["deed"].startswith("break the glass: open one login")
    begun = client.post(f"{place}/break-glass", json=why | with_code(world, "technician"), headers=tom)
    assert (begun.status_code, begun.json()["state"], begun.json()["review_state"]) == (200, "active", "open")
    reveal = {"secret": secret, "field": "password"}
    assert client.post(f"{place}/reveal", json=reveal, headers=tom).json()["value"] == LOGIN["password"]
    again = problem(client.post(f"{place}/break-glass", json=why, headers=tom), 410, "ended")
    assert WHY not in str(again)
    world.clock.advance(minutes=MINUTES)
    tom, axel = held(world, "technician"), held(world, "auditor")
    review = f"/reviews/{begun.json()['review_id']}"
    for look in ("/reviews", review):
        problem(client.get(look, headers=tom), 403, "denied")
    (found,) = client.get("/reviews", headers=axel).json()
    assert found == client.get(review, headers=axel).json()
    assert (found["reason"], found["yours"], found["opened"][0]["way"]) == (WHY, True, "revealed")
    assert LOGIN["password"] not in str(found)
    for body in ({"verdict": "fine", "note": NOTE}, {"verdict": "justified", "note": "ok"}, {"note": NOTE}):
        problem(client.post(f"{review}/close", json=body, headers=axel), 422, "invalid")
    said = {"verdict": "justified", "note": NOTE}
    problem(client.post(f"{review}/close", json=said, headers=tom), 403, "denied")
    problem(client.post(f"{review}/close", json=said, headers=axel), 409, "conflict")
    said |= {"seen": 1}
    problem(client.post(f"{review}/close", json=said, headers=axel), 401, "proof-needed")
    closed = client.post(f"{review}/close", json=said | with_code(world, "auditor"), headers=axel)
    assert (closed.status_code, closed.json()["verdict"], closed.json()["yours"]) == (200, "justified", False)
    problem(client.post(f"{review}/close", json=said, headers=axel), 410, "ended")


@pytest.mark.promise("P4")
@pytest.mark.attack("AZ04")
def test_an_assignment_has_an_end_and_work_changes_hands(embedded: World, client: Client) -> None:
    world = embedded
    service = world.service()
    first, second = world.ticket(service), world.ticket(service, number="T-2")
    tim, tom = world.hire("Tim Tyler", "technician"), world.member("technician")
    clara = held(world, "coordinator")
    end = (to_datetime(world.clock.wall()) + timedelta(days=2)).astimezone(UTC)
    both = {"tickets": [first.id, second.id], "person": tim.id, "until": end.isoformat()}
    assert client.post("/tickets/assign", json=both, headers=clara).status_code == 204
    on_it = {one["name"]: one["until"] for one in _shown(client, first.id, clara)["assigned"]}
    assert (datetime.fromisoformat(on_it["Tim Tyler"]), on_it["Tom Tanner"]) == (end, None)
    for wrong in (
        {"until": "2031-01-01T00:00:00"},  # without its zone
        {"until": "1970-01-01T00:00:00Z"},
        {"until": "9999-12-31T23:59:59Z"},
        {"until": 0},
        {"alone": True},
    ):
        place = f"/tickets/{first.id}/assign"
        problem(client.post(place, json={"person": tim.id} | wrong, headers=clara), 422, "invalid")
        problem(client.post("/tickets/assign", json=both | wrong, headers=clara), 422, "invalid")
    over = {"from_person": tom.id, "to_person": tim.id}
    place = f"/services/{service.id}/hand-over"
    problem(client.post(place, json=over, headers=held(world, "technician")), 403, "denied")
    done = client.post(place, json=over, headers=clara)
    assert (done.status_code, done.json()) == (200, {"tickets": 2})
    assert [one["name"] for one in _shown(client, second.id, clara)["assigned"]] == ["Tim Tyler"]
    problem(client.post(place, json=over, headers=clara), 409, "conflict")


def _shown(client: Client, ticket_id: str, headers: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/tickets/{ticket_id}", headers=headers).json()
    return found
