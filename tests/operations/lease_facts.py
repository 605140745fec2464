"""What a lease is made of in the plain model of it: people, services, tickets, places, leases, reviews."""

from dataclasses import dataclass, field

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WAITS = DAY
MOST_WAITING = 10
MOST_ASKED_A_DAY = 20
FURTHEST = 30 * DAY
SERVICES_A_DAY = 3
PATIENCE = 15 * MINUTE
A_NO_HOLDS = 2 * DAY
MISTRUSTED = 30 * DAY
NEVER = 1 << 62


@dataclass
class Somebody:
    """One of the staff."""

    roles: set[str]
    state: str = "active"
    agreed: bool = True
    rests_until: int = 0


@dataclass
class Job:
    """A service: what it takes to be lent something of it, and how it stands."""

    approver: str
    """Whose yes it takes: nobody's, "coordinator" or "customer"."""
    longest: int
    ends: int
    adder: str
    """Who entered its customer's address."""
    logins: dict[str, str] = field(default_factory=dict)
    """By id: "there", "gone" (the customer took it back) or "destroyed"."""
    coded: frozenset[str] = frozenset()
    """Of which one-time codes are made, and nothing else."""
    exclusive: bool = False
    glass: int = 0
    """For how many minutes broken glass lets a lease begin; 0 where it cannot be broken."""
    closed: bool = False
    paused: bool = False


@dataclass
class Place:
    """Somebody's place on a ticket."""

    until: int = NEVER
    alone: bool = False
    """Nobody else is known to have put them there."""


@dataclass
class Task:
    """A ticket, and who is on it; a place whose time is over is there until somebody comes by."""

    job: str
    open: bool = True
    on: dict[str, Place] = field(default_factory=dict)


@dataclass
class Lent:
    """A lease."""

    who: str
    task: str
    job: str
    logins: frozenset[str]
    minutes: int
    state: str
    starts: int
    ends: int
    approver: str = ""
    why: str = ""
    """Why it takes a yes where nothing else asks for one."""
    begins: int | None = None
    how: str = ""
    decided_by: str = ""
    review: str = ""

    @property
    def live(self) -> bool:
        return self.state in {"asked", "active"}

    @property
    def has_begun(self) -> bool:
        """Whether it was ever more than asked for."""
        return (
            self.state != "asked"
            and self.how != "refused"
            and (not self.approver or bool(self.decided_by or self.review))
        )


@dataclass
class Review:
    """What is owed for broken glass."""

    who: str
    lease: str
    open: bool = True
    verdict: str = ""
    closed_at: int = 0
