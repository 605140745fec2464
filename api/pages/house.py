"""What coordinators and administrators see first: what is waiting, open and overdue; who is there."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from api.bodies import LeasePath, ServicePath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.desk import desk
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.operations import checkout, services, staff, tickets
from vault.operations.vault import Vault
from vault.values import Actor, to_datetime

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WITH_CUSTOMERS = frozenset({"technician", "coordinator", "auditor"})


@router.get("/")
async def home(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show each role its own first page, and before it the agreement that is still to be accepted."""
    if sheet.role in WITH_CUSTOMERS and not sheet.session.person.agreed:
        return RedirectResponse("/agreement", 303)
    match sheet.role:
        case "technician":
            return await desk(vault, actor, sheet)
        case "coordinator":
            return await _services(vault, actor, sheet)
        case "administrator":
            return sheet.shown("people.html", people=await vault.read(staff.people, actor))
        case _:
            return RedirectResponse("/log", 303)


async def _services(vault: Vault, actor: Actor, sheet: Sheet) -> Response:
    listed = await vault.read(services.services, actor)
    held = await vault.read(checkout.leases, actor)
    now = to_datetime(vault.now())
    return sheet.shown(
        "services.html",
        open=[service for service in listed if service.state == "open"],
        over=[service for service in listed if service.state != "open"],
        leases=held,
        now=now,
    )


@router.get("/services/{service_id}")
async def service(service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show a service with its requests and what the customer has given."""
    return sheet.shown("service.html", service=await vault.read(services.service, actor, service_id))


@router.get("/tickets")
async def all_tickets(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """List the tickets."""
    return sheet.shown("tickets.html", tickets=await vault.read(tickets.tickets, actor))


@router.get("/leases")
async def all_leases(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """List who holds what now."""
    return sheet.shown("leases.html", leases=await vault.read(checkout.leases, actor))


@router.post("/leases/{lease_id}/revoke")
async def revoke(lease_id: LeasePath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """End somebody's lease now."""
    await vault.perform(checkout.revoke, actor, lease_id)
    return RedirectResponse("/leases", 303)
