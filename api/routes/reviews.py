"""Breaking the glass, and its reviews."""

from fastapi import APIRouter

from api.bodies import LeasePath
from api.bodies_desk import BreakGlass, CloseReview, ReviewPath
from api.depends import SignedIn, TheVault
from vault.model.desk_views import ReviewView
from vault.model.views import LeaseView
from vault.operations.leases import glass, reviewing

router = APIRouter(tags=["reviews"])


@router.post("/leases/{lease_id}/break-glass", name="lease.break-glass")
async def break_glass(lease_id: LeasePath, body: BreakGlass, vault: TheVault, actor: SignedIn) -> LeaseView:
    """Begin a lease without the coordinator's yes that it waits for; everybody is told, and it is reviewed."""
    return await glass.break_glass(vault, actor, lease_id, body.reason, body.given())


@router.get("/reviews", name="review.list")
async def reviews(vault: TheVault, actor: SignedIn) -> list[ReviewView]:
    """List the reviews, those that wait first."""
    return list(await vault.read(reviewing.reviews, actor))


@router.get("/reviews/{review_id}", name="review.list")
async def one(review_id: ReviewPath, vault: TheVault, actor: SignedIn) -> ReviewView:
    """Show one of them, with what was opened."""
    return await vault.read(reviewing.review_view, actor, review_id)


@router.post("/reviews/{review_id}/close", name="review.close")
async def close(review_id: ReviewPath, body: CloseReview, vault: TheVault, actor: SignedIn) -> ReviewView:
    """Say whether it was justified, and why."""
    return await reviewing.close_review(
        vault, actor, review_id, body.verdict, body.note, body.given(), body.seen
    )
