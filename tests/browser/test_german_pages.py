"""What customers read beside the form: no sentence of their own page, of the terms or of a refusal was forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.bracketed import bare, bracketed
from tests.browser.people import Surf
from tests.operations.visiting import come, link_of, mailed
from tests.world import World
from vault.operations.customers import mine, terms
from vault.values import Actor

pytestmark = [pytest.mark.browser]

GERMAN = {"locale": "de-DE"}
DATA = (
    *("Green Lane Web", "Acme Garden Tools", "Acme's new shop", "Tom Tanner", "Clara Cole", "Valetkey"),
    *("install the shop as ordered", "english", "SHA"),
)
"""What the business and the customer wrote, in these tests."""


def own_pages(world: World, address: str, page: Page) -> Iterator[str]:
    """Every page of a customer, from the link to the end of a service, each with what can be wrong on it."""
    service, secret, _ticket, lease = world.lent()
    world.reveal(lease, secret)
    visitor = come(world, service.customer.id)
    world.run(mine.correct(world.vault, visitor.actor, language="de"))
    page.goto(f"{address}/mine")
    page.fill("#code", "no such code")
    page.click("main form button")
    page.wait_for_selector("#summary")
    yield "a wrong link"
    page.goto(link_of(world, service.customer.id))
    page.click("main form button")
    page.wait_for_url("**/mine/code")
    page.fill("#code", "00000-00000")
    page.click("main form button")
    page.wait_for_selector("#summary")
    yield "a wrong code"
    page.fill("#code", mailed(world))
    page.click("main form button")
    page.wait_for_url("**/mine/services")
    yield "the overview"
    page.goto(f"{address}/mine/details")
    yield "the details"
    page.evaluate("document.querySelector('#mail').type = 'text'")
    page.fill("#mail", "x")
    page.click("main form button")
    page.wait_for_selector("#summary")
    yield "the details, at fault"
    for path in (f"services/{service.id}", f"secrets/{secret}/withdraw", f"services/{service.id}/end"):
        page.goto(f"{address}/mine/{path}")
        yield path.replace(service.id, "one").replace(secret, "one")
    page.goto(f"{address}/mine/services/{service.id}")
    page.click("button[name=as][value=page]")
    page.wait_for_selector("#records .state")
    yield "the records"
    page.goto(f"{address}/mine/services/svc_00000000000000000000")
    yield "nothing of theirs"


def test_no_sentence_of_a_customers_page_was_forgotten(
    embedded: World, server: str, surf: Surf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = surf(**GERMAN)
    page.goto(f"{server}/mine")
    assert bare(page, DATA), "the canary: without brackets words are found"
    with bracketed(tmp_path, monkeypatch):
        left = {name: bare(page, DATA) for name in own_pages(embedded, server, page)}
    assert {name: words for name, words in left.items() if words} == {}
    assert len(left) == 10


def test_no_sentence_of_the_terms_was_forgotten(
    embedded: World, server: str, surf: Surf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = surf(**GERMAN)
    first, second = "# Our terms\n\nWe ask for little.", "# Our terms\n\nWe ask for less.\n\nAnd more."
    with bracketed(tmp_path, monkeypatch):
        page.goto(f"{server}/terms")
        left = {"none": bare(page, DATA)}
        embedded.run(terms.publish(embedded.vault, Actor.host(), first, 0))
        embedded.clock.advance(days=31)
        embedded.run(terms.publish(embedded.vault, Actor.host(), second, 1))
        for place in ("/terms", "/terms/1", "/terms/2", "/terms/3", "/nothing"):
            page.goto(server + place)
            left[place] = bare(page, DATA)
    assert {name: words for name, words in left.items() if words} == {}
    assert len(left) == 6
