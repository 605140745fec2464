"""One's own account over the API: factors, passwords and sessions, and who else tries to get at them."""

from collections.abc import Iterator

import pytest
from httpx2 import Client

from tests.authenticator import SoftPasskey
from tests.world import PASSWORD, World
from vault.crypto.tokens import new_token
from vault.operations.people import staff
from vault.values import Actor, new_id

from .speaking import (
    bearer,
    code_of,
    give_passkey,
    held,
    problem,
    secret,
    sign_in_by,
    signed_in,
    with_code,
)

NEW = "eleven brave otters paint the harbour"


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


def is_over(client: Client, *sessions: dict[str, str]) -> bool:
    return all(client.get("/session", headers=who).status_code == 401 for who in sessions)


@pytest.mark.attack("AN18")
def test_a_new_password_ends_every_session_token_and_open_challenge(embedded: World, client: Client) -> None:
    clara = embedded.member("coordinator")
    here, there = held(embedded, clara), signed_in(embedded, client, clara)
    made = {"name": "Helpdesk", "scopes": ["tickets:read"], "days": 3} | with_code(embedded, clara)
    token = bearer(secret(client.post("/tokens", json=made, headers=here), "token"))
    assert client.get("/tickets", headers=token).status_code == 200
    waiting = problem(client.post("/account/recovery-codes", json={}, headers=here), 401, "proof-needed")
    asked = {"password": NEW}
    problem(client.post("/account/password", json=asked, headers=here), 401, "proof-needed")
    answer = client.post("/account/password", json=asked | with_code(embedded, clara), headers=here)
    assert answer.status_code == 204
    assert is_over(client, here, there, token)
    clara.token = ""
    body = {"mail": clara.view.mail, "password": PASSWORD, "code": embedded.code(clara)}
    problem(client.post("/session", json=body), 401, "not-signed-in")
    again = signed_in(embedded, client, clara, NEW)
    seen = client.get(f"/presence/{waiting['challenge']['id']}", headers=again)
    problem(seen, 404, "not-found")


def test_a_weak_password_is_refused_with_the_reason_and_before_anybody_proves_anything(
    embedded: World, client: Client
) -> None:
    who = held(embedded, "technician")
    for weak in ("hunter2", "hunter2" * 80, "correct horse battery staple"):
        found = problem(
            client.post("/account/password", json={"password": weak}, headers=who), 422, "invalid"
        )
        assert weak not in str(found)
        assert "challenge" not in found


def test_a_passkey_is_added_and_signs_in_and_proves(embedded: World, client: Client) -> None:
    tom = embedded.member("technician")
    before = held(embedded, tom)
    passkey = give_passkey(embedded, client, tom)
    assert is_over(client, before)
    who = sign_in_by(passkey, client)
    account = client.get("/account", headers=who).json()
    assert {factor["kind"] for factor in account["factors"]} == {"totp", "passkey", "recovery"}
    asked = problem(client.post("/account/recovery-codes", json={}, headers=who), 401, "proof-needed")
    challenge = asked["challenge"]
    assert challenge["deed"] == "replace your recovery codes"
    assert challenge["code"] is True
    proof = {"challenge": challenge["id"], "answer": passkey.get(challenge["passkey"])}
    elsewhere = client.post("/account/totp", json={"presence": proof}, headers=who)
    problem(elsewhere, 403, "denied")  # it was given for another deed, and it is spent with that
    again = client.post("/account/recovery-codes", json={"presence": proof}, headers=who)
    problem(again, 404, "not-found")
    asked = client.post("/account/recovery-codes", json={}, headers=who).json()
    answer = passkey.get(asked["challenge"]["passkey"])
    body = {"presence": {"challenge": asked["challenge"]["id"], "answer": answer}}
    codes = secret(client.post("/account/recovery-codes", json=body, headers=who), "codes")
    assert len(set(codes)) == 10
    signing = {"mail": tom.view.mail, "password": PASSWORD}
    former = client.post("/session", json=signing | {"code": tom.recovery[0]})
    problem(former, 401, "not-signed-in")
    assert client.post("/session", json=signing | {"code": codes[0]}).status_code == 201
    problem(client.post("/session", json=signing | {"code": codes[0]}), 401, "not-signed-in")
    problem(client.post("/account/recovery-codes", json=body, headers=who), 404, "not-found")


def test_a_deed_is_refused_before_its_proof_where_it_is_refused_anyway(
    embedded: World, client: Client
) -> None:
    who = held(embedded, "technician")
    (totp,) = [
        factor["id"]
        for factor in client.get("/account", headers=who).json()["factors"]
        if factor["kind"] == "totp"
    ]
    only = client.post(f"/account/factors/{totp}/remove", json=with_code(embedded, "technician"), headers=who)
    problem(only, 409, "conflict")
    assert client.get("/session", headers=who).status_code == 200


