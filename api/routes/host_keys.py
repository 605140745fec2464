"""The keys of the servers that logins lead to: kept when one is first met, shown to who comes after."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.bodies import LeasePath
from api.bodies_desk import KnownHostKey, MetHostKey
from api.depends import SignedIn, TheVault
from vault.model.desk_views import HostKeyView
from vault.operations.leases import host_keys

router = APIRouter(tags=["leases"])


@router.post("/leases/{lease_id}/host-key", name="host-key.meet", status_code=204)
async def meet(lease_id: LeasePath, body: MetHostKey, vault: TheVault, actor: SignedIn) -> None:
    """Keep the key that a login's server showed, where none is kept yet."""
    await vault.perform(host_keys.meet, actor, lease_id, body.secret, body.line)


@router.post("/leases/{lease_id}/host-key/show", name="host-key.show", response_model=HostKeyView)
async def show(lease_id: LeasePath, body: KnownHostKey, vault: TheVault, actor: SignedIn) -> JSONResponse:
    """Show the key that is kept of a login's server. The record of it is durable before."""
    view = await host_keys.known(vault, actor, lease_id, body.secret)
    return JSONResponse(view.model_dump(mode="json"), headers={"Cache-Control": "no-store"})
