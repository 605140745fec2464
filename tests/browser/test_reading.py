"""Everybody can read it: axe finds nothing, nothing overflows at 320 px, and the keyboard goes everywhere."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.people import Surf, sign_in
from tests.world import World

pytestmark = [pytest.mark.browser]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def every_page(world: World, address: str, surf: Surf, **options: Any) -> Iterator[tuple[str, Page]]:
    """Every page of the product once, as the one who sees it."""
    service, _, ticket, lease = world.lent()
    request = world.ask(world.service(title="A second service"))
    page = surf(**options)
    for place in ("/signin", "/give/begin", "/nothing"):
        page.goto(address + place)
        yield place, page
    page.goto(f"{address}/give#{request.code}")
    page.click("button")
    page.wait_for_selector("[data-suite]")
    yield "the form", page
    page.click("#submit")
    page.wait_for_selector("#summary")
    yield "the form with faults", page
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    page.fill("#password", "hunter2")
    page.click("#submit")
    page.wait_for_url("**/give/thanks**")
    yield "the receipt", page
    places = {
        "technician": ("/", f"/tickets/{ticket.id}", f"/leases/{lease.id}", "/agreement"),
        "coordinator": ("/", f"/services/{service.id}", "/tickets", "/leases"),
        "auditor": ("/log", "/log/20"),
        "administrator": ("/",),
    }
    for role, paths in places.items():
        page = sign_in(surf(**options), world, address, role)
        for path in paths:
            page.goto(address + path)
            if path.startswith("/leases/"):
                page.locator("[data-name=password]").get_by_role("button").click()
                page.wait_for_selector(".value")
            yield f"{role} {path}", page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_by_everybody(embedded: World, server: str, surf: Surf, scheme: str) -> None:
    """Axe has no complaint, 320 px are wide enough, and one heading and one sentence say where one is."""
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
        seen += 1
    assert complaints == []
    assert seen > 15


def test_every_control_can_be_reached_and_seen_by_keyboard(embedded: World, server: str, surf: Surf) -> None:
    for name, page in every_page(embedded, server, surf):
        page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
        wanted = page.locator(
            "a[href]:visible, button:visible, input:not([type=hidden], [type=radio], :disabled):visible, "
            "select:visible, textarea:visible, summary:visible"
        ).count()
        reached = set()
        for _ in range(wanted + 3):
            page.keyboard.press("Tab")
            at = page.evaluate(
                """() => {
                  const one = document.activeElement;
                  if (one === document.body) return null;
                  const style = getComputedStyle(one);
                  const all = [...document.querySelectorAll("*")];
                  return [all.indexOf(one), style.outlineStyle !== "none" || one.type === "file"];
                }"""
            )
            if at:
                assert at[1], f"{name}: focus cannot be seen"
                reached.add(at[0])
        assert len(reached) >= wanted, f"{name}: {len(reached)} of {wanted}"
