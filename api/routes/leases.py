"""Checking access out, revealing single fields, and handing it back."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.bodies import LeasePath, TicketPath
from api.bodies_desk import Broken, Extend, IssuedCode, NewLease, Reveal, Revealed, WantedCode
from api.depends import SignedIn, TheVault
from vault.model.views import LeaseView, RequestView
from vault.operations.leases import checkout, extending
from vault.values import to_datetime

router = APIRouter(tags=["leases"])


@router.post("/tickets/{ticket_id}/leases", name="lease.start", status_code=201)
async def lease(ticket_id: TicketPath, body: NewLease, vault: TheVault, actor: SignedIn) -> LeaseView:
    """Check secrets of a ticket out, with a reason and a proof of presence."""
    return await checkout.lease(
        vault,
        actor,
        ticket_id,
        list(body.secrets),
        body.minutes,
        body.reason,
        body.given(),
        body.begins_at,
    )


@router.get("/leases", name="lease.list")
async def leases(vault: TheVault, actor: SignedIn) -> list[LeaseView]:
    """List one's own leases; a coordinator sees every open one."""
    return list(await vault.read(checkout.leases, actor))


@router.get("/leases/{lease_id}", name="lease.list")
async def one_lease(lease_id: LeasePath, vault: TheVault, actor: SignedIn) -> LeaseView:
    """Show one lease."""
    return await vault.read(checkout.lease_view, actor, lease_id)


@router.post("/leases/{lease_id}/reveal", name="secret.reveal", response_model=Revealed)
async def reveal(lease_id: LeasePath, body: Reveal, vault: TheVault, actor: SignedIn) -> JSONResponse:
    """Open one field of one secret. The record of it is durable before the value leaves."""
    opened = await checkout.open_field(vault, actor, lease_id, body.secret, body.field, body.given())
    return JSONResponse({"value": opened.expose()}, headers={"Cache-Control": "no-store"})


@router.post("/leases/{lease_id}/use", name="secret.use", response_model=Revealed)
async def use(lease_id: LeasePath, body: Reveal, vault: TheVault, actor: SignedIn) -> JSONResponse:
    """Hand one field of one secret to a program. That no eyes see it is the client's word, and recorded as such."""
    opened = await checkout.open_field(vault, actor, lease_id, body.secret, body.field, body.given(), "use")
    return JSONResponse({"value": opened.expose()}, headers={"Cache-Control": "no-store"})


@router.post("/leases/{lease_id}/code", name="secret.code", response_model=IssuedCode)
async def code(lease_id: LeasePath, body: WantedCode, vault: TheVault, actor: SignedIn) -> JSONResponse:
    """Issue the one-time code of this moment. What it is made of never leaves the vault."""
    made = await checkout.issue_code(vault, actor, lease_id, body.secret, body.given())
    answer = IssuedCode(code=made.code.expose(), period=made.period, until=to_datetime(made.until))
    return JSONResponse(answer.model_dump(mode="json"), headers={"Cache-Control": "no-store"})


@router.post("/leases/{lease_id}/extend", name="lease.extend")
async def extend(lease_id: LeasePath, body: Extend, vault: TheVault, actor: SignedIn) -> LeaseView:
    """Make one's own lease longer while it runs, with a proof of presence for this."""
    return await extending.extend(vault, actor, lease_id, body.minutes, body.given())


@router.post("/leases/{lease_id}/checkin", name="lease.check-in", status_code=204)
async def check_in(lease_id: LeasePath, vault: TheVault, actor: SignedIn) -> None:
    """Hand access back before it ends by itself."""
    await vault.perform(checkout.check_in, actor, lease_id)


@router.post("/leases/{lease_id}/revoke", name="lease.revoke", status_code=204)
async def revoke(lease_id: LeasePath, vault: TheVault, actor: SignedIn) -> None:
    """End somebody's lease now."""
    await vault.perform(checkout.revoke, actor, lease_id)


@router.post("/leases/{lease_id}/broken", name="secret.report", status_code=201)
async def broken(lease_id: LeasePath, body: Broken, vault: TheVault, actor: SignedIn) -> RequestView:
    """Say that a login does not work; the customer is asked for it again."""
    return await checkout.report_broken(vault, actor, lease_id, body.secret, body.note)
