"""The technician's desk: tickets, checking out, revealing one field at a time, handing back."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.bodies import LeasePath, TicketPath
from api.depends import CheckedForm, PageActor, TheVault
from api.errors import problem_of
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import Invalid, NotFound, NotSignedIn, VaultError
from vault.operations import checkout, tickets
from vault.operations.vault import Vault
from vault.values import Actor, Plaintext

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MINUTES = (15, 30, 60, 120, 240, 480)
SHOWN_SECONDS = 30
"""How long a revealed value stays on the screen."""


async def desk(vault: Vault, actor: Actor, sheet: Sheet) -> Response:
    """Show what is checked out now, and the tickets to work on."""
    held = await vault.read(checkout.leases, actor)
    return sheet.shown(
        "desk.html",
        live=[lease for lease in held if lease.state == "active"],
        over=[lease for lease in held if lease.state != "active"][:5],
        tickets=await vault.read(tickets.tickets, actor),
    )


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


async def _ticket_page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    ticket_id: str,
    typed: Mapping[str, object],
    refusal: VaultError | None,
) -> Response:
    ticket = await vault.read(tickets.ticket, actor, ticket_id)
    held = await vault.read(checkout.leases, actor)
    return sheet.shown(
        "ticket.html",
        problem_of(refusal).status if refusal else 200,
        ticket=ticket,
        minutes=MINUTES,
        leases=[lease for lease in held if lease.ticket_id == ticket_id and lease.state == "active"],
        typed=typed,
        faults={_place(refusal): problem_of(refusal).detail} if refusal else {},
    )


def _place(refusal: VaultError) -> str:
    """Name the field that a refusal is about: the code is what was refused where nothing else is named."""
    pointer = refusal.pointer.strip("/") if isinstance(refusal, Invalid) else ""
    return pointer if pointer in {"secrets", "reason", "minutes", "code"} else "code"


@router.get("/tickets/{ticket_id}")
async def ticket(ticket_id: TicketPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show a ticket and the form that checks its logins out."""
    return await _ticket_page(vault, actor, sheet, ticket_id, {}, None)


@router.post("/tickets/{ticket_id}/leases")
async def check_out(
    ticket_id: TicketPath, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Check logins out. What was typed comes back with a refusal, but for the code: it is spent."""
    secrets = [secret for secret in form.getlist("secrets") if isinstance(secret, str)]
    reason, minutes = _text(form, "reason")[:2000], _text(form, "minutes")
    try:
        if not secrets:
            raise Invalid("Choose at least one login", "/secrets")
        lease = await checkout.lease(
            vault,
            actor,
            ticket_id,
            secrets,
            int(minutes) if minutes in {str(one) for one in MINUTES} else 0,
            reason,
            _text(form, "code").replace(" ", "")[:20],
        )
    except (NotSignedIn, NotFound):
        raise
    except VaultError as refusal:
        typed = {"secrets": secrets, "reason": reason, "minutes": minutes}
        return await _ticket_page(vault, actor, sheet, ticket_id, typed, refusal)
    return RedirectResponse(f"/leases/{lease.id}", 303)


@router.get("/leases/{lease_id}")
async def lease(
    lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, asked: str = ""
) -> Response:
    """Show a lease, every field covered."""
    held = await vault.read(checkout.lease_view, actor, lease_id)
    return sheet.shown("lease.html", lease=held, seconds=SHOWN_SECONDS, asked=asked == "again")


@router.post("/leases/{lease_id}/reveal")
async def reveal(
    lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Show one field on a page of its own, for a browser without JavaScript. It is recorded before it is shown."""
    secret, field = _text(form, "secret"), _text(form, "field")
    held = await vault.read(checkout.lease_view, actor, lease_id)
    try:
        opened: Plaintext = await vault.perform(checkout.reveal, actor, lease_id, secret, field)
    except NotFound as refusal:
        return sheet.shown(
            "lease.html", 404, lease=held, seconds=SHOWN_SECONDS, refused=problem_of(refusal).detail
        )
    value = {"secret": secret, "field": field, "value": opened.expose()}
    return sheet.shown("lease.html", lease=held, seconds=SHOWN_SECONDS, revealed=value)


@router.post("/leases/{lease_id}/checkin")
async def check_in(lease_id: LeasePath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """Hand access back."""
    await vault.perform(checkout.check_in, actor, lease_id)
    return RedirectResponse("/", 303)


@router.post("/leases/{lease_id}/broken")
async def broken(
    lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Say that a login does not work; the customer is asked for it again."""
    note, secret = _text(form, "note")[:2000], _text(form, "secret")
    try:
        await checkout.report_broken(vault, actor, lease_id, secret, note)
    except Invalid as refusal:
        held = await vault.read(checkout.lease_view, actor, lease_id)
        wrong = {"secret": secret, "note": note, "error": problem_of(refusal).detail}
        return sheet.shown("lease.html", 422, lease=held, seconds=SHOWN_SECONDS, broken=wrong)
    return RedirectResponse(f"/leases/{lease_id}?asked=again", 303)
