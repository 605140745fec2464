"""Joining in a real Chromium: by passkey and by authenticator, with and without JavaScript."""

import base64
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Surf, holding_a_passkey
from tests.world import PASSWORD, Member, World
from vault.crypto.factors import current_code
from vault.model.views import InvitationView
from vault.operations.people import staff
from vault.values import SECOND, Actor

pytestmark = [pytest.mark.browser]


def invited(world: World, name: str = "Ines Imhof", roles: str = "technician") -> InvitationView:
    view: InvitationView = world.run(
        staff.add(world.vault, Actor.host(), name, "ines@agency.example", roles.split())
    )
    return view


def code_of(page: Page, world: World) -> str:
    """What the app shows for the key on the page."""
    key = page.locator(".key").inner_text().replace(" ", "")
    return current_code(base64.b32decode(key), world.clock.wall() // SECOND)


def choose(page: Page, password: str = PASSWORD) -> None:
    page.fill("#password", password)
    page.click("text=Continue")


def named(world: World, name: str) -> Member:
    """A technician who joined by themselves."""
    found = world.read(staff.people, world.actor("coordinator"))
    return Member(next(one for one in found if one.name == name), b"")


@pytest.mark.promise("P2")
def test_somebody_joins_with_a_passkey_signs_in_with_it_and_checks_out_with_it(
    embedded: World, server: str, surf: Surf
) -> None:
    link = invited(embedded).link
    page = surf(permissions=["clipboard-read", "clipboard-write"])
    holding_a_passkey(page)
    page.goto(str(link))
    assert page.input_value("#code"), "the code comes with the link"
    assert "#" not in page.url, "and is out of the address at once"
    page.click("text=Begin")
    choose(page)
    expect(page.locator("h1")).to_have_text("Add a second factor")
    page.fill("#name", "My telephone")
    page.click("form button >> text=Use a passkey")
    expect(page.locator("h1")).to_have_text("Your recovery codes")
    codes = page.locator("#codes li").all_inner_texts()
    assert len(set(codes)) == 10
    page.click("text=Copy")
    expect(page.locator("#said")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").split() == codes
    page.click("text=I have kept them")
    expect(page.locator(".note")).to_contain_text("Your account is ready")
    assert not [one for one in page.context.cookies() if one["name"] == "__Host-vk_enrol"]

    page.click("#passkey")
    page.wait_for_url("**/agreement")
    page.click("text=I accept this agreement")
    known = {one["name"]: one for one in page.context.cookies()}
    for name in ("__Host-vk_session", "__Host-vk_known"):
        flags = (known[name]["secure"], known[name]["httpOnly"], known[name]["sameSite"], known[name]["path"])
        assert flags == (True, True, "Strict", "/")
    assert known["__Host-vk_session"]["expires"] == -1
    assert known["__Host-vk_known"]["expires"] > 0

    service = embedded.service()
    embedded.give(service)
    ticket = embedded.ticket(service, named(embedded, "Ines Imhof"))
    page.goto(f"{server}/tickets/{ticket.id}")
    assert page.locator("#code[name=code]").count() == 0, "who has no authenticator is asked for no code"
    page.fill("#reason", "install the shop as ordered")
    before = embedded.size()
    page.click("text=Check out with a passkey")
    page.wait_for_url("**/leases/**")
    assert embedded.ledger(before) == ["presence.prove ok", "lease.start ok"]
    expect(page.locator(".lead")).to_contain_text("Checked out")


def test_without_javascript_somebody_joins_with_an_authenticator(
    embedded: World, server: str, surf: Surf
) -> None:
    invitation = invited(embedded)
    page = surf(java_script_enabled=False)
    page.goto(str(invitation.link))
    assert page.input_value("#code") == ""
    page.fill("#code", str(invitation.code).lower().replace("-", " "))
    page.click("text=Begin")
    choose(page)
    assert page.locator("[data-passkey]").is_hidden()
    expect(page.locator("[data-without-passkey]")).to_contain_text("needs JavaScript")
    page.click("text=Use an authenticator app instead")
    assert page.locator(".qr svg path").count() == 2
    code = code_of(page, embedded)
    page.fill("#code", "000000" if code != "000000" else "111111")
    page.click("text=Confirm")
    expect(page.locator("#summary")).to_contain_text("not the one that your authenticator shows")
    page.fill("#code", code)
    page.click("text=Confirm")
    recovery = page.locator("#codes li").first.inner_text()
    page.click("text=I have kept them")
    page.fill("#mail", "ines@agency.example")
    page.fill("#password", PASSWORD)
    page.fill("#code", recovery.lower())
    page.click("text=Sign in >> nth=-1")
    expect(page.locator("h1")).to_have_text("Confidentiality agreement")


def test_what_is_reached_survives_a_reload_and_a_closed_page(
    embedded: World, server: str, surf: Surf
) -> None:
    page = surf()
    page.goto(str(invited(embedded).link))
    page.click("text=Begin")
    choose(page)
    expect(page.locator("h1")).to_have_text("Add a second factor")
    page.reload()
    expect(page.locator("h1")).to_have_text("Add a second factor")
    again = page.context.new_page()
    again.goto(f"{server}/enrol")
    expect(again.locator("h1")).to_have_text("Add a second factor")
    again.click("text=Choose another password")
    expect(again.locator("h1")).to_have_text("Choose a password")


def test_a_weak_password_is_refused_with_the_reason_and_never_written_back(
    embedded: World, server: str, surf: Surf
) -> None:
    page = surf()
    page.goto(str(invited(embedded).link))
    page.click("text=Begin")
    page.fill("#password", "ines imhof ines")
    page.click("text=Show")
    assert page.get_attribute("#password", "type") == "text"
    page.click("text=Continue")
    expect(page.locator("#password-error")).to_be_visible()
    assert page.get_attribute("#password", "type") == "password"
    assert page.input_value("#password") == ""
    assert "ines imhof ines" not in page.content()
    choose(page)
    expect(page.locator("h1")).to_have_text("Add a second factor")


@pytest.mark.attack("AN19", "IN04")
def test_opening_the_link_uses_nothing_up_and_using_it_twice_does_not_work(
    embedded: World, server: str, surf: Surf
) -> None:
    link = str(invited(embedded).link)
    before = embedded.size()
    for _ in range(2):
        surf().goto(link)
    assert embedded.size() == before
    first, second = surf(), surf()
    for page in (first, second):
        page.goto(link)
    first.click("text=Begin")
    expect(first.locator("h1")).to_have_text("Choose a password")
    second.click("text=Begin")
    expect(second.locator("#summary")).to_contain_text("This invitation was used")


def test_who_sends_the_last_form_again_is_told_that_it_is_done(
    embedded: World, server: str, surf: Surf
) -> None:
    page = surf(java_script_enabled=False)
    invitation = invited(embedded)
    page.goto(f"{server}/enrol")
    page.fill("#code", str(invitation.code))
    page.click("text=Begin")
    choose(page)
    page.click("text=Use an authenticator app instead")
    page.fill("#code", code_of(page, embedded))
    page.click("text=Confirm")
    expect(page.locator("h1")).to_have_text("Your recovery codes")
    page.reload()
    expect(page.locator(".lead")).to_contain_text("your account is ready: sign in")
    assert not re.search(r"\d-[0-9A-Z]{4}-", page.content())


@pytest.mark.attack("AZ17")
def test_a_form_of_somebody_elses_enrolment_does_nothing(embedded: World, server: str, surf: Surf) -> None:
    page = surf()
    page.goto(str(invited(embedded).link))
    page.click("text=Begin")
    page.locator("[name=form_token]").first.evaluate("one => { one.value = 'AAAA' }")
    page.fill("#password", PASSWORD)
    before = embedded.size()
    page.click("text=Continue")
    expect(page.locator(".lead")).to_contain_text("was not made for this enrolment")
    assert embedded.size() == before


def test_somebody_joins_by_keyboard_alone(embedded: World, server: str, surf: Surf) -> None:
    page = surf()
    holding_a_passkey(page)
    page.goto(str(invited(embedded).link))
    press = page.keyboard.press

    def go_to(wanted: str) -> None:
        for _ in range(20):
            press("Tab")
            if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"no key leads to {wanted}")

    go_to("#code")
    press("Enter")
    expect(page.locator("h1")).to_have_text("Choose a password")
    go_to("#password")
    page.keyboard.type(PASSWORD)
    press("Enter")
    expect(page.locator("h1")).to_have_text("Add a second factor")
    go_to("#name")
    press("Enter")
    expect(page.locator("h1")).to_have_text("Your recovery codes")
    go_to("a.button")
    press("Enter")
    expect(page.locator("h1")).to_have_text("Sign in")
    go_to("#passkey")
    press("Space")
    page.wait_for_url("**/agreement")
