"""Joining over the API: one invitation, one browser, a password, a second factor; and nothing before that."""

from collections.abc import Iterator

import pytest
from httpx2 import Client

from tests.authenticator import SoftPasskey
from tests.world import PASSWORD, World
from vault.crypto.tokens import new_intake_code, new_token
from vault.model.views import InvitationView
from vault.operations.people import staff
from vault.values import Actor

from .speaking import CANARY, bearer, code_of, held, problem, secret, sign_in_by


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


@pytest.fixture
def invited(embedded: World) -> InvitationView:
    return embedded.run(
        staff.add(embedded.vault, Actor.host(), "Nina New", "nina@agency.example", ["technician"])
    )


def begun(client: Client, invited: InvitationView) -> dict[str, str]:
    return bearer(secret(client.post("/enrolment", json={"code": invited.code}), "token"))


def test_somebody_joins_with_an_authenticator(
    embedded: World, client: Client, invited: InvitationView
) -> None:
    opened = client.post("/enrolment", json={"code": invited.code})
    assert opened.json()["enrolment"]["step"] == "password"
    assert opened.json()["enrolment"]["mail"] == "nina@agency.example"
    who = bearer(secret(opened, "token"))
    problem(client.post("/enrolment/totp", headers=who), 409, "conflict")
    weak = client.post("/enrolment/password", json={"password": "nina@agency.example"}, headers=who)
    assert "nina" not in str(problem(weak, 422, "invalid"))
    chosen = client.post("/enrolment/password", json={"password": PASSWORD}, headers=who)
    assert chosen.json()["step"] == "factor"
    uri = secret(client.post("/enrolment/totp", headers=who), "uri")
    problem(client.post("/enrolment/totp/confirm", json={"code": CANARY}, headers=who), 403, "denied")
    first = code_of(embedded, uri)
    done = client.post("/enrolment/totp/confirm", json={"code": first}, headers=who)
    codes = secret(done, "codes")
    assert len(set(codes)) == 10
    assert uri not in done.text
    for path in ("/enrolment", "/session"):
        problem(client.get(path, headers=who), 401, "not-signed-in")
    signing = {"mail": "nina@agency.example", "password": PASSWORD}
    problem(client.post("/session", json=signing | {"code": first}), 401, "not-signed-in")
    embedded.clock.advance(seconds=30)
    assert secret(client.post("/session", json=signing | {"code": code_of(embedded, uri)}), "token")


def test_somebody_joins_with_a_passkey_and_signs_in_with_it(
    embedded: World, client: Client, invited: InvitationView
) -> None:
    who = begun(client, invited)
    client.post("/enrolment/password", json={"password": PASSWORD}, headers=who)
    asked = client.post("/enrolment/passkey/ask", headers=who).json()
    passkey = SoftPasskey(embedded.settings.origin, synced=True)
    body = {"challenge": asked["challenge"], "answer": passkey.create(asked["passkey"]), "name": "My phone"}
    assert len(secret(client.post("/enrolment/passkey", json=body, headers=who), "codes")) == 10
    session = client.get("/session", headers=sign_in_by(passkey, client)).json()
    assert session["person"]["name"] == "Nina New"


@pytest.mark.attack("AN19")
def test_an_invitation_opens_once_and_a_wrong_code_looks_the_same(
    client: Client, invited: InvitationView
) -> None:
    begun(client, invited)
    answers = [
        client.post("/enrolment", json={"code": code})
        for code in (invited.code, new_intake_code(), CANARY, "", f"{invited.code}X")
    ]
    for answer in answers:
        problem(answer, 404, "not-found")
        assert answer.content == answers[0].content


@pytest.mark.attack("AN13", "AN10")
def test_an_enrolment_is_known_by_its_own_token_and_is_no_session(
    embedded: World, client: Client, server: str, invited: InvitationView
) -> None:
    who = begun(client, invited)
    token = who["authorization"].removeprefix("Bearer ")
    problem(client.get("/session", headers=who), 401, "not-signed-in")
    cookie = {"cookie": f"__Host-vk_enrol={token}; __Host-vk_session={token}", "origin": server}
    for headers in (
        {},
        cookie,
        bearer(new_token("vk_enr")),
        held(embedded, "administrator"),
    ):
        problem(client.get("/enrolment", headers=headers), 401, "not-signed-in")
        for path, body in (
            ("password", {"password": PASSWORD}),
            ("totp", None),
            ("totp/confirm", {"code": "123456"}),
            ("passkey/ask", None),
            ("passkey", {}),
        ):
            answer = client.post(f"/enrolment/{path}", json=body, headers=headers)
            problem(answer, 401, "not-signed-in")
    assert client.get("/enrolment", headers=who).json()["step"] == "password"


@pytest.mark.attack("AN10")
def test_a_half_enrolled_secret_belongs_to_one_enrolment(
    embedded: World, client: Client, invited: InvitationView
) -> None:
    other = embedded.run(
        staff.add(embedded.vault, Actor.host(), "Otto Other", "otto@agency.example", ["auditor"])
    )
    hers, his = begun(client, invited), begun(client, other)
    for who in (hers, his):
        client.post("/enrolment/password", json={"password": PASSWORD}, headers=who)
    uri = secret(client.post("/enrolment/totp", headers=hers), "uri")
    code = {"code": code_of(embedded, uri)}
    problem(client.post("/enrolment/totp/confirm", json=code, headers=his), 404, "not-found")
    asked = client.post("/enrolment/passkey/ask", headers=hers).json()
    answer = SoftPasskey(embedded.settings.origin).create(asked["passkey"])
    body = {"challenge": asked["challenge"], "answer": answer, "name": "My key"}
    problem(client.post("/enrolment/passkey", json=body, headers=his), 404, "not-found")
    problem(client.post("/account/passkeys", json=body, headers=held(embedded, "auditor")), 404, "not-found")
    newer = secret(client.post("/enrolment/totp", headers=hers), "uri")
    assert newer != uri
    problem(client.post("/enrolment/totp/confirm", json=code, headers=hers), 403, "denied")
