"""A coordinator's yes: a lease waits for it, opens nothing before, and begins with it exactly as it was asked for."""

from datetime import timedelta

import pytest

from tests.approvals import (
    BY_COORDINATOR,
    NO,
    REASON,
    WRONG,
    approved,
    changed,
    no,
    put,
    row_of,
    taking,
    told,
    waits,
    yes,
)
from tests.logins import GOOD
from tests.operations.necessities import HOST
from tests.refusals import answer, everything, refused
from tests.world import CATALOGUE, LOGIN, Member, World
from vault.errors import (
    Conflict,
    Denied,
    Ended,
    Invalid,
    NotAgreed,
    NotFound,
    NotSignedIn,
    ProofNeeded,
    Resting,
    StaleProof,
)
from vault.model.views import LeaseView
from vault.operations import presence
from vault.operations.house import upkeep
from vault.operations.leases import approving, checkout
from vault.operations.people import staff, tokens
from vault.operations.presence import Presence
from vault.operations.services import tickets
from vault.policy.approval import MOST_ASKED
from vault.values import DAY, Actor, new_id, to_datetime

PROVED = "presence.prove ok"
GONE = "decided or taken back meanwhile, or has waited too long"


# -- the story --------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P1", "P2", "P4", "P8")
@pytest.mark.attack("AZ11")
def test_a_lease_that_takes_a_coordinators_yes_opens_nothing_before_it_and_runs_from_then(
    world: World,
) -> None:
    since = world.size()
    _, secret, lease = waits(world)
    assert (lease.minutes, lease.decided_by_name) == (30, "")
    assert lease.expires_at - lease.starts_at == timedelta(days=1), "so long it waits"
    assert world.ledger(since)[-2:] == [PROVED, "lease.start ok"]
    (body,) = world.sql("SELECT body FROM ledger_entry ORDER BY seq DESC LIMIT 1")[0]
    assert '"approver":"coordinator"' in body
    with refused(world, Conflict, "secret.reveal", match="waits for another person's yes"):
        world.reveal(lease, secret)
    (waiting,) = world.read(approving.waiting, world.actor("coordinator"))
    assert (waiting.lease, waiting.yours, waiting.why_not) == (lease, True, "")
    world.clock.advance(hours=20)
    since, begun = world.size(), approved(world, lease)
    assert world.ledger(since)[-2:] == [PROVED, "lease.approve ok"]
    assert (begun.state, begun.decided_by_name, begun.digest) == ("active", "Clara Cole", lease.digest)
    assert begun.starts_at == to_datetime(world.clock.wall())
    assert begun.expires_at - begun.starts_at == timedelta(minutes=30)
    assert world.reveal(lease, secret) == LOGIN["password"]
    assert world.read(approving.waiting, world.actor("coordinator")) == []
    clara, tom = world.member("coordinator").id, world.member("technician").id
    assert told(world)[:2] == [("staff.lease-asked", clara), ("staff.lease-approved", tom)]
    world.clock.advance(minutes=30)
    with refused(world, Ended, "secret.reveal"):
        world.perform(checkout.reveal, Actor("person", tom, "api"), lease.id, secret, "password")


@pytest.mark.promise("P8")
def test_a_no_ends_it_with_its_reason_in_the_row_the_record_and_the_mail(world: World) -> None:
    _, secret, lease = waits(world)
    since = world.size()
    no(world, lease)
    assert world.ledger(since)[-1] == "lease.refuse ok"
    (facts,) = world.sql("SELECT name, subject_id FROM disclosure ORDER BY seq DESC LIMIT 1")
    assert tuple(facts) == ("reason", world.member("coordinator").id)
    (body,) = world.sql("SELECT body FROM ledger_entry ORDER BY seq DESC LIMIT 1")[0]
    assert NO not in body
    shown = world.read(checkout.lease_view, world.actor("technician"), lease.id)
    assert (shown.state, shown.ended_how) == ("ended", "refused")
    assert (shown.decided_by_name, shown.refusal) == ("Clara Cole", NO)
    assert told(world)[-1] == ("staff.lease-refused", world.member("technician").id)
    with refused(world, Ended, "secret.reveal"):
        world.reveal(lease, secret)
    for again in (lambda: world.run(yes(world, lease)), lambda: no(world, lease)):
        with pytest.raises(Ended, match=GONE):
            again()
    assert row_of(world, lease) == ("ended", "refused", world.member("coordinator").id)


