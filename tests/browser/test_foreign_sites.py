"""What another site can do with ours in a real browser: nothing."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Page

from tests.browser.conftest import serving
from tests.world import PASSWORD, World

pytestmark = pytest.mark.browser


@pytest.fixture
def foreign(chromium: Browser, server: str, embedded: World) -> Iterator[Page]:
    """A page of another site (127.0.0.1 is not localhost) that frames ours, opens it, and posts to its sign-in."""
    member = embedded.member("technician")
    fields = {"mail": member.view.mail, "password": PASSWORD, "code": embedded.code(member)}
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    app = FastAPI(openapi_url=None)

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(
            f'<!doctype html><title>foreign</title><iframe src="{server}/signin"></iframe>'
            f'<iframe src="{server}/enrol"></iframe>'
            f'<form method="post" action="{server}/signin">{inputs}<button>win a prize</button></form>'
        )

    with serving(lambda _port: app) as address:
        context = chromium.new_context()
        opened = context.new_page()
        opened.goto(address)
        yield opened
        context.close()


@pytest.mark.attack("AN23")
def test_a_foreign_page_signs_nobody_in(foreign: Page, server: str, embedded: World) -> None:
    """Credentials that are right all the same: what is refused is where they come from."""
    before = embedded.size()
    with foreign.expect_navigation() as posted:
        foreign.click("button")
    assert posted.value.status == 403
    assert not [cookie for cookie in foreign.context.cookies() if "vk_session" in cookie["name"]]
    assert embedded.size() == before
    foreign.goto(f"{server}/signin")  # the canary: from our own page the same credentials are good
    member = embedded.member("technician")
    for name, value in (("mail", member.view.mail), ("password", PASSWORD), ("code", embedded.code(member))):
        foreign.fill(f"[name={name}]", value)
    foreign.click("#by-password button")
    foreign.wait_for_url(lambda url: "signin" not in url)
    assert [cookie for cookie in foreign.context.cookies() if "vk_session" in cookie["name"]]


@pytest.mark.attack("AZ19")
def test_a_foreign_page_can_neither_frame_ours_nor_hold_on_to_it(foreign: Page, server: str) -> None:
    _, *framed = foreign.frames
    assert [frame.locator("#password, #code").count() for frame in framed] == [0, 0]
    with foreign.context.expect_page() as opening:
        foreign.evaluate("address => { window.ours = window.open(address) }", f"{server}/signin")
    ours = opening.value
    ours.wait_for_load_state()
    assert ours.locator("#password").count() == 1  # the canary: alone in its window it is there
    assert ours.evaluate("window.opener") is None
    assert foreign.evaluate("window.ours.closed")  # cut off: to its opener it looks closed
