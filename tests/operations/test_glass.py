"""Breaking the glass: it begins what nobody answers to, for a short time, before everybody's eyes, and nothing else."""

from datetime import timedelta

import pytest

from tests.approvals import WRONG, changed, customer_refuses, no, owner, put, row_of, yes
from tests.logins import GOOD
from tests.operations.glasses import (
    MINUTES,
    WHY,
    breakable,
    breaking,
    broken,
    leave,
    nobody_answers,
    reviewed,
    shown,
    stays_whole,
    told,
)
from tests.operations.necessities import HOST, WITH_REGISTRAR, approve
from tests.refusals import refused
from tests.world import LOGIN, World
from vault.errors import (
    Conflict,
    Denied,
    Ended,
    Invalid,
    NotFound,
    ProofNeeded,
    Resting,
    Sealed,
    StaleProof,
    Tampered,
    VaultError,
)
from vault.operations import presence
from vault.operations.customers import mine
from vault.operations.leases import approving, checkout, glass
from vault.operations.people import tokens
from vault.operations.presence import Presence
from vault.operations.services import catalogue, tickets
from vault.values import Actor, new_id, to_datetime

PROVED = "presence.prove ok"


# -- the story --------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P1", "P2", "P4", "P8")
def test_what_nobody_answers_to_begins_at_once_shortly_and_before_everybodys_eyes(world: World) -> None:
    service, secret, _, lease = nobody_answers(world)
    carl = world.hire(
        "Carl Cole", "coordinator"
    )  # who rests a day, has agreed to nothing, and is told all the same
    before = shown(world, lease)
    assert (before.state, before.breakable, before.why_not_breakable) == ("asked", True, "")
    assert (before.breakable_minutes, before.review_days, before.reviewers) == (
        MINUTES,
        3,
        ("Axel Audley", "Carl Cole"),
    )
    with refused(world, Conflict, "secret.reveal", match="waits for another person's yes"):
        world.reveal(lease, secret)
    since = world.size()
    begun = broken(world, lease)
    assert world.ledger(since)[-2:] == [PROVED, "lease.break-glass ok"]
    assert begun.starts_at == to_datetime(world.clock.wall())
    assert begun.expires_at - begun.starts_at == timedelta(minutes=MINUTES)
    assert (begun.state, begun.decided_by_name, begun.review_state) == ("active", "", "open")
    (facts,) = world.sql("SELECT name, subject_id FROM disclosure ORDER BY seq DESC LIMIT 1")
    assert tuple(facts) == ("reason", world.member("technician").id)
    (body,) = world.sql("SELECT body FROM ledger_entry ORDER BY seq DESC LIMIT 1")[0]
    assert begun.review_id in body
    assert WHY not in body
    everybody = {("staff.glass-broken", one) for one in (world.member("auditor").id, carl.id)}
    assert set(told(world)) == {("lease.glass-broken", service.customer.id)} | everybody
    assert world.reveal(begun, secret) == LOGIN["password"]
    world.clock.advance(minutes=MINUTES)
    tom = Actor("person", world.member("technician").id, "api")
    with refused(world, Ended, "secret.reveal"):
        world.perform(checkout.reveal, tom, lease.id, secret, "password")


@pytest.mark.promise("P2", "P4")
def test_who_can_answer_has_a_quarter_of_an_hour_and_not_a_second_less(world: World) -> None:
    put(world, breakable())
    _, secret, _, lease = world.lent()
    assert "15 minutes" in shown(world, lease).why_not_breakable
    stays_whole(world, lease, Conflict, "can answer")
    world.actor("technician")
    left = lease.starts_at + timedelta(minutes=15) - to_datetime(world.clock.wall())
    world.clock.advance(seconds=left.total_seconds() - 31)
    tom, given = world.actor("technician"), world.presence("technician")
    left = lease.starts_at + timedelta(minutes=15) - to_datetime(world.clock.wall())
    world.clock.advance(microseconds=left / timedelta(microseconds=1) - 1)
    with refused(world, Conflict, "lease.break-glass", match="can answer"):
        world.run(glass.break_glass(world.vault, tom, lease.id, WHY, given))
    world.clock.advance(microseconds=1)
    assert shown(world, lease).breakable
    assert broken(world, lease).state == "active"
    assert world.reveal(lease, secret) == LOGIN["password"]


