"""Readers never wait for the writer, and are not frightened by it either."""

from collections.abc import Callable

import pytest

from tests.operations.visiting import come
from tests.world import World
from vault.errors import Tampered
from vault.model.tables import Service
from vault.operations.customers import mine
from vault.storage.reading import LOOKS, Reading
from vault.values import Actor


class Overtaken(Reading):
    """Somebody changes the row after it was read and before its head is."""

    meanwhile: Callable[[], None]

    def newest_digest(self, row_id: str) -> bytes | None:
        self.meanwhile()
        return super().newest_digest(row_id)


def overtaken(world: World, service: str, customer: Actor, times: int) -> Service | None:
    """What a reader finds of a service that is changed under its eyes so many times."""
    left = iter(range(times))

    def change() -> None:
        if (turn := next(left, None)) is not None:
            world.perform((mine.pause, mine.resume)[turn % 2], customer, service)

    vault = world.vault
    with vault.reader.connect() as connection:
        reading = Overtaken(connection, vault.now(), vault.keys, vault.settings, vault.deployment)
        reading.meanwhile = change
        return reading.find(Service, id=service)


def test_a_row_that_is_changed_while_it_is_read_is_read_again(world: World) -> None:
    service = world.service()
    found = overtaken(world, service.id, come(world, service.customer.id).actor, LOOKS - 1)
    assert found is not None
    assert found.paused_at is None, "and it is the newest that is believed"


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
def test_a_row_that_was_bent_is_refused_however_often_it_is_read(world: World) -> None:
    service = world.service()
    customer = come(world, service.customer.id).actor
    world.sql("UPDATE service SET title = 'Something else' WHERE id = :id", id=service.id)
    with pytest.raises(Tampered):
        overtaken(world, service.id, customer, 0)
