"""Everything ends at its time, by one clock that never runs backwards and that is doubted when it jumps."""

import asyncio
import random
import threading
from datetime import UTC, datetime

import pytest

from tests.storage.ground import away, findings
from tests.world import LOGIN, PASSWORD, FakeClock, World
from vault.errors import ClockInDoubt, Denied, Ended, NotSignedIn, VaultError
from vault.ledger.entry import decode
from vault.operations.house import operator, upkeep
from vault.operations.leases import checkout
from vault.operations.people import sessions, staff
from vault.storage.clock import LONGEST_ABSENCE, TOLERANCE, SystemClock, Timekeeper
from vault.storage.unit import operation
from vault.values import HOUR, MINUTE, SECOND, Actor, to_moment


def times(world: World) -> list[int]:
    rows = world.sql("SELECT body FROM ledger_entry ORDER BY seq")
    return [decode(row[0].encode()).time for row in rows]


def never_back(world: World) -> bool:
    found = times(world)
    return found == sorted(found)


# -- the timekeeper alone --------------------------------------------------------------------------------------------


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17")
def test_time_never_runs_backwards_whatever_is_done_to_the_clock() -> None:
    chance = random.Random(7)
    clock = FakeClock()
    keeper, last = Timekeeper(clock), 0
    for _ in range(3000):
        clock.advance(microseconds=chance.randrange(5 * SECOND))
        if chance.random() < 0.3:
            clock.jump(microseconds=chance.randrange(-3 * TOLERANCE, 3 * TOLERANCE))
        if chance.random() < 0.05:
            keeper.confirm(last)
        peeked = keeper.peek(last)
        now = keeper.now(last)
        assert now >= last
        assert peeked == now
        assert not (keeper.in_doubt and now != last), "in doubt time stands still"
        last = now


def test_a_host_that_slept_is_believed_and_one_that_was_set_is_not() -> None:
    clock = FakeClock()
    keeper = Timekeeper(clock)
    start = keeper.now(0)
    clock.advance(days=3)
    assert keeper.now(start) == clock.wall(), "time really passed"
    assert not keeper.in_doubt
    clock.jump(minutes=3)
    assert keeper.now(start + HOUR) == start + HOUR
    assert keeper.in_doubt
    clock.jump(minutes=-3)
    assert keeper.now(start) == clock.wall()
    assert not keeper.in_doubt, "put right, it is believed again"


def test_after_a_week_of_silence_somebody_looks_at_the_clock() -> None:
    clock = FakeClock()
    last = clock.wall()
    clock.advance(microseconds=LONGEST_ABSENCE - SECOND)
    assert not Timekeeper(clock)._strayed(clock.wall(), clock.elapsed(), last)
    clock.advance(seconds=2)
    keeper = Timekeeper(clock)
    assert keeper.now(last) == last
    assert keeper.in_doubt
    assert keeper.confirm(last)
    assert keeper.now(last) == clock.wall()


def test_a_clock_before_the_last_entry_cannot_be_confirmed() -> None:
    clock = FakeClock()
    keeper, last = Timekeeper(clock), clock.wall()
    clock.jump(hours=-1)
    keeper.now(last)
    assert not keeper.confirm(last)
    assert keeper.in_doubt


def test_the_hosts_clocks_tell_microseconds() -> None:
    clock = SystemClock()
    assert clock.wall() > to_moment(datetime(2020, 1, 1, tzinfo=UTC))
    first, second = clock.elapsed(), clock.elapsed()
    assert 0 <= second - first < MINUTE


# -- the end of a lease ----------------------------------------------------------------------------------------------


@pytest.mark.promise("P4")
@pytest.mark.attack("AZ09")
def test_a_lease_opens_to_its_last_microsecond_and_not_at_its_end(world: World) -> None:
    _, secret, _, lease = world.lent()
    technician = world.actor("technician")
    left = to_moment(lease.expires_at) - world.clock.wall()
    world.clock.advance(microseconds=left - 1)
    field = world.perform(checkout.reveal, technician, lease.id, secret, "password")
    assert field.expose() == LOGIN["password"]
    world.clock.advance(microseconds=1)
    with pytest.raises(Ended):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    with pytest.raises(Ended):
        world.perform(checkout.check_in, technician, lease.id)


