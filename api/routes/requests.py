"""Asking a customer for access."""

from fastapi import APIRouter

from api.bodies import AskFor, Reissue, RequestPath, ServicePath
from api.depends import SignedIn, TheVault
from vault.model.views import RequestView
from vault.operations.customers import requests

router = APIRouter(tags=["requests"])


@router.post("/services/{service_id}/requests", name="request.ask", status_code=201)
async def ask(service_id: ServicePath, body: AskFor, vault: TheVault, actor: SignedIn) -> RequestView:
    """Ask the customer for what the service needs; the intake code goes out by mail or is handed over.

    With `pin`, the form opens only with six digits too, which are in this answer alone: tell them by telephone.
    """
    return await requests.ask_customer(vault, actor, service_id, body.kinds, body.deliver, pin=body.pin)


@router.post("/requests/{request_id}/cancel", name="request.ask", status_code=204)
async def cancel(request_id: RequestPath, vault: TheVault, actor: SignedIn) -> None:
    """Withdraw a request; its intake code opens nothing any more."""
    await vault.perform(requests.cancel, actor, request_id)


@router.post("/requests/{request_id}/reissue", name="request.ask")
async def reissue(request_id: RequestPath, body: Reissue, vault: TheVault, actor: SignedIn) -> RequestView:
    """Send a fresh intake code, with a fresh PIN where there is one; the old ones open nothing any more."""
    return await requests.reissue_code(vault, actor, request_id, body.deliver, pin=body.pin)
