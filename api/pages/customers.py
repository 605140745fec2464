"""The customers, and each with the services that are registered for them."""

from fastapi import APIRouter
from starlette.responses import Response

from api.bodies_services import CustomerPath
from api.depends import PageActor, TheVault
from api.pages.sheet import OwnSheet, PageRoute
from vault.errors import NotFound
from vault.languages import NAMES
from vault.model.views import CustomerView
from vault.operations.customers import customers
from vault.operations.services import stages
from vault.operations.vault import Vault
from vault.values import Actor

router = APIRouter(prefix="/customers", route_class=PageRoute, include_in_schema=False)


@router.get("", name="customer.list")
async def all_customers(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """List the customers by name."""
    known = await vault.read(customers.customers, actor)
    running = await vault.read(stages.running, actor)
    return sheet.shown("customers.html", customers=known, running=running)


@router.get("/{customer_id}", name="customer.list")
async def customer(customer_id: CustomerPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show one customer and what runs for them."""
    found = await customer_of(vault, actor, customer_id)
    of_theirs = await vault.read(stages.of_customer, actor, found.id)
    return sheet.shown(
        "customer.html",
        customer=found,
        speaks=NAMES[found.language],
        open=[one for one in of_theirs if one.ended_at is None],
        ended=[one for one in of_theirs if one.ended_at is not None],
    )


async def customer_of(vault: Vault, actor: Actor, customer_id: str) -> CustomerView:
    """That customer. Raises NotSignedIn, Denied or NotFound."""
    for one in await vault.read(customers.customers, actor):
        if one.id == customer_id:
            return one
    raise NotFound("there is no such thing")
