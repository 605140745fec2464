"""One's own account in a real Chromium: factors, password, sessions, tokens; and who has two roles."""

import base64

import httpx2
import pytest
from playwright.sync_api import Page, expect

from api.security import SESSION_COOKIE
from tests.browser.people import Surf, holding_a_passkey, sign_in, with_a_passkey
from tests.world import PASSWORD, World
from vault.crypto.factors import current_code
from vault.values import SECOND

pytestmark = [pytest.mark.browser]

NEW_PASSWORD = "nine brass lanterns over quiet water"


def at_account(world: World, address: str, page: Page, who: str = "technician") -> Page:
    world.actor(who)
    sign_in(page, world, address, who)
    page.goto(f"{address}/account")
    return page


def test_a_passkey_is_added_with_a_code_and_from_then_on_proves_and_signs_in(
    embedded: World, server: str, surf: Surf
) -> None:
    page = surf()
    holding_a_passkey(page)
    at_account(embedded, server, page)
    page.click("text=Add a passkey")
    expect(page.locator("main")).to_contain_text("you are signed out everywhere")
    page.fill("#code", embedded.code("technician"))
    page.click("text=Continue")
    page.fill("#name", "Laptop")
    page.click("button >> text=Make the passkey")
    page.wait_for_url("**/signin?after=factor")
    expect(page.locator(".note")).to_contain_text("Your factors have changed")
    page.click("#passkey")
    page.wait_for_url(lambda url: "signin" not in url)
    page.goto(f"{server}/account")
    expect(page.locator("main")).to_contain_text("Laptop")
    page.click("a >> text=Make new ones")
    before = embedded.size()
    page.click("text=Make new codes with a passkey")
    expect(page.locator("h1")).to_have_text("Your recovery codes")
    assert embedded.ledger(before) == ["presence.prove ok", "recovery.renew ok"]
    page.click("text=I have kept them")
    page.click("text=Remove Laptop")
    expect(page.locator("h1")).to_have_text("Remove “Laptop”")
    page.fill("#code", embedded.code("technician"))
    page.click("button >> text=Remove it >> nth=0")
    page.wait_for_url("**/signin?after=factor")


@pytest.mark.attack("AN18")
def test_a_new_password_ends_every_session_and_says_so_before_and_after(
    embedded: World, server: str, surf: Surf
) -> None:
    other = at_account(embedded, server, surf())
    page = at_account(embedded, server, surf())
    expect(page.locator("#sessions + .rows")).to_contain_text("this one")
    page.click("text=Choose a new one")
    expect(page.locator(".lead")).to_contain_text("signed out everywhere")
    page.fill("#password", PASSWORD.title())
    page.fill("#code", "000000")
    page.click("button >> text=Change my password >> nth=0")
    expect(page.locator("#code-error")).to_contain_text("That code is wrong")
    assert page.input_value("#password") == ""
    page.fill("#password", NEW_PASSWORD)
    page.fill("#code", embedded.code("technician"))
    page.click("button >> text=Change my password >> nth=0")
    page.wait_for_url("**/signin?after=password")
    expect(page.locator(".note")).to_contain_text("Your new password is in force")
    other.reload()
    expect(other.locator("h1")).to_have_text("Sign in")
    page.fill("#mail", embedded.member("technician").view.mail)
    page.fill("#password", NEW_PASSWORD)
    page.fill("#code", embedded.code("technician"))
    page.click("#by-password button")
    page.wait_for_url(lambda url: "signin" not in url)


