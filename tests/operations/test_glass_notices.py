"""Who hears of broken glass: the customer, every coordinator and every auditor, at once, in mails of their own."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.approvals import approved, owner, put
from tests.operations.glasses import (
    NOTE,
    WHY,
    breakable,
    broken,
    leave,
    nobody_answers,
    reviewed,
)
from tests.operations.mailing import PostOffice, deliver, html_of, links, post_office, sentences, text_of
from tests.operations.visiting import link_of
from tests.world import World
from vault.languages import LANGUAGES, translation
from vault.operations.customers import happened, mine
from vault.operations.house import upkeep
from vault.operations.leases import checkout
from vault.operations.services import tickets
from vault.values import clock_words, to_datetime, to_moment

SHOP, TOM, CLARA, AXEL = (
    "shop@acme.example",
    "tom@agency.example",
    "clara@agency.example",
    "axel@agency.example",
)
END = ": the vault of Green Lane Web"


@pytest.fixture
def post(embedded: World) -> Iterator[PostOffice]:
    """A post office, and `embedded` set up to send by it."""
    with post_office(embedded) as office:
        yield office


def subjects(post: PostOffice, to: str) -> list[str]:
    return [one.strip() for one in post.subjects(to)]


@pytest.mark.promise("P8", "P9")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_customer_hears_of_it_at_once_in_their_language_whatever_they_have_chosen_to_be_told(
    embedded: World, post: PostOffice, language: str
) -> None:
    """Not in the day's digest, and not held back with the notices of a busy hour."""
    world = embedded
    service, secret, _, lease = nobody_answers(world)
    customer = owner(world, lease)
    world.run(mine.correct(world.vault, customer.actor, language=language, digest=True))
    deliver(world)
    begun = broken(world, lease)
    world.reveal(begun, secret)
    deliver(world)
    words = translation(language)
    said = "Opened without the permission that it takes: %(service)s"
    mail = next(one for one in post.mails if str(one["Subject"]) == words.phrase(said, service=service.title))
    assert (mail["To"], mail["Content-Language"]) == (SHOP, language)
    body = sentences(mail)
    login = words.gettext("Server login with a password")
    for shown in (
        "Tom Tanner",
        "T-1001",
        login,
        words.moment(begun.starts_at),
        words.moment(begun.expires_at),
    ):
        assert shown in body
    assert WHY not in body + html_of(mail)
    assert {one for one in links(mail) if "/mine" in one} == {link_of(world, service.customer.id)}
    assert lease.id not in text_of(mail) + html_of(mail)


@pytest.mark.promise("P8")
def test_every_coordinator_and_auditor_hears_of_it_and_whoever_did_it_hears_the_verdict(
    embedded: World,
) -> None:
    world = embedded
    put(world, breakable(days=1))
    world.hire("Cora Clear", "coordinator", "cora@agency.example")  # who has agreed to nothing yet
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    tina = world.hire("Tina Tell", "technician coordinator", "tina@agency.example")
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, tina.id)
    with post_office(world) as post:
        lease = world.lease(ticket, secret, who=tina)
        world.clock.advance(minutes=16)
        lease = broken(world, lease, tina)
        deliver(world)
        asked = "Tina Tell asks for your yes: ticket T-1001" + END
        begun = "Tina Tell has broken the glass: ticket T-1001" + END
        assert asked not in subjects(post, CLARA), "what has begun waits no more"
        for to in (CLARA, "cora@agency.example", AXEL):
            assert subjects(post, to).count(begun) == 1
        mail = next(one for one in post.mails if one["To"] == AXEL)
        assert f"{world.settings.origin}/reviews/{lease.review_id}" in links(mail)
        assert WHY not in sentences(mail)
        assert subjects(post, "tina@agency.example") == []
        world.clock.advance(days=1)
        world.run(upkeep.sweep(world.vault))
        deliver(world)
        overdue = "Nobody has reviewed the broken glass: ticket T-1001" + END
        assert subjects(post, AXEL)[-1] == overdue
        reviewed(world, lease, "not justified")
        world.clock.advance(days=1)
        world.run(upkeep.sweep(world.vault))
        deliver(world)
        assert subjects(post, AXEL).count(overdue) == 1, "it is closed, and no news any more"
        (closed,) = [one for one in post.mails if one["To"] == "tina@agency.example"]
        assert str(closed["Subject"]).strip() == "Your broken glass was reviewed: ticket T-1001" + END
        assert "Axel Audley has reviewed" in sentences(closed)
        assert "not justified" in sentences(closed)
        assert NOTE not in sentences(closed), "that is on the page"
        assert f"{world.settings.origin}/leases/{lease.id}" in links(closed)


