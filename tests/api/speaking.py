"""How the tests speak to the JSON API: as somebody of the company, and reading a refusal."""

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

from httpx2 import Client, Response

from tests.authenticator import SoftPasskey
from tests.world import PASSWORD, Member, World
from vault.crypto.factors import current_code
from vault.values import SECOND

CANARY = "canary-hunter2-x9"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def held(world: World, who: "str | Member") -> dict[str, str]:
    """The headers of one of the staff who has signed in and is bound by the agreement."""
    world.actor(who)
    return bearer(world.member(who).token)


def problem(answer: Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"urn:valetkey:problem:{kind}"
    assert found["detail"].endswith((".", "!", "?"))
    assert CANARY not in answer.text
    return found


def secret(answer: Response, name: str, status: int = 201) -> Any:
    """A member of an answer that shows something once: nobody on the way keeps it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()[name]


def signed_in(world: World, client: Client, who: "str | Member", password: str = PASSWORD) -> dict[str, str]:
    """One more session, over the API."""
    member = world.member(who)
    body = {"mail": member.view.mail, "password": password, "code": world.code(member)}
    return bearer(secret(client.post("/session", json=body), "token"))


def code_of(world: World, uri: str) -> str:
    """What an authenticator shows now that has read this key URI."""
    seed = base64.b32decode(parse_qs(urlsplit(uri).query)["secret"][0])
    return current_code(seed, world.clock.wall() // SECOND)


def with_code(world: World, who: "str | Member") -> dict[str, Any]:
    """A fresh code as what proves a deed."""
    return {"presence": {"code": world.code(who)}}


def give_passkey(world: World, client: Client, member: Member) -> SoftPasskey:
    """Add a passkey to somebody's account, over the API. Their sessions are over by then."""
    who = held(world, member)
    asked = client.post("/account/passkeys/ask", json=with_code(world, member), headers=who).json()
    passkey = SoftPasskey(world.settings.origin)
    made = {"challenge": asked["challenge"], "answer": passkey.create(asked["passkey"]), "name": "My key"}
    assert client.post("/account/passkeys", json=made, headers=who).status_code == 204
    member.token = ""
    return passkey


def sign_in_by(passkey: SoftPasskey, client: Client) -> dict[str, str]:
    asked = client.post("/session/passkey/ask").json()
    body = {"challenge": asked["challenge"], "answer": passkey.get(asked["passkey"])}
    return bearer(secret(client.post("/session/passkey", json=body), "token"))
