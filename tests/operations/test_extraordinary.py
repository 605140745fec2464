"""What is extraordinary opens with a proof of presence for each look, whatever the lease was proved with."""

import pytest

from tests.approvals import allowed
from tests.logins import GOOD
from tests.operations.necessities import HOST, WITH_REGISTRAR, approve
from tests.operations.visiting import come
from tests.refusals import answer
from tests.world import World
from vault.errors import Denied, NotFound, ProofNeeded, StaleProof
from vault.model.views import LeaseView
from vault.operations.customers import mine
from vault.operations.leases import checkout
from vault.operations.presence import Presence
from vault.operations.services import catalogue

REGISTRAR = GOOD["registrar"]


def lent(world: World) -> tuple[str, LeaseView]:
    """The login of a registrar, checked out, which its customer has allowed."""
    world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR))
    approve(world)
    service = world.service()
    secret = world.give(service, REGISTRAR, "registrar")
    return secret, allowed(world, world.lease(world.ticket(service), secret))


@pytest.mark.promise("P2")
@pytest.mark.attack("AN07")
def test_each_look_at_it_takes_a_proof_for_that_look(world: World) -> None:
    secret, lease = lent(world)
    tom, vault = world.actor("technician"), world.vault
    since = world.size()
    asked = answer(world, checkout.open_field(vault, tom, lease.id, secret, "password"))
    assert asked[0] is ProofNeeded
    assert "open the password of “Login of your domain registrar” for “Acme's new shop”" in asked[1]
    assert world.ledger(since) == [], "whoever is asked has not looked"
    given = world.presence("technician")
    opened = world.run(checkout.open_field(vault, tom, lease.id, secret, "password", given))
    assert opened.expose() == REGISTRAR["password"]
    assert world.ledger(since) == ["presence.prove ok", "secret.reveal ok"]
    again = checkout.open_field(vault, tom, lease.id, secret, "password", given)
    assert answer(world, again)[0] is Denied, "once"
    shown = world.run(checkout.open_field(vault, tom, lease.id, secret, "domain"))
    assert shown.expose() == REGISTRAR["domain"], "what is no secret asks no more than the lease"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ02")
def test_nobody_comes_around_the_proof_and_nobody_is_asked_for_it_in_vain(world: World) -> None:
    secret, lease = lent(world)
    tom, vault = world.actor("technician"), world.vault
    past_the_door = vault.perform(checkout.reveal, tom, lease.id, secret, "password")
    assert answer(world, past_the_door)[0] is StaleProof
    tim = world.hire("Tim Tyler", "technician")
    stranger = checkout.open_field(vault, world.actor(tim), lease.id, secret, "password")
    assert answer(world, stranger)[0] is NotFound
    for other in ("sec_00000000000000000000", "?"):
        assert answer(world, checkout.open_field(vault, tom, lease.id, other, "password"))[0] is NotFound
    customer = come(world, world.sql("SELECT id FROM customer")[0][0]).actor
    world.perform(mine.pause, customer, lease.service_id)
    paused = answer(world, checkout.open_field(vault, tom, lease.id, secret, "password"))
    assert paused[0] is Denied, "nobody spends a code on what is refused anyway"
    world.perform(mine.resume, customer, lease.service_id)
    wrong = checkout.open_field(vault, tom, lease.id, secret, "password", Presence(code="000000"))
    assert answer(world, wrong)[0] is Denied
