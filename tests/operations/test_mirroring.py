"""A helpdesk tells of tickets: what comes of it here, in whatever order, and what does not."""

import itertools
from typing import Any

import pytest

from tests.telling import FROM, Teller
from tests.world import World
from vault.errors import Conflict, Invalid, NotFound, NotSignedIn, Sealed, TooMany, VaultError
from vault.ledger.entry import Entry, decode
from vault.model.views import ServiceView
from vault.operations import audit, helpdesks, mirroring, operator, services, staff, tickets, upkeep
from vault.values import Actor, to_datetime

TOM, CLARA = "tom@agency.example", "clara@agency.example"


@pytest.fixture
def teller(embedded: World) -> Teller:
    return Teller(embedded)


@pytest.fixture
def service(embedded: World, teller: Teller) -> ServiceView:
    return teller.connect(embedded.service())


def state_of(world: World) -> list[tuple[str, str, list[str]]]:
    """Every open ticket by its number, with who is on it."""
    shown = [
        world.read(tickets.ticket, world.actor("coordinator"), one.id)
        for one in world.read(tickets.tickets, world.actor("coordinator"))
        if one.state == "open"
    ]
    return sorted((one.number, one.service_id, sorted(who.mail for who in one.assigned)) for one in shown)


def entries(world: World, since: int = 0) -> list[Entry]:
    rows = world.sql("SELECT body FROM ledger_entry WHERE seq >= :since ORDER BY seq", since=since)
    return [decode(body.encode()) for (body,) in rows]


def told(world: World, since: int, teller: Teller) -> list[str]:
    """What the entries of a helpdesk are called, from there on."""
    return [f"{one.type} {one.outcome}" for one in entries(world, since) if one.actor == teller.id]


def counted(world: World) -> int:
    return sum(int(count) for (count,) in world.sql("SELECT count FROM refusal_count"))


def wants_a_yes(world: World, number: str, mail: str = TOM) -> bool:
    """Whether that person is on the ticket by a word that nobody else has confirmed."""
    for one in world.read(tickets.tickets, world.actor("coordinator")):
        shown = world.read(tickets.ticket, world.actor("coordinator"), one.id)
        for who in shown.assigned:
            if (shown.number, who.mail, shown.state) == (number, mail, "open"):
                return who.alone
    raise AssertionError(f"{mail} is not on {number}")


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


# -- services ----------------------------------------------------------------------------------------------------------


def registered(teller: Teller, **changed: Any) -> dict[str, Any]:
    ends = to_datetime(teller.world.clock.wall() + 20 * 86_400 * 1_000_000).isoformat()
    service = {"id": "C-7", "type": "installation", "title": "Shop of Berta", "ends_at": ends} | changed
    return {"service": service, "customer": {"name": "Berta Books", "mail": "berta@books.example"}}


@pytest.mark.promise("P5")
@pytest.mark.attack("DE07")
def test_a_helpdesk_registers_services_and_ends_them_but_destroys_nothing(world: World) -> None:
    teller = Teller(world)
    since = world.size()
    teller.tell("service.registered", teller.when(minutes=3), **registered(teller))
    teller.tell("service.registered", teller.when(minutes=2), **registered(teller, title="Once more"))
    coordinator = world.actor("coordinator")
    (service,) = world.read(services.services, coordinator)
    assert (service.title, service.customer.name) == ("Shop of Berta", "Berta Books")
    secret = world.give(service)
    teller.tell("ticket.assigned", ticket=teller.ticket("C-7"), assignee=TOM, by=CLARA)
    lease = world.lease(world.read(tickets.tickets, world.actor("technician"))[0], secret)
    teller.tell("service.ended", service={"id": "C-7"})
    with pytest.raises(VaultError):
        world.reveal(lease, secret)
    assert told(world, since, teller) == [
        "customer.add ok",
        "service.register ok",
        "helpdesk.told ok",
        "ticket.open ok",
        "ticket.assign ok",
        "service.end ok",
    ]
    world.clock.advance(days=6, hours=23)
    world.run(upkeep.sweep(world.vault))
    kept = world.read(services.service, coordinator := world.actor("coordinator"), service.id)
    assert kept.state == "ended"
    later = to_datetime(world.clock.wall() + 20 * 86_400 * 1_000_000)
    world.run(services.prolong(world.vault, coordinator, service.id, later, world.presence("coordinator")))
    assert world.read(services.service, coordinator, service.id).state == "open"
    teller.tell("service.ended", service={"id": "C-7"})
    world.clock.advance(days=7, hours=1)
    world.run(upkeep.sweep(world.vault))
    assert world.read(services.service, world.actor("coordinator"), service.id).state == "destroyed"
    mails = world.sql("SELECT count(*) FROM outbox WHERE template = 'staff.helpdesk-ends'")
    assert int(mails[0][0]) >= 1


