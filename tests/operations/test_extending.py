"""A lease is made longer while it runs, by its holder, with a proof for this, and never beyond what its type allows."""

from datetime import timedelta
from typing import Any

import pytest

from tests.approvals import BY_COORDINATOR, put
from tests.approvals import approved as said_yes
from tests.logins import GOOD
from tests.operations.desks import EXCLUSIVE, apply, leased, longer, now, planned, two_of_them
from tests.operations.visiting import come
from tests.refusals import answer, refused
from tests.world import LOGIN, World
from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, ProofNeeded, StaleProof
from vault.model.tables import Lease
from vault.operations import presence
from vault.operations.customers import happened, mine
from vault.operations.leases import checkout, extending
from vault.operations.presence import Presence
from vault.operations.services import tickets
from vault.values import Actor, to_moment

PROVED = "presence.prove ok"


def _row(reading: Any, _actor: Actor, lease_id: str) -> Lease:
    found: Lease = reading.find(Lease, id=lease_id)
    return found


@pytest.mark.promise("P2", "P4")
def test_a_lease_is_made_longer_with_a_proof_for_this_and_opens_to_its_new_end(world: World) -> None:
    _, secret, _, lease = world.lent()
    tom, since = world.actor("technician"), world.size()
    asked = answer(world, extending.extend(world.vault, tom, lease.id, 15))
    assert asked[0] is ProofNeeded
    assert "make your lease of “Acme's new shop” for ticket T-1001 longer by 15 minutes, until" in asked[1]
    given = world.presence("technician")
    view = world.run(extending.extend(world.vault, tom, lease.id, 15, given))
    assert view.expires_at - lease.expires_at == timedelta(minutes=15)
    assert (view.minutes, view.digest) == (lease.minutes, lease.digest), "what was asked for stays as it was"
    assert world.ledger(since) == [PROVED, "lease.extend ok"]
    again = extending.extend(world.vault, tom, lease.id, 15, given)
    assert answer(world, again)[0] is Denied, "a code proves one deed"
    world.clock.advance(microseconds=to_moment(view.expires_at) - world.clock.wall() - 1)
    tom = world.actor("technician") if world.clock.wall() < to_moment(view.expires_at) - 10**9 else tom
    assert world.perform(checkout.reveal, tom, lease.id, secret, "password").expose() == LOGIN["password"]
    world.clock.advance(microseconds=1)
    with refused(world, Ended, "secret.reveal"):
        world.perform(checkout.reveal, tom, lease.id, secret, "password")


@pytest.mark.promise("P4")
def test_it_is_never_longer_than_the_longest_lease_nor_than_its_service(world: World) -> None:
    _, secret, ticket, lease = world.lent()
    assert now(world, lease).extendable_minutes == 210
    assert now(world, lease, "coordinator").extendable_minutes == 0, "it is not theirs to make longer"
    for minutes in (211, 0, -5, 10**20):
        asked = longer(world, lease, minutes)
        with refused(world, Invalid, "lease.extend", match="by 1 to 210 minutes"):
            world.run(asked)
    world.run(longer(world, lease, 210))
    assert now(world, lease).extendable_minutes == 0
    asked = longer(world, lease, 1)
    with refused(world, Conflict, "lease.extend", match="as long as it can be"):
        world.run(asked)
    until = world.clock.wall() + 40 * 60 * 10**6
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, world.member("technician").id, until)
    short = world.lease(ticket, secret)
    assert 5 <= now(world, short).extendable_minutes <= 10, (
        "never past the end of what puts them on the ticket"
    )


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07", "AZ08", "AZ14")
def test_nobody_else_makes_it_longer_and_nobody_who_could_not_check_it_out(world: World) -> None:
    tina, service, secret, ticket = two_of_them(world)
    lease = world.lease(ticket, secret)
    for who in (tina, "coordinator", "auditor", "administrator"):
        asked = extending.extend(world.vault, world.actor(who), lease.id, 5, world.presence(who))
        with pytest.raises((NotFound, Denied)) as caught:
            world.run(asked)
        assert not isinstance(caught.value, StaleProof)
    visitor = come(world, service.customer.id)
    world.perform(mine.pause, visitor.actor, service.id)
    assert now(world, lease).extendable_minutes == 0
    asked = longer(world, lease, 5)
    with refused(world, Denied, "lease.extend", match="paused"):
        world.run(asked)
    world.perform(mine.resume, visitor.actor, service.id)
    clara, tom = world.actor("coordinator"), world.member("technician").id
    world.perform(tickets.unassign, clara, ticket.id, tom)
    world.perform(tickets.assign, clara, ticket.id, tom)
    asked = longer(world, lease, 5)
    with refused(world, Ended, "lease.extend"):
        world.run(asked)
    past = extending._extended
    with refused(world, NotFound, "lease.extend"):
        world.perform(past, world.actor(tina), lease.id, 5, "")
    other = world.lease(ticket, secret)
    with refused(world, StaleProof, "lease.extend"):
        world.perform(past, world.actor("technician"), other.id, 5, "")
    wrong = extending.extend(world.vault, world.actor("technician"), other.id, 5, Presence(code="000000"))
    with refused(world, Denied, "presence.prove", match="code is wrong"):
        world.run(wrong)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_what_took_a_yes_is_not_made_longer_nor_what_takes_one_by_now(world: World) -> None:
    _, secret, ticket, plain = world.lent()
    put(world, BY_COORDINATOR)
    asked = longer(world, plain, 5)
    with refused(world, Conflict, "lease.extend", match="by now this takes another person's yes"):
        world.run(asked)
    waiting = world.lease(ticket, secret)
    asked = longer(world, waiting, 5)
    with refused(world, Conflict, "lease.extend", match="has not begun"):
        world.run(asked)
    said_yes(world, waiting)
    assert now(world, waiting).extendable_minutes == 0
    asked = longer(world, waiting, 5)
    with refused(world, Conflict, "lease.extend", match="for exactly its minutes"):
        world.run(asked)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_a_proof_is_for_so_many_minutes_and_for_the_end_that_it_was_shown(embedded: World) -> None:
    _, _, _, lease = embedded.lent()
    tom, row = embedded.actor("technician"), embedded.read(_row, Actor.core(), lease.id)
    deed = extending._deed(row, 5)
    proof = embedded.run(presence.prove(embedded.vault, tom, deed, embedded.presence("technician")))
    with refused(embedded, StaleProof, "lease.extend"):
        embedded.perform(extending._extended, tom, lease.id, 200, proof)
    embedded.run(longer(embedded, lease, 10))
    with refused(embedded, StaleProof, "lease.extend"):
        embedded.perform(extending._extended, tom, lease.id, 5, proof)


