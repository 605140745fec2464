"""What a command line begins and a browser proves: signing in by a code, and single deeds."""

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.people import POLYGLOT, Surf, give, sign_in, with_a_passkey
from tests.world import World

pytestmark = [pytest.mark.browser]


def login(address: str, client: str = "valetkey") -> dict[str, str]:
    """Ask as a command line does."""
    answer = httpx2.post(
        f"{address}/oauth/device_authorization",
        data={"client_id": "valetkey-cli"},
        headers={"user-agent": client},
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, str] = answer.json()
    return told


def poll(address: str, told: dict[str, str]) -> httpx2.Response:
    return httpx2.post(
        f"{address}/oauth/token",
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": told["device_code"],
            "client_id": "valetkey-cli",
        },
    )


def test_a_command_line_signs_in_by_a_code_that_survives_the_sign_in_page(
    embedded: World, server: str, surf: Surf
) -> None:
    told = login(server)
    page = surf()
    page.goto(told["verification_uri_complete"])
    expect(page.locator("h1")).to_have_text("Sign in")
    give(page, embedded, embedded.member("technician"))
    page.wait_for_url(f"{server}/device")
    assert page.input_value("#code") == told["user_code"]
    page.click("text=Continue")
    expect(page.locator("h1")).to_have_text("Let a command line sign in as you?")
    expect(page.locator(".facts")).to_contain_text("127.0.0.1")
    page.fill("#code", "000000")
    page.click("button >> text=Allow it >> nth=0")
    expect(page.locator("#code-error")).to_contain_text("That code is wrong")
    page.fill("#code", embedded.code("technician"))
    page.click("button >> text=Allow it >> nth=0")
    expect(page.locator("h1")).to_have_text("It is signing in now")
    assert poll(server, told).json()["access_token"].startswith("vk_ses_")


def test_without_javascript_a_code_is_typed_and_sent_away(embedded: World, server: str, surf: Surf) -> None:
    told = login(server, POLYGLOT)
    page = sign_in(surf(java_script_enabled=False), embedded, server, "technician")
    page.goto(f"{server}/device")
    page.fill("#code", "BCDF-GHJK")
    page.click("text=Continue")
    expect(page.locator("#summary")).to_contain_text("There is no such code")
    page.fill("#code", told["user_code"].lower())
    page.click("text=Continue")
    page.wait_for_selector("text=It is not me")
    assert page.locator("main img, main script").count() == 0
    page.click("text=It is not me")
    expect(page.locator("h1")).to_have_text("It was sent away")
    assert poll(server, told).json()["error"] == "access_denied"


def test_a_deed_of_a_command_line_is_proved_on_a_page_that_names_it(
    embedded: World, server: str, surf: Surf
) -> None:
    service = embedded.service()
    secret = embedded.give(service)
    ticket = embedded.ticket(service)
    embedded.actor("technician")
    headers = {"authorization": f"Bearer {embedded.member('technician').token}", "valetkey-client": "cli"}
    body = {"secrets": [secret], "minutes": 30, "reason": "install the shop as ordered"}
    place = f"{server}/api/v1/tickets/{ticket.id}/leases"
    asked = httpx2.post(place, json=body, headers=headers)
    assert asked.status_code == 401
    challenge = asked.json()["challenge"]["id"]
    page = surf()
    page.goto(f"{server}/presence/{challenge}")
    give(page, embedded, embedded.member("technician"))
    page.wait_for_url(f"{server}/presence/{challenge}")
    expect(page.locator(".lead")).to_contain_text("check out one login")
    page.fill("#code", embedded.code("technician"))
    page.click("button >> text=Prove it >> nth=0")
    expect(page.locator("h1")).to_have_text("Thank you, that is proved")
    proved = httpx2.post(place, json=body | {"presence": {"challenge": challenge}}, headers=headers)
    assert proved.status_code == 201, proved.text
    stranger = sign_in(surf(), embedded, server, "coordinator")
    answer = stranger.goto(f"{server}/presence/{challenge}")
    assert answer is not None
    assert answer.status == 404


def test_a_passkey_lets_a_command_line_in_and_proves_its_deeds(
    embedded: World, server: str, surf: Surf
) -> None:
    page = with_a_passkey(surf(), embedded, server, "technician")
    told = login(server)
    page.goto(told["verification_uri_complete"])
    page.click("text=Continue")
    page.click("text=Allow it with a passkey")
    expect(page.locator("h1")).to_have_text("It is signing in now")
    headers = {"authorization": f"Bearer {poll(server, told).json()['access_token']}"}
    place = f"{server}/api/v1/account/recovery-codes"
    challenge = httpx2.post(place, json={}, headers=headers).json()["challenge"]["id"]
    page.goto(f"{server}/presence/{challenge}")
    expect(page.locator(".lead")).to_contain_text("You are asked to replace your recovery codes")
    page.click("text=Prove it with a passkey")
    expect(page.locator("h1")).to_have_text("Thank you, that is proved")
    proved = httpx2.post(place, json={"presence": {"challenge": challenge}}, headers=headers)
    assert len(proved.json()["codes"]) == 10
