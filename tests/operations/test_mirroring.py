"""A helpdesk tells of tickets: what comes of it here, in whatever order, and what does not."""

import itertools

import pytest

from api.pages.happening import told as sentence
from tests.approvals import BY_CUSTOMER, put
from tests.operations.visiting import come
from tests.refusals import refused
from tests.telling import CLARA, FROM, TOM, Teller, counted, state_of, told, wants_a_yes
from tests.world import World
from vault.errors import Conflict, Denied, Invalid, NotFound, NotSignedIn, VaultError
from vault.languages import translation
from vault.model.views import ServiceView
from vault.operations.customers import happened
from vault.operations.helpdesk import helpdesks, mirroring
from vault.operations.house import audit
from vault.operations.people import staff
from vault.operations.services import services, tickets
from vault.values import Actor


@pytest.fixture
def teller(embedded: World) -> Teller:
    return Teller(embedded)


@pytest.fixture
def service(embedded: World, teller: Teller) -> ServiceView:
    return teller.connect(embedded.service())


# -- the usual day -----------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2", "P8")
def test_a_ticket_of_the_helpdesk_is_one_of_ours_and_its_end_ends_the_leases(world: World) -> None:
    teller = Teller(world)
    service = teller.connect(world.service())
    secret = world.give(service)
    since = world.size()
    teller.tell("ticket.opened", ticket=teller.ticket(service))
    teller.tell("ticket.assigned", ticket=teller.ticket(service), assignee=TOM, by=CLARA)
    assert state_of(world) == [("10081", service.id, [TOM])]
    ours = world.read(tickets.tickets, world.actor("technician"))[0]
    lease = world.lease(ours, secret)
    assert world.reveal(lease, secret).strip()
    teller.tell("ticket.closed", ticket=teller.ticket(service))
    assert state_of(world) == []
    with pytest.raises(VaultError):
        world.reveal(lease, secret)
    assert told(world, since, teller) == ["ticket.open ok", "ticket.assign ok", "ticket.close ok"]
    page = world.read(audit.entries, world.actor("auditor"), None, "ticket.assign")
    assert [one.actor_name for one in page.entries] == ["The helpdesk"]


