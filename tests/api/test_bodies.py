"""Everything that can be sent wrongly to any route of the JSON API, and by whom it must not be sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Client

from api.visiting import MINE_COOKIE
from tests.operations.visiting import come
from tests.world import PASSWORD, World
from vault.operations.people import staff
from vault.values import Actor, new_id

from .speaking import CANARY, bearer, held, problem, secret, signed_in


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


ANSWER: dict[str, Any] = {
    "id": "AAAA",
    "rawId": "AAAA",
    "type": "public-key",
    "authenticatorAttachment": "platform",
    "clientExtensionResults": {"credProps": {"rk": True}},
    "response": {
        "clientDataJSON": "e30",
        "authenticatorData": "AAAA",
        "attestationObject": "AAAA",
        "signature": "AAAA",
        "userHandle": "AAAA",
        "publicKey": "AAAA",
        "publicKeyAlgorithm": -7,
        "transports": ["internal"],
    },
}
"""With everything that browsers send."""

WRONG: list[Any] = [
    None,
    7,
    10**30,
    1.5,
    True,
    "",
    CANARY * 300,
    f"{CANARY}\x00",
    [CANARY],
    {CANARY: CANARY},
    "\ud800",
]


@pytest.mark.attack("IN07", "IN08", "AZ04")
def test_no_body_whatever_is_ever_a_500_or_an_echo(embedded: World, client: Client) -> None:
    """Every field of every body with every wrong value, and every body with a field too many."""
    document = client.get("/openapi.json", headers=held(embedded, "coordinator")).json()
    assert document["openapi"].startswith("3.1")
    tried = 0
    for path, deeds in document["paths"].items():
        if "requestBody" not in deeds.get("post", {}):
            continue
        schema = deeds["post"]["requestBody"]["content"]["application/json"]["schema"]
        model = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        place = filled(path.removeprefix("/api/v1"))
        who = as_whom(embedded, client, place)
        right = {name: _right(name, field) for name, field in model["properties"].items()}
        for name, good in right.items():
            may_be_none = {"type": "null"} in model["properties"][name].get("anyOf", [])
            for wrong in [value for value in WRONG if value is not (None if may_be_none else good)]:
                answer = client.post(place, content=ascii_json(right | {name: wrong}), headers=as_json(who))
                assert 400 <= answer.status_code < 500, (
                    f"{path} {name}={wrong!r}: {answer.status_code} {answer.text}"
                )
                assert CANARY not in answer.text
                tried += 1
        found = problem(client.post(place, json=right | {CANARY: CANARY}, headers=who), 422, "invalid")
        assert "pointer" not in found, path
        problem(client.post(place, json=[right], headers=who), 422, "invalid")
        problem(client.post(place, content=b"", headers=as_json(who)), 422, "invalid")
        problem(client.post(place, data=right, headers=who), 415, "unsupported-media-type")
    assert tried > 200


def as_whom(world: World, client: Client, place: str) -> dict[str, str]:
    """Somebody who may do what is done there, so that it is the body that is refused."""
    if place.startswith("/enrolment/"):
        mail = f"nina-{new_id('per')[4:]}@agency.example"
        host = Actor.host()
        invited = world.run(staff.add(world.vault, host, "Nina New", mail, ["technician"], "hand"))
        return bearer(secret(client.post("/enrolment", json={"code": invited.code}), "token"))
    if place.startswith("/staff"):
        return held(world, "administrator")
    if place.startswith("/mine"):
        visitor = come(world, world.customer().id)
        return {"cookie": f"{MINE_COOKIE}={visitor.token}", "origin": world.settings.origin}
    return held(world, "technician" if "leases" in place else "coordinator")


def ascii_json(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


def as_json(who: dict[str, str]) -> dict[str, str]:
    return who | {"content-type": "application/json"}


def filled(path: str) -> str:
    kinds = {
        "service": "svc",
        "request": "req",
        "ticket": "tkt",
        "lease": "lse",
        "person": "per",
        "change": "chg",
        "factor": "fac",
        "session": "ses",
        "challenge": "chl",
        "token": "tok",
        "review": "rev",
        "helpdesk": "hlp",
    }
    for name, prefix in kinds.items():
        path = path.replace(f"{{{name}_id}}", new_id(prefix))  # type: ignore[arg-type]
    return path


def _right(name: str, field: dict[str, Any]) -> Any:
    ids = {"customer": "cus", "service": "svc", "person": "per", "secret": "sec", "challenge": "chl"}
    ids |= {"from_person": "per", "to_person": "per", "helpdesk": "hlp"}
    if name in ids:
        return new_id(ids[name])  # type: ignore[arg-type]
    others = {
        "secrets": [new_id("sec")],
        "tickets": [new_id("tkt")],
        **dict.fromkeys(("ends_at", "begins_at", "until"), "2031-01-01T00:00:00Z"),
        "deliver": "hand",
        "kinds": ["ssh-password"],
        "answer": ANSWER,
        "presence": {"code": "000000"},
        "roles": ["technician"],
        "scopes": ["tickets:read"],
        "language": "de",
        "approval": "customer",
    }
    by_type = {"integer": 1, "boolean": False}
    sort = field.get("type") or field.get("anyOf", [{}])[0].get("type", "")
    return others.get(name, by_type.get(sort, "an ordinary text"))


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where every object and every value in an object stands."""
    yield path
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))