def test_the_reason_of_a_no_is_one(embedded: World) -> None:
    _, _, lease = waits(embedded)
    for said in ("", "no", "x" * 201, "no\0no no no no"):
        with refused(embedded, Invalid):
            no(embedded, lease, reason=said)


@pytest.mark.promise("P4")
def test_who_decides_nothing_for_a_day_has_let_it_lapse(world: World) -> None:
    _, _, lease = waits(world)
    world.actor("coordinator")
    left = lease.expires_at - to_datetime(world.clock.wall())
    world.clock.advance(seconds=left.total_seconds() - 600)
    clara, given = world.actor("coordinator"), world.presence("coordinator")
    world.clock.advance(
        microseconds=(lease.expires_at - to_datetime(world.clock.wall())) / timedelta(microseconds=1)
    )
    assert world.read(approving.waiting, clara) == [], "no sweep has come by yet"
    view = world.read(approving.approval_view, clara, lease.id)
    assert (view.lease.state, view.lease.ended_how, view.yours) == ("ended", "not answered", False)
    assert GONE in view.why_not
    with refused(world, Ended, "lease.approve", match=GONE):
        world.run(approving.approve(world.vault, clara, lease.id, lease.digest, given))
    with refused(world, Ended, "lease.refuse", match=GONE):
        no(world, lease)
    since = world.size()
    world.run(upkeep.sweep(world.vault))
    assert "lease.expire ok" in world.ledger(since)
    assert row_of(world, lease) == ("ended", "not answered", "")
    assert told(world)[-1] == ("staff.lease-lapsed", world.member("technician").id)


def test_it_waits_no_longer_than_its_service_lasts(embedded: World) -> None:
    put(embedded, BY_COORDINATOR)
    service = embedded.service(days=1)
    secret, ticket = embedded.give(service), embedded.ticket(service)
    embedded.clock.advance(hours=20)
    lease = embedded.lease(ticket, secret)
    assert lease.expires_at == service.ends_at
    assert approved(embedded, lease).expires_at < service.ends_at


def test_whoever_asked_takes_it_back_and_any_coordinator_turns_it_down(world: World) -> None:
    _, secret, lease = waits(world)
    world.perform(checkout.check_in, world.actor("technician"), lease.id)
    assert row_of(world, lease) == ("ended", "taken back", "")
    other = world.lease(world.read(tickets.tickets, world.actor("technician"))[0], secret)
    world.perform(checkout.revoke, world.actor("coordinator"), other.id)
    assert row_of(world, other) == ("ended", "revocation", "")
    for one in (lease, other):
        with refused(world, Ended, "lease.check-in"):
            world.perform(checkout.check_in, world.actor("technician"), one.id)
        with pytest.raises(Ended, match=GONE):
            world.run(yes(world, one))


def test_nothing_is_reported_broken_that_was_never_opened(embedded: World) -> None:
    _, secret, lease = waits(embedded)
    tom = embedded.actor("technician")
    with refused(embedded, Conflict, "secret.report", match="waits for another person's yes"):
        embedded.run(checkout.report_broken(embedded.vault, tom, lease.id, secret, "it does not let me in"))