@pytest.mark.attack("AN10")
def test_nobody_gets_at_the_factors_of_another(embedded: World, client: Client) -> None:
    tom, clara = embedded.member("technician"), embedded.member("coordinator")
    give_passkey(embedded, client, clara)
    hers, his = held(embedded, clara), held(embedded, tom)
    factors = client.get("/account", headers=hers).json()["factors"]
    answers = [
        client.post(f"/account/factors/{one}/remove", json=with_code(embedded, tom), headers=his)
        for one in (factors[0]["id"], factors[1]["id"], new_id("fac"))
    ]
    for answer in answers:
        problem(answer, 404, "not-found")
        assert answer.content == answers[-1].content
    assert client.get("/account", headers=hers).json()["factors"] == factors


@pytest.mark.attack("AN10")
def test_a_half_enrolled_authenticator_is_confirmed_by_its_own_session_only(
    embedded: World, client: Client
) -> None:
    tom, clara = embedded.member("technician"), embedded.member("coordinator")
    here, there, hers = held(embedded, tom), signed_in(embedded, client, tom), held(embedded, clara)
    bare = client.post("/account/totp", json={}, headers=here)
    problem(bare, 401, "proof-needed")
    assert "otpauth" not in bare.text
    uri = secret(client.post("/account/totp", json=with_code(embedded, tom), headers=here), "uri")
    code = code_of(embedded, uri)
    for other in (there, hers):
        problem(client.post("/account/totp/confirm", json={"code": code}, headers=other), 404, "not-found")
    wrong = client.post("/account/totp/confirm", json={"code": "000000"}, headers=here)
    assert problem(wrong, 403, "denied")
    assert client.post("/account/totp/confirm", json={"code": code}, headers=here).status_code == 204
    assert is_over(client, here, there)
    assert not is_over(client, hers)


@pytest.mark.attack("AN10")
def test_a_passkey_is_added_in_the_session_that_asked_only(embedded: World, client: Client) -> None:
    tom = embedded.member("technician")
    here, there, hers = held(embedded, tom), signed_in(embedded, client, tom), held(embedded, "coordinator")
    problem(client.post("/account/passkeys/ask", json={}, headers=here), 401, "proof-needed")
    asked = client.post("/account/passkeys/ask", json=with_code(embedded, tom), headers=here).json()
    answer = SoftPasskey(embedded.settings.origin).create(asked["passkey"])
    body = {"challenge": asked["challenge"], "answer": answer, "name": "My key"}
    for other in (there, hers):
        problem(client.post("/account/passkeys", json=body, headers=other), 404, "not-found")
    lied = answer | {"rawId": "AAAA"}
    problem(client.post("/account/passkeys", json=body | {"answer": lied}, headers=here), 403, "denied")
    assert not is_over(client, here, there, hers)


@pytest.mark.attack("AN13")
def test_a_sign_in_over_the_api_makes_a_new_token_sets_no_cookie_and_adopts_none(
    embedded: World, client: Client, server: str
) -> None:
    tom = embedded.member("technician")
    planted = new_token("vk_ses")
    before = held(embedded, tom)
    seen = {before["authorization"], f"Bearer {planted}"}
    for headers in (
        bearer(planted),
        before,
        {"cookie": f"__Host-vk_session={planted}", "origin": server},
    ):
        body = {"mail": tom.view.mail, "password": PASSWORD, "code": embedded.code(tom)}
        answer = client.post("/session", json=body, headers=headers)
        token = secret(answer, "token")
        assert "set-cookie" not in answer.headers
        assert f"Bearer {token}" not in seen
        seen.add(f"Bearer {token}")
    assert is_over(client, bearer(planted))


@pytest.mark.attack("AN15")
def test_signing_out_ends_this_session_at_once_and_no_other(embedded: World, client: Client) -> None:
    here, there = held(embedded, "technician"), signed_in(embedded, client, "technician")
    out = client.delete("/session", headers=here)
    assert out.status_code == 204
    assert "cookies" in out.headers["clear-site-data"]
    assert is_over(client, here)
    for path in ("/account", "/tickets", "/leases", "/account/sessions"):
        answer = client.get(path, headers=here)
        problem(answer, 401, "not-signed-in")
        assert answer.headers["cache-control"] == "no-store"
    problem(client.delete("/session", headers=here), 401, "not-signed-in")
    assert not is_over(client, there)


