"""People's passwords: one spelling, bounded work, the same cost for nobody, and a queue that ends."""

import asyncio
import os
import threading
import time

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto import passwords
from vault.crypto.passwords import (
    COST,
    FLOOR,
    WAITING,
    Cost,
    HashingQueue,
    hash_password,
    needs_rehash,
    parse_password,
    verify_password,
)
from vault.errors import Invalid, Tampered, TooMany, Unavailable
from vault.values import Plaintext

RIGHT = Plaintext("correct horse")
WRONG = Plaintext("correct house")
STORED = hash_password(RIGHT, FLOOR)


def test_a_password_is_right_or_wrong() -> None:
    assert verify_password(STORED, RIGHT, FLOOR)
    assert not verify_password(STORED, WRONG, FLOOR)
    assert hash_password(RIGHT, FLOOR) != STORED
    assert "horse" not in STORED
    assert PasswordHasher().verify(STORED, "correct horse")  # an ordinary PHC string


def test_new_hashes_cost_what_was_measured() -> None:
    stored = hash_password(RIGHT)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert not needs_rehash(stored)
    assert needs_rehash(STORED)
    assert not needs_rehash(STORED, FLOOR)


@pytest.mark.attack("CR07")
@pytest.mark.parametrize(
    "stored",
    [
        "",
        "x",
        STORED.replace("m=19456", "m=8"),
        STORED.replace("m=19456", "m=19455"),
        STORED.replace("m=19456", "m=2147483648"),
        STORED.replace("m=19456", "m=262145"),
        STORED.replace("m=19456", "m=019456"),
        STORED.replace("t=2", "t=1"),
        STORED.replace("t=2", "t=11"),
        STORED.replace("p=1", "p=5"),
        STORED.replace("argon2id", "argon2i"),
        STORED.replace("v=19", "v=16"),
        STORED.replace("$v=19", ""),
        STORED + "\n",
        " " + STORED,
        STORED[:-1],
        STORED.rsplit("$", 1)[0] + "$" + "A" * 6,
        "$2b$12$" + "a" * 53,
        STORED.replace("m=1", "m=\uff11"),
    ],
    ids=range(19),  # every process must call them the same
)
def test_a_stored_hash_that_is_not_ours_is_refused_before_any_work(
    stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> bool:
        raise AssertionError("work was done for a hash that must be refused before")

    monkeypatch.setattr(passwords, "verify_secret", never)
    with pytest.raises(Tampered):
        verify_password(stored, RIGHT, FLOOR)
    with pytest.raises(Tampered):
        needs_rehash(stored)


@pytest.mark.attack("AN12")
def test_nobody_and_garbage_cost_what_somebody_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_on = []
    verify = passwords.verify_secret

    def watched(stored: bytes, *rest: object) -> bool:
        worked_on.append(stored.decode().split("$")[3])
        return verify(stored, *rest)

    monkeypatch.setattr(passwords, "verify_secret", watched)
    passwords._dummy(FLOOR)
    assert verify_password(STORED, RIGHT, FLOOR)
    for stored, attempt in (
        (STORED, WRONG),
        (None, RIGHT),
        (None, Plaintext("")),
        (STORED, Plaintext("short")),
        (STORED, Plaintext("x" * 100_000)),
        (STORED, Plaintext("lone surrogate \ud800")),
        (STORED, Plaintext("correct horse\x00")),
    ):
        assert not verify_password(stored, attempt, FLOOR)
    assert worked_on == ["m=19456,t=2,p=1"] * 8


@pytest.mark.attack("AN12")
def test_nobody_is_never_right_even_with_the_dummys_own_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_dummy", lambda _: STORED)
    assert not verify_password(None, RIGHT, FLOOR)


def test_a_password_has_one_spelling() -> None:
    assert parse_password("Pa\u0308sse sind\u00a0toll").expose() == "P\u00e4sse sind toll"
    assert verify_password(
        hash_password(Plaintext("Pa\u0308sse sind toll"), FLOOR), Plaintext("P\u00e4sse sind toll")
    )
    assert parse_password("  spaces at the ends stay  ").expose() == "  spaces at the ends stay  "
    assert parse_password("UPPER lower 12").expose() == "UPPER lower 12"


@pytest.mark.parametrize(
    "raw", ["", "eleven char", "x" * 257, "x" * 10**6, "line\nbreak inside", "nul\x00 is in here"]
)
def test_what_no_one_should_have_for_a_password_is_invalid(raw: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_password(raw)
    assert refusal.value.pointer == "/password"
    with pytest.raises(Invalid):
        hash_password(Plaintext(raw), FLOOR)


@given(st.text(max_size=300))
def test_any_text_is_a_password_or_invalid(raw: str) -> None:
    try:
        parsed = parse_password(raw).expose()
    except Invalid:
        return
    assert 12 <= len(parsed) <= 256
    assert parse_password(parsed).expose() == parsed
    parsed.encode()


@pytest.mark.attack("DO01")
def test_nine_are_let_in_and_the_rest_are_told_to_wait() -> None:
    async def storm() -> list[object]:
        queue = HashingQueue(COST)
        stored = await queue.hash(RIGHT)
        storming = (queue.verify(stored, RIGHT) for _ in range(WAITING + 5))
        answers = await asyncio.gather(*storming, return_exceptions=True)
        assert await queue.verify(stored, RIGHT)  # the storm is over
        queue.close()
        return answers

    answers = asyncio.run(storm())
    assert answers[: WAITING + 1] == [True] * (WAITING + 1)
    assert all(isinstance(answer, TooMany) for answer in answers[WAITING + 1 :])
    assert len(answers[WAITING + 1 :]) == 4


@pytest.mark.attack("DO01")
def test_clients_that_hang_up_do_not_make_room_before_their_work_has_ended() -> None:
    started, finish = threading.Event(), threading.Event()

    def long_work() -> bool:
        started.set()
        return finish.wait(10)

    async def storm() -> None:
        queue = HashingQueue(FLOOR)
        running = asyncio.ensure_future(queue._run(long_work))
        while not started.is_set():
            await asyncio.sleep(0.001)
        running.cancel()
        waiting = [asyncio.ensure_future(queue._run(lambda: True)) for _ in range(WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(TooMany):
            await queue._run(lambda: True)
        waiting[0].cancel()
        await asyncio.sleep(0)
        assert queue._inside == WAITING  # work that never began leaves at once
        finish.set()
        assert await asyncio.gather(*waiting[1:]) == [True] * (WAITING - 1)
        assert queue._inside == 0
        queue.close()
        with pytest.raises(Unavailable):
            await queue.verify(None, RIGHT)

    asyncio.run(storm())


@pytest.mark.attack("DO01")
def test_hashing_steps_back_and_leaves_the_loop_free() -> None:
    async def measure() -> tuple[int, int]:
        queue = HashingQueue(FLOOR)
        nice = await queue._run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        hashing = asyncio.ensure_future(queue.hash(RIGHT))
        turns, until = 0, time.monotonic() + 10
        while not hashing.done() and time.monotonic() < until:
            turns += 1
            await asyncio.sleep(0.001)
        await hashing
        queue.close()
        return nice, turns

    nice, turns = asyncio.run(measure())
    assert nice == 19
    assert turns > 3
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19


def test_a_refusal_in_the_queue_reaches_its_asker() -> None:
    async def ask() -> None:
        queue = HashingQueue(FLOOR)
        with pytest.raises(Tampered):
            await queue.verify("nonsense", RIGHT)
        with pytest.raises(Invalid):
            await queue.hash(Plaintext("short"))
        assert await queue.verify(STORED, RIGHT)
        assert not await queue.verify(None, RIGHT)
        queue.close()

    asyncio.run(ask())


def test_bounds_are_bounds() -> None:
    assert FLOOR.within(FLOOR, COST)
    assert not Cost(FLOOR.memory - 1, 2, 1).within(FLOOR, COST)
    assert not Cost(COST.memory, 4, 1).within(FLOOR, COST)
    assert not Cost(COST.memory, 3, 2).within(FLOOR, COST)
