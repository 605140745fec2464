"""The lease, the reveal under it, and every way it ends."""

from typing import Any

import pytest

from tests.keys import openssh_key
from tests.refusals import refused
from tests.world import CATALOGUE, LOGIN, World
from vault.errors import Conflict, Denied, Ended, Invalid, NotAgreed, NotFound, VaultError
from vault.model.views import LeaseView
from vault.operations.house import destruction
from vault.operations.leases import checkout
from vault.operations.people import staff
from vault.operations.presence import Presence
from vault.operations.services import catalogue, services, tickets
from vault.storage.keys import Opening
from vault.values import Actor, new_id, to_datetime

REASON = "install the shop as ordered"


def asked(world: World, ticket: Any, *secrets: str, minutes: int = 30, reason: str = REASON) -> Any:
    """A lease asked for by the technician, not yet waited for."""
    actor = world.actor("technician")
    code = world.code("technician")
    return checkout.lease(world.vault, actor, ticket.id, list(secrets), minutes, reason, Presence(code=code))


@pytest.mark.promise("P1", "P2", "P8")
def test_a_technician_opens_each_field_of_what_was_lent(world: World) -> None:
    service, secret, ticket, lease = world.lent()
    assert (lease.service_id, lease.ticket_id, lease.person_id) == (service.id, ticket.id, lease.person_id)
    assert lease.person_id == world.member("technician").id
    assert [one.id for one in lease.secrets] == [secret]
    assert lease.expires_at - lease.starts_at == to_datetime(30 * 60 * 1_000_000) - to_datetime(0)
    since = world.size()
    assert {name: world.reveal(lease, secret, name) for name in LOGIN} == LOGIN
    assert world.ledger(since) == ["secret.reveal ok"] * len(LOGIN)
    technician = world.actor("technician")
    assert [one.id for one in world.read(checkout.leases, technician)] == [lease.id]
    assert world.read(checkout.lease_view, world.actor("coordinator"), lease.id).state == "active"
    world.perform(checkout.check_in, technician, lease.id)
    with refused(world, Ended, "secret.reveal"):
        world.reveal(lease, secret)
    with refused(world, Ended, "lease.check-in"):
        world.perform(checkout.check_in, technician, lease.id)


@pytest.mark.promise("P1")
def test_a_refused_reveal_gives_nothing_and_a_field_nobody_filled_is_said_to_be_empty(
    embedded: World,
) -> None:
    _, secret, _, lease = embedded.lent()
    technician = embedded.actor("technician")
    embedded.reveal(lease, secret)  # the first opening of all is noted, for its notice
    with refused(embedded, NotFound, "secret.reveal ok", match="left this field empty"):
        embedded.perform(checkout.reveal, technician, lease.id, secret, "host_key")
    with refused(embedded, NotFound, "secret.reveal", match="no such field"):
        embedded.perform(checkout.reveal, technician, lease.id, secret, "private_key")
    with refused(embedded, NotFound, "secret.reveal"):
        embedded.perform(checkout.reveal, technician, lease.id, secret, "")
    opened, receipt = embedded.run(
        embedded.vault.writer.perform(checkout.reveal, technician, lease.id, secret, "password")
    )
    assert isinstance(opened, Opening)
    assert LOGIN["password"] not in f"{opened!r}{receipt!r}"


@pytest.mark.promise("P2")
def test_a_lease_is_refused_without_anything_that_it_needs(world: World) -> None:
    service = world.service()
    ticket = world.ticket(service)
    technician = world.actor("technician")
    browser, form = world.begin(world.ask(service))
    secret = form.items[0].secret
    with refused(world, Conflict, "lease.start", match="not given"):
        world.run(asked(world, ticket, secret))
    world.seal()
    world.hand_in(browser, world.sealed(form))
    world.run(world.vault.aside(world.vault.take_root_key, world.root_key()))
    with refused(world, Conflict, "lease.start", match="still to be checked"):
        world.run(asked(world, ticket, secret))
    world.seal()
    world.unseal()
    other = world.give(world.service(title="Another shop"))
    for foreign in (other, new_id("sec")):
        with refused(world, NotFound, "lease.start", match="no such secret on this ticket"):
            world.run(asked(world, ticket, secret, foreign))
    for minutes in (0, -5, 241, 10**20):
        with refused(world, Invalid, "lease.start", match="1 to 240 minutes"):
            world.run(asked(world, ticket, secret, minutes=minutes))
    with refused(world, Invalid):
        world.run(asked(world, ticket))
    with refused(world, Invalid):
        world.run(asked(world, ticket, *(new_id("sec") for _ in range(21))))
    for short in ("", "because", "   x   ", "a\0reason of its own"):
        with refused(world, Invalid):
            world.run(asked(world, ticket, secret, reason=short))
    with refused(world, Denied, "presence.prove", match="code is wrong"):
        world.run(
            checkout.lease(world.vault, technician, ticket.id, [secret], 30, REASON, Presence(code="000000"))
        )
    assert world.run(asked(world, ticket, secret, secret)).secrets[0].id == secret


