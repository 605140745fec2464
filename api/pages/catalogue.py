"""The catalogue as all of the staff read it, and the page on which an administrator approves a line of it."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.bodies_services import KindPath, TypePath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.proving import NO_FAULTS, Faults, deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import NotFound, VaultError
from vault.model.kinds import KINDS
from vault.operations.services import catalogue, necessity
from vault.operations.vault import Vault
from vault.policy.necessity import Line
from vault.values import Actor

router = APIRouter(prefix="/catalogue", route_class=PageRoute, include_in_schema=False)


@router.get("", name="catalogue.read")
async def whole(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show every service type, what it asks for and why."""
    types = await vault.read(catalogue.service_types, actor)
    asked = [(of, one) for of in types for one in (*of.needs, *of.may_ask)]
    waiting = [(of, one) for of, one in asked if KINDS[one.kind].extraordinary and not one.approved]
    return sheet.shown("catalogue.html", types=types, waiting=waiting)


async def _line_page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    of: tuple[str, str],
    faults: Faults = NO_FAULTS,
) -> Response:
    """The page of one line that asks for an extraordinary kind. Raises NotFound for any other."""
    for found in await vault.read(catalogue.service_types, actor):
        for asked in (*found.needs, *found.may_ask):
            if (found.name, asked.kind) == of and KINDS[asked.kind].extraordinary:
                always = asked in found.needs
                return await deed_page(
                    vault,
                    actor,
                    sheet,
                    "necessity.html",
                    faults,
                    of=found,
                    asked=asked,
                    always=always,
                )
    raise NotFound("the catalogue has no such line that asks for an extraordinary kind")


@router.get("/{type_name}/{kind}", name="catalogue.read")
async def line(
    type_name: TypePath, kind: KindPath, vault: TheVault, actor: PageActor, sheet: OwnSheet
) -> Response:
    """Show one line that asks for an extraordinary kind."""
    return await _line_page(vault, actor, sheet, (type_name, kind))


@router.post("/{type_name}/{kind}/approve", name="catalogue.approve")
async def approve(
    type_name: TypePath,
    kind: KindPath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Be the second person for the line as this page has shown it."""
    words = (text(form, name) for name in ("because", "necessity", "approval"))
    read = Line(type_name, text(form, "title"), kind, *words)
    try:
        await necessity.approve(vault, actor, read, given_in(form))
    except VaultError as refusal:
        return await _line_page(vault, actor, sheet, (type_name, kind), faults_of(request, refusal))
    return RedirectResponse(f"/catalogue/{type_name}/{kind}", 303)


@router.post("/{type_name}/{kind}/revoke", name="catalogue.revoke")
async def revoke(
    type_name: TypePath, kind: KindPath, vault: TheVault, actor: PageActor, _form: CheckedForm
) -> Response:
    """Take the approval of a line back."""
    await vault.perform(necessity.revoke, actor, type_name, kind)
    return RedirectResponse(f"/catalogue/{type_name}/{kind}", 303)
