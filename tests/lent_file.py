"""A confidential file of a customer's, lent to the technician."""

from tests.world import CATALOGUE, World
from vault.model.files import file_value
from vault.model.views import LeaseView
from vault.operations.services import catalogue
from vault.values import Actor

WITH_FILE = CATALOGUE.replace(
    "may_ask = [", 'may_ask = [{ kind = "file", because = "to reach your network" }, '
)
NAME = "shop.ovpn"
BINARY = bytes(range(256)) * 300
TEXT = b"remote vpn.example 1194\nclient\n"


def lent_file(world: World, content: bytes) -> tuple[str, LeaseView]:
    """The secret's id and the lease of it."""
    world.run(catalogue.apply(world.vault, Actor.host(), WITH_FILE))
    service = world.service()
    secret = world.give(service, {"name": NAME, "contents": file_value(content)}, "file")
    return secret, world.lease(world.ticket(service), secret)
