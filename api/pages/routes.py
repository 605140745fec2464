"""All pages of the staff, and the customers' own."""

from fastapi import APIRouter

from api.pages import (
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
    catalogue,
    elsewhere,
    log,
    terms,
    mine,
    stopping,
    details,
):
    router.include_router(part.router)