@pytest.mark.promise("P4")
@pytest.mark.attack("AZ09")
def test_around_the_end_nothing_opens_at_or_after_it(world: World) -> None:
    """Two hundred reveals while the clock walks over the end; what counts is the time of the record."""
    _, secret, _, lease = world.lent()
    technician = world.actor("technician")
    expires = to_moment(lease.expires_at)
    world.clock.advance(microseconds=expires - world.clock.wall() - SECOND // 200)
    size = world.size()
    done = threading.Event()

    def walk() -> None:
        while not done.wait(0.0005):
            world.clock.advance(microseconds=40)

    walker = threading.Thread(target=walk)
    walker.start()

    async def some() -> int:
        shown = 0
        for _ in range(20):
            try:
                await world.vault.perform(checkout.reveal, technician, lease.id, secret, "password")
                shown += 1
            except Ended:
                break
        return shown

    shown = sum(world.together(*(some() for _ in range(10))))
    world.clock.advance(milliseconds=10)
    with pytest.raises(Ended):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    done.set()
    walker.join()
    entries = [
        decode(row[0].encode())
        for row in world.sql("SELECT body FROM ledger_entry WHERE seq >= :size ORDER BY seq", size=size)
    ]
    opened = [entry.time for entry in entries if (entry.type, entry.outcome) == ("secret.reveal", "ok")]
    assert len(opened) == shown
    assert all(time < expires for time in opened)
    assert all(entry.time >= expires for entry in entries if entry.outcome == "Ended")


@pytest.mark.promise("P4")
@pytest.mark.attack("AZ09")
def test_who_waited_over_the_end_is_refused(embedded: World) -> None:
    """The time that counts is that of the transaction, not that of the question."""
    _, secret, _, lease = embedded.lent()
    technician = embedded.actor("technician")

    @operation("storage.blocking")
    def blocking(unit, _actor):
        embedded.clock.advance(microseconds=to_moment(lease.expires_at) - embedded.clock.wall())

    async def ask():
        first = asyncio.create_task(embedded.vault.perform(blocking, Actor.core()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asked = asyncio.create_task(
            embedded.vault.perform(checkout.reveal, technician, lease.id, secret, "password")
        )
        await first
        return (await asyncio.gather(asked, return_exceptions=True))[0]

    assert isinstance(embedded.run(ask()), Ended)


# -- a clock that is set ---------------------------------------------------------------------------------------------


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17")
@pytest.mark.parametrize("back", [{"seconds": -90}, {"hours": -1}, {"days": -400}])
def test_a_clock_set_back_revives_nothing(world: World, back: dict[str, int]) -> None:
    _, secret, _, lease = world.lent()
    technician = world.actor("technician")
    token = world.member("technician").token
    world.clock.advance(minutes=31)
    with pytest.raises(Ended):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    with pytest.raises(NotSignedIn):
        world.run(sessions.resolve(world.vault, token, "192.0.2.7", "api"))
    world.clock.jump(minutes=-31)
    world.clock.jump(**back)
    for _ in range(2):
        with pytest.raises((Ended, ClockInDoubt)):
            world.perform(checkout.reveal, technician, lease.id, secret, "password")
        with pytest.raises(VaultError):
            world.run(sessions.resolve(world.vault, token, "192.0.2.7", "api"))
        with away(world):  # a restart forgets nothing either
            pass
    assert never_back(world)
    assert "clock.doubt ok" in world.ledger()


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17", "AN07")
def test_a_used_code_stays_used_when_the_clock_goes_back(embedded: World) -> None:
    member = embedded.member("technician")
    embedded.sign_in(member)
    code = embedded.code(member)
    nobody = Actor.nobody("192.0.2.8", "api")
    embedded.run(sessions.sign_in(embedded.vault, member.view.mail, PASSWORD, code, nobody))
    embedded.clock.jump(seconds=-31)
    for _ in range(2):
        with pytest.raises(NotSignedIn):
            embedded.run(sessions.sign_in(embedded.vault, member.view.mail, PASSWORD, code, nobody))
    assert never_back(embedded)


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17")
def test_a_clock_that_jumps_forward_ends_nothing_until_it_is_confirmed(world: World) -> None:
    service, secret, _, lease = world.lent()
    technician = world.actor("technician")
    token = world.member("technician").token
    world.clock.jump(days=40)
    with pytest.raises(ClockInDoubt):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    world.run(upkeep.sweep(world.vault))
    assert world.sql("SELECT state FROM lease")[0][0] == "active"
    assert world.sql("SELECT state FROM service WHERE id = :id", id=service.id)[0][0] == "open"
    assert findings(world)["clock"] == "alarm"
    assert operator.status(world.vault)["clock_in_doubt"] is True
    assert world.run(sessions.resolve(world.vault, token, "192.0.2.7", "api")).id == technician.id
    world.clock.jump(days=-40)
    field = world.perform(checkout.reveal, technician, lease.id, secret, "password")
    assert field.expose() == LOGIN["password"], "it was a mistake and is put right"
    world.clock.jump(days=40)
    world.run(operator.confirm_clock(world.vault))
    with pytest.raises(Ended):
        world.perform(checkout.reveal, technician, lease.id, secret, "password")
    world.run(upkeep.sweep(world.vault))
    assert world.sql("SELECT state FROM service WHERE id = :id", id=service.id)[0][0] == "destroyed"
    assert never_back(world)


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17")
def test_in_doubt_rights_can_be_taken_away_and_none_are_given(embedded: World) -> None:
    _, secret, ticket, lease = embedded.lent()
    technician, coordinator = embedded.actor("technician"), embedded.actor("coordinator")
    administrator = embedded.actor("administrator")
    embedded.clock.jump(hours=2)
    with pytest.raises((ClockInDoubt, Denied)):
        embedded.lease(ticket, secret)
    embedded.clock.jump(minutes=1)
    embedded.perform(checkout.revoke, coordinator, lease.id)
    embedded.perform(staff.disable, administrator, technician.id)
    embedded.perform(sessions.sign_out, coordinator)
    assert embedded.sql("SELECT state FROM lease")[0][0] == "ended"
    assert never_back(embedded)
