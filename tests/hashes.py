"""Password hashes that cost the tests little: with eleven for each who enrols, they would be half of the work."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vault.crypto import passwords
from vault.crypto.passwords import Cost, HashingQueue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world import World

CHEAP = Cost(64, 1, 1)
"""Far below the floor of the product."""
DEARER = Cost(128, 1, 1)
SERVER = """
import vault.operations.vault as running
from cli.main import run
from tests.hashes import CHEAP, passwords

passwords.FLOOR = CHEAP
running.HashingQueue = lambda: passwords.HashingQueue(CHEAP)
run()
"""
"""`valetkey`, but for what its server hashes with: those hashes yield to everything else, and so to all other tests."""


@contextmanager
def cheap_hashes() -> Iterator[None]:
    """Let the vault take hashes as cheap as these meanwhile. How it hashes stays as it is."""
    usual, passwords.FLOOR = passwords.FLOOR, CHEAP
    try:
        yield
    finally:
        passwords.FLOOR = usual


@contextmanager
def dearer_hashes(world: World) -> Iterator[None]:
    """As if this release hashed passwords at a higher cost than the one before."""
    usual, world.vault.hashing = world.vault.hashing, HashingQueue(DEARER)
    try:
        yield
    finally:
        world.vault.hashing.close()
        world.vault.hashing = usual
