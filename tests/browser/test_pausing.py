"""A customer pauses: whoever of the staff looks at the service, its ticket or a lease of it reads since when."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Surf, sign_in
from tests.operations.visiting import come
from tests.world import World
from vault.operations.customers import mine

pytestmark = [pytest.mark.browser]


def note(page: Page, place: str) -> str:
    page.goto(place)
    expect(page.locator("h1")).to_be_visible()
    return " ".join(page.locator(".note").all_inner_texts())


@pytest.mark.promise("P8")
def test_the_staff_read_that_the_customer_has_paused(embedded: World, server: str, surf: Surf) -> None:
    service, _secret, ticket, lease = embedded.lent()
    tom = sign_in(surf(), embedded, server, "technician")
    clara = sign_in(surf(), embedded, server, "coordinator")
    seen = [
        (tom, f"{server}/tickets/{ticket.id}"),
        (tom, f"{server}/leases/{lease.id}"),
        (clara, f"{server}/services/{service.id}"),
    ]
    visitor = come(embedded, service.customer.id)
    assert [note(*one) for one in seen] == ["", "", ""]
    embedded.perform(mine.pause, visitor.actor, service.id)
    for page, place in seen:
        assert note(page, place).startswith("Paused by the customer since "), place
    tom.goto(f"{server}/leases/{lease.id}")
    row = tom.locator("[data-name=password]")
    row.get_by_role("button", name="Reveal").click()
    expect(row.locator(".error")).to_contain_text("the customer has paused this service", ignore_case=True)
    embedded.perform(mine.resume, visitor.actor, service.id)
    assert [note(*one) for one in seen] == ["", "", ""]
