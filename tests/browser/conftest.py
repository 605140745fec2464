"""A real Chromium against real servers on loopback. Nothing of ours is replaced."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "api" / "static"
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The shell first: it is the same Chromium without the windows, and opens a page at half of the cost."""
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def serving(make: Callable[[int], ASGIApp]) -> Iterator[str]:
    """What `make` makes for a loopback port of its own; gives its base address."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(make(port), log_level="error", access_log=False, lifespan="off")
        )
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a file. Not one a run: while it lives, Playwright's event loop runs in this thread, and the tests of
    other files could start none of their own."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def surf(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages that fail the test for every script error and every breach of the policy."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def surf(**options: object) -> Page:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)
        page.on("dialog", lambda dialog: faults.append(f"dialog {dialog.message}"))
        return page

    yield surf
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def workbench() -> Iterator[str]:
    """The product's own modules under /static and the tests' under /bench, with a blank page to run them in."""
    app = FastAPI(openapi_url=None)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/bench", StaticFiles(directory=HERE))

    @app.get("/")
    async def blank() -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>workbench</title>")

    with serving(lambda _port: app) as address:
        yield address


@pytest.fixture
def bench(workbench: str, surf: Callable[..., Page]) -> Page:
    page = surf()
    page.goto(workbench)
    return page
