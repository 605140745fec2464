"""What a helpdesk sends over HTTP: the manual's own example, what is refused unread, and two servers at once."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client, Response

from tests.source_tree import ROOT
from tests.telling import Delivery, Teller
from tests.world import World
from vault.operations.services import tickets

from .test_two_processes import process, shared  # noqa: F401 (the fixture)

TOM = "tom@agency.example"


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=server, timeout=60) as client:
        yield client


def post(client: Client, teller: Teller, delivery: Delivery, **changed: str) -> Response:
    path = changed.pop("path", f"/api/v1/helpdesks/{teller.id}/events")
    headers = [(name, value) for name, values in delivery.headers.items() for value in values]
    kept = {"content-type": "application/json"} | {
        name.replace("_", "-"): one for name, one in changed.items()
    }
    return client.post(path, content=delivery.body, headers=[*headers, *kept.items()])


def numbers(world: World) -> list[tuple[str, list[str]]]:
    coordinator = world.actor("coordinator")
    shown = [
        world.read(tickets.ticket, coordinator, one.id) for one in world.read(tickets.tickets, coordinator)
    ]
    return sorted((one.number, [who.mail for who in one.assigned]) for one in shown if one.state == "open")


@pytest.mark.skipif(
    not all(map(shutil.which, ("curl", "openssl", "od"))), reason="curl, openssl and od are not here"
)
def test_the_example_of_the_manual_opens_a_ticket(embedded: World, server: str) -> None:
    teller = Teller(embedded)
    service = teller.connect(embedded.service())
    manual = (ROOT / "docs" / "operations.md").read_text("utf-8")
    (example,) = re.findall(r"```sh\n(ADDRESS=.*?)```", manual, re.DOTALL)
    ours = {
        "ADDRESS": f"{server}/api/v1/helpdesks/{teller.id}/events",
        "SECRET": teller.secret,
        "SERVICE": service.id,
    }
    script, replaced = re.subn(
        r"^(ADDRESS|SECRET|SERVICE)=.*$",
        lambda found: f"{found[1]}={ours[found[1]]}",
        example,
        flags=re.MULTILINE,
    )
    assert replaced == 3
    here = {"PATH": os.environ["PATH"], "no_proxy": "*"}
    for _ in range(2):
        run = subprocess.run(
            ["sh", "-eu", "-c", script], env=here, capture_output=True, text=True, timeout=60, check=False
        )
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert numbers(embedded) == [("10081", [TOM])]
    wrong = script.replace(teller.secret, "whsec_" + "A" * 43 + "=")
    run = subprocess.run(["sh", "-eu", "-c", wrong], env=here, capture_output=True, text=True, check=False)
    assert (run.returncode, json.loads(run.stdout)["status"]) == (22, 401)


@pytest.mark.promise("P2")
@pytest.mark.attack("AN11", "AZ01")
def test_whoever_has_not_signed_hears_the_same(embedded: World, client: Client) -> None:
    teller = Teller(embedded)
    good = teller.signed(teller.said("ticket.opened", ticket=teller.ticket("x")))
    twice = Delivery(good.headers | {"webhook-id": good.headers["webhook-id"] * 2}, good.body)
    token = "Bearer " + embedded.sign_in("coordinator")
    answers = [
        post(client, teller, Delivery({}, good.body)),
        post(client, teller, Delivery({}, good.body), authorization=token),
        post(client, teller, Delivery(good.headers, good.body + b" ")),
        post(client, teller, Delivery(good.headers, b"")),
        post(client, teller, Delivery(good.headers, b"\xff[[[[")),
        post(client, teller, Delivery({}, b"[" * 100_000)),
        post(client, teller, twice),
        post(client, teller, good, path="/api/v1/helpdesks/hlp_00000000000000000000/events"),
        post(client, teller, good, path="/api/v1/helpdesks/x/events"),
    ]
    assert {one.status_code for one in answers} == {401}
    assert len({one.content for one in answers}) == 1
    assert client.get(f"/api/v1/helpdesks/{teller.id}/events").status_code == 405
    embedded.seal()
    sealed = [
        post(client, teller, good),
        post(client, teller, good, path="/api/v1/helpdesks/hlp_00000000000000000000/events"),
        post(client, teller, Delivery({}, b"")),
    ]
    assert {one.status_code for one in sealed} == {503}
    assert len({one.content for one in sealed}) == 1


@pytest.mark.attack("IN05", "IN08")
def test_what_is_signed_is_read_strictly_and_within_its_bounds(embedded: World, client: Client) -> None:
    teller = Teller(embedded)
    service = teller.connect(embedded.service())
    said = teller.said("ticket.opened", ticket=teller.ticket(service), article="x, " * 60_000)
    assert len(said) < 256 * 1024
    assert post(client, teller, teller.signed(said)).status_code == 204
    assert numbers(embedded) == [("10081", [])]
    assert post(client, teller, teller.signed(said + b" " * 256 * 1024)).status_code == 413
    head = b'{"type":"ticket.closed","timestamp":"' + teller.when().encode() + b'","data":'
    for body in (
        b"[" * 100_000,
        head + b"[" * 50 + b"]" * 50 + b"}",
        head + b'{"ticket":1,"ticket":2}}',
        head + b'{"ticket":' + b"9" * 30 + b"}}",
        head + b'{"ticket":"\\ud800"}}',
        head + json.dumps({str(name): 1 for name in range(500)}).encode() + b"}",
        b"canary-Zq7w",
    ):
        answer = post(client, teller, teller.signed(body))
        assert (answer.status_code, "canary" in answer.text) == (422, False)
    for changed in ({"content_type": "text/plain"}, {"content_encoding": "gzip"}):
        assert post(client, teller, teller.signed(said), **changed).status_code == 415
    assert numbers(embedded) == [("10081", [])]


def test_a_coordinator_connects_services_over_the_api(embedded: World, client: Client) -> None:
    teller, service = Teller(embedded), embedded.service()
    signed = {"authorization": "Bearer " + embedded.sign_in("coordinator")}
    path = f"/api/v1/services/{service.id}/helpdesk"
    assert client.post(path, json={"helpdesk": teller.id}, headers=signed).status_code == 204
    (shown,) = client.get("/api/v1/helpdesks", headers=signed).json()
    assert (shown["services"], shown["secret"]) == ([service.id], None)
    assert shown["address"] == f"{client.base_url}/api/v1/helpdesks/{teller.id}/events".replace(
        "127.0.0.1", "localhost"
    )
    assert client.post(path, json={"helpdesk": "per_1"}, headers=signed).status_code == 404
    assert client.delete(path, headers=signed).status_code == 204
    assert client.delete(path, headers=signed).status_code == 404
    tom = {"authorization": "Bearer " + embedded.sign_in("technician")}
    assert client.post(path, json={"helpdesk": teller.id}, headers=tom).status_code == 403


@pytest.mark.attack("AZ16", "DP15")
def test_two_servers_that_hear_of_one_ticket_at_once_open_one(shared: World, tmp_path: Path) -> None:  # noqa: F811
    teller = Teller(shared)
    service = teller.connect(shared.service())
    since = shared.size()
    with ExitStack() as running, ThreadPoolExecutor(8) as threads:
        both = [running.enter_context(process(shared, tmp_path / name)) for name in ("a", "b")]
        for number in range(5):
            told = teller.ticket(service, str(number), f"T-{number}")
            same = teller.signed(teller.said("ticket.assigned", ticket=told, assignee=TOM))
            others = [
                teller.signed(teller.said("ticket.assigned", ticket=told, assignee=TOM)) for _ in range(2)
            ]

            def send(which: tuple[Client, Delivery]) -> Any:
                client, delivery = which
                path = f"/helpdesks/{teller.id}/events"
                return post(client, teller, delivery, path=path).status_code

            sent = [(client, delivery) for delivery in (same, same, *others) for client in both]
            assert list(threads.map(send, sent)) == [204] * 8
    assert numbers(shared) == [(f"T-{number}", [TOM]) for number in range(5)]
    done = shared.ledger(since)
    assert [done.count(f"ticket.{deed} ok") for deed in ("open", "assign")] == [5, 5]
