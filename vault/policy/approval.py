"""Leases that take another person's yes: whose, to what exactly, and who may say it. Pure: facts in, verdict out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from vault.crypto.encoding import pack
from vault.errors import Conflict, Denied, Ended, Invalid, NotSignedIn
from vault.policy.access import Delivery, require_delivery
from vault.policy.rights import require
from vault.policy.vouching import Account, related
from vault.values import DAY

Approver = Literal["", "coordinator", "customer"]
Why = Literal["", "services a day", "alone"]
STRICTER: tuple[Approver, ...] = ("", "coordinator", "customer")
"""Whose yes it takes, the stricter later."""
WAITS_FOR = DAY
MOST_ASKED = 10
"""So many leases of one person wait for a yes: whoever is asked all the time stops reading."""
MOST_HELD = 100
"""So many leases of one person run or are planned: what ends all of them is one entry, which has a longest length."""
MOST_ASKED_OF_ONE = 20
"""So often within `WAITS_FOR` one person asks the same customer, whatever became of it."""


@dataclass(frozen=True)
class Asked:
    """A lease as it was asked for: whoever says yes says it to exactly this."""

    lease: str
    ticket: str
    person: str
    secrets: tuple[str, ...]
    minutes: int
    reason: str = field(repr=False)
    begins_at: int | None = None
    """When it is to begin; None for at once."""

    @property
    def digest(self) -> str:
        """Its SHA-256 in hexadecimal. Among its parts is what somebody typed, so the ledger never names it."""
        parts: tuple[str | int, ...] = (
            self.lease,
            self.ticket,
            self.person,
            self.minutes,
            self.reason,
            "at once" if self.begins_at is None else self.begins_at,
            *self.secrets,
        )
        return sha256(pack("valetkey/v1/approval", *parts)).hexdigest()


def approver_by(line: Approver, *, extraordinary: bool, approved: bool) -> Approver:
    """Whose yes a secret takes by its line of the catalogue.

    What is extraordinary always takes one: the customer's, unless an administrator approved a line that says otherwise.
    """
    if not extraordinary:
        return line
    return line if line and approved else "customer"


def stricter_of(one: str, other: str) -> Approver:
    """The stricter of two: what was asked for under one line takes its yes under an easier one too."""
    return STRICTER[max(STRICTER.index(one), STRICTER.index(other))]


def is_easier(one: str, than: str) -> bool:
    """Whether one yes is easier to have than another."""
    return STRICTER.index(one) < STRICTER.index(than)


def approver_of(each: Collection[Approver]) -> Approver:
    """Whose yes a lease of several secrets takes. Raises Invalid where two people would have to say it."""
    found: set[Approver] = set(each) - {""}
    if len(found) > 1:
        raise Invalid(
            "check these out one by one: one takes the customer's yes, another a coordinator's", "/secrets"
        )
    return found.pop() if found else ""


def busiest(begun: Collection[tuple[str, int]], service: str, at: int) -> int:
    """Which one of somebody's services within a day this one is, if they begin a lease of it at `at`; 0 for none new.

    `begun` are the services and moments of their other leases, planned ones too. Every span of 24 hours around `at`
    counts, so that nobody plans for tomorrow what is too much for today.
    """
    starts = [at, *(moment for _, moment in begun), *(moment - DAY for _, moment in begun)]
    spans = [since for since in starts if at - DAY < since <= at]
    others = ({one for one, moment in begun if since <= moment < since + DAY} for since in spans)
    return max((len(found) + 1 for found in others if service not in found), default=0)


def needed(
    by_catalogue: Approver, *, services: int, services_a_day: int, alone: bool
) -> tuple[Approver, Why]:
    """Whose yes a lease takes in all, and what makes it take one besides the catalogue.

    A coordinator's, where this is one service too many within a day, or where nobody else is known to have put its
    holder on the ticket. A stricter one stays.
    """
    why: Why = "services a day" if services > services_a_day else "alone" if alone else ""
    return (stricter_of(by_catalogue, "coordinator") if why else by_catalogue), why


def require_strict_enough(asked_of: str, by_now: str) -> None:
    """The catalogue takes no stricter yes by now than the one that was asked for. Raises Conflict."""
    if STRICTER.index(by_now) > STRICTER.index(asked_of):
        raise Conflict(
            "by now the catalogue takes another person's yes for this; it has to be asked for anew, "
            "so say no to it"
        )


def require_still_enough(asked_of: str, by_now: str) -> None:
    """A lease that was checked out under an easier line opens by the one that counts by now. Raises Conflict."""
    if is_easier(asked_of, by_now):
        raise Conflict(
            "since this was checked out another person's yes is taken for it; hand it back and check it out anew"
        )


def require_room(waiting: int) -> None:
    """Not too many leases of one person wait already. Raises Conflict."""
    if waiting >= MOST_ASKED:
        raise Conflict(f"{waiting} of your check-outs wait for a yes already; take some of them back first")


def require_few(held: int) -> None:
    """Not too many leases of one person run or are planned already. Raises Conflict."""
    if held >= MOST_HELD:
        raise Conflict(f"{held} of your check-outs run or are planned already; hand some of them back first")


def require_patience(asked: int) -> None:
    """One person has not asked the same customer all day. Raises Denied."""
    if asked >= MOST_ASKED_OF_ONE:
        raise Denied(
            f"within a day you have asked this customer for {asked} check-outs; whoever is asked all the time says "
            "yes in the end, so wait until some of them are a day old"
        )


def require_known_otherwise(
    asker: Account, adder: Account, accounts: Mapping[str, Account], now: int
) -> None:
    """Whoever asks for a customer's yes has not typed that customer's address. Raises Denied."""
    if asker.id == adder.id:
        raise Denied(
            "this takes the customer's yes, and the customer's address was entered by you, so their yes cannot be told "
            "from yours; somebody else has to check this out"
        )
    if related(asker, adder, accounts, now):
        raise Denied(
            "this takes the customer's yes, and the customer's address was entered by somebody whose account cannot be "
            "told from yours: within the last week one of you two was added by the other, or both by the same person; "
            "somebody else has to check this out"
        )


def require_put_by_one_of_us(*, is_one: bool) -> None:
    """Somebody of the staff, and no helpdesk, has put whoever asks on the ticket. Raises Denied."""
    if not is_one:
        raise Denied(
            "this takes the customer's yes, and a helpdesk told us of the customer and of you on this ticket, so their "
            "yes cannot be told from yours; a coordinator has to put you on it"
        )


def require_waiting(state: str, until: int, now: int) -> None:
    """It still waits for its yes or no. Raises Ended."""
    if state != "asked" or now >= until:
        raise Ended("this was decided or taken back meanwhile, or has waited too long")


def require_same(asked: Asked, digest: str) -> None:
    """What is decided is what was shown. Raises Conflict."""
    if digest != asked.digest:
        raise Conflict("it was changed meanwhile; read it as it is now")


def require_wanted(delivery: Delivery, now: int) -> None:
    """Whoever asked could check it out by themselves at this moment, but for the yes.

    It is judged for whoever says yes, so no refusal says that *they* are not signed in or have a role too few. Raises
    Denied (also where the customer has paused the service) and Ended.
    """
    try:
        require(delivery.standing, "lease.start")
    except (NotSignedIn, Denied):
        raise Denied("who asked for this may not check it out at present") from None
    if not delivery.assigned:
        raise Ended("who asked for this is not on the ticket any more")
    require_delivery(delivery, now, "lease.start")


def why_not(approver: Account, asker: Account, accounts: Mapping[str, Account], now: int) -> str:
    """Why a coordinator may not say yes to another's lease, in words for the coordinator; nothing if they may.

    That they are a coordinator who has agreed and is rested is for the table of rights.
    """
    if approver.id == asker.id:
        return "you have asked for it yourself"
    if related(approver, asker, accounts, now):
        return "within the last week one of you two was added by the other, or both by the same person"
    return ""
