"""A technician's whole day in a real Chromium, and what others have to do with it: a yes, and a review."""

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.approvals import put, taking
from tests.browser.people import Surf, sign_in
from tests.logins import GOOD
from tests.world import CATALOGUE, LOGIN, World
from vault.model.views import TicketView
from vault.values import SECOND, to_datetime

pytestmark = [pytest.mark.browser]

REASON = "install the shop as ordered"
CANNOT_WAIT = "The shop is down and sells nothing; I have called Clara twice, and nobody answers."
SEED = "JBSWY3DPEHPK3PXP"
AS_TYPED = """at => {
  const there = new Date(at);
  return new Date(there - there.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}"""
"""A moment as somebody types it into a form where they are."""


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def with_codes_and_glass(world: World, text: str = CATALOGUE) -> None:
    """A catalogue in which codes may be asked for, and the glass can be broken."""
    codes = 'may_ask = [{ kind = "totp-seed", because = "to log in in two steps" }, '
    text = text.replace("may_ask = [", codes)
    put(world, text.replace("longest_life_days", "break_glass_minutes = 20\nlongest_life_days"))


@dataclass
class Day:
    """Tom at his desk, with one ticket."""

    world: World
    address: str
    surf: Surf
    tom: Page
    ticket: TicketView

    def says(self, words: str | re.Pattern[str]) -> None:
        """The first line of the page says so."""
        expect(self.tom.locator(".lead")).to_contain_text(words)

    def check_out(self, begins: str = "") -> str:
        """By the page of the ticket; gives the address of the lease."""
        self.tom.goto(f"{self.address}/tickets/{self.ticket.id}")
        for box in self.tom.locator("[name=secrets]").all():
            box.check()
        self.tom.fill("#reason", REASON)
        if begins:
            self.tom.click("text=It begins later")
            self.tom.fill("#begins_at", begins)
        self.tom.fill("#code", self.world.code("technician"))
        press(self.tom, "Check out")
        self.tom.wait_for_url("**/leases/*")
        return self.tom.url

    def hand_back(self) -> None:
        press(self.tom, "Hand it back")
        self.tom.wait_for_url(f"{self.address}/")
        self.says("You hold no access at the moment")


@pytest.fixture
def day(embedded: World, server: str, surf: Surf) -> Day:
    """The morning: Tom signs in, is bound, and finds his ticket."""
    with_codes_and_glass(embedded)
    service = embedded.service()
    embedded.give(service)
    embedded.give(service, GOOD["totp-seed"], "totp-seed")
    assert SEED in GOOD["totp-seed"]["otpauth"]
    ticket = embedded.ticket(service)
    tom = surf(permissions=["clipboard-read", "clipboard-write"], timezone_id="Asia/Kolkata")
    tom.clock.install()
    tom.goto(server)
    tom.wait_for_url("**/signin")
    sign_in(tom, embedded, server, "technician")
    expect(tom.locator("h1")).to_have_text("Confidentiality agreement")
    press(tom, "I accept this agreement")
    expect(tom.locator(".lead")).to_contain_text("You hold no access at the moment. One ticket is waiting")
    tom.get_by_role("link", name=ticket.number).click()
    tom.wait_for_url("**/tickets/*")
    return Day(embedded, server, surf, tom, ticket)


@pytest.mark.promise("P1", "P2", "P4", "P8")
def test_a_technicians_whole_day(day: Day) -> None:
    works(day)
    needs_longer(day)
    plans(day)
    with_codes_and_glass(day.world, taking("coordinator"))
    asks(day)
    breaks_the_glass(day)
    is_reviewed(day)


