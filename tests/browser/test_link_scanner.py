"""Whoever opens the links of a mail before the customer does, with or without a browser, uses nothing up and learns
nothing; and the code goes nowhere but into the form."""

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from aiosmtpd.controller import Controller
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Page

from tests.browser.conftest import serving
from tests.browser.people import Surf, open_form
from tests.browser.sniffer import spellings
from tests.cli.running import PROGRAM, environment
from tests.refusals import everything
from tests.world import World
from vault.crypto.tokens import new_token
from vault.model.messages import Begin, Form
from vault.operations.customers import intake, requests
from vault.operations.house import delivery
from vault.values import Actor

pytestmark = [pytest.mark.browser]

CUSTOMER = Actor.nobody("198.51.100.9", "intake")
SCANNERS = (
    {"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) BingPreview/1.0b", "accept": "text/html"},
    {"purpose": "prefetch"},
    {"sec-purpose": "prefetch;prerender", "accept": "text/html"},
    {"x-moz": "prefetch"},
    {"user-agent": "SkypeUriPreview", "range": "bytes=0-511"},
    {"user-agent": "Slackbot-LinkExpanding 1.0", "referer": "https://mail.example/inbox"},
)
FOLLOW = """to => {
  const link = document.createElement("a");
  link.href = to;
  document.body.append(link);
  link.click();
}"""
SAFE = ("GET", "HEAD", "OPTIONS")