def test_what_somebody_checked_out_lately_is_shown_and_not_what_they_only_asked_for(embedded: World) -> None:
    world = embedded
    service, secret, _, before = world.lent()
    ticket = world.ticket(service, number="T-2")
    world.clock.advance(days=6)
    later = world.lease(ticket, secret)
    put(world, BY_COORDINATOR)
    said_no, taken, allowed = (world.lease(ticket, secret) for _ in range(3))
    no(world, said_no)
    world.perform(checkout.check_in, world.actor("technician"), taken.id)
    approved(world, allowed)
    asked = world.lease(ticket, secret)
    tim = world.hire("Tim Tyler", "technician")
    world.lease(world.ticket(service, tim, number="T-3"), secret, who=tim)
    clara = world.actor("coordinator")
    first, second = (
        world.read(approving.approval_view, clara, one.lease.id)
        for one in world.read(approving.waiting, clara)
    )
    assert (first.lease.id, second.lease.person_name) == (asked.id, "Tim Tyler")
    assert [one.id for one in first.lately] == [allowed.id, later.id, before.id]
    assert second.lately == ()
    world.clock.advance(days=1, seconds=-60)
    world.run(upkeep.sweep(world.vault))
    shown = world.read(approving.approval_view, world.actor("coordinator"), asked.id)
    assert [one.id for one in shown.lately] == [allowed.id, later.id], "a week is over for the first"


# -- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01", "AZ11", "AZ22")
def test_only_an_active_coordinator_who_agreed_and_is_rested_says_yes_or_no(world: World) -> None:
    _, _, lease = waits(world)
    for role in ("technician", "auditor", "administrator"):
        world.actor(role)
        with refused(world, Denied, "lease.approve", match="role does not do this"):
            world.run(yes(world, lease, role, given=WRONG))
        with refused(world, Denied, "lease.refuse", match="role does not do this"):
            no(world, lease, role)
        for look in (approving.waiting, approving.approval_view):
            with pytest.raises(Denied):
                world.read(look, world.actor(role), *([lease.id] if look is approving.approval_view else []))
    for nobody in (
        HOST,
        Actor.core(),
        Actor.nobody("192.0.2.7", "api"),
        Actor("customer", new_id("cus"), "page"),
    ):
        with pytest.raises(NotSignedIn):
            world.run(approving.approve(world.vault, nobody, lease.id, lease.digest, WRONG))
        with pytest.raises(NotSignedIn):
            world.run(approving.refuse(world.vault, nobody, lease.id, lease.digest, NO))
    carl = world.hire("Carl Cole", "coordinator")
    world.actor(carl)
    world.perform(changed, HOST, carl.id, {"rests_until": world.vault.now() + DAY})
    with refused(world, Resting, "lease.approve"):
        world.run(yes(world, lease, carl, given=WRONG))
    world.perform(changed, HOST, carl.id, {"rests_until": 0, "agreed_version": 0})
    actor = Actor("person", carl.id, "api")
    with refused(world, NotAgreed, "lease.approve"):
        world.run(approving.approve(world.vault, actor, lease.id, lease.digest, WRONG))
    world.perform(staff.disable, HOST, carl.id)
    with pytest.raises(NotSignedIn):
        world.run(approving.approve(world.vault, actor, lease.id, lease.digest, WRONG))
    assert row_of(world, lease) == ("asked", "", "")


@pytest.mark.promise("P2")
@pytest.mark.attack("AN26", "AZ11")
def test_no_token_says_yes_or_no(world: World) -> None:
    _, _, lease = waits(world)
    clara, given = world.actor("coordinator"), world.presence("coordinator")
    scopes = ["tickets:read", "tickets:write", "services:read", "services:write"]
    token, _ = world.run(tokens.make(world.vault, clara, "helpdesk", scopes, 90, given))
    bearer = world.run(tokens.resolve(world.vault, token, "192.0.2.7"))
    with refused(world, Denied, "lease.approve", match="not made for that"):
        world.run(
            approving.approve(world.vault, bearer, lease.id, lease.digest, world.presence("coordinator"))
        )
    with refused(world, Denied, "lease.refuse", match="not made for that"):
        world.run(approving.refuse(world.vault, bearer, lease.id, lease.digest, NO))
    with pytest.raises(Denied):
        world.read(approving.waiting, bearer)


