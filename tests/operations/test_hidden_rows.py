"""Whoever writes to the database hides what speaks against somebody: what is not found is no leave to go on."""

from collections.abc import Iterator

import pytest

from tests.approvals import no, put
from tests.operations.glasses import breakable, breaking, broken, nobody_answers, reviewed
from tests.world import World
from vault.errors import Denied, Tampered
from vault.operations.leases import checkout

NOT_THEIRS = "person_id = (SELECT max(id) FROM person WHERE id <> person_id)"
BENDS = {
    "review": (NOT_THEIRS,),
    "lease": (
        NOT_THEIRS,
        "starts_at = starts_at - 400000000000",
        "service_id = (SELECT id FROM service WHERE id <> service_id)",
    ),
}


def hidden(world: World, table: str, row_id: str) -> Iterator[None]:
    """Hide one row in one way after the other: it is another's, of long ago, of another service, and gone."""
    for bend in BENDS[table]:
        column = bend.partition(" =")[0]
        ((before,),) = world.sql(f"SELECT {column} FROM {table} WHERE id = :id", id=row_id)
        world.sql(f"UPDATE {table} SET {bend} WHERE id = :id", id=row_id)
        yield
        world.sql(f"UPDATE {table} SET {column} = :before WHERE id = :id", id=row_id, before=before)
    world.sql(f"DELETE FROM {table} WHERE id = :id", id=row_id)
    yield


@pytest.mark.promise("P2", "P6")
@pytest.mark.attack("CR03", "AZ11")
@pytest.mark.parametrize("verdict", ["", "not justified"])
def test_a_review_that_is_hidden_blocks_all_the_same(world: World, verdict: str) -> None:
    _, secret, ticket, lease = nobody_answers(world)
    begun = broken(world, lease)
    if verdict:
        reviewed(world, begun, verdict)
        world.clock.advance(days=3)
    second = world.lease(ticket, secret)
    for _ in hidden(world, "review", begun.review_id):
        with pytest.raises((Denied, Tampered)):
            world.run(breaking(world, second))


@pytest.mark.promise("P2", "P6")
@pytest.mark.attack("CR03", "AZ11")
def test_a_no_that_is_hidden_is_still_a_no(world: World) -> None:
    put(world, breakable())
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    first = world.lease(ticket, secret)
    no(world, first)
    second = world.lease(ticket, secret)
    world.clock.advance(minutes=16)
    world.service(title="Another shop")
    for _ in hidden(world, "lease", first.id):
        with pytest.raises((Denied, Tampered)):
            world.run(breaking(world, second))


@pytest.mark.promise("P2", "P6")
@pytest.mark.attack("CR03", "AZ24")
def test_services_that_were_opened_today_are_counted_though_their_leases_are_hidden(world: World) -> None:
    world.settings = world.settings.model_copy(update={"services_a_day": 1})
    world.reopen()
    one, two = world.service(title="Shop 1"), world.service(title="Shop 2")
    secrets = [world.give(one), world.give(two)]
    tickets = [world.ticket(one), world.ticket(two, number="T-2")]
    lease = world.lease(tickets[0], secrets[0])
    world.perform(checkout.check_in, world.actor("technician"), lease.id)
    for _ in hidden(world, "lease", lease.id):
        try:
            begun = world.lease(tickets[1], secrets[1]).state
        except Tampered:
            begun = ""
        assert begun in {"", "asked"}