class Letterbox:
    """A real mail server on loopback that takes everything."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 2.0.0 taken"


@dataclass
class Posted:
    """A mail that asks for access, with the world that it comes from, served."""

    world: World
    address: str
    mail: EmailMessage

    @property
    def links(self) -> list[str]:
        """Every link of the mail, in whatever part it stands."""
        text = "\n".join(
            str(part.get_content()) for part in self.mail.walk() if part.get_content_maintype() == "text"
        )
        return sorted(set(re.findall(r"https?://[^\s\"'<>]+", text)))

    @property
    def link(self) -> str:
        """The one link that has an intake code."""
        (link,) = [link for link in self.links if "/give#" in link]
        return link

    @property
    def code(self) -> str:
        """That code."""
        return urlsplit(self.link).fragment

    def state(self) -> Any:
        """All that a look could change, and how long the log is."""
        return everything(self.world), self.world.size()

    def opens(self) -> bool:
        """Whether the code still opens the form."""
        begin = Begin(code=self.code, browser=new_token("vk_giv"))
        return isinstance(self.world.run(intake.begin(self.world.vault, CUSTOMER, begin)), Form)


@pytest.fixture
def posted(embedded: World) -> Iterator[Posted]:
    """A customer is asked by mail, by way of a real mail server; the vault is served from then on."""
    office = Letterbox()
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    controller = Controller(office, hostname="127.0.0.1", port=port)
    controller.start()
    told = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_starttls": False,
        "mail_from": "v@agency.example",
    }
    embedded.settings = embedded.settings.model_copy(update=told)
    embedded.reopen()
    coordinator = embedded.actor("coordinator")
    embedded.perform(requests.ask, coordinator, embedded.service().id, ["ssh-password"], "mail")
    embedded.run(delivery.deliver(embedded.vault))
    controller.stop()
    (mail,) = office.mails
    assert isinstance(mail, EmailMessage)
    with embedded.served() as address:
        yield Posted(embedded, address, mail)


def crawl(page: Page, links: list[str], address: str) -> set[str]:
    """Open every link and whatever our pages link to from there, looking at all of each page."""
    seen: set[str] = set()
    waiting = list(links)
    while waiting:
        link = waiting.pop(0)
        if link in seen:
            continue
        seen.add(link)
        page.goto(link, wait_until="networkidle")
        page.mouse.wheel(0, 5_000)
        for anchor in page.locator("a[href]").all():
            found = anchor.evaluate("one => one.href")
            if found.startswith(address):
                waiting.append(found)
    return seen


@pytest.mark.attack("IN03", "IN04")
@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_scanner_in_a_browser_that_opens_every_link_changes_nothing(
    posted: Posted, surf: Surf, script: bool
) -> None:
    before = posted.state()
    scanner = surf(java_script_enabled=script)
    seen = crawl(scanner, posted.links, posted.address)
    assert len(seen) > 1, "the canary: the link was opened, and links behind it"
    assert scanner.context.cookies() == []
    assert posted.state() == before
    page = open_form(surf(java_script_enabled=script), posted.address, posted.code)
    assert page.locator("#give").count() == 1


@pytest.mark.attack("IN04")
def test_a_page_that_prefetches_frames_and_shows_the_link_changes_nothing(
    posted: Posted, chromium: Browser
) -> None:
    before = posted.state()
    link = posted.link
    asked: list[str] = []
    app = FastAPI(openapi_url=None)

    @app.get("/")
    async def mailbox() -> HTMLResponse:
        rules = f'{{"prefetch": [{{"urls": ["{link}"]}}], "prerender": [{{"urls": ["{link}"]}}]}}'
        return HTMLResponse(
            f'<!doctype html><title>mailbox</title><link rel="prefetch" href="{link}">'
            f'<link rel="prerender" href="{link}"><script type="speculationrules">{rules}</script>'
            f'<img src="{link}" alt=""><iframe src="{link}"></iframe><a href="{link}" ping="{link}">link</a>'
        )

    with serving(lambda _port: app) as address:
        page = chromium.new_page()  # where the breach of our policy, by the frame, is no fault
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address, wait_until="networkidle")
        page.hover("a")
        page.wait_for_timeout(500)
        page.close()
    assert any(url.startswith(posted.address) for url in asked), "the canary: the link was asked for"
    assert posted.state() == before
    assert posted.opens()


@pytest.mark.attack("IN03", "IN04")
def test_a_program_that_asks_for_every_link_changes_nothing_and_is_told_nothing(posted: Posted) -> None:
    before = posted.state()
    bent = posted.link.replace("#", "%23")  # as some filters spell it, who keep what stands behind the sign
    with httpx2.Client(follow_redirects=True) as client:
        for headers in ({}, *SCANNERS):
            for method in SAFE:
                for link in posted.links:
                    answer = client.request(method, link, headers=headers)
                    assert answer.status_code < 500
                    assert posted.code not in answer.text + str(answer.headers)
                mistaken = client.request(method, bent, headers=headers)
                assert mistaken.status_code in {404, 405}
                assert posted.code not in mistaken.text + str(mistaken.headers)
        assert client.get(posted.link).status_code == 200
        assert not client.cookies
    assert posted.state() == before
    assert posted.opens()


@pytest.mark.attack("IN03")
@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_the_code_is_sent_once_in_the_body_of_the_button_and_nowhere_else(
    posted: Posted, surf: Surf, script: bool
) -> None:
    heads: list[str] = []
    bodies: list[tuple[str, str]] = []
    elsewhere: list[str] = []
    app = FastAPI(openapi_url=None)

    @app.get("/")
    async def other(request: Request) -> HTMLResponse:
        elsewhere.append(str(request.headers) + str(request.url))
        return HTMLResponse("<!doctype html><title>elsewhere</title>")

    def note(request: Any) -> None:
        heads.append(f"{request.url} {request.all_headers()}")
        if request.post_data:
            bodies.append((urlsplit(request.url).path, request.post_data))

    page = surf(java_script_enabled=script)
    page.on("requestfinished", note)
    open_form(page, posted.address, posted.code)
    with serving(lambda _port: app) as address:
        if script:
            page.evaluate(FOLLOW, address)
            page.wait_for_url(f"{address}/")
    assert len(heads) > 3, "the canary: requests were seen"
    assert len(elsewhere) == script
    assert not holding(posted.code, *heads, *elsewhere)
    assert [path for path, body in bodies if holding(posted.code, body)] == ["/give/begin"]
    if script:  # and the browser's own history has forgotten it, however often one goes back
        for _ in range(6):
            page.go_back()
            assert not holding(posted.code, page.url, page.content())


@contextmanager
def serving_process(seen: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`valetkey serve` as a process, from when it is ready; all that it says is on its stdout."""
    command = [*PROGRAM, "serve"]
    with subprocess.Popen(command, env=seen, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        try:
            give_up = time.monotonic() + 30
            while not _answers(seen["VALETKEY_BASE_URL"]):
                assert server.poll() is None
                assert time.monotonic() < give_up, "the server did not start"
                time.sleep(0.05)
            yield server
        finally:
            server.kill()


def _answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/readyz").status_code == 200
    except httpx2.ConnectError:
        return False


def holding(code: str, *texts: str) -> list[str]:
    """The texts in which the code stands, with or without its hyphens, in any spelling."""
    wanted = {code, code.lower(), code.replace("-", ""), quote(code)}
    return [text for text in texts if any(one in text for one in wanted)]


@pytest.mark.attack("IN03")
def test_no_line_of_the_servers_log_and_no_file_of_its_holds_the_code(
    embedded: World, tmp_path: Path
) -> None:
    """The server as it is really run, in a process of its own, with its log as an operator finds it."""
    asked = embedded.ask(embedded.service())
    code = str(asked.code)
    settings = embedded.settings
    seen = environment(
        tmp_path,
        VALETKEY_DATA_DIR=str(settings.data_dir),
        VALETKEY_ROOT_KEY_FILE=str(settings.root_key_file),
        VALETKEY_BASE_URL=settings.base_url,
        VALETKEY_PORT=str(urlsplit(settings.base_url).port),
    )
    embedded.run(embedded.vault.close())
    try:
        with (
            serving_process(seen) as server,
            httpx2.Client(base_url=settings.base_url, follow_redirects=True) as client,
        ):
            for method in SAFE:
                for path in (f"/give#{code}", f"/give%23{code}", f"/give?code={code}", f"/give/{code}"):
                    client.request(method, path, headers={"referer": f"{settings.base_url}/give#{code}"})
            origin = {"origin": settings.base_url}
            assert client.post("/give/begin", json={"code": "x" * 500}, headers=origin).status_code >= 400
            begun = client.post("/give/begin", json={"code": code}, headers=origin)
            assert begun.status_code < 400, f"the code opens no form any more: {begun.text}"
            server.send_signal(signal.SIGTERM)
            log, _ = server.communicate(timeout=30)
    finally:
        embedded.vault = embedded._start()
    assert b"serving" in log, "the canary: there is a log"
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 1
    for spelt in (code, code.replace("-", "")):
        for _, raw in spellings(spelt):
            assert raw not in log
            assert not [path.name for path in files if raw in path.read_bytes()]
