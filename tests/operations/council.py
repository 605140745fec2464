"""Administrators who ask and vouch, for the tests of both."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.world import Member, World
from vault.errors import (
    VaultError,
)
from vault.model.views import ChangeView, InvitationView
from vault.operations.people import staff, vouching
from vault.values import Actor

HOST = Actor.host()
NOBODY = Actor.nobody("192.0.2.7", "api")
ADA = "administrator"
NEW = ("Tara Tyler", "tara@agency.example", ["technician"])


def administrators(world: World, *names: str) -> list[Member]:
    """More administrators, added on the host while there is only Ada."""
    invited = [
        world.run(staff.add(world.vault, HOST, name, f"{name.lower()}@agency.example", ["administrator"]))
        for name in names
    ]
    members = [world.enrol(one) for one in invited]
    for member in members:
        world.staff[member.id] = member
    return members


def asked(world: World, ask: Any, *args: Any, by: "str | Member" = ADA) -> ChangeView:
    actor = world.actor(by)
    view: ChangeView = world.run(ask(world.vault, actor, *args, world.presence(by)))
    return view


def vouched(world: World, change: ChangeView, by: "str | Member") -> InvitationView | None:
    actor = world.actor(by)
    return world.run(vouching.vouch(world.vault, actor, change.id, world.presence(by)))


@contextmanager
def unmoved(world: World, error: type[VaultError], said: str = "") -> Iterator[None]:
    """What happens inside is refused with exactly that error, and nobody's account is another afterwards."""
    people = "SELECT id, mail, roles, state, rests_until FROM person ORDER BY id"
    queries = (
        people,
        *(f"SELECT * FROM {name} ORDER BY id" for name in ("staff_change", "invitation", "lease")),
    )
    before = [world.sql(query) for query in queries]
    with pytest.raises(error, match=said or None) as caught:
        yield
    assert type(caught.value) is error
    assert [world.sql(query) for query in queries] == before


def state_of(world: World, change: ChangeView) -> str:
    return str(world.sql("SELECT state FROM staff_change WHERE id = :id", id=change.id)[0][0])


def row_of(world: World, person_id: str) -> Any:
    return world.sql("SELECT mail, roles, state, rests_until FROM person WHERE id = :id", id=person_id)[0]


def told(world: World) -> list[str]:
    return [
        row[0] for row in world.sql("SELECT template FROM outbox WHERE template LIKE 'staff%' ORDER BY id")
    ]


def since(world: World, size: int) -> list[str]:
    return [line for line in world.ledger(size) if line.startswith("staff.")]
