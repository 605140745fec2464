"""Time that cannot be bent, and the sweep that nothing relies on."""

import pytest

from tests.refusals import answer, refused
from tests.world import LOGIN, PASSWORD, World
from vault.errors import ClockInDoubt, Conflict, Ended, NotSignedIn
from vault.operations.house import operator, upkeep
from vault.operations.leases import checkout
from vault.operations.people import sessions
from vault.operations.services import services, tickets
from vault.values import Actor

DOUBT = "clock.doubt ok"


def status(world: World) -> dict[str, object]:
    return operator.status(world.vault)


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17")
def test_a_clock_set_back_revives_nothing(world: World) -> None:
    _, secret, _, lease = world.lent()
    token, technician = world.member("technician").token, world.actor("technician")
    world.clock.advance(minutes=31)
    with refused(world, Ended, "secret.reveal"):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    assert answer(world, sessions.resolve(world.vault, token, "192.0.2.7", "api"))[0] is NotSignedIn
    world.clock.jump(hours=-1)
    with refused(world, ClockInDoubt, DOUBT, "secret.reveal"):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    assert answer(world, sessions.resolve(world.vault, token, "192.0.2.7", "api"))[0] is NotSignedIn
    with pytest.raises(Conflict, match="time does not run back"):
        world.run(operator.confirm_clock(world.vault))
    world.reopen()
    with refused(world, ClockInDoubt, DOUBT, "secret.reveal"):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    assert answer(world, sessions.resolve(world.vault, token, "192.0.2.7", "api"))[0] is NotSignedIn
    world.clock.jump(minutes=59, seconds=30)
    with refused(world, Ended, "secret.reveal"):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    times = [row[0] for row in world.sql("SELECT time FROM ledger_entry ORDER BY seq")]
    assert times == sorted(times)


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17", "AN08")
def test_a_used_code_is_not_revived_by_the_clock(embedded: World) -> None:
    tom = embedded.member("technician")
    code = embedded.code(tom)
    nobody = Actor.nobody("192.0.2.7", "api")
    sign_in = (embedded.vault, tom.view.mail, PASSWORD, code, nobody)
    assert embedded.run(sessions.sign_in(*sign_in))
    embedded.clock.jump(seconds=-90)
    assert answer(embedded, sessions.sign_in(*sign_in))[0] is NotSignedIn


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17")
def test_a_clock_that_jumps_ahead_ends_nothing_until_an_operator_confirms_it(world: World) -> None:
    service, secret, ticket, lease = world.lent()
    technician, coordinator = world.actor("technician"), world.actor("coordinator")
    waiting = world.ask(service, "ssh-key")
    world.clock.jump(days=40)
    with refused(world, ClockInDoubt, DOUBT, "secret.reveal"):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    world.run(upkeep.sweep(world.vault))
    assert world.sql("SELECT state FROM service") == [("open",)]
    assert world.sql("SELECT state FROM lease") == [("active",)]
    assert world.sql("SELECT state FROM request WHERE id = :id", id=waiting.id) == [("asked",)]
    assert status(world)["clock_in_doubt"] is True
    assert world.read(checkout.lease_view, technician, lease.id).state == "active"
    world.perform(checkout.check_in, technician, lease.id)  # what takes rights away goes on
    world.perform(tickets.close, coordinator, ticket.id)
    world.clock.jump(days=-40)
    world.clock.advance(minutes=1)
    assert world.read(services.service, coordinator, service.id).state == "open"
    assert world.lease(world.ticket(service, number="T-2"), secret), "set right again, nothing was lost"
    world.clock.jump(days=40)
    with refused(world, ClockInDoubt, DOUBT, "ticket.open"):
        world.perform(tickets.open_ticket, coordinator, service.id, "T-3", "More work")
    since = world.size()
    world.run(operator.confirm_clock(world.vault))
    assert world.ledger(since) == ["clock.confirm ok"]
    assert status(world)["clock_in_doubt"] is False
    with refused(world, Ended, "secret.reveal"):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    world.run(upkeep.sweep(world.vault))
    assert world.sql("SELECT state FROM service") == [("destroyed",)]


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17")
def test_a_jump_that_no_deed_has_seen_yet_ends_nothing_either(embedded: World) -> None:
    service, secret, _, lease = embedded.lent()
    technician = embedded.actor("technician")
    embedded.clock.jump(days=40)
    since = embedded.size()
    assert answer(embedded, upkeep.sweep(embedded.vault))[0] is ClockInDoubt
    assert embedded.ledger(since) == [DOUBT]
    assert embedded.sql("SELECT state FROM service") == [("open",)]
    token = embedded.member("technician").token
    assert embedded.run(sessions.resolve(embedded.vault, token, "192.0.2.7", "api")).id == technician.id
    embedded.clock.jump(days=-40)
    assert embedded.reveal(lease, secret) == LOGIN["password"]
    assert service.id


