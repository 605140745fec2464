"""Passwords: Argon2id (RFC 9106) within bounds, in one slow queue, so that a login storm harms nobody."""

import asyncio
import os
import re
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from argon2.exceptions import Argon2Error, VerifyMismatchError
from argon2.low_level import Type, hash_secret, verify_secret

from vault.crypto.password_strength import is_breached, weakness_of
from vault.errors import Invalid, Tampered, TooMany, Unavailable
from vault.values import Plaintext

SHORTEST: Final = 12
LONGEST: Final = 256
WAITING: Final = 8
"""How many hashes may wait behind the one that runs; at 160 ms each the last of them waits 1.3 s."""

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Cost:
    """What one hash costs: memory in KiB, passes over it, lanes."""

    memory: int
    passes: int
    lanes: int

    def within(self, floor: "Cost", ceiling: "Cost") -> bool:
        """Whether no part is below the floor or above the ceiling."""
        return (
            floor.memory <= self.memory <= ceiling.memory
            and floor.passes <= self.passes <= ceiling.passes
            and floor.lanes <= self.lanes <= ceiling.lanes
        )


COST: Final = Cost(memory=64 * 1024, passes=3, lanes=1)
FLOOR: Final = Cost(memory=19 * 1024, passes=2, lanes=1)
"""OWASP's least for Argon2id. A stored hash below it was put there by somebody else."""
CEILING: Final = Cost(memory=256 * 1024, passes=10, lanes=4)
"""A stored hash above it would let a writer of the database stop every sign-in."""

_STORED = re.compile(
    r"\$argon2id\$v=19\$m=([1-9][0-9]{0,7}),t=([1-9][0-9]{0,2}),p=([1-9][0-9]?)\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}",
    re.ASCII,
)


def parse_password(raw: str) -> Plaintext:
    """A password in the one spelling that every keyboard can repeat: 12 to 256 code points. Raises Invalid.

    The OpaqueString profile (RFC 8265 §4.2) in its main lines: NFC, every kind of space is U+0020, no
    control or surrogate characters, case and the rest untouched. No rules of composition.
    """
    prepared = prepare(raw)
    if not SHORTEST <= len(prepared) <= LONGEST:
        raise Invalid(f"a password has {SHORTEST} to {LONGEST} characters", "/password")
    return Plaintext(prepared)


def prepare(raw: str) -> str:
    """NFC, with one kind of space. Raises Invalid for control characters and absurd lengths."""
    if len(raw) > 4 * LONGEST or any(unicodedata.category(character) in {"Cc", "Cs"} for character in raw):
        raise Invalid("a password has no control characters and an end", "/password")
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in raw)
    return unicodedata.normalize("NFC", spaced)


def judge_password(password: Plaintext, *, personal: Sequence[str], breach_list: Path | None = None) -> None:
    """Let a new password pass only when it would not be guessed soon and is in no list of stolen ones.

    `personal` is what everybody may know: the names and addresses of its owner, of the business and of this vault.
    `breach_list` is a downloaded list of Have I Been Pwned. Takes up to a quarter of a second: not for the event loop.
    Raises Invalid with the reason, and as `parse_password`; Unavailable for a list that cannot be used.
    """
    prepared = parse_password(password.expose()).expose()
    weakness = weakness_of(prepared, personal)
    if weakness is not None:
        raise Invalid(weakness, "/password")
    if breach_list is not None and is_breached(prepared, breach_list):
        raise Invalid(
            "that password is in a list of stolen ones; take one that is used nowhere else", "/password"
        )


def hash_password(password: Plaintext, cost: Cost = COST) -> str:
    """A PHC string with a fresh 16-byte salt. Raises Invalid for what `parse_password` refuses."""
    prepared = parse_password(password.expose()).expose().encode()
    try:
        return hash_secret(
            prepared, secrets.token_bytes(16), cost.passes, cost.memory, cost.lanes, 32, Type.ID
        ).decode("ascii")
    except Argon2Error as error:
        raise Unavailable("there is not enough memory to hash a password") from error


def verify_password(stored: str | None, password: Plaintext, cost: Cost = COST) -> bool:
    """Whether this is the password. Nobody (None) costs the same time and is never right; nor is any garbage.

    `cost` is that of the hashes in use, which the dummy copies. Raises Tampered, before any work, for a
    stored string that is not ours.
    """
    if stored is not None:
        _cost_of(stored)
    try:
        attempt = parse_password(password.expose()).expose().encode()
    except Invalid:
        stored, attempt = None, b""
    try:
        verify_secret((stored or _dummy(cost)).encode("ascii"), attempt, Type.ID)
    except VerifyMismatchError:
        return False
    except Argon2Error as error:
        raise Unavailable("there is not enough memory to check a password") from error
    return stored is not None


def needs_rehash(stored: str, cost: Cost = COST) -> bool:
    """Whether it was hashed at another cost than today's. Raises Tampered for a string that is not ours."""
    return _cost_of(stored) != cost


def _cost_of(stored: str) -> Cost:
    found = _STORED.fullmatch(stored)
    if found is None:
        raise Tampered("a stored password hash is not one of ours")
    cost = Cost(*map(int, found.groups()))
    if not cost.within(FLOOR, CEILING):
        raise Tampered("a stored password hash is not one of ours")
    return cost


@cache
def _dummy(cost: Cost) -> str:
    return hash_password(Plaintext(secrets.token_urlsafe(32)), cost)


class HashingQueue:
    """One hash at a time, eight waiting, and for everybody else TooMany.

    One thread at the lowest priority, because it was measured: beside an unbounded pool other requests keep
    4 % of their throughput, beside this 60 to 80 %; and forty hashes at once need 2.9 GiB.
    """

    def __init__(self, cost: Cost = COST) -> None:
        self._cost = cost
        self._thread = ThreadPoolExecutor(1, "hashing", initializer=_step_back)
        self._lock = threading.Lock()
        self._inside = 0

    async def verify(self, stored: str | None, password: Plaintext) -> bool:
        """As `verify_password`. Raises TooMany when the queue is full, before any work."""
        return await self._run(lambda: verify_password(stored, password, self._cost))

    async def hash(self, password: Plaintext) -> str:
        """As `hash_password`. Raises TooMany when the queue is full, before any work."""
        return await self._run(lambda: hash_password(password, self._cost))

    def is_outdated(self, stored: str) -> bool:
        """As `needs_rehash`, by the cost of this queue."""
        return needs_rehash(stored, self._cost)

    def close(self) -> None:
        """Let the running hash end and drop those that wait."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        with self._lock:
            if self._inside > WAITING:
                raise TooMany("too many people are signing in at this moment")
            self._inside += 1
        try:
            job = self._thread.submit(work)
        except RuntimeError as error:
            self._leave()
            raise Unavailable("the vault is stopping") from error
        # the place is free when the work has ended, not when its asker went away: clients that hang up would
        # otherwise fill the thread's own queue, which has no bound
        job.add_done_callback(self._leave)
        return await asyncio.wrap_future(job)

    def _leave(self, _: Future[_Result] | None = None) -> None:
        with self._lock:
            self._inside -= 1


def _step_back() -> None:
    if sys.platform == "linux":  # elsewhere a thread's number may be some other process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
