"""Who hears of a lease that waits: whoever can say yes to it, and then whoever asked. A mail shows no reason."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from tests.approvals import NO, REASON, approved, customer_refuses, no, owner, waits
from tests.operations.mailing import PostOffice, deliver, html_of, links, post_office, sentences, text_of
from tests.operations.necessities import HOST
from tests.operations.visiting import link_of
from tests.world import World
from vault.languages import LANGUAGES, translation
from vault.operations.customers import mine
from vault.operations.house import upkeep
from vault.operations.leases import checkout
from vault.operations.people import staff

SHOP, TOM, CLARA = "shop@acme.example", "tom@agency.example", "clara@agency.example"


@pytest.fixture
def post(embedded: World) -> Iterator[PostOffice]:
    """A post office, and `embedded` set up to send by it."""
    with post_office(embedded) as office:
        yield office


@pytest.mark.promise("P8", "P9")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_customer_is_asked_at_once_in_their_language_and_by_a_link_that_does_nothing(
    embedded: World, post: PostOffice, language: str
) -> None:
    world = embedded
    service, secret, lease = waits(world, "customer")
    world.run(mine.correct(world.vault, owner(world, lease).actor, language=language, digest=True))
    deliver(world)
    asked = next(mail for mail in post.mails if "Tom Tanner" in str(mail["Subject"]))
    said, words = sentences(asked), translation(language)
    assert str(asked["Subject"]) == words.phrase(
        "%(who)s asks for your permission: %(service)s", who="Tom Tanner", service=service.title
    )
    assert asked["Content-Language"] == language
    for shown in (
        "T-1001",
        "30",
        words.gettext("Server login with a password"),
        words.moment(lease.expires_at),
    ):
        assert shown in said
    assert REASON not in said + html_of(asked)
    page = link_of(world, service.customer.id)
    assert {one for one in links(asked) if "/mine" in one} == {page}
    assert text_of(asked).rstrip().endswith(page)
    assert lease.id not in text_of(asked) + html_of(asked)
    assert secret not in text_of(asked)


@pytest.mark.promise("P8")
def test_every_coordinator_who_can_say_yes_is_asked_and_whoever_asked_hears_the_answer(
    embedded: World,
) -> None:
    carl = embedded.hire("Carl Cole", "coordinator", "carl@agency.example")
    embedded.hire("Nina New", "coordinator", "nina@agency.example")  # who has agreed to nothing yet
    embedded.actor(carl)
    with post_office(embedded) as post:
        _ask_and_answer(embedded, post)


def subjects(post: PostOffice, to: str) -> list[str]:
    """What the mails to one address are about; a long subject may begin on the header's second line."""
    return [one.strip() for one in post.subjects(to)]


def _ask_and_answer(world: World, post: PostOffice) -> None:
    _, _, lease = waits(world)
    deliver(world)
    asked = "Tom Tanner asks for your yes: ticket T-1001: the vault of Green Lane Web"
    assert subjects(post, CLARA) == subjects(post, "carl@agency.example") == [asked]
    assert post.subjects("nina@agency.example") == []
    mail = post.mails[-1]
    assert f"{world.settings.origin}/approvals/{lease.id}" in links(mail)
    for shown in ("Acme's new shop", "T-1001", "30 minutes"):
        assert shown in sentences(mail)
    assert REASON not in sentences(mail)
    approved(world, lease)
    deliver(world)
    assert subjects(post, TOM) == ["You may check out: ticket T-1001: the vault of Green Lane Web"]
    assert "Clara Cole said yes" in sentences(post.mails[-1])
    assert f"{world.settings.origin}/leases/{lease.id}" in links(post.mails[-1])
    _, _, other = waits(world)
    no(world, other)
    deliver(world)
    assert subjects(post, TOM)[-1] == "You may not check out: ticket T-1001: the vault of Green Lane Web"
    assert NO not in sentences(post.mails[-1]), "the reason is on the page"
    assert subjects(post, CLARA) == [asked], "what was decided is no news any more"
    _, _, theirs = waits(world, "customer")
    world.run(customer_refuses(world, owner(world, theirs), theirs))
    deliver(world)
    assert "the customer said no" in sentences(post.mails[-1])


@pytest.mark.promise("P8")
def test_what_lapses_is_told_and_what_is_taken_back_needs_no_mail(embedded: World, post: PostOffice) -> None:
    world = embedded
    _, _, lease = waits(world)
    world.perform(checkout.check_in, world.actor("technician"), lease.id)
    _, _, theirs = waits(world, "customer")
    world.perform(checkout.check_in, world.actor("technician"), theirs.id)
    deliver(world)
    assert post.subjects(CLARA) == subjects(post, TOM) == []
    assert not [one for one in post.subjects(SHOP) if "permission" in one]
    waits(world)
    world.clock.advance(days=1, minutes=1)
    world.run(upkeep.sweep(world.vault))
    deliver(world)
    assert subjects(post, TOM) == ["Nobody has answered: ticket T-1001: the vault of Green Lane Web"]


def test_who_left_meanwhile_is_told_nothing(embedded: World, post: PostOffice) -> None:
    world = embedded
    _, _, lease = waits(world)
    approved(world, lease)
    world.perform(staff.disable, HOST, world.member("technician").id)
    deliver(world)
    assert [one for one in subjects(post, TOM) if "check out" in one] == []


def test_a_reveal_asks_no_more_of_the_database_for_the_yes_before_it(world: World) -> None:
    _, plain, _, ordinary = world.lent()
    _, secret, lease = waits(world)
    approved(world, lease)
    asked: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    counted = []
    event.listen(world.vault.engine, "before_cursor_execute", count)
    for one, of in ((ordinary, plain), (lease, secret)):
        world.reveal(one, of)  # the first is told
        asked.clear()
        world.reveal(one, of)
        counted.append(list(asked))
    event.remove(world.vault.engine, "before_cursor_execute", count)
    assert counted[0] == counted[1]
