"""The JSON API over a real socket: the whole story, and ids and addresses that are not for who asks."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Client

from tests.world import LOGIN, PASSWORD, World
from vault.ledger import verify
from vault.values import new_id, to_datetime

from .speaking import CANARY, held, problem, with_code


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


@pytest.mark.promise("P1", "P2")
def test_the_whole_story_over_the_api(embedded: World, client: Client) -> None:  # noqa: PLR0915 (one story)
    world = embedded
    clara = world.member("coordinator")
    signed = client.post(
        "/session", json={"mail": clara.view.mail, "password": PASSWORD, "code": world.code(clara)}
    )
    assert signed.status_code == 201
    assert signed.json()["session"]["person"]["name"] == clara.view.name
    coordinator = {"authorization": f"Bearer {signed.json()['token']}"}
    agreement = client.get("/agreement", headers=coordinator).json()
    assert client.get("/customers", headers=coordinator).status_code == 403
    assert (
        client.post("/agreement", json={"version": agreement["version"]}, headers=coordinator).status_code
        == 204
    )

    def did(
        path: str, body: dict[str, Any] | None = None, status: int = 200, who: dict[str, str] = coordinator
    ) -> Any:
        answer = client.post(path, json=body, headers=who)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    assert [kind["name"] for kind in client.get("/service-types", headers=coordinator).json()] == [
        "installation"
    ]
    customer = did("/customers", {"name": "Acme Tools", "mail": "shop@acme.example"}, 201)
    ends = (to_datetime(world.clock.wall()) + timedelta(days=20)).isoformat()
    service = did(
        "/services",
        {"customer": customer["id"], "type": "installation", "title": "The new shop", "ends_at": ends},
        201,
    )
    request = did(f"/services/{service['id']}/requests", {"deliver": "hand"}, 201)
    assert request["code"]
    reissued = did(f"/requests/{request['id']}/reissue", {"deliver": "hand"})
    assert reissued["code"] != request["code"]
    did(f"/requests/{reissued['id']}/cancel", status=204)
    secret = world.give(world.read(_service, world.actor("coordinator"), service["id"]))

    technician = held(world, "technician")
    ticket = did("/tickets", {"service": service["id"], "number": "T-7", "title": "Install it"}, 201)
    problem(client.get(f"/tickets/{ticket['id']}", headers=technician), 404, "not-found")
    tom = world.member("technician").id
    assert tom in [person["id"] for person in client.get("/people", headers=coordinator).json()]
    did(f"/tickets/{ticket['id']}/assign", {"person": tom}, 204)
    assert [shown["id"] for shown in client.get("/tickets", headers=technician).json()] == [ticket["id"]]

    wanted = {"secrets": [secret], "minutes": 30, "reason": "install the shop as ordered"}
    asked = client.post(f"/tickets/{ticket['id']}/leases", json=wanted, headers=technician)
    assert asked.headers["www-authenticate"] == 'Bearer error="insufficient_user_authentication"'
    assert "30 minutes" in problem(asked, 401, "proof-needed")["challenge"]["deed"]
    lease = did(f"/tickets/{ticket['id']}/leases", wanted | with_code(world, "technician"), 201, technician)
    reveal = f"/leases/{lease['id']}/reveal"
    opened = client.post(reveal, json={"secret": secret, "field": "password"}, headers=technician)
    assert opened.json() == {"value": LOGIN["password"]}
    assert opened.headers["cache-control"] == "no-store"
    problem(
        client.post(reveal, json={"secret": secret, "field": "password"}, headers=coordinator),
        404,
        "not-found",
    )
    assert [shown["id"] for shown in client.get("/leases", headers=technician).json()] == [lease["id"]]
    assert client.get(f"/leases/{lease['id']}", headers=technician).json()["state"] == "active"
    asked = did(
        f"/leases/{lease['id']}/broken",
        {"secret": secret, "note": "the password is refused"},
        201,
        technician,
    )
    assert asked["code"] is None
    did(f"/leases/{lease['id']}/checkin", status=204, who=technician)
    problem(
        client.post(reveal, json={"secret": secret, "field": "password"}, headers=technician), 410, "ended"
    )

    auditor = held(world, "auditor")
    page = client.get("/ledger/entries", params={"type": "secret.reveal"}, headers=auditor).json()
    assert {entry["outcome"] for entry in page["entries"]} >= {"ok", "Ended"}
    assert all(
        entry["ids"].get("lease") == lease["id"] for entry in page["entries"] if entry["outcome"] == "ok"
    )
    bundle = client.get("/ledger/bundle", headers=auditor)
    assert bundle.headers["content-type"] == "text/plain; charset=utf-8"
    assert LOGIN["password"].strip() not in bundle.text
    checkpoint = client.get("/ledger/checkpoint", headers=auditor).json()
    assert checkpoint["key"] == world.vkey()
    proof = client.get("/ledger/inclusion", params={"seq": 0}, headers=auditor).json()
    verify.verify_inclusion(
        0,
        proof["size"],
        base64.b64decode(proof["leaf"]),
        [base64.b64decode(one) for one in proof["hashes"]],
        base64.b64decode(proof["root"]),
    )
    grown = client.get("/ledger/consistency", params={"from": 3, "to": proof["size"]}, headers=auditor)
    assert grown.json()["size"] == proof["size"]

    problem(
        client.post(
            f"/services/{service['id']}/end",
            json={"confirm": "x"} | with_code(world, clara),
            headers=coordinator,
        ),
        422,
        "invalid",
    )
    certificate = did(
        f"/services/{service['id']}/end", {"confirm": service["title"]} | with_code(world, clara)
    )
    assert client.get(f"/services/{service['id']}/certificate", headers=coordinator).json() == certificate

    out = client.delete("/session", headers=coordinator)
    assert out.status_code == 204
    assert "cookies" in out.headers["clear-site-data"]
    problem(client.get("/session", headers=coordinator), 401, "not-signed-in")


def _service(reading: Any, actor: Any, service_id: str) -> Any:
    from vault.operations.services import services

    return services.service(reading, actor, service_id)


ADDRESSES = [
    "/ledger/entries?before=" + "9" * 31,
    "/ledger/entries?before=-1",
    f"/ledger/entries?before={CANARY}",
    f"/ledger/entries?service={CANARY}",
    f"/ledger/entries?actor={CANARY}%00",
    "/ledger/entries?type=" + "x" * 100,
    "/ledger/inclusion",
    "/ledger/inclusion?seq=" + "1" + "0" * 30,
    "/ledger/inclusion?seq=999999",
    "/ledger/inclusion?seq=%F0%9F%98%80",
    "/ledger/consistency?from=5&to=2",
    "/ledger/consistency?from=0&to=999999",
    "/ledger/consistency?from=0&to=0",
    "/ledger/consistency?from=NaN&to=Infinity",
    f"/services/{CANARY}",
    "/services/svc_" + "9" * 400,
    "/services/%ED%A0%80",
    "/leases/lse_%00",
    "/services/" + "per_" + "0" * 20,
]


@pytest.mark.attack("IN08")
def test_no_address_whatever_is_ever_a_500_or_an_echo(embedded: World, client: Client) -> None:
    auditor = held(embedded, "auditor")
    for path in ADDRESSES:
        answer = client.get(path, headers=auditor)
        assert answer.status_code in {200, 403, 404, 422}, f"{path}: {answer.text}"
        assert CANARY not in answer.text
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.attack("AZ02", "AZ07", "AZ08")
@pytest.mark.promise("P2")
def test_strange_ids_and_ids_of_nothing_get_the_same_bytes(embedded: World, client: Client) -> None:
    """Another technician asks for what is Tom's, who may have it."""
    world = embedded
    service, secret, ticket, lease = world.lent()
    assert world.reveal(lease, secret) == LOGIN["password"]
    other = world.hire("Olga Other", "technician")
    world.actor(other)
    olga = {"authorization": f"Bearer {other.token}"}
    deeds = [
        ("GET", "/tickets/{}", ticket.id, None),
        ("GET", "/leases/{}", lease.id, None),
        ("POST", "/leases/{}/reveal", lease.id, {"secret": secret, "field": "password"}),
        ("POST", "/leases/{}/checkin", lease.id, None),
        ("POST", "/leases/{}/broken", lease.id, {"secret": secret, "note": "it does not let me in"}),
    ]
    for method, place, real, body in deeds:
        prefix = real.split("_")[0]
        answers = [
            client.request(method, place.format(asked), json=body, headers=olga)
            for asked in (real, new_id(prefix))  # type: ignore[arg-type]
        ]
        problem(answers[0], 404, "not-found")
        assert answers[0].content == answers[1].content, place
        assert dict(answers[0].headers) | {"date": ""} == dict(answers[1].headers) | {"date": ""}
    assert world.reveal(lease, secret) == LOGIN["password"]
    assert client.get(f"/services/{service.id}", headers=olga).status_code in {403, 404}


