"""Tickets on pages: opened on a service, technicians put on them, one by one or on many, and taken off; closed."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.bodies import ServicePath, TicketPath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.asking import asked_page, refused
from api.pages.days import end_of
from api.pages.proving import NO_FAULTS, Faults, sentence_of, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import Invalid, VaultError
from vault.model.views import PersonView, ServiceView, TicketView
from vault.operations.people import staff
from vault.operations.services import handover, services, tickets
from vault.operations.vault import Vault
from vault.values import Actor, to_datetime, to_moment

router = APIRouter(route_class=PageRoute, include_in_schema=False)

LONGEST_DAYS = 3650
"""Only so that a day is one: until when somebody can really be on a ticket, its service says."""


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


@dataclass(frozen=True)
class Many:
    """What a form says about several tickets: which, who is put on them, and until the end of which day."""

    tickets: tuple[str, ...] = ()
    person: str = ""
    day: str = ""
    offset: str = ""

    @classmethod
    def of(cls, form: FormData) -> "Many":
        """What was filled in."""
        chosen = tuple(one[:40] for one in form.getlist("tickets") if isinstance(one, str))
        return cls(chosen, text(form, "person", 40), text(form, "until", 10), text(form, "offset", 10))

    def until(self, now: datetime) -> int | None:
        """The end of that day; None where none is named. Raises Invalid."""
        if not self.day:
            return None
        try:
            return to_moment(end_of(self.day, self.offset, now, LONGEST_DAYS))
        except Invalid:
            raise Invalid("give a day, like 2026-12-31, or none", "/until") from None


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
    faults: Faults = NO_FAULTS,
) -> Response:
    service = await vault.read(services.service, actor, service_id)
    return sheet.shown(
        "ticket_new.html",
        faults.status,
        service=service,
        people=await vault.read(staff.people, actor),
        typed=typed or Work(),
        faults=faults.said,
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
        faults = refused(refusal, "number", "title")
        said = {"work" if place == "title" else place: words for place, words in faults.said.items()}
        return await _ticket_form(vault, actor, sheet, service_id, typed, Faults(said, faults.status))
    if missed:
        return asked_page(sheet, service, None, ticket=opened, missed=missed)
    return RedirectResponse(f"/tickets/{opened.id}", 303)


# -- many at once -----------------------------------------------------------------------------------------------------


async def tickets_page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    *,
    only_unstaffed: bool = False,
    done: str = "",
    typed: Many | None = None,
    faults: Faults = NO_FAULTS,
) -> Response:
    """The tickets, and for coordinators the form that puts somebody on several of them."""
    listed = await vault.read(tickets.tickets, actor)
    if only_unstaffed:
        listed = [one for one in listed if one.state == "open" and not one.assigned]
    people = await assignable(vault, actor, sheet.roles)
    return sheet.shown(
        "tickets.html",
        faults.status,
        tickets=listed,
        people=people,
        only_unstaffed=only_unstaffed,
        most=handover.MOST_TICKETS,
        done=done if done in {"1", "several"} else "",
        typed=typed or Many(),
        faults=faults.said,
    )


@router.post("/tickets/assign", name="ticket.manage")
async def assign_all(vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm) -> Response:
    """Put a technician on all tickets that were chosen, until the end of a day if one is named."""
    typed = Many.of(form)
    try:
        until = typed.until(to_datetime(vault.now()))
        number = await handover.assign_all(vault, actor, typed.tickets, typed.person, until)
    except VaultError as refusal:
        if "coordinator" not in sheet.roles:
            raise  # there is no form to show it in
        faults = refused(refusal, "until", "tickets")
        return await tickets_page(vault, actor, sheet, typed=typed, faults=faults)
    return RedirectResponse(f"/tickets?done={'1' if number == 1 else 'several'}", 303)


@router.post("/services/{service_id}/hand-over", name="ticket.manage")
async def hand_over(
    service_id: ServicePath, vault: TheVault, actor: PageActor, form: CheckedForm
) -> Response:
    """Put somebody in another's place on every open ticket of a service."""
    leaves, takes_over = text(form, "from", 40), text(form, "to", 40)
    await vault.perform(handover.hand_over, actor, service_id, leaves, takes_over)
    return RedirectResponse(f"/services/{service_id}?done=handed-over", 303)


# -- one --------------------------------------------------------------------------------------------------------------


@router.post("/tickets/{ticket_id}/assign", name="ticket.manage")
async def assign(ticket_id: TicketPath, vault: TheVault, actor: PageActor, form: CheckedForm) -> Response:
    """Put a technician on it, until the end of a day if one is named."""
    until = Many.of(form).until(to_datetime(vault.now()))
    await vault.perform(tickets.assign, actor, ticket_id, text(form, "person", 40), until)
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