def test_own_sessions_are_listed_in_words_and_ended_one_by_one_or_all(
    embedded: World, client: Client
) -> None:
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0 hunter2"
    here = held(embedded, "technician")
    client.headers["user-agent"] = firefox
    there = signed_in(embedded, client, "technician")
    hers = held(embedded, "coordinator")
    listed = client.get("/account/sessions", headers=here).json()
    (other,) = [one for one in listed if one["client"] == "Firefox on Windows"]
    assert not other["here"]
    assert "hunter2" not in str(listed)
    for one in (other["id"], new_id("ses")):
        problem(client.post(f"/account/sessions/{one}/end", headers=hers), 404, "not-found")
    assert not is_over(client, there)
    assert client.post(f"/account/sessions/{other['id']}/end", headers=here).status_code == 204
    assert is_over(client, there)
    there = signed_in(embedded, client, "technician")
    assert client.post("/account/sessions/end-all", headers=here).status_code == 204
    assert is_over(client, here, there)
    assert not is_over(client, hers)


@pytest.mark.attack("AN26")
def test_an_api_token_changes_no_account_and_dies_with_its_persons_right(
    embedded: World, client: Client
) -> None:
    clara = embedded.member("coordinator")
    who = held(embedded, clara)
    scopes = ["services:read", "services:write", "tickets:read", "tickets:write"]
    body = {"name": "Helpdesk", "scopes": scopes, "days": 3}
    problem(client.post("/tokens", json=body, headers=who), 401, "proof-needed")
    made = client.post("/tokens", json=body | with_code(embedded, clara), headers=who)
    token = bearer(secret(made, "token"))
    assert client.get("/customers", headers=token).status_code == 200
    proof = with_code(embedded, clara)
    for path, sent in (
        ("/tokens", body | proof),
        ("/account/password", {"password": NEW} | proof),
        ("/account/totp", proof),
        ("/account/totp/confirm", {"code": "123456"}),
        ("/account/passkeys/ask", proof),
        ("/account/recovery-codes", proof),
        ("/account/sessions/end-all", None),
        ("/staff", {"name": "Eve Evans", "mail": "eve@x.example", "roles": ["technician"]} | proof),
        ("/agreement", {"version": 1}),
        (f"/presence/{new_id('chl')}", {"code": "123456"}),
    ):
        answer = client.post(path, json=sent, headers=token)
        assert answer.status_code in {401, 403}, f"{path}: {answer.text}"
        assert "challenge" not in answer.json()
    for path in ("/account", "/account/sessions", "/tokens", "/staff", "/ledger/entries"):
        assert client.get(path, headers=token).status_code in {401, 403}, path
    embedded.perform(staff.disable, Actor.host(), clara.id)
    assert is_over(client, token, who)


@pytest.mark.attack("AZ02", "AN10")
def test_a_deed_asked_for_on_a_command_line_is_proved_in_a_browser_by_the_same_person(
    embedded: World, client: Client, server: str
) -> None:
    tom = embedded.member("technician")
    line, hers = held(embedded, tom), held(embedded, "coordinator")
    passkey = give_passkey(embedded, client, tom)
    line, browser = sign_in_by(passkey, client), sign_in_by(passkey, client)
    page = {"cookie": f"__Host-vk_session={browser['authorization'][7:]}", "origin": server}
    asked = problem(client.post("/account/recovery-codes", json={}, headers=line), 401, "proof-needed")
    challenge = asked["challenge"]["id"]
    waiting = {"presence": {"challenge": challenge}}
    early = client.post("/account/recovery-codes", json=waiting, headers=line)
    problem(early, 401, "stale-proof")
    for one in (challenge, new_id("chl")):
        problem(client.get(f"/presence/{one}", headers=hers), 404, "not-found")
        stolen = client.post(f"/presence/{one}", json={"code": "123456"}, headers=hers)
        problem(stolen, 404, "not-found")
    deed = client.get(f"/presence/{challenge}", headers=page).json()
    assert deed["words"] == "replace your recovery codes"
    answer = {"answer": passkey.get(deed["passkey"])}
    problem(
        client.post(f"/presence/{challenge}", json=answer, headers=page | {"origin": "null"}),
        403,
        "forbidden",
    )
    assert client.post(f"/presence/{challenge}", json=answer, headers=page).status_code == 204
    problem(client.post("/account/recovery-codes", json=waiting, headers=page), 401, "stale-proof")
    assert secret(client.post("/account/recovery-codes", json=waiting, headers=line), "codes")
    problem(client.post("/account/recovery-codes", json=waiting, headers=line), 401, "stale-proof")
