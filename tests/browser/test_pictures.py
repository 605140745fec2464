"""The pictures of docs/pictures: made by walking the story. `VALETKEY_PICTURES=docs/pictures` writes them anew."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.approvals import put
from tests.browser.own_page import come_by_link
from tests.browser.people import Surf, holding_a_passkey, sign_in
from tests.browser.test_joining import choose, invited
from tests.browser.test_staff import asked
from tests.logins import GOOD
from tests.operations.desks import WITH_CODES
from tests.operations.glasses import breakable, broken
from tests.world import World
from vault.model.views import LeaseView, ServiceView, TicketView
from vault.operations.leases import checkout

pytestmark = [pytest.mark.browser]

NAMES = (
    "form",
    "mine",
    "register",
    "desk",
    "approval",
    "lease",
    "review",
    "board",
    "service",
    "log",
    "join",
    "account",
    "people",
)
MADE = Path(__file__).parents[2] / "docs" / "pictures"


def test_the_pictures_of_the_pages_can_be_made(
    embedded: World, server: str, surf: Surf, tmp_path: Path
) -> None:
    place = Path(os.environ.get("VALETKEY_PICTURES", tmp_path))
    place.mkdir(parents=True, exist_ok=True)
    service = embedded.service(embedded.customer("Acme Garden Tools"), "Installation of the new shop")
    secret, codes, ticket = _given(embedded, service)
    lease = embedded.lease(ticket, secret, codes, minutes=120)
    embedded.reveal(lease, secret)
    put(embedded, breakable())
    _cannot_wait(embedded)
    request = embedded.ask(embedded.service(embedded.customer("Mill Street Books"), "Move to the new host"))
    both = embedded.hire("Bo Both", "coordinator technician")
    embedded.actor(both)
    invitation = invited(embedded)
    embedded.hire("Bea Brown", "administrator")
    waits = embedded.lease(ticket, secret)
    joining: list[Any] = []
    opened: list[Any] = []
    for suffix, options in (
        ("", {"viewport": {"width": 1280, "height": 960}}),
        ("-narrow-dark", {"viewport": {"width": 375, "height": 812}, "color_scheme": "dark"}),
    ):
        pages = {"form": surf(**options)}
        opened = _form(pages["form"], f"{server}/give", str(request.code), opened)
        pages["mine"] = come_by_link(surf(**options), embedded, service.customer.id)
        pages["mine"].goto(f"{server}/mine/services/{service.id}")
        pages["desk"] = sign_in(surf(**options), embedded, server, "technician")
        pages |= _coordinators(embedded, server, surf, waits, options)
        pages["lease"] = sign_in(surf(**options), embedded, server, "technician")
        pages["lease"].goto(f"{server}/leases/{lease.id}")
        pages["lease"].locator("[data-name=host]").get_by_role("button", name="Reveal").click()
        pages["lease"].wait_for_selector(".value")
        pages["review"], pages["log"] = (
            sign_in(surf(**options), embedded, server, "auditor") for _ in range(2)
        )
        pages["review"].goto(f"{server}/reviews")
        pages["review"].get_by_role("link", name="Tom Tanner").click()
        pages["review"].wait_for_url("**/reviews/rev_*")
        pages["review"].check("#justified")
        pages["review"].fill("#note", "The shop was down, and nothing else was opened")
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


def _given(world: World, service: ServiceView) -> tuple[str, str, TicketView]:
    """A login in two steps and a ticket: its password, and what codes are made of."""
    put(world, WITH_CODES)
    return world.give(service), world.give(service, GOOD["totp-seed"], "totp-seed"), world.ticket(service)


def _form(page: Page, place: str, code: str, cookies: list[Any]) -> list[Any]:
    """The customer's form at its first question, opened by its code or gone on with by the cookies of who has."""
    if cookies:
        page.context.add_cookies(cookies)
        page.goto(f"{place}/")
    else:
        page.goto(f"{place}#{code}")
        page.click("main button")
    page.click("text=Begin")
    page.wait_for_selector("[data-suite]")
    page.fill("#host", "shop.example.com")
    page.fill("#username", "deploy")
    return list(page.context.cookies())


def _cannot_wait(world: World) -> None:
    """Another customer's shop is down, and no coordinator answers."""
    service = world.service(world.customer("North Pier Sailing"), "Repair of the checkout")
    secret, ticket = world.give(service), world.ticket(service, number="T-1007")
    lease = world.lease(ticket, secret)
    world.clock.advance(minutes=16)
    world.reveal(broken(world, lease), secret)
    world.clock.advance(minutes=9)
    world.perform(checkout.check_in, world.actor("technician"), lease.id)


def _coordinators(
    world: World, address: str, surf: Surf, waits: LeaseView, options: dict[str, Any]
) -> dict[str, Page]:
    """Where a coordinator registers a service, says yes to what waits, and sees the whole house."""
    register, approval, board, service = (
        sign_in(surf(**options), world, address, "coordinator") for _ in range(4)
    )
    register.goto(f"{address}/services/new")
    register.fill("#name", "Hill Farm Shop")
    register.fill("#mail", "farm@hill.example")
    approval.goto(f"{address}/approvals/{waits.id}")
    service.goto(f"{address}/services/{waits.service_id}")
    return {"register": register, "approval": approval, "board": board, "service": service}


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
