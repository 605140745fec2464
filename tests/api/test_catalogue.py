"""The catalogue over the API: read by all of the staff, approved by an administrator; and ends that are moved."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from httpx2 import Client

from tests.operations.necessities import HOST, NECESSITY, WITH_REGISTRAR
from tests.world import World
from vault.operations.house import upkeep
from vault.operations.services import catalogue
from vault.values import to_datetime

from .speaking import CANARY, held, problem, with_code

PLACE = "/service-types/installation/registrar/approve"
READ = {"title": "Installation of a shop", "because": "to move your domain"}
READ |= {"necessity": NECESSITY, "approval": "customer"}


@pytest.fixture
def client(embedded: World, server: str) -> Iterator[Client]:
    embedded.run(catalogue.apply(embedded.vault, HOST, WITH_REGISTRAR))
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


@pytest.mark.promise("P7")
def test_a_line_is_read_by_all_and_approved_by_an_administrator(embedded: World, client: Client) -> None:
    for role in ("technician", "coordinator", "auditor", "administrator"):
        (of,) = client.get("/service-types", headers=held(embedded, role)).json()
        line = of["may_ask"][0]
        assert line == {
            "kind": "registrar",
            "because": READ["because"],
            "necessity": NECESSITY,
            "approved": False,
            "approval": "customer",
        }
        assert of["grace_days"] == 5
    service = embedded.service()
    clara, ada = held(embedded, "coordinator"), held(embedded, "administrator")
    ask = {"kinds": ["registrar"], "deliver": "hand"}
    refusal = problem(client.post(f"/services/{service.id}/requests", json=ask, headers=clara), 403, "denied")
    assert "waits for an administrator's approval" in refusal["detail"]
    problem(client.post(PLACE, json=READ | with_code(embedded, "coordinator"), headers=clara), 403, "denied")
    asked = problem(client.post(PLACE, json=READ, headers=ada), 401, "proof-needed")
    assert NECESSITY in asked["challenge"]["deed"]
    other = READ | {"necessity": f"{CANARY} is what somebody else has written there"}
    problem(
        client.post(PLACE, json=other | with_code(embedded, "administrator"), headers=ada), 409, "conflict"
    )
    done = client.post(PLACE, json=READ | with_code(embedded, "administrator"), headers=ada)
    assert done.status_code == 200, done.text
    assert done.json()["may_ask"][0]["approved"] is True
    problem(
        client.post(PLACE, json=READ | with_code(embedded, "administrator"), headers=ada), 409, "conflict"
    )
    asked = client.post(f"/services/{service.id}/requests", json=ask, headers=clara)
    assert asked.json()["kinds"] == ["registrar"]


@pytest.mark.attack("AZ04", "IN07")
def test_a_bent_approval_is_refused_without_an_echo(embedded: World, client: Client) -> None:
    ada = held(embedded, "administrator")
    for body in (
        {},
        {"title": CANARY},
        READ | {"extra": CANARY},
        READ | {"approval": "nobody"},
        READ | {"necessity": [CANARY]},
        READ | {"necessity": CANARY * 1000},
        READ | {"presence": {"code": CANARY * 100}},
    ):
        problem(client.post(PLACE, json=body, headers=ada), 422, "invalid")
    for place in (
        "installation/ssh-password",
        "removal/registrar",
        "%00/registrar",
        "installation/%F0%9F%94%91",
    ):
        problem(client.post(f"/service-types/{place}/approve", json=READ, headers=ada), 404, "not-found")


@pytest.mark.promise("P4")
def test_an_end_is_moved_and_undone_within_the_grace(embedded: World, client: Client) -> None:
    service = embedded.service(days=3)
    place, clara = f"/services/{service.id}/prolong", held(embedded, "coordinator")
    later = (service.ends_at + timedelta(days=1)).isoformat()
    asked = problem(client.post(place, json={"ends_at": later}, headers=clara), 401, "proof-needed")
    assert asked["challenge"]["deed"].startswith("prolong “Acme's new shop” until 20")
    moved = client.post(place, json={"ends_at": later} | with_code(embedded, "coordinator"), headers=clara)
    assert moved.status_code == 200, moved.text
    embedded.clock.advance(days=5)
    embedded.run(upkeep.sweep(embedded.vault))
    clara = held(embedded, "coordinator")
    ended = client.get(f"/services/{service.id}", headers=clara).json()
    assert (ended["state"], bool(ended["destroy_at"])) == ("ended", True)
    for ends_at, said in (("tomorrow", 422), ("2030-01-01T00:00:00", 422), (0, 422), (later, 422)):
        body = {"ends_at": ends_at} | with_code(embedded, "coordinator")
        assert client.post(place, json=body, headers=clara).status_code == said, ends_at
    until = (to_datetime(embedded.clock.wall()) + timedelta(days=10)).isoformat()
    body = {"ends_at": until} | with_code(embedded, "coordinator")
    back = client.post(place, json=body, headers=clara).json()
    assert (back["state"], back["ended_at"], back["destroy_at"]) == ("open", None, None)
