"""A customer's file at the technician's desk: saved as the bytes that it is, and never shown as what it is not."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Surf, sign_in
from tests.lent_file import BINARY, NAME, TEXT, lent_file
from tests.world import World
from vault.model.files import MARK

pytestmark = [pytest.mark.browser]


def saved(page: Page, button: str) -> tuple[str, bytes]:
    row = page.locator("[data-name=contents]")
    with page.expect_download() as download:
        row.get_by_role("button", name=button).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


@pytest.mark.parametrize("content", [BINARY, TEXT])
def test_a_revealed_file_is_saved_byte_for_byte(
    embedded: World, server: str, surf: Surf, content: bytes
) -> None:
    secret, lease = lent_file(embedded, content)
    page = surf()
    page.clock.install()
    sign_in(page, embedded, server, "technician")
    page.goto(f"{server}/leases/{lease.id}")
    row = page.locator("[data-name=contents]")
    before = embedded.size()
    row.get_by_role("button", name="Reveal").click()
    if content == TEXT:
        expect(row.locator(".value")).to_have_text(TEXT.decode(), use_inner_text=True)
    else:
        expect(row.locator("dd").first).to_contain_text("A file of 76,800 bytes, which is not text")
    assert embedded.ledger(before) == ["secret.reveal ok"]
    page.clock.fast_forward(31_000)
    expect(row.locator(".covered")).to_be_visible()
    assert saved(page, "Save") == (f"file-{secret[4:12]}", content)
    assert embedded.ledger(before)[1:] == ["secret.use ok"], "a file is saved without a look at it"
    expect(row.locator(".covered")).to_be_visible()
    page.locator("[data-name=name]").get_by_role("button", name="Reveal").click()
    expect(page.locator("[data-name=name] .value")).to_have_text(NAME)
    assert saved(page, "Save") == (NAME, content)


@pytest.mark.promise("P1")
@pytest.mark.parametrize("content", [BINARY, TEXT])
def test_without_javascript_the_vault_sends_the_file(
    embedded: World, server: str, surf: Surf, content: bytes
) -> None:
    secret, lease = lent_file(embedded, content)
    page = sign_in(surf(java_script_enabled=False), embedded, server, "technician")
    page.goto(f"{server}/leases/{lease.id}")
    before = embedded.size()
    with page.expect_response("**/reveal") as answered:
        assert saved(page, "Save") == (f"file-{secret[4:12]}", content)
    told = answered.value.headers
    assert told["content-disposition"] == f'attachment; filename="file-{secret[4:12]}"'
    assert (told["content-type"], told["x-content-type-options"], told["cache-control"]) == (
        "application/octet-stream",
        "nosniff",
        "no-store",
    )
    assert embedded.ledger(before) == ["secret.use ok"]
    row = page.locator("[data-name=contents]")
    row.get_by_role("button", name="Reveal").click()
    expect(page.locator(".left")).to_be_visible()
    assert MARK not in page.content()
    assert (TEXT.decode() in page.content()) == (content == TEXT)


def test_only_a_file_can_be_saved(embedded: World, server: str, surf: Surf) -> None:
    *_, lease = embedded.lent()
    page = sign_in(surf(java_script_enabled=False), embedded, server, "technician")
    page.goto(f"{server}/leases/{lease.id}")
    expect(page.get_by_role("button", name="Reveal")).to_have_count(5)
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
