"""One thing a page: the PIN, the letter with its terms, a key of ours before a password, doubts, and the way back."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.forms import CANARY, Form, fill, open_for
from tests.browser.outside import CODE, LINE, TERMS
from tests.browser.people import POLYGLOT
from tests.samples import BIP39
from vault.errors import Invalid

pytestmark = [pytest.mark.browser]

Surf = Callable[..., Page]
both = pytest.mark.parametrize("javascript", [True, False])


@pytest.fixture
def form(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Form]:
    with open_for(getattr(request, "param", ("ssh-password",)), tmp_path) as form:
        yield form


# -- the code and the PIN ---------------------------------------------------------------------------------------------


@both
@pytest.mark.attack("IN03", "IN04")
def test_a_request_with_a_pin_asks_for_it_on_a_page_of_its_own_and_keeps_the_code_out_of_every_address(
    form: Form, surf: Surf, javascript: bool
) -> None:
    form.core.pin = "482913"
    page = surf(java_script_enabled=javascript)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url + request.headers.get("referer", "")))
    form.knocked(page)
    expect(page.locator("h1")).to_have_text("What is the PIN?")
    assert page.locator("#summary").count() == 0
    assert page.context.cookies() == []
    page.fill("#pin", "111111")
    page.click("main button")
    expect(page.locator("#pin-error")).to_contain_text("That is not the PIN")
    assert page.input_value("#pin") == ""
    page.fill("#pin", "482913")
    page.click("main button")
    expect(page.locator("h1")).to_have_text("Clara Ottens asks you for access")
    assert not [address for address in addresses if CODE in address.partition("#")[0]]
    assert CODE not in str(page.context.cookies())
    assert CODE not in page.content()


def test_after_too_many_wrong_pins_the_code_is_over(form: Form, surf: Surf) -> None:
    form.core.pin = "482913"
    page = form.knocked(surf())
    for _ in range(5):
        page.fill("#pin", "000000")
        page.click("main button")
    expect(page.locator("#code-error")).to_contain_text("has been used or its time is over")
    assert form.core.browser == ""


@both
def test_the_whole_link_can_be_pasted_for_the_code(form: Form, surf: Surf, javascript: bool) -> None:
    page = surf(java_script_enabled=javascript)
    page.goto(f"{form.address}/give/begin")
    page.fill("#code", f" {form.address}/give#{CODE} ")
    page.click("main button")
    expect(page.locator("h1")).to_have_text("Clara Ottens asks you for access")


@both
def test_the_same_link_leads_back_to_the_same_form_until_the_code_is_late(
    form: Form, surf: Surf, javascript: bool
) -> None:
    page = form.opened(surf(java_script_enabled=javascript))
    cookie = page.context.cookies()[0]
    assert 12 * 86_400 < cookie["expires"] - time.time() < 14 * 86_400
    token = form.core.browser
    form.knocked(page).click("text=Begin")
    page.wait_for_selector("#give")
    assert form.core.browser == token
    assert page.context.cookies()[0]["value"] == cookie["value"]
    stranger = form.knocked(surf(java_script_enabled=javascript))
    expect(stranger.locator("#code-error")).to_contain_text("has been used")


def test_a_token_that_opens_no_form_is_never_taken_up(form: Form, surf: Surf) -> None:
    page = surf()
    planted = "vk_giv_" + "A" * 49
    host = urlsplit(form.address).hostname
    page.context.add_cookies(
        [{"name": "__Host-vk_give", "value": planted, "domain": host, "path": "/", "secure": True}]
    )
    form.knocked(page)
    expect(page.locator("h1")).to_have_text("Clara Ottens asks you for access")
    assert form.core.browser not in {"", planted}
    assert page.context.cookies()[0]["value"] == form.core.browser


# -- the letter -------------------------------------------------------------------------------------------------------


@both
@pytest.mark.promise("P7")
def test_the_letter_says_who_asks_why_who_sees_it_until_when_and_how_it_ends(
    form: Form, surf: Surf, javascript: bool
) -> None:
    page = form.knocked(surf(java_script_enabled=javascript))
    letter = page.locator("main")
    for said in (
        "Blumen Meyer",
        "Clara Ottens",
        "Shop migration",
        "To move your shop to the new server",
        "Only the technicians",
        "The end of the service",
        "destroyed",
    ):
        expect(letter).to_contain_text(said)
    assert page.locator("#accept").count() == 0


@both
def test_terms_are_shown_as_text_and_nothing_is_asked_before_they_are_accepted(
    form: Form, surf: Surf, javascript: bool
) -> None:
    form.core.terms = TERMS
    page = form.knocked(surf(java_script_enabled=javascript))
    expect(page.locator(".tall")).to_contain_text("We keep it until the service ends.")
    assert "##" not in page.locator(".tall").inner_text()
    for place in ("?secret=sec_0", "?secret=sec_0&kind=ssh-password", "?given=sec_0"):
        page.goto(f"{form.address}/give/{place}")
        assert page.locator("#give").count() == 0
    page.evaluate("document.getElementById('accept').required = false")
    page.click("text=Accept and begin")
    expect(page.locator("#accept-error")).to_contain_text("tick the box")
    assert form.core.accepted == 0
    page.check("#accept")
    page.click("text=Accept and begin")
    page.wait_for_selector("#give")
    assert form.core.accepted == 3
    assert page.url.endswith("secret=sec_0")


def test_terms_that_changed_under_the_readers_eyes_are_shown_again(form: Form, surf: Surf) -> None:
    form.core.terms = TERMS
    page = form.knocked(surf())
    page.evaluate("document.querySelector('[name=version]').value = '2'")
    page.check("#accept")
    page.click("text=Accept and begin")
    expect(page.locator("#accept-error")).to_contain_text("have changed")
    assert form.core.accepted == 0


# -- a key of ours before a password ----------------------------------------------------------------------------------


@both
@pytest.mark.promise("P7")
def test_a_key_of_ours_comes_first_and_then_no_password_is_asked(
    form: Form, surf: Surf, javascript: bool
) -> None:
    form.core.offers = True
    page = form.opened(surf(java_script_enabled=javascript))
    expect(page.locator("h1")).to_have_text("Let us in without a password")
    assert page.locator("input[type=password], textarea").count() == 0
    command = page.locator("#command").inner_text()
    assert f"'{LINE}'" in command
    page.fill("#host", "shop.example.com")
    page.fill("#username", "deploy")
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert form.core.given_kinds == {"sec_0": "ssh-added-key"}
    assert form.core.given["sec_0"] == {"host": "shop.example.com", "port": "22", "username": "deploy"}
    assert form.core.messages[0].kind == "ssh-added-key"
    page.click("text=That is all")
    expect(page.locator("pre.line")).to_have_text(LINE)


@both
def test_a_password_is_the_fallback_and_says_so(form: Form, surf: Surf, javascript: bool) -> None:
    form.core.offers = True
    page = form.opened(surf(java_script_enabled=javascript))
    page.click("text=I give a password instead")
    expect(page.locator("main")).to_contain_text("Safer, if you can")
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert form.core.given_kinds == {"sec_0": "ssh-password"}
    assert form.core.messages[0].kind == ""
    assert form.core.given["sec_0"]["password"] == CANARY


def test_the_command_adds_exactly_one_line_in_a_real_shell_and_the_button_copies_it(
    form: Form, surf: Surf, tmp_path: Path
) -> None:
    form.core.offers = True
    page = surf()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    form.opened(page)
    page.click("text=Copy the command")
    expect(page.locator("#said")).to_have_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    keys = home / ".ssh" / "authorized_keys"
    keys.write_text("ssh-ed25519 AAAA theirs")  # no line break at its end, as many editors leave it
    subprocess.run(["sh", "-c", command], env={"HOME": str(home)}, check=True)
    assert [line for line in keys.read_text().splitlines() if line] == ["ssh-ed25519 AAAA theirs", LINE]
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    subprocess.run(["sh", "-c", command], env={"HOME": str(fresh)}, check=True)
    assert (fresh / ".ssh").stat().st_mode & 0o777 == 0o700
    assert (fresh / ".ssh" / "authorized_keys").stat().st_mode & 0o777 == 0o600


@both
@pytest.mark.attack("IN07", "IN09")
@pytest.mark.parametrize(
    "words", [POLYGLOT, "W" * 300, "a" + "\u0301" * 300], ids=["script", "long", "marks"]
)
def test_what_others_wrote_is_text_on_every_page_and_breaks_none(
    form: Form, surf: Surf, words: str, javascript: bool
) -> None:
    form.core.words, form.core.terms, form.core.offers = words, f"# {words}\n\n{words}\n", True
    form.core.wrong = Invalid(words, "/fields/host")
    page = surf(java_script_enabled=javascript, viewport={"width": 320, "height": 640})

    def is_whole() -> None:
        expect(page.locator("main")).to_contain_text(words)
        assert page.locator("main img, main svg, main script").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 320

    form.knocked(page)
    is_whole()
    page.check("#accept")
    page.click("text=Accept and begin")
    page.wait_for_selector("#command")
    is_whole()
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    page.click("#submit")
    page.wait_for_selector("#host-error")
    is_whole()
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    is_whole()
    page.click("text=That is all")
    page.wait_for_url("**/give/thanks")
    is_whole()


# -- doubts, refusals, and giving it again ----------------------------------------------------------------------------


@both
@pytest.mark.promise("P7")
@pytest.mark.parametrize("form", [("note",)], indirect=True)
def test_what_looks_misplaced_is_questioned_and_taken_only_with_a_yes(
    form: Form, surf: Surf, javascript: bool
) -> None:
    page = form.opened(surf(java_script_enabled=javascript))
    page.fill("#subject", "Way in")
    page.fill("#text", BIP39[0])
    page.click("#submit")
    expect(page.locator("#sure-error")).to_contain_text("Is this really meant for us?")
    assert form.core.messages == []
    if not javascript:
        assert BIP39[0] not in page.content()
        page.fill("#text", BIP39[0])
    page.check("#sure")
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert form.core.messages[0].sure
    assert form.core.given["sec_0"]["text"] == BIP39[0]


@both
def test_what_the_vault_refuses_is_asked_again_at_the_field_at_fault_alone(
    form: Form, surf: Surf, javascript: bool
) -> None:
    page = form.opened(surf(java_script_enabled=javascript))
    form.core.wrong = Invalid("this host cannot be", "/fields/host")
    fill(page)
    page.click("#submit")
    expect(page.locator("#host-error")).to_contain_text("his host cannot be")
    assert page.locator(".question.wrong").count() == 1
    assert page.input_value("#username") == "root"
    assert page.input_value("#password") == (CANARY if javascript else "")
    page.fill("#host", "other.example.com")
    if not javascript:
        page.fill("#password", CANARY)
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert [given.version for given in form.core.messages] == [1, 2]
    assert form.core.given["sec_0"]["host"] == "other.example.com"


@both
def test_what_the_vault_refused_later_is_asked_again_with_a_word_about_it(
    form: Form, surf: Surf, javascript: bool
) -> None:
    form.core.refused.add("sec_0")
    page = form.knocked(surf(java_script_enabled=javascript))
    expect(page.locator(".summary")).to_contain_text("did not pass our check, so we destroyed it")
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=sec_0")


@both
@pytest.mark.attack("IN17")
def test_what_was_given_can_be_given_again_until_the_form_is_finished(
    form: Form, surf: Surf, javascript: bool
) -> None:
    page = form.opened(surf(java_script_enabled=javascript))
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert CANARY.strip() not in page.content()
    page.click("text=Give it again")
    page.wait_for_selector("#give")
    assert page.input_value("#host") == ""
    fill(page, password="the second one")
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert form.core.given["sec_0"]["password"] == "the second one"
    assert [given.version for given in form.core.messages] == [1, 2]


@both
@pytest.mark.parametrize("form", [("ssh-password", "file")], indirect=True)
def test_what_is_optional_comes_last_and_can_be_skipped(form: Form, surf: Surf, javascript: bool) -> None:
    form.core.optional = {"sec_0"}
    page = form.opened(surf(java_script_enabled=javascript))
    expect(page.locator("h1")).to_have_text("A confidential file")
    page.goto(f"{form.address}/give/check")
    expect(page.locator(".lead")).to_contain_text("We still need one thing from you")
    page.click("a.button")
    page.fill("#name", "shop.ovpn")
    page.fill("#contents", "client\nremote vpn.example 1194\n")
    page.click("#submit")
    page.wait_for_url("**given=sec_1")
    expect(page.locator("h1")).to_have_text("Server login with a password")
    page.click("text=Skip this")
    page.click("text=That is all")
    expect(page.locator("h1")).to_have_text("Thank you, we have everything")
    assert form.core.finished
    assert set(form.core.given) == {"sec_1"}


@both
@pytest.mark.parametrize("form", [("database",)], indirect=True)
def test_a_closed_choice_is_a_list_and_an_optional_field_waits_in_the_background(
    form: Form, surf: Surf, javascript: bool
) -> None:
    page = form.opened(surf(java_script_enabled=javascript))
    assert page.evaluate("document.getElementById('system').tagName") == "SELECT"
    assert not page.locator("#port").is_visible()
    page.click("summary >> text=More, if you know it")
    page.fill("#port", "99999")
    page.select_option("#system", "PostgreSQL")
    page.fill("#database", "shop")
    page.fill("#username", "shop")
    page.fill("#password", CANARY)
    page.evaluate("document.getElementById('give').noValidate = true")
    page.click("#submit")
    expect(page.locator("#port-error")).to_be_visible()
    assert page.input_value("#system") == "PostgreSQL"
    page.fill("#port", "5433")
    if not javascript:
        page.fill("#password", CANARY)
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert form.core.given["sec_0"]["system"] == "PostgreSQL"
    assert form.core.given["sec_0"]["port"] == "5433"


def test_without_javascript_a_pasted_login_is_taken_apart_for_the_customer_to_check(
    form: Form, surf: Surf
) -> None:
    page = form.opened(surf(java_script_enabled=False))
    page.evaluate("document.getElementById('give').noValidate = true")
    fill(page, host="ssh -p 2222 deploy@shop.example.com", username="")
    page.click("#submit")
    expect(page.locator("#host-error")).to_contain_text("We took that line apart")
    got = {name: page.input_value(f"#{name}") for name in ("host", "port", "username", "password")}
    assert got == {"host": "shop.example.com", "port": "2222", "username": "deploy", "password": ""}
    assert form.core.messages == []


@both
def test_nothing_limits_pasting_and_nothing_is_offered_by_the_browser(
    form: Form, surf: Surf, javascript: bool
) -> None:
    page = form.opened(surf(java_script_enabled=javascript))
    assert not re.search(r"maxlength|onpaste", page.content())
    for control in page.locator("#give input:not([type=hidden]), #give textarea").all():
        assert control.get_attribute("autocomplete") in {"off", "new-password"}
    fill(page, password="\t" + CANARY * 40)
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert form.core.given["sec_0"]["password"] == "\t" + CANARY * 40
