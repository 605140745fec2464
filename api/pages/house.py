"""What coordinators and administrators see first: what is waiting, open and overdue; who is there."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from api.bodies import LeasePath, ServicePath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.desk import desk, on_the_desk
from api.pages.sheet import OwnSheet, PageRoute
from vault.operations import approving, checkout, services, tickets
from vault.operations.vault import Vault
from vault.policy.rights import DELIVERING
from vault.values import Actor, to_datetime

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/", name="session.show")
async def home(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show everybody their own first page, and before it the agreement that is still to be accepted."""
    if "administrator" in sheet.roles:
        return RedirectResponse("/people", 303)
    if not sheet.session.person.agreed:
        return RedirectResponse("/agreement", 303)
    if sheet.roles >= DELIVERING:
        seen = await _services(vault, actor) | await on_the_desk(vault, actor)
        return sheet.shown("overview.html", **seen)
    if "coordinator" in sheet.roles:
        return sheet.shown("services.html", **await _services(vault, actor))
    if "technician" in sheet.roles:
        return await desk(vault, actor, sheet)
    return RedirectResponse("/log", 303)


async def _services(vault: Vault, actor: Actor) -> dict[str, Any]:
    """The services, and who holds what now."""
    listed = await vault.read(services.services, actor)
    held = await vault.read(checkout.leases, actor)
    return {
        "open": [service for service in listed if service.state == "open"],
        "ended": [service for service in listed if service.state != "open"],
        "leases": [lease for lease in held if lease.state == "active"],
        "to_decide": await vault.read(approving.to_decide, actor),
        "now": to_datetime(vault.now()),
    }


@router.get("/services/{service_id}", name="service.list")
async def service(
    service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, done: str = ""
) -> Response:
    """Show a service with its requests, what the customer has given, and its tickets."""
    found = await vault.read(services.service, actor, service_id)
    of_it = [one for one in await vault.read(tickets.tickets, actor) if one.service_id == service_id]
    return sheet.shown("service.html", service=found, tickets=of_it, done=done)


@router.get("/tickets", name="ticket.list")
async def all_tickets(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """List the tickets."""
    return sheet.shown("tickets.html", tickets=await vault.read(tickets.tickets, actor))


@router.get("/leases", name="lease.list")
async def all_leases(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """List who holds what now."""
    held = await vault.read(checkout.leases, actor)
    return sheet.shown(
        "leases.html",
        leases=[lease for lease in held if lease.state == "active"],
        asked=[lease for lease in held if lease.state == "asked"],
    )


@router.post("/leases/{lease_id}/revoke", name="lease.revoke")
async def revoke(lease_id: LeasePath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """End somebody's lease now."""
    await vault.perform(checkout.revoke, actor, lease_id)
    return RedirectResponse("/leases", 303)
