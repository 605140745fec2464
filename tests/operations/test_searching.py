"""A search looks through names, titles, numbers and addresses that whoever asks may see; never through a secret."""

import json
import logging
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.world import LOGIN, World
from vault.errors import Invalid
from vault.operations.services import searching, tickets
from vault.operations.services.searching import MOST, folded, pattern

CANARY = LOGIN["password"].strip()
SPELT = (
    CANARY,
    CANARY.upper(),
    CANARY.encode().hex(),
    b64encode(CANARY.encode()).decode(),
    quote(CANARY),
    CANARY[:7],
)


def find(world: World, term: str, who: Any = "coordinator") -> dict[str, list[str]]:
    """What is found, by kind."""
    found = world.read(searching.search, world.actor(who), term)
    return {one.kind: [thing.title for thing in one.found] for one in found.lists}


def test_case_does_not_matter_in_any_language_on_any_database(world: World) -> None:
    names = ("Gießerei Straßmann", "ÉCLAIR & Fils", "ΟΔΥΣΣΕΥΣ Travel", "Żółw Shop", "ЁЛКА", "ÇELİK Halat")
    for name in names:
        world.customer(name)
    for term, name in (
        ("gießerei", names[0]),
        ("STRASSMANN", names[0]),
        ("strassMANN GIE", names[0]),
        ("éclair", names[1]),
        ("Οδυσσευς", names[2]),
        ("ŻÓŁW", names[3]),
        ("ёлка", names[4]),
        ("çelİk", names[5]),
    ):
        assert find(world, term) == {"customer": [name]}, term
    assert find(world, "eclair") == {}, "another letter is another letter"
    assert find(world, "straßmann fils") == {}, "every word has to be there"


def test_signs_of_the_pattern_mean_themselves(world: World) -> None:
    for name in ("100% Wool", "1000 Wool", "under_score", "underXscore", "sl/ash", "back\\slash"):
        world.customer(name)
    for term, names in (
        ("100%", ["100% Wool"]),
        ("r_s", ["under_score"]),
        ("l/a", ["sl/ash"]),
        ("k\\s", ["back\\slash"]),
        ("%%", []),
        ("__", []),
        ("//", []),
        ("' OR 1=1 --", []),
    ):
        assert find(world, term).get("customer", []) == names, term


def test_what_databases_fold_in_their_own_way_is_left_open_and_judged_here() -> None:
    assert pattern(folded("Straße")) == "%stra%e%"
    assert pattern(folded("50%_/")) == "%50/%/_//%"
    assert pattern("ii") == "%%%"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ02")
def test_each_finds_only_what_they_may_list(world: World) -> None:
    acme = world.service(world.customer("Acme Garden Tools"), "Shop of Acme")
    mill = world.service(world.customer("Mill Street Books"), "Shop of Mill Street")
    rita = world.hire("Rita Reyes", "technician")
    world.ticket(acme, "technician", "T-1")
    mine = world.ticket(mill, rita, "T-2")
    everything = find(world, "shop")
    assert sorted(everything["service"]) == ["Shop of Acme", "Shop of Mill Street"]
    assert sorted(everything["ticket"]) == ["T-1: Install the shop", "T-2: Install the shop"]
    assert find(world, "shop", "technician") == {"ticket": ["T-1: Install the shop"]}
    assert find(world, "shop", rita) == {"ticket": ["T-2: Install the shop"]}
    for foreign in ("mill", "T-2", "books", "rita", "@", "clara"):
        assert find(world, foreign, "technician") == {}, foreign
    assert find(world, "rita") == {"person": ["Rita Reyes"]}
    assert find(world, "clara") == {}, "nobody is put on tickets who is no technician"
    assert find(world, "shop", "auditor") == {}
    assert find(world, "shop", "administrator") == {}
    assert find(world, "clara", "administrator") == {"person": ["Clara Cole"]}
    world.perform(tickets.unassign, world.actor("coordinator"), mine.id, rita.id)
    assert find(world, "shop", rita) == {}


@pytest.mark.promise("P9")
@pytest.mark.attack("AU05")
def test_no_secret_is_ever_found_and_no_term_is_ever_written_down(
    embedded: World, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    _service, secret, _, lease = embedded.lent()
    for field in ("password", "host", "username"):
        embedded.reveal(lease, secret, field)
    terms = [
        CANARY,
        LOGIN["host"],
        LOGIN["username"],
        lease.reason,
        secret,
        lease.id,
        "ssh-password",
        "reveal",
    ]
    for who in ("coordinator", "technician", "auditor", "administrator"):
        for term in terms:
            assert find(embedded, term, who) == {}, (who, term)
    before = embedded.size()
    token = embedded.member("coordinator").token
    with caplog.at_level(logging.DEBUG), httpx2.Client(base_url=server) as client:
        bearer = {"authorization": f"Bearer {token}"}
        for spelt in SPELT:
            answer = client.get("/api/v1/search", params={"q": spelt}, headers=bearer)
            assert (answer.status_code, answer.json()) == (200, {"lists": []}), spelt
        page = client.get("/search", params={"q": CANARY}, headers={"cookie": f"__Host-vk_session={token}"})
        assert "Nothing that you may see is called so" in page.text
        assert page.headers["cache-control"] == "no-store"
        wrong = client.get("/api/v1/search", params={"q": f"{CANARY}\u202e"}, headers=bearer)
        assert wrong.status_code == 422
        assert CANARY not in json.dumps(wrong.json())
    assert embedded.size() == before, "nothing of it is in the log"
    own = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    ]
    assert not [said for said in own if "canary" in said.lower()]
    kept = [path for path in Path(embedded.settings.data_dir).rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if CANARY.encode() in path.read_bytes()]


def test_a_search_is_bounded_and_says_so(embedded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(MOST + 1):
        embedded.customer(f"Shop {at:02}")
    actor = embedded.actor("coordinator")
    (few,) = embedded.read(searching.search, actor, "shop").lists
    assert (len(few.found), few.more) == (MOST, True)
    (one,) = embedded.read(searching.search, actor, "shop 07").lists
    assert (len(one.found), one.more) == (1, False)
    monkeypatch.setattr(searching, "MOST_READ", 5)
    (read,) = embedded.read(searching.search, actor, "SHOP").lists
    assert (len(read.found), read.more) == (5, True)
    assert embedded.read(searching.search, actor, "s").lists == ()
    assert embedded.read(searching.search, actor, "  ").lists == ()
    for wrong in ("a" * 101, "a\x00b", "a\ud800b"):
        with pytest.raises(Invalid):
            embedded.read(searching.search, actor, wrong)
