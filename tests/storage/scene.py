"""The middle of the story, told once for each attack on the database."""

from dataclasses import dataclass
from typing import Any

from tests.keys import openssh_key
from tests.world import World
from vault.model.views import LeaseView, ServiceView, TicketView
from vault.values import Actor

KEY = {
    "host": "shop.example.com",
    "port": "22",
    "username": "deploy",
    "private_key": openssh_key(),
}
NOBODY = Actor.nobody("198.51.100.9", "intake")


@dataclass
class Scene:
    """The middle of the story, told once for each attack."""

    world: World
    service: ServiceView
    secret: str
    ticket: TicketView
    lease: LeaseView

    def reveal(self) -> str:
        return self.world.reveal(self.lease, self.secret)

    def row(self, table: str, row_id: str) -> dict[str, Any]:
        with self.world.vault.reader.connect() as connection:
            columns = list(connection.exec_driver_sql(f"SELECT * FROM {table} LIMIT 0").keys())
        found = self.world.sql(f"SELECT * FROM {table} WHERE id = :id", id=row_id)
        return dict(zip(columns, found[0], strict=True))

    def put(self, table: str, row: dict[str, Any], key: str = "id") -> None:
        """Put a whole row back as it was."""
        sets = ", ".join(f"{name} = :new_{name}" for name in row if name != key)
        values = {f"new_{name}": value for name, value in row.items()}
        self.world.sql(f"UPDATE {table} SET {sets} WHERE {key} = :new_{key}", **values)


def coordinator(scene: Scene) -> Actor:
    return scene.world.actor("coordinator")


def technician(scene: Scene) -> Actor:
    return scene.world.actor("technician")
