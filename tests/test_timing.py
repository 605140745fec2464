"""How long a wrong sign-in takes says nothing about whether there is such an account.

What is measured goes over real HTTP to the whole application. Of each kind there are 200 pairs, measured one after the
other and in changing order, so that whatever slows the machine down meets both alike; the Mann-Whitney U test then
says how likely so large a difference would be if there were none. On a machine that does other work too a true null
hypothesis is rejected now and then (of a hundred such tests one, by the very meaning of p), so a kind that is rejected
is measured anew, twice at most: a difference that is there is found by all three, chance finds it once in a million.
"""

import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client

from tests.operations.provers import with_passkey
from tests.world import PASSWORD, Member, Template, World
from vault.crypto.passwords import FLOOR
from vault.operations.people import account, staff
from vault.policy.attempts import LIMITS
from vault.values import Actor

PAIRS = 200
WARM_UP = 6
REPETITIONS = 3
LIKELY = 0.01
A_WINDOW = min(LIMITS["account"], LIMITS["source"] // 2, LIMITS["everybody"] // 2) - 1
"""Pairs that fit into one window of the limits; then the world's clock goes on to the next."""


@dataclass(frozen=True)
class Try:
    """What somebody types who wants to know whether there is such an account."""

    mail: str
    password: str = "not the password of anybody"
    code: str = "000000"

    @property
    def body(self) -> dict[str, str]:
        return {"mail": self.mail, "password": self.password, "code": self.code}


@dataclass(frozen=True)
class Statistics:
    """Two samples and what the test says of them."""

    p: float
    effect: float
    """How often one of the first takes longer than one of the second: 0.5 where there is no difference."""
    medians: tuple[float, float]

    def __str__(self) -> str:
        first, second = (f"{1000 * median:.2f} ms" for median in self.medians)
        return f"medians {first} and {second}, effect {self.effect:.3f}, p = {self.p:.4f}"


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> Statistics:
    """The two-sided U test (Mann and Whitney 1947) by its normal approximation, corrected for ties and continuity."""
    n, m = len(first), len(second)
    whole = sorted([*first, *second])
    ranks: dict[float, float] = {}
    ties, at = 0.0, 0
    while at < len(whole):
        end = at
        while end < len(whole) and whole[end] == whole[at]:
            end += 1
        ranks[whole[at]] = (at + 1 + end) / 2
        ties += (end - at) ** 3 - (end - at)
        at = end
    u = sum(ranks[one] for one in first) - n * (n + 1) / 2
    total = n + m
    deviation = math.sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1))))
    z = max(abs(u - n * m / 2) - 0.5, 0.0) / deviation if deviation else 0.0
    medians = (statistics.median(first), statistics.median(second))
    return Statistics(math.erfc(z / math.sqrt(2)), u / (n * m), medians)


def test_the_statistic_is_that_of_the_tables() -> None:
    assert mann_whitney([1, 2, 3], [4, 5, 6]).effect == 0
    assert mann_whitney([1.0] * 9, [1.0] * 9).p == 1
    same = [float(number % 17) for number in range(200)]
    assert mann_whitney(same, same[::-1]).p > 0.9
    assert mann_whitney(same, [number + 3 for number in same]).p < 0.0001
    # a worked example: U = 23 of 35, z = 0.812 with the correction for continuity
    found = mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12])
    assert (round(found.effect * 20), round(found.p, 3)) == (17, 0.111)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[World]:
    """The small company, its hashes as dear as the cheapest that the product takes: they hide the rest."""
    with Template(tmp_path / "template", None, FLOOR).world(tmp_path) as world:
        yield world


@pytest.fixture
def client(embedded: World, server: str) -> Iterator[Client]:
    with Client(base_url=f"{server}/api/v1", timeout=60) as client:
        yield client


def compare(
    world: World, client: Client, first: Callable[[int], Try], second: Callable[[int], Try]
) -> Statistics:
    """Measure both, pair by pair, until they are found alike or have differed three times."""
    found: list[Statistics] = []
    while len(found) < REPETITIONS and (not found or found[-1].p <= LIKELY):
        found.append(mann_whitney(*measured(world, client, first, second)))
        print(f"  {found[-1]}")  # noqa: T201 (the statistics are what this test is for)
    return found[-1]


