"""Customers, services and their end; tickets on them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.refusals import answer, refused
from tests.world import World
from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, Sealed, Tampered
from vault.ledger.note import open_note
from vault.operations.customers import customers
from vault.operations.house import destruction
from vault.operations.presence import Presence
from vault.operations.services import services, tickets
from vault.values import new_id, to_datetime

PROVED = "presence.prove ok"


def register(
    world: World, customer: str, kind: str = "installation", title: str = "A shop", **span: float
) -> Any:
    ends = to_datetime(world.clock.wall()) + timedelta(**(span or {"days": 30}))
    return services.register(world.vault, world.actor("coordinator"), customer, kind, title, ends)


@pytest.mark.promise("P4")
def test_a_service_has_an_end_from_the_start(world: World) -> None:
    acme = world.customer()
    assert world.read(customers.customers, world.actor("coordinator")) == [acme]
    since = world.size()
    service = world.run(register(world, acme.id, days=90, seconds=-1))
    assert world.ledger(since) == ["service.register ok"]
    assert (service.state, service.customer, service.secrets) == ("open", acme, ())
    for span in ({"days": 91}, {"days": 0}, {"days": -1}, {"days": 90, "seconds": 1}):
        with refused(world, Invalid, match="ends in the future, within 90 days"):
            world.run(register(world, acme.id, **span))
    naive = datetime(2030, 1, 1)  # noqa: DTZ001 (that is the fault)
    with refused(world, Invalid, match="with its zone"):
        coordinator = world.actor("coordinator")
        world.run(services.register(world.vault, coordinator, acme.id, "installation", "A shop", naive))
    for kind in ("", "removal", "\0", "\ud800", "installation ", "x" * 100_000):
        with refused(world, NotFound):
            world.run(register(world, acme.id, kind))
    with refused(world, NotFound):
        world.run(register(world, new_id("cus")))
    for title in ("", "  ", "x" * 121, "a\0b", "\ud800"):
        with refused(world, Invalid):
            world.run(register(world, acme.id, title=title))
    assert [one.id for one in world.read(services.services, world.actor("coordinator"))] == [service.id]


def test_a_customer_has_a_name_and_an_address(embedded: World) -> None:
    coordinator = embedded.actor("coordinator")
    for name, mail in (
        ("", "a@b.example"),
        ("A", "a"),
        ("A", "a@b@c.example"),
        ("A\0", "a@b.example"),
        ("A", "ä@b.example"),
    ):
        with refused(embedded, Invalid):
            embedded.run(customers.add(embedded.vault, coordinator, name, mail))
    view = embedded.run(
        customers.add(embedded.vault, coordinator, "  Zo\u0065\u0301   GmbH ", " Zoe@Shop.Example ")
    )
    assert (view.name, view.mail) == ("Zoé GmbH", "zoe@shop.example")
    auditor = embedded.actor("auditor")
    with refused(embedded, Denied):
        embedded.run(customers.add(embedded.vault, auditor, "A", "a@b.example"))


@pytest.mark.promise("P5", "P8")
@pytest.mark.attack("DE05", "DE07", "DE09")
def test_the_end_of_a_service_ends_everything_of_it_and_is_certified(world: World) -> None:
    service, secret, ticket, lease = world.lent()
    request = world.ask(service, "ssh-key")
    beside, kept, _, other = world.lent()
    world.reveal(lease, secret)
    coordinator = world.actor("coordinator")
    for confirm in ("", service.title.upper(), service.title + " ", beside.id, "\ud800", secret):
        code = world.code("coordinator")
        with refused(world, Invalid, PROVED, "service.end", match="exactly as it is written"):
            world.run(destruction.end(world.vault, coordinator, service.id, confirm, Presence(code=code)))
    with refused(world, Denied, "presence.prove", match="code is wrong"):
        world.run(destruction.end(world.vault, coordinator, service.id, service.title, Presence(code=code)))
    with refused(world, NotFound, match="no certificate yet"):
        world.read(destruction.certificate, coordinator, service.id)
    since = world.size()
    certificate = world.end(service)
    assert world.ledger(since) == [PROVED, "service.end ok", "service.destroy ok"]
    for table, state in (("service", "destroyed"), ("ticket", "closed"), ("lease", "ended")):
        where = {"service": service.id, "ticket": ticket.id, "lease": lease.id}[table]
        assert world.sql(f"SELECT state FROM {table} WHERE id = :id", id=where) == [(state,)]
    assert world.sql("SELECT state FROM request WHERE id = :id", id=request.id) == [("cancelled",)]
    assert world.sql("SELECT state, envelope, suite FROM secret WHERE id = :id", id=secret) == [
        ("purged", b"", "")
    ]
    said = json.loads(open_note(certificate.note, certificate.key))
    assert (said["service"], said["title"], said["customer"]) == (
        service.id,
        service.title,
        service.customer.name,
    )
    assert [(one["name"], one["reveals"]) for one in said["seen"]] == [("Tom Tanner", 1)]
    assert {one["secret"] for one in said["secrets"]} >= {secret}
    assert datetime.fromisoformat(said["destroyed"]).tzinfo == UTC
    assert said["keys"] == list(world.vault.keyring.tombstones(service.id))
    assert world.read(destruction.certificate, coordinator, service.id) == certificate
    with pytest.raises(Tampered):
        open_note(certificate.note.replace('"reveals":1', '"reveals":0'), certificate.key)
    code = world.code("coordinator")
    with refused(world, Conflict, PROVED, "service.end", match="ended already"):
        world.run(destruction.end(world.vault, coordinator, service.id, service.title, Presence(code=code)))
    with refused(world, Ended, "ticket.open"):
        world.perform(tickets.open_ticket, coordinator, service.id, "T-9", "More")
    assert world.reveal(other, kept), "another service is as it was"


@pytest.mark.promise("P5")
@pytest.mark.attack("AZ15")
def test_reveals_race_with_the_end_and_none_comes_after_it(world: World) -> None:
    from vault.operations.leases import checkout

    service, secret, _, lease = world.lent()
    technician, coordinator = world.actor("technician"), world.actor("coordinator")
    code, since = world.code("coordinator"), world.size()

    async def hammer() -> list[Any]:
        shown: list[Any] = []
        while True:
            try:
                shown.append(
                    await world.vault.perform(checkout.reveal, technician, lease.id, secret, "password")
                )
            except Ended as over:
                return [*shown, over]

    end_it = destruction.end(world.vault, coordinator, service.id, service.title, Presence(code=code))
    *shown, certificate = world.together(*(hammer() for _ in range(8)), end_it)
    told = world.ledger(since)
    end = told.index("service.end ok")
    before = [entry for entry in told[:end] if entry != PROVED]
    assert set(before) == {"secret.reveal ok"}
    assert "secret.reveal ok" not in told[end:]
    assert told.count("secret.reveal Ended") >= 1
    assert sum(len(one) - 1 for one in shown) <= len(before), "each that was shown has an earlier entry"
    assert certificate.service_id == service.id


def test_nothing_ends_while_nobody_could_sign_for_it(embedded: World) -> None:
    service, coordinator = embedded.service(), embedded.actor("coordinator")
    embedded.seal()
    assert (
        answer(
            embedded,
            destruction.end(embedded.vault, coordinator, service.id, service.title, Presence(code="000000")),
        )[0]
        is Sealed
    )
    embedded.unseal()
    assert embedded.sql("SELECT state FROM service") == [("open",)]


def test_a_ticket_is_read_by_who_is_on_it_with_everything_but_the_secret(embedded: World) -> None:
    service, secret, ticket, _ = embedded.lent()
    shown = embedded.read(tickets.ticket, embedded.actor("technician"), ticket.id)
    assert (shown.number, shown.service_title, shown.state) == ("T-1001", service.title, "open")
    assert [one.name for one in shown.assigned] == ["Tom Tanner"]
    (view,) = shown.secrets
    assert (view.id, view.state, view.version, view.sealed_by) == (secret, "checked", 1, "client")
    assert view.fields == ("host", "port", "username", "password", "host_key")
    coordinator = embedded.actor("coordinator")
    for number, title in (("", "Work"), ("x" * 41, "Work"), ("T-1", ""), ("T-1", "a\0"), ("\ud800", "Work")):
        with refused(embedded, Invalid, "ticket.open"):
            embedded.perform(tickets.open_ticket, coordinator, service.id, number, title)
    assert [one.id for one in embedded.read(tickets.tickets, coordinator)] == [ticket.id]


@pytest.mark.attack("AZ16")
def test_of_many_forms_that_are_sent_at_once_each_adds_and_registers_one(world: World) -> None:
    clara, ends = world.actor("coordinator"), to_datetime(world.clock.wall()) + timedelta(days=9)
    add = [customers.add(world.vault, clara, "Acme", "one@acme.example", once=True) for _ in range(5)]
    added = world.together(*add)
    assert [type(one) for one in added].count(Conflict) == 4
    (acme,) = [one for one in added if not isinstance(one, Conflict)]
    of = (world.vault, clara, acme.id, "installation", "The shop", ends)
    found = world.together(*(services.register(*of, once=True) for _ in range(5)))
    assert [type(one) for one in found].count(Conflict) == 4
    assert world.run(services.register(*of)).title == "The shop", "over the API as often as somebody wants"