@pytest.mark.promise("P4")
def test_a_long_absence_and_a_clock_that_strayed_while_nobody_ran_wait_for_a_person(embedded: World) -> None:
    _, secret, _, lease = embedded.lent()
    technician = embedded.actor("technician")
    embedded.run(embedded.vault.close())
    embedded.clock.advance(days=8)
    embedded.vault = embedded._start()
    with refused(embedded, ClockInDoubt, DOUBT, "secret.reveal"):
        embedded.perform(checkout.reveal, technician, lease.id, secret, "password")
    embedded.run(operator.confirm_clock(embedded.vault))
    with refused(embedded, Ended, "secret.reveal"):
        embedded.perform(checkout.reveal, technician, lease.id, secret, "password")


def test_a_small_correction_of_the_clock_is_believed(embedded: World) -> None:
    _, secret, _, lease = embedded.lent()
    for seconds in (100, -100):
        embedded.clock.jump(seconds=seconds)
        assert embedded.reveal(lease, secret) == LOGIN["password"]


@pytest.mark.promise("P4", "P5")
def test_the_sweep_ends_what_is_over_and_says_so(world: World) -> None:
    service = world.service(days=5)
    secret = world.give(service)
    request = world.ask(service, "ssh-key")
    lease = world.lease(world.ticket(service), secret, minutes=30)
    kept = world.service(title="Another shop", days=60)
    later = world.give(kept)
    world.clock.advance(hours=1)
    since = world.size()
    world.run(upkeep.sweep(world.vault))
    assert world.ledger(since) == ["lease.expire ok"]
    assert world.sql("SELECT state, ended_how FROM lease") == [("ended", "expiry")]
    world.clock.advance(days=5)
    since = world.size()
    world.run(upkeep.sweep(world.vault))
    ended = ["request.expire ok", "service.overdue ok", "service.destroy ok"]
    assert world.ledger(since) == ended
    world.run(upkeep.sweep(world.vault))
    assert world.ledger(since) == ended, "once"
    states = dict(world.sql("SELECT id, state FROM service"))
    assert states == {service.id: "destroyed", kept.id: "open"}
    assert dict(world.sql("SELECT id, state FROM secret WHERE version > 0")) == {
        secret: "purged",
        later: "checked",
    }
    assert world.sql("SELECT state FROM request WHERE id = :id", id=request.id) == [("expired",)]
    assert lease.id


@pytest.mark.promise("P4", "P6")
def test_one_row_that_does_not_match_stops_no_end_but_its_own(embedded: World) -> None:
    """Somebody who changes one row must not be able to keep every other service alive."""
    broken = embedded.service(title="A tampered one", days=2)
    embedded.lease(embedded.ticket(broken), embedded.give(broken))
    other = embedded.service(title="An honest one", days=2)
    embedded.give(other)
    browser, form = embedded.begin(embedded.ask(embedded.service(title="A third", days=60)))
    embedded.seal()
    embedded.hand_in(browser, embedded.sealed(form))
    embedded.run(embedded.vault.aside(embedded.vault.take_root_key, embedded.root_key()))
    embedded.sql("UPDATE lease SET expires_at = expires_at + 1")
    embedded.sql("UPDATE secret SET because = 'x' WHERE service_id = :id", id=broken.id)
    embedded.clock.advance(days=3)
    embedded.run(upkeep.sweep(embedded.vault))
    assert dict(embedded.sql("SELECT id, state FROM service WHERE id <> :id", id=form.service)) == {
        broken.id: "open",
        other.id: "destroyed",
    }
    assert embedded.sql("SELECT state FROM secret WHERE service_id = :id", id=form.service) == [("checked",)]


@pytest.mark.attack("AN01")
def test_housekeeping_forgets_what_decides_nothing_any_more(embedded: World) -> None:
    embedded.lent()
    count = "SELECT (SELECT count(*) FROM attempt) + (SELECT count(*) FROM proof) + (SELECT count(*) FROM session)"
    embedded.run(upkeep.sweep(embedded.vault))
    assert embedded.sql(count)[0][0] >= 6, "what still decides is kept"
    embedded.clock.advance(days=3)
    since = embedded.size()
    embedded.run(upkeep.sweep(embedded.vault))
    assert embedded.sql(count)[0][0] == 0
    assert embedded.ledger(since) == ["lease.expire ok"], "housekeeping has no entry"
