"""Everybody can read it: axe finds nothing, nothing overflows at 320 px, and the keyboard goes everywhere."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.approvals import put
from tests.browser.people import Surf, hand_over, holding_a_passkey, open_form, sign_in
from tests.browser.test_command_lines import login
from tests.browser.test_joining import choose
from tests.browser.test_registering import acts, looks
from tests.browser.test_staff import asked
from tests.operations.desks import planned
from tests.operations.glasses import WHY, breakable
from tests.world import Member, World

pytestmark = [pytest.mark.browser]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # of what passes, one example is enough
}


def every_page(world: World, address: str, surf: Surf, **options: Any) -> Iterator[tuple[str, Page]]:
    """Every page of the product once, as the one who sees it."""
    both = world.hire("Bo Both", "coordinator technician")
    world.actor(both)
    bea = world.hire("Bea Brown", "administrator")
    service, secret, ticket, lease = world.lent()
    later = planned(world, ticket, secret, hours=9).id
    put(world, breakable())
    asked, urgent = (world.lease(ticket, secret).id for _ in range(2))
    world.clock.advance(minutes=16)  # so long nobody has answered
    told = login(address)
    second = world.service(title="A second service")
    request = world.ask(second)
    page = surf(**options)
    for place in ("/signin", "/signin?after=factor", "/enrol", "/give/begin", "/nothing"):
        page.goto(address + place)
        yield place, page
    open_form(page, address, request.code)
    page.wait_for_selector("[data-suite]")
    yield "the form", page
    page.click("#submit")
    page.wait_for_selector("#summary")
    yield "the form with faults", page
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    page.fill("#password", "hunter2")
    hand_over(page)
    yield "what was given", page
    page.click("text=That is all")
    page.wait_for_url("**/give/thanks")
    yield "the receipt", page
    tom = world.member("technician").id
    places = {
        "technician": ("/", f"/tickets/{ticket.id}", f"/leases/{lease.id}", f"/leases/{later}", "/agreement"),
        "coordinator": (
            "/",
            f"/services/{service.id}",
            *looks(second, request),
            "/tickets",
            "/leases",
            "/services",
            "/search?q=shop",
            *approvals(asked),
        ),
        "auditor": ("/log", "/log/20"),
        "administrator": ("/people", "/catalogue", "/people/invite", f"/people/{tom}", *deeds(tom)),
        both.id: ("/", "/account", *OWN, "/device"),
    }
    for role, paths in places.items():
        page = sign_in(surf(**options), world, address, role)
        for path in paths:
            page.goto(address + path)
            if path == f"/leases/{lease.id}":
                page.locator("[data-name=password]").get_by_role("button", name="Reveal").click()
                page.wait_for_selector(".value")
            yield f"{role} {path}", page
        if role == "technician":
            yield from _breaking(page, world, f"{address}/leases/{urgent}")
        if role == "auditor":
            yield from _reviewing(page, address)
        if role == both.id:
            yield from _one_after_the_other(world, page, told["user_code"], both)
        if role == "coordinator":
            yield from acts(page, address)
        if role == "administrator":
            yield from _joining(world, address, surf, options, page, bea)


def _breaking(page: Page, world: World, place: str) -> Iterator[tuple[str, Page]]:
    """What waits for a yes, both steps of breaking the glass, and what was broken."""
    page.goto(place)
    yield "what waits for a yes", page
    page.get_by_role("link", name="Break the glass").click()
    page.wait_for_selector("#reason")
    yield "why it cannot wait", page
    page.fill("#reason", WHY)
    page.click("text=Go on")
    page.wait_for_selector("#code")
    yield "the last step", page
    page.fill("#code", world.code("technician"))
    page.click("form button >> text=Break the glass")
    page.wait_for_selector(".note.grave")
    yield "broken glass", page


def _reviewing(page: Page, address: str) -> Iterator[tuple[str, Page]]:
    page.goto(f"{address}/reviews")
    yield "reviews", page
    page.get_by_role("link", name="Tom Tanner").click()
    page.wait_for_url("**/reviews/rev_*")
    yield "a review", page


def approvals(lease: str) -> tuple[str, ...]:
    return "/approvals", f"/approvals/{lease}", f"/leases/{lease}"


OWN = (
    "/account/password",
    "/account/authenticator",
    "/account/passkey",
    "/account/recovery",
    "/account/tokens",
)


def deeds(person: str) -> tuple[str, ...]:
    return tuple(f"/people/{person}/{deed}" for deed in ("roles", "mail", "reset", "disable"))


def _one_after_the_other(world: World, page: Page, user_code: str, who: Member) -> Iterator[tuple[str, Page]]:
    """The pages that only an act leads to."""
    page.fill("#code", user_code)
    page.click("text=Continue")
    page.wait_for_selector("text=Calls itself")
    yield "a command line", page
    page.click("text=It is not me")
    yield "a command line sent away", page
    page.goto(page.url.replace("/device/deny", "/account/tokens"))
    page.fill("#name", "our helpdesk")
    page.check("[id='tickets:read']")
    page.fill("#code", world.code(who))
    page.click("form button >> text=Make the token")
    page.wait_for_selector("#token")
    yield "a token", page
    page.click("text=I have kept it")
    yield "the account with a token", page
    page.click("text=Replace the authenticator app")
    page.fill("#code", world.code(who))
    page.click("form button >> text=Continue")
    page.wait_for_selector(".qr")
    yield "an authenticator", page
    page.click("text=My account")
    page.click("text=Add a passkey")
    page.fill("#code", world.code(who))
    page.click("form button >> text=Continue")
    page.wait_for_selector("text=Give it a name")
    yield "a passkey", page


def _joining(
    world: World, address: str, surf: Surf, options: dict[str, Any], page: Page, second: Member
) -> Iterator[tuple[str, Page]]:
    """What waits for a second person, and all the steps of joining."""
    asked(page, world, address)
    yield "what one has asked for", page
    page.goto(f"{address}/people")
    yield "people with something that waits", page
    other = sign_in(surf(**options), world, address, second)
    other.click("text=Ines Imhof joins as technician")
    other.wait_for_selector("text=I refuse it")
    yield "what waits for one", other
    other.fill("#code", world.code(second))
    other.click("form button >> text=I vouch for it")
    other.wait_for_selector("#link")
    yield "an invitation", other
    joining = surf(**options)
    holding_a_passkey(joining)
    joining.goto(other.locator("#link").inner_text())
    joining.click("text=Begin")
    joining.wait_for_selector("#password")
    yield "choosing a password", joining
    joining.fill("#password", "ines imhof ines imhof")
    joining.click("text=Continue")
    joining.wait_for_selector("#summary")
    yield "a password refused", joining
    choose(joining)
    joining.wait_for_selector("[data-ask]")
    yield "a second factor", joining
    joining.click("text=Use an authenticator app instead")
    joining.wait_for_selector(".qr")
    yield "an authenticator to join with", joining
    joining.goto(f"{address}/enrol")
    joining.click("form button >> text=Use a passkey")
    joining.wait_for_selector("#codes")
    yield "recovery codes", joining


@pytest.mark.timeout(600)  # every page there is, also where little of the machine is left
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_every_page_can_be_read_by_everybody(embedded: World, server: str, surf: Surf, scheme: str) -> None:
    """Axe has no complaint, 320 px are wide enough, one heading and one sentence say where one is, and the keyboard
    goes everywhere and can be seen."""
    complaints: list[tuple[str, ...]] = []
    seen = 0
    for name, page in every_page(embedded, server, surf, color_scheme=scheme):
        found = Axe().run(page, options=RULES).response
        assert len(found["passes"]) > 10, "the canary: axe has looked"
        complaints += [(name, one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
        assert page.locator("h1").count() == 1, name
        assert page.locator(".lead").first.inner_text().strip(), name
        assert page.locator("link[href*='//'], script[src*='//'], img").count() == 0, name
        page.set_viewport_size({"width": 320, "height": 640})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            complaints.append((name, "wider than a narrow telephone"))
        page.set_viewport_size({"width": 1280, "height": 720})
        if scheme == "light":
            complaints += [(name, fault) for fault in walked(page)]
        seen += 1
    assert complaints == []
    assert seen > 55


def walked(page: Page) -> list[str]:
    """What is wrong with going through a page by Tab: a control that it leaves out, a focus that is not seen."""
    page.evaluate(
        """() => {
          document.activeElement?.blur();
          scrollTo(0, 0);
          window.walked = new Map();
          document.addEventListener("focusin", ({target}) => walked.set(
            target, getComputedStyle(target).outlineStyle !== "none" || target.type === "file"));
        }"""
    )
    wanted = page.locator(
        "a[href]:visible, button:visible, input:not([type=hidden], [type=radio], :disabled):visible, "
        "select:visible, textarea:visible, summary:visible"
    ).count()
    for _ in range(wanted + 7):  # a day alone takes four
        page.keyboard.press("Tab")
    reached, unseen = page.evaluate(
        "[walked.size, [...walked].filter(([_, seen]) => !seen).map(([one]) => one.outerHTML)]"
    )
    missed = [f"{reached} of {wanted} controls are reached"] if reached < wanted else []
    return missed + [f"no focus is seen on {one}" for one in unseen]
