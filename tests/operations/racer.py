"""A vault in a process of its own, for races: it does what it is told, when it is told, by the clock that it is told.

`python -m tests.operations.racer` reads JSON objects from stdin, a line each, and answers each with a line:
`{"settings": …, "wall": …}` starts the vault; `{"prepare": [deeds]}` has every deed go as far as its proof of presence;
`{"go": moment of CLOCK_MONOTONIC, "wall": …}` lets them all go on in that moment, and answers how each of them went.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.hashes import CHEAP
from vault.crypto import passwords
from vault.crypto.passwords import HashingQueue
from vault.errors import VaultError
from vault.operations import presence
from vault.operations.house import destruction
from vault.operations.leases import approving, checkout, extending, glass, reviewing
from vault.operations.presence import Presence
from vault.operations.services import tickets
from vault.operations.vault import Vault
from vault.policy.attempts import LIMITS
from vault.settings import Settings
from vault.values import Actor

REASON = "install the shop as ordered"
GRAVE = "the shop is down on a holiday, and nobody of the coordinators answers"
NOTE = "they could not have known it better"


class ToldClock:
    """It stands, and is where it was put."""

    at = 0

    def wall(self) -> int:
        return self.at

    def elapsed(self) -> int:
        return self.at


CLOCK = ToldClock()


class Gate:
    """Where every deed waits for the others: between its proof of presence and its transaction."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.reached: set[asyncio.Task[Any]] = set()

    async def wait(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.reached.add(task)
        await self.open.wait()


GATE = Gate()
_prove = presence.prove


async def prove_and_wait(*given: Any) -> str:
    proof = await _prove(*given)
    await GATE.wait()
    return proof


# -- deeds ------------------------------------------------------------------------------------------------------------


async def lease(vault: Vault, actor: Actor, code: str, ticket: str, secrets: list[str], minutes: int) -> str:
    given = Presence(code=code)
    view = await checkout.lease(vault, actor, ticket, secrets, minutes, REASON, given)
    return f"{view.state} {view.approver_why}".strip()


async def extend(vault: Vault, actor: Actor, code: str, lease: str, minutes: int) -> None:
    await extending.extend(vault, actor, lease, minutes, Presence(code=code))


async def approve(vault: Vault, actor: Actor, code: str, lease: str, digest: str) -> None:
    await approving.approve(vault, actor, lease, digest, Presence(code=code))


async def break_glass(vault: Vault, actor: Actor, code: str, lease: str) -> None:
    await glass.break_glass(vault, actor, lease, GRAVE, Presence(code=code))


async def close_review(vault: Vault, actor: Actor, code: str, review: str, verdict: str) -> None:
    await reviewing.close_review(vault, actor, review, verdict, NOTE, Presence(code=code))


async def end(vault: Vault, actor: Actor, code: str, service: str, title: str) -> None:
    await destruction.end(vault, actor, service, title, Presence(code=code))


async def reveal(vault: Vault, actor: Actor, lease: str, secret: str) -> str:
    await GATE.wait()
    return (await checkout.open_field(vault, actor, lease, secret, "password")).expose()


async def check_in(vault: Vault, actor: Actor, lease: str) -> None:
    await GATE.wait()
    await vault.perform(checkout.check_in, actor, lease)


async def revoke(vault: Vault, actor: Actor, lease: str) -> None:
    await GATE.wait()
    await vault.perform(checkout.revoke, actor, lease)


async def unassign(vault: Vault, actor: Actor, ticket: str, person: str) -> None:
    await GATE.wait()
    await vault.perform(tickets.unassign, actor, ticket, person)


WORKS = (lease, extend, approve, break_glass, close_review, end, reveal, check_in, revoke, unassign)
DEEDS: dict[str, Callable[..., Awaitable[Any]]] = {work.__name__: work for work in WORKS}


async def outcome(vault: Vault, deed: dict[str, Any]) -> list[str]:
    actor = Actor("person", deed.pop("who"), "api", "", "192.0.2.7")
    try:
        return ["done", str(await DEEDS[deed.pop("do")](vault, actor, **deed) or "")]
    except VaultError as refusal:
        return [type(refusal).__name__, str(refusal)]


# -- as it is told ----------------------------------------------------------------------------------------------------


async def prepared(vault: Vault, deeds: list[dict[str, Any]]) -> list[asyncio.Task[list[str]]]:
    """Each deed at its gate, or refused before it; one after the other, so that each has a code of its own."""
    GATE.open.clear()
    GATE.reached.clear()
    tasks = []
    for deed in deeds:
        CLOCK.at = deed.pop("wall")
        task = asyncio.create_task(outcome(vault, deed))
        while not task.done() and task not in GATE.reached:
            await asyncio.sleep(0.001)
        tasks.append(task)
    return tasks


async def main() -> None:
    told = json.loads(sys.stdin.readline())
    passwords.FLOOR = CHEAP
    presence.prove = prove_and_wait
    LIMITS["code"] = 1_000_000
    CLOCK.at = told["wall"]
    settings = Settings(
        **{
            name: Path(value) if name.endswith(("_dir", "_file")) else value
            for name, value in told["settings"].items()
        }
    )
    vault = Vault.start(settings, CLOCK, HashingQueue(CHEAP))
    say("ready")
    tasks: list[asyncio.Task[list[str]]] = []
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        if "prepare" in order:
            tasks = await prepared(vault, order["prepare"])
            say("prepared")
        else:
            CLOCK.at = order["wall"]
            while time.monotonic() < order["go"]:
                await asyncio.sleep(0)
            GATE.open.set()
            say(json.dumps(await asyncio.gather(*tasks)))
    await vault.close()


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    asyncio.run(main())
