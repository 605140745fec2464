"""The coordinator's board: what waits for whom in the whole house, bounded, and flat in the number of services."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.approvals import BY_COORDINATOR, put
from tests.busy import Busy
from tests.operations.glasses import breakable, broken, reviewed
from tests.operations.test_grace import pass_days
from tests.world import World
from vault.errors import Denied, Invalid, NotFound
from vault.model.board_views import BoardView
from vault.operations.customers import requests
from vault.operations.leases import checkout
from vault.operations.services import board, services, stages, tickets, timeline


def look(world: World, who: Any = "coordinator") -> BoardView:
    found: BoardView = world.read(board.board, world.actor(who))
    return found


def stages_of(world: World) -> dict[str, int]:
    return {one.stage: one.count for one in look(world).stages}


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that reads send meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(world.vault.reader, "before_cursor_execute", note)
    yield sent
    event.remove(world.vault.reader, "before_cursor_execute", note)


def test_a_service_goes_from_stage_to_stage_and_waits_for_the_one_whose_turn_it_is(world: World) -> None:
    service = world.service()
    seen = look(world)
    assert stages_of(world) == {"unasked": 1}
    assert [one.id for one in seen.to_start] == [service.id]
    first = world.ask(service)
    seen = look(world)
    assert stages_of(world) == {"asked": 1}
    assert not seen.to_start_count
    assert [(one.id, one.state, one.kinds) for one in seen.requests] == [
        (first.id, "asked", ("Server login with a password",))
    ]
    world.clock.advance(days=15)
    seen = look(world)
    assert stages_of(world) == {"unanswered": 1}, "it has run out before the sweep comes by"
    assert ([one.id for one in seen.lapsed], seen.lapsed[0].state, seen.requests) == (
        [first.id],
        "expired",
        (),
    )
    pass_days(world, 0.1)
    assert [one.id for one in look(world).lapsed] == [first.id]
    secret = world.give(service)
    assert stages_of(world) == {"ready": 1}
    assert look(world).lapsed == (), "it was answered after all"
    ticket = world.perform(tickets.open_ticket, world.actor("coordinator"), service.id, "T-1", "Do it")
    assert stages_of(world) == {"working": 1}
    assert [one.number for one in look(world).unstaffed] == ["T-1"]
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, world.member("technician").id)
    assert look(world).unstaffed == ()
    lease = world.lease(ticket, secret, minutes=30)
    (lent,) = look(world).lent
    assert (lent.id, lent.person_name, lent.state, lent.paused) == (lease.id, "Tom Tanner", "active", False)
    world.clock.advance(minutes=30)
    assert look(world).lent == (), "it is over before the sweep comes by"
    world.clock.advance(days=9)
    assert [one.id for one in look(world).ends_soon] == [service.id]
    world.clock.advance(days=7)
    assert stages_of(world) == {"overdue": 1}
    seen = look(world)
    assert ([one.id for one in seen.to_end], seen.ends_soon) == ([service.id], ())


@pytest.mark.promise("P2")
def test_what_waits_for_a_yes_waits_for_everybody_but_who_asked(embedded: World) -> None:
    both = embedded.hire("Bo Both", "coordinator technician")
    put(embedded, BY_COORDINATOR)
    service = embedded.service()
    lease = embedded.lease(embedded.ticket(service, both), embedded.give(service), who=both)
    assert [one.id for one in look(embedded).to_decide] == [lease.id]
    assert look(embedded, both).to_decide == ()
    embedded.clock.advance(days=1)
    assert look(embedded).to_decide == ()


def test_the_whole_house_takes_as_many_queries_as_one_service_and_each_list_is_bounded(
    embedded: World,
) -> None:
    """And every name in it is the one that the service's own page shows."""
    embedded.ask(embedded.service())
    look(embedded)
    coordinator = embedded.actor("coordinator")
    with counted(embedded) as few:
        look(embedded)
    with counted(embedded) as few_tickets:
        embedded.read(tickets.tickets, coordinator)
    busy = Busy(embedded)
    busy.asks()
    with counted(embedded) as many:
        seen = look(embedded)
    lists, numbers, kinds = 11, 11, 1
    assert len(few) <= len(many) <= len(few) + numbers + kinds
    assert sum("FROM lease" in one for one in few) >= 3 <= lists, "the canary: statements are seen"
    for name in ("to_start", "requests", "lent", "to_end", "lapsed", "unstaffed", "paused", "ends_soon"):
        assert 0 < len(getattr(seen, name)) <= board.MOST
        assert len(getattr(seen, name)) == min(board.MOST, getattr(seen, f"{name}_count"))
    assert seen.to_start_count == len(busy.unasked) + len(busy.ready) + 2
    assert {one.id for one in seen.lent} == {one.id for one in busy.leases}
    assert [one.until for one in seen.lent] == sorted(one.until for one in seen.lent)
    assert [one.id for one in seen.paused] == [busy.paused.id]
    assert [one.id for one in seen.to_decide] == [busy.waits[0].id]
    assert sum(one.count for one in seen.stages) == 39
    shown = seen.model_dump_json()
    assert "hunter2" not in shown
    assert "shop.example.com" not in shown
    coordinator = embedded.actor("coordinator")
    with counted(embedded) as many_tickets:
        listed = embedded.read(tickets.tickets, coordinator)
    assert len(listed) == len(busy.tickets) + 1
    assert len(many_tickets) <= len(few_tickets) + 2 * kinds, "tickets are not read one by one"
    with counted(embedded) as for_services:
        assert len(embedded.read(services.services, coordinator)) == 39
    assert len(for_services) < 10, "nor are services"
    for one in (listed[0], listed[-1]):
        of_its_own = embedded.read(tickets.ticket, coordinator, one.id)
        assert one == of_its_own.model_copy(update={"secrets": ()})


