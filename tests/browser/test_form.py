"""The customers' form in a real Chromium, with and without JavaScript; the core behind the door has real keys."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from playwright.sync_api import Page, Route, expect

from tests.browser.forms import CANARY, Form, fill, open_for
from tests.browser.outside import CODE
from vault.crypto.encoding import unb64
from vault.crypto.statement import statement_public

pytestmark = [pytest.mark.browser]

Surf = Callable[..., Page]
KEY = (  # made for this test; nothing has its public half
    Ed25519PrivateKey.generate()
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(CANARY.encode()))
    .decode()
    .replace("\n", "\r\n")
)
POLYGLOT = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}<svg/onload=alert(3)>"


@pytest.fixture
def form(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Form]:
    with open_for(getattr(request, "param", ("ssh-password",)), tmp_path) as form:
        yield form


@pytest.mark.promise("P3")
@pytest.mark.attack("IN17")
def test_a_password_is_sealed_in_the_browser_byte_for_byte_and_shown_nowhere_again(
    form: Form, surf: Surf
) -> None:
    page = form.opened(surf())
    expect(page.locator("#protection")).to_contain_text("sealed here in your browser")
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=**")
    expect(page.locator("main")).to_contain_text("R-1234")
    assert form.core.given["sec_0"] == {
        "host": "shop.example.com",
        "port": "22",
        "username": "root",
        "password": CANARY,
    }
    assert [given.sealed_by for given in form.core.messages] == ["browser"]
    for again in (page.go_back, page.reload, lambda: page.goto(f"{form.address}/give/")):
        again()
        assert CANARY.strip() not in page.content()
        assert not page.locator("#password").count() or page.input_value("#password") == ""


@pytest.mark.promise("P3")
def test_without_javascript_the_intake_seals_and_the_page_says_so(form: Form, surf: Surf) -> None:
    page = form.opened(surf(java_script_enabled=False))
    expect(page.locator("#protection")).to_contain_text("our server seals it")
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=**")
    assert form.core.given["sec_0"]["password"] == CANARY
    assert [given.sealed_by for given in form.core.messages] == ["intake"]


@pytest.mark.attack("IN08")
def test_without_javascript_a_fault_keeps_what_is_open_and_never_writes_a_secret_back(
    form: Form, surf: Surf
) -> None:
    page = form.opened(surf(java_script_enabled=False))
    page.evaluate("document.getElementById('give').noValidate = true")
    fill(page, host="https://shop.example.com/")
    page.click("#submit")
    expect(page.locator("#summary")).to_contain_text("Enter only the server's name")
    assert page.input_value("#host") == "https://shop.example.com/"
    assert page.input_value("#username") == "root"
    assert page.input_value("#password") == ""
    assert "hunter2" not in page.content()
    expect(page.locator("main")).to_contain_text("please type it again: password")
    assert form.core.messages == []


def test_a_fault_is_said_at_the_top_and_at_its_field_and_nothing_typed_is_lost(
    form: Form, surf: Surf
) -> None:
    page = form.opened(surf())
    fill(page, host="shop one", port="99999")
    page.click("#submit")
    page.wait_for_selector("#summary")
    assert page.evaluate("document.activeElement.id") == "summary"
    assert page.title().startswith("Error: ")
    assert page.locator("#summary a").count() == 2
    assert page.locator(".wrong").count() == 2
    assert page.get_attribute("#host", "aria-describedby") == "host-hint host-verdict host-error"
    page.click("#summary a >> nth=1")
    assert page.evaluate("document.activeElement.id") == "port"
    page.fill("#host", "shop.example.com")
    page.fill("#port", "2222")
    page.click("#submit")
    page.wait_for_url("**given=**")
    assert form.core.given["sec_0"]["password"] == CANARY
    assert form.core.given["sec_0"]["port"] == "2222"


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
@pytest.mark.parametrize("javascript", [True, False])
def test_a_card_number_is_refused_before_it_is_sealed(form: Form, surf: Surf, javascript: bool) -> None:
    page = form.opened(surf(java_script_enabled=javascript))
    fill(page, password="4111 1111\u00a01111-1111")
    page.click("#submit")
    expect(page.locator("#password-error")).to_contain_text("those are never kept here")
    assert form.core.messages == []
    assert "4111" not in page.content()


@pytest.mark.promise("P3")
@pytest.mark.attack("CR01")
def test_keys_that_this_vault_did_not_sign_get_nothing(form: Form, surf: Surf) -> None:
    (form.folder / "key-statement.pub").write_text(statement_public(secrets.token_bytes(32)).hex())
    page = form.opened(surf())
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    fill(page)
    page.click("#submit")
    expect(page.locator("#summary")).to_contain_text("could not be verified, so nothing was sent")
    assert page.input_value("#password") == CANARY
    assert sent == []
    plain = surf(java_script_enabled=False)
    plain.context.add_cookies(page.context.cookies())
    plain.goto(f"{form.address}/give/?secret=sec_0")
    fill(plain)
    plain.click("#submit")
    expect(plain.locator("h1")).to_have_text("The vault cannot answer at the moment")
    assert form.core.messages == []


@pytest.mark.promise("P3")
def test_a_hand_quicker_than_the_page_sends_nothing_before_it_can_be_sealed(form: Form, surf: Surf) -> None:
    page = surf()
    held: list[Route] = []
    page.route("**/give.js", lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks what it is given)
    page.goto(f"{form.address}/give/begin")
    page.fill("#code", CODE)
    page.click("button")
    page.click("text=Begin", no_wait_after=True)
    page.wait_for_selector("#submit")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    fill(page)
    page.click("#submit")
    expect(page.locator("#progress")).to_contain_text("still loading")
    assert posted == []
    held[0].continue_()
    page.wait_for_url("**given=**")
    assert [url.rpartition("/")[2] for url in posted] == ["secret"]
    assert [given.sealed_by for given in form.core.messages] == ["browser"]


@pytest.mark.parametrize("form", [("ssh-key",)], indirect=True)
def test_a_key_file_is_read_by_the_browser_and_kept_byte_for_byte(form: Form, surf: Surf) -> None:
    page = form.opened(surf())
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    page.fill("#passphrase", CANARY)
    chosen = {"name": "id_ed25519", "mimeType": "text/plain", "buffer": KEY.encode()}
    page.set_input_files("#private_key-file", [chosen])
    expect(page.locator(".pick p")).to_contain_text("Read from id_ed25519")
    page.click("#submit")
    page.wait_for_url("**given=**")
    assert form.core.given["sec_0"]["private_key"] == KEY
    assert form.core.given["sec_0"]["passphrase"] == CANARY


@pytest.mark.attack("IN16")
@pytest.mark.parametrize("form", [("ssh-key",)], indirect=True)
def test_a_file_that_is_no_key_is_refused_in_words(form: Form, surf: Surf) -> None:
    page = form.opened(surf())
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    for name, content, said in (
        ("photo.png", b"\x89PNG\xff\xfe", "no key in text form"),
        ("disk.img", b"0" * 300_000, "too large to be a key"),
    ):
        page.set_input_files(
            "#private_key-file", [{"name": name, "mimeType": "application/octet-stream", "buffer": content}]
        )
        expect(page.locator(".pick p")).to_contain_text(said)
    public = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me"
    page.set_input_files(
        "#private_key-file", [{"name": "id.pub", "mimeType": "text/plain", "buffer": public}]
    )
    page.click("#submit")
    expect(page.locator("#private_key-error")).to_contain_text("public half of a key")
    assert form.core.messages == []


@pytest.mark.parametrize("form", [("ssh-key",)], indirect=True)
def test_without_javascript_a_pasted_key_arrives_with_the_line_breaks_it_was_pasted_with(
    form: Form, surf: Surf
) -> None:
    page = form.opened(surf(java_script_enabled=False))
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    page.fill("#private_key", KEY.replace("\r\n", "\n"))
    page.fill("#passphrase", CANARY)
    page.click("#submit")
    page.wait_for_url("**given=**")
    assert form.core.given["sec_0"]["private_key"] == KEY.replace("\r\n", "\n")


@pytest.mark.attack("IN03", "IN04")
def test_the_code_leaves_the_address_at_once_and_only_the_button_uses_it(form: Form, surf: Surf) -> None:
    page = surf()
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url + str(request.headers)))
    page.goto(f"{form.address}/give#{CODE}")
    page.wait_for_function("document.getElementById('code').value !== ''")
    assert "#" not in page.url
    for method in ("GET", "HEAD"):
        httpx2.request(method, f"{form.address}/give/")
    assert form.core.browser == ""
    page.click("button")
    page.wait_for_selector("text=Begin")
    assert form.core.browser != ""
    assert not [address for address in addresses if CODE in address]


@pytest.mark.attack("IN01")
def test_a_used_code_says_so_and_shows_nothing_of_the_request(form: Form, surf: Surf) -> None:
    form.opened(surf())
    late = surf()
    late.goto(f"{form.address}/give#{CODE}")
    late.click("button")
    expect(late.locator("#summary")).to_contain_text("This code has been used or its time is over")
    assert "Blumen Meyer" not in late.content()


@pytest.mark.attack("IN12")
def test_a_second_link_in_the_same_browser_leads_to_its_own_form(form: Form, surf: Surf) -> None:
    page = form.opened(surf())
    page.goto(f"{form.address}/give/")
    page.evaluate("location.hash = 'ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ'")
    page.reload()
    page.wait_for_url("**/give/begin")
    page.wait_for_function("document.getElementById('code').value.startsWith('ZZZZ')")
    assert form.core.messages == []


@pytest.mark.attack("CR11")
def test_a_lost_connection_loses_nothing_and_trying_again_gives_the_same_envelope(
    form: Form, surf: Surf
) -> None:
    page = form.opened(surf())
    attempts: list[str] = []

    def lose_the_first(route: Route) -> None:
        attempts.append(route.request.post_data or "")
        if len(attempts) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/give/secret", lose_the_first)
    fill(page)
    page.click("#submit")
    expect(page.locator("#summary")).to_contain_text("Nothing that you entered is lost")
    page.click("#submit")
    page.wait_for_url("**given=**")
    assert attempts[0] == attempts[1]
    assert CANARY.strip() not in attempts[0]


def test_when_the_vault_is_away_it_says_so_and_keeps_what_was_typed(form: Form, surf: Surf) -> None:
    page = form.opened(surf())
    form.core.down = True
    fill(page)
    page.click("#submit")
    expect(page.locator("#summary")).to_contain_text("The vault cannot be reached now")
    assert page.input_value("#password") == CANARY
    form.core.down = False
    page.click("#submit")
    page.wait_for_url("**given=**")


@pytest.mark.attack("IN09")
@pytest.mark.parametrize("javascript", [True, False])
def test_what_others_wrote_is_text_on_the_form(form: Form, surf: Surf, javascript: bool) -> None:
    form.core.words = POLYGLOT
    page = form.opened(surf(java_script_enabled=javascript))
    expect(page.locator("main")).to_contain_text(POLYGLOT)
    assert page.locator("main img, main svg, main script").count() == 0
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=**")
    expect(page.locator("main")).to_contain_text(POLYGLOT)


@pytest.mark.parametrize("form", [("ssh-password", "ssh-key")], indirect=True)
@pytest.mark.parametrize("javascript", [True, False])
def test_several_logins_are_asked_one_after_the_other_and_then_it_is_done(
    form: Form, surf: Surf, javascript: bool
) -> None:
    page = form.opened(surf(java_script_enabled=javascript))
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    expect(page.locator(".note").first).to_contain_text(
        "Received: Server login with a password. Your reference is R-1234"
    )
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    page.fill("#private_key", KEY)
    page.fill("#passphrase", CANARY)
    page.click("#submit")
    page.wait_for_url("**given=sec_1")
    expect(page.locator("h1")).to_have_text("Is this all?")
    assert page.locator(".rows li").count() == 2
    page.click("text=That is all")
    page.wait_for_url("**/give/thanks")
    expect(page.locator("h1")).to_have_text("Thank you, we have everything")
    assert form.core.finished
    for place in ("", "check", "thanks", "?secret=sec_0"):
        page.goto(f"{form.address}/give/{place}")
        expect(page.locator("h1")).to_have_text("Thank you, we have everything")


@pytest.mark.attack("AZ17")
def test_a_form_of_another_site_gives_nothing(form: Form, surf: Surf) -> None:
    page = form.opened(surf())
    cookie = page.context.cookies()[0]
    assert cookie["sameSite"] == "Strict"
    assert cookie["secure"]
    assert cookie["httpOnly"]
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        refused = httpx2.post(
            f"{form.address}/give/plain",
            data={"secret": "sec_0"},
            headers=headers,
            cookies={cookie["name"]: cookie["value"]},
        )
        assert refused.status_code == 403
    assert form.core.messages == []


@pytest.mark.promise("P3")
def test_a_browser_without_ml_kem_seals_by_x25519(form: Form, surf: Surf) -> None:
    page = surf()
    page.add_init_script("delete SubtleCrypto.supports")
    form.opened(page)
    page.wait_for_selector("[data-suite=x25519]")
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=**")
    assert form.core.given["sec_0"]["password"] == CANARY
    assert unb64(form.core.messages[0].envelope)[:5] == b"VKE1\x02"
    assert form.core.messages[0].sealed_by == "browser"


@pytest.mark.promise("P3")
def test_a_browser_that_cannot_seal_is_told_so_and_the_intake_seals(form: Form, surf: Surf) -> None:
    page = surf()
    page.add_init_script("Object.defineProperty(crypto, 'subtle', {value: undefined})")
    form.opened(page)
    expect(page.locator("#protection")).to_contain_text("our server seals it")
    expect(page.locator("#submit")).to_have_text("Hand over")
    fill(page)
    page.click("#submit")
    page.wait_for_url("**given=**")
    assert form.core.given["sec_0"]["password"] == CANARY
    assert form.core.messages[0].sealed_by == "intake"
