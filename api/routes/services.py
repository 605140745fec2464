"""Customers, the catalogue, and registered services from their start to their certificate."""

from fastapi import APIRouter

from api.bodies import EndService, NewCustomer, NewService, ServicePath
from api.bodies_services import ApproveLine, KindPath, ProlongService, TypePath
from api.depends import SignedIn, TheVault
from vault.model.views import CertificateView, CustomerView, ServiceTypeView, ServiceView
from vault.operations.customers import customers
from vault.operations.house import destruction
from vault.operations.services import catalogue, necessity, services
from vault.policy.necessity import Line

router = APIRouter(tags=["services"])


@router.get("/customers", name="customer.list")
async def all_customers(vault: TheVault, actor: SignedIn) -> list[CustomerView]:
    """List the customers."""
    return list(await vault.read(customers.customers, actor))


@router.post("/customers", name="customer.add", status_code=201)
async def add_customer(body: NewCustomer, vault: TheVault, actor: SignedIn) -> CustomerView:
    """Add a customer."""
    return await customers.add(vault, actor, body.name, body.mail, body.language)


@router.get("/service-types", name="catalogue.read")
async def service_types(vault: TheVault, actor: SignedIn) -> list[ServiceTypeView]:
    """Show the catalogue."""
    return list(await vault.read(catalogue.service_types, actor))


@router.post("/service-types/{type_name}/{kind}/approve", name="catalogue.approve")
async def approve(
    type_name: TypePath, kind: KindPath, body: ApproveLine, vault: TheVault, actor: SignedIn
) -> ServiceTypeView:
    """Be the second person for a line that asks for an extraordinary kind."""
    read = Line(type_name, body.title, kind, body.because, body.necessity, body.approval)
    return await necessity.approve(vault, actor, read, body.given())


@router.post("/service-types/{type_name}/{kind}/revoke", name="catalogue.revoke", status_code=204)
async def revoke(type_name: TypePath, kind: KindPath, vault: TheVault, actor: SignedIn) -> None:
    """Take the approval of such a line back: no customer is asked for that kind any more.

    Open requests in which it is not answered yet are cancelled, whatever else they ask for.
    """
    await vault.perform(necessity.revoke, actor, type_name, kind)


@router.get("/services", name="service.list")
async def all_services(vault: TheVault, actor: SignedIn) -> list[ServiceView]:
    """List the services that this person may see."""
    return list(await vault.read(services.services, actor))


@router.post("/services", name="service.register", status_code=201)
async def register(body: NewService, vault: TheVault, actor: SignedIn) -> ServiceView:
    """Register a service for a customer, with the day it ends."""
    return await services.register(vault, actor, body.customer, body.type, body.title, body.ends_at)


@router.get("/services/{service_id}", name="service.list")
async def service(service_id: ServicePath, vault: TheVault, actor: SignedIn) -> ServiceView:
    """Show one service with its secrets and requests."""
    return await vault.read(services.service, actor, service_id)


@router.post("/services/{service_id}/prolong", name="service.prolong")
async def prolong(
    service_id: ServicePath, body: ProlongService, vault: TheVault, actor: SignedIn
) -> ServiceView:
    """Move the end of a service, also of one that has ended by itself and is in its grace."""
    return await services.prolong(vault, actor, service_id, body.ends_at, body.given())


@router.post("/services/{service_id}/end", name="service.end")
async def end(service_id: ServicePath, body: EndService, vault: TheVault, actor: SignedIn) -> CertificateView:
    """End a service: its key goes first, its secrets after. There is no way back."""
    return await destruction.end(vault, actor, service_id, body.confirm, body.given())


@router.get("/services/{service_id}/certificate", name="service.list")
async def certificate(service_id: ServicePath, vault: TheVault, actor: SignedIn) -> CertificateView:
    """Show the signed statement that a service's secrets were destroyed."""
    return await vault.read(destruction.certificate, actor, service_id)
