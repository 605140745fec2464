"""What no one person changes about a yes: what was asked for under a line keeps it, and a customer is not who asks."""

from datetime import timedelta
from typing import Any

import pytest

from tests.approvals import (
    BY_COORDINATOR,
    BY_CUSTOMER,
    REASON,
    WRONG,
    allowed,
    changed,
    customer_approves,
    customer_refuses,
    listed,
    owner,
    put,
    row_of,
    taking,
    waits,
)
from tests.operations.necessities import HOST
from tests.operations.visiting import come
from tests.refusals import refused
from tests.world import CATALOGUE, LOGIN, Member, World
from vault.errors import Conflict, Denied, Ended, Tampered
from vault.ledger.entry import decode
from vault.model.tables import Customer
from vault.model.views import LeaseView, TicketView
from vault.operations.customers import customers, mine, requests
from vault.operations.leases import checkout
from vault.operations.services import catalogue, services, tickets
from vault.policy.approval import MOST_ASKED_OF_ONE
from vault.storage.unit import Unit, operation
from vault.values import DAY, Actor, to_datetime

NEEDS = '[{ kind = "ssh-password", because = "to install the shop on your server" }]'
DROPPED = CATALOGUE.replace(NEEDS, "[]")
RETIRED = CATALOGUE.replace("service-types.installation", "service-types.moving")


def lent(world: World, toml: str) -> tuple[str, TicketView]:
    """A login that was given under that catalogue, and a ticket for it."""
    put(world, toml)
    service = world.service()
    return world.give(service), world.ticket(service)


def of_the(world: World, ticket: TicketView, secret: str) -> str:
    """Whose yes a lease takes now, by the lease and by what the technician's page says beforehand."""
    (shown,) = world.read(tickets.ticket, world.actor("technician"), ticket.id).secrets
    lease = world.lease(ticket, secret)
    assert lease.approver == shown.approval
    world.perform(checkout.check_in, world.actor("technician"), lease.id)
    return lease.approver


# -- a line that becomes easier ---------------------------------------------------------------------------------------


@pytest.mark.promise("P2", "P7")
@pytest.mark.attack("AZ11")
@pytest.mark.parametrize("easier", [DROPPED, RETIRED, CATALOGUE, BY_COORDINATOR])
def test_what_was_asked_for_under_the_customers_yes_keeps_it(world: World, easier: str) -> None:
    secret, ticket = lent(world, BY_CUSTOMER)
    put(world, easier)
    assert of_the(world, ticket, secret) == "customer"
    lease = world.lease(ticket, secret)
    with refused(world, Conflict, "secret.reveal", match="waits for another person's yes"):
        world.reveal(lease, secret)
    assert allowed(world, lease).state == "active"
    assert world.reveal(lease, secret) == LOGIN["password"]


@pytest.mark.promise("P2", "P7")
@pytest.mark.attack("AZ11")
def test_the_stricter_of_the_line_then_and_the_line_now_counts(world: World) -> None:
    secret, ticket = lent(world, BY_COORDINATOR)
    for toml, whose in ((CATALOGUE, "coordinator"), (BY_CUSTOMER, "customer"), (DROPPED, "coordinator")):
        put(world, toml)
        assert of_the(world, ticket, secret) == whose
    secret, ticket = lent(world, CATALOGUE)
    for toml, whose in ((BY_CUSTOMER, "customer"), (CATALOGUE, "")):
        put(world, toml)
        assert of_the(world, ticket, secret) == whose, "nobody's yes was promised when it was asked for"


@pytest.mark.promise("P2", "P7")
@pytest.mark.attack("AZ11")
def test_asking_again_makes_nothing_easier_that_is_still_there(world: World) -> None:
    """A technician has it asked again by calling it broken, and the old version opens until the next one is given."""
    secret, ticket = lent(world, BY_CUSTOMER)
    lease = world.lease(ticket, secret)
    allowed(world, lease)
    for easier in (CATALOGUE, DROPPED):
        put(world, easier)
        broken = "it does not let me in any more"
        if easier is CATALOGUE:
            tom = world.actor("technician")
            world.run(checkout.report_broken(world.vault, tom, lease.id, secret, broken))
        else:
            world.perform(mine.replace, owner(world, lease).actor, secret)
        assert of_the(world, ticket, secret) == "customer"
    put(world, CATALOGUE)
    again = world.perform(requests.ask, world.actor("coordinator"), ticket.service_id, None, "hand", None)
    browser, form = world.begin(again)
    assert world.hand_in(browser, world.sealed(form)).secret == secret
    assert of_the(world, ticket, secret) == "customer"


