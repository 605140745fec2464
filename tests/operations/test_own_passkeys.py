"""Customers' passkeys: they open their owner's page and nothing of the staff, as a colleague's opens no customer's."""

from typing import Any

import pytest

from tests.authenticator import HONEST, Lies, SoftPasskey
from tests.operations.provers import with_passkey
from tests.operations.visiting import NOBODY, come
from tests.refusals import answer
from tests.world import World
from vault.errors import NotFound, NotSignedIn, Sealed
from vault.operations.customers import mine, own_passkeys, visits
from vault.operations.people import sessions
from vault.values import Actor


def opened(world: World, visiting: visits.Visiting) -> Actor:
    return world.run(visits.resolve(world.vault, visiting.token, NOBODY.source))


def added(world: World, actor: Actor) -> SoftPasskey:
    asked, key = world.run(own_passkeys.ask(world.vault, actor)), SoftPasskey(world.settings.origin)
    world.perform(own_passkeys.add, actor, asked["challenge"], key.create(asked["passkey"]), "My telephone")
    return key


def starting(world: World, key: SoftPasskey, lies: Lies = HONEST) -> Any:
    asked = world.run(sessions.ask_passkey(world.vault, NOBODY))
    given = key.get(asked["passkey"], lies)
    return own_passkeys.start(world.vault, NOBODY, asked["challenge"], given)


@pytest.mark.promise("P8")
@pytest.mark.attack("AN22")
def test_a_passkey_opens_the_page_of_its_customer_alone(world: World) -> None:
    acme, globex = world.customer(), world.customer("Globex", "it@globex.example")
    actor = come(world, acme.id).actor
    key, since = added(world, actor), world.size()
    again = opened(world, world.run(starting(world, key)))
    assert (again.kind, again.id) == ("customer", acme.id)
    assert world.ledger(since) == ["visit.start ok"]
    assert world.read(mine.page, again).name == "Acme Garden Tools"
    assert [one.name for one in world.read(own_passkeys.own, again)] == ["My telephone"]
    other = come(world, globex.id).actor
    (passkey,) = world.read(own_passkeys.own, again)
    refused = own_passkeys.remove
    assert answer(world, world.vault.perform(refused, other, passkey.id))[0] is NotFound
    assert answer(world, starting(world, key, Lies(user_verified=False)))[0] is NotSignedIn
    assert answer(world, starting(world, key, Lies(user_handle=globex.id.encode())))[0] is NotSignedIn


@pytest.mark.promise("P2")
@pytest.mark.attack("AN22", "AZ06")
def test_neither_the_staff_nor_a_customer_signs_in_with_the_others_passkey(world: World) -> None:
    acme = world.customer()
    key = added(world, come(world, acme.id).actor)
    asked = world.run(sessions.ask_passkey(world.vault, NOBODY))
    given = key.get(asked["passkey"])
    work = sessions.sign_in_with_passkey(world.vault, asked["challenge"], given, NOBODY)
    assert answer(world, work)[0] is NotSignedIn
    colleague = with_passkey(world, "technician")
    assert answer(world, starting(world, colleague))[0] is NotSignedIn


@pytest.mark.attack("AN22", "AN26")
def test_the_last_passkey_can_go_and_opens_nothing_then_nor_while_the_vault_is_sealed(world: World) -> None:
    acme = world.customer()
    actor = come(world, acme.id).actor
    key = added(world, actor)
    world.seal()
    assert answer(world, own_passkeys.start(world.vault, NOBODY, "chl_x", {}))[0] is Sealed
    world.unseal()
    assert world.run(starting(world, key))
    (passkey,) = world.read(own_passkeys.own, actor)
    world.perform(own_passkeys.remove, actor, passkey.id)
    assert world.read(own_passkeys.own, actor) == ()
    assert answer(world, starting(world, key))[0] is NotSignedIn
    told = world.sql("SELECT count(*) FROM outbox WHERE template = 'customer.passkey'")
    assert told == [(2,)], "the customer hears of each change"
