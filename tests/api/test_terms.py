"""The terms over the API: open to everybody, and saying no more than what was posted."""

from collections.abc import Iterator

import pytest
from httpx2 import Client

from tests.api.speaking import problem
from tests.world import World
from vault.operations.customers import terms
from vault.values import Actor

FIRST = "# Our terms\n\nWe ask for little."
SECOND = FIRST + "\n\nWhat you hand over is destroyed."


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=server) as client:
        yield client


def test_everybody_reads_the_terms_with_their_difference(embedded: World, client: Client) -> None:
    assert client.get("/api/v1/terms").json() == {"in_force": None, "announced": []}
    embedded.run(terms.publish(embedded.vault, Actor.host(), FIRST, 0))
    embedded.clock.advance(days=30)
    embedded.run(terms.publish(embedded.vault, Actor.host(), SECOND, 1))
    answer = client.get("/api/v1/terms")
    assert answer.status_code == 200
    found = answer.json()
    now, (coming,) = found["in_force"], found["announced"]
    assert (now["version"], now["state"], now["text"], now["changes"]) == (1, "in force", FIRST, [])
    assert (coming["version"], coming["state"]) == (2, "announced")
    assert coming["changes"][-1] == {"tag": "p", "words": [["added", "What you hand over is destroyed."]]}
    assert coming["effective_at"] > coming["posted_at"] > now["effective_at"][:10]
    assert client.get("/api/v1/terms/1").json() == now
    assert client.get("/api/v1/terms/2").json() == coming


def test_another_version_is_not_there(embedded: World, client: Client) -> None:
    embedded.run(terms.publish(embedded.vault, Actor.host(), FIRST, 0))
    problem(client.get("/api/v1/terms/2"), 404, "not-found")
    for wrong in ("0", "-1", "x", "1e3", "99999999999999999999"):
        problem(client.get(f"/api/v1/terms/{wrong}"), 422, "invalid")


@pytest.mark.promise("P6")
def test_bent_terms_are_shown_to_nobody(embedded: World, client: Client) -> None:
    embedded.run(terms.publish(embedded.vault, Actor.host(), FIRST, 0))
    embedded.sql("UPDATE terms SET text = 'We may sell what you hand over.'")
    problem(client.get("/api/v1/terms"), 503, "tampered")
    page = client.get("/terms", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "sell" not in page.text


def test_a_sealed_vault_shows_its_terms(embedded: World, client: Client) -> None:
    embedded.run(terms.publish(embedded.vault, Actor.host(), FIRST, 0))
    embedded.seal()
    assert client.get("/api/v1/terms").json()["announced"][0]["text"] == FIRST
    assert "We ask for little." in client.get("/terms").text