@pytest.mark.promise("P4")
def test_it_is_never_longer_than_what_was_asked_for_and_never_made_longer(embedded: World) -> None:
    world = embedded
    put(world, breakable(minutes=60))
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    world.actor("auditor")
    leave(world, "coordinator")
    lease = broken(world, world.lease(ticket, secret, minutes=7))
    assert lease.expires_at - lease.starts_at == timedelta(minutes=7)
    assert shown(world, lease).extendable_minutes == 0


@pytest.mark.promise("P2")
def test_there_is_one_way_to_begin_it_and_whoever_is_first_has_it(world: World) -> None:
    put(world, breakable())
    _, _, _, lease = world.lent()
    world.clock.advance(minutes=16)
    clara, tom = world.actor("coordinator"), world.actor("technician")
    hers, his = world.presence("coordinator"), world.presence("technician")
    won = world.together(
        approving.approve(world.vault, clara, lease.id, lease.digest, hers),
        glass.break_glass(world.vault, tom, lease.id, WHY, his),
    )
    assert sorted(type(one).__name__ for one in won) == ["Ended", "LeaseView"]
    (state, decided_by, review) = world.sql(
        "SELECT state, decided_by, review_id FROM lease WHERE id = :id", id=lease.id
    )[0]
    assert state == "active"
    assert bool(decided_by) != bool(review), "a yes or broken glass, never both and never neither"
    assert len(world.sql("SELECT id FROM review")) == bool(review)


# -- in whose place it stands, and in whose not -----------------------------------------------------------------------


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_nothing_stands_in_the_place_of_the_customers_yes(world: World) -> None:
    put(world, breakable("customer"))
    _, secret, _, lease = world.lent()
    world.clock.advance(hours=1)
    assert (shown(world, lease).breakable, shown(world, lease).why_not_breakable) == (False, "")
    stays_whole(world, lease, Denied, "nothing stands in its place")
    with refused(world, Conflict, "secret.reveal"):
        world.reveal(lease, secret)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_a_row_that_says_that_the_customers_lease_broke_glass_opens_nothing(embedded: World) -> None:
    """The digests find it first; were they to match, the rule itself would not let it pass."""
    world = embedded
    put(world, breakable("customer"))
    _, secret, _, lease = world.lent()
    world.sql("UPDATE lease SET state = 'active', review_id = :id", id=new_id("rev"))
    with refused(world, Tampered, "secret.reveal"):
        world.reveal(lease, secret)


@pytest.mark.promise("P2", "P7")
def test_what_is_extraordinary_waits_whatever_happens(embedded: World) -> None:
    world = embedded
    line = 'kind = "registrar", approval = "coordinator", because'
    toml = WITH_REGISTRAR.replace('kind = "registrar", because', line).replace(
        "longest_life_days", "break_glass_minutes = 20\nlongest_life_days"
    )
    world.run(catalogue.apply(world.vault, HOST, toml))
    approve(world)
    service = world.service()
    secret = world.give(service, GOOD["registrar"], "registrar")
    lease = world.lease(world.ticket(service), secret)
    assert lease.approver == "coordinator"
    world.clock.advance(hours=1)
    stays_whole(world, lease, Denied, "more than a server")
    assert "more than a server" in shown(world, lease).why_not_breakable


