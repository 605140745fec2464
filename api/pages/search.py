"""Searching on a page, for names and titles; nothing else is looked through."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.depends import PageActor, TheVault
from api.errors import problem_of
from api.pages.sheet import OwnSheet, PageRoute
from vault.errors import Invalid
from vault.operations.services import searching

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Term = Annotated[str, Query(max_length=200)]


@router.get("/search", name="search.find")
async def search(vault: TheVault, actor: PageActor, sheet: OwnSheet, q: Term = "") -> Response:
    """Ask for what to look, and show what was found."""
    found, fault, status = None, "", 200
    try:
        if q.strip():
            found = await vault.read_aside(searching.search, actor, q)
    except Invalid as refusal:
        fault, status = problem_of(refusal).detail, 422
    is_short = len("".join(q.split())) < searching.SHORTEST
    return sheet.shown("search.html", status, term=q, found=found, fault=fault, short=is_short)