def test_while_sealed_staff_get_503_in_words_and_the_form_is_there(
    embedded: World, client: Client, server: str
) -> None:
    who = held(embedded, "coordinator")
    assert client.get(f"{server}/readyz").json()["status"] == "ok"
    embedded.seal()
    found = problem(client.get("/session", headers=who), 503, "sealed")
    assert "unseal" in found["hint"]
    body = {"mail": "clara@agency.example", "password": PASSWORD, "code": "123456"}
    problem(client.post("/session", json=body), 503, "sealed")
    assert client.get(f"{server}/healthz").status_code == 200
    assert client.get(f"{server}/readyz").status_code == 503
    assert client.get(f"{server}/readyz").json()["status"] == "sealed"
    assert client.get(f"{server}/give/").status_code == 200
    embedded.unseal()
    assert client.get("/session", headers=who).status_code == 200


@pytest.mark.attack("AZ17")
def test_a_pages_cookie_does_a_deed_over_the_api_only_from_our_own_pages(
    embedded: World, client: Client, server: str
) -> None:
    embedded.actor("coordinator")
    cookie = {"cookie": f"__Host-vk_session={embedded.member('coordinator').token}"}
    body = {"name": "Acme", "mail": "a@acme.example"}
    for origin in (
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "same-site"},
    ):
        problem(client.post("/customers", json=body, headers=cookie | origin), 403, "forbidden")
    assert client.get("/customers", headers=cookie).json() == []
    assert client.post("/customers", json=body, headers=cookie | {"origin": server}).status_code == 201


def test_the_description_says_how_a_refusal_looks(embedded: World, client: Client) -> None:
    document = client.get("/openapi.json", headers=held(embedded, "coordinator")).json()
    assert "HTTPValidationError" not in str(document)
    reveal = document["paths"]["/api/v1/leases/{lease_id}/reveal"]["post"]
    assert reveal["security"] == [{"session": []}]
    assert "application/problem+json" in reveal["responses"]["4XX"]["content"]
    assert reveal["summary"].startswith("Open one field")
    for path, method, security in (
        ("session", "post", []),
        ("session/passkey", "post", []),
        ("enrolment", "post", []),
        ("enrolment", "get", [{"enrolment": []}]),
        ("account/password", "post", [{"session": []}]),
        ("tickets", "get", [{"session": []}, {"token": ["tickets:read"]}]),
    ):
        assert document["paths"][f"/api/v1/{path}"][method]["security"] == security
    assert {
        one
        for paths in document["paths"].values()
        for deed in paths.values()
        for said in deed["security"]
        for one in said
    } == set(document["components"]["securitySchemes"])
    assert set(document["components"]["schemas"]["Problem"]["required"]) <= set(
        problem(client.get("/session"), 401, "not-signed-in")
    )
