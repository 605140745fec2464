"""The pictures of docs/pictures: made by walking the story. `VALETKEY_PICTURES=docs/pictures` writes them anew."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.approvals import once_more
from tests.browser.own_page import come_by_link
from tests.browser.people import Surf, holding_a_passkey, sign_in
from tests.browser.test_joining import choose, invited
from tests.browser.test_staff import asked
from tests.world import World

pytestmark = [pytest.mark.browser]

NAMES = ("form", "mine", "register", "desk", "approval", "lease", "log", "join", "account", "people")
MADE = Path(__file__).parents[2] / "docs" / "pictures"


def test_the_pictures_of_the_pages_can_be_made(
    embedded: World, server: str, surf: Surf, tmp_path: Path
) -> None:
    place = Path(os.environ.get("VALETKEY_PICTURES", tmp_path))
    place.mkdir(parents=True, exist_ok=True)
    service = embedded.service(embedded.customer("Acme Garden Tools"), "Installation of the new shop")
    secret = embedded.give(service)
    ticket = embedded.ticket(service)
    lease = embedded.lease(ticket, secret)
    embedded.reveal(lease, secret)
    request = embedded.ask(embedded.service(embedded.customer("Mill Street Books"), "Move to the new host"))
    both = embedded.hire("Bo Both", "coordinator technician")
    embedded.actor(both)
    invitation = invited(embedded)
    embedded.hire("Bea Brown", "administrator")
    waits = once_more(embedded, "coordinator", ticket, secret)
    joining: list[Any] = []
    for suffix, options in (
        ("", {"viewport": {"width": 1280, "height": 960}}),
        ("-narrow-dark", {"viewport": {"width": 375, "height": 812}, "color_scheme": "dark"}),
    ):
        pages = {"form": surf(**options)}
        if not suffix:
            pages["form"].goto(f"{server}/give#{request.code}")
            pages["form"].click("main button")
            pages["form"].click("text=Begin")
            opened = pages["form"].context.cookies()
            wanted = pages["form"].get_attribute("#give", "data-secret")
        else:
            pages["form"].context.add_cookies(opened)
            pages["form"].goto(f"{server}/give/?secret={wanted}")
        pages["mine"] = come_by_link(surf(**options), embedded, service.customer.id)
        pages["mine"].goto(f"{server}/mine/services/{service.id}")
        pages["form"].wait_for_selector("[data-suite]")
        pages["form"].fill("#host", "shop.example.com")
        pages["form"].fill("#username", "deploy")
        pages["desk"] = sign_in(surf(**options), embedded, server, "technician")
        pages |= _coordinators(embedded, server, surf, waits.id, options)
        pages["lease"] = sign_in(surf(**options), embedded, server, "technician")
        pages["lease"].goto(f"{server}/leases/{lease.id}")
        pages["lease"].locator("[data-name=host]").get_by_role("button", name="Reveal").click()
        pages["lease"].wait_for_selector(".value")
        pages["log"] = sign_in(surf(**options), embedded, server, "auditor")
        pages["join"] = surf(**options)
        joining = _second_factor(pages["join"], server, str(invitation.link), joining)
        pages["account"] = sign_in(surf(**options), embedded, server, both)
        pages["account"].goto(f"{server}/account")
        pages["people"] = sign_in(surf(**options), embedded, server, "administrator")
        if not suffix:
            asked(pages["people"], embedded, server, "Nora Neumann", "nora@agency.example")
        pages["people"].goto(f"{server}/people")
        for name in NAMES:
            pages[name].evaluate("document.activeElement?.blur()")
            picture = pages[name].screenshot(path=place / f"{name}{suffix}.png", full_page=name != "log")
            assert len(picture) > 5_000, f"{name} is blank"


def _coordinators(
    world: World, address: str, surf: Surf, waiting: str, options: dict[str, Any]
) -> dict[str, Page]:
    """Where a coordinator registers a service, and where they say yes to what waits."""
    register, approval = (sign_in(surf(**options), world, address, "coordinator") for _ in range(2))
    register.goto(f"{address}/services/new")
    register.fill("#name", "Hill Farm Shop")
    register.fill("#mail", "farm@hill.example")
    approval.goto(f"{address}/approvals/{waiting}")
    return {"register": register, "approval": approval}


def _second_factor(page: Page, server: str, link: str, cookies: list[Any]) -> list[Any]:
    """Enrol as far as the second factor, or go on there with the cookies of who has."""
    if cookies:
        page.context.add_cookies(cookies)
        page.goto(f"{server}/enrol")
    else:
        holding_a_passkey(page)
        page.goto(link)
        page.click("text=Begin")
        choose(page)
    page.wait_for_selector("[data-ask]")
    return list(page.context.cookies())


def test_the_pictures_are_there() -> None:
    there = {path.name for path in MADE.glob("*.png")}
    assert there == {f"{name}{suffix}.png" for name in NAMES for suffix in ("", "-narrow-dark")}
