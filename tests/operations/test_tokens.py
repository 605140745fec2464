"""API tokens: few rights, never more than their maker's, dead with what made them, and made by nobody but a person."""

from typing import Any

import pytest

from tests.refusals import answer, refused
from tests.world import World
from vault.crypto.tokens import new_token, token_hash
from vault.errors import (
    Conflict,
    Denied,
    Invalid,
    NotFound,
    NotSignedIn,
    ProofNeeded,
    Sealed,
    StaleProof,
    Tampered,
)
from vault.model.views import ApiTokenView
from vault.operations import presence
from vault.operations.customers import customers
from vault.operations.house import audit
from vault.operations.leases import checkout
from vault.operations.people import account, device, sessions, staff, tokens
from vault.operations.presence import NOTHING, Presence
from vault.operations.services import catalogue, services, tickets
from vault.policy.rights import RIGHTS, SCOPES
from vault.values import DAY, Actor

HERE = "192.0.2.7"
EVERYTHING = sorted(SCOPES)


def made(
    world: World, who: str, *scopes: str, name: str = "helpdesk", days: int = 90
) -> tuple[str, ApiTokenView]:
    actor, given = world.actor(who), world.presence(who)
    return world.run(tokens.make(world.vault, actor, name, scopes, days, given))


def bearing(world: World, token: str) -> Actor:
    return world.run(tokens.resolve(world.vault, token, HERE))


def is_dead(world: World, token: str) -> bool:
    return answer(world, tokens.resolve(world.vault, token, HERE))[0] is NotSignedIn


@pytest.mark.attack("AN26", "AU06")
def test_a_token_is_shown_once_and_acts_as_its_maker_and_in_its_own_name(world: World) -> None:
    since = world.size()
    clara = world.actor("coordinator")
    token, view = made(world, "coordinator", "services:write", "services:read", "services:read")
    assert token.startswith("vk_api_")
    assert (view.name, view.scopes, view.used_at) == ("helpdesk", ("services:read", "services:write"), None)
    assert (view.expires_at - view.made_at).days == 90
    stored = b"".join(bytes(row[0]) for row in world.sql("SELECT token_hash FROM api_token"))
    assert token.encode() not in stored
    assert stored == token_hash(token)
    actor = bearing(world, token)
    assert (actor.kind, actor.id, actor.channel, actor.session) == ("person", clara.id, "api", view.id)
    world.run(customers.add(world.vault, actor, "Acme Garden Tools", "shop@acme.example"))
    assert world.ledger(since)[-3:] == ["presence.prove ok", "token.make ok", "customer.add ok"]
    body = world.sql("SELECT body FROM ledger_entry ORDER BY seq DESC LIMIT 1")[0][0]
    assert f'"session":"{view.id}"' in body
    assert f'"actor":"{clara.id}"' in body
    assert "helpdesk" not in "".join(row[0] for row in world.sql("SELECT body FROM ledger_entry"))
    (listed,) = world.read(tokens.own_tokens, clara)
    assert listed.used_at is not None
    assert token not in repr(world.read(account.account, clara))
    assert world.read(tokens.own_tokens, world.actor("technician")) == ()


@pytest.mark.promise("P2")
@pytest.mark.attack("AN26")
def test_no_token_opens_proves_changes_an_account_or_makes_another_token(world: World) -> None:
    service, secret, ticket, lease = world.lent()
    token, view = made(world, "technician", "services:read", "tickets:read")
    actor, vault = bearing(world, token), world.vault
    assert world.read(checkout.leases, actor), "it may see what it is for"
    reason = "install the shop as ordered"

    def code() -> Presence:
        return world.presence("technician")

    asked = world.run(device.ask(vault, Actor.nobody("198.51.100.4", "cli")))
    for work in (
        tokens.make(vault, actor, "another", ["tickets:read"], 90, code()),
        checkout.lease(vault, actor, ticket.id, [secret], 5, reason, code()),
        account.change_password(vault, actor, "nine loud geese march past noon", code()),
        account.ask_totp(vault, actor, code()),
        account.renew_recovery(vault, actor, code()),
        device.answer(vault, actor, asked.user_code, True, code()),
        device.answer(vault, actor, asked.user_code, False),
        device.look(vault, actor, asked.user_code),
        vault.perform(checkout.reveal, actor, lease.id, secret, "password"),
        vault.perform(checkout.check_in, actor, lease.id),
        vault.perform(tokens.end, actor, view.id),
        vault.perform(sessions.end_one, actor, sessions_of(world, "technician")[0]),
        vault.perform(account.sign_out_everywhere, actor),
        vault.perform(staff.agree, actor, 1),
        vault.read(sessions.own_sessions, actor),
        vault.read(tokens.own_tokens, actor),
        vault.read(account.account, actor),
        vault.read(audit.entries, actor, None, None, None, None),
    ):
        assert answer(world, work)[0] in {Denied, NotSignedIn}, work
    assert sessions_of(world, "technician"), "and nothing of it was done"
    assert world.reveal(lease, secret)
    assert world.read(services.services, world.actor("coordinator"))[0].id == service.id


