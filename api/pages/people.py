"""The staff, for administrators: who is there, what one asks for, and what waits for a second person."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.bodies import ChangePath, PersonPath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.proving import NO_FAULTS, Faults, deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import NotFound, VaultError
from vault.model.views import ChangeView, PersonView
from vault.operations.people import staff, vouching
from vault.operations.vault import Vault
from vault.values import Actor

router = APIRouter(prefix="/people", route_class=PageRoute, include_in_schema=False)

ROLES = {
    "technician": "works on the servers of customers, with access that is checked out for a ticket",
    "coordinator": "registers services, asks customers for access, assigns technicians",
    "auditor": "reads and verifies the log, and does nothing else",
    "administrator": "looks after accounts, and never sees a secret of a customer",
}


def _roles_in(form: FormData) -> list[str]:
    return [role for role in form.getlist("roles") if isinstance(role, str)]


async def _person(vault: Vault, actor: Actor, person_id: str) -> PersonView:
    for person in (await vault.read(staff.staff, actor)).people:
        if person.id == person_id:
            return person
    raise NotFound("there is no such thing")


async def _change(vault: Vault, actor: Actor, change_id: str) -> ChangeView:
    for change in (await vault.read(staff.staff, actor)).waiting:
        if change.id == change_id:
            return change
    raise NotFound("this change was decided meanwhile, or was never there")


@router.get("", name="staff.list")
async def people(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show what waits for a second person, and everybody."""
    return sheet.shown("people.html", staff=await vault.read(staff.staff, actor))


@router.get("/invite", name="staff.list")
async def invitation(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask whom to invite."""
    if (await vault.read(staff.staff, actor)).alone:
        return RedirectResponse("/people", 303)  # it says why there is nobody to invite by, and what to do
    return await deed_page(vault, actor, sheet, "invite.html", roles=ROLES, typed={})


@router.post("/invite", name="staff.ask")
async def invite(
    request: Request, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Ask that somebody may join; what was typed comes back with a refusal."""
    name, mail, roles = text(form, "name"), text(form, "mail"), _roles_in(form)
    try:
        change = await vouching.invite(vault, actor, name, mail, roles, given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal, "name", "mail", "roles")
        typed = {"name": name, "mail": mail, "roles": roles}
        return await deed_page(vault, actor, sheet, "invite.html", faults, roles=ROLES, typed=typed)
    return RedirectResponse(f"/people/changes/{change.id}", 303)


# -- what waits -------------------------------------------------------------------------------------------------------


@router.get("/changes/{change_id}", name="staff.list")
async def change(change_id: ChangePath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show what exactly waits, and what this administrator may do about it."""
    return await deed_page(vault, actor, sheet, "change.html", change=await _change(vault, actor, change_id))


@router.post("/changes/{change_id}/vouch", name="staff.vouch")
async def vouch(
    change_id: ChangePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Be the second person. An invitation that no mail server sends is shown here, this once."""
    waiting = await _change(vault, actor, change_id)
    try:
        invited = await vouching.vouch(vault, actor, change_id, given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal)
        return await deed_page(vault, actor, sheet, "change.html", faults, change=waiting)
    return sheet.shown("vouched.html", change=waiting, invitation=invited)


@router.post("/changes/{change_id}/refuse", name="staff.refuse")
async def refuse(change_id: ChangePath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """Say no."""
    await vault.perform(vouching.refuse, actor, change_id)
    return RedirectResponse("/people", 303)


@router.post("/changes/{change_id}/withdraw", name="staff.refuse")
async def withdraw(change_id: ChangePath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """Take back what one has asked for."""
    await vault.perform(vouching.withdraw, actor, change_id)
    return RedirectResponse("/people", 303)


# -- one person -------------------------------------------------------------------------------------------------------


@router.get("/{person_id}", name="staff.list")
async def person(person_id: PersonPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show one of the staff, and what can be asked for."""
    view = await vault.read(staff.staff, actor)
    found = next((one for one in view.people if one.id == person_id), None)
    if found is None:
        raise NotFound("there is no such thing")
    waiting = [one for one in view.waiting if one.person.id == person_id]
    return sheet.shown("person.html", person=found, waiting=waiting, alone=view.alone, roles=ROLES)


async def _asking(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    name: str,
    person_id: str,
    typed: Any,
    faults: Faults = NO_FAULTS,
) -> Response:
    found = await _person(vault, actor, person_id)
    return await deed_page(vault, actor, sheet, name, faults, person=found, roles=ROLES, typed=typed)


@router.get("/{person_id}/roles", name="staff.list")
async def other_roles(person_id: PersonPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask which roles this person is to have."""
    return await _asking(vault, actor, sheet, "person_roles.html", person_id, None)


@router.post("/{person_id}/roles", name="staff.ask")
async def ask_roles(
    person_id: PersonPath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Ask for them."""
    wanted = _roles_in(form)
    try:
        change = await vouching.ask_roles(vault, actor, person_id, wanted, given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal, "roles")
        return await _asking(vault, actor, sheet, "person_roles.html", person_id, wanted, faults)
    return RedirectResponse(f"/people/changes/{change.id}", 303)


@router.post("/{person_id}/roles/drop", name="staff.restrict")
async def drop_role(person_id: PersonPath, vault: TheVault, actor: PageActor, form: CheckedForm) -> Response:
    """Take a role away, at once."""
    await vault.perform(vouching.drop_role, actor, person_id, text(form, "role", 40))
    return RedirectResponse(f"/people/{person_id}", 303)


@router.get("/{person_id}/mail", name="staff.list")
async def other_mail(person_id: PersonPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask which address this person is to have."""
    return await _asking(vault, actor, sheet, "person_mail.html", person_id, "")


@router.post("/{person_id}/mail", name="staff.ask")
async def ask_mail(
    person_id: PersonPath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Ask for it."""
    mail = text(form, "mail", 300)
    try:
        change = await vouching.ask_mail(vault, actor, person_id, mail, given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal, "mail")
        return await _asking(vault, actor, sheet, "person_mail.html", person_id, mail, faults)
    return RedirectResponse(f"/people/changes/{change.id}", 303)


@router.get("/{person_id}/reset", name="staff.list")
async def new_start(person_id: PersonPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask whether this person is to enrol anew."""
    return await _asking(vault, actor, sheet, "person_reset.html", person_id, None)


@router.post("/{person_id}/reset", name="staff.ask")
async def ask_reset(
    person_id: PersonPath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Ask for it."""
    try:
        change = await vouching.ask_reset(vault, actor, person_id, given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal)
        return await _asking(vault, actor, sheet, "person_reset.html", person_id, None, faults)
    return RedirectResponse(f"/people/changes/{change.id}", 303)


@router.get("/{person_id}/disable", name="staff.list")
async def leaving(person_id: PersonPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask whether this person is to be disabled."""
    return sheet.shown("person_disable.html", person=await _person(vault, actor, person_id))


@router.post("/{person_id}/disable", name="staff.restrict")
async def disable(person_id: PersonPath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """Disable this person, at once and everywhere."""
    await vault.perform(staff.disable, actor, person_id)
    return RedirectResponse(f"/people/{person_id}", 303)
