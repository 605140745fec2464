"""Two servers on one PostgreSQL do contradicting things in one moment: there is one order, and one of them wins."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import _template
from tests.operations.lease_scene import ENVIRONMENT, Scene, begin_job, go_to, lay, moment, title
from tests.source_tree import ROOT
from tests.world import LOGIN, Template, World
from vault.ledger.entry import Entry, decode
from vault.ledger.verify import verify_bundle
from vault.model.views import LeaseView
from vault.operations.house import upkeep
from vault.operations.leases import checkout
from vault.policy.attempts import LIMITS
from vault.values import Actor

from .racer import REASON

DEED = dict[str, Any]
Outcome = list[str]
ROUNDS = pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.long)])


class Racer:
    """The other end of `racer`."""

    def __init__(self, world: World) -> None:
        given = {name: getattr(world.settings, name) for name in world.settings.model_fields_set}
        settings = {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.operations.racer"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True
        )
        self.tell({"settings": settings, "wall": world.clock.wall()})

    def tell(self, order: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "a racer has died"
        return line.strip()

    def close(self) -> None:
        _, _ = self.process.communicate(timeout=30)
        assert self.process.returncode == 0


class Ring:
    """The world, its scene, and two more servers on its databases."""

    def __init__(self, world: World, held: ExitStack) -> None:
        self.world = world
        self.scene: Scene = lay(world)
        self.members = {member.id: member for member in world.staff.values()}
        self.racers = (Racer(world), Racer(world))
        for racer in self.racers:
            held.callback(racer.close)
        assert [racer.answer() for racer in self.racers] == ["ready"] * 2
        self.jobs = 0

    def actor(self, who: str) -> Actor:
        return Actor("person", self.scene.people[who], "api", "", "192.0.2.7")

    def given(self, who: str) -> Any:
        return self.world.presence(self.members[self.scene.people[who]])

    def job(self, kind: str, *, same_day: bool = False) -> str:
        """One more service of a kind; on another day, so that nobody opens too many on one or waits for too much."""
        self.jobs += 1
        if not same_day:
            self.world.clock.advance(hours=25)
            self.world.run(upkeep.sweep(self.world.vault))
        begin_job(self.world, self.scene, kind, f"{kind}-{self.jobs}")
        return f"{kind}-{self.jobs}"

    def login(self, job: str) -> str:
        return next(iter(self.scene.house.jobs[job].logins))

    def lent(self, who: str, job: str, minutes: int = 30) -> LeaseView:
        given, wanted = self.given(who), [self.login(job)]
        ticket = self.scene.tasks[job]
        return self.world.run(
            checkout.lease(self.world.vault, self.actor(who), ticket, wanted, minutes, REASON, given)
        )

    def deed(self, do: str, who: str, **more: Any) -> DEED:
        """A deed without a proof; `proved` is one with."""
        return {"do": do, "who": self.scene.people[who], "wall": self.world.clock.wall(), **more}

    def proved(self, do: str, who: str, **more: Any) -> DEED:
        code = self.world.code(self.members[self.scene.people[who]])
        return self.deed(do, who, code=code, **more)

    def checking_out(self, who: str, job: str, minutes: int = 30) -> DEED:
        ticket, secrets = self.scene.tasks[job], [self.login(job)]
        return self.proved("lease", who, ticket=ticket, secrets=secrets, minutes=minutes)

    def race(
        self, *each: list[DEED], walls: tuple[int, int] | None = None
    ) -> tuple[list[Outcome], list[Outcome], list[Entry]]:
        """What each of the two has done, all at once, and every entry of it."""
        since = self.world.size()
        for racer, deeds in zip(self.racers, each, strict=True):
            racer.tell({"prepare": deeds})
            assert racer.answer() == "prepared"
        moment, wall = time.monotonic() + 0.02, self.world.clock.wall()
        for racer, at in zip(self.racers, walls or (wall, wall), strict=True):
            racer.tell({"go": moment, "wall": at})
        one, other = (json.loads(racer.answer()) for racer in self.racers)
        return one, other, self.entries(since)

    def entries(self, since: int) -> list[Entry]:
        rows = self.world.sql("SELECT body FROM ledger_entry WHERE seq >= :since ORDER BY seq", since=since)
        return [decode(body.encode()) for (body,) in rows]

    def row(self, lease: LeaseView) -> tuple[str, str]:
        ((state, how),) = self.world.sql("SELECT state, ended_how FROM lease WHERE id = :id", id=lease.id)
        return state, how


@pytest.fixture(scope="module")
def ring(
    request: pytest.FixtureRequest, templates: dict[str, Template], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ring]:
    with ExitStack() as held:
        patch = held.enter_context(pytest.MonkeyPatch.context())
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setitem(LIMITS, "code", 1_000_000)
        place = tmp_path_factory.mktemp("ring")
        world = held.enter_context(_template(request, templates, "postgresql").world(place))
        ring = Ring(world, held)
        yield ring
        bundle = place / "bundle"
        bundle.write_bytes(world.bundle())
        assert verify_bundle(bundle, world.vkey()).size == world.size()


def said(*outcomes: Outcome) -> list[str]:
    return [name for name, _ in outcomes]


def told(entries: list[Entry]) -> list[str]:
    """The deeds that were done, in their order."""
    return [entry.type for entry in entries if entry.outcome == "ok" and entry.type != "presence.prove"]


# -- a yes ------------------------------------------------------------------------------------------------------------


@ROUNDS
@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ16", "AZ11")
def test_of_two_yeses_in_one_moment_one_counts(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        lease = ring.lent("Tom", ring.job("vouched"))
        deeds = [
            [ring.proved("approve", who, lease=lease.id, digest=lease.digest)] for who in ("Clara", "Carl")
        ]
        (one,), (other,), entries = ring.race(*deeds)
        assert sorted(said(one, other)) == ["Ended", "done"]
        assert told(entries) == ["lease.approve"]
        ring.world.perform(checkout.check_in, ring.actor("Tom"), lease.id)


@ROUNDS
@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ16", "AZ12")
def test_a_yes_to_what_is_taken_back_in_that_moment_opens_nothing(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        lease = ring.lent("Tom", ring.job("vouched"))
        approve = ring.proved("approve", "Clara", lease=lease.id, digest=lease.digest)
        (yes,), (back,), entries = ring.race([approve], [ring.deed("check_in", "Tom", lease=lease.id)])
        assert said(back) == ["done"]
        assert said(yes) in (["done"], ["Ended"])
        first = said(yes) == ["done"]
        assert told(entries) == (["lease.approve"] if first else []) + ["lease.check-in"]
        assert ring.row(lease) == ("ended", "check-in" if first else "taken back")


@ROUNDS
@pytest.mark.promise("P2")
@pytest.mark.attack("AZ16", "AZ11")
def test_broken_glass_and_a_yes_begin_a_lease_once(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        lease = ring.lent("Tina", ring.job("vouched"))
        ring.world.clock.advance(minutes=16)
        break_it = ring.proved("break_glass", "Tina", lease=lease.id)
        approve = ring.proved("approve", "Clara", lease=lease.id, digest=lease.digest)
        (broken,), (yes,), entries = ring.race([break_it], [approve])
        assert sorted(said(broken, yes)) == ["Ended", "done"]
        (done,) = told(entries)
        ((review, decided),) = ring.world.sql(
            "SELECT review_id, decided_by FROM lease WHERE id = :id", id=lease.id
        )
        assert (bool(review), bool(decided)) == (done == "lease.break-glass", done == "lease.approve")
        ring.world.perform(checkout.check_in, ring.actor("Tina"), lease.id)
        if review:
            close_twice(ring, review)


def close_twice(ring: Ring, review: str) -> None:
    deeds = [
        [ring.proved("close_review", who, review=review, verdict=verdict)]
        for who, verdict in (("Clara", "justified"), ("Carl", "justified"))
    ]
    (one,), (other,), entries = ring.race(*deeds)
    assert sorted(said(one, other)) == ["Ended", "done"]
    assert told(entries) == ["review.close"]


@ROUNDS
@pytest.mark.promise("P2")
@pytest.mark.attack("AZ16")
def test_nobody_breaks_two_glasses_in_one_moment_and_each_is_reviewed_once(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        jobs = [ring.job("vouched"), ring.job("vouched", same_day=True)]
        leases = [ring.lent("Bo", job) for job in jobs]
        ring.world.clock.advance(minutes=16)
        deeds = [[ring.proved("break_glass", "Bo", lease=lease.id)] for lease in leases]
        (one,), (other,), entries = ring.race(*deeds)
        assert sorted(said(one, other)) == ["Denied", "done"]
        assert told(entries) == ["lease.break-glass"]
        for lease in leases:
            ring.world.perform(checkout.check_in, ring.actor("Bo"), lease.id)
        ((review,),) = ring.world.sql("SELECT id FROM review WHERE state = 'open'")
        close_twice(ring, review)


# -- what is there once -----------------------------------------------------------------------------------------------


@ROUNDS
@pytest.mark.promise("P2")
@pytest.mark.attack("AZ16")
def test_of_two_people_one_gets_what_is_lent_to_one_at_a_time(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        job = ring.job("single")
        deeds = [[ring.checking_out(who, job)] for who in ("Tom", "Tina")]
        (one,), (other,), entries = ring.race(*deeds)
        assert sorted(said(one, other)) == ["Conflict", "done"]
        assert told(entries) == ["lease.start"]


@ROUNDS
@pytest.mark.promise("P2")
@pytest.mark.attack("AZ16", "AZ11")
def test_of_two_yeses_for_what_is_lent_to_one_at_a_time_one_counts(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        job = ring.job("vouched")
        leases = [ring.lent(who, job) for who in ("Tom", "Tina")]
        deeds = [
            [ring.proved("approve", who, lease=lease.id, digest=lease.digest)]
            for who, lease in zip(("Clara", "Carl"), leases, strict=True)
        ]
        (one,), (other,), entries = ring.race(*deeds)
        assert sorted(said(one, other)) == ["Conflict", "done"]
        assert told(entries) == ["lease.approve"]


@ROUNDS
@pytest.mark.promise("P2")
@pytest.mark.attack("AZ16", "AZ24")
def test_the_last_service_of_a_day_is_begun_once_and_one_more_takes_a_yes(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        jobs = [ring.job("free", same_day=at > 0) for at in range(4)]
        for job in jobs[:2]:
            ring.lent("Tom", job)
        (one,), (other,), entries = ring.race(*([ring.checking_out("Tom", job)] for job in jobs[2:]))
        assert sorted(text for _, text in (one, other)) == ["active", "asked services a day"]
        assert told(entries) == ["lease.start"] * 2
        assert sorted(entry.ids.get("approver", "") for entry in entries if entry.type == "lease.start") == [
            "",
            "coordinator",
        ]


# -- the end of a lease -----------------------------------------------------------------------------------------------


@ROUNDS
@pytest.mark.promise("P4")
@pytest.mark.attack("AZ16", "AZ08")
def test_a_lease_is_made_longer_once_by_two_in_one_moment(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        lease = ring.lent("Tom", ring.job("free"))
        deeds = [[ring.proved("extend", "Tom", lease=lease.id, minutes=30)] for _ in range(2)]
        (one,), (other,), entries = ring.race(*deeds)
        assert sorted(said(one, other)) == ["StaleProof", "done"], "the other was proved for another end"
        assert told(entries) == ["lease.extend"]
        ((ends,),) = ring.world.sql("SELECT expires_at FROM lease WHERE id = :id", id=lease.id)
        assert ends == moment(lease.expires_at) + 30 * 60 * 1_000_000


@ROUNDS
@pytest.mark.promise("P4")
@pytest.mark.attack("AZ14", "AZ08")
def test_what_is_revoked_while_it_is_made_longer_is_over(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        lease = ring.lent("Tom", ring.job("free"))
        extend = ring.proved("extend", "Tom", lease=lease.id, minutes=30)
        (longer,), (taken,), entries = ring.race([extend], [ring.deed("revoke", "Clara", lease=lease.id)])
        assert said(taken) == ["done"]
        assert told(entries) == (["lease.extend"] if said(longer) == ["done"] else []) + ["lease.revoke"]
        assert said(longer) in (["done"], ["Ended"])
        assert ring.row(lease) == ("ended", "revocation")


@ROUNDS
@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ14", "AZ07")
def test_who_is_taken_off_while_checking_out_has_nothing(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        job = ring.job("free")
        off = ring.deed("unassign", "Clara", ticket=ring.scene.tasks[job], person=ring.scene.people["Tina"])
        (begun,), (gone,), entries = ring.race([ring.checking_out("Tina", job)], [off])
        assert said(gone) == ["done"]
        assert said(begun) in (["done"], ["NotFound"])
        assert told(entries) == (["lease.start"] if said(begun) == ["done"] else []) + ["ticket.unassign"]
        states = ring.world.sql("SELECT state FROM lease WHERE service_id = :id", id=ring.scene.jobs[job])
        assert {state for (state,) in states} <= {"ended"}


@ROUNDS
@pytest.mark.promise("P4")
@pytest.mark.attack("AZ09")
def test_where_one_server_is_past_the_end_no_other_opens_anything_any_more(ring: Ring, rounds: int) -> None:
    """Their clocks differ: what counts is the one order of the record, in which time does not run back."""
    for _ in range(rounds):
        lease = ring.lent("Tom", ring.job("free"))
        ends = moment(lease.expires_at)
        go_to(ring.world, ends)
        (secret,) = lease.secrets
        looks = [ring.deed("reveal", "Tom", lease=lease.id, secret=secret.id) for _ in range(20)]
        for look in looks:
            look["wall"] = ends - 1000
        one, other, entries = ring.race(looks, [dict(look) for look in looks], walls=(ends - 1, ends))
        assert set(said(*other)) == {"Ended"}
        assert set(said(*one)) <= {"done", "Ended"}, one
        assert all(text == LOGIN["password"] for name, text in one if name == "done")
        opened = [entry for entry in entries if entry.type == "secret.reveal"]
        assert all((entry.outcome == "ok") == (entry.time < ends) for entry in opened)
        assert [entry.time for entry in opened] == sorted(entry.time for entry in opened)
        assert sum(entry.outcome == "ok" for entry in opened) == said(*one).count("done")


@ROUNDS
@pytest.mark.promise("P4", "P5")
@pytest.mark.attack("AZ15")
def test_what_is_destroyed_by_one_server_opens_at_none(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        job = ring.job("free")
        lease, secret = ring.lent("Tom", job), ring.login(job)
        looks = [ring.deed("reveal", "Tom", lease=lease.id, secret=secret) for _ in range(20)]
        end = ring.proved("end", "Clara", service=ring.scene.jobs[job], title=title(job))
        one, other, entries = ring.race([*looks[:10], end, *looks[10:]], [dict(look) for look in looks])
        ended = one.pop(10)
        assert said(ended) == ["done"]
        assert set(said(*one, *other)) <= {"done", "Ended", "NotFound", "Unavailable", "Tampered"}
        kinds = [entry.type for entry in entries if entry.outcome == "ok"]
        assert "secret.reveal" not in kinds[kinds.index("service.end") :], "nothing opens after its end"
        assert kinds.count("secret.reveal") >= said(*one, *other).count("done")
        again = [ring.race([dict(looks[0])], [dict(looks[1])])[:2]]
        assert "done" not in said(*(outcome for pair in again for half in pair for outcome in half))
