"""A customer's own, over JSON: for the scripts of their page, known by the same cookie, and for nobody of the staff."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.bodies import LARGEST_SEQ, Body, FactorPath, LeasePath, NewPasskey, PasskeyAsked, ServicePath, Text
from api.bodies_approvals import OwnAnswer
from api.depends import TheVault
from api.pages.cookies import take
from api.visiting import MINE_COOKIE, OnOwnPage, SecretPath
from vault.errors import Invalid
from vault.model.own_views import HappenedPage, OwnServiceView, OwnView
from vault.model.views import FactorView, RequestView
from vault.operations.customers import happened, mine, own_approvals, own_passkeys, records, visits

router = APIRouter(prefix="/mine", tags=["mine"])


class EndOwn(Body):
    """The service's own title, typed again: the deed cannot be undone."""

    confirm: Text


class Corrected(Body):
    """What is to be changed; what is left out stays."""

    name: Text | None = None
    mail: Text | None = None
    language: Text | None = None
    digest: bool | None = None


@router.get("", name="mine.show")
async def own(vault: TheVault, actor: OnOwnPage) -> OwnView:
    """Show all that is a customer's own."""
    return await vault.read(mine.page, actor)


@router.delete("/visit", name="mine.show", status_code=204)
async def leave(vault: TheVault, actor: OnOwnPage, response: Response) -> None:
    """End the visit."""
    await vault.perform(visits.leave, actor)
    take(response, MINE_COOKIE)


@router.get("/services/{service_id}", name="mine.show")
async def service(service_id: ServicePath, vault: TheVault, actor: OnOwnPage) -> OwnServiceView:
    """Show one service: what was given, who may use it, who holds it now."""
    return await vault.read(mine.service, actor, service_id)


@router.get("/services/{service_id}/happened", name="mine.show")
async def all_that_happened(
    service_id: ServicePath,
    vault: TheVault,
    actor: OnOwnPage,
    before: Annotated[int | None, Query(ge=0, le=LARGEST_SEQ)] = None,
) -> HappenedPage:
    """List what happened to it, the newest first."""
    return await vault.read_aside(happened.happened, actor, service_id, before)


@router.post("/services/{service_id}/pause", name="mine.stop", status_code=204)
async def pause(service_id: ServicePath, vault: TheVault, actor: OnOwnPage) -> None:
    """Let nothing of a service open."""
    await vault.perform(mine.pause, actor, service_id)


@router.post("/services/{service_id}/resume", name="mine.stop", status_code=204)
async def resume(service_id: ServicePath, vault: TheVault, actor: OnOwnPage) -> None:
    """Let a paused service go on."""
    await vault.perform(mine.resume, actor, service_id)


@router.post("/services/{service_id}/end", name="mine.stop")
async def end(service_id: ServicePath, body: EndOwn, vault: TheVault, actor: OnOwnPage) -> OwnServiceView:
    """End a service and destroy everything that was given for it."""
    found = await vault.read(mine.service, actor, service_id)
    if body.confirm != found.title:
        raise Invalid("to end this service type its title exactly as it is written", "/confirm")
    await mine.end(vault, actor, service_id)
    return await vault.read(mine.service, actor, service_id)


@router.post("/services/{service_id}/records", name="mine.export")
async def take_records(service_id: ServicePath, vault: TheVault, actor: OnOwnPage) -> dict[str, Any]:
    """Take the records of a service, each with the proof that the ledger says so."""
    return await records.records(vault, actor, service_id)


@router.post("/secrets/{secret_id}/withdraw", name="mine.stop", status_code=204)
async def withdraw(secret_id: SecretPath, vault: TheVault, actor: OnOwnPage) -> None:
    """Take one thing back that was given."""
    await mine.withdraw(vault, actor, secret_id)


@router.post("/secrets/{secret_id}/replace", name="mine.stop", status_code=201)
async def replace(secret_id: SecretPath, vault: TheVault, actor: OnOwnPage) -> RequestView:
    """Open a form on which it is given anew; its code is in the answer, this once."""
    view: RequestView = await vault.perform(mine.replace, actor, secret_id)
    return view


@router.post("/leases/{lease_id}/approve", name="mine.approve", status_code=204)
async def approve(lease_id: LeasePath, body: OwnAnswer, vault: TheVault, actor: OnOwnPage) -> None:
    """Let a lease begin that waits for the customer's yes, as it was read."""
    await vault.perform(own_approvals.approve, actor, lease_id, body.digest)


@router.post("/leases/{lease_id}/refuse", name="mine.approve", status_code=204)
async def refuse(lease_id: LeasePath, body: OwnAnswer, vault: TheVault, actor: OnOwnPage) -> None:
    """Do not let it begin."""
    await vault.perform(own_approvals.refuse, actor, lease_id, body.digest)


@router.post("/details", name="mine.correct")
async def correct(body: Corrected, vault: TheVault, actor: OnOwnPage) -> OwnView:
    """Correct a customer's own data."""
    return await mine.correct(vault, actor, body.name, body.mail, body.language, body.digest)


@router.get("/passkeys", name="mine.show")
async def all_passkeys(vault: TheVault, actor: OnOwnPage) -> list[FactorView]:
    """List a customer's passkeys."""
    return list(await vault.read(own_passkeys.own, actor))


@router.post("/passkeys/ask", name="mine.correct", status_code=201)
async def ask_passkey(vault: TheVault, actor: OnOwnPage) -> PasskeyAsked:
    """Ask for what a browser needs to make a passkey."""
    return PasskeyAsked.model_validate(await own_passkeys.ask(vault, actor))


@router.post("/passkeys", name="mine.correct", status_code=204)
async def add_passkey(body: NewPasskey, vault: TheVault, actor: OnOwnPage) -> None:
    """Take a new passkey into use."""
    await vault.perform(own_passkeys.add, actor, body.challenge, body.answer.plain(), body.name)


@router.post("/passkeys/{factor_id}/remove", name="mine.correct", status_code=204)
async def remove_passkey(factor_id: FactorPath, vault: TheVault, actor: OnOwnPage) -> None:
    """Take a passkey out of use."""
    await vault.perform(own_passkeys.remove, actor, factor_id)
