"""Everybody can read the customers' form: axe finds nothing on any of its pages, and a keyboard is enough."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.forms import CANARY, Form, fill, open_for
from tests.browser.outside import CODE, TERMS
from tests.browser.test_reading import RULES
from tests.samples import BIP39
from vault.model.kinds import KINDS

pytestmark = [pytest.mark.browser]

Surf = Callable[..., Page]
ASKED = ("ssh-password", *(name for name in KINDS if name not in {"ssh-password", "ssh-added-key"}))


@pytest.fixture
def form(tmp_path: Path) -> Iterator[Form]:
    with open_for(ASKED, tmp_path) as form:
        form.core.offers, form.core.terms, form.core.pin = True, TERMS, "482913"
        yield form


def every_page(form: Form, page: Page) -> Iterator[str]:
    """Every page of the form once, with and without faults."""
    page.goto(f"{form.address}/give/begin")
    yield "the code"
    page.fill("#code", "x")
    page.click("main button")
    yield "a wrong code"
    form.knocked(page)
    yield "the PIN"
    page.fill("#pin", "1")
    page.click("main button")
    yield "a wrong PIN"
    page.fill("#pin", form.core.pin)
    page.click("main button")
    page.wait_for_selector("#accept")
    yield "the letter"
    page.evaluate("document.getElementById('accept').required = false")
    page.click("text=Accept and begin")
    yield "the letter, not accepted"
    page.check("#accept")
    page.click("text=Accept and begin")
    page.wait_for_selector("#give")
    for secret, kind in form.core.kinds.items():
        page.goto(f"{form.address}/give/?secret={secret}")
        page.wait_for_selector("[data-suite]")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        yield f"{kind}, as it comes first"
        page.click("#submit")
        page.wait_for_selector("#summary")
        yield f"{kind}, with every fault"
    page.goto(f"{form.address}/give/?secret=sec_0&kind=ssh-password")
    page.wait_for_selector("[data-suite]")
    fill(page, password=BIP39[0])
    page.click("#submit")
    page.wait_for_selector("#sure")
    yield "a doubt"
    page.check("#sure")
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    yield "a word about what was received"
    page.goto(f"{form.address}/give/check")
    yield "the answers"
    form.core.refused.add("sec_1")
    page.goto(f"{form.address}/give/?secret=sec_1")
    yield "something refused"
    form.core.finished = True
    page.goto(f"{form.address}/give/")
    yield "thanks"
    form.core.down = True
    page.goto(f"{form.address}/give/")
    yield "an error"


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 320),
        pytest.param("light", 1280, marks=pytest.mark.long),
        pytest.param("dark", 320, marks=pytest.mark.long),
    ],
)
def test_every_page_of_the_form_can_be_read_by_everybody(
    form: Form, surf: Surf, scheme: str, width: int
) -> None:
    page = surf(color_scheme=scheme)
    complaints: list[tuple[str, ...]] = []
    seen = 0
    for name in every_page(form, page):
        for wide in (1280, 320, width):
            page.set_viewport_size({"width": wide, "height": 720})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                complaints.append((name, f"wider than {wide}"))
        found = Axe().run(page, options=RULES).response
        assert len(found["passes"]) > 10, "the canary: axe has looked"
        complaints += [(name, one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
        assert page.locator("h1").count() == 1, name
        assert page.locator(".lead").first.inner_text().strip(), name
        seen += 1
    assert complaints == []
    assert seen > 2 * len(ASKED) + 10


def test_a_keyboard_alone_is_enough_from_the_link_to_the_thanks(surf: Surf, tmp_path: Path) -> None:
    with open_for(("ssh-password",), tmp_path) as form:
        form.core.offers, form.core.terms = True, TERMS
        page = surf()
        page.goto(f"{form.address}/give#{CODE}")
        page.wait_for_function("document.getElementById('code').value !== ''")

        def tab_to(what: str) -> None:
            for _ in range(40):
                page.keyboard.press("Tab")
                focused = page.evaluate(
                    "[document.activeElement.id, document.activeElement.innerText.trim()].join(' ')"
                )
                if what in focused:
                    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                    assert outline != "none", f"{what} does not show that it has the keyboard"
                    return
            pytest.fail(f"the keyboard does not reach {what}")

        tab_to("Open the form")
        page.keyboard.press("Enter")
        page.wait_for_selector("#accept")
        tab_to("accept")
        page.keyboard.press("Space")
        tab_to("Accept and begin")
        page.keyboard.press("Enter")
        page.wait_for_selector("#command")
        tab_to("I give a password instead")
        page.keyboard.press("Enter")
        page.wait_for_selector("#password")
        tab_to("host")
        page.keyboard.type("shop.example.com")
        tab_to("username")
        page.keyboard.type("root")
        tab_to("password")
        page.keyboard.type(CANARY)
        tab_to("Show")
        tab_to("submit")
        page.keyboard.press("Enter")
        page.wait_for_url("**given=sec_0")
        tab_to("That is all")
        page.keyboard.press("Enter")
        page.wait_for_url("**/give/thanks")
        expect(page.locator("h1")).to_have_text("Thank you, we have everything")
        assert form.core.given["sec_0"]["password"] == CANARY
