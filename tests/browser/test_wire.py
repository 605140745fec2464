"""What crosses the wire when a customer hands over: the whole server, a real Chromium, and a wire-tap between them."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.people import hand_over, open_form
from tests.browser.sniffer import spellings, tapped
from tests.world import World

pytestmark = [pytest.mark.browser]

CANARY = " canary-Zq7w+hünter2/ "
USER = "canary-user-88"


@pytest.mark.promise("P3")
@pytest.mark.parametrize("javascript", [True, False])
def test_the_password_crosses_the_wire_sealed_and_only_without_javascript_in_clear(
    embedded: World, surf: Callable[..., Page], javascript: bool
) -> None:
    service = embedded.service()
    request = embedded.ask(service)
    with embedded.served() as address, tapped(urlsplit(address).port or 0) as (port, wire):
        page = surf(java_script_enabled=javascript)
        open_form(page, f"http://localhost:{port}", request.code)
        page.fill("#host", "shop.example.com")
        page.fill("#username", USER)
        page.fill("#password", CANARY)
        hand_over(page)
    assert b"POST /give/" in wire.seen, "the canary: the wire was tapped"
    assert b"Shop" in wire.seen or b"shop" in wire.seen
    found = wire.spellings_of(CANARY) + wire.spellings_of(USER) * javascript
    assert found == ([] if javascript else ["form"])
    ticket = embedded.ticket(service)
    secret = embedded.run(_secret_of(embedded, service.id))
    lease = embedded.lease(ticket, secret)
    assert embedded.reveal(lease, secret) == CANARY


async def _secret_of(world: World, service_id: str) -> str:
    rows = world.sql("SELECT id FROM secret WHERE service_id = :service", service=service_id)
    return str(rows[0][0])


def test_the_wire_tap_knows_every_spelling() -> None:
    from tests.browser.sniffer import Wire

    for name, spelt in spellings(CANARY):
        wire = Wire()
        wire.note(b"before" + spelt + b"after")
        assert name in wire.spellings_of(CANARY)
    wire = Wire()
    wire.note(b"nothing of it")
    assert wire.spellings_of(CANARY) == []
