"""The desk without JavaScript: codes, a longer lease, a later one, broken glass. A page more for each, and no less."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.approvals import put
from tests.browser.people import Surf, sign_in
from tests.browser.test_technicians_day import CANNOT_WAIT, REASON, press, with_codes_and_glass
from tests.logins import GOOD
from tests.world import CATALOGUE, World
from vault.values import to_datetime

pytestmark = [pytest.mark.browser]


def check_out(page: Page, world: World, place: str, begins: str = "") -> None:
    page.goto(place)
    page.fill("#reason", REASON)
    if begins:
        page.click("text=It begins later")
        page.fill("#begins_at", begins)
    page.fill("#code", world.code("technician"))
    press(page, "Check out")


@pytest.mark.promise("P1", "P4")
def test_all_of_it_goes_without_script(embedded: World, server: str, surf: Surf) -> None:
    with_codes_and_glass(embedded)
    service = embedded.service()
    embedded.give(service, GOOD["totp-seed"], "totp-seed")
    ticket = embedded.ticket(service)
    embedded.actor("technician")
    place = f"{server}/tickets/{ticket.id}"
    page = sign_in(surf(java_script_enabled=False), embedded, server, "technician")

    # a code on a page of its own, which leads away from itself when the code is over
    check_out(page, embedded, place)
    page.wait_for_url("**/leases/*")
    expect(page.locator(".lead")).to_contain_text("30 minutes left")
    assert page.locator("[data-name]").count() == 0, "what codes are made of has no field"
    lease = page.url
    before = embedded.size()
    with page.expect_response("**/code") as answered:
        press(page, "Get a code")
    assert answered.value.headers["cache-control"] == "no-store"
    assert re.search(r"<p class=\"value digits\">\d{3} \d{3}</p>", answered.value.text())
    assert re.search(r"http-equiv=\"refresh\" content=\"\d{1,2};url=/leases/", answered.value.text())
    assert embedded.ledger(before) == ["secret.code ok"]

    # longer, with a refusal on the way
    page.goto(lease)
    page.click("text=It takes longer")
    page.fill("#code", "000000")
    press(page, "Extend it")
    expect(page.locator("#code-error")).to_contain_text("That code is wrong")
    page.fill("#code", embedded.code("technician"))
    press(page, "Extend it")
    expect(page.locator(".lead")).to_contain_text(re.compile("4[0-9] minutes left"))
    press(page, "Hand it back")
    page.wait_for_url(f"{server}/")
    page.goto(lease)
    page.get_by_role("link", name="Check it out again").click()
    expect(page.locator("#reason")).to_have_value(REASON)

    # later, by the clock of UTC, as the form says
    expect(page.locator("#zone")).to_have_text("The time is in UTC", use_inner_text=False)
    begins = to_datetime(embedded.clock.wall()) + timedelta(days=1)
    check_out(page, embedded, place, f"{begins + timedelta(days=60):%Y-%m-%dT%H:%M}")
    expect(page.locator("#begins_at-error")).to_contain_text("30 days")
    check_out(page, embedded, place, f"{begins:%Y-%m-%dT%H:%M}")
    page.wait_for_url("**/leases/*")
    assert page.locator(".lead time").first.get_attribute("datetime") == f"{begins:%Y-%m-%dT%H:%M}:00Z"
    press(page, "Give it up")
    page.wait_for_url(f"{server}/")

    # and without a yes, in two steps
    put(embedded, catalogue_of_codes())
    check_out(page, embedded, place)
    page.wait_for_url("**/leases/*")
    breaks_the_glass(page, embedded)
    assert embedded.ledger()[-1] == "lease.break-glass ok"


def breaks_the_glass(page: Page, world: World) -> None:
    for _ in range(2):
        world.clock.advance(minutes=8)
        page.reload()
    page.get_by_role("link", name="Break the glass").click()
    page.fill("#reason", CANNOT_WAIT)
    press(page, "Go on")
    expect(page.locator("h1")).to_have_text("Break it now?")
    page.fill("#code", world.code("technician"))
    press(page, "Break the glass")
    expect(page.locator(".note.grave")).to_contain_text("nobody said yes to it")


def catalogue_of_codes() -> str:
    """Codes that take a coordinator's yes."""
    codes = (
        'may_ask = [{ kind = "totp-seed", approval = "coordinator", because = "to log in in two steps" }, '
    )
    return CATALOGUE.replace("may_ask = [", codes).replace(
        "longest_life_days", "break_glass_minutes = 20\nlongest_life_days"
    )
