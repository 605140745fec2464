"""The pictures of docs/pictures: made by walking the story. `VALETKEY_PICTURES=docs/pictures` writes them anew."""

import os
from pathlib import Path

import pytest

from tests.browser.people import Surf, sign_in
from tests.world import LOGIN, World

pytestmark = [pytest.mark.browser]

NAMES = ("form", "desk", "lease", "log")
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
    for suffix, options in (
        ("", {"viewport": {"width": 1280, "height": 960}}),
        ("-narrow-dark", {"viewport": {"width": 375, "height": 812}, "color_scheme": "dark"}),
    ):
        pages = {"form": surf(**options)}
        if not suffix:
            pages["form"].goto(f"{server}/give#{request.code}")
            pages["form"].click("button")
            opened = pages["form"].context.cookies()
        else:
            pages["form"].context.add_cookies(opened)
            pages["form"].goto(f"{server}/give/")
        pages["form"].wait_for_selector("[data-suite]")
        pages["form"].fill("#host", "shop.example.com")
        pages["form"].fill("#username", "deploy")
        pages["form"].fill("#password", LOGIN["password"])
        pages["desk"] = sign_in(surf(**options), embedded, server, "technician")
        pages["lease"] = sign_in(surf(**options), embedded, server, "technician")
        pages["lease"].goto(f"{server}/leases/{lease.id}")
        pages["lease"].locator("[data-name=host]").get_by_role("button").click()
        pages["lease"].wait_for_selector(".value")
        pages["log"] = sign_in(surf(**options), embedded, server, "auditor")
        for name in NAMES:
            pages[name].evaluate("document.activeElement?.blur()")
            picture = pages[name].screenshot(path=place / f"{name}{suffix}.png", full_page=name != "log")
            assert len(picture) > 5_000, f"{name} is blank"


def test_the_pictures_are_there() -> None:
    there = {path.name for path in MADE.glob("*.png")}
    assert there == {f"{name}{suffix}.png" for name in NAMES for suffix in ("", "-narrow-dark")}