def test_who_left_meanwhile_hears_nothing(embedded: World, post: PostOffice) -> None:
    world = embedded
    _, _, _, lease = nobody_answers(world)
    broken(world, lease)
    leave(world, "auditor")
    deliver(world)
    assert not [one for one in subjects(post, AXEL) if "glass" in one]


@pytest.mark.promise("P2", "P8")
@pytest.mark.attack("AZ24")
def test_who_opens_many_services_is_told_of_once_a_day(embedded: World) -> None:
    world = embedded
    world.settings = world.settings.model_copy(update={"services_a_day": 1})
    with post_office(world) as post:
        for at in range(3):
            customer = world.customer(f"Customer {at}", f"c{at}@customers.example")
            service = world.service(customer, f"Shop {at}")
            secret = world.give(service)
            world.lease(world.ticket(service, number=f"T-{at}"), secret)
        deliver(world)
        many = "Tom Tanner opens many services today" + END
        assert subjects(post, CLARA).count(many) == subjects(post, AXEL).count(many) == 1
        assert many not in subjects(post, TOM)
        (mail,) = [one for one in post.mails if one["To"] == AXEL]
        assert links(mail) == {f"{world.settings.origin}/leases"}


@pytest.mark.promise("P8")
def test_what_is_planned_is_asked_for_and_answered_with_its_time(embedded: World, post: PostOffice) -> None:
    world = embedded
    for approver in ("coordinator", "customer"):
        put(world, breakable(approver))
        service = world.service()
        secret, ticket = world.give(service), world.ticket(service)
        begins = to_datetime(world.clock.wall()) + timedelta(hours=5)
        tom, given = world.actor("technician"), world.presence("technician")
        lease = world.run(
            checkout.lease(
                world.vault, tom, ticket.id, [secret], 30, "change the disk at night", given, begins
            )
        )
        deliver(world)
        if approver == "customer":
            mail = next(one for one in post.mails if "permission" in str(one["Subject"]))
            assert f"not to be opened before {translation('en').moment(begins)}" in sentences(mail)
            continue
        (mail,) = [one for one in post.mails if one["To"] == CLARA]
        assert f"30 minutes, from {clock_words(to_moment(begins))} on" in sentences(mail)
        approved(world, lease)
        deliver(world)
        (mail,) = [one for one in post.mails if one["To"] == TOM]
        assert f"It runs from {clock_words(to_moment(begins))} until" in sentences(mail)


@pytest.mark.promise("P8")
def test_the_customers_page_says_that_it_began_without_a_yes_why_and_what_somebody_else_found(
    embedded: World,
) -> None:
    world = embedded
    service, _, _, lease = nobody_answers(world)
    customer = owner(world, lease).actor
    lease = broken(world, lease)
    (shown,) = world.read(mine.page, customer).services
    (lent,) = shown.lent
    assert (lent.glass, lent.who, lent.until) == (True, "Tom Tanner", lease.expires_at)
    reviewed(world, lease, "not justified")
    told = world.read(happened.happened, customer, service.id).happened
    closed, began = (
        next(one for one in told if one.type == kind) for kind in ("review.close", "lease.break-glass")
    )
    assert (began.by_name, began.reason) == ("Tom Tanner", WHY)
    assert (closed.by_name, closed.judged, closed.reason) == ("Axel Audley", "not justified", NOTE)
    assert world.read(mine.page, customer).services[0].lent == ()
