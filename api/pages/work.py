"""Tickets on pages: opened on a service, technicians put on them and taken off, closed."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.bodies import ServicePath, TicketPath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.asking import asked_page, refused
from api.pages.proving import sentence_of, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import VaultError
from vault.model.views import PersonView, ServiceView, TicketView
from vault.operations import services, staff, tickets
from vault.operations.vault import Vault
from vault.values import Actor

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class Work:
    """What a form says about a ticket."""

    number: str = ""
    title: str = ""
    people: tuple[str, ...] = ()

    @classmethod
    def of(cls, form: FormData) -> "Work":
        """What was filled in."""
        people = tuple(one[:40] for one in form.getlist("people") if isinstance(one, str))
        return cls(text(form, "number", 200).strip(), text(form, "work"), people)


async def assignable(vault: Vault, actor: Actor, roles: frozenset[str]) -> list[PersonView]:
    """Whom a coordinator can put on a ticket; nobody for everybody else."""
    return await vault.read(staff.people, actor) if "coordinator" in roles else []


async def begin(vault: Vault, actor: Actor, service: ServiceView, work: Work) -> tuple[TicketView, list[str]]:
    """Open a ticket and put these people on it; the sentences are about whoever could not be put on it.

    Raises what opening raises. Without a title the ticket is called as its service.
    """
    title = work.title if work.title.strip() else service.title
    opened = await vault.perform(tickets.open_ticket, actor, service.id, work.number, title)
    missed = []
    names = {one.id: one.name for one in await vault.read(staff.people, actor)}
    for person in dict.fromkeys(work.people):
        try:
            await vault.perform(tickets.assign, actor, opened.id, person)
        except VaultError as refusal:
            missed.append(f"{names.get(person, 'Somebody')} is not on the ticket. {sentence_of(refusal)}")
    return await vault.read(tickets.ticket, actor, opened.id), missed


async def _ticket_form(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    service_id: str,
    typed: Work | None = None,
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    service = await vault.read(services.service, actor, service_id)
    return sheet.shown(
        "ticket_new.html",
        status,
        service=service,
        people=await vault.read(staff.people, actor),
        typed=typed or Work(),
        faults=faults or {},
    )


@router.get("/services/{service_id}/tickets/new", name="ticket.manage")
async def new_ticket(service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask what is to be done, and who does it."""
    return await _ticket_form(vault, actor, sheet, service_id)


@router.post("/services/{service_id}/tickets", name="ticket.manage")
async def open_ticket(
    service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Open the ticket with its technicians."""
    typed = Work.of(form)
    service = await vault.read(services.service, actor, service_id)
    try:
        opened, missed = await begin(vault, actor, service, typed)
    except VaultError as refusal:
        faults, status = refused(refusal, "number", "title")
        places = {"title": "work"}
        faults = {places.get(place, place): said for place, said in faults.items()}
        return await _ticket_form(vault, actor, sheet, service_id, typed, faults, status)
    if missed:
        return asked_page(sheet, service, None, ticket=opened, missed=missed)
    return RedirectResponse(f"/tickets/{opened.id}", 303)


@router.post("/tickets/{ticket_id}/assign", name="ticket.manage")
async def assign(ticket_id: TicketPath, vault: TheVault, actor: PageActor, form: CheckedForm) -> Response:
    """Put a technician on it."""
    await vault.perform(tickets.assign, actor, ticket_id, text(form, "person", 40))
    return RedirectResponse(f"/tickets/{ticket_id}", 303)


@router.post("/tickets/{ticket_id}/unassign", name="ticket.manage")
async def unassign(ticket_id: TicketPath, vault: TheVault, actor: PageActor, form: CheckedForm) -> Response:
    """Take a technician off it; what they hold under it ends at once."""
    await vault.perform(tickets.unassign, actor, ticket_id, text(form, "person", 40))
    return RedirectResponse(f"/tickets/{ticket_id}", 303)


@router.post("/tickets/{ticket_id}/close", name="ticket.manage")
async def close(ticket_id: TicketPath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """Close it; what is held under it ends at once."""
    await vault.perform(tickets.close, actor, ticket_id)
    return RedirectResponse(f"/tickets/{ticket_id}", 303)
