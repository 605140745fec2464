"""A vault in a process of its own, for the tests that kill it, trace it or start it on purpose in a bad place.

`python -m tests.storage.child` reads one JSON object from stdin's first line and prints a line for each thing done.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import select

from vault.crypto.passwords import Cost, HashingQueue
from vault.errors import VaultError
from vault.model.tables import LedgerEntry
from vault.operations.house import destruction, upkeep
from vault.operations.leases import checkout
from vault.operations.presence import Presence
from vault.operations.services import tickets
from vault.operations.vault import Vault
from vault.settings import Settings
from vault.storage.clock import SystemClock
from vault.storage.keys import Opening
from vault.values import Actor

PAIRS = 8


class AheadClock(SystemClock):
    """The host's clock, ahead by as much as the tests' own clock is."""

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead

    def wall(self) -> int:
        return super().wall() + self._ahead


def say(*words: object) -> None:
    """One line, in one write, past every buffer."""
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


def person(told: dict[str, Any], role: str) -> Actor:
    return Actor("person", told[role], "api", "", role)


def opened(told: dict[str, Any]) -> Vault:
    settings = Settings(
        **{
            name: Path(value) if name.endswith(("_dir", "_file")) else value
            for name, value in told["settings"].items()
        }
    )
    return Vault.start(settings, AheadClock(told.get("ahead", 0)), HashingQueue(Cost(19 * 1024, 2, 1)))


async def start(told: dict[str, Any]) -> None:
    """Start, and say so or how it was refused."""
    try:
        vault = opened(told)
    except VaultError as refusal:
        say(f"{type(refusal).__name__}: {refusal}")
        return
    say("started sealed" if vault.is_sealed else "started")
    await vault.close()


async def acknowledged(vault: Vault, change: Any, actor: Actor, *args: Any) -> None:
    """Do it as `Vault.perform` does, and say which entry stands for it."""
    result, receipt = await vault.writer.perform(change, actor, *args)
    if isinstance(result, Opening):
        assert vault.keys.open(receipt, result)[result.name].expose()
    with vault.reader.connect() as connection:
        table = LedgerEntry.table()
        leaf = connection.execute(select(table.c.leaf).where(table.c.seq == receipt.seq)).scalar_one()
    say(receipt.seq, bytes(leaf).hex())


async def load(told: dict[str, Any]) -> None:
    """Reveals and changes, side by side, until told otherwise or killed."""
    vault = opened(told)
    technician, coordinator = person(told, "technician"), person(told, "coordinator")
    left = told.get("rounds", 1_000_000)

    async def reveal() -> None:
        for _ in range(left):
            await acknowledged(vault, checkout.reveal, technician, told["lease"], told["secret"], "password")

    async def change(worker: int) -> None:
        for turn in range(left):
            number = f"{told.get('mark', 'T')}-{worker}-{turn}"
            await acknowledged(vault, tickets.open_ticket, coordinator, told["service"], number, "Look at it")
            if turn % 5 == 0 and told.get("sign", True):
                await vault.checkpoint()

    say("ready")
    await asyncio.gather(*(reveal() for _ in range(PAIRS)), *(change(worker) for worker in range(PAIRS)))
    await vault.close()
    say("closed")


async def reveal(told: dict[str, Any]) -> None:
    """One reveal; the plaintext goes to the pipe."""
    vault = opened(told)
    say("ready")
    field = await vault.perform(
        checkout.reveal, person(told, "technician"), told["lease"], told["secret"], "password"
    )
    say("plaintext", field.expose())
    await vault.close()


async def end(told: dict[str, Any]) -> None:
    """End a service; the certificate goes to the pipe. With `die` the process kills itself at that point."""
    armed = _die_at(*told["die"]) if "die" in told else None
    vault = opened(told)
    say("ready")
    if armed:
        armed.set()
    try:
        view = await destruction.end(
            vault, person(told, "coordinator"), told["service"], told["title"], Presence(code=told["code"])
        )
    except VaultError as refusal:
        say(f"{type(refusal).__name__}: {refusal}")
        await vault.close()
        return
    say("certificate", json.dumps(view.note))
    if told.get("linger"):
        sys.stdin.readline()
    await vault.close()


async def sweep(told: dict[str, Any]) -> None:
    """What upkeep does by itself, once."""
    vault = opened(told)
    await upkeep.sweep(vault)
    await vault.close()
    say("swept")


def _die_at(function: str, event: str) -> threading.Event:
    """Once armed, kill this process at the call or the return of one of the program's own functions."""
    armed = threading.Event()

    def watch(frame: FrameType, seen: str, _value: object) -> None:
        code = frame.f_code
        if seen == event and code.co_name == function and "/vault/" in code.co_filename and armed.is_set():
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(watch)
    sys.setprofile(watch)
    return armed


VERBS: dict[str, Callable[[dict[str, Any]], Any]] = {
    work.__name__: work for work in (start, load, reveal, end, sweep)
}


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    asyncio.run(VERBS[given["do"]](given))
