"""All pages of the staff, and the customers' own."""

from fastapi import APIRouter

from api.pages import (
    answering,
    approving,
    asking,
    catalogue,
    customers,
    desk,
    details,
    elsewhere,
    ending,
    entrance,
    house,
    joining,
    log,
    mine,
    own,
    people,
    registering,
    search,
    stopping,
    terms,
    tokens,
    work,
)

router = APIRouter()
for part in (
    entrance,
    joining,
    registering,
    house,
    search,
    customers,
    asking,
    ending,
    work,
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
    answering,
    details,
):
    router.include_router(part.router)
