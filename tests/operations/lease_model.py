"""What becomes of a lease, as people would tell it: a plain model without any of our code, to hold the real thing to.

Every question is answered by the set of refusals that apply, by the names of their classes; none means that it must be
done. Which of several refusals is said first is not the model's business.
"""

from dataclasses import dataclass, field

from tests.operations.lease_facts import (
    A_NO_HOLDS,
    DAY,
    FURTHEST,
    MINUTE,
    MISTRUSTED,
    MOST_ASKED_A_DAY,
    MOST_WAITING,
    NEVER,
    PATIENCE,
    SERVICES_A_DAY,
    WAITS,
    Job,
    Lent,
    Place,
    Review,
    Somebody,
    Task,
)


@dataclass
class House:
    """Everybody and everything, and the time. Whoever asks it something has set the time before."""

    people: dict[str, Somebody]
    jobs: dict[str, Job]
    tasks: dict[str, Task]
    leases: dict[str, Lent] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    now: int = 0

    # -- time ------------------------------------------------------------------------------------------------------

    def at(self, now: int) -> None:
        """It is that late now: what has had its time is over, whether or not anybody has come by."""
        self.now = now
        for lease in self.leases.values():
            if lease.live and now >= lease.ends:
                self._end(lease, "expiry" if lease.state == "active" else "not answered")

    def shown(self, lease: str) -> str:
        lent = self.leases[lease]
        return "planned" if lent.state == "active" and self.now < lent.starts else lent.state

    def is_over(self, job: str) -> bool:
        return self.jobs[job].closed or self.now >= self.jobs[job].ends

    def place(self, who: str, task: str) -> Place | None:
        """What puts somebody on a ticket now."""
        found = self.tasks[task].on.get(who)
        return found if found and self.now < found.until else None

    def lasts(self, who: str, task: str) -> int:
        """Until when anything of a ticket lasts for somebody."""
        found = self.tasks[task].on.get(who)
        return min(self.jobs[self.tasks[task].job].ends, found.until if found else NEVER)

    # -- who may what ----------------------------------------------------------------------------------------------

    def stands(self, who: str, role: str, *, customers: bool = True, rested: bool = False) -> set[str]:
        person = self.people[who]
        found = set()
        if person.state != "active":
            found.add("NotSignedIn")
        if role not in person.roles:
            found.add("Denied")
        if customers and not person.agreed:
            found.add("NotAgreed")
        if rested and self.now < person.rests_until:
            found.add("Resting")
        return found

    def _delivers(self, who: str, task: str) -> set[str]:
        on, found = self.tasks[task], self.stands(who, "technician", rested=True)
        if self.place(who, task) is None:
            found.add("NotFound")
        if self.is_over(on.job) or not on.open:
            found.add("Ended")
        if self.jobs[on.job].paused:
            found.add("Denied")
        return found

    def _lendable(self, job: str, logins: frozenset[str]) -> set[str]:
        said = {"there": "", "gone": "Ended", "destroyed": "NotFound"}
        return {said[self.jobs[job].logins[one]] for one in logins} - {""}

    def waiting_of(self, who: str) -> int:
        return sum(lease.who == who and lease.state == "asked" for lease in self.leases.values())

    def approvers_for(self, who: str) -> set[str]:
        """The coordinators who could say yes to somebody now."""
        return {one for one in self.people if one != who and not self.stands(one, "coordinator", rested=True)}

    def taken(self, who: str, job: str, logins: frozenset[str], starts: int, ends: int) -> set[str]:
        """Whether somebody else has one of these then, where each is lent to one at a time."""
        others = [
            one
            for one in self.leases.values()
            if one.who != who and one.state == "active" and one.logins & logins
            if one.starts < ends and starts < one.ends
        ]
        return {"Conflict"} if others and self.jobs[job].exclusive else set()

    def services_then(self, who: str, job: str, starts: int) -> int:
        """Of how many services that person would have begun leases within some day around that moment."""
        begun = [(one.job, one.starts) for one in self.leases.values() if one.who == who and one.has_begun]
        most = 0
        for since in [starts, *(at for _, at in begun)]:
            if since <= starts < since + DAY:
                found = {name for name, at in begun if since <= at < since + DAY}
                most = max(most, 0 if job in found else len(found) + 1)
        return most

    def takes(self, who: str, task: str, starts: int) -> tuple[str, str]:
        """Whose yes a lease takes, and why where its service asks for none."""
        job, place = self.tasks[task].job, self.tasks[task].on.get(who)
        why = "alone" if place and place.alone else ""
        if self.services_then(who, job, starts) > SERVICES_A_DAY:
            why = "services a day"
        return self.jobs[job].approver or ("coordinator" if why else ""), why

    def check_out(
        self, who: str, task: str, logins: frozenset[str], minutes: int, begins: int | None = None
    ) -> set[str]:
        job = self.jobs[self.tasks[task].job]
        found = self._delivers(who, task) | self._lendable(self.tasks[task].job, logins)
        over, starts = self.lasts(who, task), self.now if begins is None else begins
        if not 1 <= minutes <= job.longest:
            found.add("Invalid")
        if begins is not None and not self.now < begins <= min(self.now + FURTHEST, over - 1):
            found.add("Invalid")
        approver, _ = self.takes(who, task, starts)
        if approver and self.waiting_of(who) >= MOST_WAITING:
            found.add("Conflict")
        if approver == "coordinator" and not self.approvers_for(who) and not job.glass:
            found.add("Denied")
        if approver == "customer":
            asked = [
                one
                for one in self.leases.values()
                if one.who == who and one.job == self.tasks[task].job and one.starts > self.now - DAY
            ]
            if job.adder == who or len(asked) >= MOST_ASKED_A_DAY:
                found.add("Denied")
        ends = min(starts + minutes * MINUTE, over)
        return found | self.taken(who, self.tasks[task].job, logins, starts, ends)

    def checked_out(
        self,
        lease: str,
        who: str,
        task: str,
        logins: frozenset[str],
        minutes: int,
        begins: int | None = None,
    ) -> None:
        starts, over = self.now if begins is None else begins, self.lasts(who, task)
        approver, why = self.takes(who, task, starts)
        made = Lent(
            who, task, self.tasks[task].job, logins, minutes, "active", starts,
            min(starts + minutes * MINUTE, over), approver, why, begins,
        )  # fmt: skip
        if approver:
            made.state, made.starts, made.ends = "asked", self.now, min(max(self.now + WAITS, starts), over)
        self.leases[lease] = made

    def room(self, lease: str) -> int:
        """By how many minutes it can be made longer, as far as time goes."""
        lent = self.leases[lease]
        if self.shown(lease) != "active" or lent.approver or lent.review:
            return 0
        longest = lent.starts + self.jobs[lent.job].longest * MINUTE
        return max(0, min(longest, self.lasts(lent.who, lent.task)) - lent.ends) // MINUTE

    def extend(self, who: str, lease: str, minutes: int) -> set[str]:
        lent = self.leases[lease]
        if lent.who != who:
            return self.stands(who, "technician", rested=True) | {"NotFound"}
        found = self._delivers(who, lent.task) | self._lendable(lent.job, lent.logins)
        if lent.state == "ended":
            found.add("Ended")
        room, place = self.room(lease), self.tasks[lent.task].on.get(who)
        if not room or (place and place.alone):
            found.add("Conflict")
        if not 1 <= minutes <= room:
            found.add("Invalid")
        return found | self.taken(who, lent.job, lent.logins, lent.ends, lent.ends + minutes * MINUTE)

    def extended(self, lease: str, minutes: int) -> None:
        self.leases[lease].ends += minutes * MINUTE

    def look(self, who: str, lease: str, login: str, way: str) -> set[str]:
        """Whether one of the three ways opens something: "reveal", "use" or "code"."""
        lent = self.leases[lease]
        if lent.who != who:
            return {"NotFound"}
        found = self._delivers(who, lent.task)
        if self.shown(lease) in {"asked", "planned"}:
            found.add("Conflict")
        if lent.state == "ended":
            found.add("Ended")
        if (login in self.jobs[lent.job].coded) != (way == "code"):
            found.add("Conflict" if way == "code" else "Denied")
        if login not in lent.logins:
            found.add("NotFound")
        else:
            found |= self._lendable(lent.job, frozenset({login}))
        return found

    # -- a yes and a no --------------------------------------------------------------------------------------------

    def _decidable(self, lease: str, *, as_read: bool) -> set[str]:
        found = set()
        if self.leases[lease].state != "asked":
            found.add("Ended")
        if not as_read:
            found.add("Conflict")
        return found

    def _could_begin(self, lease: str) -> set[str]:
        """Who asked is judged as if they asked now; no refusal says of the one who decides that they are nobody."""
        lent = self.leases[lease]
        said = {"NotSignedIn": "Denied", "NotAgreed": "Denied", "Resting": "Denied", "NotFound": "Ended"}
        found = {said.get(one, one) for one in self._delivers(lent.who, lent.task)}
        starts, ends = self._window(lent)
        if starts >= self.lasts(lent.who, lent.task):
            found.add("Ended")
        found |= self._lendable(lent.job, lent.logins)
        return found | self.taken(lent.who, lent.job, lent.logins, starts, ends)

    def _window(self, lent: Lent) -> tuple[int, int]:
        """From when to when it lasts that is let begin now."""
        starts = max(self.now, lent.begins or 0)
        return starts, min(starts + lent.minutes * MINUTE, self.lasts(lent.who, lent.task))

    def approve(self, who: str, lease: str, *, as_read: bool = True) -> set[str]:
        lent = self.leases[lease]
        found = self.stands(who, "coordinator", rested=True)
        if not lent.approver:
            return found | {"NotFound"}
        if lent.approver == "customer" or lent.who == who:
            found.add("Denied")
        return found | self._decidable(lease, as_read=as_read) | self._could_begin(lease)

    def allow(self, job: str, lease: str) -> set[str]:
        """The yes of the customer of a job, who is on their own page."""
        lent = self.leases[lease]
        if lent.job != job or lent.approver != "customer":
            return {"NotFound"}
        found = self._decidable(lease, as_read=True) | self._could_begin(lease)
        return found | ({"Denied"} if self.jobs[job].adder == lent.who else set())

    def begun(self, lease: str, by: str) -> None:
        lent = self.leases[lease]
        lent.starts, lent.ends = self._window(lent)
        lent.state, lent.decided_by = "active", by

    def break_glass(self, who: str, lease: str) -> set[str]:
        lent = self.leases[lease]
        if lent.who != who or not lent.approver:
            return self.stands(who, "technician", rested=True) | {"NotFound"}
        found = self._delivers(who, lent.task) | self._lendable(lent.job, lent.logins)
        if lent.state != "asked":
            found.add("Ended")
        job, place = self.jobs[lent.job], self.tasks[lent.task].on.get(who)
        if lent.approver != "coordinator" or not job.glass or lent.why or (place and place.alone):
            found.add("Denied")
        if self.now < (lent.begins or 0):
            found.add("Conflict")
        if self.was_told_no(who, lent.job) or self.is_mistrusted(who):
            found.add("Denied")
        if self.approvers_for(who) and self.now < lent.starts + PATIENCE:
            found.add("Conflict")
        return found | self.taken(who, lent.job, lent.logins, *self._broken_window(lent))

    def was_told_no(self, who: str, job: str) -> bool:
        return any(
            one.who == who and one.job == job and one.how in {"refused", "revocation"}
            and one.starts > self.now - A_NO_HOLDS
            for one in self.leases.values()
        )  # fmt: skip

    def is_mistrusted(self, who: str) -> bool:
        """Something of theirs is still to be reviewed, or was found not to be justified."""
        return any(
            one.who == who
            and (one.open or (one.verdict == "not justified" and one.closed_at > self.now - MISTRUSTED))
            for one in self.reviews.values()
        )

    def _broken_window(self, lent: Lent) -> tuple[int, int]:
        minutes = min(lent.minutes, self.jobs[lent.job].glass)
        return self.now, min(self.now + minutes * MINUTE, self.lasts(lent.who, lent.task))

    def broken(self, lease: str, review: str) -> None:
        lent = self.leases[lease]
        lent.state, lent.review = "active", review
        lent.starts, lent.ends = self._broken_window(lent)
        self.reviews[review] = Review(lent.who, lease)

    def close_review(self, who: str, review: str, verdict: str) -> set[str]:
        found, of = self.stands(who, "coordinator", rested=True), self.reviews[review]
        if not of.open:
            found.add("Ended")
        if of.who == who:
            found.add("Denied")
        if verdict == "justified" and self.leases[of.lease].live:
            found.add("Conflict")
        return found

    def review_closed(self, review: str, verdict: str) -> None:
        of = self.reviews[review]
        of.open, of.verdict, of.closed_at = False, verdict, self.now
        if verdict == "not justified" and self.leases[of.lease].live:
            self._end(self.leases[of.lease], "revocation")

    def refuse(self, who: str, lease: str, *, as_read: bool = True) -> set[str]:
        lent = self.leases[lease]
        found = self.stands(who, "coordinator")
        if not lent.approver:
            return found | {"NotFound"}
        if lent.approver == "customer" or lent.who == who:
            found.add("Denied")
        return found | self._decidable(lease, as_read=as_read)

    def disallow(self, job: str, lease: str) -> set[str]:
        if self.leases[lease].job != job or self.leases[lease].approver != "customer":
            return {"NotFound"}
        return self._decidable(lease, as_read=True)

    def refused(self, lease: str, by: str) -> None:
        self._end(self.leases[lease], "refused")
        self.leases[lease].decided_by = by

    # -- ends ------------------------------------------------------------------------------------------------------

    def hand_back(self, who: str, lease: str) -> set[str]:
        lent, found = self.leases[lease], set()
        if self.people[who].state != "active":
            found.add("NotSignedIn")
        if lent.who != who:
            found.add("NotFound")
        if not lent.live:
            found.add("Ended")
        return found

    def handed_back(self, lease: str) -> None:
        lent = self.leases[lease]
        self._end(lent, "check-in" if lent.state == "active" else "taken back")

    def revoke(self, who: str, lease: str) -> set[str]:
        return self.stands(who, "coordinator") | (set() if self.leases[lease].live else {"Ended"})

    def revoked(self, lease: str) -> None:
        self._end(self.leases[lease], "revocation")

    def end_where(self, how: str, **where: str) -> None:
        """End all that is live with those values."""
        for lease in self.leases.values():
            if lease.live and all(getattr(lease, name) == value for name, value in where.items()):
                self._end(lease, how)

    def _end(self, lease: Lent, how: str) -> None:
        lease.state, lease.how = "ended", how

    # -- work and people -------------------------------------------------------------------------------------------

    def put_on(self, by: str, task: str, who: str, until: int | None) -> set[str]:
        found = self.stands(by, "coordinator")
        if not self.tasks[task].open:
            found.add("Conflict")
        if self.people[who].state != "active":
            found.add("NotFound")
        if by == who or "technician" not in self.people[who].roles:
            found.add("Denied")
        if until is not None and not self.now < until <= self.jobs[self.tasks[task].job].ends:
            found.add("Invalid")
        return found

    def was_put_on(self, task: str, who: str, until: int | None, *, alone: bool = False) -> None:
        """By themselves alone takes nothing away; what had run out does not live again; nothing outlives a new end."""
        stands, ends = self.place(who, task), NEVER if until is None else until
        if stands and alone:
            return
        if not stands:
            self.end_where("unassigned", task=task, who=who)
        self.tasks[task].on[who] = Place(ends, alone)
        for lease in self.leases.values():
            if lease.state == "active" and (lease.task, lease.who) == (task, who):
                if lease.starts >= ends:
                    self._end(lease, "unassigned")
                lease.ends = min(lease.ends, ends) if lease.live else lease.ends

    def take_off(self, by: str, task: str, who: str) -> set[str]:
        return self.stands(by, "coordinator") | (set() if who in self.tasks[task].on else {"NotFound"})

    def taken_off(self, task: str, who: str) -> None:
        self.tasks[task].on.pop(who)
        self.end_where("unassigned", task=task, who=who)

    def swept(self) -> None:
        """Somebody has come by."""
        for task, of in self.tasks.items():
            for who in [who for who, place in of.on.items() if self.now >= place.until]:
                self.taken_off(task, who)
        for name, job in self.jobs.items():
            if not job.closed and self.now >= job.ends:
                self.ended_job(name)

    def close(self, by: str, task: str) -> set[str]:
        return self.stands(by, "coordinator") | (set() if self.tasks[task].open else {"Conflict"})

    def closed(self, task: str) -> None:
        self.tasks[task].open = False
        self.end_where("ticket closed", task=task)

    def end_job(self, by: str, job: str) -> set[str]:
        return self.stands(by, "coordinator") | ({"Conflict"} if self.jobs[job].closed else set())

    def ended_job(self, job: str) -> None:
        found = self.jobs[job]
        found.closed, found.logins = True, dict.fromkeys(found.logins, "destroyed")
        self.end_where("service ended", job=job)
        for task in self.tasks.values():
            if task.job == job:
                task.open = False

    def disabled(self, who: str) -> None:
        self.people[who].state = "disabled"
        self.end_where("disabled", who=who)
        self.end_where("approver disabled", decided_by=who)

    def roles_put(self, who: str, roles: set[str]) -> None:
        self.people[who].roles = set(roles)
        if "technician" not in roles:
            self.end_where("role taken away", who=who)
        if "coordinator" not in roles:
            self.end_where("approver disabled", decided_by=who)