def put(value: Any, path: tuple[str, ...], what: Any) -> Any:
    if not path:
        return what
    return value | {path[0]: put(value.get(path[0]), path[1:], what)}


def wrong_answers() -> Iterator[dict[str, Any]]:
    """The answer with each of its parts replaced by what does not belong there."""
    for path in leaves(ANSWER):
        found: Any = ANSWER
        for name in path:
            found = found[name]
        wrongs: list[Any] = [10**30, [7], "x" * 20_000, 1.5, "\ud800", {CANARY: CANARY}]
        for wrong in wrongs + ([found | {CANARY: CANARY}] if isinstance(found, dict) else []):
            yield put(ANSWER, path, wrong)
    large = dict.fromkeys(("signature", "publicKey", "userHandle"), "A" * 6_000)
    yield put(ANSWER, ("response",), ANSWER["response"] | large)


@pytest.mark.attack("IN08", "AZ04", "AN22")
def test_a_passkeys_answer_is_closed_and_bounded_in_every_part(embedded: World, client: Client) -> None:
    who = as_json(held(embedded, "technician"))
    right = {"challenge": client.post("/session/passkey/ask").json()["challenge"], "answer": ANSWER}
    problem(client.post("/session/passkey", json=right), 401, "not-signed-in")  # its shape is right
    problem(client.post("/account/recovery-codes", json={"presence": right}, headers=who), 404, "not-found")
    tried = 0
    for wrong in wrong_answers():
        sent = right | {"answer": wrong}
        signing = client.post("/session/passkey", content=ascii_json(sent), headers=as_json({}))
        problem(signing, 422, "invalid")
        proving = client.post("/account/recovery-codes", content=ascii_json({"presence": sent}), headers=who)
        problem(proving, 422, "invalid")
        tried += 1
    assert tried > 80


@pytest.mark.attack("AZ04")
def test_a_proof_is_a_code_or_a_challenge_and_nothing_else(embedded: World, client: Client) -> None:
    who = held(embedded, "technician")
    challenge = new_id("chl")
    for sent in (
        {},
        {"code": ""},
        {"code": "123456", "challenge": challenge},
        {"code": "123456", "answer": ANSWER},
        {"answer": ANSWER},
        {"challenge": None},
        {"challenge": challenge, "answer": ANSWER, "person": new_id("per")},
    ):
        answer = client.post("/account/recovery-codes", json={"presence": sent}, headers=who)
        assert problem(answer, 422, "invalid")["pointer"].startswith("/presence")
    for alone in ({}, {"code": "1", "answer": ANSWER}, {"challenge": challenge}):
        problem(client.post(f"/presence/{challenge}", json=alone, headers=who), 422, "invalid")


@pytest.mark.attack("AZ17")
def test_no_deed_at_all_is_done_by_a_cookie_from_elsewhere_or_as_plain_text(
    embedded: World, client: Client, server: str
) -> None:
    who = held(embedded, "coordinator")
    cookie = {"cookie": f"__Host-vk_session={who['authorization'][7:]}"}
    document = client.get("/openapi.json", headers=who).json()
    tried = set()
    for path, deeds in document["paths"].items():
        for method in deeds.keys() - {"get"}:
            place = f"{server}{filled(path)}"
            for origin in (
                {},
                {"origin": "null"},
                {"origin": "https://evil.example"},
                {"origin": server, "sec-fetch-site": "cross-site"},
                {"origin": server, "sec-fetch-site": "same-site"},
            ):
                answer = client.request(method, place, json={}, headers=cookie | origin)
                problem(answer, 403, "forbidden")
            plain = {"content-type": "text/plain", "origin": server}
            answer = client.request(method, place, content=b"{}", headers=cookie | plain)
            problem(answer, 415, "unsupported-media-type")
            tried.add(path.removeprefix("/api/v1"))
    assert tried >= {"/account/password", "/staff", "/presence/{challenge_id}", "/enrolment", "/session"}
    assert client.get("/session", headers=who).status_code == 200


@pytest.mark.attack("AN23")
def test_nobody_is_signed_in_by_another_site(embedded: World, client: Client) -> None:
    body = {"mail": "tom@agency.example", "password": PASSWORD, "code": embedded.code("technician")}
    for origin in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        for path in ("/session", "/session/passkey/ask", "/session/passkey", "/enrolment"):
            problem(client.post(path, json=body, headers=origin), 403, "forbidden")
    assert signed_in(embedded, client, "technician")
