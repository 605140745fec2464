"""How an application of ours meets the network: one process, one loop, no access log, a drain at the end."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from vault.crypto.residue import lock_down_process
from vault.errors import Unavailable
from vault.settings import Settings

LOG = logging.getLogger("valetkey")

DRAIN_SECONDS = 20
KEEP_ALIVE_SECONDS = 30
ENDING = (signal.SIGTERM, signal.SIGINT)

OPEN_DOORS = (
    "PYTHONINSPECT",
    "PYTHONDEVMODE",
    "PYTHONASYNCIODEBUG",
    "PYTHONDEBUG",
    "PYTHONTRACEMALLOC",
    "DEBUG",
)


def refuse_debugging() -> None:
    """Raise Unavailable if this process was started so that it shows or keeps more than a server may."""
    for name in OPEN_DOORS:
        if os.environ.get(name):
            raise Unavailable(f"unset {name}: a process that holds keys does not run for debugging")
    if sys.flags.inspect or sys.flags.interactive or sys.flags.dev_mode:
        raise Unavailable("start without -i and -X dev: a process that holds keys does not run for debugging")


def prepare() -> None:
    """Close this process as far as the platform lets us, and its log plain. Raises as `refuse_debugging`."""
    refuse_debugging()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for missing in lock_down_process():
        LOG.warning("could not lock down: %s", missing)


class Server(uvicorn.Server):
    """A server that ends in good order and keeps the garbage collector off what it started with."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; then freeze what is there, which quarters the slow tail of the answers."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        LOG.info("serving")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end this server and nothing more.

        uvicorn raises the signal again after its own end, which would kill the process before the vault has drained
        its writer, signed its ledger and dropped its keys.
        """
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in ENDING:
                loop.remove_signal_handler(number)


async def run(app: ASGIApp, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is under way for at most DRAIN_SECONDS."""
    config = uvicorn.Config(
        app,
        host=settings.bind,
        port=settings.port,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # it would write paths and queries
        server_header=False,
        proxy_headers=False,  # api.depends alone reads X-Forwarded-For, by settings.trusted_proxies
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    await Server(config).serve()
