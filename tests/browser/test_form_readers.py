"""What the form says at once about what is entered, and what it does with a pasted line or a chosen file."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.forms import CANARY, Form, fill, open_for
from vault.model.files import file_bytes

pytestmark = [pytest.mark.browser]

Surf = Callable[..., Page]


@pytest.fixture
def form(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Form]:
    with open_for(getattr(request, "param", ("ssh-password",)), tmp_path) as form:
        yield form


def made(folder: Path, passphrase: str = "") -> Path:
    """A key as ssh-keygen makes it, beside its public half."""
    path = folder / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)], check=True)
    return path


def fingerprint(key: Path) -> str:
    said = subprocess.run(["ssh-keygen", "-lf", str(key)], check=True, capture_output=True, text=True)
    return said.stdout.split()[1]


def paste(page: Page, place: str, text: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    page.focus(place)
    page.keyboard.press("Control+V")


@pytest.mark.parametrize("form", [("ssh-key",)], indirect=True)
def test_a_key_gets_its_verdict_at_once_and_one_that_is_protected_asks_for_its_passphrase(
    form: Form, surf: Surf, tmp_path: Path
) -> None:
    key = made(tmp_path, "hunter2")
    page = form.opened(surf())
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    page.set_input_files("#private_key-file", str(key))
    verdict = page.locator("#private_key-verdict")
    expect(verdict).to_contain_text("Ed25519 key, protected by a passphrase")
    expect(verdict).to_contain_text(fingerprint(key))
    expect(verdict).to_have_attribute("role", "status")
    assert "private_key-verdict" in (page.get_attribute("#private_key", "aria-describedby") or "")
    page.click("#submit")
    expect(page.locator("#passphrase-error")).to_contain_text("passphrase")
    assert form.core.messages == []
    page.fill("#passphrase", "hunter2")
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert form.core.given["sec_0"]["private_key"] == key.read_text()


@pytest.mark.parametrize("form", [("ssh-key",)], indirect=True)
def test_the_wrong_half_and_a_cut_off_key_are_told_while_they_are_pasted_and_never_sent(
    form: Form, surf: Surf, tmp_path: Path
) -> None:
    key = made(tmp_path)
    page = form.opened(surf())
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    verdict = page.locator("#private_key-verdict")
    for wrong, said in (
        (key.with_suffix(".pub").read_text(), "public half"),
        (key.read_text().rpartition("-----END")[0], "last line is missing"),
    ):
        page.fill("#private_key", wrong)
        expect(verdict).to_contain_text(said)
        page.click("#submit")
        expect(page.locator("#private_key-error")).to_contain_text(said)
    page.fill("#private_key", key.read_text())
    expect(verdict).to_contain_text("without a passphrase")
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert len(form.core.messages) == 1


def test_a_pasted_command_fills_the_form_and_a_bare_name_stays_as_it_is(form: Form, surf: Surf) -> None:
    page = form.opened(surf())
    page.wait_for_selector("[data-suite]")
    paste(page, "#host", "  ssh root@shop.example.com -p 2222\n")
    got = {name: page.input_value(f"#{name}") for name in ("host", "port", "username")}
    assert got == {"host": "shop.example.com", "port": "2222", "username": "root"}
    expect(page.locator("#host-verdict")).to_have_text("Filled in from that line: server, port and user name")
    page.fill("#host", "")
    paste(page, "#host", "other.example.com")
    assert page.input_value("#host") == "other.example.com"
    expect(page.locator("#host-verdict")).to_have_text("")
    page.fill("#host", "deploy@third.example.com")
    page.press("#host", "Tab")
    assert page.input_value("#host") == "third.example.com"
    assert page.input_value("#username") == "deploy"


@pytest.mark.parametrize("form", [("totp-seed",)], indirect=True)
def test_the_text_of_a_qr_code_is_read_before_it_is_sent(form: Form, surf: Surf) -> None:
    page = form.opened(surf())
    verdict = page.locator("#otpauth-verdict")
    page.fill("#otpauth", "123456")
    expect(verdict).to_contain_text("This is one code")
    page.click("#submit")
    expect(page.locator("#otpauth-error")).to_contain_text("This is one code")
    link = "otpauth://totp/Shop:root?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Shop"
    page.fill("#otpauth", link)
    expect(verdict).to_contain_text("6 digits")
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert form.core.given["sec_0"] == {"otpauth": link}


@pytest.mark.attack("IN16")
@pytest.mark.parametrize("form", [("file",)], indirect=True)
@pytest.mark.parametrize("size", [1, 1000, 70_000, 1024 * 1024])
def test_any_file_up_to_a_mebibyte_arrives_byte_for_byte(form: Form, surf: Surf, size: int) -> None:
    content = bytes(at * 7 % 256 for at in range(size))
    page = form.opened(surf())
    chosen = {"name": "shop.p12", "mimeType": "application/octet-stream", "buffer": content}
    page.set_input_files("#contents-file", [chosen])
    expect(page.locator(".pick p")).to_contain_text("Read from shop.p12")
    assert page.input_value("#name") == "shop.p12"
    page.click("#submit")
    page.wait_for_url("**given=sec_0")
    assert form.core.given["sec_0"]["name"] == "shop.p12"
    assert file_bytes(form.core.given["sec_0"]["contents"]) == content


@pytest.mark.attack("IN16")
@pytest.mark.parametrize("form", [("file",)], indirect=True)
def test_a_larger_file_is_refused_before_it_is_read_and_can_be_taken_out(form: Form, surf: Surf) -> None:
    page = form.opened(surf())
    large = {"name": "disk.img", "mimeType": "text/plain", "buffer": b"0" * (1024 * 1024 + 1)}
    page.set_input_files("#contents-file", [large])
    expect(page.locator(".pick p")).to_contain_text("larger than 1 MiB")
    small = {"name": "<img src=x>.txt", "mimeType": "text/plain", "buffer": b"one"}
    page.set_input_files("#contents-file", [small])
    expect(page.locator(".pick p")).to_contain_text("Read from <img src=x>.txt, 3 bytes")
    page.click("text=Take it out again")
    expect(page.locator("#contents")).to_be_visible()
    page.click("#submit")
    expect(page.locator("#contents-error")).to_contain_text("Enter the contents")
    assert form.core.messages == []


def test_a_secret_is_shown_only_while_one_wants_to_see_it(form: Form, surf: Surf) -> None:
    page = form.opened(surf())
    fill(page, host="not a host")
    assert page.get_attribute("#password", "type") == "password"
    page.click("button >> text=Show")
    assert page.get_attribute("#password", "type") == "text"
    assert page.input_value("#password") == CANARY
    page.click("#submit")
    page.wait_for_selector("#summary")
    assert page.get_attribute("#password", "type") == "password"
