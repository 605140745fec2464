"""A request and its form over HTTP, as a program speaks it: the PIN, the terms, a key of ours, once more, and done."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Client

from api.intake.door import refusal_of
from tests.world import LOGIN, World
from vault.errors import PinNeeded
from vault.model.messages import Form, Refused
from vault.operations.customers import terms
from vault.values import Actor

from .speaking import held, problem

TERMS = "What you hand over is deleted when it is no longer needed."
WHERE = {name: LOGIN[name] for name in ("host", "port", "username")}


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1") as client:
        yield client


@pytest.mark.promise("P8")
@pytest.mark.attack("IN04")
def test_a_hand_over_from_the_question_to_the_receipt(embedded: World, client: Client) -> None:
    world = embedded
    world.run(terms.publish(world.vault, Actor.host(), TERMS, 0))
    service, coordinator = world.service(), held(world, "coordinator")
    asked = client.post(
        f"/services/{service.id}/requests", json={"deliver": "hand", "pin": True}, headers=coordinator
    ).json()
    assert re.fullmatch("[0-9]{6}", asked["pin"])
    shown = client.get(f"/services/{service.id}", headers=coordinator).json()
    assert [one["pin"] for one in shown["requests"]] == [None]
    fresh = client.post(
        f"/requests/{asked['id']}/reissue", json={"deliver": "hand"}, headers=coordinator
    ).json()
    assert re.fullmatch("[0-9]{6}", fresh["pin"]), "a request that had a PIN has one again"

    def give(path: str, **body: Any) -> Any:
        return client.post(f"{world.settings.base_url}/give/{path}", json=body, headers=carried)

    carried = {"valetkey-client": "cli"}
    problem(give("begin", code=fresh["code"]), 403, "pin-needed")
    wrong = f"{(int(fresh['pin']) + 1) % 10**6:06d}"
    assert "4 tries" in problem(give("begin", code=fresh["code"], pin=wrong), 403, "pin-needed")["detail"]
    assert problem(give("begin", code=fresh["code"], pin="12"), 422, "invalid")["pointer"] == "/pin"
    begun = give("begin", code=fresh["code"], pin=fresh["pin"]).json()
    problem(give("begin", code=fresh["code"], pin=fresh["pin"]), 410, "ended")

    carried = {"valetkey-give": begun.pop("token")}
    form = Form.model_validate(begun)
    message = world.sealed(form, WHERE, kind="ssh-added-key")
    body = message.model_dump(exclude={"do", "browser"})
    problem(give("secret", **body), 409, "conflict")
    assert form.terms is not None
    assert give("accept", version=form.terms.version).json()["terms"]["accepted"] is True
    receipt = give("secret", **body).json()
    assert give("secret", **body).json() == receipt
    (item,) = client.get(f"{world.settings.base_url}/give/form", headers=carried).json()["items"]
    assert (item["given_kind"], item["line"], item["reference"]) == (
        "ssh-added-key",
        form.items[0].line,
        receipt["reference"],
    )
    anew = Form.model_validate(give("again", secret=receipt["secret"]).json())
    message = world.sealed(anew)
    assert give("secret", **message.model_dump(exclude={"do", "browser"})).json()["version"] == 2
    assert give("done").json()["state"] == "done"
    (kept,) = client.get(f"/services/{service.id}", headers=coordinator).json()["secrets"]
    assert (kept["kind"], kept["asked_kind"], kept["line"]) == ("ssh-password", "ssh-password", "")


def test_an_intake_of_its_own_is_told_that_a_pin_is_needed() -> None:
    refused = Refused(error="PinNeeded", message="that is not the PIN; 3 tries are left")
    assert type(refusal_of(refused)) is PinNeeded
    assert str(refusal_of(refused)) == refused.message
