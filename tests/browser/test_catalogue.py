"""The catalogue in a real Chromium: everybody reads it, an administrator approves what waits, for all to see."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.people import POLYGLOT, Surf, sign_in, with_a_passkey
from tests.browser.test_reading import RULES
from tests.operations.necessities import HOST, NECESSITY, WITH_REGISTRAR
from tests.world import World
from vault.operations.house import upkeep
from vault.operations.services import catalogue

pytestmark = [pytest.mark.browser]
WAITS = "One line waits for"


@pytest.fixture
def asking(embedded: World) -> World:
    """A catalogue that asks for a registrar's login, which nobody has approved."""
    embedded.run(catalogue.apply(embedded.vault, HOST, WITH_REGISTRAR))
    return embedded


def read(page: Page, address: str) -> Page:
    """Go to the catalogue as one does: by its name in the head of every page."""
    page.goto(address)
    page.get_by_role("navigation").get_by_role("link", name="Catalogue").click()
    page.wait_for_url("**/catalogue")
    return page


@pytest.mark.promise("P7")
@pytest.mark.parametrize("role", ["technician", "coordinator", "auditor"])
def test_everybody_reads_what_is_asked_for_and_why_and_approves_nothing(
    asking: World, server: str, surf: Surf, role: str
) -> None:
    asking.actor(role)
    page = read(sign_in(surf(), asking, server, role), server)
    expect(page.locator(".lead")).to_contain_text(f"{WAITS} an administrator")
    expect(page.locator("main")).to_contain_text("Always asked for, to install the shop on your server")
    expect(page.locator("main")).to_contain_text(f"Extraordinary. {NECESSITY}")
    expect(page.locator("main")).to_contain_text(
        "Access for up to 4 hours at a time, a service for up to 90 days"
    )
    expect(page.locator("main")).to_contain_text("it can be brought back for five days")
    page.locator("main .what a").first.click()
    expect(page.locator(".lead")).to_contain_text("This line waits for an administrator")
    assert page.locator("main form, main button").count() == 0


@pytest.mark.promise("P7")
@pytest.mark.attack("AZ06")
def test_an_administrator_approves_the_words_that_the_page_shows_and_no_others(
    asking: World, server: str, surf: Surf
) -> None:
    page = read(sign_in(surf(), asking, server, "administrator"), server)
    expect(page.locator(".lead")).to_contain_text(f"{WAITS} your yes")
    page.locator("main .what a").first.click()
    expect(page.locator(".facts")).to_contain_text(NECESSITY)
    expect(page.locator(".facts")).to_contain_text("“… asks you for this login, to move your domain.”")
    page.fill("#code", "000000")
    page.click("button >> text=I approve it >> nth=0")
    expect(page.locator("#code-error")).to_contain_text("That code is wrong")
    asking.run(catalogue.apply(asking.vault, HOST, WITH_REGISTRAR.replace("only to who", "to whoever")))
    page.fill("#code", asking.code("administrator"))
    page.click("button >> text=I approve it >> nth=0")
    expect(page.locator("#summary")).to_contain_text("This line was changed meanwhile")
    expect(page.locator(".facts")).to_contain_text("hands the domain over to whoever is signed in")
    page.fill("#code", asking.code("administrator"))
    page.click("button >> text=I approve it >> nth=0")
    expect(page.locator(".lead")).to_contain_text("An administrator has approved these words")
    page.click("button >> text=Take the approval back")
    expect(page.locator(".lead")).to_contain_text("This line waits for your yes")
    assert asking.ledger()[-1] == "catalogue.revoke ok"
    page.fill("#code", asking.code("administrator"))
    page.click("button >> text=I approve it >> nth=0")
    expect(page.locator(".lead")).to_contain_text("An administrator has approved these words")
    read(page, server)
    expect(page.locator(".lead")).to_contain_text("Nothing waits here")
    expect(page.locator("main .state")).to_have_text("approved")
    assert asking.ledger()[-1] == "catalogue.approve ok"


def test_it_is_approved_with_a_passkey(asking: World, server: str, surf: Surf) -> None:
    page = read(with_a_passkey(surf(), asking, server, "administrator"), server)
    page.locator("main .what a").first.click()
    page.click("text=I approve it with a passkey")
    expect(page.locator(".lead")).to_contain_text("An administrator has approved these words")


@pytest.mark.attack("IN09")
def test_what_the_operator_wrote_is_text_on_these_pages(embedded: World, server: str, surf: Surf) -> None:
    quoted = POLYGLOT.replace('"', '\\"')
    wild = WITH_REGISTRAR.replace("The registrar hands", quoted).replace("Installation of", quoted)
    embedded.run(catalogue.apply(embedded.vault, HOST, wild.replace("to move your", quoted)))
    page = read(sign_in(surf(), embedded, server, "administrator"), server)
    expect(page.locator("main")).to_contain_text("onerror=alert(1)")
    page.locator("main .what a").first.click()
    expect(page.locator("main")).to_contain_text("onerror=alert(1)")
    assert page.locator("main img, main script, main b").count() == 0
    page.fill("#code", embedded.code("administrator"))
    page.click("button >> text=I approve it >> nth=0")
    expect(page.locator(".lead")).to_contain_text("An administrator has approved these words")


def test_a_service_in_its_grace_says_what_can_still_be_done(asking: World, server: str, surf: Surf) -> None:
    service = asking.service(days=3)
    asking.clock.advance(days=4)
    asking.run(upkeep.sweep(asking.vault))
    page = sign_in(surf(), asking, server, "coordinator")
    page.goto(server)
    expect(page.locator("main .state")).to_contain_text("ended, can be undone until")
    page.goto(f"{server}/services/{service.id}")
    expect(page.locator(".lead")).to_contain_text("This service has ended by itself")
    page.get_by_role("link", name="Bring it back").click()
    page.wait_for_url(f"**/services/{service.id}/prolong")


def _pages(world: World, address: str, surf: Surf, **options: Any) -> Iterator[Page]:
    for role in ("administrator", "coordinator"):
        page = read(sign_in(surf(**options), world, address, role), address)
        yield page
        page.locator("main .what a").first.click()
        page.wait_for_selector(".facts")
        yield page


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_everybody_can_read_it(asking: World, server: str, surf: Surf, scheme: str) -> None:
    seen = 0
    for page in _pages(asking, server, surf, viewport={"width": 320, "height": 800}, color_scheme=scheme):
        found = Axe().run(page, options=RULES).response["violations"]
        assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        seen += 1
    assert seen == 4
