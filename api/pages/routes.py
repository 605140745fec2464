"""All pages of the staff, and the customers' own."""

from fastapi import APIRouter

from api.pages import (
    agreeing,
    approving,
    catalogue,
    desk,
    details,
    elsewhere,
    entrance,
    house,
    joining,
    log,
    mine,
    own,
    people,
    stopping,
    terms,
    tokens,
)

router = APIRouter()
for part in (
    entrance,
    joining,
    house,
    desk,
    own,
    tokens,
    people,
    approving,
    catalogue,
    elsewhere,
    log,
    terms,
    mine,
    stopping,
    agreeing,
    details,
):
    router.include_router(part.router)
