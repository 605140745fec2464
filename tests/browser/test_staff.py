"""The administrators' pages in a real Chromium: what takes two people, and what one person can do at once."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import POLYGLOT, Surf, sign_in, with_a_passkey
from tests.world import Member, World

pytestmark = [pytest.mark.browser]


@pytest.fixture
def second(embedded: World) -> Member:
    """Another administrator, added by the host while there was one alone."""
    return embedded.hire("Bea Brown", "administrator")


def asked(
    page: Page, world: World, address: str, name: str = "Ines Imhof", mail: str = "ines@agency.example"
) -> Page:
    """Ada asks that somebody may join."""
    page.goto(f"{address}/people")
    page.click("text=Invite somebody")
    page.fill("#name", name)
    page.fill("#mail", mail)
    page.check("#technician")
    page.fill("#code", world.code("administrator"))
    page.click("button >> text=Ask for it >> nth=0")
    page.wait_for_url("**/people/changes/**")
    return page


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06", "AZ11")
def test_one_administrator_asks_another_vouches_and_the_invitation_is_shown_once(
    embedded: World, server: str, surf: Surf, second: Member
) -> None:
    ada = sign_in(surf(), embedded, server, "administrator")
    asked(ada, embedded, server)
    expect(ada.locator("h1")).to_have_text("Ines Imhof joins as technician")
    expect(ada.locator(".lead")).to_contain_text("It waits for another administrator")
    assert ada.locator("text=I vouch for it").count() == 0
    bea = sign_in(surf(), embedded, server, second)
    expect(bea.locator(".lead")).to_contain_text("One change waits for your yes or no")
    expect(bea.locator("main")).to_contain_text("Asked by Ada Adams")
    bea.click("text=Ines Imhof joins as technician")
    before = embedded.size()
    bea.click("button >> text=I vouch for it >> nth=0")
    assert embedded.size() == before, "the browser asks for the code first"
    bea.fill("#code", embedded.code(second))
    bea.click("button >> text=I vouch for it >> nth=0")
    expect(bea.locator("h1")).to_have_text("Done: Ines Imhof joins as technician")
    link = bea.locator("#link").inner_text()
    bea.goto(f"{server}/people")
    assert link not in bea.content()
    ines = surf()
    ines.goto(link)
    ines.click("text=Begin")
    expect(ines.locator(".lead")).to_contain_text("Good day, Ines Imhof. You join as technician")


def test_a_second_person_vouches_with_a_passkey(
    embedded: World, server: str, surf: Surf, second: Member
) -> None:
    asked(sign_in(surf(), embedded, server, "administrator"), embedded, server)
    bea = with_a_passkey(surf(), embedded, server, second)
    bea.goto(f"{server}/people")
    bea.click("text=Ines Imhof joins as technician")
    bea.click("text=I vouch for it with a passkey")
    expect(bea.locator("h1")).to_have_text("Done: Ines Imhof joins as technician")


def test_what_waits_is_withdrawn_or_refused_with_a_button(
    embedded: World, server: str, surf: Surf, second: Member
) -> None:
    ada = asked(sign_in(surf(), embedded, server, "administrator"), embedded, server)
    ada.click("text=Withdraw it")
    expect(ada.locator(".lead")).to_contain_text("Nothing waits")
    asked(ada, embedded, server)
    bea = sign_in(surf(), embedded, server, second)
    bea.click("text=Ines Imhof joins as technician")
    bea.click("text=I refuse it")
    expect(bea.locator(".lead")).to_contain_text("Nothing waits")
    assert embedded.ledger()[-1] == "staff.refuse ok"


def test_roles_that_do_not_go_together_are_explained_and_nothing_typed_is_lost(
    embedded: World, server: str, surf: Surf, second: Member
) -> None:
    page = sign_in(surf(), embedded, server, "administrator")
    page.goto(f"{server}/people/invite")
    page.fill("#name", "Ines Imhof")
    page.fill("#mail", "ines@agency.example")
    page.check("#technician")
    page.check("#auditor")
    page.fill("#code", embedded.code("administrator"))
    page.click("button >> text=Ask for it >> nth=0")
    expect(page.locator("#roles-error")).to_contain_text("do not go together")
    assert page.input_value("#name") == "Ines Imhof"
    assert page.is_checked("#auditor")
    assert second.id


def test_roles_access_and_address_are_asked_for_and_leaving_needs_nobody(
    embedded: World, server: str, surf: Surf, second: Member
) -> None:
    page = sign_in(surf(), embedded, server, "administrator")
    tom = embedded.member("technician")
    for way, fill, title in (
        ("Change the roles", "#coordinator", "Tom Tanner becomes coordinator and technician"),
        ("Change the mail address", "#mail", "Tom Tanner gets the address tanner@agency.example"),
        ("Reset the access", "", "Tom Tanner enrols anew"),
    ):
        page.goto(f"{server}/people/{tom.id}")
        page.click(f"text={way}")
        if fill == "#mail":
            page.fill(fill, "tanner@agency.example")
        elif fill:
            page.check(fill)
        page.fill("#code", embedded.code("administrator"))
        page.click("button >> text=Ask for it >> nth=0")
        expect(page.locator("h1")).to_have_text(title)
    bea = sign_in(surf(), embedded, server, second)
    expect(bea.locator(".lead")).to_contain_text("Three changes wait for your yes or no")
    bea.click("text=becomes coordinator and technician")
    bea.fill("#code", embedded.code(second))
    bea.click("button >> text=I vouch for it >> nth=0")
    expect(bea.locator(".lead")).to_contain_text("It counts from now on")
    page.goto(f"{server}/people/{tom.id}")
    page.click("text=Take away the role coordinator")
    expect(page.locator(".facts")).not_to_contain_text("oordinator")
    page.click("text=Disable this account")
    page.click("button >> text=Disable Tom Tanner")
    expect(page.locator(".lead")).to_contain_text("This account is disabled")
    assert embedded.ledger()[-1] == "staff.disable ok"


def test_one_administrator_alone_is_told_so_and_what_it_means(
    embedded: World, server: str, surf: Surf
) -> None:
    page = sign_in(surf(), embedded, server, "administrator")
    expect(page.locator(".lead")).to_contain_text("nobody who could vouch")
    expect(page.locator(".note")).to_contain_text("valetkey staff add")
    assert page.locator("text=Invite somebody").count() == 0
    page.goto(f"{server}/people/{embedded.member('technician').id}")
    assert page.locator("text=Change the roles").count() == 0
    page.goto(f"{server}/people/invite")
    page.wait_for_url("**/people")


@pytest.mark.attack("IN09")
def test_names_are_text_on_the_pages_of_the_staff(
    embedded: World, server: str, surf: Surf, second: Member
) -> None:
    ada = asked(sign_in(surf(), embedded, server, "administrator"), embedded, server, POLYGLOT)
    expect(ada.locator("h1")).to_contain_text("onerror=alert(1)")
    bea = sign_in(surf(), embedded, server, second)
    expect(bea.locator("main")).to_contain_text("onerror=alert(1)")
    bea.click("text=joins as technician")
    bea.fill("#code", embedded.code(second))
    bea.click("button >> text=I vouch for it >> nth=0")
    link = bea.locator("#link").inner_text()
    ines = surf()
    ines.goto(link)
    ines.click("text=Begin")
    for page in (ada, bea, ines):
        expect(page.locator("main")).to_contain_text("onerror=alert(1)")
        assert page.locator("main img, main script, main b").count() == 0
