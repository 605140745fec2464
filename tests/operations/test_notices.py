"""What customers hear, in which order, and how often: of everything that concerns them, and never a secret."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from sqlalchemy import event

from tests.approvals import allowed
from tests.operations.mailing import (
    PostOffice,
    deliver,
    html_of,
    links,
    post_office,
    sentences,
    text_of,
)
from tests.operations.necessities import HOST, WITH_REGISTRAR, approve
from tests.operations.visiting import NOBODY, ask, code_of, come, link_of
from tests.world import LOGIN, World
from vault.crypto.tokens import new_token
from vault.errors import NotFound
from vault.languages import LANGUAGES, translation
from vault.model.messages import Begin, Done
from vault.operations.customers import intake, mine, requests, visits
from vault.operations.house import delivery, operator
from vault.operations.leases import checkout
from vault.operations.services import catalogue, services
from vault.outbox.gathered import NOTICES
from vault.values import DAY, HOUR, Actor, to_datetime

CUSTOMER = Actor.nobody("198.51.100.9", "intake")
SHOP = "shop@acme.example"
REGISTRAR = {
    "provider": "Example Domains",
    "url": "https://example-domains.example/login",
    "domain": "acme.example",
    "username": "acme",
    "password": "zanzibar-crocus-12",
}


@pytest.fixture
def post(request: pytest.FixtureRequest) -> Iterator[PostOffice]:
    """A post office, and the company of the test set up to send by it."""
    company = "world" if "world" in request.fixturenames else "embedded"
    with post_office(request.getfixturevalue(company)) as office:
        yield office


def settle(world: World) -> None:
    """Let the time pass in which receipts of one form wait for each other."""
    world.clock.advance(seconds=200)
    deliver(world)


def owner(world: World) -> str:
    """The one customer's id."""
    ((found,),) = world.sql("SELECT id FROM customer")
    return str(found)


def waiting(world: World) -> list[str]:
    """What waits and is due, or was tried."""
    rows = world.sql(
        "SELECT template FROM outbox WHERE state = 'waiting' AND template <> 'service.ending' ORDER BY id"
    )
    return [str(row[0]) for row in rows]


# -- the story -----------------------------------------------------------------------------------------------


@pytest.mark.promise("P8")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_customer_hears_of_everything_in_its_order_and_language(
    embedded: World, post: PostOffice, language: str
) -> None:
    service = embedded.service()
    visitor = come(embedded, owner(embedded))
    embedded.run(mine.correct(embedded.vault, visitor.actor, language=language))
    embedded.perform(requests.ask, embedded.actor("coordinator"), service.id, ["ssh-password"], "mail")
    deliver(embedded)
    (code,) = re.findall(r"/give#([0-9A-Z-]+)$", text_of(post.mails[-1]), re.MULTILINE)
    browser = new_token("vk_giv")
    form = embedded.run(intake.begin(embedded.vault, CUSTOMER, Begin(code=code, browser=browser)))
    receipt = embedded.hand_in(browser, embedded.sealed(form))
    embedded.run(intake.done(embedded.vault, CUSTOMER, Done(browser=browser)))
    settle(embedded)
    ticket = embedded.ticket(service)
    lease = embedded.lease(ticket, receipt.secret)
    embedded.reveal(lease, receipt.secret)
    deliver(embedded)
    embedded.reveal(lease, receipt.secret, "username")
    deliver(embedded)
    for change in (mine.pause, mine.resume):
        embedded.perform(change, visitor.actor, service.id)
        deliver(embedded)
    embedded.run(mine.withdraw(embedded.vault, visitor.actor, receipt.secret))
    deliver(embedded)
    embedded.run(mine.end(embedded.vault, visitor.actor, service.id))
    deliver(embedded)
    words = translation(language)
    told = [
        "%(business)s asks you for access: %(service)s",
        *[NOTICES[name].subject for name in ("secret.received", "secret.first-use")],
        *[NOTICES[name].subject for name in ("service.paused", "service.resumed", "secret.withdrawn")],
        "Your access for %(service)s was destroyed",
    ]
    expected = [
        words.phrase(subject, business="Green Lane Web", service="Acme's new shop") for subject in told
    ]
    assert post.subjects(SHOP) == expected
    received, used = post.mails[1], post.mails[2]
    assert receipt.reference in sentences(received)
    for said in ("Tom Tanner", "T-1001", words.gettext("Server login with a password")):
        assert said in sentences(used)
    page = link_of(embedded, owner(embedded))
    for mail in post.mails:
        assert mail["Content-Language"] == language
        assert text_of(mail).rstrip().endswith(f"    {page}")
        assert words.phrase("Hello %(name)s,", name="Acme Garden Tools") in text_of(mail)
    assert waiting(embedded) == []


