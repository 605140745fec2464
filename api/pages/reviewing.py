"""What was opened by broken glass and is to be looked at: all of it, and the page on which one says what it was."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.bodies_desk import ReviewPath
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.proving import NO_FAULTS, Faults, deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import VaultError
from vault.operations.leases import reviewing
from vault.operations.vault import Vault
from vault.values import Actor, to_datetime

router = APIRouter(prefix="/reviews", route_class=PageRoute, include_in_schema=False)


@router.get("", name="review.list")
async def inbox(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """List what waits, and what was found before."""
    listed = await vault.read(reviewing.reviews, actor)
    return sheet.shown(
        "reviews.html",
        waiting=[one for one in listed if one.state == "open"],
        closed=[one for one in listed if one.state == "closed"],
        now=to_datetime(vault.now()),
    )


@router.get("/{review_id}", name="review.list")
async def one(review_id: ReviewPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show who broke the glass and why, and what they opened under it."""
    return await _page(vault, actor, sheet, review_id, {})


@router.post("/{review_id}/close", name="review.close")
async def close(
    review_id: ReviewPath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Say whether it was justified. What was typed comes back with a refusal, but for the code."""
    typed = {name: text(form, name) for name in ("verdict", "note")}
    seen = text(form, "seen", 10)
    read = int(seen) if seen.isascii() and seen.isdigit() else 0
    try:
        await reviewing.close_review(
            vault, actor, review_id, typed["verdict"], typed["note"], given_in(form), read
        )
    except VaultError as refusal:
        faults = faults_of(request, refusal, "verdict", "note")
        return await _page(vault, actor, sheet, review_id, typed, faults)
    return RedirectResponse(f"/reviews/{review_id}", 303)


async def _page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    review_id: str,
    typed: dict[str, str],
    faults: Faults = NO_FAULTS,
) -> Response:
    """The page of one of them, as it is by now."""
    view = await vault.read(reviewing.review_view, actor, review_id)
    return await deed_page(
        vault,
        actor,
        sheet,
        "review.html",
        faults,
        review=view,
        typed=typed,
        now=to_datetime(vault.now()),
        shortest=reviewing.SHORTEST_NOTE,
        longest=reviewing.LONGEST_NOTE,
    )
