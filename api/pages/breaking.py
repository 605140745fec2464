"""Breaking the glass, in two steps: what it is and why, then the deed itself. Neither is sent by a link."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.bodies import LeasePath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.proving import NO_FAULTS, Faults, asks_to_prove, deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import ProofNeeded, VaultError
from vault.operations.leases import checkout, glass
from vault.operations.vault import Vault
from vault.values import Actor

router = APIRouter(prefix="/leases/{lease_id}/break-glass", route_class=PageRoute, include_in_schema=False)


async def _page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    lease_id: str,
    reason: str = "",
    faults: Faults = NO_FAULTS,
    *,
    sure: bool = False,
) -> Response:
    held = await vault.read(checkout.lease_view, actor, lease_id)
    return await deed_page(
        vault,
        actor,
        sheet,
        "glass_sure.html" if sure else "glass.html",
        faults,
        lease=held,
        reason=reason,
        shortest=glass.SHORTEST_REASON,
        longest=glass.LONGEST_REASON,
    )


@router.get("", name="lease.list")
async def explain(lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Say what follows, and ask why it cannot wait."""
    return await _page(vault, actor, sheet, lease_id)


@router.post("", name="lease.break-glass")
async def break_it(
    lease_id: LeasePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Ask once more and for a proof; with it, do it. What was written stays until it is done."""
    reason, sure = text(form, "reason"), "sure" in form
    try:
        await glass.break_glass(vault, actor, lease_id, reason, given_in(form))
    except ProofNeeded as needed:
        if asks_to_prove(request) or sure:
            return await _page(vault, actor, sheet, lease_id, reason, faults_of(request, needed), sure=True)
        return await _page(vault, actor, sheet, lease_id, reason, sure=True)
    except VaultError as refusal:
        faults = faults_of(request, refusal, "reason")
        still = sure and "code" in faults.said
        return await _page(vault, actor, sheet, lease_id, reason, faults, sure=still)
    return RedirectResponse(f"/leases/{lease_id}", 303)
