"""The staff's pages in a real Chromium on the whole application: signing in, lending, revealing, reading the log."""

import re
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

from api.security import SESSION_COOKIE, form_token
from tests.approvals import put
from tests.browser.leaving import LEAVE
from tests.browser.people import POLYGLOT, Surf, hand_over, open_form, sign_in
from tests.operations.glasses import breakable
from tests.operations.test_extraordinary import REGISTRAR, lent
from tests.world import LOGIN, PASSWORD, World
from vault.ledger import verify
from vault.operations.leases import glass

pytestmark = [pytest.mark.browser]


@pytest.mark.promise("P2")
@pytest.mark.parametrize("script", [True, False])
def test_what_is_extraordinary_asks_for_a_proof_of_its_own(
    embedded: World, server: str, surf: Surf, script: bool
) -> None:
    secret, lease = lent(embedded)
    page = sign_in(surf(java_script_enabled=script), embedded, server, "technician")
    page.goto(f"{server}/leases/{lease.id}")
    row = page.locator(f"[data-secret={secret}][data-name=password]")
    row.locator("button").click()
    expect(page.locator("h1")).to_have_text("Reveal: Password")
    expect(page.locator(".summary")).to_have_count(0)
    page.fill("#code", "000000")
    page.click("text=Reveal it")
    expect(page.locator(".summary")).to_contain_text("that code is wrong", ignore_case=True)
    page.fill("#code", embedded.code("technician"))
    page.click("text=Reveal it")
    expect(row.locator(".value")).to_have_text(REGISTRAR["password"], use_inner_text=True)
    if script:
        expect(row.locator(".left")).to_contain_text("Covered again in")
        page.evaluate(LEAVE, True)
        assert page.locator(".value").count() == 0, "what came with its page is covered like the rest"


@pytest.mark.promise("P1")
def test_without_javascript_one_value_comes_on_a_page_that_nobody_keeps(
    embedded: World, server: str, surf: Surf
) -> None:
    *_, lease = embedded.lent()
    page = sign_in(surf(java_script_enabled=False), embedded, server, "technician")
    page.goto(f"{server}/leases/{lease.id}")
    before = embedded.size()
    with page.expect_response("**/reveal") as answered:
        page.locator("[data-name=password]").get_by_role("button", name="Reveal").click()
    assert answered.value.headers["cache-control"] == "no-store"
    assert page.locator(".value").all_text_contents() == [LOGIN["password"]]
    assert page.locator(".covered").count() == 4
    assert embedded.ledger(before) == ["secret.reveal ok"]
    page.goto(f"{server}/leases/{lease.id}")
    assert LOGIN["password"].strip() not in page.content()


def test_an_empty_field_is_said_to_be_empty(embedded: World, server: str, surf: Surf) -> None:
    *_, lease = embedded.lent()
    page = sign_in(surf(), embedded, server, "technician")
    page.goto(f"{server}/leases/{lease.id}")
    page.locator("[data-name=host_key]").get_by_role("button", name="Reveal").click()
    expect(page.locator("[data-name=host_key] .error")).to_contain_text("The customer left this field empty")


@pytest.mark.promise("P4")
def test_a_lease_that_is_over_opens_nothing_on_a_page_that_was_left_open(
    embedded: World, server: str, surf: Surf
) -> None:
    *_, lease = embedded.lent()
    page = sign_in(surf(), embedded, server, "technician")
    page.goto(f"{server}/leases/{lease.id}")
    embedded.clock.advance(minutes=14)  # and again, so that the session lives longer than the lease
    page.reload()
    embedded.clock.advance(minutes=14)
    page.reload()
    embedded.clock.advance(minutes=3)
    page.locator("[data-name=password]").get_by_role("button", name="Reveal").click()
    expect(page.locator("[data-name=password] .error")).to_contain_text("has ended")
    page.reload()
    expect(page.locator(".lead")).to_contain_text("Ended")
    assert page.locator(".reveal").count() == 0


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ08")
def test_another_technician_finds_neither_lease_nor_ticket(embedded: World, server: str, surf: Surf) -> None:
    _, _, ticket, lease = embedded.lent()
    other = embedded.hire("Olga Other", "technician")
    embedded.actor(other)
    page = sign_in(surf(), embedded, server, other.id)
    for place in (f"/leases/{lease.id}", f"/tickets/{ticket.id}", "/leases/lse_00000000000000000000"):
        answer = page.goto(server + place)
        assert answer is not None
        assert answer.status == 404
        assert "Acme" not in page.content()


