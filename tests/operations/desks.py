"""What a technician does at the desk besides the usual: check out for later, make it longer, use, have codes made."""

from datetime import timedelta
from typing import Any

from tests.operations.necessities import HOST
from tests.world import CATALOGUE, Member, World
from vault.model.views import LeaseView, ServiceView, TicketView
from vault.operations.leases import checkout, extending
from vault.operations.services import catalogue, tickets
from vault.values import to_datetime

REASON = "install the shop as ordered"
EXCLUSIVE = CATALOGUE.replace("longest_life_days = 90", "longest_life_days = 90\nexclusive = true")
WITH_CODES = CATALOGUE.replace(
    "may_ask = [", 'may_ask = [{ kind = "totp-seed", because = "to log in where a code is asked for" }, '
)


def apply(world: World, toml: str) -> list[str]:
    """Apply a catalogue on the host."""
    return world.run(catalogue.apply(world.vault, HOST, toml))


def leased(
    world: World,
    ticket: TicketView,
    *secrets: str,
    who: "str | Member" = "technician",
    minutes: int = 30,
    begins_in: timedelta | None = None,
) -> Any:
    """A lease asked for, not yet waited for; `begins_in` is how far ahead its window is to begin."""
    actor, given = world.actor(who), world.presence(who)
    begins = None if begins_in is None else to_datetime(world.clock.wall()) + begins_in
    return checkout.lease(world.vault, actor, ticket.id, list(secrets), minutes, REASON, given, begins)


def planned(
    world: World, ticket: TicketView, *secrets: str, who: "str | Member" = "technician", **ahead: float
) -> LeaseView:
    """A lease whose window begins so far ahead."""
    view: LeaseView = world.run(leased(world, ticket, *secrets, who=who, begins_in=timedelta(**ahead)))
    return view


def longer(world: World, lease: LeaseView, minutes: int, who: "str | Member" = "technician") -> Any:
    """A lease to be made longer, with a fresh proof, not yet waited for."""
    actor, given = world.actor(who), world.presence(who)
    return extending.extend(world.vault, actor, lease.id, minutes, given)


def now(world: World, lease: LeaseView, who: "str | Member" = "technician") -> LeaseView:
    """A lease as somebody sees it by now."""
    found: LeaseView = world.read(checkout.lease_view, world.actor(who), lease.id)
    return found


def used(world: World, lease: LeaseView, secret: str, name: str = "password") -> str:
    """One field, handed to a program of the technician's."""
    value: str = world.perform(checkout.use, world.actor("technician"), lease.id, secret, name).expose()
    return value


def two_of_them(world: World) -> tuple[Member, ServiceView, str, TicketView]:
    """A service on whose ticket there are two technicians: Tom, as always, and this one."""
    tina = world.hire("Tina Torres", "technician")
    service = world.service()
    secret = world.give(service)
    ticket = world.ticket(service)
    world.perform(tickets.assign, world.actor("coordinator"), ticket.id, tina.id)
    return tina, service, secret, ticket