@pytest.mark.promise("P8")
def test_the_customer_is_told_until_when(embedded: World) -> None:
    service, _, ticket, lease = embedded.lent()
    view = embedded.run(longer(embedded, lease, 15))
    visitor = come(embedded, service.customer.id)
    newest = embedded.read(happened.happened, visitor.actor, service.id).happened[0]
    assert (newest.type, newest.until, newest.ticket) == ("lease.extend", view.expires_at, ticket.number)


@pytest.mark.attack("AZ16")
def test_one_proof_makes_it_longer_once_however_often_it_is_sent_at_the_same_moment(world: World) -> None:
    _, _, _, lease = world.lent()
    tom, given = world.actor("technician"), world.presence("technician")
    sent = [extending.extend(world.vault, tom, lease.id, 10, given) for _ in range(8)]
    answers = world.together(*sent)
    assert sum(not isinstance(one, BaseException) for one in answers) == 1
    assert now(world, lease).expires_at - lease.expires_at == timedelta(minutes=10)


# -- logins for one at a time -----------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
def test_an_exclusive_login_is_one_persons_at_a_time_and_the_next_is_told_whose(world: World) -> None:
    apply(world, EXCLUSIVE)
    tina, _, secret, ticket = two_of_them(world)
    lease = world.lease(ticket, secret)
    assert world.lease(ticket, secret).state == "active", "they have it themselves"
    asked = leased(world, ticket, secret, who=tina)
    with refused(world, Conflict, "lease.start", match="and Tom Tanner has it until"):
        world.run(asked)
    later = planned(world, ticket, secret, who=tina, hours=2)
    asked = longer(world, lease, 120)
    with refused(world, Conflict, "lease.extend", match="Tina Torres has it from"):
        world.run(asked)
    world.run(longer(world, lease, 60))
    for one in world.read(checkout.leases, world.actor("technician")):
        world.perform(checkout.check_in, world.actor("technician"), one.id)
    assert world.lease(ticket, secret, who=tina).state == "active"
    assert later.state == "planned"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_what_waits_takes_up_nothing_and_is_judged_when_its_yes_comes(world: World) -> None:
    put(world, BY_COORDINATOR.replace("longest_life_days = 90", "longest_life_days = 90\nexclusive = true"))
    tina, _, secret, ticket = two_of_them(world)
    first, second = world.lease(ticket, secret), world.lease(ticket, secret, who=tina)
    assert (first.state, second.state) == ("asked", "asked")
    said_yes(world, second)
    with pytest.raises(Conflict, match="Tina Torres has it until"):
        said_yes(world, first)
    assert now(world, first).state == "asked", "it goes on waiting until the login is free"
    world.perform(checkout.check_in, world.actor(tina), second.id)
    assert said_yes(world, first).state == "active"


@pytest.mark.attack("AZ16")
def test_of_two_who_check_it_out_at_the_same_moment_one_gets_it(world: World) -> None:
    apply(world, EXCLUSIVE)
    tina, _, secret, ticket = two_of_them(world)
    members = ("technician", tina)
    actors = [(world.actor(who), world.presence(who)) for who in members]
    asked = [
        checkout.lease(world.vault, actor, ticket.id, [secret], 30, "both of us at once", given)
        for actor, given in actors
    ]
    answers = world.together(*asked)
    lost = [one for one in answers if isinstance(one, BaseException)]
    assert [type(one) for one in lost] == [Conflict]
    assert len(world.sql("SELECT id FROM lease WHERE state = 'active'")) == 1


def test_another_login_of_the_service_is_free_and_so_is_one_that_is_shared(embedded: World) -> None:
    tina, service, secret, ticket = two_of_them(embedded)
    other = embedded.give(service, GOOD["ssh-key"], "ssh-key")
    embedded.lease(ticket, secret)
    assert embedded.lease(ticket, secret, who=tina).state == "active", "whoever had it before keeps it"
    apply(embedded, EXCLUSIVE)
    assert embedded.lease(ticket, other, who=tina).state == "active"