def test_a_login_that_does_not_work_is_asked_for_again(embedded: World, server: str, surf: Surf) -> None:
    *_, lease = embedded.lent()
    page = sign_in(surf(), embedded, server, "technician")
    page.goto(f"{server}/leases/{lease.id}")
    page.click("text=This login does not work")
    page.fill("textarea", "too short")
    page.evaluate("document.querySelector('textarea').removeAttribute('minlength')")
    page.click("text=Ask the customer again")
    expect(page.locator("#summary")).to_contain_text("10 to 200 characters")
    assert page.input_value("textarea") == "too short"
    before = embedded.size()
    page.fill("textarea", "the server says permission denied")
    page.click("text=Ask the customer again")
    expect(page.locator(".note")).to_contain_text("The customer is asked for it again")
    assert "secret.report ok" in embedded.ledger(before)


def test_a_refused_check_out_keeps_what_was_typed_but_never_the_code(
    embedded: World, server: str, surf: Surf
) -> None:
    service = embedded.service()
    embedded.give(service)
    ticket = embedded.ticket(service)
    embedded.actor("technician")
    page = sign_in(surf(), embedded, server, "technician")
    page.goto(f"{server}/tickets/{ticket.id}")
    page.fill("#reason", "install the shop as ordered")
    offered = page.locator("#minutes option").evaluate_all("all => all.map((one) => one.value)")
    assert offered == ["15", "30", "60", "120", "240"], "no longer than the type of the service allows"
    page.select_option("#minutes", "240")
    page.fill("#code", "000000")
    page.click("form button >> text=Check out")
    expect(page.locator("#code-error")).to_contain_text("That code is wrong")
    assert page.input_value("#reason") == "install the shop as ordered"
    assert page.input_value("#code") == ""
    assert page.input_value("#minutes") == "240"
    assert page.locator("[name=secrets]").is_checked()
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.fill("#reason", "short")
    page.fill("#code", embedded.code("technician"))
    page.click("form button >> text=Check out")
    expect(page.locator("#reason-error")).to_contain_text("10 to 200 characters")
    assert page.input_value("#reason") == "short"


def test_an_auditor_filters_reads_and_takes_away_a_log_that_verifies(
    embedded: World, server: str, surf: Surf, tmp_path: Path
) -> None:
    service, secret, _ticket, lease = embedded.lent()
    embedded.reveal(lease, secret)
    page = sign_in(surf(), embedded, server, "auditor")
    expect(page.locator("h1")).to_have_text("Log")
    page.fill("#type", "secret.reveal")
    page.click("text=Filter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("Tom Tanner")
    page.fill("#type", "")
    page.fill("#service", service.id)
    page.click("text=Filter")
    expect(page.locator("tbody")).to_contain_text("install the shop as ordered")
    page.click("tbody a >> nth=0")
    expect(page.locator("main")).to_contain_text(service.id)
    page.goto(f"{server}/log?service=nonsense")
    expect(page.locator("#summary")).to_contain_text("There is no service or person with that id")
    page.goto(f"{server}/log")
    with page.expect_download() as downloading:
        page.click("text=Download the log")
    place = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(place)
    assert verify.main([str(place), "--key", embedded.vkey()]) == 0
    page.click("text=Show a checkpoint")
    expect(page.locator("pre")).to_contain_text("localhost/dep_")
    assert LOGIN["password"].strip() not in place.read_text("utf-8")


@pytest.mark.attack("AN15")
def test_who_signs_out_is_out_in_every_tab_and_going_back_shows_nothing(
    embedded: World, server: str, surf: Surf
) -> None:
    *_, lease = embedded.lent()
    page = sign_in(surf(), embedded, server, "technician")
    page.goto(f"{server}/leases/{lease.id}")
    cookie = next(one for one in page.context.cookies() if one["name"] == SESSION_COOKIE)
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
        True,
        True,
        "Strict",
        "/",
    )
    page.click("text=Sign out")
    page.wait_for_url("**/signin")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Sign in")
    stale = httpx2.get(f"{server}/leases/{lease.id}", cookies={cookie["name"]: cookie["value"]})
    assert (stale.status_code, stale.headers["location"]) == (303, "/signin")


