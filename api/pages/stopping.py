"""Every way in which customers stop what is done with theirs, each after a page that says what comes of it."""

import json

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from api.bodies import ServicePath
from api.depends import TheVault
from api.pages.paper import Paper
from api.pages.proving import text
from api.visiting import OnOwnPage, OwnForm, OwnRoute, SecretPath
from vault.errors import NotFound
from vault.model.own_views import GivenView, HappenedView, OwnServiceView, OwnView
from vault.operations.customers import mine, records

router = APIRouter(prefix="/mine", route_class=OwnRoute, include_in_schema=False)


@router.post("/services/{service_id}/pause", name="mine.stop")
async def pause(service_id: ServicePath, vault: TheVault, actor: OnOwnPage, _form: OwnForm) -> Response:
    """Let nothing of a service open."""
    await vault.perform(mine.pause, actor, service_id)
    return RedirectResponse(f"/mine/services/{service_id}", 303)


@router.post("/services/{service_id}/resume", name="mine.stop")
async def resume(service_id: ServicePath, vault: TheVault, actor: OnOwnPage, _form: OwnForm) -> Response:
    """Let it go on."""
    await vault.perform(mine.resume, actor, service_id)
    return RedirectResponse(f"/mine/services/{service_id}", 303)


@router.get("/services/{service_id}/end", name="mine.stop")
async def ending(service_id: ServicePath, vault: TheVault, actor: OnOwnPage, paper: Paper) -> Response:
    """Say what will be gone, and which lines are to be removed."""
    return paper.shown(
        "mine_end.html", service=await vault.read(mine.service, actor, service_id), error=False
    )


@router.post("/services/{service_id}/end", name="mine.stop")
async def end(
    service_id: ServicePath, vault: TheVault, actor: OnOwnPage, paper: Paper, form: OwnForm
) -> Response:
    """End a service and destroy everything of it, if that was confirmed."""
    service = await vault.read(mine.service, actor, service_id)
    if text(form, "sure") != "yes":
        return paper.shown("mine_end.html", 422, service=service, error=True)
    await mine.end(vault, actor, service_id)
    return RedirectResponse(f"/mine/services/{service_id}", 303)


def _given(own: OwnView, secret_id: str) -> tuple[OwnServiceView, GivenView]:
    """One thing that was given, with its service. Raises NotFound."""
    for service in own.services:
        for given in service.given:
            if given.id == secret_id:
                return service, given
    raise NotFound("there is no such thing")


@router.get("/secrets/{secret_id}/withdraw", name="mine.stop")
async def withdrawing(secret_id: SecretPath, paper: Paper) -> Response:
    """Say what comes of taking one thing back."""
    service, given = _given(paper.own, secret_id)
    return paper.shown("mine_withdraw.html", service=service, given=given)


@router.post("/secrets/{secret_id}/withdraw", name="mine.stop")
async def withdraw(
    secret_id: SecretPath, vault: TheVault, actor: OnOwnPage, paper: Paper, _form: OwnForm
) -> Response:
    """Take it back."""
    await mine.withdraw(vault, actor, secret_id)
    service, _ = _given(paper.own, secret_id)
    return RedirectResponse(f"/mine/services/{service.id}", 303)


@router.post("/secrets/{secret_id}/replace", name="mine.stop")
async def replace(
    secret_id: SecretPath, vault: TheVault, actor: OnOwnPage, paper: Paper, _form: OwnForm
) -> Response:
    """Open a form for it. Its code is on this page alone: behind the link's `#`, which no browser sends."""
    asked = await vault.perform(mine.replace, actor, secret_id)
    service, given = _given(paper.own, secret_id)
    return paper.shown("mine_replace.html", service=service, given=given, asked=asked)


@router.post("/services/{service_id}/records", name="mine.export")
async def take_records(
    service_id: ServicePath, vault: TheVault, actor: OnOwnPage, paper: Paper, form: OwnForm
) -> Response:
    """Show the records as a page to be printed, with its proofs; or hand them over as a file."""
    found = await records.records(vault, actor, service_id)
    if text(form, "as") != "file":
        views = [HappenedView.model_validate(one, extra="ignore") for one in found["happened"]]
        return paper.shown("mine_records.html", found=found, views=views)
    return Response(
        json.dumps(found, ensure_ascii=False, indent=1),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="records-{service_id}.json"'},
    )