def test_unassigned_in_the_helpdesk_is_off_here_whoever_put_them_on_it(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    teller.tell("ticket.opened", ticket=teller.ticket(service))
    ours = embedded.read(tickets.tickets, embedded.actor("coordinator"))[0]
    coordinator = embedded.actor("coordinator")
    embedded.perform(tickets.assign, coordinator, ours.id, embedded.member("technician").id)
    embedded.clock.advance(seconds=1)
    teller.tell("ticket.unassigned", ticket=teller.ticket(service), assignee=TOM)
    assert state_of(embedded) == [("10081", service.id, [])]


def test_an_assignment_of_the_helpdesk_ends_when_it_says(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    tomorrow = teller.when(days=-1)
    teller.tell("ticket.assigned", ticket=teller.ticket(service), assignee=TOM, by=CLARA, until=tomorrow)
    ours = embedded.read(tickets.tickets, embedded.actor("coordinator"))[0]
    shown = embedded.read(tickets.ticket, embedded.actor("coordinator"), ours.id)
    assert [one.until.isoformat() for one in shown.assigned if one.until] == [tomorrow]
    teller.tell(
        "ticket.assigned",
        ticket=teller.ticket(service, "82", "10082"),
        assignee=TOM,
        until=teller.when(days=1),
    )
    assert ("10082", service.id, []) in state_of(embedded)


def test_a_ticket_opened_again_is_another_one_here_with_who_was_put_on_it_since(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    teller.tell("ticket.assigned", teller.when(hours=5), ticket=teller.ticket(service), assignee=TOM)
    teller.tell("ticket.closed", teller.when(hours=4), ticket=teller.ticket(service))
    teller.tell("ticket.opened", teller.when(hours=2), ticket=teller.ticket(service))
    assert state_of(embedded) == [("10081", service.id, [])]
    teller.tell("ticket.closed", teller.when(hours=1.5), ticket=teller.ticket(service))
    teller.tell("ticket.assigned", teller.when(hours=1), ticket=teller.ticket(service), assignee=TOM)
    assert state_of(embedded) == []  # somebody was put on a closed ticket
    teller.tell("ticket.opened", ticket=teller.ticket(service))
    assert state_of(embedded) == [("10081", service.id, [TOM])]
    assert len(embedded.read(tickets.tickets, embedded.actor("coordinator"))) == 3


# -- once, and in any order --------------------------------------------------------------------------------------------


def test_the_same_delivery_again_changes_nothing_and_leaves_no_entry(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    body = teller.said("ticket.opened", ticket=teller.ticket(service))
    delivery = teller.signed(body, "msg_one")
    teller.send(delivery)
    size = embedded.size()
    teller.send(delivery)
    embedded.clock.advance(minutes=10)
    teller.send(teller.signed(body, "msg_one"))  # tried again later, with a fresh time
    teller.send(
        teller.signed(teller.said("ticket.opened", teller.when(hours=1), ticket=teller.ticket(service)))
    )
    assert embedded.size() == size
    assert len(state_of(embedded)) == 1


def test_an_id_with_another_body_is_refused(embedded: World, teller: Teller, service: ServiceView) -> None:
    teller.send(teller.signed(teller.said("ticket.opened", ticket=teller.ticket(service)), "msg_one"))
    since = embedded.size()
    other = teller.said("ticket.closed", ticket=teller.ticket(service))
    with pytest.raises(Conflict, match="id was that of another"):
        teller.send(teller.signed(other, "msg_one"))
    assert told(embedded, since, teller) == ["helpdesk.told Conflict"]
    assert len(state_of(embedded)) == 1


@pytest.mark.attack("AN17")
def test_a_delivery_from_another_time_is_nobodys(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    body = teller.said("ticket.opened", ticket=teller.ticket(service))
    kept = teller.signed(body)
    embedded.clock.advance(minutes=5, seconds=1)
    size = embedded.size()
    late = embedded.clock.wall() // 1_000_000 + 301
    for delivery in (kept, teller.signed(body, seconds=late), teller.signed(body, seconds=1)):
        with pytest.raises(NotSignedIn, match="no helpdesk has signed this"):
            teller.send(delivery)
    assert (embedded.size(), counted(embedded)) == (size, 3)
    teller.send(teller.signed(body))


def test_what_happened_long_ago_or_not_yet_is_refused(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    for when in (teller.when(days=31), teller.when(minutes=-6)):
        with pytest.raises(Invalid):
            teller.tell("ticket.opened", when, ticket=teller.ticket(service))
    assert state_of(embedded) == []


DAY_OF_A_TICKET = (
    ("ticket.opened", 90, ""),
    ("ticket.assigned", 80, TOM),
    ("ticket.unassigned", 70, TOM),
    ("ticket.assigned", 60, "mia@agency.example"),
    ("ticket.assigned", 50, TOM),
    ("ticket.closed", 40, ""),
)
AFTERWARDS = (("ticket.opened", 30, ""), ("ticket.assigned", 20, TOM))


@pytest.mark.attack("AZ07")
def test_whatever_the_order_the_outcome_is_the_same(embedded: World, teller: Teller) -> None:
    """Every order of a ticket's first four words, and a dozen of all eight of its day."""
    embedded.hire("Mia Maurer", "technician", "mia@agency.example")
    service = teller.connect(embedded.service())
    orders = [(order, ["mia@agency.example"]) for order in itertools.permutations(DAY_OF_A_TICKET[:4])]
    every = itertools.permutations(DAY_OF_A_TICKET + AFTERWARDS)
    orders += [(order, [TOM]) for order in itertools.islice(every, 0, None, 3373)]
    expected = []
    for at, (order, on) in enumerate(orders):
        number = f"T-{at}"
        told_of = teller.ticket(service, reference=str(at), number=number)
        for kind, minutes, mail in order:
            who = {"assignee": mail, "by": CLARA} if mail else {}
            teller.tell(kind, teller.when(minutes=minutes), ticket=told_of, **who)
        expected.append((number, service.id, on))
    assert state_of(embedded) == sorted(expected)


def test_closed_before_opened_stays_closed_and_off_before_on_stays_off(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    one, other = teller.ticket(service, "1", "T-1"), teller.ticket(service, "2", "T-2")
    teller.tell("ticket.closed", teller.when(minutes=1), ticket=one)
    teller.tell("ticket.unassigned", teller.when(minutes=1), ticket=other, assignee=TOM)
    teller.tell("ticket.opened", teller.when(minutes=9), ticket=one)
    teller.tell("ticket.assigned", teller.when(minutes=8), ticket=one, assignee=TOM)
    teller.tell("ticket.assigned", teller.when(minutes=8), ticket=other, assignee=TOM)
    assert state_of(embedded) == [("T-2", service.id, [])]
    both = ("ticket.unassigned", "ticket.assigned")
    for kinds, minutes in ((both, 0.5), (both[::-1], 0.25)):  # of one moment, what takes away counts
        same = teller.when(minutes=minutes)
        for kind in kinds:
            teller.tell(kind, same, ticket=other, assignee=TOM)
        assert state_of(embedded) == [("T-2", service.id, [])]


@pytest.mark.attack("AN03", "AZ16")
def test_two_deliveries_at_once_open_one_ticket(world: World) -> None:
    teller = Teller(world)
    service = teller.connect(world.service())
    since = world.size()
    sent = [
        teller.signed(teller.said("ticket.assigned", ticket=teller.ticket(service), assignee=TOM))
        for _ in range(4)
    ]
    sent += [sent[0]] * 4
    answers = world.together(
        *(mirroring.receive(world.vault, FROM, teller.id, one.headers, one.body) for one in sent)
    )
    assert answers == [None] * 8
    assert state_of(world) == [("10081", service.id, [TOM])]
    done = [one for one in told(world, since, teller) if one.endswith(" ok")]
    assert [done.count(f"ticket.{deed} ok") for deed in ("open", "assign")] == [1, 1]


# -- who may say what --------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
@pytest.mark.attack("AN11", "AZ02")
def test_unknown_ended_and_unsigned_look_alike_and_are_counted(embedded: World, teller: Teller) -> None:
    body = teller.said("ticket.opened", ticket=teller.ticket("svc_" + "0" * 20))
    good = teller.signed(body)
    bent = teller.signed(body)
    bent.headers["webhook-signature"] = ["v1," + "A" * 43 + "="]
    other = Teller(embedded, name="Another one")
    embedded.perform(helpdesks.end, Actor.host(), other.id)
    said = set()
    size = embedded.size()
    for name, delivery in (
        (teller.id, bent),
        (other.id, other.signed(body)),
        (other.id, good),
        ("hlp_" + "0" * 20, good),
        ("../services", good),
    ):
        with pytest.raises(NotSignedIn) as refused:
            embedded.run(mirroring.receive(embedded.vault, FROM, name, delivery.headers, delivery.body))
        said.add((str(refused.value), refused.value.hint))
    assert len(said) == 1
    assert (embedded.size(), counted(embedded)) == (size, 5)


@pytest.mark.attack("AZ02")
def test_one_helpdesk_tells_of_no_service_and_no_ticket_of_another(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    teller.tell("ticket.opened", ticket=teller.ticket(service))
    other = Teller(embedded, name="Another one")
    unconnected = embedded.service(title="Nobody tells of it")
    since = embedded.size()
    for kind, data in (
        ("ticket.opened", {"ticket": other.ticket(service)}),
        ("ticket.closed", {"ticket": other.ticket(service)}),
        ("ticket.unassigned", {"ticket": other.ticket(service), "assignee": TOM}),
        ("ticket.assigned", {"ticket": other.ticket(unconnected, "9"), "assignee": TOM}),
    ):
        with pytest.raises(NotFound, match="tells of no such service"):
            other.tell(kind, **data)
    assert set(told(embedded, since, other)) == {"helpdesk.told NotFound"}
    assert state_of(embedded) == [("10081", service.id, [])]
    coordinator = embedded.actor("coordinator")
    with pytest.raises(Conflict, match="a helpdesk tells of this service already"):
        embedded.perform(helpdesks.connect, coordinator, service.id, other.id)
    other.connect(unconnected)
    other.tell("ticket.closed", ticket=other.ticket(unconnected))  # of the same name, and another ticket
    assert state_of(embedded) == [("10081", service.id, [])]
    with pytest.raises(NotFound):
        teller.tell("ticket.assigned", ticket=teller.ticket(unconnected), assignee=TOM)


@pytest.mark.attack("AZ06")
def test_a_service_that_is_disconnected_is_told_of_no_more(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    coordinator = embedded.actor("coordinator")
    embedded.perform(helpdesks.disconnect, coordinator, service.id)
    with pytest.raises(NotFound):
        teller.tell("ticket.opened", ticket=teller.ticket(service))
    with pytest.raises(NotFound):
        embedded.perform(helpdesks.disconnect, coordinator, service.id)
    teller.connect(service)
    teller.tell("ticket.opened", ticket=teller.ticket(service))
    second = teller.connect(embedded.service(title="A second shop"))
    with pytest.raises(Conflict, match="belongs to another service"):
        teller.tell("ticket.assigned", ticket=teller.ticket(second), assignee=TOM)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_who_has_a_helpdesk_tell_of_the_customer_and_of_themselves_says_no_yes_in_its_name(
    embedded: World, teller: Teller
) -> None:
    """The customer's address is a mailbox of the technician's, and nobody else has put them on the ticket."""
    put(embedded, BY_CUSTOMER)
    mine = {"name": "Acme", "mail": "tom@private.example"}
    shop = {"id": "crm-1", "type": "installation", "title": "Shop", "ends_at": teller.when(days=-40)}
    teller.tell("service.registered", service=shop, customer=mine)
    coordinator = embedded.actor("coordinator")
    (told_of,) = embedded.read(services.services, coordinator)
    secret = embedded.give(embedded.read(services.service, coordinator, told_of.id))
    for put_by in (TOM, CLARA):
        embedded.clock.advance(seconds=2)
        teller.tell("ticket.assigned", ticket=teller.ticket("crm-1"), assignee=TOM, by=put_by)
        (ticket,) = embedded.read(tickets.tickets, embedded.actor("technician"))
        with refused(embedded, Denied, "lease.start", match="cannot be told from yours"):
            embedded.lease(ticket, secret)
        if put_by == TOM:
            embedded.clock.advance(seconds=2)
            teller.tell("ticket.unassigned", ticket=teller.ticket("crm-1"), assignee=TOM)
    embedded.perform(tickets.assign, coordinator, ticket.id, embedded.member("technician").id)
    assert embedded.lease(ticket, secret).approver == "customer"
    embedded.clock.advance(seconds=2)
    teller.tell(
        "ticket.assigned", ticket=teller.ticket("crm-1"), assignee=TOM, by=CLARA, until=teller.when(days=-1)
    )
    (one,) = embedded.read(tickets.ticket, coordinator, ticket.id).assigned
    assert one.until is None, "a helpdesk makes nothing of what a coordinator has decided"


@pytest.mark.attack("AZ06")
def test_a_helpdesk_that_is_disconnected_neither_closes_nor_takes_anybody_off(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    teller.tell("ticket.opened", ticket=teller.ticket(service))
    coordinator = embedded.actor("coordinator")
    (ours,) = embedded.read(tickets.tickets, coordinator)
    embedded.perform(tickets.assign, coordinator, ours.id, embedded.member("technician").id)
    embedded.perform(helpdesks.disconnect, coordinator, service.id)
    before = state_of(embedded)
    assert TOM in str(before)
    embedded.clock.advance(seconds=2)
    teller.tell("ticket.unassigned", ticket=teller.ticket(service), assignee=TOM)
    teller.tell("ticket.closed", ticket=teller.ticket(service))
    assert state_of(embedded) == before


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06", "AZ11")
def test_who_puts_themselves_on_a_ticket_in_the_helpdesk_needs_a_coordinators_yes(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    """Also whom somebody put there who may not say yes to it: a colleague, a stranger, an administrator, nobody."""
    colleague = embedded.hire("Mia Maurer", "technician", "mia@agency.example")
    boss = embedded.hire("Bo Bauer", "technician coordinator", "bo@agency.example")
    embedded.actor(boss)
    by = [TOM, TOM.upper(), colleague.view.mail, "stranger@elsewhere.example", "ada@agency.example", None]
    for at, one in enumerate(by):
        who = {} if one is None else {"by": one}
        number = f"T-{at}"
        teller.tell("ticket.assigned", ticket=teller.ticket(service, number, number), assignee=TOM, **who)
        assert wants_a_yes(embedded, number), one
    teller.tell("ticket.assigned", ticket=teller.ticket(service, "c", "T-c"), assignee=TOM, by=CLARA)
    assert not wants_a_yes(embedded, "T-c")
    teller.tell(
        "ticket.assigned",
        ticket=teller.ticket(service, "b", "T-b"),
        assignee=boss.view.mail,
        by=boss.view.mail,
    )
    assert wants_a_yes(embedded, "T-b", boss.view.mail)
    later = teller.when(seconds=-1)
    teller.tell("ticket.assigned", later, ticket=teller.ticket(service, "T-0", "T-0"), assignee=TOM, by=CLARA)
    assert wants_a_yes(embedded, "T-0"), "told again by another name"


@pytest.mark.promise("P2", "P8")
@pytest.mark.attack("AZ11")
def test_a_lease_of_who_is_alone_waits_for_a_coordinator_and_the_customer_reads_who_put_them_there(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    secret = embedded.give(service)
    teller.tell("ticket.assigned", ticket=teller.ticket(service), assignee=TOM, by=TOM)
    ours = embedded.read(tickets.tickets, embedded.actor("technician"))[0]
    lease = embedded.lease(ours, secret)
    assert (lease.state, lease.approver, lease.approver_why) == ("asked", "coordinator", "alone")
    visitor = come(embedded, service.customer.id)
    read = embedded.read(happened.happened, visitor.actor, service.id).happened
    assert [(one.type, one.by, one.whom) for one in read if one.by == "helpdesk"] == [
        ("ticket.assign", "helpdesk", "Tom Tanner"),
        ("ticket.open", "helpdesk", ""),
    ]
    said = [sentence(one, translation("de"), "Green Lane Web") for one in read if one.by == "helpdesk"]
    assert all("Das Ticketsystem von Green Lane Web" in one for one in said)


@pytest.mark.attack("AZ06", "AZ22")
def test_only_technicians_of_ours_are_put_on_tickets_and_coordinators_hear_of_others_once_a_day(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    gone = embedded.hire("Gil Gone", "technician", "gil@agency.example")
    embedded.perform(staff.disable, embedded.actor("administrator"), gone.id)
    since = embedded.size()
    strangers = [CLARA, "ada@agency.example", "axel@agency.example", gone.view.mail, "who@elsewhere.example"]
    for at, mail in enumerate(strangers):
        told_of = teller.ticket(service, str(at), f"T-{at}")
        teller.tell("ticket.assigned", ticket=told_of, assignee=mail, by=CLARA)
    assert [who for _, _, who in state_of(embedded)] == [[]] * 5
    assert told(embedded, since, teller) == ["ticket.open ok", "helpdesk.told ok"] * 5
    page = embedded.read(audit.entries, embedded.actor("auditor"), None, "helpdesk.told")
    assert [one.facts["mail"] for one in reversed(page.entries)] == strangers
    waiting = embedded.sql("SELECT to_id FROM outbox WHERE template = 'staff.helpdesk-unknown'")
    assert waiting == [(embedded.member("coordinator").id,)]


@pytest.mark.attack("AZ14")
def test_a_late_word_puts_nobody_back_whom_a_coordinator_took_off(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    teller.tell("ticket.opened", teller.when(hours=1), ticket=teller.ticket(service))
    coordinator, tom = embedded.actor("coordinator"), embedded.member("technician").id
    ours = embedded.read(tickets.tickets, coordinator)[0]
    embedded.perform(tickets.assign, coordinator, ours.id, tom)
    embedded.perform(tickets.unassign, coordinator, ours.id, tom)
    teller.tell("ticket.assigned", teller.when(minutes=30), ticket=teller.ticket(service), assignee=TOM)
    teller.tell("ticket.assigned", teller.when(minutes=20), ticket=teller.ticket(service), assignee=TOM)
    assert state_of(embedded) == [("10081", service.id, [])]
    embedded.clock.advance(minutes=1)
    teller.tell("ticket.unassigned", teller.when(seconds=2), ticket=teller.ticket(service), assignee=TOM)
    teller.tell("ticket.assigned", ticket=teller.ticket(service), assignee=TOM)
    assert state_of(embedded) == [("10081", service.id, [TOM])]


def test_a_ticket_that_a_coordinator_closed_here_is_not_opened_by_what_the_helpdesk_repeats(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    teller.tell("ticket.opened", teller.when(minutes=5), ticket=teller.ticket(service))
    coordinator = embedded.actor("coordinator")
    embedded.perform(tickets.close, coordinator, embedded.read(tickets.tickets, coordinator)[0].id)
    teller.tell("ticket.opened", ticket=teller.ticket(service))
    teller.tell("ticket.assigned", ticket=teller.ticket(service), assignee=TOM)
    assert state_of(embedded) == []
