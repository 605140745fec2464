"""What waits for a coordinator's yes: all of it, and the page on which one decides."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.bodies import LeasePath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.proving import NO_FAULTS, Faults, deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import VaultError
from vault.operations.leases import approving
from vault.operations.vault import Vault
from vault.values import Actor, to_datetime

router = APIRouter(prefix="/approvals", route_class=PageRoute, include_in_schema=False)


@router.get("", name="lease.refuse")
async def inbox(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """List what waits."""
    waiting = await vault.read(approving.waiting, actor)
    return sheet.shown("approvals.html", waiting=waiting, now=to_datetime(vault.now()))


@router.get("/{lease_id}", name="lease.refuse")
async def one(lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show who asks for what and why, and what they checked out lately."""
    return await _page(vault, actor, sheet, lease_id)


@router.post("/{lease_id}/approve", name="lease.approve")
async def approve(
    lease_id: LeasePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Let it begin, exactly as the page has shown it."""
    try:
        await approving.approve(vault, actor, lease_id, text(form, "digest"), given_in(form))
    except VaultError as refusal:
        return await _page(vault, actor, sheet, lease_id, faults_of(request, refusal))
    return RedirectResponse(f"/approvals/{lease_id}", 303)


@router.post("/{lease_id}/refuse", name="lease.refuse")
async def refuse(
    lease_id: LeasePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Do not let it begin. What was typed comes back with a refusal of the refusal."""
    reason = text(form, "reason")
    try:
        await approving.refuse(vault, actor, lease_id, text(form, "digest"), reason)
    except VaultError as refusal:
        return await _page(vault, actor, sheet, lease_id, faults_of(request, refusal, "reason"), reason)
    return RedirectResponse("/approvals", 303)


async def _page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    lease_id: str,
    faults: Faults = NO_FAULTS,
    typed: str = "",
) -> Response:
    """The page of one of them, as it is by now."""
    view = await vault.read(approving.approval_view, actor, lease_id)
    now = to_datetime(vault.now())
    return await deed_page(vault, actor, sheet, "approval.html", faults, approval=view, typed=typed, now=now)