def measured(
    world: World, client: Client, first: Callable[[int], Try], second: Callable[[int], Try]
) -> tuple[list[float], list[float]]:
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(-WARM_UP, PAIRS):
        if number % A_WINDOW == 0 or number == -WARM_UP:
            world.clock.advance(minutes=16)
        order = (0, 1) if number % 2 else (1, 0)
        for which in order:
            spent = timed(client, (first, second)[which](number))
            if number >= 0:
                taken[which].append(spent)
    return taken


def timed(client: Client, what: Try) -> float:
    began = time.perf_counter()
    answer = client.post("/session", json=what.body)
    spent = time.perf_counter() - began
    assert answer.status_code == 401, answer.text
    return spent


@contextmanager
def load(world: World) -> Iterator[None]:
    """Somebody else's hashes in the queue all the time, as many as leave room for one more."""
    over = threading.Event()

    def hash_on() -> None:
        from vault.values import Plaintext

        while not over.is_set():
            world.run(world.vault.hashing.hash(Plaintext(PASSWORD)))

    threads = [threading.Thread(target=hash_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def unknown(number: int) -> str:
    return f"tim{number % 7}@agency.example"


KINDS: dict[str, Callable[[World], tuple[Callable[[int], Try], Callable[[int], Try]]]] = {}


def kind(name: str) -> Any:
    def named(make: Any) -> Any:
        KINDS[name] = make
        return make

    return named


@kind("known and unknown")
def _(world: World) -> Any:
    known = world.member("technician").view.mail
    return lambda number: Try(known), lambda number: Try(unknown(number))


@kind("known with a code of another's and unknown")
def _(world: World) -> Any:
    known, code = world.member("technician").view.mail, world.code("coordinator")
    return lambda number: Try(known, code=code), lambda number: Try(unknown(number), code=code)


@kind("known and disabled")
def _(world: World) -> Any:
    gone = world.hire("Gina Gone", "technician")
    world.perform(staff.disable, Actor.host(), gone.id)
    known = world.member("technician").view.mail
    return lambda number: Try(known), lambda number: Try(gone.view.mail)


@kind("disabled and unknown")
def _(world: World) -> Any:
    gone = world.hire("Gina Gone", "technician")
    world.perform(staff.disable, Actor.host(), gone.id)
    return lambda number: Try(gone.view.mail), lambda number: Try(unknown(number))


@kind("invited and unknown")
def _(world: World) -> Any:
    invited = world.run(
        staff.add(world.vault, Actor.host(), "Ian Invited", "ian@agency.example", ["technician"])
    )
    return lambda number: Try(invited.person.mail), lambda number: Try(unknown(number))


@kind("passkey only and unknown")
def _(world: World) -> Any:
    member = only_a_passkey(world)
    return lambda number: Try(member.view.mail), lambda number: Try(unknown(number))


@kind("a long password")
def _(world: World) -> Any:
    known, long = world.member("technician").view.mail, "correct horse " * 18
    return lambda number: Try(known, long), lambda number: Try(unknown(number), long)


@kind("a password that is far too long")
def _(world: World) -> Any:
    known, long = world.member("technician").view.mail, "x" * 1900
    return lambda number: Try(known, long), lambda number: Try(unknown(number), long)


@kind("a recovery code")
def _(world: World) -> Any:
    known, code = world.member("technician").view.mail, "3-7KQM-2F9D-XW1B"
    return lambda number: Try(known, code=code), lambda number: Try(unknown(number), code=code)


def only_a_passkey(world: World) -> Member:
    """Somebody whose one second factor is a passkey."""
    member = world.member("technician")
    with_passkey(world, member)
    view = world.read(account.account, world.actor(member))
    totp = next(factor.id for factor in view.factors if factor.kind == "totp")
    world.run(account.remove_factor(world.vault, world.actor(member), totp, world.presence(member)))
    return member


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.attack("AN12")
@pytest.mark.parametrize("name", KINDS)
def test_time_tells_nothing_of_an_account(embedded: World, client: Client, name: str) -> None:
    found = compare(embedded, client, *KINDS[name](embedded))
    assert found.p > LIKELY, f"{name}: {found}"


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.attack("AN12", "DO01")
def test_nor_does_it_while_others_wait_for_the_same_queue(embedded: World, client: Client) -> None:
    pair = KINDS["known and unknown"](embedded)
    with load(embedded):
        found = compare(embedded, client, *pair)
    assert found.p > LIKELY, str(found)
