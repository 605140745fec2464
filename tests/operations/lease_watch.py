"""The real house beside the plain one: what is tried for real and how it agrees, and what is always so."""

import copy
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from hashlib import sha1
from typing import Any, Literal, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, invariant

from tests.operations.lease_facts import Lent
from tests.operations.lease_scene import (
    SEED,
    TECHNICIANS,
    Opened,
    go_to,
    moment,
)
from tests.operations.visiting import Visitor, come
from tests.world import LOGIN
from vault.errors import NotSignedIn, VaultError
from vault.ledger.entry import decode
from vault.ledger.verify import verify_bundle
from vault.model.views import LeaseView
from vault.operations.customers import mine
from vault.operations.leases import approving, checkout
from vault.values import Actor

ADDRESS = "192.0.2.7"
TOLD = ("lease.", "secret.reveal", "secret.use", "secret.code", "review.")
"""Entries of which there is exactly one for each deed that was done."""

Way = Literal["reveal", "use", "code"]
T = TypeVar("T")


class Watched(RuleBasedStateMachine):
    """The real house beside the plain one."""

    def __init__(self, opened: Opened, *, thorough: bool = False) -> None:
        """`thorough`: everybody looks after every step, and not only some in turn."""
        super().__init__()
        self.thorough = thorough
        self.held = ExitStack()
        self.world, scene = self.held.enter_context(opened())
        self.ids, self.jobs, self.tasks = scene.people, scene.jobs, scene.tasks
        self.customers = scene.customers
        self.house = copy.deepcopy(scene.house)
        go_to(self.world, scene.begins)
        self.members = {member.id: member for member in self.world.staff.values()}
        self.visitors: dict[str, Visitor] = {}
        self.digests: dict[str, str] = {}
        self.done: Counter[tuple[str, str, str]] = Counter()
        self.result: Any = None
        self.versions = 1
        self.steps = 0
        self.sound = True
        self.since = self.world.size()
        self.now()

    # -- by hand ---------------------------------------------------------------------------------------------------

    def now(self) -> int:
        self.house.at(self.world.clock.wall())
        return self.house.now

    def actor(self, who: str) -> Actor:
        return Actor("person", self.ids[who], "api", "", ADDRESS)

    def presence(self, who: str) -> Any:
        """Time may go on by this: the model is asked afterwards."""
        given = self.world.presence(self.members[self.ids[who]])
        self.now()
        return given

    def visitor(self, job: str) -> Visitor:
        """The customer of a job, on their own page, who sees there what the model says."""
        known = self.visitors.get(job)
        if known is None or not self.still_there(known):
            known = self.visitors[job] = come(self.world, self.customers[job])
        self.now()
        (seen,) = self.world.read(mine.page, known.actor).services
        of = {name: lent for name, lent in self.house.leases.items() if lent.job == job}
        lent = {name for name, one in of.items() if one.state == "active"}
        asked = {name for name, one in of.items() if (one.state, one.approver) == ("asked", "customer")}
        told = ({one.id for one in seen.lent}, {one.id for one in seen.asked})
        self.agrees(told == (lent, asked), f"the customer sees {told}, not {(lent, asked)}")
        return known

    def still_there(self, visitor: Visitor) -> bool:
        try:
            self.world.read(mine.page, visitor.actor)
        except NotSignedIn:
            return False
        return True

    def tried(self, expected: set[str], work: Awaitable[Any], entry: str, who: str, about: str = "") -> bool:
        """Try it for real: it is refused for one of the reasons that the model names, or done if it names none."""
        try:
            self.result = self.world.run(work)
        except VaultError as refusal:
            name = type(refusal).__name__
            self.agrees(
                name in expected, f"{entry}: {name}: {refusal}; expected {expected or 'that it is done'}"
            )
            return False
        self.agrees(not expected, f"{entry} was done; expected {expected}")
        self.done[entry, self.ids.get(who) or self.customers.get(who) or who, about] += 1
        return True

    def agrees(self, so: bool, said: str) -> None:
        self.sound = self.sound and so
        assert so, said

    def pick(self, which: int, refusals: Callable[[str], set[str]] | None = None) -> str:
        """One of the leases: mostly one for which nothing speaks against it, or one that lives."""
        newest_first = list(self.house.leases)[::-1]
        return self.chosen(
            which,
            newest_first,
            refusals or (lambda one: set() if self.house.leases[one].live else {"", "ended"}),
        )

    def chosen(self, which: int, every: list[T], refusals: Callable[[T], set[str]]) -> T:
        """Mostly one for which nothing speaks against it; at times one that is nearly so; seldom any."""
        against = [len(refusals(one)) for one in every]
        wanted = (0, 0, 0, 0, 1, 1, 9)[which % 7]
        likely = [one for one, many in zip(every, against, strict=True) if many == wanted]
        order = likely or every
        return order[(which + self.steps) % len(order)]

    def perform(self, change: Any, actor: Actor, *args: Any) -> Awaitable[Any]:
        return self.world.vault.perform(change, actor, *args)

    def looks(self, who: str, lease: str, login: str, way: Way) -> None:
        at, vault, actor = self.now(), self.world.vault, self.actor(who)
        name = "otpauth" if login in self.house.jobs[self.house.leases[lease].job].coded else "password"
        if way == "code":
            work: Awaitable[Any] = checkout.issue_code(vault, actor, lease, login)
        else:
            work = checkout.open_field(vault, actor, lease, login, name, way=way)
        if self.tried(self.house.look(who, lease, login, way), work, f"secret.{way}", who, lease):
            found = self.result.code if way == "code" else self.result
            right = code_of(SEED, at) if way == "code" else LOGIN["password"]
            self.agrees(found.expose() == right, "it opened to something else")

    # -- what is always so -----------------------------------------------------------------------------------------

    def lookers(self, people: tuple[str, ...]) -> set[str]:
        return set(people) if self.thorough else {people[self.steps % len(people)]}

    @invariant()
    def everybody_sees_what_the_model_says(self) -> None:
        self.steps += 1
        self.now()
        for who in self.lookers(TECHNICIANS) | self.lookers(("Clara", "Carl")):
            refused = self.house.stands(who, "technician") & self.house.stands(who, "coordinator")
            try:
                views = self.world.read(checkout.leases, self.actor(who))
            except VaultError as refusal:
                self.agrees(type(refusal).__name__ in refused, f"{who} sees nothing: {refusal!r}")
                continue
            self.agrees(not refused, f"{who} sees leases; expected {refused}")
            self.sees(who, {view.id: view for view in views})

    def sees(self, who: str, views: dict[str, LeaseView]) -> None:
        coordinates = "coordinator" in self.house.people[who].roles
        for name, lent in self.house.leases.items():
            if lent.who == who or (coordinates and lent.live):
                view = views.pop(name, None)
                seen = view and as_seen(view)
                self.agrees(
                    seen == self.as_told(name, lent), f"{who} sees {seen}, not {self.as_told(name, lent)}"
                )
        self.agrees(all(view.state == "ended" for view in views.values()), f"{who} sees more: {views}")

    def as_told(self, name: str, lent: Lent) -> tuple[object, ...]:
        review = self.house.reviews.get(lent.review)
        return (
            self.house.shown(name), lent.how, lent.minutes, lent.approver, lent.why, lent.begins, lent.starts,
            lent.ends, ("open" if review.open else "closed") if review else "",
        )  # fmt: skip

    @invariant()
    def what_waits_is_shown_to_who_decides(self) -> None:
        for who in self.lookers(("Clara", "Bo")):
            if self.house.stands(who, "coordinator"):
                continue
            waiting = {
                view.lease.id: view.yours for view in self.world.read(approving.waiting, self.actor(who))
            }
            expected = {
                name: not self.house.approve(who, name)
                for name, lent in self.house.leases.items()
                if (lent.state, lent.approver) == ("asked", "coordinator")
            }
            self.agrees(waiting == expected, f"{who} decides {waiting}, not {expected}")

    @invariant()
    def what_lives_opens_exactly_when_the_model_says_so(self) -> None:
        live = [name for name, lent in self.house.leases.items() if lent.live]
        turned = live[self.steps % len(live) :] + live[: self.steps % len(live)] if live else []
        newest = list(self.house.leases)[-1:]
        for name in dict.fromkeys(newest + (live if self.thorough else turned[:2])):
            lent = self.house.leases[name]
            job = self.house.jobs[lent.job]
            login = next(one for one in job.logins if one in lent.logins)
            by_eyes: Way = "use" if self.steps % 3 else "reveal"
            self.looks(lent.who, name, login, "code" if login in job.coded else by_eyes)

    @invariant()
    def a_holder_is_told_what_they_can_do(self) -> None:
        for name in list(self.house.leases)[-2:]:
            lent = self.house.leases[name]
            if self.house.stands(lent.who, "technician"):
                continue
            view = self.world.read(checkout.lease_view, self.actor(lent.who), name)
            breakable = lent.state == "asked" and not self.house.break_glass(lent.who, name)
            self.agrees(view.breakable == breakable, f"{lent.who} may break the glass: {view.breakable}")
            job = self.house.jobs[lent.job]
            is_off = self.house.place(lent.who, lent.task) is None or job.closed or job.paused
            left = 0 if is_off else self.house.room(name)
            self.agrees(
                view.extendable_minutes == left, f"{view.extendable_minutes} minutes are left, not {left}"
            )

    def teardown(self) -> None:
        try:
            if self.sound:
                self.thorough = True
                self.everybody_sees_what_the_model_says()
                self.the_ledger_tells_exactly_that()
        finally:
            self.held.close()

    def the_ledger_tells_exactly_that(self) -> None:
        """It verifies from first to last, and has one entry for each deed that was done, and no other."""
        place = self.world.settings.data_dir / "bundle"
        place.write_bytes(self.world.bundle())
        assert verify_bundle(place, self.world.vkey()).size == self.world.size()
        rows = self.world.sql(
            "SELECT body FROM ledger_entry WHERE seq >= :since ORDER BY seq", since=self.since
        )
        told: Counter[tuple[str, str, str]] = Counter()
        for entry in (decode(body.encode()) for (body,) in rows):
            if entry.outcome == "ok" and entry.type.startswith(TOLD) and entry.actor != "core":
                about = (
                    ""
                    if entry.type == "lease.start"
                    else entry.ids["review" if "review." in entry.type else "lease"]
                )
                told[entry.type, entry.actor, about] += 1
        assert told == Counter({deed: times for deed, times in self.done.items() if deed[0].startswith(TOLD)})


def code_of(seed: bytes, at: int) -> str:
    """The six digits of RFC 6238 at a moment in microseconds."""
    tag = hmac.digest(seed, (at // 30_000_000).to_bytes(8, "big"), sha1)
    number = int.from_bytes(tag[tag[-1] & 15 :][:4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def as_seen(view: LeaseView) -> tuple[object, ...]:
    begins = None if view.begins_at is None else moment(view.begins_at)
    starts, ends = moment(view.starts_at), moment(view.expires_at)
    return (
        view.state, view.ended_how, view.minutes, view.approver, view.approver_why, begins, starts, ends,
        view.review_state,
    )  # fmt: skip
