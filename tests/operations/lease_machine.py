"""A Hypothesis state machine over a real vault: whatever is done in any order, a plain model says what to expect."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.approvals import changed
from tests.operations.glasses import seen_of
from tests.operations.lease_facts import DAY, HOUR, MINUTE, NEVER
from tests.operations.lease_scene import (
    EPOCH,
    HOST,
    JOBS,
    STAFF,
    TECHNICIANS,
    go_to,
    title,
    toml,
)
from tests.operations.lease_watch import ADDRESS, Watched, Way
from vault.model.people import Person
from vault.model.tables import Ticket
from vault.operations.customers import mine, own_approvals
from vault.operations.house import destruction, upkeep
from vault.operations.leases import approving, checkout, extending, glass, reviewing
from vault.operations.people import staff, vouching
from vault.operations.services import catalogue, tickets
from vault.storage.unit import Unit, operation
from vault.values import Actor

REASON = "install the shop as ordered"
GRAVE = "the shop is down on a holiday, and nobody of the coordinators answers"
NO = "ask me on the telephone first, please"
MOST_LEASES = 40
PEOPLE = st.sampled_from(sorted(STAFF))
ON_TICKETS = st.sampled_from(TECHNICIANS)
COORDINATORS = st.sampled_from(["Clara", "Carl", "Bo"])
PLACES = st.sampled_from(sorted(JOBS))
WHICH = st.integers(0, 30)
WAYS = st.sampled_from(["reveal", "use", "code"])
MOSTLY = st.sampled_from([True, True, True, False])
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


class Leases(Watched):
    """Everything that is done."""

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        states = {one.state for one in self.house.leases.values()}
        so = {
            "": True,
            "leases": bool(states),
            "active": "active" in states,
            "asked": "asked" in states,
            "broken": bool(self.house.reviews),
            "late": self.steps > 25,
            "disagreed": any(not one.agreed and one.roles for one in self.house.people.values()),
        }
        ways = [name for name, (weight, when, _) in DEEDS.items() for _ in range(weight) if so[when]]
        # turned on at each step, so that a run of equal draws is a tour and not the same deed fifty times
        name = ways[(data.draw(st.integers(0, len(ways) - 1)) + 7 * self.steps) % len(ways)]
        getattr(self, name)(**data.draw(DEEDS[name][2]))

    # -- leases ----------------------------------------------------------------------------------------------------

    @deed(
        22,
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

    @deed(8, "asked", which=WHICH, who=COORDINATORS, as_read=MOSTLY)
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

    @deed(9, "asked", which=WHICH, other=PEOPLE, by_holder=MOSTLY, patient=MOSTLY)
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

    @deed(6, "broken", which=WHICH, who=COORDINATORS, justified=MOSTLY)
    def close_review(self, which: int, who: str, justified: bool) -> None:
        reviews = list(self.house.reviews)
        review = reviews[which % len(reviews)]
        verdict = "justified" if justified else "not justified"
        given = self.presence(who)
        seen = seen_of(self.world, review)
        work = reviewing.close_review(self.world.vault, self.actor(who), review, verdict, NO, given, seen)
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
