"""The desk attacked from inside: by who is let in and goes a step further than anybody meant, and by patience."""

import httpx2
import pytest

from api.depends import BY_ITSELF
from tests.world import World
from vault.operations.services import handover, tickets
from vault.values import HOUR


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07")
def test_nobody_inherits_a_ticket_that_the_other_was_not_on_any_more(world: World) -> None:
    service, clara = world.service(), world.actor("coordinator")
    still, over = world.ticket(service), world.ticket(service, number="T-2")
    tom, tim = world.member("technician"), world.hire("Tim Tyler", "technician")
    world.perform(tickets.assign, clara, over.id, tom.id, world.clock.wall() + HOUR)
    world.clock.advance(hours=1)
    clara = world.actor("coordinator")
    assert world.perform(handover.hand_over, clara, service.id, tom.id, tim.id) == 1
    assert [one.id for one in world.read(tickets.tickets, world.actor(tim))] == [still.id]


@pytest.mark.promise("P4")
@pytest.mark.attack("AN16")
def test_a_page_that_asks_by_itself_keeps_no_session_awake(embedded: World) -> None:
    token = embedded.sign_in("technician")
    with embedded.served() as address, httpx2.Client(base_url=address) as client:

        def looked(**headers: str) -> int:
            answer = client.get("/api/v1/session", headers={"Authorization": f"Bearer {token}", **headers})
            return answer.status_code

        for _ in range(2):
            embedded.clock.advance(minutes=7)
            assert looked(**{BY_ITSELF: "yes"}) == 200
        embedded.clock.advance(minutes=1)
        assert looked(**{BY_ITSELF: "yes"}) == 401
        token = embedded.sign_in("technician")
        for _ in range(3):
            embedded.clock.advance(minutes=7)
            assert looked() == 200
