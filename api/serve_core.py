"""`valetkey serve`: the core with everything in front of it, in one process."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvloop

from api import server
from api.app import create_app
from api.core import Core, intake_socket
from api.operator import operator_socket
from vault.operations.house import upkeep
from vault.operations.vault import Vault
from vault.settings import Settings

LOG = logging.getLogger("valetkey")


def serve_core(settings: Settings) -> None:
    """Serve until a signal ends it, then drain, sign and drop every key. Raises what `Vault.start` raises."""
    server.prepare()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    vault = Vault.start(settings)
    try:
        if vault.is_sealed:
            LOG.warning("the vault is sealed; an operator unseals it on this host with: valetkey unseal")
        core = Core(vault)
        async with operator_socket(vault), intake_socket(core, settings.intake_socket), _kept_up(vault):
            await server.run(create_app(vault), settings)
    finally:
        await vault.close()


@asynccontextmanager
async def _kept_up(vault: Vault) -> AsyncIterator[None]:
    """What the vault does by itself goes on beside the requests, and ends before the vault does."""
    keeping = asyncio.create_task(upkeep.run(vault))
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