@pytest.mark.promise("P2")
def test_a_type_that_does_not_say_so_has_no_glass(embedded: World) -> None:
    world = embedded
    put(world, breakable())
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    lease = world.lease(ticket, secret)
    world.clock.advance(hours=1)
    assert shown(world, lease).breakable
    put(world, breakable(minutes=0))
    assert (shown(world, lease).breakable, shown(world, lease).why_not_breakable) == (False, "")
    stays_whole(world, lease, Denied, "lets nobody break the glass")
    put(world, breakable("customer"))
    stays_whole(world, lease, Conflict, "catalogue has changed")


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_a_no_is_a_no_by_whatever_ticket_login_and_words_it_is_asked_for_again(world: World) -> None:
    """Who was refused asks again in the middle of the night, by another ticket, and waits a quarter of an hour."""
    put(world, breakable())
    service, secret, ticket, first = world.lent()
    again = world.ticket(service, number="T-2")
    tim = world.hire("Tim Tyler", "technician")
    for end in (
        lambda one: no(world, one),
        lambda one: world.perform(checkout.revoke, world.actor("coordinator"), one.id),
    ):
        end(first)
        world.clock.advance(minutes=20)
        second = world.lease(again, secret)
        world.clock.advance(minutes=20)
        assert "said no to you" in shown(world, second).why_not_breakable
        stays_whole(world, second, Denied, "somebody has")
        world.perform(checkout.check_in, world.actor("technician"), second.id)
        world.clock.advance(days=2)
        first = world.lease(ticket, secret)
    world.clock.advance(minutes=16)
    assert shown(world, first).breakable, "two days later it is another day"
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, tim.id)
    no(world, first)
    theirs = world.lease(ticket, secret, who=tim)
    world.clock.advance(minutes=16)
    assert shown(world, theirs, tim).breakable, "it was said to Tom"


@pytest.mark.promise("P2", "P8")
@pytest.mark.attack("AZ11")
def test_a_customers_no_is_a_no_to_another_login_of_that_service_too(embedded: World) -> None:
    world = embedded
    put(world, breakable("customer"))
    service, secret, ticket, lease = world.lent()
    world.run(customer_refuses(world, owner(world, lease), lease))
    put(
        world,
        breakable().replace(
            'kind = "ssh-key", because', 'kind = "ssh-key", approval = "coordinator", because'
        ),
    )
    other = world.give(service, GOOD["ssh-key"], "ssh-key")
    second = world.lease(ticket, other)
    assert (second.approver, secret != other) == ("coordinator", True)
    world.clock.advance(minutes=16)
    stays_whole(world, second, Denied, "somebody has")


@pytest.mark.promise("P2", "P8")
def test_while_the_customer_has_paused_nobody_breaks_anything_and_pausing_stops_it_at_once(
    world: World,
) -> None:
    service, secret, _, lease = nobody_answers(world)
    customer = owner(world, lease)
    world.perform(mine.pause, customer.actor, service.id)
    stays_whole(world, lease, Denied, "customer has paused")
    assert "customer has paused" in shown(world, lease).why_not_breakable
    world.perform(mine.resume, customer.actor, service.id)
    begun = broken(world, lease)
    assert world.reveal(begun, secret) == LOGIN["password"]
    world.perform(mine.pause, customer.actor, service.id)
    with refused(world, Denied, "secret.reveal", match="customer has paused"):
        world.reveal(begun, secret)


@pytest.mark.promise("P4")
def test_what_is_planned_for_later_is_no_emergency(embedded: World) -> None:
    world = embedded
    put(world, breakable())
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    tom, given = world.actor("technician"), world.presence("technician")
    later = to_datetime(world.clock.wall()) + timedelta(hours=2)
    lease = world.run(
        checkout.lease(world.vault, tom, ticket.id, [secret], 30, "change the disk at night", given, later)
    )
    world.clock.advance(hours=1)
    stays_whole(world, lease, Conflict, "planned for later")
    world.clock.advance(hours=1, minutes=1)
    assert broken(world, lease).state == "active"


# -- twice, and before nobody's eyes ----------------------------------------------------------------------------------


