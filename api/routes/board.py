"""The whole house at a glance, for coordinators, and searching what has a name."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.bodies import ServicePath
from api.depends import SignedIn, TheVault
from vault.model.board_views import BoardView, SearchView
from vault.model.desk_views import ExposureView
from vault.operations.leases import exposure
from vault.operations.services import board, searching

router = APIRouter(tags=["board"])


@router.get("/board", name="board.show")
async def whole_house(vault: TheVault, actor: SignedIn) -> BoardView:
    """Show what waits for whom, what is lent and what ends; each list bounded, and how many there are beside it."""
    return await vault.read(board.board, actor)


@router.get("/search", name="search.find")
async def search(vault: TheVault, actor: SignedIn, q: Annotated[str, Query(max_length=200)]) -> SearchView:
    """Find customers, services, tickets and people by name, title, number or mail address; never by a secret."""
    return await vault.read_aside(searching.search, actor, q)


@router.get("/services/{service_id}/exposure", name="service.list")
async def exposed(service_id: ServicePath, vault: TheVault, actor: SignedIn) -> list[ExposureView]:
    """Show who could have kept each secret of a service, and in which way they came to it."""
    return list(await vault.read(exposure.exposure, actor, service_id))
