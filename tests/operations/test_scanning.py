"""P7: what is kept already is looked through by today's rule; what holds a card number goes, and is asked for again."""

import pytest

from tests.world import LOGIN, World
from vault.errors import Conflict, Sealed
from vault.ledger.entry import decode
from vault.operations.customers import giving
from vault.operations.house import scanning
from vault.operations.house.scanning import Found, Page

CARD = "4111 1111 1111 1111"


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A time before the rule: whatever is given now is taken."""
    monkeypatch.setattr(giving, "holds_card_number", lambda _fields: False)
    return monkeypatch


def scan(world: World, after: str = "") -> Page:
    return world.run(scanning.scan(world.vault, after))


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_a_kept_card_number_is_purged_and_asked_for_again(world: World, lenient: pytest.MonkeyPatch) -> None:
    service = world.service()
    bad = world.give(service, LOGIN | {"password": CARD})
    good = world.give(world.service(title="Another shop"))
    lenient.undo()
    lease = world.lease(world.ticket(service), bad)
    since = world.size()
    found = scan(world)
    assert (found.looked_at, found.unopened, found.after) == (2, (), "")
    why, then = "a card number or card code", "the customer is asked for it again"
    assert found.purged == (Found(bad, service.id, "ssh-password", why, then),)
    assert sorted(world.ledger(since)) == sorted(
        ["vault.scan ok", *(["secret.check ok", "secret.checked ok"] * 2)]
    )
    state, envelope, version, asked = world.sql(
        "SELECT state, envelope, version, asked_version FROM secret WHERE id = :id", id=bad
    )[0]
    assert (state, bytes(envelope), asked) == ("refused", b"", version + 1)
    assert world.sql("SELECT state FROM secret WHERE id = :id", id=good)[0].state == "checked"
    requested = world.sql(
        "SELECT state FROM request WHERE service_id = :id ORDER BY created_at", id=service.id
    )
    assert [row.state for row in requested] == ["done", "asked"]
    with pytest.raises(Conflict, match="has not given this secret yet"):
        world.reveal(lease, bad)
    assert scan(world).purged == ()


@pytest.mark.promise("P1")
@pytest.mark.attack("AU05")
def test_each_is_opened_under_a_record_of_its_own_that_holds_no_value(
    world: World, lenient: pytest.MonkeyPatch
) -> None:
    bad = world.give(world.service(), LOGIN | {"password": CARD})
    lenient.undo()
    since = world.size()
    scan(world)
    bodies = [
        body
        for (body,) in world.sql("SELECT body FROM ledger_entry WHERE seq >= :seq ORDER BY seq", seq=since)
    ]
    entries = [decode(body.encode()) for body in bodies]
    assert [(one.type, one.actor) for one in entries] == [
        ("vault.scan", "host"),
        ("secret.check", "core"),
        ("secret.checked", "core"),
    ]
    assert {one.ids["secret"] for one in entries[1:]} == {bad}
    assert entries[2].ids["verdict"] == "refused"
    for body in bodies:
        assert not any(piece in body for piece in (CARD, CARD.replace(" ", ""), "4111", LOGIN["host"]))


@pytest.mark.promise("P7")
def test_only_card_numbers_are_judged_and_a_login_that_serves_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by today's rule of shapes, and not by what would be questioned today."""
    monkeypatch.setattr(giving, "judge", lambda _kind, _fields: None)
    monkeypatch.setattr(giving, "doubt_of", lambda _kind, _fields: "")
    words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    kept = world.give(world.service(), LOGIN | {"port": "no port", "password": words})
    monkeypatch.undo()
    assert scan(world).purged == ()
    assert world.sql("SELECT state FROM secret WHERE id = :id", id=kept)[0].state == "checked"


def test_an_open_form_asks_again_by_itself(world: World, lenient: pytest.MonkeyPatch) -> None:
    service = world.service()
    browser, form = world.begin(world.ask(service))
    world.hand_in(browser, world.sealed(form, LOGIN | {"password": CARD}))
    lenient.undo()
    assert [one.then for one in scan(world).purged] == ["the customer's open form asks again"]
    requested = world.sql("SELECT state FROM request WHERE service_id = :id", id=service.id)
    assert [row.state for row in requested] == ["started"]


@pytest.mark.attack("CR06")
def test_what_does_not_open_is_told_and_left_as_it_is(world: World, lenient: pytest.MonkeyPatch) -> None:
    service = world.service()
    broken = world.give(service)
    bad = world.give(world.service(title="Another shop"), LOGIN | {"password": CARD})
    lenient.undo()
    ((raw,),) = world.sql("SELECT envelope FROM secret WHERE id = :id", id=broken)
    bent = bytes(raw)[:-1] + bytes([bytes(raw)[-1] ^ 1])
    world.sql("UPDATE secret SET envelope = :bent WHERE id = :id", bent=bent, id=broken)
    found = scan(world)
    assert [one.secret for one in found.unopened] == [broken]
    assert [one.secret for one in found.purged] == [bad]
    assert world.sql("SELECT state FROM secret WHERE id = :id", id=broken)[0].state == "checked"


def test_a_sealed_vault_cannot_be_looked_through(world: World) -> None:
    world.give(world.service())
    world.seal()
    since = world.size()
    with pytest.raises(Sealed):
        scan(world)
    assert world.ledger(since) == []


def test_many_are_looked_at_page_by_page_and_each_once(world: World, lenient: pytest.MonkeyPatch) -> None:
    lenient.setattr(scanning, "AT_ONCE", 2)
    given = [world.give(world.service(title=f"Shop {at}"), LOGIN | {"password": CARD}) for at in range(3)]
    pages, after = [scan(world)], ""
    while after := pages[-1].after:
        pages.append(scan(world, after))
    assert [page.looked_at for page in pages] == [2, 1]
    assert sorted(one.secret for page in pages for one in page.purged) == sorted(given)
    assert world.ledger().count("vault.scan ok") == 1
