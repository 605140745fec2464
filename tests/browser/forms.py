"""A customer's form that runs, the core behind it, and the way to it. For tests of the form alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from api.gate import guarded
from api.intake.app import create_intake
from tests.browser.conftest import serving
from tests.browser.outside import CODE, Outside, settings_in

CANARY = " canary-Zq7w hunter2  "


class Form:
    """A running intake, the core that it asks, and the way to its form."""

    def __init__(self, address: str, core: Outside, folder: Path) -> None:
        self.address = address
        self.core = core
        self.folder = folder

    def knocked(self, page: Page, code: str = CODE) -> Page:
        """The code is given; what comes then is the PIN, the letter, or a refusal."""
        page.goto(f"{self.address}/give/begin#{code}")
        if page.input_value("#code") == "":
            page.fill("#code", code)
        page.click("main button")
        return page

    def opened(self, page: Page) -> Page:
        """The letter is read, and the first secret is asked."""
        self.knocked(page).click("text=Begin")
        page.wait_for_selector("#give")
        return page


@contextmanager
def open_for(kinds: tuple[str, ...], folder: Path) -> Iterator[Form]:
    core = Outside(folder, kinds)

    def make(port: int):
        settings = settings_in(folder, port)
        return guarded(create_intake(core, settings), settings)

    with serving(make) as address:
        yield Form(address, core, folder)


def fill(page: Page, **fields: str) -> None:
    """A server login with a password, as a customer types it."""
    for name, value in {"host": "shop.example.com", "username": "root", "password": CANARY, **fields}.items():
        page.fill(f"#{name}", value)
