"""Somebody else's yes over the API: read, said to exactly what was read, and by nobody else; no link says it."""

from collections.abc import Iterator

import pytest
from httpx2 import Client

from api.visiting import MINE_COOKIE
from tests.approvals import REASON, Waiting, waiting
from tests.operations.visiting import come
from tests.world import LOGIN, World

from .speaking import CANARY, give_passkey, held, problem, sign_in_by, with_code

WHY_NOT = "ask the customer by telephone first"


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


def on_own_page(asked: Waiting) -> dict[str, str]:
    """The headers of a script on the page of the customer whose yes it takes."""
    visitor = come(asked.world, asked.service.customer.id)
    return {"cookie": f"{MINE_COOKIE}={visitor.token}", "origin": asked.world.settings.origin}


@pytest.mark.promise("P7")
@pytest.mark.attack("AZ11")
def test_a_coordinator_reads_what_waits_and_says_yes_to_exactly_that(embedded: World, client: Client) -> None:
    asked = waiting(embedded, "coordinator")
    tom, clara = held(embedded, "technician"), held(embedded, "coordinator")
    place = f"/leases/{asked.lease.id}"
    reveal = {"secret": asked.secret, "field": "password"}
    problem(client.post(f"{place}/reveal", json=reveal, headers=tom), 409, "conflict")
    (found,) = client.get("/approvals", headers=clara).json()
    assert found == client.get(f"/approvals/{asked.lease.id}", headers=clara).json()
    assert (found["yours"], found["why_not"], found["lately"]) == (True, "", [])
    assert found["lease"]["reason"] == REASON
    read = {"digest": found["lease"]["digest"]}
    for who in (tom, {}):
        kind = (403, "denied") if who else (401, "not-signed-in")
        problem(client.post(f"{place}/approve", json=read, headers=who), *kind)
        problem(client.get("/approvals", headers=who), *kind)
    needed = problem(client.post(f"{place}/approve", json=read, headers=clara), 401, "proof-needed")
    assert "let Tom Tanner check out one login" in needed["challenge"]["deed"]
    other = {"digest": "0" * 64} | with_code(embedded, "coordinator")
    problem(client.post(f"{place}/approve", json=other, headers=clara), 409, "conflict")
    begun = client.post(f"{place}/approve", json=read | with_code(embedded, "coordinator"), headers=clara)
    assert (begun.status_code, begun.json()["state"], begun.json()["decided_by_name"]) == (
        200,
        "active",
        "Clara Cole",
    )
    assert client.post(f"{place}/reveal", json=reveal, headers=tom).json()["value"] == LOGIN["password"]
    again = read | with_code(embedded, "coordinator")
    problem(client.post(f"{place}/approve", json=again, headers=clara), 410, "ended")


@pytest.mark.attack("AZ11")
def test_a_proof_for_one_lease_is_none_for_another(embedded: World, client: Client) -> None:
    asked = waiting(embedded, "coordinator")
    other = embedded.lease(asked.ticket, asked.secret)
    passkey = give_passkey(embedded, client, embedded.member("coordinator"))
    clara = sign_in_by(passkey, client)
    read = {"digest": asked.lease.digest}
    needed = problem(
        client.post(f"/leases/{asked.lease.id}/approve", json=read, headers=clara), 401, "proof-needed"
    )
    challenge = needed["challenge"]
    presence = {"challenge": challenge["id"], "answer": passkey.get(challenge["passkey"])}
    stolen = {"digest": other.digest, "presence": presence}
    problem(client.post(f"/leases/{other.id}/approve", json=stolen, headers=clara), 403, "denied")
    states = {one["id"]: one["state"] for one in client.get("/leases", headers=clara).json()}
    assert states == {asked.lease.id: "asked", other.id: "asked"}


@pytest.mark.promise("P7")
def test_a_no_takes_a_reason_and_no_proof(embedded: World, client: Client) -> None:
    asked = waiting(embedded, "coordinator")
    clara, place = held(embedded, "coordinator"), f"/leases/{asked.lease.id}/refuse"
    read = {"digest": asked.lease.digest}
    short = problem(client.post(place, json=read | {"reason": "no"}, headers=clara), 422, "invalid")
    assert short["pointer"] == "/reason"
    no = client.post(place, json=read | {"reason": WHY_NOT}, headers=clara)
    assert no.status_code == 204, no.text
    seen = client.get(f"/leases/{asked.lease.id}", headers=held(embedded, "technician")).json()
    assert (seen["state"], seen["ended_how"], seen["refusal"]) == ("ended", "refused", WHY_NOT)
    assert client.get("/approvals", headers=clara).json() == []