@pytest.mark.promise("P9")
def test_no_mail_holds_a_secret_a_reason_or_an_address_that_does_something(
    embedded: World, post: PostOffice
) -> None:
    service, secret, _, lease = embedded.lent()
    embedded.reveal(lease, secret)
    visitor = come(embedded, owner(embedded))
    for change in (mine.pause, mine.resume):
        embedded.perform(change, visitor.actor, service.id)
    settle(embedded)
    embedded.perform(requests.ask, embedded.actor("coordinator"), service.id, ["ssh-password"], "mail")
    deliver(embedded)
    embedded.end(service)
    deliver(embedded)
    assert len(post.mails) == 3
    for mail in post.mails:
        whole = text_of(mail) + html_of(mail)
        for hidden in (*LOGIN.values(), lease.reason, "Install the shop"):
            assert len(hidden) < 4 or hidden not in whole  # a port's number is anywhere
        for link in links(mail):
            assert "?" not in link
            assert re.fullmatch(rf"{re.escape(embedded.settings.origin)}/(?:give|mine)#[0-9A-Z-]+", link), (
                "only our own, and what names somebody stands where no server sees it"
            )


def test_the_html_says_the_same_words_and_loads_nothing(embedded: World, post: PostOffice) -> None:
    service = embedded.service(title='Shop & <img src="https://evil.example/x"> sons')
    embedded.perform(requests.ask, embedded.actor("coordinator"), service.id, None, "mail")
    deliver(embedded)
    (mail,) = post.mails
    html = html_of(mail)
    assert "Shop &amp; &lt;img src=&quot;" in html
    tags = set(re.findall(r"<([a-z]+)", html))
    assert tags == {"html", "head", "meta", "title", "body", "div", "p", "a"}
    attributes = set(re.findall(r' ([a-z]+)="', html))
    assert attributes == {"lang", "charset", "name", "content", "style", "href"}
    assert "url(" not in html
    assert set(re.findall(r'href="([^"]+)"', html)) == {
        link for link in links(mail) if link.startswith(embedded.settings.origin)
    }
    words = unescape(re.sub(r"<[^>]+>", " ", html[html.index("<body") :]))
    assert " ".join(words.split()) == f"Green Lane Web {sentences(mail)}"


# -- the first use and the extraordinary ones ----------------------------------------------------------------


@pytest.mark.promise("P8")
def test_every_use_of_an_extraordinary_kind_is_told_and_of_others_the_first(
    embedded: World, post: PostOffice
) -> None:
    embedded.run(catalogue.apply(embedded.vault, HOST, WITH_REGISTRAR))
    approve(embedded)
    service = embedded.service()
    plain, rare = embedded.give(service), embedded.give(service, REGISTRAR, "registrar")
    settle(embedded)
    assert len(post.mails) == 1, "two receipts, one mail"
    assert "2 things happened" in post.subjects()[0]
    lease = allowed(embedded, embedded.lease(embedded.ticket(service), plain, rare))
    deliver(embedded)
    sent = len(post.subjects(SHOP))
    for secret in (plain, plain, rare, rare, plain, rare):
        tom, given = embedded.actor("technician"), embedded.presence("technician")
        embedded.run(checkout.open_field(embedded.vault, tom, lease.id, secret, "password", given))
        deliver(embedded)
    first, used = (
        NOTICES[name].subject % {"service": service.title} for name in ("secret.first-use", "secret.used")
    )
    assert post.subjects(SHOP)[sent:] == [first, first, used, used]
    assert "Login of your domain registrar" in sentences(post.mails[-1])


