"""Every cookie that a browser ever gets from us, and what becomes of the session that it had before."""

import re
from collections.abc import Iterator

import pytest
from httpx2 import Client, Response

from tests.world import PASSWORD, World
from vault.operations.people import staff
from vault.values import Actor

LASTING = {"__Host-vk_known", "__Host-vk_enrol"}
"""Of a browser in which somebody has signed in before, and of an enrolment for the two hours that it may take."""


@pytest.fixture
def browser(embedded: World, server: str) -> Iterator[Client]:
    with Client(base_url=server, headers={"sec-fetch-site": "same-origin", "accept": "text/html"}) as client:
        yield client


def given(answer: Response) -> dict[str, dict[str, str]]:
    """The cookies that an answer sets: by name, its attributes in lower case."""
    found = {}
    for line in answer.headers.get_list("set-cookie"):
        pair, *attributes = line.split(";")
        name, _, value = pair.partition("=")
        told = {key.strip().lower(): word for key, _, word in (one.partition("=") for one in attributes)}
        found[name.strip()] = told | {"value": value}
    return found


def sign_in(world: World, browser: Client) -> Response:
    form = {"mail": "tom@agency.example", "password": PASSWORD, "code": world.code("technician")}
    answer = browser.post("/signin", data=form)
    assert answer.status_code == 303, answer.text
    return answer


@pytest.mark.attack("AN14")
def test_every_cookie_stays_with_this_host_and_out_of_reach_of_scripts(
    embedded: World, browser: Client
) -> None:
    invited = embedded.run(
        staff.add(embedded.vault, Actor.host(), "Nina New", "nina@agency.example", ["technician"])
    )
    request = embedded.ask(embedded.service())
    answers = [
        sign_in(embedded, browser),
        browser.post("/enrol", data={"code": invited.code}),
        browser.post("/give/begin", data={"code": request.code}),
    ]
    cookies = {name: told for answer in answers for name, told in given(answer).items()}
    assert {"__Host-vk_session", "__Host-vk_give", *LASTING} <= set(cookies), "the canary"
    for name, told in cookies.items():
        assert name.startswith("__Host-")
        assert {"secure", "httponly"} <= set(told), name
        assert told["samesite"].lower() == "strict", name
        assert told["path"] == "/", name
        assert "domain" not in told, name
        assert ("max-age" in told) == (name in LASTING), f"{name} lasts longer than the browser is open"


@pytest.mark.attack("AN13", "AN15")
def test_a_fresh_sign_in_ends_the_session_that_this_browser_had(embedded: World, browser: Client) -> None:
    first = given(sign_in(embedded, browser))["__Host-vk_session"]["value"]
    page = {"cookie": f"__Host-vk_session={first}"}
    assert browser.get("/account", headers=page).status_code == 200
    answer = browser.post(
        "/signin",
        data={"mail": "tom@agency.example", "password": PASSWORD, "code": embedded.code("technician")},
        headers=page,
    )
    second = given(answer)["__Host-vk_session"]["value"]
    assert second != first
    assert browser.get("/account", headers=page).status_code == 303
    token = {"cookie": f"__Host-vk_session={second}"}
    account = browser.get("/account", headers=token)
    form_token = re.findall(r'name="form_token" value="([^"]+)"', account.text)[0]
    out = browser.post("/signout", data={"form_token": form_token}, headers=token)
    assert "cache" in out.headers["clear-site-data"]
    assert given(out)["__Host-vk_session"]["value"] in {"", '""'}
    assert browser.get("/account", headers=token).status_code == 303


@pytest.mark.attack("AN13")
def test_a_planted_session_is_never_adopted(embedded: World, browser: Client) -> None:
    planted = {"cookie": "__Host-vk_session=vk_ses_" + "A" * 49}
    form = {"mail": "tom@agency.example", "password": PASSWORD, "code": embedded.code("technician")}
    answer = browser.post("/signin", data=form, headers=planted)
    assert given(answer)["__Host-vk_session"]["value"] != planted["cookie"].partition("=")[2]
    assert browser.get("/account", headers=planted).status_code == 303
