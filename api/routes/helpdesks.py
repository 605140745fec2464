"""Helpdesks: what they tell, signed, and of which services each may tell."""

from fastapi import APIRouter, Request

from api.bodies import ServicePath
from api.bodies_helpdesks import ConnectHelpdesk, HelpdeskPath
from api.depends import Nobody, SignedIn, TheVault
from vault.model.helpdesk_views import HelpdeskView
from vault.operations.helpdesk import helpdesks, mirroring

router = APIRouter(tags=["helpdesks"])


@router.get("/helpdesks", name="service.connect")
async def all_helpdesks(vault: TheVault, actor: SignedIn) -> list[HelpdeskView]:
    """List the helpdesks that may tell of tickets."""
    return list(await vault.read(helpdesks.helpdesks, actor))


@router.post("/helpdesks/{helpdesk_id}/events", name="helpdesk.tell", status_code=204)
async def events(helpdesk_id: HelpdeskPath, request: Request, vault: TheVault, nobody: Nobody) -> None:
    """Take in what a helpdesk tells. Its signature is its right: no session counts here."""
    headers = {name: request.headers.getlist(name) for name in request.headers}
    await mirroring.receive(vault, nobody, helpdesk_id, headers, await request.body())


@router.post("/services/{service_id}/helpdesk", name="service.connect", status_code=204)
async def connect(service_id: ServicePath, body: ConnectHelpdesk, vault: TheVault, actor: SignedIn) -> None:
    """Let a helpdesk tell of a service, which it names by its id here."""
    await vault.perform(helpdesks.connect, actor, service_id, body.helpdesk)


@router.delete("/services/{service_id}/helpdesk", name="service.connect", status_code=204)
async def disconnect(service_id: ServicePath, vault: TheVault, actor: SignedIn) -> None:
    """Let no helpdesk tell of a service any more."""
    await vault.perform(helpdesks.disconnect, actor, service_id)
