"""Coordinators register a service and ask its customer in under a minute, and look after it on its own page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from api.security import SESSION_COOKIE
from tests.browser.people import POLYGLOT, Surf, open_form, sign_in
from tests.operations.mailing import deliver, post_office
from tests.operations.necessities import HOST, WITH_REGISTRAR, approve
from tests.world import World
from vault.model.views import RequestView, ServiceView
from vault.operations.customers import customers
from vault.operations.services import catalogue, services

pytestmark = [pytest.mark.browser]

MORE = """
[service-types.hosting]
title = "Hosting and support"
longest_lease_minutes = 240
longest_life_days = 20
needs = [{ kind = "sftp", because = "to put your files there" }]
may_ask = [{ kind = "control-panel", because = "to renew the certificate" }]
"""
A_KEY, A_POINTING, A_THOUGHT = 0.28, 1.1, 1.35
"""Seconds, by the keystroke-level model (Card, Moran and Newell, 1980): a key of somebody who types a little, a
movement to a place with a click, and the thought before each."""


@dataclass
class Hands:
    """Somebody at a page, whose doings are counted."""

    page: Page
    doings: int = 0
    seconds: float = 0.0

    def _do(self, keys: int = 0) -> None:
        self.doings += 1
        self.seconds += A_THOUGHT + A_POINTING + keys * A_KEY

    def click(self, what: str) -> None:
        self.page.click(what)
        self._do()

    def fill(self, what: str, words: str) -> None:
        self.page.fill(what, words)
        self._do(len(words))

    def choose(self, what: str, value: str) -> None:
        self.page.select_option(what, value)
        self._do()


@pytest.fixture
def house(embedded: World) -> World:
    """A catalogue of two types, and Clara, who has accepted the agreement."""
    embedded.run(catalogue.apply(embedded.vault, HOST, WITH_REGISTRAR + MORE))
    embedded.actor("coordinator")
    return embedded


def begun(page: Page, world: World, address: str, kind: str = "hosting", script: bool = True) -> Page:
    """Clara has said who the customer is, and what it is."""
    sign_in(page, world, address, "coordinator")
    page.goto(f"{address}/services/new")
    page.fill("#name", "Acme Garden Tools")
    page.fill("#mail", "shop@acme.example")
    page.select_option("#type", kind)
    if not script:
        page.click("text=Continue")
    page.wait_for_selector("#title")
    return page


def send(page: Page) -> Page:
    page.click("button >> text=Register the service")
    return page


def registered(world: World) -> list[ServiceView]:
    found: list[ServiceView] = world.read(services.services, world.actor("coordinator"))
    return found


def looks(service: ServiceView, request: RequestView) -> tuple[str, ...]:
    """Every page about a service that can simply be gone to."""
    places = ("", "/ask", f"/requests/{request.id}", "/tickets/new", "/prolong", "/end")
    here = tuple(f"/services/{service.id}{place}" for place in places)
    return (*here, "/customers", f"/customers/{service.customer.id}", "/services/new")


def acts(page: Page, address: str) -> Iterator[tuple[str, Page]]:
    """The pages of registering that only an act leads to; the catalogue has one type, which is chosen already."""
    page.goto(f"{address}/services/new")
    page.click("text=Open a ticket at once")
    yield "registering", page
    page.evaluate("document.querySelector('#register').noValidate = true")
    page.fill("#mail", "nowhere")
    send(page)
    page.wait_for_selector("#mail-error")
    yield "registering with faults", page
    page.fill("#name", "Mill Street Books")
    page.fill("#mail", "books@mill.example")
    page.check("#pin")
    send(page)
    page.wait_for_selector("#the-pin")
    yield "a link to hand over", page
    page.click("text=I have kept it")
    page.wait_for_selector("text=Requests")
    yield "a service that waits", page


@pytest.mark.promise("P7")
@pytest.mark.parametrize("script", [True, False])
def test_a_new_customer_is_asked_in_under_a_minute_and_their_form_opens(
    house: World, server: str, surf: Surf, script: bool
) -> None:
    page = sign_in(surf(java_script_enabled=script), house, server, "coordinator")
    before = house.size()
    hands = Hands(page)
    hands.click("text=Register a service")
    page.wait_for_url("**/services/new")
    hands.fill("#name", "Acme Garden Tools")
    hands.fill("#mail", "shop@acme.example")
    hands.choose("#type", "installation")
    if not script:
        hands.click("text=Continue")
        page.wait_for_selector("#title")
    hands.click("button >> text=Register the service")
    expect(page.locator("h1")).to_have_text("Hand this link over")
    link = page.locator("#link").inner_text()
    hands.click("text=I have kept it")
    assert hands.doings <= 7
    assert hands.seconds < 60
    assert house.ledger(before) == ["customer.add ok", "service.register ok", "request.ask ok"]
    customer = open_form(surf(java_script_enabled=script), server, link.partition("#")[2])
    expect(customer.locator("#give")).to_contain_text("User name")
    (service,) = registered(house)
    assert (service.customer.name, service.customer.language) == ("Acme Garden Tools", "en")
    assert service.title == "Installation of a shop"


@pytest.mark.promise("P9")
@pytest.mark.parametrize("script", [True, False])
def test_what_is_handed_over_is_shown_once_and_a_reload_repeats_nothing(
    house: World, server: str, surf: Surf, script: bool
) -> None:
    page = begun(surf(java_script_enabled=script), house, server, script=script)
    page.check("#pin")
    with page.expect_response("**/services/new") as answered:
        send(page)
    assert answered.value.headers["cache-control"] == "no-store"
    link, pin = page.locator("#link").inner_text(), page.locator("#the-pin").inner_text()
    code = link.partition("#")[2]
    assert re.fullmatch(r"[0-9]{6}", pin)
    assert code not in page.url
    assert [one["name"] for one in page.context.cookies()].count(SESSION_COOKIE) == 1
    assert not [one for one in page.context.cookies() if code in one["value"] or pin in one["value"]]
    before = house.size()
    page.reload()
    expect(page.locator("#title-error")).to_contain_text("registered already")
    assert code not in page.content()
    assert house.ledger(before) == []
    page.click("text=go on there")
    page.wait_for_selector("text=Requests")
    assert code not in page.content()
    assert pin not in page.content()


def test_a_form_that_asks_is_sent_once_however_often_it_is_sent(
    house: World, server: str, surf: Surf
) -> None:
    service = house.service()
    page = sign_in(surf(), house, server, "coordinator")
    page.goto(f"{server}/services/{service.id}")
    expect(page.locator(".lead")).to_contain_text("Nobody was asked for access yet")
    page.click("text=Ask the customer")
    page.click("form >> text=Ask >> nth=-1")
    expect(page.locator("h1")).to_have_text("Hand this link over")
    before = house.size()
    page.reload()
    expect(page.locator("#summary")).to_contain_text("nothing was done now")
    assert house.ledger(before) == ["request.ask Conflict"]
    page.goto(f"{server}/services/{service.id}")
    page.click("text=Make a new link")
    page.click("button >> text=Make the new link")
    first = page.locator("#link").inner_text()
    page.reload()
    expect(page.locator("#summary")).to_contain_text("nothing was done now")
    open_form(surf(), server, first.partition("#")[2])


def test_the_customer_is_asked_by_mail_and_the_page_says_to_whom(house: World, surf: Surf) -> None:
    with post_office(house) as office, house.served() as address:
        page = begun(surf(), house, address)
        page.check("#language-de")
        page.check("#pin")
        send(page)
        expect(page.locator("h1")).to_have_text("Acme Garden Tools is asked")
        expect(page.locator(".lead")).to_contain_text("on its way to shop@acme.example")
        assert page.locator("#link").count() == 0
        assert re.fullmatch(r"[0-9]{6}", page.locator("#the-pin").inner_text())
        deliver(house)
        (mail,) = office.mails
        assert mail["To"] == "shop@acme.example"
        (customer,) = house.read(customers.customers, house.actor("coordinator"))
        assert customer.language == "de"


def test_a_ticket_with_its_technicians_goes_along(house: World, server: str, surf: Surf) -> None:
    page = begun(surf(), house, server)
    page.click("text=Open a ticket at once")
    page.check("text=Tom Tanner")
    send(page)
    expect(page.locator("#number-error")).to_contain_text("Give the ticket its number")
    assert page.is_checked("text=Tom Tanner")
    page.fill("#number", "T-2041")
    send(page)
    expect(page.locator(".facts")).to_contain_text("T-2041: Hosting and support")
    expect(page.locator(".facts")).to_contain_text("Tom Tanner")
    page.click("text=T-2041")
    expect(page.locator(".lead")).to_have_text("Tom Tanner works on it.")


@pytest.mark.parametrize("script", [True, False])
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    house: World, server: str, surf: Surf, script: bool
) -> None:
    page = begun(surf(java_script_enabled=script), house, server, script=script)
    if script:
        page.evaluate("document.querySelector('#register').noValidate = true")
    page.fill("#name", " " if script else "")
    page.fill("#mail", "not@mail@address.example" if script else "shop@acme")
    page.fill("#title", "The shop")
    page.uncheck("#kind-sftp")
    page.check("#pin")
    page.click("text=Open a ticket at once")
    page.fill("#number", "T-2041")
    before = house.size()
    send(page)
    expect(page.locator("#kinds-error")).to_contain_text("Tick at least one")
    expect(page.locator("#name-error")).to_contain_text("has 1 to 120 characters")
    assert page.input_value("#title") == "The shop"
    assert page.input_value("#number") == "T-2041"
    assert page.is_checked("#pin")
    assert not page.is_checked("#kind-sftp")
    assert house.ledger(before) == []
    page.fill("#name", "Acme Garden Tools")
    page.fill("#mail", "shop@acme.example")
    page.check("#kind-sftp")
    send(page)
    expect(page.locator("h1")).to_have_text("Hand this link over")


def test_who_is_a_customer_already_is_recognised_by_their_address(
    house: World, server: str, surf: Surf
) -> None:
    house.customer("Acme Garden Tools Ltd", "shop@acme.example")
    page = begun(surf(), house, server)
    before = house.size()
    send(page)
    expect(page.locator("#customer-error")).to_contain_text("Acme Garden Tools Ltd has this address already")
    assert house.ledger(before) == []
    send(page)
    expect(page.locator("h1")).to_have_text("Hand this link over")
    assert house.ledger(before) == ["service.register ok", "request.ask ok"]
    page.goto(f"{server}/services/new")
    page.fill("#name", "Another at Acme")
    page.fill("#mail", "SHOP@acme.example")
    page.select_option("#type", "hosting")
    send(page)
    page.check("#same-mail")
    page.select_option("#customer", "new")
    send(page)
    expect(page.locator("h1")).to_have_text("Hand this link over")
    names = [one.name for one in house.read(customers.customers, house.actor("coordinator"))]
    assert names == ["Acme Garden Tools Ltd", "Another at Acme"]


@pytest.mark.promise("P7")
@pytest.mark.attack("AZ15")
def test_what_is_extraordinary_can_be_ticked_once_it_is_approved_and_a_bent_form_asks_for_nothing(
    house: World, server: str, surf: Surf
) -> None:
    house.run(catalogue.apply(house.vault, HOST, WITH_REGISTRAR))
    page = begun(surf(), house, server, "installation")
    expect(page.locator("#kind-registrar")).to_be_disabled()
    expect(page.locator("#chosen")).to_contain_text("until then nobody is asked for it")
    page.evaluate("() => { const one = document.querySelector('#kind-registrar'); one.disabled = false; }")
    page.check("#kind-registrar")
    before = house.size()
    send(page)
    expect(page.locator("h1")).to_have_text("Registered, but nobody was asked yet")
    expect(page.locator(".lead")).to_contain_text("waits for an administrator's approval")
    assert house.ledger(before) == ["customer.add ok", "service.register ok", "request.ask Denied"]
    approve(house)
    page.click("text=Ask the customer")
    page.check("#kind-registrar")
    page.click("form >> text=Ask >> nth=-1")
    expect(page.locator(".facts")).to_contain_text("Login of your domain registrar")


def test_the_day_is_the_last_one_where_it_was_typed(house: World, server: str, surf: Surf) -> None:
    page = begun(surf(timezone_id="Asia/Tokyo"), house, server, "installation")
    day = page.input_value("#ends_at")
    send(page)
    page.wait_for_selector("#link")
    (service,) = registered(house)
    assert f"{service.ends_at:%Y-%m-%d %H:%M}" == f"{day} 14:59"


def test_the_page_of_a_service_asks_for_more_anew_and_takes_back(
    house: World, server: str, surf: Surf
) -> None:
    service = house.service()
    first = house.ask(service)
    page = sign_in(surf(), house, server, "coordinator")
    page.goto(f"{server}/services/{service.id}")
    expect(page.locator(".lead")).to_contain_text("is asked and has not answered yet")
    assert "valetkey" not in page.locator("main").inner_text(), "nothing is left to the command line"
    page.click("text=Ask for more")
    page.uncheck("#kind-ssh-password")
    page.check("#kind-ssh-key")
    page.click("form >> text=Ask >> nth=-1")
    expect(page.locator(".facts")).to_contain_text("Server login with a key")
    page.click("text=I have kept it")
    page.wait_for_selector("text=Requests")
    page.click("text=Make a new link for Server login with a password")
    page.click("button >> text=Make the new link")
    page.wait_for_selector("#link")
    gone = surf()
    gone.goto(f"{server}/give#{first.code}")
    gone.click("main button")
    expect(gone.locator("main")).to_contain_text("There is no request with that code")
    page.click("text=I have kept it")
    page.wait_for_selector("text=Requests")
    page.click("text=Take it back: Server login with a key")
    expect(page.locator(".note")).to_contain_text("The request is taken back")
    assert house.ledger()[-1] == "request.cancel ok"


def test_tickets_are_opened_staffed_and_closed_with_buttons(house: World, server: str, surf: Surf) -> None:
    service = house.service()
    house.give(service)
    house.actor("technician")
    page = sign_in(surf(), house, server, "coordinator")
    page.goto(f"{server}/services/{service.id}")
    expect(page.locator(".lead")).to_contain_text("Open a ticket, so that a technician can check it out")
    page.click("a >> text=Open a ticket >> nth=0")
    page.fill("#number", "x" * 40)
    page.evaluate("document.querySelector('#number').removeAttribute('maxlength')")
    page.fill("#number", "x" * 41)
    page.fill("#work", "Install version 4.2")
    page.click("button >> text=Open the ticket")
    expect(page.locator("#number-error")).to_contain_text("1 to 40 characters")
    assert page.input_value("#work") == "Install version 4.2"
    page.fill("#number", "T-7")
    page.click("button >> text=Open the ticket")
    expect(page.locator(".lead")).to_contain_text("Nobody is assigned to it yet")
    page.click("button >> text=Assign")
    expect(page.locator(".lead")).to_contain_text("Tom Tanner works on it")
    page.click("text=Take off Tom Tanner")
    expect(page.locator(".lead")).to_contain_text("Nobody is assigned to it yet")
    page.click("text=Close this ticket")
    page.click("button >> text=Close T-7")
    expect(page.locator(".lead")).to_contain_text("This ticket is closed")
    assert house.ledger()[-1] == "ticket.close ok"


@pytest.mark.promise("P5")
def test_a_service_is_prolonged_ended_and_certified_with_a_proof_of_presence(
    house: World, server: str, surf: Surf
) -> None:
    service = house.service(days=5)
    house.give(service)
    page = sign_in(surf(), house, server, "coordinator")
    page.goto(f"{server}/services/{service.id}")
    page.click("text=move the end")
    page.fill("#code", "000000")
    page.click("button >> text=Move the end")
    expect(page.locator("#code-error")).to_contain_text("That code is wrong")
    page.fill("#code", house.code("coordinator"))
    page.click("button >> text=Move the end")
    expect(page.locator(".note")).to_contain_text("The end is moved")
    (found,) = registered(house)
    assert found.ends_at > service.ends_at
    page.click("text=end it for good")
    page.fill("#confirm", "another title")
    page.fill("#code", house.code("coordinator"))
    page.click("button >> text=End it and destroy everything")
    expect(page.locator("#confirm-error")).to_contain_text("type its title exactly")
    page.fill("#confirm", service.title)
    page.fill("#code", house.code("coordinator"))
    page.click("button >> text=End it and destroy everything")
    expect(page.locator("h1")).to_have_text("Certificate of destruction")
    expect(page.locator("#note")).to_contain_text("valetkey destruction")
    page.goto(f"{server}/services/{service.id}")
    expect(page.locator(".lead")).to_contain_text("its secrets were destroyed")
    page.goto(f"{server}/services/{service.id}/end")
    page.wait_for_url(f"**/services/{service.id}")


def test_customers_are_listed_and_each_has_a_page(house: World, server: str, surf: Surf) -> None:
    service = house.service()
    page = sign_in(surf(), house, server, "coordinator")
    page.get_by_role("navigation").get_by_role("link", name="Customers").click()
    expect(page.locator(".lead")).to_have_text("You have one customer. One service is open for them.")
    page.click("text=Acme Garden Tools")
    expect(page.locator(".facts")).to_contain_text("shop@acme.example")
    page.click(f"text={service.title}")
    page.wait_for_url(f"**/services/{service.id}")
    page.click("text=Acme Garden Tools >> nth=0")
    page.click("text=Register a service for them")
    page.wait_for_url("**/services/new**")
    assert page.input_value("#customer") == service.customer.id
    assert not page.is_visible("#name")


@pytest.mark.attack("IN09")
def test_what_others_wrote_is_text_here_too(house: World, server: str, surf: Surf) -> None:
    service = house.service(house.customer(POLYGLOT), POLYGLOT)
    request = house.ask(service)
    house.ticket(service)
    page = sign_in(surf(), house, server, "coordinator")
    for path in looks(service, request):
        page.goto(server + path)
        expect(page.locator("main")).to_contain_text("onerror=alert(1)")
        assert page.locator("main img, main script, main b").count() == 0
