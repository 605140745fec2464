"""What coordinators and administrators see first: what is waiting, open and overdue; who is there."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from api.bodies import LeasePath, ServicePath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.desk import desk, on_the_desk
from api.pages.sheet import OwnSheet, PageRoute
from api.pages.timeline import drawn
from api.pages.work import tickets_page
from vault.operations.helpdesk import helpdesks
from vault.operations.leases import checkout, exposure
from vault.operations.people import staff
from vault.operations.services import board, services, stages, tickets, timeline
from vault.policy.rights import DELIVERING
from vault.values import to_datetime

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Few = Annotated[str, Query(max_length=20)]
AfterService = Annotated[str, Query(max_length=40)]


@router.get("/", name="session.show")
async def home(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show everybody their own first page, and before it the agreement that is still to be accepted."""
    if "administrator" in sheet.roles:
        return RedirectResponse("/people", 303)
    if not sheet.session.person.agreed:
        return RedirectResponse("/agreement", 303)
    if sheet.roles >= DELIVERING:
        own = await on_the_desk(vault, actor)
        return sheet.shown("overview.html", board=await vault.read(board.board, actor), **own)
    if "coordinator" in sheet.roles:
        return sheet.shown("board.html", board=await vault.read(board.board, actor))
    if "technician" in sheet.roles:
        return await desk(vault, actor, sheet)
    return RedirectResponse("/log", 303)


@router.get("/services", name="service.list")
async def all_services(
    vault: TheVault, actor: PageActor, sheet: OwnSheet, stage: Few = "", after: AfterService = ""
) -> Response:
    """List the services of one stage, or all that are not destroyed, by their end."""
    page = await vault.read(stages.services, actor, stage, after)
    counted = await vault.read(stages.counted, actor)
    return sheet.shown("services.html", page=page, stages=counted, stage=stage, later=bool(after))


@router.get("/services/{service_id}", name="service.list")
async def service(
    service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, done: str = ""
) -> Response:
    """Show a service with its life, its requests, what the customer has given, who could have kept it, its tickets."""
    found = await vault.read(services.service, actor, service_id)
    of_it = await vault.read(tickets.of_service, actor, service_id)
    working = {person.id: person for one in of_it if one.state == "open" for person in one.assigned}
    return sheet.shown(
        "service.html",
        service=found,
        tickets=of_it,
        working=list(working.values()),
        people=await vault.read(staff.people, actor),
        exposure=await vault.read(exposure.exposure, actor, service_id),
        connection=await vault.read(helpdesks.connection, actor, service_id),
        picture=drawn(await vault.read(timeline.timeline, actor, service_id)),
        done=done,
    )


@router.get("/tickets", name="ticket.list")
async def all_tickets(
    vault: TheVault, actor: PageActor, sheet: OwnSheet, people: Few = "", done: Few = ""
) -> Response:
    """List the tickets; `people=nobody` leaves those that nobody is on."""
    return await tickets_page(vault, actor, sheet, only_unstaffed=people == "nobody", done=done)


@router.get("/leases", name="lease.list")
async def all_leases(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """List who holds what now."""
    held = await vault.read(checkout.leases, actor)
    return sheet.shown(
        "leases.html",
        leases=[lease for lease in held if lease.state == "active"],
        planned=[lease for lease in held if lease.state == "planned"],
        asked=[lease for lease in held if lease.state == "asked"],
        now=to_datetime(vault.now()),
    )


@router.post("/leases/{lease_id}/revoke", name="lease.revoke")
async def revoke(lease_id: LeasePath, vault: TheVault, actor: PageActor, form: CheckedForm) -> Response:
    """End somebody's lease now, from the board or wherever it stands."""
    await vault.perform(checkout.revoke, actor, lease_id)
    return RedirectResponse("/" if form.get("back") == "board" else "/leases", 303)