def sessions_of(world: World, who: str) -> list[str]:
    return [one.id for one in world.read(sessions.own_sessions, world.actor(who))]


@pytest.mark.attack("AN26", "AZ14")
@pytest.mark.parametrize("way", ["disabled", "not active", "password", "ended", "expired", "everything"])
def test_a_token_dies_with_what_made_it(world: World, way: str) -> None:
    token, view = made(world, "coordinator", "services:read", days=30)
    other, _ = made(world, "auditor", "log:read", days=30)
    clara = world.actor("coordinator")
    assert world.read(services.services, bearing(world, token)) is not None
    if way == "disabled":
        world.perform(staff.disable, world.actor("administrator"), clara.id)
    elif way == "not active":
        world.sql("UPDATE person SET state = 'disabled' WHERE id = :id", id=clara.id)
    elif way == "password":
        given = world.presence("coordinator")
        world.run(account.change_password(world.vault, clara, "nine loud geese march past noon", given))
    elif way == "ended":
        with refused(world, NotFound, "token.end"):
            world.perform(tokens.end, world.actor("auditor"), view.id)
        world.perform(tokens.end, clara, view.id)
    elif way == "expired":
        world.clock.advance(days=30)
        assert is_dead(world, other)
        assert is_dead(world, token)
        return
    else:
        world.run(ended(world, clara.id))
    assert is_dead(world, token)
    assert bearing(world, other), "another's lives on"


async def ended(world: World, person: str) -> None:
    from vault.storage.unit import Unit, operation

    @operation("staff.disable")
    def end(unit: Unit, _actor: Actor) -> None:
        account.end_everything(unit, person)

    await world.vault.perform(end, Actor.host())


@pytest.mark.attack("AN26", "AZ04")
def test_a_scope_is_worth_what_its_maker_may_do_now_and_no_more(embedded: World) -> None:
    for who, scope in (
        ("technician", "services:write"),
        ("technician", "log:read"),
        ("coordinator", "log:read"),
        ("auditor", "tickets:read"),
        ("administrator", "services:write"),
    ):
        actor = embedded.actor(who)
        with refused(embedded, Denied, "token.make", match="none of your roles"):
            embedded.run(tokens.make(embedded.vault, actor, "more", ["services:read", scope], 1))
    for who in ("technician", "coordinator", "auditor", "administrator"):
        actor = embedded.actor(who)
        able = {right.scope for right in RIGHTS.values() if set(right.roles) & {who}} & SCOPES.keys()
        assert tokens.usable(frozenset({who})) == able
        grown = Actor("person", actor.id, "api", "tok_x", HERE, frozenset(EVERYTHING))
        if who != "coordinator":
            work = customers.add(embedded.vault, grown, "Acme Garden Tools", "shop@acme.example")
            assert answer(embedded, work)[:2] == (Denied, "your role does not do this")


@pytest.mark.attack("AN26")
def test_a_token_does_only_what_it_was_made_for(embedded: World) -> None:
    token, _ = made(embedded, "coordinator", "tickets:read")
    actor = bearing(embedded, token)
    assert embedded.read(tickets.tickets, actor) == []
    for work in (
        embedded.vault.read(services.services, actor),
        embedded.vault.read(catalogue.service_types, actor),
        embedded.vault.read(customers.customers, actor),
        customers.add(embedded.vault, actor, "Acme Garden Tools", "shop@acme.example"),
    ):
        assert answer(embedded, work)[:2] == (Denied, "this API token was not made for that")