def test_ended_before_registered_is_no_service_and_registered_anew_is_another_one(
    embedded: World, teller: Teller
) -> None:
    teller.tell("service.ended", teller.when(minutes=1), service={"id": "C-7"})
    teller.tell("service.registered", teller.when(minutes=9), **registered(teller))
    assert embedded.read(services.services, embedded.actor("coordinator")) == []
    teller.tell("service.registered", **registered(teller))
    (service,) = embedded.read(services.services, embedded.actor("coordinator"))
    embedded.end(service)
    embedded.clock.advance(minutes=1)
    with pytest.raises(Conflict, match="has ended here"):
        teller.tell("ticket.opened", ticket=teller.ticket("C-7"))
    teller.tell("service.registered", **registered(teller, title="Their second"))
    states = {one.title: one.state for one in embedded.read(services.services, embedded.actor("coordinator"))}
    assert states == {"Shop of Berta": "destroyed", "Their second": "open"}


def test_a_service_that_cannot_be_registered_is_refused_and_the_customer_is_not_added(
    embedded: World, teller: Teller
) -> None:
    since = embedded.size()
    for changed, refusal in (
        ({"type": "nothing of ours"}, NotFound),
        ({"ends_at": teller.when(days=1)}, Invalid),
        ({"ends_at": teller.when(days=-1000)}, Invalid),
        ({"title": "two\u202elines"}, Invalid),
    ):
        with pytest.raises(refusal):
            teller.tell("service.registered", **registered(teller, **changed))
    assert len(told(embedded, since, teller)) == 4
    embedded.customer("One of two", "berta@books.example")
    embedded.customer("The other", "berta@books.example")
    with pytest.raises(Conflict, match="two customers have this address"):
        teller.tell("service.registered", **registered(teller))
    assert embedded.read(services.services, embedded.actor("coordinator")) == []


# -- Zammad ------------------------------------------------------------------------------------------------------------


def person(mail: str) -> dict[str, Any]:
    return {"id": 5, "email": mail, "login": mail, "active": True}


def test_zammad_tells_how_a_ticket_is_and_what_changed_follows(embedded: World) -> None:
    embedded.hire("Mia Maurer", "technician", "mia@agency.example")
    zammad = Teller(embedded, "zammad")
    service = zammad.connect(embedded.service())
    since = embedded.size()

    def is_now(**changed: Any) -> None:
        embedded.clock.advance(seconds=20)
        now = zammad.when()
        said = {"id": 181, "number": "20181", "title": "Down", "state": "open", "updated_at": now}
        said |= {"valetkey_service": service.id, "updated_by": person(CLARA), "last_owner_update_at": now}
        zammad.send(zammad.snapshot(**(said | changed)))

    is_now(owner=person("-"))
    is_now(owner=person(TOM))
    assert state_of(embedded) == [("20181", service.id, [TOM])]
    assert not wants_a_yes(embedded, "20181")
    is_now(owner=person(TOM), title="Only another title")
    is_now(owner=person(TOM), state="pending reminder")
    is_now(owner=person("mia@agency.example"), updated_by=person("mia@agency.example"))
    assert state_of(embedded) == [("20181", service.id, ["mia@agency.example"])]
    assert wants_a_yes(embedded, "20181", "mia@agency.example")
    is_now(owner=person("mia@agency.example"))  # a coordinator changes something else
    assert wants_a_yes(embedded, "20181", "mia@agency.example")
    is_now(owner=person("mia@agency.example"), state="closed")
    is_now(owner=person("mia@agency.example"), state="open")
    assert told(embedded, since, zammad) == [
        "ticket.open ok",
        "ticket.assign ok",
        "ticket.unassign ok",
        "ticket.assign ok",
        "ticket.close ok",
        "ticket.open ok",
        "ticket.assign ok",
    ]


@pytest.mark.attack("AN17")
def test_an_old_snapshot_of_zammad_changes_nothing(embedded: World) -> None:
    zammad = Teller(embedded, "zammad")
    service = zammad.connect(embedded.service())
    said = {"id": 181, "number": "20181", "title": "Down", "state": "open", "valetkey_service": service.id}
    old = zammad.snapshot(**said, owner=person(TOM), updated_at=zammad.when())
    embedded.clock.advance(seconds=30)
    zammad.send(zammad.snapshot(**said | {"state": "closed"}, owner=person(TOM), updated_at=zammad.when()))
    size = embedded.size()
    zammad.send(old)
    assert (state_of(embedded), embedded.size()) == ([], size)
    embedded.clock.advance(minutes=5)
    with pytest.raises(NotSignedIn):
        zammad.send(old)
    with pytest.raises(Invalid):
        zammad.send(zammad.snapshot(id=1))
    assert embedded.ledger(size)[-1] == "helpdesk.told Invalid"


# -- the vault's own state ---------------------------------------------------------------------------------------------


