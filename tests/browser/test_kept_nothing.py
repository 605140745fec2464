"""What was opened is nowhere a moment later: on no tab that was left, behind no back button, in no source of a page,
not on the clipboard, and not after the lease."""

import re
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Error, Locator, Page, expect

from tests.browser.leaving import LEAVE
from tests.browser.people import Surf, sign_in
from tests.world import LOGIN, World

pytestmark = [pytest.mark.browser, pytest.mark.promise("P4")]

VALUE = LOGIN["password"].strip()
ALL_OF_IT = "document.documentElement.outerHTML + JSON.stringify([{...localStorage}, {...sessionStorage}])"


def at_the_lease(page: Page, world: World, address: str) -> Locator:
    """Tom at a lease of his; the row of its password."""
    *_, lease = world.lent()
    sign_in(page, world, address, "technician")
    page.goto(f"{address}/leases/{lease.id}")
    return page.locator("[data-name=password]")


def press(row: Locator, name: str) -> None:
    row.get_by_role("button", name=name).click()


def test_a_tab_that_is_left_shows_nothing(embedded: World, server: str, surf: Surf) -> None:
    page = surf()
    row = at_the_lease(page, embedded, server)
    press(row, "Reveal")
    expect(row.locator(".value")).to_have_count(1)
    press(page.locator("[data-name=host]"), "Reveal")
    expect(page.locator("[data-name=host] .value")).to_have_count(1)
    expect(row.locator(".value")).to_have_count(0)  # one at a time
    page.evaluate(LEAVE, True)
    assert page.locator(".value").count() == 0
    before = embedded.size()
    press(row, "Reveal")  # the answer comes when nobody is there to see it
    expect(row.locator(".error")).to_contain_text("You left this page before it arrived")
    assert embedded.ledger(before) == ["secret.reveal ok"]
    assert VALUE not in page.evaluate(ALL_OF_IT)
    page.evaluate(LEAVE, False)
    press(row, "Reveal")
    expect(row.locator(".value")).to_have_count(1)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_way_back_shows_nothing_and_no_source_holds_it(
    embedded: World, server: str, surf: Surf, script: bool
) -> None:
    page = surf(java_script_enabled=script)
    sources: list[str] = []
    row = at_the_lease(page, embedded, server)
    page.on("response", lambda answer: sources.append(answer.headers.get("cache-control", "")))
    before = embedded.size()
    press(row, "Reveal")
    expect(row.locator(".value")).to_have_count(1)
    assert sources
    assert all("no-store" in one for one in sources if "max-age" not in one)
    assert embedded.ledger(before) == ["secret.reveal ok"]
    page.goto(f"{server}/account")
    for way in (page.go_back, page.go_forward, page.go_back):
        with suppress(Error):  # without script Chromium has nothing to show there, and says so
            way()
        expect(page.locator(".value")).to_have_count(0)
        expect(page.locator("html")).not_to_contain_text(VALUE)
    assert embedded.ledger(before) == ["secret.reveal ok"], "nothing was opened again"


@pytest.mark.attack("AZ09")
def test_the_end_of_a_lease_covers_everything_and_the_vault_has_ended_it_too(
    embedded: World, server: str, surf: Surf
) -> None:
    page = surf(permissions=["clipboard-read", "clipboard-write"])
    page.clock.install()
    row = at_the_lease(page, embedded, server)
    page.clock.pause_at(datetime.fromtimestamp(page.evaluate("Date.now()") / 1000 + 1, UTC))
    page.reload()
    left = int(page.locator(".count").get_attribute("data-left") or "0")
    page.clock.fast_forward((left - 20) * 1000)
    expect(page.locator(".count")).to_contain_text("20\u00a0s left")
    press(row, "Copy")
    expect(row.locator("[data-note]")).to_contain_text("Copied")
    press(row, "Reveal")
    expect(row.locator(".left").first).to_contain_text("Covered again in 30")
    for minutes in (14, 14, 3):  # so that the session outlives the lease
        page.request.get(page.url)
        embedded.clock.advance(minutes=minutes)
    page.clock.fast_forward(25_000)
    expect(page.locator(".lead")).to_contain_text("which is over")
    assert page.locator(".value, .reveal").count() == 0, "before its own half minute is over"
    assert VALUE not in page.content()
    expect(row.locator("[data-note]")).to_be_empty()
    assert page.evaluate("navigator.clipboard.readText()") == ""
    told = page.evaluate(
        """row => fetch(`/api/v1/leases/${row.lease}/use`, {
             method: "POST", headers: { "Content-Type": "application/json" },
             body: JSON.stringify({ secret: row.secret, field: "password" }),
           }).then((answer) => answer.status)""",
        row.evaluate("one => ({...one.dataset})"),
    )
    assert told == 410


def test_the_clipboard_is_cleared_only_of_what_was_put_there(
    embedded: World, server: str, surf: Surf
) -> None:
    page = surf(permissions=["clipboard-read", "clipboard-write"])
    page.clock.install()
    row = at_the_lease(page, embedded, server)
    before = embedded.size()
    press(row, "Copy")
    expect(row.locator("[data-note]")).to_contain_text("cleared in")
    assert embedded.ledger(before) == ["secret.use ok"], "to copy is to use"
    assert VALUE not in page.evaluate(ALL_OF_IT)
    page.evaluate("""navigator.clipboard.writeText("a sentence of their own")""")
    page.evaluate("""dispatchEvent(new Event("blur"))""")  # it was done elsewhere
    page.clock.fast_forward(31_000)
    expect(row.locator("[data-note]")).to_be_empty()
    assert page.evaluate("navigator.clipboard.readText()") == "a sentence of their own"
    press(row, "Copy")
    expect(row.locator("[data-note]")).to_contain_text("cleared in")
    page.get_by_role("button", name="Hand it back").click()
    page.wait_for_url(f"{server}/")
    assert page.evaluate("navigator.clipboard.readText()") == "", "what is handed back stays nowhere"


def test_a_browser_that_lets_no_page_copy_says_what_to_do(embedded: World, server: str, surf: Surf) -> None:
    page = surf()
    row = at_the_lease(page, embedded, server)
    page.evaluate(
        "void (navigator.clipboard.write = () => Promise.reject(new DOMException('no', 'NotAllowedError')))"
    )
    press(row, "Copy")
    expect(row.locator(".error")).to_contain_text("does not allow copying here")
    page.context.clear_cookies()
    press(row, "Reveal")
    expect(row.locator(".error")).to_contain_text(re.compile("sign", re.IGNORECASE))


def test_keys_can_be_switched_off_and_do_no_deed(embedded: World, server: str, surf: Surf) -> None:
    page = surf()
    row = at_the_lease(page, embedded, server)
    before = embedded.size()
    page.keyboard.press("h")
    assert page.evaluate("document.activeElement.textContent") == "Hand it back"
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("Show or cover: Password")
    page.keyboard.press("4")  # the list is open, and nothing behind it hears
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("4")
    page.get_by_text("This login does not work").click()
    page.locator("textarea").press_sequentially("1234?")
    assert embedded.ledger(before) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keys for this page").click()
    page.locator("#keys-on").check()
    page.get_by_role("button", name="Close").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("4")
    expect(row.locator(".value")).to_have_count(1)
