"""All pages of the staff."""

from fastapi import APIRouter

from api.pages import desk, entrance, house, log

router = APIRouter()
for part in (entrance, house, desk, log):
    router.include_router(part.router)
