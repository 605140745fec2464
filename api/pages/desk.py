"""The technician's desk: tickets, and checking their logins out, now or for a maintenance window."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.bodies import TicketPath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.days import minutes_east
from api.pages.holding import durations, minutes_in
from api.pages.proving import NO_FAULTS, Faults, deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from api.pages.work import assignable
from vault.errors import Invalid, VaultError
from vault.model.views import LeaseView
from vault.operations.leases import checkout
from vault.operations.services import tickets
from vault.operations.vault import Vault
from vault.values import Actor, to_datetime

router = APIRouter(route_class=PageRoute, include_in_schema=False)


MOST_TICKETS = 50
"""On one's desk; each is shown with what is ready for it."""


async def on_the_desk(vault: Vault, actor: Actor) -> dict[str, Any]:
    """What a technician has checked out, had checked out, and is to work on; nothing of anybody else's."""
    held = [one for one in await vault.read(checkout.leases, actor) if one.person_id == actor.id]
    listed = await vault.read(tickets.tickets, actor)
    own = [
        one for one in listed if one.state == "open" and actor.id in {person.id for person in one.assigned}
    ]
    return {
        "live": [lease for lease in held if lease.state == "active"],
        "asked": [lease for lease in held if lease.state == "asked"],
        "planned": [lease for lease in held if lease.state == "planned"],
        "over": [lease for lease in held if lease.state == "ended"][:5],
        "tickets": [await vault.read(tickets.ticket, actor, one.id) for one in own[:MOST_TICKETS]],
        "now": to_datetime(vault.now()),
    }


async def desk(vault: Vault, actor: Actor, sheet: Sheet) -> Response:
    """Show what is checked out now, and the tickets to work on."""
    return sheet.shown("desk.html", **await on_the_desk(vault, actor))


def begins_in(raw: str, offset: str) -> datetime | None:
    """When a form wants a lease to begin: the moment there where it was typed; None for at once.

    `offset` is in minutes east of UTC, as static/begins.js tells it; without it the form speaks of UTC. Raises Invalid.
    """
    if not raw:
        return None
    try:
        typed = datetime.fromisoformat(raw) if len(raw) == len("2026-12-31T22:00") else None
        zone = timezone(timedelta(minutes=minutes_east(offset)))
        begins = typed.replace(tzinfo=zone).astimezone(UTC) if typed and typed.tzinfo is None else None
    except (ValueError, OverflowError):
        begins = None
    if begins is None:
        raise Invalid("give a day and a time, like 2026-12-31T22:00", "/begins_at")
    return begins


async def _ticket_page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    ticket_id: str,
    typed: dict[str, Any],
    faults: Faults = NO_FAULTS,
    again: str = "",
) -> Response:
    ticket = await vault.read(tickets.ticket, actor, ticket_id)
    held = await vault.read(checkout.leases, actor)
    own = [one for one in held if (one.ticket_id, one.person_id) == (ticket_id, actor.id)]
    return await deed_page(
        vault,
        actor,
        sheet,
        "ticket.html",
        faults,
        ticket=ticket,
        minutes=durations(ticket.longest_lease_minutes),
        leases=[one for one in own if one.state == "active"],
        planned=[one for one in own if one.state == "planned"],
        asked=[one for one in own if one.state == "asked"],
        coordinates="coordinator" in sheet.roles,
        people=await assignable(vault, actor, sheet.roles),
        mine="technician" in sheet.roles and actor.id in {person.id for person in ticket.assigned},
        typed=typed or _as_before(own, again, ticket.longest_lease_minutes),
        now=to_datetime(vault.now()),
    )


def _as_before(own: list[LeaseView], again: str, longest: int) -> dict[str, Any]:
    """What a form says that checks out once more what was checked out before; nothing if that is not there."""
    before = next((one for one in own if one.id == again), None)
    if before is None:
        return {}
    minutes = str(before.minutes) if before.minutes in durations(longest) else ""
    same = {"secrets": [secret.id for secret in before.secrets], "reason": before.reason}
    return same | ({"minutes": minutes} if minutes else {})


@router.get("/tickets/{ticket_id}", name="ticket.list")
async def ticket(
    ticket_id: TicketPath, vault: TheVault, actor: PageActor, sheet: OwnSheet, again: str = ""
) -> Response:
    """Show a ticket and the form that checks its logins out, filled in if something is to be checked out again."""
    return await _ticket_page(vault, actor, sheet, ticket_id, {}, again=again)


@router.post("/tickets/{ticket_id}/leases", name="lease.start")
async def check_out(
    ticket_id: TicketPath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Check logins out. What was typed comes back with a refusal, but for the code: it is spent."""
    secrets = [secret for secret in form.getlist("secrets") if isinstance(secret, str)]
    typed = {name: text(form, name) for name in ("reason", "minutes", "begins_at", "offset")}
    lasts = minutes_in(typed["minutes"][:10])
    try:
        if not secrets:
            raise Invalid("choose at least one login", "/secrets")
        begins = begins_in(typed["begins_at"], typed["offset"])
        lease = await checkout.lease(
            vault, actor, ticket_id, secrets, lasts, typed["reason"], given_in(form), begins
        )
    except VaultError as refusal:
        faults = faults_of(request, refusal, "secrets", "reason", "minutes", "begins_at")
        return await _ticket_page(vault, actor, sheet, ticket_id, typed | {"secrets": secrets}, faults)
    return RedirectResponse(f"/leases/{lease.id}", 303)
