"""Broken glass is looked at by somebody else, in time, to its end; and is recalled every day until somebody does."""

from datetime import timedelta

import pytest

from tests.approvals import BY_COORDINATOR, WRONG, changed, put
from tests.operations.glasses import (
    MINUTES,
    NOTE,
    WHY,
    breakable,
    breaking,
    broken,
    closing,
    leave,
    nobody_answers,
    reviewed,
    shown,
    told,
)
from tests.operations.necessities import HOST
from tests.refusals import refused
from tests.world import Member, World
from vault.errors import (
    Conflict,
    Denied,
    Ended,
    Invalid,
    NotFound,
    ProofNeeded,
    Resting,
    StaleProof,
    Tampered,
    VaultError,
)
from vault.model.desk_views import ReviewView
from vault.model.views import LeaseView
from vault.operations import presence
from vault.operations.house import operator, upkeep
from vault.operations.leases import reviewing
from vault.operations.people import tokens
from vault.operations.presence import Presence
from vault.values import new_id

PROVED = "presence.prove ok"


def stays_open(
    world: World,
    lease: LeaseView,
    error: type[VaultError],
    match: str,
    verdict: str = "justified",
    who: "str | Member" = "auditor",
) -> None:
    """Closing it is refused before any proof is looked at, with its entry, and nothing changes."""
    world.actor(who)
    with refused(world, error, "review.close", match=match):
        world.run(closing(world, lease, verdict, who, given=WRONG))


def one(world: World, lease: LeaseView, who: "str | Member" = "auditor") -> ReviewView:
    found: ReviewView = world.read(reviewing.review_view, world.actor(who), lease.review_id)
    return found


def begun(world: World) -> tuple[str, LeaseView]:
    """Glass that was broken, and the secret behind it."""
    _, secret, _, lease = nobody_answers(world)
    return secret, broken(world, lease)


@pytest.mark.promise("P2", "P8")
def test_somebody_else_sees_why_and_what_was_opened_and_says_what_they_find(world: World) -> None:
    secret, lease = begun(world)
    world.reveal(lease, secret)
    world.reveal(lease, secret)
    before = one(world, lease)
    assert (before.state, before.reason, before.yours, before.why_not) == ("open", WHY, True, "")
    assert before.due_at - before.created_at == timedelta(days=3)
    (seen,) = before.opened
    assert (seen.person_name, seen.way, seen.times) == ("Tom Tanner", "revealed", 2)
    world.clock.advance(minutes=MINUTES)
    since, after = world.size(), reviewed(world, lease)
    assert world.ledger(since)[-2:] == [PROVED, "review.close ok"]
    assert (after.state, after.verdict, after.note, after.closed_by_name) == (
        "closed",
        "justified",
        NOTE,
        "Axel Audley",
    )
    (facts,) = world.sql("SELECT name, subject_id FROM disclosure ORDER BY seq DESC LIMIT 1")
    assert tuple(facts) == ("note", world.member("auditor").id)
    (body,) = world.sql("SELECT body FROM ledger_entry ORDER BY seq DESC LIMIT 1")[0]
    assert '"judged":"justified"' in body
    assert NOTE not in body
    assert told(world, "staff.review%") == [("staff.review-closed", world.member("technician").id)]
    stays_open(world, lease, Ended, "reviewed already")
    assert shown(world, lease).review_state == "closed"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_nobody_is_absolved_before_they_have_done_it(world: World) -> None:
    """An accomplice says at once that it was justified, and then everything is opened that nobody looks at again."""
    secret, lease = begun(world)
    stays_open(world, lease, Conflict, "still runs")
    world.clock.advance(minutes=MINUTES)
    assert reviewed(world, lease).verdict == "justified"
    with pytest.raises(Ended):
        world.reveal(lease, secret)


