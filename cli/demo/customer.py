"""The customer, who opens the link and hands over: in Chromium where it is there, else by the command's own code."""

import shutil
from importlib.util import find_spec
from typing import Any

from cli.demo.company import Company
from cli.demo.ground import NotHeld, require
from cli.demo.traces import Needles, seen

PATIENCE_MS = 20_000
_ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def browser() -> str:
    """Where Chromium is that Playwright can drive, or nothing."""
    if not find_spec("playwright"):
        return ""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium") or ""


def hand_over(company: Company, link: str, fields: dict[str, str], needles: Needles) -> str:
    """Open the link and hand this login over; gives who sealed it, in words.

    Raises NotHeld when the form does not say what it must, or when anything that left the browser holds a needle.
    """
    program = browser()
    if not program:
        company.hand_over(link, fields)
        return "`valetkey submit`"
    from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 (an extra: the demonstration runs without)

    sent: list[bytes] = []

    def note(request: Any) -> None:
        headers = repr(request.headers).encode()
        sent.append(b"\n".join([request.url.encode(), headers, request.post_data_buffer or b""]))

    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
            page = chromium.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("request", note)
            page.goto(link)
            require(page.input_value("#code"), "the code did not get into the form")
            require("#" not in page.url, "the code stayed in the address")
            page.click("main button")
            page.check("#accept")
            page.click("main form[action='/give/accept'] button")
            page.click("text=I give a password instead")
            page.wait_for_selector("#password")
            page.wait_for_selector("#protection:has-text('sealed here in your browser')")
            page.click("summary:has-text('More, if you know it')")
            for name, value in fields.items():
                page.fill(f"#{name}", value)
            page.click("#submit")
            page.click("text=That is all")
            page.wait_for_selector("h1:has-text('Thank you')")
            chromium.close()
    except Error as error:
        raise NotHeld(f"the form did not work in Chromium: {error.message.splitlines()[0]}") from None
    require(any(b"/give/secret" in one for one in sent), "the browser sent nothing")
    held = {name for one in sent for name in seen(one, needles)}
    require(not held, f"what was typed left the browser as {', '.join(sorted(held))}")
    return "Chromium"
