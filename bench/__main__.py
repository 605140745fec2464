"""Measure the vault against a no-op endpoint of the same application, in one interleaved run.

`python -m bench` writes docs/performance.md, docs/performance.svg and bench/results.json. Absolute numbers are this
machine's; the ratios hold elsewhere, because what they compare was measured seconds apart by the same client.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import uvloop

from bench.load import Call, Measured, code_now, load
from bench.report import Row, write
from bench.slow_disk import surroundings

CLIENTS = (1, 8, 64)
TECHNICIANS = sum(CLIENTS[:1]) * 8 + 8 + 64
SUBMITS = {1: 20, 8: 64, 64: 192}
CHECKOUTS = {1: 8, 8: 8, 64: 64}
STEP_SECONDS = 30


@dataclass
class Subject:
    """A server that runs, and what it still has to be loaded with."""

    name: str
    process: subprocess.Popen[str]
    facts: dict[str, Any]
    syncs: Path
    """A file that grows by one byte with every sync."""
    """Grows by one byte with every sync."""
    forms: Iterator[dict[str, Any]] = field(init=False)
    step: int = 0
    unused: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.forms = iter(self.facts["forms"])
        self.port = int(self.facts["port"])

    def post(self, path: str, body: str, expected: int, token: str) -> Call:
        """A signed-in call."""
        return Call.post(self.port, path, body, expected, Authorization=f"Bearer {token}")

    def calls(self, what: str, clients: int) -> Iterator[Call]:
        """What so many clients take from: endlessly the same where it may be repeated, else as much as there is."""
        token = self.facts["token"]
        if what == "no-op":
            return repeat(self.post("/bench/noop", "{}", 200, token))
        if what == "reveal":
            body = json.dumps({"secret": self.facts["secret"], "field": "password"})
            return repeat(self.post(f"/api/v1/leases/{self.facts['lease']}/reveal", body, 200, token))
        if what == "submit":
            forms = [next(self.forms) for _ in range(SUBMITS[clients])]
            return iter(
                [
                    Call.post(self.port, "/give/secret", form["body"], 200, Valetkey_Give=form["browser"])
                    for form in forms
                ]
            )
        return iter([self._checkout(self._fresh()) for _ in range(CHECKOUTS[clients])])

    def _fresh(self) -> dict[str, str]:
        """A technician whose one-time code of this step is unused."""
        if not self.unused:
            raise RuntimeError("there are more checkouts than technicians")
        return self.unused.pop()

    def _checkout(self, technician: dict[str, str]) -> Call:
        body = json.dumps(
            {
                "secrets": [self.facts["secret"]],
                "minutes": 60,
                "reason": "measure the checkout",
                "presence": {"code": code_now(technician["seed"])},
            }
        )
        return self.post(f"/api/v1/tickets/{self.facts['ticket']}/leases", body, 201, technician["token"])

    async def next_step(self) -> None:
        """Wait until everybody has a one-time code that was never used, with time left to use it."""
        while int(time.time()) // STEP_SECONDS == self.step or time.time() % STEP_SECONDS > STEP_SECONDS - 8:
            await asyncio.sleep(0.2)
        self.step = int(time.time()) // STEP_SECONDS
        self.unused = list(self.facts["technicians"])

    def counted(self) -> tuple[int, int]:
        """Entries recorded and syncs made so far."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the server has no pipes")
        self.process.stdin.write("count\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        syncs = self.syncs.stat().st_size if self.syncs.exists() else 0
        return int(said["entries"]), syncs


@contextlib.asynccontextmanager
async def subject(name: str, forms: int, delay_ms: float) -> AsyncIterator[Subject]:
    """A server of its own process, over a disk whose syncs take `delay_ms` longer, ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="valetkey-bench-") as place:
        syncs = Path(place) / "syncs"
        environment = os.environ | surroundings(delay_ms, syncs)
        command = [sys.executable, "-m", "bench.server", str(TECHNICIANS + 1), str(forms)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        try:
            line = await asyncio.to_thread(process.stdout.readline)  # type: ignore[union-attr]
            if not line:
                raise RuntimeError("the server did not start")
            yield Subject(name, process, json.loads(line), syncs)
        finally:
            process.stdin.close()  # type: ignore[union-attr]
            try:
                await asyncio.to_thread(process.wait, 60)
            except subprocess.TimeoutExpired:
                process.kill()


async def measure(rounds: int, seconds: float) -> list[Row]:
    """One interleaved run over both disks. A row for each deed, number of clients and disk."""
    forms = (rounds + 1) * sum(SUBMITS.values())
    found: dict[tuple[str, str, int], list[tuple[Measured, float]]] = {}
    async with subject("fast", forms, 0) as fast, subject("slow", forms, 2) as slow:
        for turn in range(rounds + 1):  # the first round warms up and is not kept
            for server in (fast, slow):
                await server.next_step()
                for clients in CLIENTS:
                    for what in ("no-op", "reveal", "checkout", "submit"):
                        entries, syncs = server.counted()
                        measured = await load(server.port, clients, server.calls(what, clients), seconds)
                        more, later = server.counted()
                        share = (more - entries) / max(later - syncs, 1)
                        if turn:
                            found.setdefault((server.name, what, clients), []).append((measured, share))
            sys.stderr.write(f"round {turn} of {rounds} is done\n")
    return [row(found, *key) for key in found]


def row(
    found: dict[tuple[str, str, int], list[tuple[Measured, float]]], disk: str, what: str, clients: int
) -> Row:
    """The medians of one deed over all rounds; its ratios are taken round by round."""
    runs = found[disk, what, clients]
    noop = found[disk, "no-op", clients]
    fast = found["fast", what, clients]
    return Row(
        disk=disk,
        what=what,
        clients=clients,
        rate=statistics.median(run.rate for run, _ in runs),
        p50_ms=statistics.median(run.quantile(0.5) for run, _ in runs) * 1000,
        p99_ms=statistics.median(run.quantile(0.99) for run, _ in runs) * 1000,
        entries_per_sync=statistics.median(share for _, share in runs),
        versus_noop=statistics.median(
            run.rate / base.rate for (run, _), (base, _) in zip(runs, noop, strict=True)
        ),
        versus_fast=statistics.median(
            run.rate / base.rate for (run, _), (base, _) in zip(runs, fast, strict=True)
        ),
    )


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds that are kept")
    parser.add_argument(
        "--seconds", type=float, default=1.5, help="seconds a measurement of what can be repeated"
    )
    parser.add_argument("--print-only", action="store_true", help="leave the documents as they are")
    given = parser.parse_args()
    rows = uvloop.run(measure(given.rounds, given.seconds))
    write(rows, rounds=given.rounds, only_print=given.print_only)


if __name__ == "__main__":
    main()