def both(world: World) -> tuple[Member, LeaseView]:
    """Somebody who is technician and coordinator, and a lease that they asked for."""
    put(world, BY_COORDINATOR)
    tina = world.hire("Tina Tell", "technician coordinator")
    service = world.service()
    secret = world.give(service)
    return tina, world.lease(world.ticket(service, tina), secret, who=tina)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_nobody_says_yes_to_what_they_asked_for(world: World) -> None:
    tina, lease = both(world)
    clara = world.member("coordinator").id
    assert told(world) == [("staff.lease-asked", clara)], "whoever asks is not asked"
    with refused(world, Denied, "lease.approve", match="asked for it yourself"):
        world.run(yes(world, lease, tina, given=WRONG))
    with refused(world, Denied, "lease.refuse", match="take it back instead"):
        no(world, lease, tina)
    (view,) = world.read(approving.waiting, world.actor(tina))
    assert (view.yours, view.why_not) == (False, "you have asked for it yourself")
    assert approved(world, lease).state == "active"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11", "AZ12")
def test_whoever_becomes_coordinator_after_they_asked_says_no_yes_to_it_either(world: World) -> None:
    _, _, lease = waits(world)
    tom = world.member("technician")
    world.perform(changed, HOST, tom.id, {"roles": "coordinator technician"})
    with refused(world, Denied, "lease.approve", match="asked for it yourself"):
        world.run(yes(world, lease, tom, given=WRONG))


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_a_second_account_of_ones_own_says_no_yes_within_a_week(world: World) -> None:
    _, _, lease = waits(world)
    tom, carl = world.member("technician"), world.hire("Carl Cole", "coordinator")
    now, ada = world.vault.now(), world.member("administrator").id
    for mine, theirs in (
        ({"made_by": tom.id, "created_at": now}, {}),
        ({"made_by": ada, "created_at": now}, {"made_by": ada, "created_at": now}),
        ({"made_by": "host"}, {"made_by": carl.id, "created_at": now}),
    ):
        world.perform(changed, HOST, carl.id, mine)
        world.perform(changed, HOST, tom.id, theirs or {"made_by": "host"})
        world.actor(carl)
        with refused(world, Denied, "lease.approve", match="added by the other, or both by the same"):
            world.run(yes(world, lease, carl, given=WRONG))
        views = {one.lease.id: one for one in world.read(approving.waiting, world.actor(carl))}
        assert "added by the other" in views[lease.id].why_not
    world.perform(changed, HOST, tom.id, {"created_at": now - 7 * DAY})
    assert approved(world, lease, carl).state == "active"


@pytest.mark.promise("P2")
def test_nobody_asks_in_vain_or_spends_a_code_on_it(world: World) -> None:
    tom, clara = world.member("technician"), world.member("coordinator")
    put(world, BY_COORDINATOR)
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    actor = world.actor(tom)
    world.perform(staff.disable, HOST, clara.id)
    with refused(world, Denied, "lease.start", match="no other coordinator who can say it now"):
        world.run(checkout.lease(world.vault, actor, ticket.id, [secret], 30, REASON, WRONG))
    carl = world.hire("Carl Cole", "coordinator")
    world.actor(carl)
    for _ in range(MOST_ASKED):
        lease = world.lease(ticket, secret)
        world.clock.advance(minutes=2)
    actor = world.actor(tom)
    with refused(world, Conflict, "lease.start", match="take some of them back first"):
        world.run(checkout.lease(world.vault, world.actor(tom), ticket.id, [secret], 30, REASON, WRONG))
    world.perform(checkout.check_in, world.actor(tom), lease.id)
    assert world.lease(ticket, secret).state == "asked"


