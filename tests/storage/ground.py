"""What the tests of this floor share: a vault in another process, copies of files, and looking at every byte."""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from tests.hashes import CHEAP
from tests.world import World
from vault.crypto.passwords import HashingQueue
from vault.errors import VaultError
from vault.ledger.verify import Verdict, verify_bundle
from vault.operations.house import operator
from vault.operations.vault import Vault

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "tests.storage.child")


def told(world: World, do: str, **more: Any) -> bytes:
    """The line that tells a child what to do."""
    given = {name: getattr(world.settings, name) for name in world.settings.model_fields_set}
    settings = {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
    people = {role: world.staff[role].id for role in ("technician", "coordinator", "auditor")}
    if do == "end":
        more.setdefault("code", world.code("coordinator"))
    ahead = world.clock.wall() - time.time_ns() // 1000
    return json.dumps({"do": do, "settings": settings, "ahead": ahead, **people, **more}).encode() + b"\n"


def spawn(
    world: World, do: str, *before: str, env: dict[str, str] | None = None, **more: Any
) -> subprocess.Popen[bytes]:
    """A child at work; `before` is what its command line begins with, like strace."""
    child = subprocess.Popen(
        [*before, *PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
    )
    assert child.stdin is not None
    child.stdin.write(told(world, do, **more))
    child.stdin.flush()
    return child


def finished(child: subprocess.Popen[bytes], seconds: float = 60) -> list[str]:
    """Every line the child has said, after its end. A child that is killed has said what it had said."""
    out, err = child.communicate(timeout=seconds)
    if child.returncode > 0:
        raise AssertionError(err.decode()[-3000:])
    return out.decode().splitlines()


def asked(world: World, do: str, **more: Any) -> list[str]:
    return finished(spawn(world, do, **more))


@contextmanager
def away(world: World) -> Iterator[None]:
    """The world's own vault is closed meanwhile, so that another process can have it; then it starts again."""
    began = time.monotonic()
    world.let_go()
    try:
        yield
    finally:
        world.clock.advance(seconds=time.monotonic() - began + 1)
        world.vault = world._start()


def started(world: World) -> str:
    """How a start of that vault goes while the world's own is away: `started`, or the refusal."""
    try:
        vault = Vault.start(world.settings, world.clock, HashingQueue(CHEAP))
    except VaultError as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    world.run(vault.close())
    return "started"


def verified(world: World, place: Path) -> Verdict:
    """Export the ledger and let the offline verifier say what it thinks of it."""
    path = place / "bundle"
    path.write_bytes(world.bundle())
    return verify_bundle(path, key=world.vkey())


def findings(world: World) -> dict[str, str]:
    """The doctor's findings, as subject and level."""
    return {found.subject: found.level for found in world.run(operator.doctor(world.vault))}


def copied(world: World, place: Path, *names: str) -> Path:
    """A copy of files of the data directory, taken while nobody writes."""
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        for path in sorted(world.settings.data_dir.glob(f"{name}*")):
            shutil.copy2(path, place / path.name)
    return place


def put_back(world: World, place: Path, *names: str) -> None:
    """Exactly those files as they were then; what SQLite keeps beside them goes too."""
    for name in names:
        for path in world.settings.data_dir.glob(f"{name}*"):
            path.unlink()
        for path in place.glob(f"{name}*"):
            shutil.copy2(path, world.settings.data_dir / path.name)


def spellings(raw: bytes) -> list[bytes]:
    """The same bytes as they might be spelt on a disk."""
    text = raw.decode("utf-8", "replace")
    found = [
        raw,
        raw.hex().encode(),
        raw.hex().upper().encode(),
        quote_from_bytes(raw).encode(),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
    ]
    for start in range(3):  # base64 of a text that has the bytes somewhere in it
        whole = base64.b64encode(b"\0" * start + raw)
        core = whole[4 if start else 0 : len(whole) - 4]
        found += [core, core.replace(b"+", b"-").replace(b"/", b"_")]
    return [one for one in found if len(one) >= 8]


def where_found(place: Path, needles: list[bytes]) -> set[str]:
    """Names of the files below a directory that hold one of them."""
    found = set()
    for path in place.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            if any(needle in raw for needle in needles):
                found.add(path.name)
    return found


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something to become so."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError("it did not become so in time")
        time.sleep(0.02)