@pytest.mark.promise("P7")
def test_a_fresh_asking_takes_the_line_as_it_is_then(world: World) -> None:
    secret, ticket = lent(world, BY_CUSTOMER)
    visitor = come(world, world.sql("SELECT customer_id FROM service")[0][0])
    world.run(mine.withdraw(world.vault, visitor.actor, secret))
    put(world, BY_COORDINATOR)
    again = world.perform(requests.ask, world.actor("coordinator"), ticket.service_id, None, "hand", None)
    browser, form = world.begin(again)
    world.hand_in(browser, world.sealed(form))
    assert of_the(world, ticket, secret) == "coordinator"
    put(world, BY_CUSTOMER)
    world.perform(requests.ask, world.actor("coordinator"), ticket.service_id, None, "hand", None)
    put(world, CATALOGUE)
    assert of_the(world, ticket, secret) == "customer", "asked for under a stricter line meanwhile"


@pytest.mark.promise("P6", "P2")
@pytest.mark.attack("CR03", "AZ11")
def test_a_yes_that_is_taken_out_of_a_row_opens_nothing(world: World) -> None:
    secret, ticket = lent(world, BY_CUSTOMER)
    put(world, CATALOGUE)
    world.sql("UPDATE secret SET approver = ''")
    with pytest.raises(Tampered):
        world.lease(ticket, secret)


@pytest.mark.promise("P2", "P6")
@pytest.mark.attack("AZ11", "CR03")
@pytest.mark.parametrize("easier", [DROPPED, CATALOGUE])
def test_a_catalogue_that_is_made_easier_in_a_sealed_vault_takes_no_yes_of_what_was_asked_for(
    world: World, easier: str
) -> None:
    _, secret, lease = waits(world, "customer")
    world.seal()
    put(world, easier)
    world.unseal()
    ticket = world.read(tickets.ticket, world.actor("technician"), lease.ticket_id)
    assert of_the(world, ticket, secret) == "customer"
    with pytest.raises(Conflict):
        world.reveal(lease, secret)
    assert allowed(world, lease).state == "active"


@pytest.mark.promise("P7", "P8")
@pytest.mark.attack("AZ11")
def test_the_log_says_where_a_yes_becomes_easier_and_the_operator_what_keeps_it(embedded: World) -> None:
    def loosened(toml: str) -> tuple[list[str], str]:
        lines = put(embedded, toml)
        (body,) = embedded.sql("SELECT body FROM ledger_entry ORDER BY seq DESC LIMIT 1")[0]
        return lines, decode(body.encode()).ids.get("loosened", "")

    key = 'kind = "ssh-key", because'
    both = BY_CUSTOMER.replace(key, f'approval = "coordinator", {key}')
    assert loosened(both)[1] == "", "stricter is no news here"
    keeps, nobodys = "what customers were asked for before keeps taking", "nobody else's yes any more"
    assert loosened(DROPPED) == (
        [
            f"service type installation: asks for no ssh-password any more; {keeps} the customer's yes",
            f"service type installation: each lease of ssh-key takes {nobodys}; {keeps} a coordinator's yes",
        ],
        "installation:ssh-password,ssh-key",
    )
    put(embedded, both)
    assert loosened(taking("coordinator").replace(key, f'approval = "customer", {key}'))[1] == (
        "installation:ssh-password"
    )
    put(embedded, both)
    assert loosened(RETIRED) == (
        ["service type moving: new", "service type installation: retired"],
        "",
    ), "a retired type still governs what runs under it"
    since = embedded.size()
    embedded.run(catalogue.apply(embedded.vault, HOST, CATALOGUE, dry_run=True))
    assert embedded.size() == since


# -- a customer who may be whoever asks -------------------------------------------------------------------------------


def added_by(world: World, who: "str | Member") -> tuple[str, str, TicketView]:
    """A customer added by that person, with a login that takes the customer's yes, and a ticket for Tom."""
    put(world, BY_CUSTOMER)
    actor = world.actor(who)
    owner_of = world.run(customers.add(world.vault, actor, "Real Shop Ltd", "somebody@agency.example"))
    service = world.service(owner_of)
    return owner_of.id, world.give(service), world.ticket(service)


def asking(world: World, ticket: TicketView, secret: str, who: "str | Member" = "technician") -> Any:
    """Ask with a code that is wrong: a refusal that does not say so came before any code was looked at."""
    return checkout.lease(world.vault, world.actor(who), ticket.id, [secret], 30, REASON, WRONG)