@pytest.mark.promise("P1")
def test_a_sealed_vault_believes_nobody_and_says_so_to_everybody_alike(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    delivery = teller.signed(teller.said("ticket.opened", ticket=teller.ticket(service)))
    embedded.seal()
    size = embedded.size()
    for name in (teller.id, "hlp_" + "0" * 20):
        with pytest.raises(Sealed):
            embedded.run(mirroring.receive(embedded.vault, FROM, name, delivery.headers, delivery.body))
    assert embedded.size() == size
    embedded.unseal()
    teller.send(delivery)
    assert len(state_of(embedded)) == 1


@pytest.mark.promise("P9")
def test_the_secret_is_told_once_and_nowhere_in_clear(embedded: World, teller: Teller) -> None:
    (shown,) = embedded.read(helpdesks.all_helpdesks, Actor.host())
    assert shown.secret is None
    key = teller.secret.removeprefix("whsec_")
    kept = b"".join(path.read_bytes() for path in embedded.settings.data_dir.rglob("*") if path.is_file())
    assert teller.id.encode() in kept
    assert key.encode() not in kept


def test_a_new_secret_counts_at_once_and_the_one_before_for_a_day(
    embedded: World, teller: Teller, service: ServiceView
) -> None:
    former = teller.secret
    renewed = embedded.perform(helpdesks.renew, Actor.host(), teller.id)
    assert renewed.secret not in {None, former}
    teller.tell("ticket.opened", ticket=teller.ticket(service, "1", "T-1"))
    embedded.clock.advance(hours=25)
    with pytest.raises(NotSignedIn):
        teller.tell("ticket.opened", ticket=teller.ticket(service, "2", "T-2"))
    teller.secret = renewed.secret
    teller.tell("ticket.opened", ticket=teller.ticket(service, "2", "T-2"))
    lost = embedded.perform(helpdesks.renew, Actor.host(), teller.id, True)
    with pytest.raises(NotSignedIn):
        teller.tell("ticket.opened", ticket=teller.ticket(service, "3", "T-3"))
    teller.secret = lost.secret
    teller.tell("ticket.opened", ticket=teller.ticket(service, "3", "T-3"))
    assert [number for number, _, _ in state_of(embedded)] == ["T-1", "T-2", "T-3"]


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
@pytest.mark.parametrize(
    "bent",
    [
        "UPDATE helpdesk SET state = 'ended'",
        "UPDATE mirrored SET ours_id = 'svc_00000000000000000000' WHERE thing = 'service'",
        "UPDATE mirrored SET closed_at = 1 WHERE thing = 'ticket'",
        "UPDATE mirrored_person SET put_by = 'clara@agency.example'",
    ],
)
def test_what_a_helpdesk_told_is_not_believed_where_it_was_bent(
    embedded: World, teller: Teller, service: ServiceView, bent: str
) -> None:
    teller.tell("ticket.assigned", teller.when(minutes=2), ticket=teller.ticket(service), assignee=TOM)
    embedded.sql(bent)
    embedded.reopen()
    with pytest.raises(VaultError, match="does not match its newest entry"):
        teller.tell("ticket.assigned", ticket=teller.ticket(service), assignee=TOM)
    findings = embedded.run(operator.doctor(embedded.vault))
    assert any(one.level == "alarm" for one in findings)


@pytest.mark.attack("DO10")
def test_a_delivery_that_is_refused_again_and_again_grows_the_ledger_only_so_far(
    embedded: World, teller: Teller
) -> None:
    delivery = teller.signed(teller.said("ticket.opened", ticket=teller.ticket("not ours")))
    size = embedded.size()
    refused = []
    for _ in range(30):
        with pytest.raises(VaultError) as refusal:
            teller.send(delivery)
        refused.append(type(refusal.value))
    assert refused == [NotFound] * 20 + [TooMany] * 10
    assert embedded.size() - size <= 21


def test_a_helpdesk_is_made_and_ended_on_the_host_alone_and_administrators_hear_of_it(
    embedded: World, teller: Teller
) -> None:
    for who in ("administrator", "coordinator"):
        actor = embedded.actor(who)
        with pytest.raises(VaultError):
            embedded.run(helpdesks.add(embedded.vault, actor, "Mine", "standard"))
        with pytest.raises(VaultError):
            embedded.perform(helpdesks.renew, actor, teller.id)
        with pytest.raises(VaultError):
            embedded.perform(helpdesks.end, actor, teller.id)
    with pytest.raises(Conflict):
        Teller(embedded)
    with pytest.raises(Invalid, match="the kinds of helpdesk are"):
        Teller(embedded, "carrier pigeon", "Another")
    embedded.perform(helpdesks.end, Actor.host(), teller.id)
    mails = embedded.sql(
        "SELECT template, to_id FROM outbox WHERE template LIKE 'staff.helpdesk%' ORDER BY id"
    )
    ada = embedded.member("administrator").id
    assert mails == [("staff.helpdesk-added", ada), ("staff.helpdesk-ended", ada)]
