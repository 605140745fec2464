"""Leases that wait for a coordinator's yes."""

from fastapi import APIRouter

from api.bodies import LeasePath
from api.bodies_approvals import ApproveLease, RefuseLease
from api.depends import SignedIn, TheVault
from vault.model.views import ApprovalView, LeaseView
from vault.operations.leases import approving

router = APIRouter(tags=["approvals"])


@router.get("/approvals", name="lease.refuse")
async def waiting(vault: TheVault, actor: SignedIn) -> list[ApprovalView]:
    """List what waits for a coordinator, the oldest first."""
    return list(await vault.read(approving.waiting, actor))


@router.get("/approvals/{lease_id}", name="lease.refuse")
async def one(lease_id: LeasePath, vault: TheVault, actor: SignedIn) -> ApprovalView:
    """Show one of them, with what the same person checked out lately."""
    return await vault.read(approving.approval_view, actor, lease_id)


@router.post("/leases/{lease_id}/approve", name="lease.approve")
async def approve(lease_id: LeasePath, body: ApproveLease, vault: TheVault, actor: SignedIn) -> LeaseView:
    """Say yes to a lease as it was read; it begins at once."""
    return await approving.approve(vault, actor, lease_id, body.digest, body.given())


@router.post("/leases/{lease_id}/refuse", name="lease.refuse", status_code=204)
async def refuse(lease_id: LeasePath, body: RefuseLease, vault: TheVault, actor: SignedIn) -> None:
    """Say no to it, and why."""
    await approving.refuse(vault, actor, lease_id, body.digest, body.reason)
