"""Signing in to one's own page: the link names, a code from the mailbox proves, and everything of it ends soon."""

import re

import pytest

from tests.operations.visiting import NOBODY, ask, code_of, come, link_of, mailed, waiting_visit
from tests.refusals import answer, refused
from tests.world import World
from vault.crypto.tokens import new_intake_code, new_mailed_code, new_token, token_hash
from vault.errors import Conflict, Denied, NotFound, NotSignedIn, TooMany
from vault.operations.customers import mine, visits
from vault.policy.attempts import LIMITS
from vault.values import Actor, new_id


def is_open(world: World, token: str) -> bool:
    try:
        actor = world.run(visits.resolve(world.vault, token, NOBODY.source))
        world.read(mine.page, actor)
    except NotSignedIn:
        return False
    return True


def visit_row(world: World, visit: str) -> dict[str, object]:
    return dict(world.sql("SELECT * FROM visit WHERE id = :id", id=visit)[0]._mapping)


def put_back(world: World, row: dict[str, object]) -> None:
    """Write a former row over today's, as whoever has the database can."""
    world.sql(
        f"UPDATE visit SET {', '.join(f'{name} = :{name}' for name in row if name != 'id')} WHERE id = :id",
        **row,
    )


@pytest.mark.promise("P8")
def test_the_link_names_a_customer_and_the_code_from_their_mailbox_opens_their_page(world: World) -> None:
    acme = world.customer()
    link = link_of(world, acme.id)
    assert re.fullmatch(re.escape(world.settings.origin) + r"/mine#[0-9A-Z]{4}(-[0-9A-Z]{4}){6}", link)
    since = world.size()
    visitor = come(world, acme.id)
    assert world.ledger(since) == ["visit.ask ok", "visit.mint ok", "visit.start ok"]
    assert (visitor.actor.kind, visitor.actor.id, visitor.actor.channel) == ("customer", acme.id, "page")
    view = world.read(mine.page, visitor.actor)
    assert (view.id, view.name, view.mail, view.sealed) == (acme.id, acme.name, acme.mail, False)
    stored = str(world.sql("SELECT * FROM visit")) + str(world.sql("SELECT link_hash FROM customer"))
    assert visitor.token not in stored
    assert link.partition("#")[2] not in stored


@pytest.mark.attack("AN11")
def test_a_link_that_names_nobody_is_answered_as_one_that_does(world: World) -> None:
    world.customer()
    since = world.size()
    token = world.run(visits.ask(world.vault, NOBODY, new_intake_code()))
    assert token.startswith("vk_own_")
    assert world.ledger(since) == []
    assert world.sql("SELECT count(*) FROM visit")[0][0] == 0
    kind, sentence, _ = answer(world, visits.start(world.vault, NOBODY, token, new_mailed_code()))
    asked = ask(world, code_of(world, world.customer("Other", "other@customers.example").id))
    wrong = answer(world, visits.start(world.vault, NOBODY, asked, new_mailed_code()))
    assert (kind, sentence) == wrong[:2] == (NotSignedIn, "that code is not right, or its time is over")
    with pytest.raises(NotFound):
        world.run(visits.ask(world.vault, NOBODY, "never such a code"))


@pytest.mark.attack("AN05", "AN06", "AZ16")
def test_a_code_works_once_in_its_own_browser_however_it_is_written_and_however_often_at_once(
    world: World,
) -> None:
    acme = world.customer()
    token = ask(world, code_of(world, acme.id))
    code = mailed(world)
    elsewhere = ask(world, code_of(world, acme.id))
    with pytest.raises(NotSignedIn):
        world.run(visits.start(world.vault, NOBODY, elsewhere, code))
    spelt = (code, code.lower(), f" {code.replace('-', ' ')} ", code.replace("-", ""))
    tries = [visits.start(world.vault, NOBODY, token, one) for one in spelt * 3]
    answers = world.together(*tries)
    assert [type(one) for one in answers].count(visits.Visiting) == 1
    assert {type(one) for one in answers} == {visits.Visiting, NotSignedIn}
    with pytest.raises(NotSignedIn):
        world.run(visits.start(world.vault, NOBODY, token, code))


@pytest.mark.attack("AN05")
@pytest.mark.parametrize("foreign", ["\uff10", "\U0001d7ce"])
def test_digits_of_other_scripts_are_no_code(world: World, foreign: str) -> None:
    token = ask(world, code_of(world, world.customer().id))
    code = mailed(world)
    with pytest.raises(NotSignedIn):
        world.run(visits.start(world.vault, NOBODY, token, foreign + code[1:]))


@pytest.mark.attack("AN01")
def test_five_wrong_tries_end_a_code_and_each_of_them_is_on_record(world: World) -> None:
    token = ask(world, code_of(world, world.customer().id))
    code = mailed(world)
    since = world.size()
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            world.run(visits.start(world.vault, NOBODY, token, new_mailed_code()))
    assert world.ledger(since) == ["visit.start NotSignedIn"] * 5
    with pytest.raises(NotSignedIn):
        world.run(visits.start(world.vault, NOBODY, token, code))


def test_only_the_newest_code_that_was_mailed_works(world: World) -> None:
    token = ask(world, code_of(world, world.customer().id))
    first = mailed(world)
    second = mailed(world)
    with pytest.raises(NotSignedIn):
        world.run(visits.start(world.vault, NOBODY, token, first))
    assert world.run(visits.start(world.vault, NOBODY, token, second)).visit == waiting_visit(world)
    with refused(world, Conflict, "visit.mint"):
        world.perform(visits.mint, Actor.core(), waiting_visit(world))


