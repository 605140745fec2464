"""Helpdesks: the services that they register and end, Zammad's way, their secret, and the vault they tell."""

from typing import Any

import pytest

from tests.telling import CLARA, FROM, TOM, Teller, state_of, told, wants_a_yes
from tests.world import World
from vault.errors import Conflict, Invalid, NotFound, NotSignedIn, Sealed, TooMany, VaultError
from vault.model.views import ServiceView
from vault.operations.helpdesk import helpdesks, mirroring
from vault.operations.house import operator, upkeep
from vault.operations.services import services, tickets
from vault.policy.attempts import LIMITS
from vault.values import Actor, to_datetime


@pytest.fixture
def teller(embedded: World) -> Teller:
    return Teller(embedded)


@pytest.fixture
def service(embedded: World, teller: Teller) -> ServiceView:
    return teller.connect(embedded.service())


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


@pytest.mark.attack("DO10")
def test_who_holds_its_secret_neither_floods_the_ledger_nor_writes_to_strangers_without_end(
    embedded: World, teller: Teller, service: ServiceView, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sort, number in (("helpdesk", 5), ("registering", 2)):
        monkeypatch.setitem(LIMITS, sort, number)

    def register(number: int) -> None:
        said = registered(teller, id=f"C-{number}")
        said["customer"]["mail"] = f"stranger-{number}@example.org"
        teller.tell("service.registered", **said)

    for number in range(2):
        register(number)
    with pytest.raises(TooMany):
        register(3)
    assert embedded.sql("SELECT count(*) FROM customer WHERE mail LIKE 'stranger%'") == [(2,)]
    for number in ("1", "2"):
        teller.tell("ticket.opened", ticket=teller.ticket(service, number, number))
    with pytest.raises(TooMany):
        teller.tell("ticket.opened", ticket=teller.ticket(service, "3", "3"))
    embedded.clock.advance(minutes=15)
    teller.tell("ticket.opened", ticket=teller.ticket(service, "3", "3"))
    register(4)


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