@pytest.mark.attack("AZ17")
def test_a_form_needs_the_token_of_its_own_session(embedded: World, server: str) -> None:
    *_, lease = embedded.lent()
    token = embedded.sign_in("technician")
    others = embedded.sign_in("coordinator")
    before = embedded.size()
    for given in ({}, {"form_token": ""}, {"form_token": form_token(others)}, {"form_token": "\u0663"}):
        answer = httpx2.post(
            f"{server}/leases/{lease.id}/checkin",
            data={"other": "1", **given},
            headers={"Sec-Fetch-Site": "same-origin"},
            cookies={SESSION_COOKIE: token},
        )
        assert answer.status_code == 403
    assert "lease.check-in ok" not in embedded.ledger(before)
    own = httpx2.post(
        f"{server}/leases/{lease.id}/checkin",
        data={"form_token": form_token(token)},
        headers={"Sec-Fetch-Site": "same-origin"},
        cookies={SESSION_COOKIE: token},
    )
    assert own.status_code == 303, "the canary: with its own token it goes"


@pytest.mark.attack("AN11", "IN08")
def test_a_wrong_sign_in_says_one_thing_and_repeats_no_password(
    embedded: World, server: str, surf: Surf
) -> None:
    page = surf()
    said = set()
    for mail, password in (
        ("tom@agency.example", "wrong wrong wrong"),
        ("ghost@agency.example", PASSWORD),
        ("not a mail", PASSWORD),
    ):
        page.goto(f"{server}/signin")
        page.evaluate("document.querySelector('#by-password').noValidate = true")
        page.fill("#mail", mail)
        page.fill("#password", password)
        page.fill("#code", "123456")
        page.click("#by-password button")
        said.add(page.locator("#summary").inner_text())
        assert page.input_value("#mail") == mail
        assert page.input_value("#password") == ""
        assert password not in page.content()
    assert len(said) == 1


@pytest.mark.attack("IN09")
def test_what_others_wrote_is_text_on_every_page(embedded: World, server: str, surf: Surf) -> None:
    service = embedded.service(embedded.customer(POLYGLOT), POLYGLOT)
    secret = embedded.give(service)
    ticket = embedded.ticket(service, number="T-<b>1")
    lease = embedded.lease(ticket, secret)
    put(embedded, breakable())
    asked, urgent = (embedded.lease(ticket, secret).id for _ in range(2))
    embedded.clock.advance(minutes=16)
    tom, given = embedded.actor("technician"), embedded.presence("technician")
    review = embedded.run(glass.break_glass(embedded.vault, tom, urgent, POLYGLOT, given)).review_id
    at = f"/leases/{asked}"
    places = {
        "technician": ("/", f"/tickets/{ticket.id}", f"/leases/{lease.id}", at, f"{at}/break-glass"),
        "coordinator": (
            "/",
            f"/services/{service.id}",
            "/tickets",
            "/leases",
            "/approvals",
            f"/approvals/{asked}",
        ),
        "auditor": ("/log", "/reviews", f"/reviews/{review}"),
    }
    for role, paths in places.items():
        page = sign_in(surf(), embedded, server, role)
        for path in paths:
            page.goto(server + path)
            expect(page.locator("main")).to_contain_text("onerror=alert(1)")
            assert page.locator("main img, main script, main b").count() == 0


def test_each_role_finds_its_own_first_page(embedded: World, server: str, surf: Surf) -> None:
    embedded.lent()
    for role, title in (
        ("technician", "Good day, Tom"),
        ("coordinator", "Good day, Clara"),
        ("auditor", "Log"),
        ("administrator", "People"),
    ):
        page = sign_in(surf(), embedded, server, role)
        expect(page.locator("h1")).to_have_text(title)


def test_a_coordinator_ends_a_running_lease(embedded: World, server: str, surf: Surf) -> None:
    embedded.lent()
    page = sign_in(surf(), embedded, server, "coordinator")
    page.click("text=Leases")
    page.click("text=Tom Tanner")
    page.wait_for_url("**/leases/*")
    assert page.locator(".reveal").count() == 0, "a coordinator has no way to the secret"
    page.click("text=End this lease now")
    expect(page.locator(".lead")).to_contain_text("Nobody holds access now")
    assert embedded.ledger()[-1] == "lease.revoke ok"


def test_while_sealed_staff_are_told_in_words_and_the_form_goes_on(
    embedded: World, server: str, surf: Surf
) -> None:
    service = embedded.service()
    request = embedded.ask(service)
    embedded.seal()
    page = surf()
    page.goto(f"{server}/signin")
    expect(page.locator(".note")).to_contain_text("The vault is sealed at the moment")
    open_form(page, server, request.code)
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    page.fill("#password", LOGIN["password"])
    hand_over(page)
    assert re.search(r"VK-[A-Z2-7]{8}", page.content())
    embedded.unseal()
