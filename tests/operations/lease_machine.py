"""A Hypothesis state machine over a real vault: whatever is done in any order, a plain model says what to expect."""

import copy
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from hashlib import sha1
from typing import Any, Literal, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.approvals import changed
from tests.operations.lease_model import DAY, HOUR, MINUTE, NEVER, Lent
from tests.operations.lease_scene import (
    EPOCH,
    HOST,
    JOBS,
    SEED,
    STAFF,
    TECHNICIANS,
    Opened,
    go_to,
    moment,
    title,
    toml,
)
from tests.operations.visiting import Visitor, come
from tests.world import LOGIN
from vault.errors import NotSignedIn, VaultError
from vault.ledger.entry import decode
from vault.ledger.verify import verify_bundle
from vault.model.people import Person
from vault.model.tables import Ticket
from vault.model.views import LeaseView
from vault.operations import (
    approving,
    catalogue,
    checkout,
    destruction,
    extending,
    glass,
    mine,
    own_approvals,
    reviewing,
    staff,
    tickets,
    upkeep,
    vouching,
)
from vault.storage.unit import Unit, operation
from vault.values import Actor

REASON = "install the shop as ordered"
GRAVE = "the shop is down on a holiday, and nobody of the coordinators answers"
NO = "ask me on the telephone first, please"
MOST_LEASES = 40
ADDRESS = "192.0.2.7"
TOLD = ("lease.", "secret.reveal", "secret.use", "secret.code", "review.")
"""Entries of which there is exactly one for each deed that was done."""

PEOPLE = st.sampled_from(sorted(STAFF))
ON_TICKETS = st.sampled_from(TECHNICIANS)
COORDINATORS = st.sampled_from(["Clara", "Carl", "Bo"])
PLACES = st.sampled_from(sorted(JOBS))
WHICH = st.integers(0, 30)
Way = Literal["reveal", "use", "code"]
WAYS = st.sampled_from(["reveal", "use", "code"])
MOSTLY = st.sampled_from([True, True, True, False])
T = TypeVar("T")
Deed = Callable[..., None]
DEEDS: dict[str, tuple[int, str, st.SearchStrategy[dict[str, Any]]]] = {}
"""By name: how often each is tried, when it can be, and with what."""


def deed(weight: int, when: str = "", **given: st.SearchStrategy[Any]) -> Callable[[Deed], Deed]:
    """One of the steps of the machine.

    They are drawn by their weight within one rule: Hypothesis switches rules off by the dozen in each run, so that it
    needs thousands of runs to tell a whole story, and everyday there is time for a few.
    """

    def known(change: Deed) -> Deed:
        DEEDS[change.__name__] = (weight, when, st.fixed_dictionaries(given))
        return change

    return known


@operation("ticket.assign")
def put_on_alone(unit: Unit, _actor: Actor, ticket_id: str, person_id: str) -> None:
    """As a helpdesk does in which somebody took a ticket by themselves."""
    ticket, person = unit.find(Ticket, id=ticket_id), unit.find(Person, id=person_id)
    assert ticket is not None
    assert person is not None
    tickets.put_on(unit, "host", ticket, person, alone=True)


