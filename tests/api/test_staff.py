"""Changes of the staff over the API: one administrator asks, another one vouches, and nothing else does it."""

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Client

from tests.world import Member, World
from vault.values import new_id

from .speaking import CANARY, held, problem, secret, with_code

NINA: dict[str, Any] = {"name": "Nina New", "mail": "nina@agency.example", "roles": ["technician"]}


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


@pytest.fixture
def second(embedded: World) -> Member:
    return embedded.hire("Bea Beck", "administrator")


def test_one_asks_another_vouches_and_the_code_is_the_vouchers(
    embedded: World, client: Client, second: Member
) -> None:
    ada, bea = held(embedded, "administrator"), held(embedded, second)
    asked = problem(client.post("/staff", json=NINA, headers=ada), 401, "proof-needed")
    assert "Nina New" in asked["challenge"]["deed"]
    change = client.post("/staff", json=NINA | with_code(embedded, "administrator"), headers=ada)
    assert change.status_code == 201, change.text
    place = f"/staff/changes/{change.json()['id']}"
    assert change.json()["state"] == "waiting"
    assert change.json()["person"]["state"] == "invited"
    own = client.post(f"{place}/vouch", json=with_code(embedded, "administrator"), headers=ada)
    problem(own, 403, "denied")
    problem(client.post(f"{place}/vouch", json={}, headers=bea), 401, "proof-needed")
    shown = client.get("/staff", headers=bea).json()
    assert [one["yours"] for one in shown["waiting"]] == ["vouch"]
    assert shown["alone"] is False
    invited = client.post(f"{place}/vouch", json=with_code(embedded, second), headers=bea)
    code = secret(invited, "code", 200)
    problem(client.post(f"{place}/vouch", json=with_code(embedded, second), headers=bea), 410, "ended")
    for who in (ada, bea):
        assert code not in client.get("/staff", headers=who).text
    assert client.post("/enrolment", json={"code": code}).status_code == 201


@pytest.mark.attack("AZ06")
def test_an_administrator_alone_is_refused_in_words(embedded: World, client: Client) -> None:
    ada, tom = held(embedded, "administrator"), embedded.member("technician").id
    proof = with_code(embedded, "administrator")
    for path, body in (
        ("/staff", NINA),
        (f"/staff/{tom}/reset", {}),
        (f"/staff/{tom}/roles", {"roles": ["administrator"]}),
        (f"/staff/{tom}/mail", {"mail": "ada-too@agency.example"}),
    ):
        assert "host" in problem(client.post(path, json=body | proof, headers=ada), 403, "denied")["detail"]
    assert client.get("/staff", headers=ada).json()["alone"] is True


def test_a_change_is_refused_by_the_other_and_withdrawn_by_who_asked(
    embedded: World, client: Client, second: Member
) -> None:
    ada, bea = held(embedded, "administrator"), held(embedded, second)
    tom = embedded.member("technician").id
    for deed, right, wrong in (("refuse", bea, ada), ("withdraw", ada, bea)):
        body = with_code(embedded, "administrator")
        change = client.post(f"/staff/{tom}/reset", json=body, headers=ada)
        assert change.status_code == 201, change.text
        place = f"/staff/changes/{change.json()['id']}/{deed}"
        problem(client.post(place, headers=wrong), 403, "denied")
        assert client.post(place, headers=right).status_code == 204
        problem(client.post(place, headers=right), 410, "ended")
    assert client.get("/staff", headers=ada).json()["waiting"] == []


def test_a_role_or_an_account_is_taken_away_at_once_and_without_a_second_person(
    embedded: World, client: Client
) -> None:
    both = embedded.hire("Bodo Both", "technician coordinator")
    his, ada = held(embedded, both), held(embedded, "administrator")
    drop = client.post(f"/staff/{both.id}/drop-role", json={"role": "coordinator"}, headers=ada)
    assert drop.status_code == 204, drop.text
    problem(client.get("/session", headers=his), 401, "not-signed-in")
    both.token = ""
    his = held(embedded, both)
    assert client.get("/session", headers=his).json()["person"]["roles"] == ["technician"]
    assert client.post(f"/staff/{both.id}/disable", headers=ada).status_code == 204
    problem(client.get("/session", headers=his), 401, "not-signed-in")
    last = embedded.member("administrator").id
    problem(client.post(f"/staff/{last}/disable", headers=ada), 409, "conflict")


@pytest.mark.attack("AZ02", "AZ04")
def test_nobody_else_sees_or_changes_the_staff_and_no_field_is_smuggled_in(
    embedded: World, client: Client, second: Member
) -> None:
    tom = embedded.member("technician").id
    ada = held(embedded, "administrator")
    deeds: list[tuple[str, dict[str, Any]]] = [
        ("/staff", NINA),
        (f"/staff/{tom}/roles", {"roles": ["coordinator"]}),
        (f"/staff/{tom}/reset", {}),
        (f"/staff/{tom}/mail", {"mail": "x@agency.example"}),
        (f"/staff/{tom}/drop-role", {"role": "technician"}),
        (f"/staff/changes/{new_id('chg')}/vouch", {}),
    ]
    for role in ("technician", "coordinator", "auditor"):
        who = held(embedded, role)
        problem(client.get("/staff", headers=who), 403, "denied")
        problem(client.post(f"/staff/{tom}/disable", headers=who), 403, "denied")
        problem(client.post(f"/staff/changes/{new_id('chg')}/refuse", headers=who), 403, "denied")
        for path, body in deeds:
            assert "challenge" not in problem(client.post(path, json=body, headers=who), 403, "denied")
    before = client.get("/staff", headers=ada).json()
    for path, body in deeds:
        for more in (
            {"state": "active"},
            {"made_by": "host"},
            {"is_admin": True},
            {"rests_until": 0},
            {"decided_by": second.id},
            {"person_id": second.id},
        ):
            problem(client.post(path, json=body | more | {CANARY: 1}, headers=ada), 422, "invalid")
            problem(client.post(path, json=body | more, headers=ada), 422, "invalid")
    assert client.get("/staff", headers=ada).json() == before
    for path in ("roles", "reset", "mail"):
        body = {"roles": {"roles": ["auditor"]}, "mail": {"mail": "x@agency.example"}}.get(path, {})
        strange = client.post(f"/staff/{new_id('per')}/{path}", json=body, headers=ada)
        problem(strange, 404, "not-found")
