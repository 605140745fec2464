"""Which helpdesk tells of a service: a coordinator says so on the service's page."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from api.bodies import ServicePath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.proving import text
from api.pages.sheet import PageRoute
from vault.operations.helpdesk import helpdesks

router = APIRouter(prefix="/services/{service_id}", route_class=PageRoute, include_in_schema=False)


@router.post("/connect", name="service.connect")
async def connect(service_id: ServicePath, vault: TheVault, actor: PageActor, form: CheckedForm) -> Response:
    """Let a helpdesk tell of the service from now on."""
    await vault.perform(helpdesks.connect, actor, service_id, text(form, "helpdesk", 40))
    return RedirectResponse(f"/services/{service_id}?done=connected", 303)


@router.post("/disconnect", name="service.connect")
async def disconnect(
    service_id: ServicePath, vault: TheVault, actor: PageActor, _form: CheckedForm
) -> Response:
    """Let no helpdesk tell of it any more."""
    await vault.perform(helpdesks.disconnect, actor, service_id)
    return RedirectResponse(f"/services/{service_id}?done=disconnected", 303)