@pytest.mark.promise("P7", "P8")
@pytest.mark.attack("AZ02", "AZ11")
def test_a_customer_answers_on_their_own_page_alone(embedded: World, client: Client) -> None:
    asked = waiting(embedded, "customer")
    own, place = on_own_page(asked), f"/mine/leases/{asked.lease.id}"
    service = client.get(f"/mine/services/{asked.service.id}", headers=own).json()
    read = {"digest": service["asked"][0]["digest"]}
    assert read["digest"] == asked.lease.digest
    clara = held(embedded, "coordinator")
    for deed, more in (("approve", with_code(embedded, "coordinator")), ("refuse", {"reason": WHY_NOT})):
        answer = client.post(f"/leases/{asked.lease.id}/{deed}", json=read | more, headers=clara)
        assert "customer's yes" in problem(answer, 403, "denied")["detail"]
    problem(client.post(f"{place}/approve", json=read, headers=clara), 401, "not-signed-in")
    stranger = come(embedded, embedded.customer("Other Garden Tools", "other@garden.example").id)
    theirs = {"cookie": f"{MINE_COOKIE}={stranger.token}", "origin": embedded.settings.origin}
    foreign = client.post(f"{place}/approve", json=read, headers=theirs)
    none = client.post("/mine/leases/lse_00000000000000000000/approve", json=read, headers=theirs)
    problem(foreign, 404, "not-found")
    assert foreign.text == none.text
    problem(client.post(f"{place}/approve", json={"digest": "0" * 64}, headers=own), 409, "conflict")
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert client.post(f"{place}/approve", json=read, headers=own | headers).status_code == 403
    assert client.post(f"{place}/approve", json=read, headers=own).status_code == 204
    assert asked.now().state == "active"
    problem(client.post(f"{place}/refuse", json=read, headers=own), 410, "ended")


@pytest.mark.promise("P8")
def test_a_customer_says_no_also_while_the_vault_is_sealed(embedded: World, client: Client) -> None:
    asked = waiting(embedded, "customer")
    own, place = on_own_page(asked), f"/mine/leases/{asked.lease.id}"
    embedded.seal()
    read = {"digest": asked.lease.digest}
    problem(client.post(f"{place}/approve", json=read, headers=own), 503, "sealed")
    assert client.post(f"{place}/refuse", json=read, headers=own).status_code == 204
    embedded.unseal()
    assert asked.now().ended_how == "refused"


@pytest.mark.attack("AZ04", "IN07")
def test_a_bent_answer_is_refused_without_an_echo(embedded: World, client: Client) -> None:
    asked = waiting(embedded, "coordinator")
    clara = held(embedded, "coordinator")
    read = {"digest": asked.lease.digest}
    for body in (
        {},
        {"digest": [asked.lease.digest]},
        {"digest": CANARY * 10},
        read | {"extra": CANARY},
        read | {"reason": CANARY * 1000},
        read | {"presence": {"code": CANARY * 100}},
    ):
        for deed in ("approve", "refuse"):
            problem(client.post(f"/leases/{asked.lease.id}/{deed}", json=body, headers=clara), 422, "invalid")
    for bent in ("lse_", "lse_" + "0" * 200, "tkt_00000000000000000000", "%00"):
        problem(client.post(f"/leases/{bent}/approve", json=read, headers=clara), 404, "not-found")
    assert asked.now().state == "asked"


@pytest.mark.attack("IN04")
def test_whoever_only_opens_links_says_neither_yes_nor_no(embedded: World, server: str) -> None:
    """A scanner of mails, and also a browser that fetches ahead where somebody is signed in or on their page."""
    asked = waiting(embedded, "customer")
    other = waiting(embedded, "coordinator")
    own, clara = on_own_page(asked), held(embedded, "coordinator")
    clara |= {"cookie": f"__Host-vk_session={embedded.member('coordinator').token}"}
    since = embedded.size()
    with Client(base_url=server) as client:
        for lease in (asked.lease.id, other.lease.id):
            for path in (
                "/approvals",
                f"/approvals/{lease}",
                f"/approvals/{lease}/approve?digest={asked.lease.digest}",
                f"/approvals/{lease}/refuse",
                f"/leases/{lease}",
                f"/api/v1/leases/{lease}/approve",
                f"/api/v1/approvals/{lease}",
                "/mine/services",
                f"/mine/leases/{lease}",
                f"/mine/leases/{lease}/approve?digest={asked.lease.digest}",
                f"/mine/leases/{lease}/refuse",
            ):
                for headers in ({}, own, clara):
                    for method in ("GET", "HEAD"):
                        answer = client.request(method, path, headers=headers)
                        assert answer.status_code in {200, 303, 401, 404, 405}, (path, answer.status_code)
    assert embedded.size() == since
    assert (asked.now().state, other.now().state) == ("asked", "asked")


@pytest.mark.attack("AZ17")
def test_no_form_of_another_page_says_yes(embedded: World, server: str) -> None:
    asked = waiting(embedded, "customer")
    other = waiting(embedded, "coordinator")
    own = on_own_page(asked)
    held(embedded, "coordinator")
    session = {"cookie": f"__Host-vk_session={embedded.member('coordinator').token}", "origin": own["origin"]}
    code = embedded.code("coordinator")
    with Client(base_url=server) as client:
        for place, headers, digest in (
            (f"/mine/leases/{asked.lease.id}/approve", own, asked.lease.digest),
            (f"/mine/leases/{asked.lease.id}/refuse", own, asked.lease.digest),
            (f"/approvals/{other.lease.id}/approve", session, other.lease.digest),
            (f"/approvals/{other.lease.id}/refuse", session, other.lease.digest),
        ):
            for token in ({}, {"form_token": "x" * 43}):
                form = {"digest": digest, "code": code, "reason": WHY_NOT, **token}
                assert client.post(place, data=form, headers=headers).status_code == 403, place
    assert (asked.now().state, other.now().state) == ("asked", "asked")
