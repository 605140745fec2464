"""`valetkey serve`: the core with everything in front of it, in one process."""

import uvloop

from api import server
from api.app import create_app
from api.core import Core, intake_socket
from api.operator import operator_socket
from vault.operations.vault import Vault
from vault.settings import Settings


def serve_core(settings: Settings) -> None:
    """Serve until a signal ends it, then drain, sign and drop every key. Raises what `Vault.start` raises."""
    server.prepare()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    vault = Vault.start(settings)
    try:
        async with operator_socket(vault), intake_socket(Core(vault), settings.intake_socket):
            await server.run(create_app(vault), settings)
    finally:
        await vault.close()