class Leases(RuleBasedStateMachine):
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

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        states = {one.state for one in self.house.leases.values()}
        so = {
            "": True,
            "leases": bool(states),
            "active": "active" in states,
            "asked": "asked" in states,
            "broken": bool(self.house.reviews),
            "late": self.steps > 15,
            "disagreed": any(not one.agreed and one.roles for one in self.house.people.values()),
        }
        ways = [name for name, (weight, when, _) in DEEDS.items() for _ in range(weight) if so[when]]
        # turned on at each step, so that a run of equal draws is a tour and not the same deed fifty times
        name = ways[(data.draw(st.integers(0, len(ways) - 1)) + 7 * self.steps) % len(ways)]
        getattr(self, name)(**data.draw(DEEDS[name][2]))

    # -- leases ----------------------------------------------------------------------------------------------------

    @deed(
        12,
        which=WHICH,
        logins=st.sampled_from([(0,), (1,), (0, 1)]),
        minutes=st.sampled_from([30, 1, 120, 30, 240, 241]),
        later=st.sampled_from([0, 0, 0, 1, 60, 180, 1500, 31 * 1440, -1]),
    )
    def check_out(self, which: int, logins: tuple[int, ...], minutes: int, later: int) -> None:
        if len(self.house.leases) >= MOST_LEASES:
            return
        every = [(who, task) for task in JOBS for who in TECHNICIANS]
        who, task = self.chosen(which, every, lambda way: self.house.check_out(*way, frozenset(), 30))
        given, every_login = self.presence(who), list(self.house.jobs[task].logins)
        wanted = [every_login[one] for one in logins]
        begins = self.house.now + later * MINUTE if later else None
        asked = (who, task, frozenset(wanted), minutes, begins)
        work = checkout.lease(
            self.world.vault, self.actor(who), self.tasks[task], wanted, minutes, REASON, given,
            None if begins is None else EPOCH + timedelta(microseconds=begins),
        )  # fmt: skip
        if self.tried(self.house.check_out(*asked), work, "lease.start", who):
            self.digests[self.result.id] = self.result.digest
            self.house.checked_out(self.result.id, *asked)

    @deed(8, "leases", which=WHICH, other=PEOPLE, by_holder=MOSTLY, login=st.sampled_from([0, 1]), way=WAYS)
    def look(self, which: int, other: str, by_holder: bool, login: int, way: Way) -> None:
        lease = self.pick(which)
        lent = self.house.leases[lease]
        logins = list(self.house.jobs[lent.job].logins)
        self.looks(lent.who if by_holder else other, lease, logins[login], way)

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

    @deed(
        4, "active", which=WHICH, other=PEOPLE, by_holder=MOSTLY, minutes=st.sampled_from([1, 30, 90, 0, 500])
    )
    def extend(self, which: int, other: str, by_holder: bool, minutes: int) -> None:
        lease = self.pick(which, lambda one: self.house.extend(self.house.leases[one].who, one, 1))
        who = self.house.leases[lease].who if by_holder else other
        given = self.presence(who)
        expected = self.house.extend(who, lease, minutes)
        work = extending.extend(self.world.vault, self.actor(who), lease, minutes, given)
        if self.tried(expected, work, "lease.extend", who, lease):
            self.house.extended(lease, minutes)

    @deed(3, "leases", which=WHICH, other=PEOPLE, by_holder=MOSTLY)
    def hand_back(self, which: int, other: str, by_holder: bool) -> None:
        self.now()
        lease = self.pick(which)
        who = self.house.leases[lease].who if by_holder else other
        work = self.perform(checkout.check_in, self.actor(who), lease)
        if self.tried(self.house.hand_back(who, lease), work, "lease.check-in", who, lease):
            self.house.handed_back(lease)

    @deed(1, "leases", which=WHICH, who=PEOPLE)
    def revoke(self, which: int, who: str) -> None:
        self.now()
        lease = self.pick(which)
        work = self.perform(checkout.revoke, self.actor(who), lease)
        if self.tried(self.house.revoke(who, lease), work, "lease.revoke", who, lease):
            self.house.revoked(lease)

    # -- a yes and a no --------------------------------------------------------------------------------------------

    @deed(6, "asked", which=WHICH, who=COORDINATORS, as_read=MOSTLY)
    def approve(self, which: int, who: str, as_read: bool) -> None:
        given = self.presence(who)
        lease = self.pick(which, lambda one: self.house.approve(who, one))
        digest = self.digests[lease] if as_read else "0" * 64
        work = approving.approve(self.world.vault, self.actor(who), lease, digest, given)
        if self.tried(self.house.approve(who, lease, as_read=as_read), work, "lease.approve", who, lease):
            self.house.begun(lease, who)

    @deed(1, "asked", which=WHICH, who=COORDINATORS, as_read=MOSTLY)
    def refuse(self, which: int, who: str, as_read: bool) -> None:
        self.now()
        lease = self.pick(which, lambda one: self.house.refuse(who, one))
        digest = self.digests[lease] if as_read else "0" * 64
        work = approving.refuse(self.world.vault, self.actor(who), lease, digest, NO)
        if self.tried(self.house.refuse(who, lease, as_read=as_read), work, "lease.refuse", who, lease):
            self.house.refused(lease, who)

    @deed(3, "asked", which=WHICH, yes=MOSTLY, job=st.sampled_from(["owned", "owned", "owned", "free"]))
    def answer_as_customer(self, which: int, yes: bool, job: str) -> None:
        actor = self.visitor(job).actor
        lease = self.pick(which, lambda one: self.house.allow(job, one))
        change = own_approvals.approve if yes else own_approvals.refuse
        work = self.perform(change, actor, lease, self.digests[lease])
        expected = self.house.allow(job, lease) if yes else self.house.disallow(job, lease)
        if self.tried(expected, work, "lease.approve" if yes else "lease.refuse", job, lease):
            (self.house.begun if yes else self.house.refused)(lease, job)

    @deed(5, "asked", which=WHICH, other=PEOPLE, by_holder=MOSTLY, patient=MOSTLY)
    def break_glass(self, which: int, other: str, by_holder: bool, patient: bool) -> None:
        if patient:
            self.world.clock.advance(minutes=15)
        self.now()
        lease = self.pick(which, lambda one: self.house.break_glass(self.house.leases[one].who, one))
        who = self.house.leases[lease].who if by_holder else other
        given = self.presence(who)
        expected = self.house.break_glass(who, lease)
        work = glass.break_glass(self.world.vault, self.actor(who), lease, GRAVE, given)
        if self.tried(expected, work, "lease.break-glass", who, lease):
            self.house.broken(lease, self.result.review_id)

    @deed(3, "broken", which=WHICH, who=COORDINATORS, justified=MOSTLY)
    def close_review(self, which: int, who: str, justified: bool) -> None:
        reviews = list(self.house.reviews)
        review = reviews[which % len(reviews)]
        verdict = "justified" if justified else "not justified"
        given = self.presence(who)
        work = reviewing.close_review(self.world.vault, self.actor(who), review, verdict, NO, given)
        if self.tried(self.house.close_review(who, review, verdict), work, "review.close", who, review):
            self.house.review_closed(review, verdict)

    # -- time ------------------------------------------------------------------------------------------------------

    @deed(3, minutes=st.sampled_from([1, 14, 29, 60, 240, 1440]))
    def wait(self, minutes: int) -> None:
        self.world.clock.advance(minutes=minutes)
        self.now()

    @deed(3, "leases", which=WHICH, what=st.sampled_from(["begin", "end", "place"]), before=st.booleans())
    def wait_for_an_edge(self, which: int, what: str, before: bool) -> None:
        """To the last microsecond before a lease begins or ends, or somebody's time on a ticket; or to the next."""
        lent = self.house.leases[self.pick(which)]
        places = [place.until for task in self.house.tasks.values() for place in task.on.values()]
        runs_out = min((until for until in places if self.house.now < until < NEVER), default=0)
        at = {"begin": lent.starts, "end": lent.ends, "place": runs_out}[what] - before
        if at > self.world.clock.wall():
            go_to(self.world, at)
        self.now()

    @deed(1)
    def sweep(self) -> None:
        self.now()
        self.world.run(upkeep.sweep(self.world.vault))
        self.house.swept()

    # -- work ------------------------------------------------------------------------------------------------------

    @deed(1, task=PLACES, who=ON_TICKETS, by=COORDINATORS)
    def take_off(self, task: str, who: str, by: str) -> None:
        self.now()
        work = self.perform(tickets.unassign, self.actor(by), self.tasks[task], self.ids[who])
        if self.tried(self.house.take_off(by, task, who), work, "ticket.unassign", by):
            self.house.taken_off(task, who)

    @deed(3, task=PLACES, who=ON_TICKETS, by=COORDINATORS, hours=st.sampled_from([0, 1, 1, 30, 24 * 60]))
    def put_on(self, task: str, who: str, by: str, hours: int) -> None:
        until = self.now() + hours * HOUR if hours else None
        work = self.perform(tickets.assign, self.actor(by), self.tasks[task], self.ids[who], until)
        if self.tried(self.house.put_on(by, task, who, until), work, "ticket.assign", by):
            self.house.was_put_on(task, who, until)

    @deed(1, task=PLACES, who=ON_TICKETS)
    def put_themselves_on(self, task: str, who: str) -> None:
        """In the helpdesk, while the ticket is open."""
        self.now()
        if self.house.tasks[task].open:
            self.world.perform(put_on_alone, HOST, self.tasks[task], self.ids[who])
            self.house.was_put_on(task, who, None, alone=True)

    @deed(3, job=PLACES, stop=st.booleans())
    def pause_or_resume(self, job: str, stop: bool) -> None:
        actor = self.visitor(job).actor
        expected = {"Ended"} if self.house.jobs[job].closed else set()
        name, change = ("service.pause", mine.pause) if stop else ("service.resume", mine.resume)
        if self.tried(expected, self.perform(change, actor, self.jobs[job]), name, job):
            self.house.jobs[job].paused = stop

    # -- what does not happen every day ----------------------------------------------------------------------------

    @deed(1, "late", job=PLACES, by=COORDINATORS, how=st.sampled_from(["close", "end", "withdraw"]))
    def lose_work(self, job: str, by: str, how: str) -> None:
        if how == "close":
            self.now()
            closing = self.perform(tickets.close, self.actor(by), self.tasks[job])
            if self.tried(self.house.close(by, job), closing, "ticket.close", by):
                self.house.closed(job)
        elif how == "end":
            given = self.presence(by)
            ending = destruction.end(self.world.vault, self.actor(by), self.jobs[job], title(job), given)
            if self.tried(self.house.end_job(by, job), ending, "service.end", by):
                self.house.ended_job(job)
        else:
            actor, logins = self.visitor(job).actor, self.house.jobs[job].logins
            login = next(iter(logins))
            said: dict[str, set[str]] = {
                "there": set(),
                "gone": {"Conflict"},
                "destroyed": {"NotFound", "Conflict"},
            }
            taking = mine.withdraw(self.world.vault, actor, login)
            if self.tried(said[logins[login]], taking, "secret.withdraw", job):
                logins[login] = "gone"

    @deed(
        1,
        "late",
        who=PEOPLE,
        how=st.sampled_from(["disable", "technician", "coordinator", "rest", "agreement"]),
    )
    def lose_standing(self, who: str, how: str) -> None:
        ada = Actor("person", self.world.member("administrator").id, "api", "", ADDRESS)
        self.now()
        person = self.house.people[who]
        if how == "disable":
            self.world.perform(staff.disable, ada, self.ids[who])
            self.house.disabled(who)
        elif how == "agreement":
            self.versions += 1
            self.world.run(catalogue.apply(self.world.vault, HOST, toml(self.versions)))
            for one in self.house.people.values():
                one.agreed = False
        elif how == "rest":
            person.rests_until = self.house.now + DAY
            self.world.perform(changed, HOST, self.ids[who], {"rests_until": person.rests_until})
        else:
            expected = set() if how in person.roles else {"Conflict"}
            work = self.perform(vouching.drop_role, ada, self.ids[who], how)
            if self.tried(expected, work, "staff.drop-role", "Ada"):
                self.house.roles_put(who, person.roles - {how})

    @deed(6, "disagreed")
    def agree(self) -> None:
        """Everybody who can accepts the agreement that is in force."""
        for name, person in self.house.people.items():
            if person.state == "active" and person.roles and not person.agreed:
                version = self.world.read(staff.agreement, self.actor(name)).version
                self.world.perform(staff.agree, self.actor(name), version)
                person.agreed = True

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
            if not self.house.extend(lent.who, name, 1):
                self.agrees(
                    view.extendable_minutes == self.house.room(name), f"{view.extendable_minutes} are left"
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