@pytest.mark.promise("P4")
def test_a_lease_opens_to_the_last_moment_and_not_at_its_end(world: World) -> None:
    _, secret, _, lease = world.lent()
    technician = world.actor("technician")
    left = lease.expires_at - to_datetime(world.clock.wall())
    while left.total_seconds() > 600:
        world.clock.advance(minutes=10)  # the session stays awake
        technician = world.actor("technician")
        left = lease.expires_at - to_datetime(world.clock.wall())
    world.clock.advance(microseconds=left.total_seconds() * 1_000_000 - 1)
    assert world.perform(checkout.reveal, technician, lease.id, secret, "password").expose()
    world.clock.advance(microseconds=1)
    with refused(world, Ended, "secret.reveal"):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    with refused(world, Ended, "lease.check-in"):
        world.perform(checkout.check_in, technician, lease.id)
    coordinator = world.actor("coordinator")
    with refused(world, Ended, "lease.revoke"):
        world.perform(checkout.revoke, coordinator, lease.id)
    with refused(world, Ended, "secret.report"):
        note = "the server refuses it"
        world.run(checkout.report_broken(world.vault, technician, lease.id, secret, note))
    shown = world.read(checkout.lease_view, technician, lease.id)
    assert (shown.state, shown.ended_how) == ("ended", "expiry"), "no sweep has come by yet"


@pytest.mark.promise("P4")
@pytest.mark.attack("AZ09")
def test_of_reveals_around_the_end_none_is_recorded_at_or_after_it(world: World) -> None:
    _, secret, _, lease = world.lent()
    technician = world.actor("technician")
    world.clock.advance(seconds=(lease.expires_at - to_datetime(world.clock.wall())).total_seconds() - 0.005)
    since = world.size()

    answers: list[Any] = []
    for _ in range(20):
        deed = (checkout.reveal, technician, lease.id, secret, "password")
        answers += world.together(*(world.vault.perform(*deed) for _ in range(10)))
        world.clock.advance(milliseconds=0.5)
    opened = [one for one in answers if not isinstance(one, BaseException)]
    assert {type(one) for one in answers if isinstance(one, BaseException)} == {Ended}
    assert len(opened) == 100, "both sides of the end were seen"
    end = int(world.sql("SELECT expires_at FROM lease")[0][0])
    rows = world.sql("SELECT time, body FROM ledger_entry WHERE seq >= :since", since=since)
    assert sum('"outcome":"ok"' in body for _, body in rows) == len(opened)
    assert all(time < end for time, body in rows if '"outcome":"ok"' in body)
    assert all(time >= end for time, body in rows if '"outcome":"Ended"' in body)


@pytest.mark.promise("P4")
def test_a_lease_never_outlives_its_service(embedded: World) -> None:
    service = embedded.service(days=1)
    secret = embedded.give(service)
    ticket = embedded.ticket(service)
    embedded.clock.advance(hours=23)
    lease = embedded.lease(ticket, secret, minutes=240)
    assert lease.expires_at == service.ends_at


ENDS = {
    "check-in": "lease.check-in",
    "revocation": "lease.revoke",
    "unassigned": "ticket.unassign",
    "ticket closed": "ticket.close",
    "service ended": "service.end",
    "disabled": "staff.disable",
}


