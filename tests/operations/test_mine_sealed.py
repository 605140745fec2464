"""The customer's page of a sealed vault: what is taken away counts at once and before anything opens again."""

from typing import Any

import pytest

from tests.operations import visiting
from tests.operations.visiting import Lent, code_of, come, come_again, shown
from tests.refusals import refused
from tests.world import LOGIN, World
from vault.errors import Denied, Ended, NotFound, Sealed, Tampered
from vault.model.tables import Service
from vault.operations.customers import happened, mine, records
from vault.operations.house import destruction, upkeep
from vault.storage.rows import digest, values_of


@pytest.fixture
def lent(world: World) -> Lent:
    return visiting.lent(world)


@pytest.mark.promise("P4", "P8")
def test_a_pause_in_a_sealed_vault_counts_before_anything_opens_again(lent: Lent) -> None:
    world, service, secret, lease, visitor = lent
    world.seal()
    world.perform(mine.pause, visitor.actor, service.id)
    with pytest.raises(Sealed, match="resume it when the vault is unsealed"):
        world.perform(mine.resume, visitor.actor, service.id)
    assert shown(world, visitor, service).paused_at
    world.unseal()
    with pytest.raises(Denied, match="paused"):
        world.reveal(lease, secret)
    world.perform(mine.resume, visitor.actor, service.id)
    assert world.reveal(lease, secret) == LOGIN["password"]
    world.reopen()
    assert world.reveal(lease, secret) == LOGIN["password"], "also after a restart"


@pytest.mark.promise("P5", "P8")
def test_what_is_withdrawn_in_a_sealed_vault_never_opens_again(world: World) -> None:
    service = world.service()
    request = world.ask(service)
    acme = service.customer.id
    code = code_of(world, acme)
    world.seal()
    browser, form = world.begin(request)
    secret = world.hand_in(browser, world.sealed(form)).secret
    visitor = come(world, acme, code)
    world.run(mine.withdraw(world.vault, visitor.actor, secret))
    world.unseal()
    assert world.sql("SELECT state FROM secret") == [("withdrawn",)]
    with pytest.raises(Ended):
        world.lease(world.ticket(service), secret)


@pytest.mark.promise("P5", "P8")
def test_an_end_in_a_sealed_vault_erases_the_key_at_once_and_is_certified_after_the_unseal(
    lent: Lent,
) -> None:
    world, service, secret, lease, visitor = lent
    world.seal()
    world.run(mine.end(world.vault, visitor.actor, service.id))
    assert len(world.vault.keyring.tombstones(service.id)) == 1
    assert shown(world, visitor, service).state == "ended"
    world.reopen()
    world.unseal()
    with pytest.raises((Ended, NotFound)):
        world.reveal(lease, secret)
    world.run(upkeep.sweep(world.vault))
    again = come(world, service.customer.id)
    view = shown(world, again, service)
    assert view.state == "destroyed"
    assert view.certificate
    assert (
        world.read(destruction.certificate, world.actor("coordinator"), service.id).note == view.certificate
    )


@pytest.mark.promise("P8")
def test_a_replacement_in_a_sealed_vault_is_checked_after_the_unseal(lent: Lent) -> None:
    world, _service, secret, lease, visitor = lent
    world.seal()
    browser, form = world.begin(world.perform(mine.replace, visitor.actor, secret))
    world.hand_in(browser, world.sealed(form, LOGIN | {"password": "given in the dark"}))
    world.unseal()
    assert world.reveal(lease, secret) == "given in the dark"


def test_what_needs_keys_says_so_while_the_vault_is_sealed_and_changes_nothing(lent: Lent) -> None:
    world, service, _secret, _lease, visitor = lent
    world.seal()
    with refused(world, Sealed):
        world.run(mine.correct(world.vault, visitor.actor, mail="new@acme.example"))
    with refused(world, Sealed):
        world.run(records.records(world.vault, visitor.actor, service.id))
    page = world.read(happened.happened, visitor.actor, service.id)
    assert page.happened[0].type == "lease.start"


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
@pytest.mark.parametrize("bend", ["ends_at = ends_at + 1", "title = 'Another'", "paused_at = NULL"])
def test_whoever_writes_to_the_database_changes_no_service_in_the_shade_of_a_pause(
    lent: Lent, bend: str
) -> None:
    """The entry and the head are made by the vault itself over a row that was bent with its head just before."""
    world, service, secret, lease, visitor = lent
    world.seal()
    if "paused" not in bend:
        world.sql(f"UPDATE service SET {bend} WHERE id = :id", id=service.id)
        row = Service(**dict(world.sql("SELECT * FROM service WHERE id = :id", id=service.id)[0]._mapping))
        world.sql(
            "UPDATE row_head SET digest = :digest, tag = :none WHERE row_id = :row",
            digest=digest("service", values_of(row)),
            none=b"",
            row=f"service:{service.id}",
        )
        world.reopen()
        world.seal()
        visitor = come_again(world, visitor)
        world.perform(mine.pause, visitor.actor, service.id)
    else:
        world.perform(mine.pause, visitor.actor, service.id)
        world.sql(f"UPDATE service SET {bend} WHERE id = :id", id=service.id)
    with pytest.raises(Tampered):
        unseal_and_reveal(world, lease, secret)


def unseal_and_reveal(world: World, lease: Any, secret: str) -> None:
    world.unseal()
    world.reveal(lease, secret)
