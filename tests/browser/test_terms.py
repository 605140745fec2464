"""The terms as everybody reads them, without an account: what holds, what changes when, and each mark in words."""

from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.people import POLYGLOT, Surf
from tests.browser.test_reading import RULES
from tests.world import World
from vault.model.terms import parse
from vault.operations.customers import terms
from vault.values import Actor, to_datetime

pytestmark = [pytest.mark.browser]

FIRST = Path(__file__).parents[2] / "docs" / "terms.md"
SAID = "A court or an authority can lawfully order us"
CHANGED = {
    "what you have given for it is destroyed,": "all that you have given for it is destroyed at once,",
    "## What may come between": "## While you rest\n\nOn your holidays we open nothing.\n\n## What may come between",
    "## When these terms change\n\nWe post": "We always post",
}


def post(world: World, text: str, after: int = 0) -> None:
    world.run(terms.publish(world.vault, Actor.host(), text, after))


def day(world: World, days: int = 0) -> str:
    """A day as one says it; the browser of these tests is in UTC."""
    found = to_datetime(world.clock.wall()) + timedelta(days=days)
    return f"{found.day} {found:%B %Y}"


@pytest.fixture
def changing(embedded: World) -> World:
    """The example's terms are in force, and others are announced."""
    text = parse(FIRST.read_text("utf-8"))
    post(embedded, text)
    embedded.clock.advance(days=90)
    for before, after in CHANGED.items():
        assert text.count(before) == 1, "the example reads differently"
        text = text.replace(before, after)
    post(embedded, text, 1)
    return embedded


def marks(page: Page, tag: str) -> list[str]:
    """What is marked in a difference, as it is heard."""
    return [found.text_content() or "" for found in page.locator(f".marked {tag}").all()]


def test_the_first_line_says_what_holds_and_what_comes(embedded: World, server: str, surf: Surf) -> None:
    page = surf(timezone_id="UTC")
    page.goto(f"{server}/terms")
    expect(page.locator(".lead")).to_contain_text("have not published any terms")
    post(embedded, FIRST.read_text("utf-8"))
    page.reload()
    expect(page.locator(".lead")).to_have_text(
        f"They take effect on {day(embedded, 30)}. Until then none are in force."
    )
    embedded.clock.advance(days=30)
    page.reload()
    expect(page.locator(".lead")).to_contain_text("They have been in force since")
    expect(page.locator(".lead")).to_contain_text("No change is announced")
    expect(page.locator("main")).to_contain_text(SAID)


def test_what_changes_is_marked_in_elements_and_in_words(changing: World, server: str, surf: Surf) -> None:
    page = surf(timezone_id="UTC")
    page.goto(f"{server}/terms")
    expect(page.locator(".lead")).to_contain_text(f"From {day(changing, 30)} other terms hold")
    page.click("text=below")
    coming = page.get_by_role("region", name=f"From {day(changing, 30)}")
    expect(coming).to_contain_text("2 paragraphs read differently, 2 paragraphs are new, one paragraph goes.")
    assert "[new: all that end of new]" in marks(page, "ins")
    assert "[new: While you rest end of new]" in marks(page, "ins")
    assert "[gone: When these terms change end of gone]" in marks(page, "del")
    heard = coming.aria_snapshot()
    assert 'insertion: "[new: On your holidays we open nothing. end of new]"' in heard
    assert 'deletion: "[gone: When these terms change end of gone]"' in heard
    both = page.locator("main").inner_text()
    assert both.count(SAID) == 2, "both versions are there as a whole"
    assert page.locator("section").first.locator("ins, del").count() == 0


def test_a_version_that_was_accepted_can_be_read_for_ever(changing: World, server: str, surf: Surf) -> None:
    changing.clock.advance(days=31)
    page = surf(timezone_id="UTC", java_script_enabled=False)
    page.goto(f"{server}/terms")
    expect(page.locator(".lead")).to_contain_text("No change is announced")
    page.click("text=What changed with this version")
    expect(page.locator("ins").first).to_be_visible()
    page.goto(f"{server}/terms/1")
    expect(page.locator(".lead")).to_contain_text("Another one has taken its place")
    expect(page.locator("main")).to_contain_text(SAID)
    page.click("text=What holds now")
    page.click("text=Version 2")
    expect(page.locator(".lead")).to_contain_text("This version has been in force since")
    assert page.goto(f"{server}/terms/3").status == 404  # type: ignore[union-attr]


@pytest.mark.attack("IN09")
def test_the_words_of_terms_are_words(embedded: World, server: str, surf: Surf) -> None:
    post(embedded, f"# {POLYGLOT}\n\n- {POLYGLOT}\n\nAnd {POLYGLOT} stays.")
    embedded.clock.advance(days=40)
    post(embedded, f"## {POLYGLOT}\n\n- {POLYGLOT} too\n\nAnd {POLYGLOT} goes.", 1)
    for place in ("/terms", "/terms/1", "/terms/2"):
        page = surf()
        page.goto(server + place)
        expect(page.locator("main")).to_contain_text("onerror=alert(1)")
        assert page.locator("main img, main script").count() == 0


def test_terms_that_were_bent_are_shown_to_nobody(changing: World, server: str, surf: Surf) -> None:
    changing.sql("UPDATE terms SET effective_at = posted_at WHERE id = 2")
    page = surf()
    answer = page.goto(f"{server}/terms")
    assert answer is not None
    assert answer.status == 503
    expect(page.locator("main")).not_to_contain_text("holidays")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_everybody_can_read_them(changing: World, server: str, surf: Surf, scheme: str, width: int) -> None:
    page = surf(color_scheme=scheme, viewport={"width": width, "height": 800})
    complaints = []
    for later, place in ((0, "/terms"), (0, "/terms/2"), (31, "/terms"), (0, "/terms/1")):
        changing.clock.advance(days=later)
        page.goto(server + place)
        for hidden in page.locator("summary").all():
            hidden.click()
        found = Axe().run(page, options=RULES).response
        assert len(found["passes"]) > 10, "the canary: axe has looked"
        complaints += [(place, one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            complaints.append((place, "wider than the window", ""))
        assert page.locator("h1").count() == 1
        assert page.locator("ins, del").count() > 0 or place == "/terms/1"
    assert complaints == []