@pytest.mark.promise("P2", "P7")
@pytest.mark.attack("AZ11")
def test_nobody_asks_for_the_yes_of_a_customer_whose_address_they_entered(world: World) -> None:
    bo, tom = world.hire("Bo Both", "technician coordinator"), world.member("technician")
    customer, secret, ticket = added_by(world, bo)
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, bo.id)
    assert world.sql("SELECT added_by FROM customer") == [(bo.id,)]
    world.actor(bo)
    since = world.size()
    with refused(
        world, Denied, "lease.start", match="address was entered by you, so their yes cannot be told"
    ):
        world.run(asking(world, ticket, secret, bo))
    assert world.ledger(since) == ["lease.start Denied"], "no proof was tried"
    assert allowed(world, world.lease(ticket, secret, who=tom)).state == "active"
    put(world, CATALOGUE)
    other = world.service()
    own = world.run(
        services.register(
            world.vault,
            world.actor(bo),
            customer,
            "installation",
            "Their other shop",
            to_datetime(world.clock.wall()) + timedelta(days=9),
        )
    )
    for one in (own, other):
        free, second = world.give(one), world.ticket(one, bo, "T-9")
        assert world.lease(second, free, who=bo).state == "active", "what takes nobody's yes is lent as ever"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_nor_does_a_second_account_of_theirs_within_a_week(world: World) -> None:
    carl, tom = world.hire("Carl Cole", "coordinator"), world.member("technician")
    _, secret, ticket = added_by(world, carl)
    now, ada = world.vault.now(), world.member("administrator").id
    world.actor(tom)
    for mine_is, theirs in (
        ({"made_by": carl.id, "created_at": now}, {"made_by": "host"}),
        ({"made_by": ada, "created_at": now}, {"made_by": ada, "created_at": now}),
        ({"made_by": "host"}, {"made_by": tom.id, "created_at": now}),
    ):
        world.perform(changed, HOST, tom.id, mine_is)
        world.perform(changed, HOST, carl.id, theirs)
        with refused(world, Denied, "lease.start", match="cannot be told from yours: within the last week"):
            world.run(asking(world, ticket, secret))
    world.perform(changed, HOST, carl.id, {"created_at": now - 7 * DAY})
    assert world.lease(ticket, secret).state == "asked"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_it_is_judged_again_with_the_customers_yes(world: World) -> None:
    _, secret, lease = waits(world, "customer")
    visitor, tom, clara = owner(world, lease), world.member("technician"), world.member("coordinator")
    world.perform(changed, HOST, tom.id, {"made_by": clara.id, "created_at": world.vault.now()})
    with refused(world, Denied, "lease.approve", match="so that your yes could be theirs"):
        world.run(customer_approves(world, visitor, lease))
    assert row_of(world, lease) == ("asked", "", "")
    assert [one.id for one in listed(world, visitor)] == [lease.id]
    world.run(customer_refuses(world, visitor, lease))
    with pytest.raises(Ended):
        world.reveal(lease, secret)


@operation("customer.correct")
def unsaid(unit: Unit, _actor: Actor, customer_id: str) -> None:
    found = unit.find(Customer, id=customer_id)
    assert found is not None
    unit.change(found, added_by="")


@pytest.mark.promise("P6", "P2")
@pytest.mark.attack("CR03", "AZ11")
def test_who_added_a_customer_is_not_rewritten_in_the_database(world: World) -> None:
    bo = world.hire("Bo Both", "technician coordinator")
    customer, secret, ticket = added_by(world, bo)
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, bo.id)
    world.sql("UPDATE customer SET added_by = ''")
    with pytest.raises(Tampered):
        world.lease(ticket, secret, who=bo)
    world.sql("UPDATE customer SET added_by = :bo", bo=bo.id)
    world.perform(unsaid, HOST, customer)
    assert world.lease(ticket, secret, who=bo).state == "asked", "of whom nobody knows it, it is nobody"


# -- asking all day ---------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_one_person_asks_one_customer_so_often_in_a_day_and_no_more(embedded: World) -> None:
    world = embedded
    service, secret, lease = waits(world, "customer")
    ticket = world.read(tickets.ticket, world.actor("technician"), lease.ticket_id)
    begun = world.clock.wall()

    def take_back(one: LeaseView) -> None:
        world.perform(checkout.check_in, world.actor("technician"), one.id)

    take_back(lease)
    for _ in range(MOST_ASKED_OF_ONE - 1):
        world.clock.advance(minutes=2)
        take_back(world.lease(ticket, secret))
    other = world.service(service.customer, "Their other shop")
    elsewhere, second = world.give(other), world.ticket(other, number="T-2")
    for one, what in ((ticket, secret), (second, elsewhere)):
        world.actor("technician")
        since = world.size()
        with refused(world, Denied, "lease.start", match="asked this customer for 20 check-outs"):
            world.run(asking(world, one, what))
        assert world.ledger(since) == ["lease.start Denied"]
    stranger = world.service(world.customer("Globex", "it@globex.example"))
    free, third = world.give(stranger), world.ticket(stranger, number="T-3")
    assert world.lease(third, free).state == "asked", "another customer has not been asked yet"
    tim = world.hire("Tim Tyler", "technician")
    assert world.lease(world.ticket(service, tim, "T-4"), secret, who=tim).state == "asked"
    world.clock.advance(microseconds=begun + DAY - world.clock.wall())
    assert world.lease(ticket, secret).state == "asked", "the first of them is a day old"
