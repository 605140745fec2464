"""A catalogue in which the glass may be broken, and the verbs that go with it."""

from typing import Any

from tests.approvals import WRONG, put, taking
from tests.operations.necessities import HOST
from tests.refusals import refused
from tests.world import Member, World
from vault.errors import VaultError
from vault.model.desk_views import ReviewView
from vault.model.tables import Lease
from vault.model.views import LeaseView, ServiceView, TicketView
from vault.operations.leases import checkout, exposure, glass, reviewing
from vault.operations.people import staff
from vault.storage.reading import Reading
from vault.values import Actor

WHY = "the shop answers nobody any more, and the sale begins at six o'clock"
NOTE = "the shop was down, and nothing else was opened"
MINUTES = 20


def breakable(approver: str = "coordinator", minutes: int = MINUTES, days: int = 3) -> str:
    """The usual catalogue, where the password takes that yes, and the glass may be broken."""
    lines = f"break_glass_minutes = {minutes}\nreview_days = {days}\nlongest_life_days"
    return taking(approver).replace("longest_life_days", lines)


def nobody_answers(world: World, toml: str = "") -> tuple[ServiceView, str, TicketView, LeaseView]:
    """A lease that waits for a coordinator, while the only one has left."""
    put(world, toml or breakable())
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    world.actor("auditor")
    leave(world, "coordinator")
    return service, secret, ticket, world.lease(ticket, secret)


def leave(world: World, who: "str | Member") -> None:
    """Somebody leaves the company."""
    world.perform(staff.disable, HOST, world.member(who).id)


def breaking(
    world: World, lease: LeaseView, why: str = WHY, who: "str | Member" = "technician", **other: Any
) -> Any:
    """Break the glass with a fresh proof, not yet waited for."""
    actor, given = world.actor(who), other.pop("given", None) or world.presence(who)
    return glass.break_glass(world.vault, actor, lease.id, why, given)


def broken(world: World, lease: LeaseView, who: "str | Member" = "technician") -> LeaseView:
    """Break the glass."""
    found: LeaseView = world.run(breaking(world, lease, who=who))
    return found


def closing(
    world: World,
    lease: LeaseView,
    verdict: str = "justified",
    who: "str | Member" = "auditor",
    note: str = NOTE,
    **other: Any,
) -> Any:
    """Close the review of a lease with a fresh proof, not yet waited for."""
    actor, given = world.actor(who), other.pop("given", None) or world.presence(who)
    seen = other.pop("seen", None)
    if seen is None:
        seen = seen_of(world, lease.review_id)
    return reviewing.close_review(world.vault, actor, lease.review_id, verdict, note, given, seen)


def seen_of(world: World, review_id: str) -> int:
    """How many openings somebody reads of who looks at a review now."""

    def look(reading: Reading, _actor: Actor) -> int:
        found = reading.find_all_unchecked(Lease, review_id=review_id)
        return sum(one.times for lease in found for one in exposure.under(reading, lease))

    return int(world.read(look, Actor.core()))


def reviewed(
    world: World, lease: LeaseView, verdict: str = "justified", who: "str | Member" = "auditor"
) -> ReviewView:
    """Close the review of a lease."""
    found: ReviewView = world.run(closing(world, lease, verdict, who))
    return found


def shown(world: World, lease: LeaseView, who: "str | Member" = "technician") -> LeaseView:
    """The lease as somebody sees it now."""
    found: LeaseView = world.read(checkout.lease_view, world.actor(who), lease.id)
    return found


def told(world: World, like: str = "%glass%") -> list[tuple[str, str]]:
    """What word was left of that sort, and for whom."""
    rows = world.sql("SELECT template, to_id FROM outbox WHERE template LIKE :like ORDER BY id", like=like)
    return [tuple(row) for row in rows]


def stays_whole(
    world: World, lease: LeaseView, error: type[VaultError], match: str, who: "str | Member" = "technician"
) -> None:
    """Breaking the glass is refused before any proof is looked at, with its entry, and nothing changes."""
    world.actor(who)
    with refused(world, error, "lease.break-glass", match=match):
        world.run(breaking(world, lease, who=who, given=WRONG))
