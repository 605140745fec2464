"""The desk over the API: windows, longer leases, uses and codes, and nobody who keeps what passes by."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Client, Response

from tests.logins import GOOD
from tests.operations.desks import REASON, WITH_CODES, apply
from tests.world import LOGIN, World
from vault.operations.people import tokens
from vault.values import to_datetime

from .speaking import bearer, held, problem, with_code


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


@pytest.mark.promise("P1", "P4")
@pytest.mark.attack("AZ08")
def test_a_lease_is_planned_used_made_longer_and_its_code_shown_to_nobody_on_the_way(
    embedded: World, client: Client
) -> None:
    apply(embedded, WITH_CODES)
    service = embedded.service()
    login, seed = embedded.give(service), embedded.give(service, GOOD["totp-seed"], "totp-seed")
    ticket = embedded.ticket(service)
    tom = held(embedded, "technician")
    place = f"/tickets/{ticket.id}/leases"
    wanted: dict[str, Any] = {"secrets": [login, seed], "minutes": 30, "reason": REASON}

    def sent(path: str, body: dict[str, Any], who: dict[str, str] = tom) -> Response:
        return client.post(path, json=body, headers=who)

    begins = to_datetime(embedded.clock.wall()) + timedelta(hours=3)
    for wrong in ("2031-01-01T00:00:00", "tomorrow", 1, begins.isoformat() + "x"):
        found = problem(sent(place, wanted | {"begins_at": wrong}), 422, "invalid")
        assert found["pointer"] == "/begins_at"
    asked = sent(place, wanted | {"begins_at": begins.isoformat()})
    assert " UTC on" in problem(asked, 401, "proof-needed")["challenge"]["deed"]
    planned = sent(
        place, wanted | {"begins_at": begins.isoformat()} | with_code(embedded, "technician")
    ).json()
    assert (planned["state"], planned["begins_at"]) == ("planned", planned["starts_at"])
    lease = sent(place, wanted | with_code(embedded, "technician")).json()
    codes = {one["id"]: (one["codes"], one["fields"]) for one in lease["secrets"]}
    assert codes[seed] == (True, [])
    door = f"/leases/{lease['id']}"
    early = sent(f"/leases/{planned['id']}/use", {"secret": login, "field": "password"})
    assert "begins on" in problem(early, 409, "conflict")["detail"]
    used = sent(f"{door}/use", {"secret": login, "field": "password"})
    assert (used.json(), used.headers["cache-control"]) == ({"value": LOGIN["password"]}, "no-store")
    made = sent(f"{door}/code", {"secret": seed})
    assert made.headers["cache-control"] == "no-store"
    assert (sorted(made.json()), made.json()["period"]) == (["code", "period", "until"], 30)
    for way in ("reveal", "use"):
        refusal = problem(sent(f"{door}/{way}", {"secret": seed, "field": "otpauth"}), 403, "denied")
        assert "JBSWY3DPEHPK3PXP" not in str(refusal)
    stranger = held(embedded, embedded.hire("Tina Torres", "technician"))
    for path, body in (
        ("use", {"secret": login, "field": "password"}),
        ("code", {"secret": seed}),
        ("extend", {"minutes": 5}),
    ):
        problem(sent(f"{door}/{path}", body, stranger), 404, "not-found")
        problem(sent(f"{door}/{path}", body | {"person": "per_1"}), 422, "invalid")
    asked = sent(f"{door}/extend", {"minutes": 5})
    assert "longer by 5 minutes" in problem(asked, 401, "proof-needed")["challenge"]["deed"]
    longer = sent(f"{door}/extend", {"minutes": 5} | with_code(embedded, "technician")).json()
    assert longer["expires_at"] > lease["expires_at"]
    shown = client.get(door, headers=tom).json()
    assert shown["extendable_minutes"] == 205
    assert client.get(door, headers=held(embedded, "coordinator")).json()["extendable_minutes"] == 0


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ14")
def test_no_api_token_uses_issues_or_makes_longer(embedded: World, client: Client) -> None:
    _, secret, _, lease = embedded.lent()
    tom, given = embedded.actor("technician"), embedded.presence("technician")
    token, _ = embedded.run(tokens.make(embedded.vault, tom, "desk", ["tickets:read"], 3, given))
    who, door = bearer(token), f"/leases/{lease.id}"
    assert client.get(door, headers=who).json()["extendable_minutes"] == 0
    for path, body in (
        ("use", {"secret": secret, "field": "password"}),
        ("code", {"secret": secret}),
        ("extend", {"minutes": 5}),
    ):
        problem(client.post(f"{door}/{path}", json=body, headers=who), 403, "denied")