@pytest.mark.promise("P2")
def test_nobody_breaks_it_twice_before_somebody_has_looked_at_the_first(world: World) -> None:
    _, secret, ticket, lease = nobody_answers(world)
    second = world.lease(ticket, secret)
    begun = broken(world, lease)
    stays_whole(world, second, Denied, "nobody has reviewed")
    assert "nobody has reviewed" in shown(world, second).why_not_breakable
    world.clock.advance(minutes=MINUTES)
    with pytest.raises(Denied):
        world.run(breaking(world, second, given=WRONG))
    reviewed(world, begun)
    assert broken(world, second).review_id not in {"", begun.review_id}
    assert shown(world, lease).review_state == "closed"


@pytest.mark.promise("P2")
def test_two_at_once_are_one(world: World) -> None:
    _, secret, ticket, lease = nobody_answers(world)
    second = world.lease(ticket, secret)
    tom = world.actor("technician")
    proofs = [world.presence("technician") for _ in range(2)]
    done = world.together(
        *(
            glass.break_glass(world.vault, tom, one.id, WHY, given)
            for one, given in zip((lease, second), proofs, strict=True)
        )
    )
    assert sorted(type(one).__name__ for one in done) == ["Denied", "LeaseView"]
    assert len(world.sql("SELECT id FROM review")) == 1


@pytest.mark.promise("P2")
def test_of_whom_it_was_said_that_it_was_not_justified_waits_for_a_month(embedded: World) -> None:
    world = embedded
    _, secret, ticket, lease = nobody_answers(world)
    reviewed(world, broken(world, lease), "not justified")
    world.clock.advance(days=3)
    second = world.lease(ticket, secret)
    stays_whole(world, second, Denied, "should not have broken")


@pytest.mark.promise("P2")
def test_the_glass_stays_whole_where_nobody_would_look_at_it(embedded: World) -> None:
    """The last others leave while it waits, or are by the rule of the week perhaps the same person."""
    world = embedded
    _, _, _, lease = nobody_answers(world)
    tom, axel = world.member("technician"), world.member("auditor")
    world.perform(changed, HOST, axel.id, {"made_by": tom.id, "created_at": world.vault.now()})
    stays_whole(world, lease, Denied, "could review it")
    world.perform(changed, HOST, axel.id, {"made_by": "host"})
    assert shown(world, lease).breakable
    leave(world, axel)
    stays_whole(world, lease, Denied, "could review it")


# -- by whom, and with what -------------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ08")
def test_nobody_breaks_the_glass_for_another(world: World) -> None:
    _, _, ticket, lease = nobody_answers(world)
    carl = world.hire("Carl Cole", "coordinator")
    tim = world.hire("Tim Tyler", "technician")
    world.perform(tickets.assign, world.actor(carl), ticket.id, tim.id)
    for who, error in ((tim, NotFound), (carl, Denied), ("auditor", Denied), ("administrator", Denied)):
        stays_whole(world, lease, error, "there is no such thing|your role does not", who)
    ghost = lease.model_copy(update={"id": new_id("lse")})
    stays_whole(world, ghost, NotFound, "there is no such thing")
    assert shown(world, lease, carl).breakable is False, "it is not hers to break"
    assert row_of(world, lease) == ("asked", "", "")


@pytest.mark.promise("P2")
def test_it_takes_a_proof_for_this_lease_and_these_words(world: World) -> None:
    _, secret, ticket, lease = nobody_answers(world)
    other = world.lease(ticket, secret)
    tom = world.actor("technician")
    with pytest.raises(ProofNeeded, match="every coordinator and every auditor are told at once") as needed:
        world.run(glass.break_glass(world.vault, tom, lease.id, WHY))
    challenge = needed.value.challenge["id"]
    world.run(presence.prove_here(world.vault, tom, challenge, world.presence("technician")))
    proved = Presence(challenge=challenge)
    for lease_id, why in ((other.id, WHY), (lease.id, WHY + ", really")):
        with pytest.raises(StaleProof):
            world.run(glass.break_glass(world.vault, tom, lease_id, why, proved))
    with pytest.raises(Denied, match="code is wrong"):
        world.run(breaking(world, lease, given=WRONG))
    with refused(world, StaleProof, "lease.break-glass"):
        world.perform(glass._broken, tom, lease.id, WHY, "")
    assert row_of(world, lease) == ("asked", "", "")
    assert world.run(glass.break_glass(world.vault, tom, lease.id, WHY, proved)).state == "active"