@pytest.mark.promise("P2", "P4")
def test_that_it_was_not_justified_ends_it_at_once(world: World) -> None:
    secret, lease = begun(world)
    assert reviewed(world, lease, "not justified").lease.state == "ended"
    world.actor("technician")
    with refused(world, Ended, "secret.reveal"):
        world.reveal(lease, secret)
    assert shown(world, lease).ended_how == "revocation"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_nobody_reviews_their_own_with_whichever_account(world: World) -> None:
    put(world, breakable())
    tina = world.hire("Tina Tell", "technician coordinator")
    service = world.service()
    secret = world.give(service)
    waits = world.lease(world.ticket(service, tina), secret, who=tina)
    world.clock.advance(minutes=16)
    lease = broken(world, waits, tina)
    assert ("staff.glass-broken", tina.id) not in told(world), "whoever does it knows it"
    world.clock.advance(minutes=MINUTES)
    stays_open(world, lease, Denied, "it is your own", who=tina)
    assert (one(world, lease, tina).yours, one(world, lease, tina).why_not) == (False, "it is your own")
    second = world.member("auditor")
    world.perform(changed, HOST, second.id, {"made_by": tina.id, "created_at": world.vault.now()})
    for verdict in reviewing.VERDICTS:
        stays_open(world, lease, Denied, "within the last week", verdict, second)
    world.perform(changed, HOST, second.id, {"made_by": "host"})
    assert reviewed(world, lease, who=second).state == "closed"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01", "AZ22", "AN26")
def test_only_who_watches_sees_reviews_and_closes_them(embedded: World) -> None:
    world = embedded
    _, lease = begun(world)
    world.clock.advance(minutes=MINUTES)
    for role in ("technician", "administrator"):
        stays_open(world, lease, Denied, "your role does not do this", who=role)
        for look in (lambda a: (reviewing.reviews, a), lambda a: (reviewing.review_view, a, lease.review_id)):
            with pytest.raises(Denied):
                world.read(*look(world.actor(role)))
    axel = world.member("auditor")
    made = tokens.make(world.vault, world.actor(axel), "siem", ["log:read"], 90, world.presence(axel))
    token, _ = world.run(made)
    bearer = world.run(tokens.resolve(world.vault, token, "192.0.2.7"))
    with refused(world, Denied, "review.close", match="not made for that"):
        world.run(reviewing.close_review(world.vault, bearer, lease.review_id, "justified", NOTE, WRONG))
    world.perform(changed, HOST, axel.id, {"rests_until": world.vault.now() + 10**9})
    world.actor(axel)
    with refused(world, Resting, "review.close"):
        world.run(closing(world, lease, given=WRONG))
    world.perform(changed, HOST, axel.id, {"rests_until": 0})
    ghost = lease.model_copy(update={"review_id": new_id("rev")})
    stays_open(world, ghost, NotFound, "there is no such thing")


@pytest.mark.promise("P2")
def test_it_takes_a_proof_for_this_verdict_and_this_note(embedded: World) -> None:
    world = embedded
    _, lease = begun(world)
    world.clock.advance(minutes=MINUTES)
    axel = world.actor("auditor")

    with pytest.raises(ProofNeeded, match="justified that Tom Tanner broke the glass") as needed:
        world.run(reviewing.close_review(world.vault, axel, lease.review_id, "justified", NOTE))
    challenge = needed.value.challenge["id"]
    world.run(presence.prove_here(world.vault, axel, challenge, world.presence("auditor")))
    proved = Presence(challenge=challenge)
    for verdict, note in (("not justified", NOTE), ("justified", NOTE + "!")):
        with pytest.raises(StaleProof):
            world.run(reviewing.close_review(world.vault, axel, lease.review_id, verdict, note, proved))
    for verdict, note in (("", NOTE), ("maybe", NOTE), ("justified", "fine"), ("justified", "x" * 501)):
        with refused(world, Invalid):
            world.run(reviewing.close_review(world.vault, axel, lease.review_id, verdict, note, proved))
    with refused(world, StaleProof, "review.close"):
        world.perform(reviewing._closed, axel, lease.review_id, "justified", NOTE, "")
    done = world.run(reviewing.close_review(world.vault, axel, lease.review_id, "justified", NOTE, proved))
    assert done.state == "closed"