def end(world: World, how: str, lease: LeaseView) -> Any:
    """Bring about that end of a lease; not yet waited for."""
    vault, host = world.vault, Actor.host()
    coordinator, technician = world.actor("coordinator"), world.actor("technician")
    match how:
        case "check-in":
            return vault.perform(checkout.check_in, technician, lease.id)
        case "revocation":
            return vault.perform(checkout.revoke, coordinator, lease.id)
        case "unassigned":
            return vault.perform(tickets.unassign, coordinator, lease.ticket_id, lease.person_id)
        case "ticket closed":
            return vault.perform(tickets.close, coordinator, lease.ticket_id)
        case "service ended":
            code = world.code("coordinator")
            return destruction.end(
                vault, coordinator, lease.service_id, lease.service_title, Presence(code=code)
            )
    return vault.perform(staff.disable, host, lease.person_id)


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07", "AZ14", "DE05")
def test_every_end_of_a_lease_is_at_once_and_is_recorded_with_the_lease(world: World) -> None:
    """One lease an end; the second lease of the room shows that only what is meant ends."""
    other = world.hire("Tina Tell", "technician")
    for how, entry in ENDS.items():
        service, secret, _, lease = world.lent()
        beside = world.ticket(service, other, number="T-2")
        kept = world.lease(beside, secret, who=other)
        ending = end(world, how, lease)
        since = world.size()
        world.run(ending)
        seq = since + world.ledger(since).index(f"{entry} ok")
        (body,) = world.sql("SELECT body FROM ledger_entry WHERE seq = :seq", seq=seq)[0]
        assert f'"lease:{lease.id}"' in body
        assert (f'"lease:{kept.id}"' in body) == (how == "service ended")
        (state, ended_how) = world.sql("SELECT state, ended_how FROM lease WHERE id = :id", id=lease.id)[0]
        assert (state, ended_how) == ("ended", how)
        holder = Actor("person", world.member("technician").id, "api")
        with pytest.raises(VaultError):
            world.perform(checkout.reveal, holder, lease.id, secret, "password")
        if how == "service ended":
            with pytest.raises(Ended):
                world.reveal(kept, secret, who=other)
        else:
            assert world.reveal(kept, secret, who=other) == LOGIN["password"]
            assert secret in [
                one.id for one in world.read(tickets.ticket, world.actor(other), beside.id).secrets
            ]
            world.end(service)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ22")
def test_a_new_version_of_the_agreement_blocks_until_it_is_accepted(embedded: World) -> None:
    _, secret, ticket, lease = embedded.lent()
    technician = embedded.actor("technician")
    newer = CATALOGUE.replace("alone.", "alone, and I forget it afterwards.")
    embedded.run(catalogue.apply(embedded.vault, Actor.host(), newer))
    with refused(embedded, NotAgreed, "secret.reveal", match="agreement"):
        embedded.perform(checkout.reveal, technician, lease.id, secret, "password")
    code = embedded.code("technician")
    with refused(embedded, NotAgreed, "lease.start", match="agreement"):
        embedded.run(
            checkout.lease(embedded.vault, technician, ticket.id, [secret], 30, REASON, Presence(code=code))
        )
    with refused(embedded, Conflict, "agreement.accept"):
        embedded.perform(staff.agree, technician, 1)
    embedded.perform(staff.agree, technician, embedded.read(staff.agreement, technician).version)
    assert embedded.perform(checkout.reveal, technician, lease.id, secret, "password").expose()


@pytest.mark.promise("P4")
def test_an_overdue_service_opens_nothing_before_any_sweep(embedded: World) -> None:
    service = embedded.service(days=1)
    secret = embedded.give(service)
    ticket = embedded.ticket(service)
    embedded.clock.advance(hours=23, minutes=50)
    lease = embedded.lease(ticket, secret, minutes=60)
    technician, coordinator = embedded.actor("technician"), embedded.actor("coordinator")
    embedded.clock.advance(minutes=9, seconds=29)
    assert embedded.perform(checkout.reveal, technician, lease.id, secret, "password").expose()
    embedded.clock.advance(seconds=1)
    embedded.clock.advance(
        seconds=max(0.0, (service.ends_at - to_datetime(embedded.clock.wall())).total_seconds())
    )
    with refused(embedded, Ended, "secret.reveal", match="service has ended"):
        embedded.perform(checkout.reveal, technician, lease.id, secret, "password")
    with refused(embedded, Ended, "ticket.open"):
        embedded.perform(tickets.open_ticket, coordinator, service.id, "T-9", "More of it")
    assert embedded.read(services.service, coordinator, service.id).state == "open", "no sweep has come by"


@pytest.mark.promise("P8")
def test_a_lease_names_what_it_covers_and_only_that_opens(embedded: World) -> None:
    service = embedded.service()
    first = embedded.give(service)
    key = embedded.give(service, KEY, "ssh-key")
    ticket = embedded.ticket(service)
    lease: LeaseView = embedded.lease(ticket, key)
    assert embedded.reveal(lease, key, "passphrase") == KEY["passphrase"]
    technician = embedded.actor("technician")
    for foreign in (first, new_id("sec")):
        with refused(embedded, NotFound, "secret.reveal", match="there is no such thing"):
            embedded.perform(checkout.reveal, technician, lease.id, foreign, "password")


KEY = {
    "host": "192.0.2.10",
    "port": "2222",
    "username": "deploy",
    "private_key": openssh_key().replace("\n", "\r\n", 1) + "\n",
    "passphrase": "  drei Körbe \t",
}