@pytest.mark.promise("P8")
def test_what_is_given_anew_is_told_anew_when_it_is_first_used(embedded: World, post: PostOffice) -> None:
    service, secret, ticket, lease = embedded.lent()
    embedded.reveal(lease, secret)
    embedded.give(service)
    settle(embedded)
    sent = len(post.mails)
    embedded.reveal(embedded.lease(ticket, secret), secret)
    deliver(embedded)
    assert post.subjects()[sent:] == [NOTICES["secret.first-use"].subject % {"service": service.title}]


@pytest.mark.promise("P8")
def test_the_first_look_is_told_where_programs_were_handed_it_before(world: World) -> None:
    _, secret, _, lease = world.lent()
    for way in ("use", "reveal", "use", "reveal"):
        open_field = checkout.use if way == "use" else checkout.reveal
        world.perform(open_field, world.actor("technician"), lease.id, secret, "host")
    told = world.sql("SELECT template FROM outbox WHERE template LIKE 'secret.first%' ORDER BY id")
    assert [template for (template,) in told] == ["secret.first-handed", "secret.first-use"]


def test_after_the_first_a_reveal_asks_no_more_of_the_database_for_being_told(world: World) -> None:
    _, secret, _, lease = world.lent()
    asked: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(world.vault.engine, "before_cursor_execute", count)
    counted = []
    for _ in range(3):
        asked.clear()
        world.reveal(lease, secret)
        counted.append(list(asked))
    event.remove(world.vault.engine, "before_cursor_execute", count)
    about = [[one for one in each if "outbox" in one or "UPDATE secret" in one] for each in counted]
    assert [len(each) for each in about] == [2, 0, 0]
    assert len(counted[1]) == len(counted[2])
    assert world.sql("SELECT opened_version FROM secret") == [(1,)]
    assert world.sql("SELECT count(*) FROM outbox WHERE template = 'secret.first-use'") == [(1,)]


def test_a_refused_reveal_tells_nobody_and_leaves_the_first_use_to_come(world: World) -> None:
    _, secret, _, lease = world.lent()
    with pytest.raises(NotFound):
        world.reveal(lease, secret, "no-such-field")
    assert world.sql("SELECT opened_version FROM secret") == [(0,)]
    assert world.sql("SELECT count(*) FROM outbox WHERE template = 'secret.first-use'") == [(0,)]


# -- the end, seven days before ------------------------------------------------------------------------------


@pytest.mark.promise("P4")
def test_the_end_is_told_seven_days_before_and_once(world: World, post: PostOffice) -> None:
    service = world.service(days=30)
    world.service(customer=None, title="A short one", days=6)
    world.clock.advance(days=22, hours=23)
    deliver(world)
    assert post.mails == []
    world.clock.advance(hours=2)
    deliver(world)
    deliver(world)
    (mail,) = post.mails
    assert mail["Subject"] == f"Ends soon: {service.title}"
    assert translation("en").moment(service.ends_at) in sentences(mail)


def test_an_end_that_was_moved_is_told_before_the_new_one(world: World, post: PostOffice) -> None:
    service = world.service(days=30)
    found = world.sql("SELECT ends_at FROM service")[0][0]
    coordinator, later = world.actor("coordinator"), to_datetime(found + 20 * DAY)
    given = world.presence("coordinator")
    world.run(services.prolong(world.vault, coordinator, service.id, later, given))
    world.clock.advance(days=24)
    deliver(world)
    assert post.mails == [], "the former end tells nothing"
    world.clock.advance(days=20)
    deliver(world)
    (mail,) = post.mails
    assert translation("en").moment(later) in sentences(mail)


# -- gathered once a day -------------------------------------------------------------------------------------