# -- to what exactly --------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11", "AN07")
def test_a_yes_is_proved_for_this_lease_as_it_was_read_and_once(world: World) -> None:
    service, secret, lease = waits(world)
    other = world.lease(world.ticket(service, number="T-2"), secret)
    clara, vault = world.actor("coordinator"), world.vault
    with pytest.raises(ProofNeeded) as needed:
        world.run(approving.approve(vault, clara, lease.id, lease.digest))
    assert needed.value.challenge["deed"] == (
        "let Tom Tanner check out one login of “Acme's new shop” for ticket T-1001, 30 minutes"
    )
    for digest in (other.digest, "", "0" * 64, lease.digest.upper(), "ä", "\ud800", "x" * 100_000):
        with refused(world, Conflict, "lease.approve", match="read it as it is now"):
            world.run(yes(world, lease, given=WRONG, digest=digest))
        with refused(world, Conflict, "lease.refuse", match="read it as it is now"):
            world.run(approving.refuse(vault, clara, lease.id, digest, NO))
    with refused(world, Denied, "presence.prove", match="code is wrong"):
        world.run(yes(world, lease, given=WRONG))
    challenge = needed.value.challenge["id"]
    world.run(presence.prove_here(vault, clara, challenge, world.presence("coordinator")))
    for_one = Presence(challenge=challenge)
    before = everything(world)
    with pytest.raises(StaleProof):
        world.run(yes(world, other, given=for_one))
    assert everything(world) == before
    proof = world.sql("SELECT proof_id FROM challenge WHERE id = :id", id=challenge)[0][0]
    with refused(world, StaleProof, "lease.approve"):
        world.perform(approving._approved, clara, other.id, other.digest, proof)
    assert world.run(yes(world, lease, given=for_one)).state == "active"
    with refused(world, Ended, "lease.approve"):
        world.perform(approving._approved, clara, lease.id, lease.digest, proof)
    assert row_of(world, other)[0] == "asked"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ02")
def test_what_waits_for_no_coordinator_is_not_theirs_to_decide(world: World) -> None:
    _, _, ticket, lease = world.lent()
    clara = world.actor("coordinator")
    for unknown in (lease.id, new_id("lse"), ticket.id, "?", "\ud800"):
        with refused(world, NotFound, "lease.approve"):
            world.run(approving.approve(world.vault, clara, unknown, lease.digest, WRONG))
        with refused(world, NotFound, "lease.refuse"):
            world.run(approving.refuse(world.vault, clara, unknown, lease.digest, NO))
        with pytest.raises(NotFound):
            world.read(approving.approval_view, clara, unknown)
    _, _, theirs = waits(world, "customer")
    with refused(world, Denied, "lease.approve", match="takes the customer's yes"):
        world.run(yes(world, theirs, given=WRONG))
    with refused(world, Denied, "lease.refuse", match="takes the customer's yes"):
        no(world, theirs)
    assert world.read(approving.waiting, world.actor("coordinator")) == []
    assert (
        "customer's yes" in world.read(approving.approval_view, world.actor("coordinator"), theirs.id).why_not
    )


# -- in a sealed vault ------------------------------------------------------------------------------------------------


@pytest.mark.promise("P3")
def test_a_sealed_vault_takes_no_coordinators_yes(world: World) -> None:
    _, _, lease = waits(world)
    clara = world.actor("coordinator")
    world.seal()
    before = everything(world)
    kind, *_ = answer(world, approving.approve(world.vault, clara, lease.id, lease.digest, WRONG))
    assert kind.__name__ in {"Sealed", "NotSignedIn"}
    assert everything(world) == before


def test_without_a_yes_in_the_catalogue_a_lease_begins_at_once(embedded: World) -> None:
    put(embedded, taking("coordinator"))
    put(embedded, CATALOGUE)
    _, secret, _, lease = embedded.lent()
    assert (lease.state, lease.approver) == ("active", "")
    assert embedded.reveal(lease, secret) == LOGIN["password"]
    assert told(embedded) == []


def test_one_lease_takes_one_persons_yes(world: World) -> None:
    key_line = 'kind = "ssh-key", because'
    put(world, BY_COORDINATOR.replace(key_line, f'approval = "customer", {key_line}'))
    service = world.service()
    password, key = world.give(service), world.give(service, GOOD["ssh-key"], "ssh-key")
    ticket, tom = world.ticket(service), world.actor("technician")
    shown = world.read(tickets.ticket, tom, ticket.id).secrets
    assert {one.id: one.approval for one in shown} == {password: "coordinator", key: "customer"}
    with refused(world, Invalid, "lease.start", match="check these out one by one"):
        world.run(checkout.lease(world.vault, tom, ticket.id, [password, key], 30, REASON, WRONG))
    put(world, BY_COORDINATOR)
    other = world.service()
    password, key = world.give(other), world.give(other, GOOD["ssh-key"], "ssh-key")
    mixed = world.lease(world.ticket(other, number="T-2"), password, key)
    assert mixed.approver == "coordinator", "the key takes nobody's"
