"""The end of a service on pages: moved, brought about now, and what is left of it, the certificate."""

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.bodies import ServicePath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages import days
from api.pages.proving import NO_FAULTS, Faults, deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import VaultError
from vault.operations.customers import requests
from vault.operations.house import destruction
from vault.operations.services import services
from vault.operations.vault import Vault
from vault.values import Actor, to_datetime

router = APIRouter(prefix="/services/{service_id}", route_class=PageRoute, include_in_schema=False)


async def _is_over(vault: Vault, actor: Actor, service_id: str) -> bool:
    found = await vault.read(services.service, actor, service_id)
    return found.state != "open" and found.destroy_at is None


async def _prolong_page(
    vault: Vault, actor: Actor, sheet: Sheet, service_id: str, typed: str = "", faults: Faults = NO_FAULTS
) -> Response:
    service = await vault.read(services.service, actor, service_id)
    of = (await vault.read(requests.askable, actor, service_id)).type
    now = to_datetime(vault.now())
    latest = days.latest_day(now, of.longest_life_days)
    usual = (service.ends_at + timedelta(days=days.USUAL_DAYS)).date()
    return await deed_page(
        vault,
        actor,
        sheet,
        "prolong.html",
        faults,
        service=service,
        of=of,
        typed=typed or min(usual, latest).isoformat(),
        latest=latest,
        now=now,
    )


@router.get("/prolong", name="service.prolong")
async def later_end(service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask until when the service is to last."""
    if await _is_over(vault, actor, service_id):
        return RedirectResponse(f"/services/{service_id}", 303)  # it says what has become of it
    return await _prolong_page(vault, actor, sheet, service_id)


@router.post("/prolong", name="service.prolong")
async def prolong(
    service_id: ServicePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Move the end."""
    typed = text(form, "ends_at", 20)
    of = (await vault.read(requests.askable, actor, service_id)).type
    try:
        now = to_datetime(vault.now())
        end = days.end_of(typed, text(form, "offset", 10), now, of.longest_life_days)
        await services.prolong(vault, actor, service_id, end, given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal, "ends_at")
        return await _prolong_page(vault, actor, sheet, service_id, typed, faults)
    return RedirectResponse(f"/services/{service_id}?done=prolonged", 303)


async def _end_page(
    vault: Vault, actor: Actor, sheet: Sheet, service_id: str, typed: str = "", faults: Faults = NO_FAULTS
) -> Response:
    service = await vault.read(services.service, actor, service_id)
    return await deed_page(vault, actor, sheet, "end.html", faults, service=service, typed=typed)


@router.get("/end", name="service.end")
async def ending(service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask whether the service is to end now."""
    if await _is_over(vault, actor, service_id):
        return RedirectResponse(f"/services/{service_id}", 303)
    return await _end_page(vault, actor, sheet, service_id)


@router.post("/end", name="service.end")
async def end(
    service_id: ServicePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """End it: its key goes first, its secrets after."""
    typed = text(form, "confirm")
    try:
        await destruction.end(vault, actor, service_id, typed, given_in(form))
    except VaultError as refusal:
        return await _end_page(vault, actor, sheet, service_id, typed, faults_of(request, refusal, "confirm"))
    return RedirectResponse(f"/services/{service_id}/certificate", 303)


@router.get("/certificate", name="service.list")
async def certificate(
    service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet
) -> Response:
    """Show the signed statement that the secrets were destroyed."""
    service = await vault.read(services.service, actor, service_id)
    signed = await vault.read(destruction.certificate, actor, service_id)
    return sheet.shown("certificate.html", service=service, certificate=signed)