def test_a_digest_comes_once_a_day_and_holds_back_no_code_no_question_and_no_certificate(
    world: World, post: PostOffice
) -> None:
    past_noon = (world.clock.wall() - 12 * HOUR) % DAY
    world.clock.advance(microseconds=DAY - past_noon)  # the digest of a day goes out in its morning
    service, secret, _, lease = world.lent()
    visitor = come(world, owner(world))
    world.run(mine.correct(world.vault, visitor.actor, digest=True))
    world.reveal(lease, secret)
    world.perform(mine.pause, visitor.actor, service.id)
    settle(world)
    assert post.mails == []
    world.perform(mine.resume, visitor.actor, service.id)
    world.perform(requests.ask, world.actor("coordinator"), service.id, ["ssh-password"], "mail")
    ask(world, code_of(world, owner(world)))
    deliver(world)
    assert [subject.split(":")[0] for subject in post.subjects()] == [
        "Green Lane Web asks you for access",
        "Your code for your page at Green Lane Web",
    ]
    world.clock.advance(days=1)
    deliver(world)
    deliver(world)
    assert post.subjects()[2:] == ["4 things happened with your access at Green Lane Web"]
    said = sentences(post.mails[-1])
    order = ["received", "for the first time", "paused", "resumed"]
    assert sorted(order, key=said.index) == order
    visitor = come(world, owner(world))
    world.perform(mine.pause, visitor.actor, service.id)
    world.clock.advance(hours=1)
    deliver(world)
    del post.mails[3:]  # the code for the page
    world.perform(mine.resume, come(world, owner(world)).actor, service.id)
    world.sql("UPDATE outbox SET state = 'settled' WHERE template = 'customer.code'")
    deliver(world)
    assert len(post.mails) == 3, "not before tomorrow"
    world.end(service)
    deliver(world)
    assert [subject.split(":")[0] for subject in post.subjects()[3:]] == [
        "2 things happened with your access at Green Lane Web",
        "Your access for Acme's new shop was destroyed",
    ], "what came before the end is told before the end"


# -- when mail does not go -----------------------------------------------------------------------------------


def test_what_waits_for_one_mailbox_waits_in_order_and_keeps_nothing_from_others(
    world: World, post: PostOffice
) -> None:
    one, other = world.customer(), world.customer("Bobs Bikes", "bob@bikes.example")
    mine_, bobs = world.service(one), world.service(other)
    coordinator = world.actor("coordinator")
    post.gone = {SHOP}
    world.perform(requests.ask, coordinator, mine_.id, None, "mail")
    deliver(world)
    for asked in (mine_, bobs):
        world.perform(requests.ask, coordinator, asked.id, ["ssh-key"], "mail")
    deliver(world)
    assert [mail["To"] for mail in post.mails] == ["bob@bikes.example"]
    assert [
        tries for (tries,) in world.sql("SELECT tries FROM outbox WHERE state = 'waiting' AND tries > 0")
    ] == [1], "what came after it waits behind it, untried"
    post.gone = set()
    world.clock.advance(minutes=1)
    deliver(world)
    assert post.subjects(SHOP) == ["Green Lane Web asks you for access: Acme's new shop"] * 2
    assert waiting(world) == []


def test_a_mailbox_that_is_gone_is_given_up_after_days_and_a_server_that_says_later_never(
    world: World, post: PostOffice
) -> None:
    service = world.service()
    world.perform(requests.ask, world.actor("coordinator"), service.id, None, "mail")
    world.sql(
        "UPDATE outbox SET tries = :tries WHERE template = 'request.asked'", tries=delivery.MOST_REFUSALS
    )
    post.broken = True
    deliver(world)
    assert waiting(world) == ["request.asked"]
    world.clock.advance(hours=1)
    post.gone = {SHOP}
    deliver(world)
    assert world.sql("SELECT state FROM outbox WHERE template = 'request.asked'") == [("undeliverable",)]
    assert _doctor(world) == ("warning", "1 message was given up since yesterday: a mailbox takes nothing")


def _doctor(world: World) -> tuple[str, str]:
    found = {one.subject: one for one in world.run(operator.doctor(world.vault))}
    return found["outbox"].level, found["outbox"].text


def test_the_doctor_says_how_many_wait_and_since_when(world: World, post: PostOffice) -> None:
    service = world.service()
    assert _doctor(world) == ("ok", "every message is on its way")
    world.perform(requests.ask, world.actor("coordinator"), service.id, None, "mail")
    since = to_datetime(world.clock.wall())
    post.broken = True
    for _ in range(4):
        deliver(world)
        world.clock.advance(minutes=1)
    level, said = _doctor(world)
    assert (level, said) == (
        "warning",
        f"1 message waits for the mail server, since {since:%Y-%m-%d %H:%M} UTC",
    )
    post.broken = False
    world.clock.advance(hours=1)
    deliver(world)
    assert _doctor(world) == ("ok", "every message is on its way")


