"""The life of a service as a picture: what was asked, what is here, who held it when; never what is in it."""

from itertools import pairwise

import pytest

from api.pages.timeline import WIDTH, drawn
from tests.operations.visiting import come
from tests.world import LOGIN, World
from vault.errors import Denied, NotFound
from vault.model.board_views import TimelineView
from vault.operations.customers import mine
from vault.operations.leases import checkout
from vault.operations.services import timeline
from vault.values import new_id, to_datetime


def life(world: World, service_id: str) -> TimelineView:
    found: TimelineView = world.read(timeline.timeline, world.actor("coordinator"), service_id)
    return found


@pytest.mark.promise("P9")
def test_the_picture_tells_what_happened_and_nothing_of_what_was_given(world: World) -> None:
    service = world.service()
    world.clock.advance(hours=1)
    secret = world.give(service)
    given = world.clock.wall()
    rita = world.hire("Rita Reyes", "technician")
    ticket = world.ticket(service)
    world.clock.advance(hours=2)
    lease = world.lease(ticket, secret, minutes=60)
    began = world.clock.wall()
    world.reveal(lease, secret)
    world.clock.advance(minutes=20)
    world.perform(checkout.check_in, world.actor("technician"), lease.id)
    back = world.clock.wall()
    other = world.lease(world.ticket(service, rita, "T-2"), secret, who=rita, minutes=60)
    world.perform(mine.pause, come(world, service.customer.id).actor, service.id)
    world.clock.advance(hours=3)
    view = life(world, service.id)
    lanes = {lane.title: lane for lane in view.lanes}
    assert list(lanes) == ["Asked", "Server login with a password", "Paused", "Rita Reyes", "Tom Tanner"]
    (asked,) = lanes["Asked"].spans
    assert asked.words == "asked, and answered"
    (here,) = lanes["Server login with a password"].spans
    assert (here.since, here.until) == (to_datetime(given), view.ends)
    (lent,) = lanes["Tom Tanner"].spans
    assert (lent.since, lent.until, lent.words) == (to_datetime(began), to_datetime(back), "ticket T-1001")
    (mark,) = lanes["Tom Tanner"].marks
    assert (mark.way, mark.what) == ("revealed", "Password")
    (held,) = lanes["Rita Reyes"].spans
    assert (held.since, held.until) == (other.starts_at, other.expires_at), "it ended by itself"
    assert lanes["Paused"].spans[0].until == view.now
    shown = view.model_dump_json()
    assert not [said for said in (*LOGIN.values(), lease.reason) if len(said) > 2 and said in shown]
    world.end(service)
    over = life(world, service.id)
    assert (over.over, over.now) == (True, over.ends)
    assert {lane.title: lane for lane in over.lanes}["Server login with a password"].spans[
        0
    ].until == over.ends


@pytest.mark.promise("P2")
def test_only_coordinators_see_it_and_nobody_sees_one_that_is_not_there(embedded: World) -> None:
    service, *_ = embedded.lent()
    with pytest.raises(Denied):
        embedded.read(timeline.timeline, embedded.actor("technician"), service.id)
    with pytest.raises(NotFound):
        life(embedded, new_id("svc"))


def test_everything_is_drawn_within_the_picture_and_in_its_order(embedded: World) -> None:
    service, secret, ticket, lease = embedded.lent()
    embedded.reveal(lease, secret)
    for hours in (0, 1, 30, 400):
        embedded.clock.advance(hours=hours)
        picture = drawn(life(embedded, service.id))
        assert picture.now is not None
        assert [tick.x for tick in picture.ticks] == sorted({tick.x for tick in picture.ticks})
        for bar in picture.bars:
            assert 0 <= bar.x < bar.x + bar.width <= WIDTH
            assert bar.width >= 4, "a short one is still to be seen"
            assert bar.y + bar.height <= picture.height
        for notch in picture.notches:
            assert 0 <= notch.x <= picture.now
        assert all(before.since <= after.since for before, after in pairwise(picture.lines))
    assert picture.style == "short"
    assert ticket.id
    ended = embedded.service(service.customer, "Another", days=1)
    assert drawn(life(embedded, ended.id)).bars == ()