@pytest.mark.attack("AN07", "AZ16")
def test_a_token_takes_a_proof_of_its_own_and_one_code_makes_one(world: World) -> None:
    clara = world.actor("coordinator")
    with pytest.raises(ProofNeeded) as asked:
        world.run(tokens.make(world.vault, clara, "helpdesk", ["tickets:read"], 30, NOTHING))
    assert asked.value.challenge["deed"] == "make the API token “helpdesk” (tickets:read) for 30 days"
    given = world.presence("coordinator")
    many = world.together(
        *(tokens.make(world.vault, clara, f"n{n}", ["tickets:read"], 30, given) for n in range(5))
    )
    assert sum(isinstance(one, tuple) for one in many) == 1
    assert {type(one) for one in many if not isinstance(one, tuple)} == {Denied}
    assert len(world.sql("SELECT id FROM api_token")) == 1
    challenge = asked.value.challenge["id"]
    world.run(presence.prove_here(world.vault, clara, challenge, world.presence("coordinator")))
    proved = Presence(challenge=challenge)
    for days, error in ((31, StaleProof), (30, None), (30, StaleProof)):
        work = tokens.make(world.vault, clara, "helpdesk", ["tickets:read"], days, proved)
        assert world.run(work) if error is None else answer(world, work)[0] is error
    assert len(world.sql("SELECT id FROM api_token")) == 2


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
@pytest.mark.parametrize(
    "change",
    [
        "scopes = 'log:read services:read services:write tickets:read tickets:write'",
        "expires_at = expires_at + 1",
        "person_id = :other",
        "tag = :nothing",
        "token_hash = :mine",
    ],
)
def test_who_only_writes_to_the_database_makes_no_token_and_bends_none(world: World, change: str) -> None:
    token, view = made(world, "coordinator", "services:read")
    known, mine = made(world, "technician", "services:read"), new_token("vk_api")
    given = {"other": world.actor("technician").id, "nothing": b"\0" * 32, "mine": token_hash(mine)}
    used = {name: value for name, value in given.items() if f":{name}" in change}
    world.sql(f"UPDATE api_token SET {change} WHERE id = :id", id=view.id, **used)
    with pytest.raises(Tampered):
        bearing(world, mine if "token_hash" in change else token)
    assert bearing(world, known[0])


def test_what_cannot_be_a_token_is_refused_before_anybody_is_asked_for_a_code(embedded: World) -> None:
    actor, vault = embedded.actor("coordinator"), embedded.vault
    ask: Any = tokens.make
    for name, scopes, days in (
        ("", ["tickets:read"], 90),
        ("x" * 61, ["tickets:read"], 90),
        ("a\x07b", ["tickets:read"], 90),
        ("helpdesk", [], 90),
        ("helpdesk", ["*"], 90),
        ("helpdesk", [""], 90),
        ("helpdesk", ["tickets:read", "secrets:reveal"], 90),
        ("helpdesk", ["tickets:read"], 0),
        ("helpdesk", ["tickets:read"], 366),
    ):
        assert answer(embedded, ask(vault, actor, name, scopes, days))[0] is Invalid
    for stranger in (new_token("vk_api"), embedded.sign_in("auditor"), "vk_api_", ""):
        assert is_dead(embedded, stranger)
    token, _ = made(embedded, "coordinator", "tickets:read")
    assert answer(embedded, sessions.resolve(vault, token, HERE, "page"))[0] is NotSignedIn
    embedded.seal()
    assert answer(embedded, tokens.resolve(vault, token, HERE))[0] is Sealed


def test_one_person_has_twenty_tokens_at_most(embedded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 2)
    for _ in range(2):
        _, view = made(embedded, "coordinator", "tickets:read")
    with pytest.raises(Conflict, match="end one first"):
        made(embedded, "coordinator", "tickets:read")
    embedded.perform(tokens.end, embedded.actor("coordinator"), view.id)
    assert made(embedded, "coordinator", "tickets:read")


def test_that_a_token_was_used_is_kept_once_a_minute_and_without_an_entry(embedded: World) -> None:
    token, _ = made(embedded, "coordinator", "tickets:read")
    since, seen = embedded.size(), []
    for _ in range(4):
        bearing(embedded, token)
        seen.append(embedded.sql("SELECT seen_at FROM api_token")[0][0])
        embedded.clock.advance(seconds=31)
    assert seen[0] == seen[1] < seen[2] == seen[3]
    assert embedded.ledger(since) == []
    assert seen[3] - seen[0] < DAY