def test_lists_of_services_go_on_where_they_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "PAGE", 2)
    owner, actor = world.customer(), world.actor("coordinator")
    made = [world.service(owner, f"Service {at}", days=10 + at // 2) for at in range(5)]
    world.ask(made[2])
    listed, after = [], ""
    for _ in range(3):
        page = world.read(stages.services, actor, "", after)
        listed += [one.id for one in page.services]
        after = page.next or ""
    assert (sorted(listed), after) == (sorted(one.id for one in made), "")
    assert [one.id for one in world.read(stages.services, actor, "asked").services] == [made[2].id]
    assert world.read(stages.services, actor, "destroyed").services == ()
    world.end(made[0])
    assert [one.id for one in world.read(stages.services, actor, "destroyed").services] == [made[0].id]
    with pytest.raises(Invalid):
        world.read(stages.services, actor, "stage'; --")
    with pytest.raises(NotFound):
        world.read(stages.services, actor, "", "svc_")


def test_a_request_that_was_taken_back_leaves_the_next_step_to_the_coordinator(embedded: World) -> None:
    service = embedded.service()
    request = embedded.ask(service)
    embedded.perform(requests.cancel, embedded.actor("coordinator"), request.id)
    assert stages_of(embedded) == {"empty": 1}
    assert [one.id for one in look(embedded).to_start] == [service.id]


@pytest.mark.promise("P2")
def test_a_lease_that_is_revoked_is_gone_from_the_board(embedded: World) -> None:
    *_, lease = embedded.lent()
    embedded.perform(checkout.revoke, embedded.actor("coordinator"), lease.id)
    assert look(embedded).lent_count == 0
    with pytest.raises(Denied):
        look(embedded, "technician")


@pytest.mark.promise("P8")
def test_broken_glass_stands_on_the_board_until_it_is_reviewed_and_in_the_picture_for_good(
    world: World,
) -> None:
    put(world, breakable())
    service = world.service()
    lease = world.lease(world.ticket(service), world.give(service))
    world.clock.advance(minutes=16)
    begun = broken(world, lease)
    seen = look(world)
    assert [(one.id, one.glass) for one in seen.lent] == [(lease.id, True)]
    assert [(one.id, one.person_name) for one in seen.to_review] == [(begun.review_id, "Tom Tanner")]
    world.clock.advance(days=4)
    assert look(world).to_review[0].due_at < look(world).at
    reviewed(world, begun)
    assert look(world).to_review_count == 0
    life = world.read(timeline.timeline, world.actor("coordinator"), service.id)
    assert [span.look for lane in life.lanes if lane.title == "Tom Tanner" for span in lane.spans] == [
        "glass"
    ]
