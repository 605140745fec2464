"""All pages of the staff."""

from fastapi import APIRouter

from api.pages import catalogue, desk, elsewhere, entrance, house, joining, log, own, people, terms, tokens

router = APIRouter()
for part in (entrance, joining, house, desk, own, tokens, people, catalogue, elsewhere, log, terms):
    router.include_router(part.router)
