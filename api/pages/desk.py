"""The technician's desk: tickets, checking out, revealing one field at a time, handing back."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.bodies import LeasePath, TicketPath
from api.depends import CheckedForm, PageActor, TheVault
from api.errors import problem_of
from api.pages import downloads
from api.pages.own import deed_page
from api.pages.proving import asks_to_prove, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from api.pages.work import assignable
from vault.errors import Denied, Invalid, NotFound, ProofNeeded, StaleProof, TooMany, VaultError
from vault.model.kinds import KINDS
from vault.operations import checkout, tickets
from vault.operations.vault import Vault
from vault.values import Actor

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MINUTES = (15, 30, 60, 120, 240, 480, 720)
SHOWN_SECONDS = 30
"""How long a revealed value stays on the screen."""


async def on_the_desk(vault: Vault, actor: Actor) -> dict[str, Any]:
    """What a technician has checked out, had checked out, and is to work on; nothing of anybody else's."""
    held = [one for one in await vault.read(checkout.leases, actor) if one.person_id == actor.id]
    listed = await vault.read(tickets.tickets, actor)
    return {
        "live": [lease for lease in held if lease.state == "active"],
        "asked": [lease for lease in held if lease.state == "asked"],
        "over": [lease for lease in held if lease.state == "ended"][:5],
        "tickets": [
            one
            for one in listed
            if one.state == "open" and actor.id in {person.id for person in one.assigned}
        ],
    }


async def desk(vault: Vault, actor: Actor, sheet: Sheet) -> Response:
    """Show what is checked out now, and the tickets to work on."""
    return sheet.shown("desk.html", **await on_the_desk(vault, actor))


def durations(longest: int) -> tuple[int, ...]:
    """The minutes to choose from: round ones as long as the service type allows, and its longest."""
    return (*(count for count in MINUTES if count < longest), longest)


async def _ticket_page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    ticket_id: str,
    typed: dict[str, Any],
    faults: dict[str, str] | None = None,
    refusal: VaultError | None = None,
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
        refusal,
        ticket=ticket,
        minutes=durations(ticket.longest_lease_minutes),
        leases=[one for one in own if one.state == "active"],
        asked=[one for one in own if one.state == "asked"],
        coordinates="coordinator" in sheet.roles,
        people=await assignable(vault, actor, sheet.roles),
        mine="technician" in sheet.roles and actor.id in {person.id for person in ticket.assigned},
        typed=typed,
    )


@router.get("/tickets/{ticket_id}", name="ticket.list")
async def ticket(ticket_id: TicketPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show a ticket and the form that checks its logins out."""
    return await _ticket_page(vault, actor, sheet, ticket_id, {})


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
    reason, minutes = text(form, "reason"), text(form, "minutes", 10)
    lasts = int(minutes) if minutes.isascii() and minutes.isdigit() else 0
    try:
        if not secrets:
            raise Invalid("choose at least one login", "/secrets")
        lease = await checkout.lease(vault, actor, ticket_id, secrets, lasts, reason, given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal, "secrets", "reason", "minutes")
        typed = {"secrets": secrets, "reason": reason, "minutes": minutes}
        return await _ticket_page(vault, actor, sheet, ticket_id, typed, faults, refusal)
    return RedirectResponse(f"/leases/{lease.id}", 303)


@router.get("/leases/{lease_id}", name="lease.list")
async def lease(
    lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, asked: str = ""
) -> Response:
    """Show a lease, every field covered; or for whose yes it waits."""
    held = await vault.read(checkout.lease_view, actor, lease_id)
    if held.state == "asked":
        return sheet.shown("lease_asked.html", lease=held)
    return sheet.shown("lease.html", lease=held, seconds=SHOWN_SECONDS, asked=asked == "again")


@router.post("/leases/{lease_id}/reveal", name="secret.reveal")
async def reveal(
    lease_id: LeasePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Show one field on a page of its own: for a browser without JavaScript, and what takes a proof for each look.

    It is recorded before it is shown. A file is saved instead, where the form says so.
    """
    secret, field = text(form, "secret"), text(form, "field")
    held = await vault.read(checkout.lease_view, actor, lease_id)
    file = downloads.is_file(held, secret, field)
    try:
        opened = await checkout.open_field(vault, actor, lease_id, secret, field, given_in(form))
    except (StaleProof, TooMany, Denied) as refusal:
        proving = next((KINDS[one.kind] for one in held.secrets if one.id == secret), None)
        if proving is None or not proving.extraordinary:
            raise
        first = isinstance(refusal, ProofNeeded) and "asked" not in form
        faults = {} if first and not asks_to_prove(request) else faults_of(request, refusal)
        of = {"lease": held, "secret": secret, "field": proving.field(field)}
        return await deed_page(vault, actor, sheet, "look.html", faults, None if first else refusal, **of)
    except NotFound as refusal:
        return sheet.shown(
            "lease.html", 404, lease=held, seconds=SHOWN_SECONDS, refused=problem_of(refusal).detail
        )
    if file and "save" in form:
        return downloads.download(secret, opened.expose())
    value = downloads.revealed(secret, field, opened.expose(), file=file)
    return sheet.shown("lease.html", lease=held, seconds=SHOWN_SECONDS, revealed=value)


@router.post("/leases/{lease_id}/checkin", name="lease.check-in")
async def check_in(lease_id: LeasePath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """Hand access back."""
    await vault.perform(checkout.check_in, actor, lease_id)
    return RedirectResponse("/", 303)


@router.post("/leases/{lease_id}/broken", name="secret.report")
async def broken(
    lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Say that a login does not work; the customer is asked for it again."""
    note, secret = text(form, "note"), text(form, "secret")
    try:
        await checkout.report_broken(vault, actor, lease_id, secret, note)
    except Invalid as refusal:
        held = await vault.read(checkout.lease_view, actor, lease_id)
        wrong = {"secret": secret, "note": note, "error": problem_of(refusal).detail}
        return sheet.shown("lease.html", 422, lease=held, seconds=SHOWN_SECONDS, broken=wrong)
    return RedirectResponse(f"/leases/{lease_id}?asked=again", 303)
