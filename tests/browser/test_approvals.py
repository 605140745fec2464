"""Somebody else's yes in a real Chromium: a technician asks and waits, a coordinator or the customer decides."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api.depends import BY_ITSELF
from tests.approvals import REASON, given, waiting
from tests.browser.own_page import come_by_link
from tests.browser.people import POLYGLOT, Surf, sign_in, with_a_passkey
from tests.operations.visiting import come
from tests.world import LOGIN, World
from vault.operations.customers import mine
from vault.operations.leases import checkout

pytestmark = [pytest.mark.browser]

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
WHY_NOT = "Ask the customer by telephone first"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def asked_by_tom(world: World, address: str, page: Page, approver: str) -> tuple[Any, str]:
    """Tom asks on the page of his ticket; gives the service and the address of what waits."""
    service, _secret, ticket = given(world, approver)
    world.actor("technician")
    sign_in(page, world, address, "technician")
    page.goto(f"{address}/tickets/{ticket.id}")
    page.fill("#reason", REASON)
    page.fill("#code", world.code("technician"))
    press(page, "Check out")
    page.wait_for_url("**/leases/*")
    return service, page.url


@SCRIPT
@pytest.mark.promise("P7")
def test_a_technician_waits_until_a_coordinator_has_said_yes(
    embedded: World, server: str, surf: Surf, script: bool
) -> None:
    tom = surf(java_script_enabled=script)
    by_itself: list[str] = []
    tom.on(
        "request",
        lambda one: by_itself.append(one.headers.get(BY_ITSELF, "")) if "/api/" in one.url else None,
    )
    _service, place = asked_by_tom(embedded, server, tom, "coordinator")
    expect(tom.locator(".lead")).to_contain_text("Waits for the yes of a coordinator other than you")
    assert tom.locator(".fields, .reveal").count() == 0, "there is nothing to open yet"
    clara = sign_in(surf(java_script_enabled=script), embedded, server, "coordinator")
    clara.get_by_role("navigation").get_by_role("link", name="Approvals").click()
    clara.wait_for_url("**/approvals")
    clara.get_by_role("link", name="Tom Tanner: Server login with a password").click()
    expect(clara.locator(".facts")).to_contain_text(REASON)
    expect(clara.locator(".facts")).to_contain_text("30 minutes, from the yes on")
    clara.fill("#code", "000000")
    press(clara, "I approve it")
    expect(clara.locator("#code-error")).to_contain_text("That code is wrong")
    expect(tom.locator(".lead")).to_contain_text("Waits")
    clara.fill("#code", embedded.code("coordinator"))
    press(clara, "I approve it")
    expect(clara.locator(".lead")).to_contain_text("Clara Cole approved this. Tom Tanner holds it until")
    assert clara.locator("main form").count() == 0
    if not script:
        tom.get_by_role("link", name="Look whether it is there").click()
    expect(tom.locator(".lead")).to_contain_text("Checked out")
    assert set(by_itself) == ({"yes"} if script else set()), "what asks by itself keeps no session awake"
    assert tom.url == place
    expect(tom.locator(".facts")).to_contain_text("Clara Cole")
    tom.locator("[data-name=password]").get_by_role("button", name="Reveal").click()
    expect(tom.locator(".value")).to_have_text(LOGIN["password"], use_inner_text=True)


def test_a_coordinator_approves_with_a_passkey(embedded: World, server: str, surf: Surf) -> None:
    asked = waiting(embedded, "coordinator")
    clara = with_a_passkey(surf(), embedded, server, "coordinator")
    clara.goto(f"{server}/approvals/{asked.lease.id}")
    clara.click("text=I approve it with a passkey")
    expect(clara.locator(".lead")).to_contain_text("Clara Cole approved this")
    assert asked.now().state == "active"


@pytest.mark.promise("P7")
def test_a_no_comes_with_its_reason_and_what_was_typed_is_not_lost(
    embedded: World, server: str, surf: Surf
) -> None:
    asked = waiting(embedded, "coordinator")
    tom = sign_in(surf(), embedded, server, "technician")
    tom.goto(f"{server}/leases/{asked.lease.id}")
    clara = sign_in(surf(), embedded, server, "coordinator")
    clara.goto(f"{server}/approvals/{asked.lease.id}")
    clara.evaluate("document.querySelector('#reason').minLength = 0")
    clara.fill("#reason", "no")
    press(clara, "I refuse it")
    expect(clara.locator("#reason-error")).to_contain_text("10 to 200 characters")
    expect(clara.locator("#reason")).to_have_value("no")
    clara.fill("#reason", WHY_NOT)
    press(clara, "I refuse it")
    clara.wait_for_url("**/approvals")
    expect(clara.locator(".lead")).to_contain_text("No checkout waits")
    expect(tom.locator(".lead")).to_contain_text("Clara Cole refused it, and nothing was opened")
    expect(tom.locator(".facts")).to_contain_text(WHY_NOT)


@pytest.mark.attack("AZ11")
def test_nobody_is_offered_to_say_yes_to_what_they_asked_for_themselves(
    embedded: World, server: str, surf: Surf
) -> None:
    both = embedded.hire("Bo Both", "coordinator technician")
    embedded.clock.advance(days=2)
    asked = waiting(embedded, "coordinator", both)
    page = sign_in(surf(), embedded, server, both)
    expect(page.locator("main")).to_contain_text("waits for a coordinator")
    assert page.locator("text=for your yes or no").count() == 0
    page.goto(f"{server}/approvals/{asked.lease.id}")
    expect(page.locator(".lead")).to_contain_text("you have asked for it yourself")
    assert page.locator("main form").count() == 0
    page.goto(f"{server}/leases/{asked.lease.id}")
    press(page, "Take it back")
    page.wait_for_url(f"{server}/")
    expect(page.locator("main")).to_contain_text("taken back")


def test_what_was_taken_back_meanwhile_is_not_approved_any_more(
    embedded: World, server: str, surf: Surf
) -> None:
    asked = waiting(embedded, "coordinator")
    clara = sign_in(surf(), embedded, server, "coordinator")
    clara.goto(f"{server}/approvals/{asked.lease.id}")
    embedded.perform(checkout.check_in, embedded.actor("technician"), asked.lease.id)
    clara.fill("#code", embedded.code("coordinator"))
    press(clara, "I approve it")
    expect(clara.locator("#summary")).to_contain_text("decided or taken back meanwhile")
    expect(clara.locator(".lead")).to_contain_text("This does not wait any more")
    assert asked.now().ended_how == "taken back"


@pytest.mark.attack("IN09")
def test_a_reason_is_text_wherever_it_is_asked_with(embedded: World, server: str, surf: Surf) -> None:
    service, secret, ticket = given(embedded, "customer")
    lease = embedded.run(
        checkout.lease(
            embedded.vault,
            embedded.actor("technician"),
            ticket.id,
            [secret],
            30,
            POLYGLOT,
            embedded.presence("technician"),
        )
    )
    own = come_by_link(surf(), embedded, service.customer.id)
    for place in ("services", f"services/{service.id}", f"leases/{lease.id}"):
        own.goto(f"{server}/mine/{place}")
        expect(own.locator("main")).to_contain_text("onerror=alert(1)")
        assert own.locator("main img, main script, main b").count() == 0
    clara = sign_in(surf(), embedded, server, "coordinator")
    for place in (f"approvals/{lease.id}", f"leases/{lease.id}", "leases"):
        clara.goto(f"{server}/{place}")
        expect(clara.locator("main")).to_contain_text("onerror=alert(1)")
        assert clara.locator("main img, main script, main b").count() == 0


# -- the customer ----------------------------------------------------------------------------------------------------


@SCRIPT
@pytest.mark.promise("P7", "P8")
def test_a_customer_reads_who_asks_for_what_and_allows_it(
    embedded: World, server: str, surf: Surf, script: bool
) -> None:
    tom = surf(java_script_enabled=script)
    service, _place = asked_by_tom(embedded, server, tom, "customer")
    expect(tom.locator(".lead")).to_contain_text("Waits for the yes of the customer, Acme Garden Tools")
    own = come_by_link(surf(java_script_enabled=script), embedded, service.customer.id)
    expect(own.locator(".lead")).to_contain_text("Somebody asks to use something of yours")
    expect(own.locator("main")).to_contain_text(
        "Tom Tanner asks to use “Server login with a password” for 30 minutes"
    )
    own.get_by_role("link", name="Allow it").click()
    expect(own.locator("h1")).to_have_text("May Tom Tanner use this?")
    expect(own.locator(".facts")).to_contain_text(REASON)
    assert embedded.sql("SELECT state FROM lease") == [("asked",)], "looking at it changes nothing"
    press(own, "Allow it for 30 minutes")
    own.wait_for_url("**/mine/services/svc_*")
    expect(own.locator(".lead")).to_contain_text("One person holds your access now")
    expect(own.locator(".happened > li").first).to_contain_text(
        "You allowed that your access is checked out for ticket T-1001"
    )
    expect(own.locator(".happened > li").nth(1)).to_contain_text("Tom Tanner asked to check your access out")
    if not script:
        tom.get_by_role("link", name="Look whether it is there").click()
    expect(tom.locator(".lead")).to_contain_text("Checked out")


@SCRIPT
@pytest.mark.promise("P7", "P8")
def test_a_customer_does_not_allow_it_and_need_not_say_why(
    embedded: World, server: str, surf: Surf, script: bool
) -> None:
    asked = waiting(embedded, "customer")
    own = come_by_link(surf(java_script_enabled=script), embedded, asked.service.customer.id)
    press(own, "Do not allow it")
    own.wait_for_url("**/mine/services/svc_*")
    expect(own.locator(".lead")).to_contain_text("Nobody holds your access now")
    expect(own.locator(".happened > li").first).to_contain_text("You did not allow")
    own.goto(f"{server}/mine/leases/{asked.lease.id}")
    expect(own.locator("h1")).to_have_text("Nothing waits here")
    tom = sign_in(surf(), embedded, server, "technician")
    tom.goto(f"{server}/leases/{asked.lease.id}")
    expect(tom.locator(".lead")).to_contain_text("Acme Garden Tools does not allow it")


def test_what_began_to_be_allowed_too_late_is_said_kindly(embedded: World, server: str, surf: Surf) -> None:
    asked = waiting(embedded, "customer")
    own = come_by_link(surf(), embedded, asked.service.customer.id)
    own.goto(f"{server}/mine/leases/{asked.lease.id}")
    embedded.perform(checkout.check_in, embedded.actor("technician"), asked.lease.id)
    press(own, "Allow it for 30 minutes")
    expect(own.locator("h1")).to_have_text("Nothing waits here")
    expect(own.locator("main")).to_contain_text("or it was taken back")


def test_who_has_paused_the_service_is_asked_to_let_it_go_on_first(
    embedded: World, server: str, surf: Surf
) -> None:
    asked = waiting(embedded, "customer")
    visitor = come(embedded, asked.service.customer.id)
    own = come_by_link(surf(), embedded, asked.service.customer.id)
    own.goto(f"{server}/mine/leases/{asked.lease.id}")
    embedded.perform(mine.pause, visitor.actor, asked.service.id)
    press(own, "Allow it for 30 minutes")
    expect(own.locator("#summary")).to_contain_text("This cannot begin any more as it was asked for")
    own.goto(f"{server}/mine/leases/{asked.lease.id}")
    expect(own.locator("main")).to_contain_text("You paused this service")
    assert own.get_by_role("button", name="Allow it for").count() == 0


def test_it_is_said_in_german(embedded: World, server: str, surf: Surf) -> None:
    asked = waiting(embedded, "customer")
    visitor = come(embedded, asked.service.customer.id)
    embedded.run(mine.correct(embedded.vault, visitor.actor, None, None, "de"))
    own = come_by_link(surf(), embedded, asked.service.customer.id)
    own.goto(f"{server}/mine/leases/{asked.lease.id}")
    expect(own.locator("h1")).to_have_text("Darf Tom Tanner das nutzen?")
    press(own, "Für 30 Minuten erlauben")
    own.wait_for_url("**/mine/services/svc_*")
    expect(own.locator(".happened > li").first).to_contain_text("Sie haben erlaubt")