def test_with_no_mail_server_there_a_round_ends_at_its_first_try(world: World, post: PostOffice) -> None:
    for name in "abc":
        service = world.service(world.customer(name, f"{name}@x.example"))
        world.perform(requests.ask, world.actor("coordinator"), service.id, None, "mail")
    world.settings = world.settings.model_copy(update={"smtp_port": 1})
    world.reopen()
    deliver(world)
    assert world.sql("SELECT tries FROM outbox WHERE template = 'request.asked' ORDER BY id") == [
        (1,),
        (0,),
        (0,),
    ]


@pytest.mark.attack("DO10")
def test_whoever_does_the_same_again_and_again_fills_no_mailbox(world: World, post: PostOffice) -> None:
    service = world.service()
    visitor = come(world, owner(world))
    world.sql("UPDATE outbox SET state = 'settled' WHERE template = 'customer.code'")
    for _ in range(10):
        for change in (mine.pause, mine.resume):
            world.perform(change, visitor.actor, service.id)
            world.clock.advance(seconds=5)
            deliver(world)
    assert len(post.mails) == delivery.MOST_AN_HOUR == 12
    world.perform(requests.ask, world.actor("coordinator"), service.id, ["ssh-key"], "mail")
    deliver(world)
    assert len(post.mails) == 14, "what waited, and what is asked"
    world.clock.advance(hours=2)
    deliver(world)
    assert waiting(world) == []


# -- while the vault is sealed -------------------------------------------------------------------------------


@pytest.mark.promise("P8")
def test_a_sealed_vault_mails_the_code_that_opens_the_page_and_nothing_else(
    embedded: World, post: PostOffice
) -> None:
    service = embedded.service()
    embedded.perform(requests.ask, embedded.actor("coordinator"), service.id, None, "mail")
    page_code = code_of(embedded, owner(embedded))
    embedded.seal()
    token = ask(embedded, page_code)
    deliver(embedded)
    (mail,) = post.mails
    assert links(mail) == set(), "code and link are never in one mail"
    (code,) = re.findall(r"^    ([0-9A-Z-]{10,})$", text_of(mail), re.MULTILINE)
    assert code not in mail["Subject"]
    started = embedded.run(visits.start(embedded.vault, NOBODY, token, code))
    actor = embedded.run(visits.resolve(embedded.vault, started.token, NOBODY.source))
    embedded.perform(mine.pause, actor, service.id)
    deliver(embedded)
    assert len(post.mails) == 1
    embedded.unseal()
    deliver(embedded)
    assert [subject.split(":")[0] for subject in post.subjects()[1:]] == [
        "Green Lane Web asks you for access",
        "Paused",
    ]


# -- a customer who moves ------------------------------------------------------------------------------------


@pytest.mark.attack("AZ06")
def test_both_addresses_hear_of_a_move_and_the_former_learns_no_link(
    embedded: World, post: PostOffice
) -> None:
    customer = embedded.customer()
    visitor = come(embedded, customer.id)
    embedded.sql("UPDATE outbox SET state = 'settled'")
    for mail in ("new@acme.example", "newest@acme.example"):
        embedded.run(mine.correct(embedded.vault, visitor.actor, mail=mail))
    post.gone = {SHOP}
    deliver(embedded)
    heard = [
        (mail["To"], re.search(r"from +(\S+)\n +to +(\S+)", text_of(mail)).groups()) for mail in post.mails
    ]
    first, second = (SHOP, "new@acme.example"), ("new@acme.example", "newest@acme.example")
    assert sorted(heard) == sorted(
        [("new@acme.example", first), ("newest@acme.example", second), ("new@acme.example", second)]
    ), "a former mailbox that is gone keeps nothing from the new one"
    post.gone = set()
    embedded.clock.advance(minutes=1)
    deliver(embedded)
    assert (post.mails[-1]["To"], links(post.mails[-1])) == (SHOP, set())
    former = [mail for mail in post.mails if mail["To"] == "new@acme.example" and not links(mail)]
    assert len(former) == 1