def test_without_javascript_an_authenticator_is_replaced(embedded: World, server: str, surf: Surf) -> None:
    page = at_account(embedded, server, surf(java_script_enabled=False))
    page.click("text=Replace the authenticator app")
    page.fill("#code", embedded.code("technician"))
    page.click("button >> text=Continue")
    key = base64.b32decode(page.locator(".key").inner_text().replace(" ", ""))
    page.fill("#code", current_code(key, embedded.clock.wall() // SECOND))
    page.click("text=Confirm")
    page.wait_for_url("**/signin?after=factor")
    embedded.member("technician").seed = key
    sign_in(page, embedded, server, "technician")


def test_one_session_elsewhere_is_ended_and_then_all(embedded: World, server: str, surf: Surf) -> None:
    other = at_account(embedded, server, surf())
    page = at_account(embedded, server, surf())
    ours = {one["value"] for one in page.context.cookies() if one["name"] == SESSION_COOKIE}
    page.locator("#sessions + .rows form").first.get_by_role("button").click()
    expect(page.locator("h1")).to_have_text("My account")
    other.reload()
    page.click("text=Sign out everywhere")
    page.wait_for_url("**/signin?after=everywhere")
    assert not [one for one in page.context.cookies() if one["name"].startswith("__Host-vk_")]
    stale = httpx2.get(f"{server}/account", cookies={SESSION_COOKIE: ours.pop()})
    assert stale.status_code == 303


def test_who_signs_out_leaves_a_browser_that_is_known(embedded: World, server: str, surf: Surf) -> None:
    page = at_account(embedded, server, surf())
    page.click("text=Sign out >> nth=0")
    page.wait_for_url("**/signin")
    assert [one["name"] for one in page.context.cookies()] == ["__Host-vk_known"]


@pytest.mark.attack("AN26")
def test_a_token_is_made_with_a_code_shown_once_and_ended(embedded: World, server: str, surf: Surf) -> None:
    page = at_account(embedded, server, surf(), "coordinator")
    page.click("text=Make a token")
    assert page.locator("[value='log:read']").count() == 0, "no scope that the role cannot use"
    page.fill("#name", "our helpdesk")
    page.check("[id='tickets:read']")
    page.select_option("#days", "30")
    page.fill("#code", "000000")
    page.click("button >> text=Make the token >> nth=0")
    expect(page.locator("#code-error")).to_be_visible()
    assert page.input_value("#name") == "our helpdesk"
    assert page.is_checked("[id='tickets:read']")
    page.fill("#code", embedded.code("coordinator"))
    page.click("button >> text=Make the token >> nth=0")
    token = page.locator("#token").inner_text()
    headers = {"authorization": f"Bearer {token}"}
    assert httpx2.get(f"{server}/api/v1/tickets", headers=headers).status_code == 200
    page.click("text=I have kept it")
    page.wait_for_selector("#tokens ~ .rows form")
    assert token not in page.content()
    page.locator("#tokens ~ .rows form").get_by_role("button").click()
    expect(page.locator("main")).not_to_contain_text("our helpdesk")
    assert httpx2.get(f"{server}/api/v1/tickets", headers=headers).status_code == 401


@pytest.mark.attack("AN07")
def test_a_passkey_that_answered_one_form_proves_nothing_in_another(
    embedded: World, server: str, surf: Surf
) -> None:
    page = with_a_passkey(surf(), embedded, server, "technician")
    page.goto(f"{server}/account/recovery")
    with page.expect_request(
        lambda one: one.method == "POST" and "presence=%7B" in (one.post_data or "")
    ) as sent:
        page.click("text=Make new codes with a passkey")
    expect(page.locator("#codes")).to_be_visible()
    proof = dict(httpx2.QueryParams(sent.value.post_data or ""))["presence"]
    page.goto(f"{server}/account/password")
    page.fill("#password", NEW_PASSWORD)
    page.locator("[name=presence]").evaluate("(one, value) => { one.value = value }", proof)
    before = embedded.size()
    page.evaluate("document.querySelector('main form').submit()")
    expect(page.locator("#summary")).to_be_visible()
    assert "password.change ok" not in embedded.ledger(before)


def test_who_coordinates_and_delivers_has_services_and_desk_on_one_page(
    embedded: World, server: str, surf: Surf
) -> None:
    both = embedded.hire("Bo Both", "coordinator technician")
    embedded.actor(both)
    service = embedded.service()
    embedded.give(service)
    embedded.ticket(service, number="T-1")
    embedded.ticket(service, both, number="T-2")
    page = sign_in(surf(), embedded, server, both)
    expect(page.locator("h1")).to_have_text("Good day, Bo")
    expect(page.locator(".who")).to_contain_text("coordinator and technician")
    headings = page.locator("h2").all_inner_texts()
    assert {"Waits for you", "Services", "Your tickets"} <= set(headings)
    expect(page.locator("main")).to_contain_text("T-2")
    expect(page.locator("main")).not_to_contain_text("T-1")
    page.click("nav >> text=Tickets")
    page.locator("main a", has_text="T-1").click()
    page.wait_for_url("**/tickets/tkt_*")
    assert page.locator("#reason").count() == 0, "nobody works on a ticket that they are not on"