def works(day: Day) -> None:
    """He looks, by button and by key, copies without looking, and takes a code."""
    day.check_out()
    day.says(re.compile(r"[23]\d\smin left"))
    before = day.world.size()
    password, code = day.tom.locator("[data-name=password]"), day.tom.locator("[data-lease][data-code]")
    password.get_by_role("button", name="Reveal").click()
    expect(password.locator(".value")).to_have_text(LOGIN["password"], use_inner_text=True)
    day.tom.clock.fast_forward(31_000)
    expect(password.locator(".value")).to_have_count(0)
    day.tom.keyboard.press("4")
    expect(password.locator(".value")).to_have_count(1)
    day.tom.keyboard.press("Escape")
    expect(password.locator(".value")).to_have_count(0)

    day.tom.keyboard.press("Shift+Digit4")
    expect(password.locator("[data-note]")).to_contain_text("Copied. The clipboard is cleared in")
    assert day.tom.evaluate("navigator.clipboard.readText()") == LOGIN["password"]
    expect(password.locator(".value")).to_have_count(0)
    day.tom.clock.fast_forward(31_000)
    expect(password.locator("[data-note]")).to_be_empty()
    assert day.tom.evaluate("navigator.clipboard.readText()") == ""

    day.world.clock.advance(seconds=31 - day.world.clock.wall() // SECOND % 30)  # a code that has just begun
    code.get_by_role("button", name="Get a code").click()
    expect(code.locator(".digits")).to_have_text(re.compile(r"^\d{3} \d{3}$"))
    opened = ["secret.reveal ok", "secret.reveal ok", "secret.use ok", "secret.code ok"]
    assert day.world.ledger(before) == opened
    assert SEED not in day.tom.content()


def needs_longer(day: Day) -> None:
    day.tom.click("text=It takes longer")
    day.tom.select_option("#minutes", "15")
    day.tom.fill("#code", day.world.code("technician"))
    press(day.tom, "Extend it")
    day.says(re.compile(r"4\d\smin left"))
    day.hand_back()


def plans(day: Day) -> None:
    """What is for tonight begins tonight, at the hour that was typed in Kolkata, half an hour beside most others."""
    begins = to_datetime(day.world.clock.wall()) + timedelta(minutes=12)
    day.check_out(day.tom.evaluate(AS_TYPED, begins.isoformat()))
    day.says("Nothing of it opens before")
    assert day.tom.locator(".reveal").count() == 0
    day.world.clock.advance(minutes=12)
    day.tom.reload()
    day.says("Checked out")
    day.hand_back()


def asks(day: Day) -> None:
    """It takes a coordinator's yes by now, and Clara says it."""
    place = day.check_out()
    day.says("for the yes of a coordinator")
    expect(day.tom.locator("main")).to_contain_text(
        "You cannot break the glass now: a coordinator has been asked"
    )
    clara = sign_in(day.surf(), day.world, day.address, "coordinator")
    clara.goto(f"{day.address}/approvals")
    clara.get_by_role("link", name="Tom Tanner").click()
    clara.fill("#code", day.world.code("coordinator"))
    press(clara, "I approve it")
    expect(clara.locator(".lead")).to_contain_text("Clara Cole approved this")
    day.tom.clock.fast_forward(4_000)
    day.says("Checked out")
    assert day.tom.url == place
    day.hand_back()


def breaks_the_glass(day: Day) -> None:
    """Nobody answers, and it cannot wait: two steps, of which the first does nothing."""
    day.check_out()
    for _ in range(2):
        day.world.clock.advance(minutes=8)
        day.tom.reload()
    day.tom.get_by_role("link", name="Break the glass").click()
    day.tom.wait_for_url("**/break-glass")
    day.tom.evaluate("void (document.querySelector('#reason').minLength = 0)")
    day.tom.fill("#reason", "it is urgent")
    press(day.tom, "Go on")
    expect(day.tom.locator("#reason-error")).to_contain_text("40")
    expect(day.tom.locator("#reason")).to_have_value("it is urgent")
    before = day.world.size()
    day.tom.fill("#reason", CANNOT_WAIT)
    press(day.tom, "Go on")
    expect(day.tom.locator("h1")).to_have_text("Break it now?")
    day.tom.fill("#code", "000000")
    press(day.tom, "Break the glass")
    expect(day.tom.locator("#code-error")).to_contain_text("That code is wrong")
    assert "lease.break-glass ok" not in day.world.ledger(before)
    day.tom.fill("#code", day.world.code("technician"))
    press(day.tom, "Break the glass")
    day.tom.wait_for_url(re.compile(r"/leases/lse_\w+$"))
    day.says(re.compile(r"(1\d|20)\smin left"))
    expect(day.tom.locator(".note.grave")).to_contain_text("nobody said yes to it")
    password = day.tom.locator("[data-name=password]")
    password.get_by_role("button", name="Reveal").click()
    expect(password.locator(".value")).to_have_count(1)


def is_reviewed(day: Day) -> None:
    """An auditor reads why, and what was opened; that it was right can be said when it is over."""
    axel = sign_in(day.surf(), day.world, day.address, "auditor")
    axel.goto(f"{day.address}/reviews")
    axel.get_by_role("link", name="Tom Tanner").click()
    expect(axel.locator(".facts")).to_contain_text(CANNOT_WAIT)
    expect(axel.locator("main")).to_contain_text("Revealed to eyes")
    expect(axel.locator("#justified")).to_be_disabled()
    day.hand_back()
    axel.reload()
    axel.check("#justified")
    axel.evaluate("void (document.querySelector('#note').minLength = 0)")
    axel.fill("#note", "right")
    axel.fill("#code", day.world.code("auditor"))
    press(axel, "Close the review")
    expect(axel.locator("#note-error")).to_contain_text("10")
    expect(axel.locator("#justified")).to_be_checked()
    axel.fill("#note", "The shop was down, and Clara confirms it")
    axel.fill("#code", day.world.code("auditor"))
    press(axel, "Close the review")
    expect(axel.locator(".lead")).to_have_text("Axel Audley found that it was justified.")
    assert axel.locator("main form").count() == 0
    axel.goto(f"{day.address}/reviews")
    expect(axel.locator(".lead")).to_contain_text("has been reviewed")
    expect(axel.locator(".rows")).to_contain_text("The shop was down")