@pytest.mark.attack("AN26")
def test_no_token_no_sealed_vault_and_nobody_who_rests_breaks_it(embedded: World) -> None:
    world = embedded
    _, _, _, lease = nobody_answers(world)
    tom = world.member("technician")
    scopes = ["tickets:read", "services:read"]
    made = tokens.make(world.vault, world.actor(tom), "helpdesk", scopes, 90, world.presence(tom))
    token, _ = world.run(made)
    bearer = world.run(tokens.resolve(world.vault, token, "192.0.2.7"))
    with refused(world, Denied, "lease.break-glass", match="not made for that"):
        world.run(glass.break_glass(world.vault, bearer, lease.id, WHY, WRONG))
    resting = world.vault.now() + 3600 * 10**6
    world.perform(changed, HOST, tom.id, {"rests_until": resting})
    with refused(world, Resting, "lease.break-glass"):
        world.run(breaking(world, lease, given=WRONG))
    world.perform(changed, HOST, tom.id, {"rests_until": 0})
    actor, given = world.actor(tom), world.presence(tom)
    world.seal()
    with pytest.raises(Sealed):
        world.run(glass.break_glass(world.vault, actor, lease.id, WHY, given))


@pytest.mark.parametrize("why", ["", "emergency", "x" * 39, "x" * 501, "it is down\0" * 6])
def test_its_reason_is_a_long_one(embedded: World, why: str) -> None:
    _, _, _, lease = nobody_answers(embedded)
    with refused(embedded, Invalid):
        embedded.run(breaking(embedded, lease, why))


@pytest.mark.promise("P4")
@pytest.mark.parametrize("how", ["off the ticket", "ticket closed", "disabled", "taken back", "too late"])
def test_what_waits_no_longer_has_no_glass(embedded: World, how: str) -> None:
    world = embedded
    put(world, breakable())
    _, _, ticket, lease = world.lent()
    tom, clara = world.actor("technician"), world.actor("coordinator")
    match how:
        case "off the ticket":
            world.perform(tickets.unassign, clara, ticket.id, tom.id)
        case "ticket closed":
            world.perform(tickets.close, clara, ticket.id)
        case "disabled":
            leave(world, "technician")
        case "taken back":
            world.perform(checkout.check_in, tom, lease.id)
        case "too late":
            world.clock.advance(days=1)
    with pytest.raises(VaultError) as caught:
        world.run(glass.break_glass(world.vault, tom, lease.id, WHY, WRONG))
    assert not isinstance(caught.value, StaleProof)
    assert world.sql("SELECT id FROM review") == []


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ12", "AZ14")
def test_a_coordinator_takes_it_back_at_any_moment_and_it_ends_with_its_holder(world: World) -> None:
    _, secret, _, lease = nobody_answers(world)
    carl = world.hire("Carl Cole", "coordinator")
    begun = broken(world, lease)
    world.perform(checkout.revoke, world.actor(carl), begun.id)
    with refused(world, Ended, "secret.reveal"):
        world.reveal(begun, secret)
    for again in (lambda: breaking(world, lease, given=WRONG), lambda: yes(world, lease, carl, given=WRONG)):
        with pytest.raises(Ended):
            world.run(again())
    assert world.sql("SELECT state FROM review") == [("open",)], "that it was taken back reviews nothing"


def test_whoever_answers_meanwhile_has_answered(world: World) -> None:
    put(world, breakable())
    _, _, _, lease = world.lent()
    world.clock.advance(minutes=16)
    world.run(yes(world, lease))
    stays_whole(world, lease, Ended, "decided or taken back")
