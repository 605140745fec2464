"""The desk attacked from inside: by who is let in and goes a step further than anybody meant, and by patience."""

import contextlib
import sqlite3

import httpx2
import pytest

from api.depends import BY_ITSELF
from tests.approvals import BY_CUSTOMER, WRONG, allowed, approved, put
from tests.logins import GOOD
from tests.operations.desks import leased, planned
from tests.operations.glasses import MINUTES, broken, closing, nobody_answers, seen_of
from tests.operations.necessities import ADA, WITH_REGISTRAR, approve
from tests.operations.test_host_keys import fresh
from tests.refusals import refused
from tests.world import LOGIN, World
from vault.errors import Conflict, Tampered
from vault.ledger.entry import LONGEST_ENTRY
from vault.operations.leases import checkout, exposure, host_keys
from vault.operations.services import handover, necessity, services, tickets
from vault.policy import approval
from vault.values import HOUR


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07")
def test_nobody_inherits_a_ticket_that_the_other_was_not_on_any_more(world: World) -> None:
    service, clara = world.service(), world.actor("coordinator")
    still, over = world.ticket(service), world.ticket(service, number="T-2")
    tom, tim = world.member("technician"), world.hire("Tim Tyler", "technician")
    world.perform(tickets.assign, clara, over.id, tom.id, world.clock.wall() + HOUR)
    world.clock.advance(hours=1)
    clara = world.actor("coordinator")
    assert world.perform(handover.hand_over, clara, service.id, tom.id, tim.id) == 1
    assert [one.id for one in world.read(tickets.tickets, world.actor(tim))] == [still.id]


@pytest.mark.promise("P4")
@pytest.mark.attack("AN16")
def test_a_page_that_asks_by_itself_keeps_no_session_awake(embedded: World) -> None:
    token = embedded.sign_in("technician")
    with embedded.served() as address, httpx2.Client(base_url=address) as client:

        def looked(**headers: str) -> int:
            answer = client.get("/api/v1/session", headers={"Authorization": f"Bearer {token}", **headers})
            return answer.status_code

        for _ in range(2):
            embedded.clock.advance(minutes=7)
            assert looked(**{BY_ITSELF: "yes"}) == 200
        embedded.clock.advance(minutes=1)
        assert looked(**{BY_ITSELF: "yes"}) == 401
        token = embedded.sign_in("technician")
        for _ in range(3):
            embedded.clock.advance(minutes=7)
            assert looked() == 200


@pytest.mark.promise("P4")
@pytest.mark.attack("AZ14")
def test_nobody_plans_so_much_that_no_entry_could_end_it(
    embedded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = embedded.service()
    secret, ticket = embedded.give(service), embedded.ticket(service)
    most = approval.MOST_HELD + approval.MOST_ASKED
    assert 20 * most * len('["lease:lse_00000000000000000000","' + 64 * "0" + '"],') < LONGEST_ENTRY
    monkeypatch.setattr(approval, "MOST_HELD", 3)
    held = [planned(embedded, ticket, secret, hours=ahead) for ahead in range(1, 4)]
    asked = leased(embedded, ticket, secret)
    with refused(embedded, Conflict, "lease.start", match="3 of your check-outs run or are planned"):
        embedded.run(asked)
    embedded.perform(checkout.check_in, embedded.actor("technician"), held[0].id)
    assert embedded.lease(ticket, secret).state == "active"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
@pytest.mark.parametrize("ahead", [0, 2], ids=["begun before", "planned before"])
def test_what_is_given_for_a_yes_opens_under_no_lease_from_before_without_it(
    embedded: World, ahead: int
) -> None:
    service = embedded.service(days=60)
    secret, ticket = embedded.give(service), embedded.ticket(service)
    lease = planned(embedded, ticket, secret, days=ahead) if ahead else embedded.lease(ticket, secret)
    put(embedded, BY_CUSTOMER)
    if not ahead:
        assert embedded.reveal(lease, secret) == LOGIN["password"], "what was given before opens to the end"
    browser, form = embedded.begin(embedded.ask(service))
    embedded.hand_in(browser, embedded.sealed(form, {**LOGIN, "password": "each time with my yes"}))
    embedded.clock.advance(days=ahead, minutes=1)
    tom = embedded.actor("technician")
    for deed, more in ((checkout.reveal, "password"), (checkout.use, "password"), (host_keys.meet, fresh())):
        with refused(embedded, Conflict, deed.entry_type, match="another person's yes is taken for it"):
            embedded.perform(deed, tom, lease.id, secret, more)
    yes = embedded.lease(ticket, secret)
    assert embedded.reveal(allowed(embedded, yes), secret) == "each time with my yes"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_nobody_is_absolved_of_what_the_reviewer_has_not_seen(world: World) -> None:
    _, secret, _, lease = nobody_answers(world)
    begun = broken(world, lease)
    seen = seen_of(world, begun.review_id)
    assert world.reveal(begun, secret) == LOGIN["password"]
    world.clock.advance(minutes=MINUTES)
    world.actor("auditor")
    with refused(world, Conflict, "review.close", match="more was opened than you have seen"):
        world.run(closing(world, begun, seen=seen, given=WRONG))
    assert world.run(closing(world, begun, seen=seen + 1)).verdict == "justified"


@pytest.mark.promise("P8")
@pytest.mark.attack("AU01")
def test_what_was_opened_is_told_though_its_row_is_gone(embedded: World) -> None:
    service, secret, _, lease = embedded.lent()
    embedded.reveal(lease, secret)
    before = embedded.read(exposure.exposure, embedded.actor("coordinator"), service.id)
    embedded.sql("DELETE FROM secret WHERE id = :id", id=secret)
    (told,) = embedded.read(exposure.exposure, embedded.actor("coordinator"), service.id)
    assert told == before[0].model_copy(
        update={"seen": (before[0].seen[0].model_copy(update={"present": False}),)}
    )


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ12")
def test_an_easier_yes_to_what_is_extraordinary_counts_while_its_line_is_approved(embedded: World) -> None:
    put(
        embedded,
        WITH_REGISTRAR.replace('kind = "registrar",', 'kind = "registrar", approval = "coordinator",'),
    )
    approve(embedded)
    service = embedded.service()
    secret = embedded.give(service, GOOD["registrar"], "registrar")
    lease = approved(embedded, embedded.lease(embedded.ticket(service), secret))
    assert embedded.reveal(lease, secret, "domain") == GOOD["registrar"]["domain"]
    embedded.perform(necessity.revoke, embedded.actor(ADA), "installation", "registrar")
    with refused(embedded, Conflict, "secret.reveal", match="another person's yes is taken for it"):
        embedded.reveal(lease, secret, "domain")


@pytest.mark.promise("P6")
@pytest.mark.attack("AU01")
def test_a_row_that_was_taken_out_is_said_and_breaks_nothing_else(embedded: World) -> None:
    service = embedded.service()
    ticket, clara = embedded.ticket(service), embedded.actor("coordinator")
    with contextlib.closing(
        sqlite3.connect(embedded.settings.data_dir / "vault.db")
    ) as thief:  # minds no foreign keys
        thief.execute("DELETE FROM customer WHERE id = ?", [service.customer.id])
        thief.commit()
    assert [one.customer_name for one in embedded.read(tickets.tickets, clara)] == [""]
    assert embedded.read(tickets.ticket, clara, ticket.id).number == ticket.number
    for look, what in ((services.services, ()), (services.service, (service.id,))):
        with pytest.raises(Tampered, match="the customer of a service is not there any more"):
            embedded.read(look, clara, *what)
