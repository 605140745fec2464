"""The form speaks its customer's language, from the code to the thanks, on every page and in every refusal."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.bracketed import bare, bracketed
from tests.browser.forms import CANARY, Form, fill, open_for
from tests.browser.outside import CODE, TERMS
from tests.browser.test_reading import RULES
from vault.errors import Invalid, Sealed
from vault.model.kinds import KINDS
from vault.model.messages import Question, Speak
from vault.sentences import Sentence

pytestmark = [pytest.mark.browser]

Surf = Callable[..., Page]
both = pytest.mark.parametrize("javascript", [True, False])
GERMAN = {"locale": "de-DE", "viewport": {"width": 320, "height": 640}}
PIN = "482913"
DATA = (
    *("Nordlicht Web", "Blumen Meyer", "Shop migration", "Clara Ottens", "R-1234", "SSH", "Valetkey", CODE),
    *("to move your shop to the new server", "To move your shop to the new server"),
    "Only the technicians who are assigned to your ticket, and only while they work on it",
)
"""What the business and the customer wrote, on the form of these tests."""


PAGES = 19


@pytest.fixture
def form(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Form]:
    with open_for(getattr(request, "param", ("ssh-password",)), tmp_path) as form:
        form.core.language = "de"
        yield form


def every_page(form: Form, page: Page, javascript: bool) -> Iterator[str]:
    """Every page of the form, each with what can be wrong on it, from the code to a form that is over."""
    form.core.pin, form.core.terms, form.core.offers, form.core.optional = PIN, TERMS, True, {"sec_1"}
    yield from _opening(form, page)
    yield from _giving(form, page, javascript)
    yield from _ending(form, page)


def _opening(form: Form, page: Page) -> Iterator[str]:
    page.goto(f"{form.address}/give/begin")
    yield "the code"
    page.fill("#code", "nonsense")
    page.click("main button")
    page.wait_for_selector("#summary")
    yield "a wrong code"
    page.fill("#code", CODE)
    page.click("main button")
    page.wait_for_selector("#pin")
    yield "the PIN"
    page.fill("#pin", "111111")
    page.click("main button")
    page.wait_for_selector("#summary")
    yield "a wrong PIN"
    page.fill("#pin", PIN)
    page.click("main button")
    page.wait_for_selector("#accept")
    yield "the letter"
    page.evaluate("document.getElementById('accept').required = false")
    page.click("main form button")
    page.wait_for_selector("#accept-error")
    yield "the letter, not accepted"
    page.check("#accept")
    page.click("main form button")
    page.wait_for_selector("#command")
    yield "a key of ours"


def _giving(form: Form, page: Page, javascript: bool) -> Iterator[str]:
    page.goto(f"{form.address}/give/?secret=sec_0&kind=ssh-password")
    page.wait_for_selector("[data-suite] #password" if javascript else "#password")
    yield "a password"
    page.evaluate("document.getElementById('give').noValidate = true")
    fill(page, host="shop one")
    page.click("#submit")
    page.wait_for_selector("#summary")
    yield "a password, at fault"
    fill(page, password="4111 1111 1111 1111")
    page.click("#submit")
    page.wait_for_selector("#password-error")
    yield "a card number"
    form.core.wrong = Invalid(Sentence("that is more than a login can be"), "/fields/password")
    fill(page)
    page.click("#submit")
    page.wait_for_selector("#password-error")
    yield "refused by the vault"
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    yield "received"


def _ending(form: Form, page: Page) -> Iterator[str]:
    page.goto(f"{form.address}/give/check")
    yield "all that is needed"
    form.core.refused, given = {"sec_0"}, form.core.given
    form.core.given = {}
    page.goto(f"{form.address}/give/check")
    yield "something is missing"
    page.goto(f"{form.address}/give/?secret=sec_0&kind=ssh-password")
    yield "once more"
    form.core.given = given
    form.core.down = True
    page.goto(f"{form.address}/give/")
    yield "the vault is away"
    form.core.down = False
    page.goto(f"{form.address}/give/nothing")
    yield "nothing"
    page.goto(f"{form.address}/give/check")
    page.click("main p.onward button")
    page.wait_for_url("**/thanks")
    assert not page.locator("button >> text=English").count(), "a finished form changes nobody's language"
    yield "thanks"
    form.core.browser = "another one"
    page.goto(f"{form.address}/give/check")
    yield "no form any more"


@both
@pytest.mark.parametrize("form", [("ssh-password", "file")], indirect=True)
def test_the_whole_form_is_german_and_everybody_can_read_it_on_a_narrow_telephone(
    form: Form, surf: Surf, javascript: bool
) -> None:
    page = surf(java_script_enabled=javascript, **GERMAN)
    complaints, titles = [], []
    for name in every_page(form, page, javascript):
        assert page.locator("html").get_attribute("lang") == "de", name
        assert page.locator("h1").count() == 1, name
        titles.append(page.locator("h1").inner_text())
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            complaints.append((name, "wider than a narrow telephone"))
        found = Axe().run(page, options=RULES).response if javascript else {"violations": []}
        complaints += [(name, one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
        assert "%(" not in page.locator("body").inner_text(), name
    assert complaints == []
    assert len(titles) == PAGES
    assert titles[4] == "Clara Ottens bittet Sie um Zugang"
    assert titles[-2] == "Vielen Dank, wir haben alles"
    assert form.core.given["sec_0"]["password"] == CANARY


@both
@pytest.mark.parametrize("form", [("ssh-password", "file")], indirect=True)
def test_no_sentence_of_the_form_was_forgotten(
    form: Form, surf: Surf, javascript: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = surf(java_script_enabled=javascript, **GERMAN)
    page.goto(f"{form.address}/give/begin")
    assert bare(page, DATA), "the canary: without brackets words are found"
    with bracketed(tmp_path, monkeypatch):
        left = {name: bare(page, DATA) for name in every_page(form, page, javascript)}
        page.goto(f"{form.address}/give/begin")
        assert "⟦Intake code⟧" in page.content(), "the canary: the page is in that language"
    assert {name: words for name, words in left.items() if words} == {}
    assert len(left) == PAGES


@pytest.mark.parametrize("form", [tuple(KINDS)], indirect=True)
def test_no_sentence_of_any_kind_was_forgotten(
    form: Form, surf: Surf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = form.knocked(surf(**GERMAN))
    with bracketed(tmp_path, monkeypatch):
        left = {}
        for secret, kind in form.core.kinds.items():
            page.goto(f"{form.address}/give/?secret={secret}")
            page.wait_for_selector("[data-suite] #give")
            left[kind] = bare(page, DATA)
            page.click("#submit")
            page.wait_for_selector("#summary")
            left[f"{kind}, empty"] = bare(page, DATA)
    assert {name: words for name, words in left.items() if words} == {}
    assert len(left) == 2 * len(KINDS)


# -- which language ---------------------------------------------------------------------------------------------------


def test_before_the_code_the_browser_is_answered_and_then_the_customer(form: Form, surf: Surf) -> None:
    page = surf(locale="en-GB")
    page.goto(f"{form.address}/give/begin")
    expect(page.locator("h1")).to_have_text("Nordlicht Web asks you for access")
    form.knocked(page)
    expect(page.locator("h1")).to_have_text("Clara Ottens bittet Sie um Zugang")


@both
def test_the_language_is_chosen_before_the_code_is_used_and_loses_nothing(
    form: Form, surf: Surf, javascript: bool
) -> None:
    form.core.language, form.core.pin = "en", PIN
    page = surf(java_script_enabled=javascript, locale="en-GB")
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(f"{form.address}/give/begin#{CODE}")
    if not javascript:
        page.fill("#code", CODE)
    page.click("button >> text=Deutsch")
    expect(page.locator("h1")).to_have_text("Nordlicht Web bittet Sie um Zugang")
    assert page.input_value("#code") == CODE
    assert (form.core.browser, form.core.tries) == ("", 0)
    page.press("#code", "Enter")  # the form's own button, and not the one at the foot
    expect(page.locator("h1")).to_have_text("Wie lautet die PIN?")
    page.click("button >> text=English")
    expect(page.locator("h1")).to_have_text("What is the PIN?")
    page.click("button >> text=Deutsch")
    expect(page.locator("h1")).to_have_text("Wie lautet die PIN?")
    page.fill("#pin", PIN)
    page.press("#pin", "Enter")
    expect(page.locator("h1")).to_have_text("Clara Ottens bittet Sie um Zugang")
    assert form.core.language == "de", "it is kept for them"
    assert not [address for address in addresses if CODE in address.partition("#")[0]]


@both
def test_the_language_is_chosen_on_the_letter_and_kept(form: Form, surf: Surf, javascript: bool) -> None:
    page = form.knocked(surf(java_script_enabled=javascript, locale="de-DE"))
    page.click("button >> text=English")
    expect(page.locator("h1")).to_have_text("Clara Ottens asks you for access")
    assert page.locator("html").get_attribute("lang") == "en"
    assert form.core.language == "en"
    assert page.locator("button >> text=Deutsch").get_attribute("lang") == "de"


def test_a_sealed_vault_keeps_no_choice_and_the_form_goes_on(
    form: Form, surf: Surf, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = form.core.ask

    async def sealed(message: Question) -> object:
        if isinstance(message, Speak):
            raise Sealed("the vault is sealed")
        return await ask(message)

    monkeypatch.setattr(form.core, "ask", sealed)
    form.core.language = "en"
    page = surf(locale="en-GB")
    page.goto(f"{form.address}/give/begin")
    page.click("button >> text=Deutsch")
    page.fill("#code", CODE)
    page.click("main button")
    expect(page.locator("h1")).to_have_text("Clara Ottens asks you for access")
    page.click("button >> text=Deutsch")
    expect(page.locator("h1")).to_have_text("The vault cannot answer at the moment")


def test_a_refusal_is_in_the_language_of_the_form_and_for_programs_in_english(form: Form) -> None:
    answer = httpx2.post(f"{form.address}/give/begin", json={"code": CODE})
    cookie = answer.headers["set-cookie"].partition(";")[0]
    token = cookie.partition("=")[2]
    assert answer.json()["language"] == "de"
    browser = {"cookie": cookie, "origin": form.address}
    program = {"valetkey-give": token, "accept-language": "de"}
    told = [
        httpx2.post(f"{form.address}/give/again", json={"secret": "sec_9"}, headers=headers).json()["detail"]
        for headers in (browser, program)
    ]
    assert told == ["Danach fragt dieses Formular nicht.", "This form does not ask for that."]
    for language, status in (("fr", 422), ("../de", 422), ("", 422), ("en", 200)):
        answer = httpx2.post(f"{form.address}/give/language", json={"language": language}, headers=browser)
        assert answer.status_code == status
    assert answer.json()["language"] == form.core.language == "en"