@pytest.mark.attack("DO10")
def test_nobody_fills_a_customers_mailbox_with_codes(world: World) -> None:
    code = code_of(world, world.customer().id)
    for _ in range(LIMITS["visit"]):
        ask(world, code)
    with pytest.raises(TooMany):
        ask(world, code)
    assert len(world.sql("SELECT id FROM outbox WHERE template = 'customer.code'")) == LIMITS["visit"]


@pytest.mark.promise("P2")
def test_nobody_but_the_outbox_makes_codes(world: World) -> None:
    acme = world.customer()
    ask(world, code_of(world, acme.id))
    for actor in (world.actor("coordinator"), Actor.host(), come(world, acme.id).actor):
        with refused(world, Denied, "visit.mint"):
            world.perform(visits.mint, actor, waiting_visit(world))
    with refused(world, NotFound, "visit.mint"):
        world.perform(visits.mint, Actor.core(), new_id("vis"))


@pytest.mark.promise("P4")
@pytest.mark.attack("AN16")
def test_a_code_and_a_visit_end_by_themselves(world: World) -> None:
    acme = world.customer()
    token = ask(world, code_of(world, acme.id))
    code = mailed(world)
    world.clock.advance(minutes=15)
    with pytest.raises(NotSignedIn):
        world.run(visits.start(world.vault, NOBODY, token, code))
    with refused(world, Conflict, "visit.mint"):
        world.perform(visits.mint, Actor.core(), waiting_visit(world))
    idle = come(world, acme.id)
    world.clock.advance(minutes=29)
    assert is_open(world, idle.token)
    world.clock.advance(minutes=31)
    assert not is_open(world, idle.token)
    busy = come(world, acme.id)
    for _ in range(5):
        world.clock.advance(minutes=23)
        assert is_open(world, busy.token)
    world.clock.advance(minutes=5)
    assert not is_open(world, busy.token)
    with pytest.raises(NotSignedIn):
        world.read(mine.page, busy.actor)


@pytest.mark.attack("AN13", "AN15")
def test_each_stage_has_a_token_of_its_own_and_leaving_ends_the_visit_at_once(world: World) -> None:
    acme = world.customer()
    before = ask(world, code_of(world, acme.id))
    started = world.run(visits.start(world.vault, NOBODY, before, mailed(world)))
    assert started.token != before
    assert not is_open(world, before)
    assert is_open(world, started.token)
    visitor = come(world, acme.id)
    since = world.size()
    world.perform(visits.leave, visitor.actor)
    assert world.ledger(since) == ["visit.end ok"]
    assert not is_open(world, visitor.token)
    assert is_open(world, started.token), "only the visit that was left"
    with refused(world, NotSignedIn, "service.pause"):
        world.perform(mine.pause, visitor.actor, new_id("svc"))


@pytest.mark.attack("AN17")
def test_a_clock_that_is_set_back_opens_no_visit_again(world: World) -> None:
    visitor = come(world, world.customer().id)
    world.clock.advance(minutes=40)
    world.actor("coordinator")
    world.clock.jump(minutes=-30)
    assert not is_open(world, visitor.token)


# -- behind the vault's back -----------------------------------------------------------------------------------------


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
def test_a_visit_that_was_written_into_the_database_is_none(world: World) -> None:
    acme, other = world.customer(), world.customer("Other", "other@customers.example")
    visitor = come(world, acme.id)
    row = visit_row(world, visitor.actor.session)
    forged = new_token("vk_own")
    for change in (
        {"browser_hash": token_hash(forged)},
        {"customer_id": other.id},
        {"expires_at": int(str(row["expires_at"])) + 1},
        {"tag": b""},
    ):
        put_back(world, row | change)
        assert not is_open(world, forged if "browser_hash" in change else visitor.token), change
    put_back(world, row)
    assert is_open(world, visitor.token), "the canary: as it was it is good"


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03", "AN15")
def test_a_visit_that_was_left_and_a_code_that_was_used_do_not_come_back_with_their_rows(
    world: World,
) -> None:
    acme = world.customer()
    token = ask(world, code_of(world, acme.id))
    code = mailed(world)
    waiting = visit_row(world, waiting_visit(world))
    started = world.run(visits.start(world.vault, NOBODY, token, code))
    running = visit_row(world, started.visit)
    put_back(world, waiting)
    with pytest.raises(NotSignedIn):
        world.run(visits.start(world.vault, NOBODY, token, code))
    put_back(world, running)
    actor = world.run(visits.resolve(world.vault, started.token, NOBODY.source))
    world.perform(visits.leave, actor)
    put_back(world, running)
    assert not is_open(world, started.token)
    with pytest.raises(NotSignedIn):
        world.read(mine.page, actor)


# -- while the vault is sealed ---------------------------------------------------------------------------------------


@pytest.mark.promise("P8")
def test_a_sealed_vault_lets_customers_in_and_ends_those_visits_when_it_is_unsealed(world: World) -> None:
    acme = world.customer()
    code = code_of(world, acme.id)
    before = come(world, acme.id)
    world.seal()
    assert is_open(world, before.token), "who was there stays"
    visitor = come(world, acme.id, code)
    assert world.read(mine.page, visitor.actor).sealed
    waits = ask(world, code)
    mailed_sealed = mailed(world)
    world.unseal()
    assert is_open(world, before.token)
    assert not is_open(world, visitor.token), "nobody could vouch for it"
    with pytest.raises(NotSignedIn):
        world.run(visits.start(world.vault, NOBODY, waits, mailed_sealed))