@pytest.mark.promise("P4", "P8")
def test_a_review_that_nobody_closes_is_recalled_every_day_and_never_lapses(world: World) -> None:
    _, lease = begun(world)
    cora = world.hire("Cora Clear", "coordinator")
    world.clock.advance(days=3, minutes=-1)
    world.run(upkeep.sweep(world.vault))
    assert told(world, "staff.review%") == []
    world.clock.advance(minutes=1)
    watching = {world.member("auditor").id, cora.id}
    for day in (1, 2, 3):
        since = world.size()
        for _ in range(3):
            world.run(upkeep.sweep(world.vault))
        assert world.ledger(since).count("review.overdue ok") == 1, "once a day, however often it looks"
        mails = told(world, "staff.review-overdue")
        assert (len(mails), {to for _, to in mails}) == (2 * day, watching)
        world.clock.advance(days=1)
    found = {one.subject: one for one in world.run(operator.doctor(world.vault))}["reviews"]
    assert (found.level, found.text[:8]) == ("warning", "1 review")
    assert "nobody has reviewed" in _next(world, lease).why_not_breakable
    reviewed(world, lease, who=cora)
    since = world.size()
    world.run(upkeep.sweep(world.vault))
    assert "review.overdue ok" not in world.ledger(since)
    found = {one.subject: one for one in world.run(operator.doctor(world.vault))}["reviews"]
    assert (found.level, "nobody hears of it at once" in found.text) == ("warning", True), (
        "there is no mail server"
    )
    put(world, BY_COORDINATOR)
    found = {one.subject: one for one in world.run(operator.doctor(world.vault))}["reviews"]
    assert found.level == "ok"


def _next(world: World, lease: LeaseView) -> LeaseView:
    """The same asked for again."""
    ticket = type("T", (), {"id": lease.ticket_id})()
    return shown(world, world.lease(ticket, *[one.id for one in lease.secrets]))


def test_one_that_nobody_is_left_to_hear_of_fills_no_ledger(embedded: World) -> None:
    world = embedded
    begun(world)
    leave(world, "auditor")
    world.clock.advance(days=4)
    since = world.size()
    for _ in range(5):
        world.run(upkeep.sweep(world.vault))
    assert world.ledger(since).count("review.overdue ok") == 1


@pytest.mark.promise("P6")
def test_a_review_that_was_closed_behind_the_vaults_back_is_none(world: World) -> None:
    """Else whoever writes to the database could break the glass again and again, and nobody would be asked to look."""
    _, secret, ticket, lease = nobody_answers(world)
    second = world.lease(ticket, secret)
    broken(world, lease)
    world.actor("technician")
    for bent in (
        "UPDATE review SET state = 'closed', verdict = 'justified'",
        "UPDATE review SET person_id = (SELECT id FROM person WHERE roles = 'auditor')",
        "DELETE FROM review",
    ):
        world.sql(bent)
        with refused(world, Tampered, "lease.break-glass"):
            world.run(breaking(world, second, given=WRONG))


def test_the_list_has_what_waits_first(embedded: World) -> None:
    world = embedded
    put(world, breakable(days=1))
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    tim = world.hire("Tim Tyler", "technician")
    others = world.ticket(service, tim, number="T-2")
    world.actor("auditor")
    leave(world, "coordinator")
    first = broken(world, world.lease(ticket, secret))
    world.clock.advance(minutes=MINUTES)
    second = broken(world, world.lease(others, secret, who=tim), tim)
    reviewed(world, second, "not justified")
    axel = world.actor("auditor")
    assert [found.lease.id for found in world.read(reviewing.reviews, axel)] == [first.id, second.id]
