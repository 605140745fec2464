"""The coordinator's day: the board, a search, handing over, many tickets at once; by keyboard, without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from tests.approvals import BY_COORDINATOR, put
from tests.browser.own_page import come_by_link
from tests.browser.people import POLYGLOT, Surf, sign_in
from tests.operations.necessities import HOST
from tests.telling import Teller
from tests.world import World
from vault.operations.customers import customers
from vault.operations.helpdesk import helpdesks
from vault.operations.leases import checkout
from vault.operations.services import tickets

pytestmark = [pytest.mark.browser]


def figures(page: Page) -> list[str]:
    return [text.split("\n")[0] for text in page.locator(".tally a").all_inner_texts()]


@pytest.mark.promise("P2")
def test_a_coordinator_sees_what_waits_and_ends_a_lease_from_the_board(
    embedded: World, server: str, surf: Surf
) -> None:
    service, secret, ticket, _lease = embedded.lent()
    put(embedded, BY_COORDINATOR)
    asked = embedded.lease(ticket, secret)
    page = sign_in(surf(), embedded, server, "coordinator")
    expect(page.locator(".lead")).to_contain_text("Tom Tanner waits for a yes or no")
    assert figures(page) == ["1", "0", "1", "0"]
    page.get_by_role("button", name="End it now").press("Enter")
    expect(page.locator(".tally li").nth(2)).to_contain_text("0")
    expect(page.locator("h1")).to_have_text("Good day, Clara")
    assert embedded.ledger()[-1] == "lease.revoke ok"
    page.get_by_role("link", name="Tom Tanner").click()
    page.wait_for_url(f"**/approvals/{asked.id}")
    page.goto(f"{server}/leases")
    page.get_by_role("button", name="Tom Tanner").press("Enter")
    expect(page.locator("main .rows li")).to_have_count(0)
    page.goto(f"{server}/services?stage=working")
    expect(page.locator(".rows")).to_contain_text(service.title)
    page.goto(f"{server}/services?stage=unasked")
    expect(page.locator(".rows")).to_contain_text("There is none")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_service_changes_hands_and_many_tickets_get_somebody_at_once(
    embedded: World, server: str, surf: Surf, scripts: bool
) -> None:
    service, _, first, lease = embedded.lent()
    rita = embedded.hire("Rita Reyes", "technician")
    clara = embedded.actor("coordinator")
    others = [
        embedded.perform(tickets.open_ticket, clara, service.id, f"T-{at}", f"Job {at}") for at in (7, 8, 9)
    ]
    page = sign_in(surf(java_script_enabled=scripts), embedded, server, "coordinator")
    assert figures(page)[0] == "3"
    page.goto(f"{server}/services/{service.id}")
    page.click("summary:text('Hand it over')")
    page.select_option("#from", label="Tom Tanner")
    page.select_option("#to", rita.id)
    page.click("button:text('Hand it over')")
    expect(page.locator("[role=status]")).to_contain_text("It is handed over")
    ended = embedded.read(checkout.lease_view, clara, lease.id)
    assert (ended.state, ended.ended_how) == ("ended", "unassigned")
    assert [one.name for one in embedded.read(tickets.ticket, clara, first.id).assigned] == ["Rita Reyes"]
    page.goto(f"{server}/tickets")
    page.click("text=three tickets have nobody on them")
    page.wait_for_url("**/tickets?people=nobody")
    expect(page.locator("#tickets li")).to_have_count(3)
    if scripts:
        page.get_by_role("button", name="Tick all 3").press("Enter")
        expect(page.locator("#tickets :checked")).to_have_count(3)
        page.uncheck(f"[value={others[2].id}]")
    else:
        expect(page.get_by_role("button", name="Tick all")).to_have_count(0)
        for one in others[:2]:
            page.check(f"[value={one.id}]")
    page.select_option("#person", rita.id)
    page.click("text=Put them on")
    expect(page.locator("[role=status]")).to_contain_text("have somebody on them now")
    staffed = [len(embedded.read(tickets.ticket, clara, one.id).assigned) for one in others]
    assert staffed == [1, 1, 0]
    page.click("text=Put them on")
    expect(page.locator("#summary")).to_contain_text("1 to 50 tickets", ignore_case=True)


@pytest.mark.promise("P2")
def test_a_coordinator_says_on_the_services_page_which_helpdesk_tells_of_it(
    embedded: World, server: str, surf: Surf
) -> None:
    service = embedded.service()
    page = sign_in(surf(java_script_enabled=False), embedded, server, "coordinator")
    page.goto(f"{server}/services/{service.id}")
    assert page.locator("#helpdesk").count() == 0, "there is none"
    office, other = Teller(embedded, name="The office"), Teller(embedded, "zammad", POLYGLOT)
    page.reload()
    page.get_by_role("button", name="Connect “The office”").press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("It is connected")
    expect(page.locator("#helpdesk + p")).to_contain_text(f"calls the service {service.id}")
    office.tell("ticket.opened", ticket=office.ticket(service))
    embedded.perform(helpdesks.end, HOST, office.id)
    page.reload()
    expect(page.locator("main")).to_contain_text("10081: The shop is down")
    expect(page.locator("#helpdesk + p")).to_contain_text("nothing that it says is believed any more")
    page.get_by_role("button", name="Disconnect it").press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("It is disconnected")
    page.locator(f"button[value={other.id}]").press("Enter")
    expect(page.locator("#helpdesk + p")).to_contain_text("onerror=alert(1)")
    assert embedded.ledger()[-1] == "service.connect ok"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ02")
def test_a_search_leads_to_what_it_finds_and_a_technician_to_nothing_of_others(
    embedded: World, server: str, surf: Surf
) -> None:
    service, *_ = embedded.lent()
    other = embedded.service(embedded.customer("Mill Street Books"), "Shop of Mill Street")
    embedded.ticket(other, embedded.hire("Rita Reyes", "technician"), "T-2")
    page = sign_in(surf(), embedded, server, "coordinator")
    page.click("text=Search")
    page.wait_for_url("**/search")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("MILL")
    page.keyboard.press("Enter")
    page.click("text=Shop of Mill Street")
    page.wait_for_url(f"**/services/{other.id}")
    tom = sign_in(surf(java_script_enabled=False), embedded, server, "technician")
    for term, found in (("mill", "Nothing that you may see"), ("acme", service.title), ("m", "Two letters")):
        tom.goto(f"{server}/search")
        tom.fill("#q", term)
        tom.click("main button")
        expect(tom.locator("main")).to_contain_text(found)
    tom.goto(f"{server}/search?q=%E2%80%AEabc")
    expect(tom.locator(".error")).to_contain_text("cannot be shown")


@pytest.mark.attack("IN09")
def test_what_others_wrote_is_text_on_the_board_in_a_search_and_in_the_picture(
    embedded: World, server: str, surf: Surf
) -> None:
    customer = embedded.customer(POLYGLOT)
    put(embedded, BY_COORDINATOR.replace('approval = "coordinator", ', ""))
    service = embedded.service(customer, POLYGLOT, days=5)
    secret = embedded.give(service)
    evil = embedded.hire(POLYGLOT, "technician", "evil@agency.example")
    ticket = embedded.ticket(service, evil, "T-<b>1")
    lease = embedded.lease(ticket, secret, who=evil)
    embedded.reveal(lease, secret, who=evil)
    embedded.perform(tickets.open_ticket, embedded.actor("coordinator"), service.id, "<b>2", POLYGLOT)
    put(embedded, BY_COORDINATOR)
    embedded.lease(ticket, secret, who=evil)
    embedded.ask(embedded.service(customer, POLYGLOT))
    page = sign_in(surf(), embedded, server, "coordinator")
    for path in (
        "/",
        "/services",
        f"/services/{service.id}",
        "/tickets",
        "/search?q=onerror",
        "/search?q=%22%27%3E%3Cimg",
    ):
        page.goto(server + path)
        expect(page.locator("main")).to_contain_text("onerror=alert(1)")
        assert page.locator("main img, main script, main b, svg script, svg a").count() == 0, path
    mine = come_by_link(surf(), embedded, customer.id)
    mine.goto(f"{server}/mine/services/{service.id}")
    expect(mine.locator("#exposure + .rows")).to_contain_text("onerror=alert(1)")


@pytest.mark.promise("P8")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Looked at it 2 times", "could have kept it")),
        ("de", ("2 Mal angesehen", "könnte es behalten haben")),
    ],
)
def test_coordinator_and_customer_read_who_could_have_kept_it(
    embedded: World, server: str, surf: Surf, language: str, said: tuple[str, str]
) -> None:
    clara = embedded.actor("coordinator")
    owner = embedded.run(customers.add(embedded.vault, clara, "Nordlicht", "shop@nord.example", language))
    service = embedded.service(owner)
    secret = embedded.give(service)
    lease = embedded.lease(embedded.ticket(service), secret)
    page = come_by_link(surf(), embedded, owner.id)
    page.goto(f"{server}/mine/services/{service.id}")
    expect(page.locator("h1")).to_have_text(service.title)
    assert page.locator("#exposure").count() == 0, "nobody has opened anything"
    for _ in range(2):
        embedded.reveal(lease, secret)
    page.reload()
    for words in ("Tom Tanner", *said):
        expect(page.locator("#exposure + .rows li")).to_contain_text(words)
    if language == "de":
        return
    house = sign_in(surf(), embedded, server, "coordinator")
    house.goto(f"{server}/services/{service.id}")
    expect(house.locator("#exposure ~ .rows").first).to_contain_text("Revealed to eyes 2 times")
    expect(house.locator(".life line.revealed")).to_have_count(2)
    house.click("text=The same in words")
    expect(house.locator("section table")).to_contain_text("revealed to eyes: Password")
