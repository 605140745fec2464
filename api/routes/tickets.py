"""Tickets and who is assigned to them."""

from fastapi import APIRouter

from api.bodies import Assignee, NewTicket, ServicePath, TicketPath, moment_of
from api.bodies_desk import AssignAll, HandedOver, HandOver
from api.depends import SignedIn, TheVault
from vault.model.views import PersonView, TicketView
from vault.operations.people import staff
from vault.operations.services import handover, tickets

router = APIRouter(tags=["tickets"])


@router.get("/people", name="staff.assignable")
async def people(vault: TheVault, actor: SignedIn) -> list[PersonView]:
    """List the staff whom a coordinator can assign."""
    return list(await vault.read(staff.people, actor))


@router.get("/tickets", name="ticket.list")
async def all_tickets(vault: TheVault, actor: SignedIn) -> list[TicketView]:
    """List the tickets that this person may see."""
    return list(await vault.read(tickets.tickets, actor))


@router.post("/tickets", name="ticket.manage", status_code=201)
async def open_ticket(body: NewTicket, vault: TheVault, actor: SignedIn) -> TicketView:
    """Open a ticket on a service."""
    view: TicketView = await vault.perform(tickets.open_ticket, actor, body.service, body.number, body.title)
    return view


@router.get("/tickets/{ticket_id}", name="ticket.list")
async def ticket(ticket_id: TicketPath, vault: TheVault, actor: SignedIn) -> TicketView:
    """Show one ticket, who is assigned, and what can be checked out for it."""
    return await vault.read(tickets.ticket, actor, ticket_id)


@router.post("/tickets/{ticket_id}/assign", name="ticket.manage", status_code=204)
async def assign(ticket_id: TicketPath, body: Assignee, vault: TheVault, actor: SignedIn) -> None:
    """Assign a technician, until a moment or as long as the ticket is open."""
    await vault.perform(tickets.assign, actor, ticket_id, body.person, moment_of(body.until))


@router.post("/tickets/assign", name="ticket.manage", status_code=204)
async def assign_all(body: AssignAll, vault: TheVault, actor: SignedIn) -> None:
    """Assign a technician to several tickets: to all of them, or to none."""
    await handover.assign_all(vault, actor, list(body.tickets), body.person, moment_of(body.until))


@router.post("/services/{service_id}/hand-over", name="ticket.manage")
async def hand_over(service_id: ServicePath, body: HandOver, vault: TheVault, actor: SignedIn) -> HandedOver:
    """Put somebody in another's place on every open ticket of a service; the other's leases of it end at once."""
    people = (body.from_person, body.to_person)
    number = await vault.perform(handover.hand_over, actor, service_id, *people, moment_of(body.until))
    return HandedOver(tickets=number)


@router.post("/tickets/{ticket_id}/unassign", name="ticket.manage", status_code=204)
async def unassign(ticket_id: TicketPath, body: Assignee, vault: TheVault, actor: SignedIn) -> None:
    """Take a technician off; their leases of this ticket end at once."""
    await vault.perform(tickets.unassign, actor, ticket_id, body.person)


@router.post("/tickets/{ticket_id}/close", name="ticket.manage", status_code=204)
async def close(ticket_id: TicketPath, vault: TheVault, actor: SignedIn) -> None:
    """Close a ticket; every lease of it ends at once."""
    await vault.perform(tickets.close, actor, ticket_id)
