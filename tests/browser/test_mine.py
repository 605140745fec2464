"""The customer's own page in a real Chromium: coming in, reading, stopping; with and without script."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from api.visiting import MINE_COOKIE
from tests.approvals import once_more
from tests.browser.own_page import come_by_link
from tests.browser.people import POLYGLOT, Surf, holding_a_passkey
from tests.browser.test_reading import RULES
from tests.operations.visiting import link_of, mailed
from tests.world import LOGIN, World
from vault.errors import Denied, Ended

pytestmark = [pytest.mark.browser]

NARROW = {"viewport": {"width": 320, "height": 640}}


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


@pytest.mark.promise("P8")
@pytest.mark.attack("AN14", "IN03")
def test_the_link_and_the_code_from_the_mail_open_the_page_and_leave_no_trace_in_an_address(
    embedded: World, server: str, surf: Surf
) -> None:
    service, secret, _ticket, lease = embedded.lent()
    embedded.reveal(lease, secret)
    page, asked = surf(), []
    page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    come_by_link(page, embedded, service.customer.id)
    expect(page.locator(".lead")).to_contain_text(
        "Nothing is waiting for you. One person holds access of yours now."
    )
    code = link_of(embedded, service.customer.id).partition("#")[2]
    assert not [one for one in asked if code in one]
    (cookie,) = (one for one in page.context.cookies() if one["name"] == MINE_COOKIE)
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
        True,
        True,
        "Strict",
        "/",
    )
    page.click(f"text={service.title}")
    expect(page.locator(".happened > li").first).to_contain_text(
        "Tom Tanner opened “Password” of “Server login with a password” for ticket T-1001"
    )
    expect(page.locator(".happened > li").first).to_contain_text("install the shop as ordered")
    assert not [value for value in LOGIN.values() if len(value) > 2 and value in page.content()]
    page.goto(link_of(embedded, service.customer.id))
    page.wait_for_url("**/mine/services*")


@pytest.mark.attack("AN15", "AN13")
def test_who_leaves_is_out_everywhere_in_this_browser(embedded: World, server: str, surf: Surf) -> None:
    page = come_by_link(surf(), embedded, embedded.customer().id)
    (cookie,) = (one["value"] for one in page.context.cookies() if one["name"] == MINE_COOKIE)
    press(page, "Leave")
    page.wait_for_url("**/mine")
    page.go_back()
    expect(page.locator("h1")).not_to_have_text("Your details")
    page.goto(f"{server}/mine/services")
    page.wait_for_url("**/mine")
    stale = httpx2.get(f"{server}/api/v1/mine", cookies={MINE_COOKIE: cookie})
    assert stale.status_code == 401


def test_a_wrong_code_is_said_kindly_and_a_good_one_still_opens(
    embedded: World, server: str, surf: Surf
) -> None:
    page = surf()
    page.goto(link_of(embedded, embedded.customer().id))
    press(page, "Send me a code by mail")
    page.fill("#code", "00000-00000")
    press(page, "Open my page")
    expect(page.locator("#summary")).to_contain_text("That code is not right")
    assert page.input_value("#code") == ""
    page.fill("#code", mailed(embedded))
    press(page, "Open my page")
    page.wait_for_url("**/mine/services")
    other = surf()
    other.goto(f"{server}/mine")
    other.fill("#code", "no such code")
    press(other, "Send me a code by mail")
    expect(other.locator("#summary")).to_contain_text("There is no page with that code")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
@pytest.mark.promise("P4", "P8")
def test_pausing_taking_back_replacing_and_ending_are_done_on_the_page(
    embedded: World, server: str, surf: Surf, script: bool
) -> None:
    service, secret, ticket, lease = embedded.lent()
    page = come_by_link(surf(java_script_enabled=script), embedded, service.customer.id)
    page.goto(f"{server}/mine/services/{service.id}")
    press(page, "Pause")
    expect(page.locator(".lead")).to_contain_text("You paused this service")
    with pytest.raises(Denied):
        embedded.reveal(lease, secret)
    press(page, "Let it go on")
    expect(page.locator(".lead")).to_contain_text("One person holds your access now")
    assert embedded.reveal(lease, secret) == LOGIN["password"]
    press(page, "Replace")
    href = str(page.get_by_role("link", name="Go to the form").get_attribute("href"))
    assert href == f"/give/begin#{page.locator('.line').inner_text()}"
    page.goto(f"{server}/mine/services/{service.id}")
    page.get_by_role("link", name="Take it back").click()
    expect(page.locator("h1")).to_contain_text("Take back “Server login with a password”?")
    assert embedded.reveal(lease, secret) == LOGIN["password"], "nothing was done by looking"
    press(page, "Take it back now")
    expect(page.locator("main")).to_contain_text("taken back by you")
    with pytest.raises(Ended):
        embedded.reveal(lease, secret)
    page.get_by_role("link", name="End everything now").click()
    expect(page.locator("h1")).to_contain_text("End “")
    page.evaluate(
        "document.querySelectorAll('[required]').forEach(one => one.required = false)"
    ) if script else None
    if script:
        press(page, "End everything now")
        expect(page.locator("#summary")).to_contain_text("Tick the box first")
    page.check("#sure")
    press(page, "End everything now")
    expect(page.locator(".lead")).to_contain_text("Everything that you gave for it was destroyed")
    expect(page.locator("main")).to_contain_text("The certificate of destruction")
    assert ticket.id not in page.content()


@pytest.mark.promise("P8")
def test_a_key_of_ours_is_taken_away_with_its_line_to_remove(
    embedded: World, server: str, surf: Surf
) -> None:
    service, secret, _ticket, _lease = embedded.lent()
    line = 'expiry-time="20270101" ssh-ed25519 AAAA valetkey-svc'
    page = come_by_link(surf(), embedded, service.customer.id)
    embedded.sql("UPDATE secret SET made_line = :line WHERE id = :id", line=line, id=secret)
    for path in (f"secrets/{secret}/withdraw", f"services/{service.id}/end"):
        page.goto(f"{server}/mine/{path}")
        expect(page.locator("main .line")).to_have_text(line)


@pytest.mark.promise("P6", "P8")
def test_the_page_verifies_its_records_itself_and_finds_what_was_bent(
    embedded: World, server: str, surf: Surf
) -> None:
    service, secret, _ticket, lease = embedded.lent()
    embedded.reveal(lease, secret)
    page = come_by_link(surf(), embedded, service.customer.id)

    def records(bend: tuple[str, str] | None = None) -> Page:
        page.goto(f"{server}/mine/services/{service.id}")
        if bend:
            page.route("**/records", lambda route: bent(route, bend))
        press(page, "Show them")
        page.wait_for_selector(".state.sure, .state.bad")
        page.unroute("**/records")
        return page

    records()
    expect(page.locator("#verdict")).to_contain_text("All lines were verified here")
    lines = page.locator("#records > li")
    expect(page.locator("#records .state.sure")).to_have_count(lines.count())
    for bend in (
        ('data-outcome="ok"', 'data-outcome="Denied"'),
        ("secret.reveal", "secret.damaged"),
        (service.id + "&#34;", "svc_00000000000000000000&#34;"),
        ('data-key="', 'data-key="x'),
        ("\n— ", "\n- "),
    ):
        records(bend)
        expect(page.locator("#verdict")).to_contain_text("Not every line could be verified")
        assert page.locator("#records .state.bad").count() > 0, bend


def bent(route: Any, bend: tuple[str, str]) -> None:
    answer = route.fetch()
    body = answer.text()
    assert bend[0] in body, bend
    route.fulfill(response=answer, body=body.replace(*bend))


@pytest.mark.promise("P8")
def test_the_records_are_a_file_too_and_are_printed_without_what_is_only_for_the_screen(
    embedded: World, server: str, surf: Surf
) -> None:
    service, _secret, _ticket, _lease = embedded.lent()
    page = come_by_link(surf(), embedded, service.customer.id)
    page.goto(f"{server}/mine/services/{service.id}")
    with page.expect_download() as waiting:
        press(page, "Download them")
    file = json.loads(waiting.value.path().read_text("utf-8"))
    assert waiting.value.suggested_filename == f"records-{service.id}.json"
    assert file["service"]["id"] == service.id
    assert file["happened"][0]["type"] == "records.export"
    press(page, "Show them")
    page.wait_for_selector(".state.sure")
    page.emulate_media(media="print")
    expect(page.locator("#print")).not_to_be_visible()
    expect(page.locator("nav")).not_to_be_visible()
    expect(page.locator("#records > li").first).to_be_visible()


def test_a_customer_corrects_their_details_and_reads_their_page_in_german(
    embedded: World, server: str, surf: Surf
) -> None:
    acme = embedded.customer()
    page = come_by_link(surf(), embedded, acme.id)
    page.get_by_role("link", name="Your details").click()
    page.fill("#mail", "not an address@")
    page.evaluate("document.querySelector('#mail').type = 'text'")
    press(page, "Keep these details")
    expect(page.locator("#summary")).to_contain_text("mail address")
    page.fill("#mail", "new@acme.example")
    page.check("#language-de")
    press(page, "Keep these details")
    expect(page.locator("h1")).to_have_text("Ihre Angaben")
    assert page.locator("html").get_attribute("lang") == "de"
    assert embedded.sql("SELECT mail, language FROM customer") == [("new@acme.example", "de")]


def test_a_passkey_is_added_on_the_page_and_opens_it_without_a_mail(
    embedded: World, server: str, surf: Surf
) -> None:
    acme, page = embedded.customer(), surf()
    holding_a_passkey(page)
    come_by_link(page, embedded, acme.id)
    page.goto(f"{server}/mine/details")
    page.fill("#called", "My telephone")
    press(page, "Add a passkey")
    expect(page.locator(".rows")).to_contain_text("My telephone")
    press(page, "Leave")
    page.wait_for_url("**/mine")
    press(page, "Open my page with a passkey")
    page.wait_for_url("**/mine/services")
    page.goto(f"{server}/mine/details")
    press(page, "Remove")
    expect(page.locator("main")).not_to_contain_text("My telephone")


@pytest.mark.promise("P8")
def test_while_the_vault_is_sealed_the_page_opens_and_stops_and_says_what_has_to_wait(
    embedded: World, server: str, surf: Surf
) -> None:
    service, secret, _ticket, lease = embedded.lent()
    link = link_of(embedded, service.customer.id)
    embedded.seal()
    page = come_by_link(surf(), embedded, service.customer.id, link)
    expect(page.locator(".note")).to_contain_text("Our vault is locked at the moment")
    page.goto(f"{server}/mine/services/{service.id}")
    expect(page.locator("main")).to_contain_text("This has to wait until our vault is unlocked")
    press(page, "Pause")
    expect(page.locator(".lead")).to_contain_text("You paused this service")
    embedded.unseal()
    with pytest.raises(Denied):
        embedded.reveal(lease, secret)


@pytest.mark.attack("IN09")
def test_what_others_wrote_is_text_on_the_page(embedded: World, server: str, surf: Surf) -> None:
    service = embedded.service(embedded.customer(POLYGLOT[:100]), POLYGLOT)
    secret = embedded.give(service)
    embedded.lease(embedded.ticket(service, number=POLYGLOT[:40]), secret)
    page = come_by_link(surf(), embedded, service.customer.id)
    for path in ("services", f"services/{service.id}", f"services/{service.id}/end", "details"):
        page.goto(f"{server}/mine/{path}")
        assert page.locator("main img, main script").count() == 0
    page.goto(f"{server}/mine/services/{service.id}")
    press(page, "Show them")
    page.wait_for_selector(".state.sure")
    assert page.locator("main img, main script").count() == 0


@pytest.mark.attack("AZ17")
def test_a_deed_without_the_token_of_this_visit_is_refused(embedded: World, server: str, surf: Surf) -> None:
    service = embedded.service()
    page = come_by_link(surf(), embedded, service.customer.id)
    other = come_by_link(surf(), embedded, service.customer.id)
    page.goto(f"{server}/mine/services/{service.id}")
    other.goto(f"{server}/mine/services/{service.id}")
    foreign = other.locator("[name=form_token]").first.get_attribute("value")
    page.evaluate(
        "token => document.querySelectorAll('[name=form_token]').forEach(one => one.value = token)", foreign
    )
    press(page, "Pause")
    expect(page.locator("main")).to_contain_text("not made for your page")
    assert embedded.sql("SELECT paused_at FROM service") == [(None,)]


# -- for everybody ---------------------------------------------------------------------------------------------------


def every_page(world: World, address: str, surf: Surf, **options: Any) -> Iterator[tuple[str, Page]]:
    service, secret, ticket, lease = world.lent()
    world.reveal(lease, secret)
    asked = once_more(world, "customer", ticket, secret)
    page = surf(**options)
    page.goto(f"{address}/mine")
    yield "asking", page
    page.goto(link_of(world, service.customer.id))
    press(page, "Send me a code by mail")
    yield "the code", page
    page.fill("#code", "00000-00000")
    press(page, "Open my page")
    yield "a wrong code", page
    page.fill("#code", mailed(world))
    press(page, "Open my page")
    page.wait_for_url("**/mine/services")
    for path in (
        "services",
        f"services/{service.id}",
        f"services/{service.id}/end",
        f"secrets/{secret}/withdraw",
        f"leases/{asked.id}",
        f"leases/{lease.id}",
        "details",
    ):
        page.goto(f"{address}/mine/{path}")
        yield path.replace(service.id, "…"), page
    page.goto(f"{address}/mine/services/{service.id}")
    press(page, "Show them")
    page.wait_for_selector(".state.sure")
    yield "records", page
    page.goto(f"{address}/mine/services/{service.id}")
    press(page, "Replace")
    yield "a form for it", page


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_axe_finds_nothing_and_nothing_overflows_a_narrow_screen(
    embedded: World, server: str, surf: Surf, scheme: str
) -> None:
    seen = 0
    for name, page in every_page(embedded, server, surf, color_scheme=scheme, **NARROW):
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
        assert page.locator(".lead").count() == 1, f"{name} does not say where one is"
        seen += 1
    assert seen == 12


def test_by_keyboard_alone_somebody_comes_in_and_pauses(embedded: World, server: str, surf: Surf) -> None:
    service = embedded.service()
    page = surf()
    page.goto(link_of(embedded, service.customer.id))
    page.focus("#code")
    page.keyboard.press("Enter")
    page.wait_for_url("**/mine/code")
    page.focus("#code")
    page.keyboard.type(mailed(embedded))
    page.keyboard.press("Enter")
    page.wait_for_url("**/mine/services")
    reach(page, service.title)
    page.keyboard.press("Enter")
    page.wait_for_selector("#happened")
    reach(page, "Pause")
    page.keyboard.press("Enter")
    expect(page.locator(".lead")).to_contain_text("You paused this service")


def reach(page: Page, text: str) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if text in str(page.evaluate("document.activeElement.innerText || ''")):
            return
    raise AssertionError(f"the keyboard does not reach {text}")
