"""The whole application: JSON API, pages and the customers' form, behind one gate."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from api import description
from api.core import Core
from api.gate import bare, guarded
from api.giving import hang_intake
from api.pages.routes import router as pages
from api.routes import (
    account,
    approvals,
    board,
    device,
    enrolment,
    health,
    helpdesks,
    host_keys,
    leases,
    ledger,
    mine,
    presence,
    requests,
    reviews,
    services,
    session,
    staff,
    terms,
    tickets,
    tokens,
)
from vault.operations.vault import Vault


def create_app(vault: Vault) -> ASGIApp:
    """The application of this vault, as a server runs it. The vault stays the caller's to close."""
    return guarded(build(vault), vault.settings)


def build(vault: Vault) -> FastAPI:
    """The routes alone, without the gate: for whoever sweeps over them."""
    app = bare("Valetkey", _version())
    app.state.vault = vault
    api = APIRouter(prefix="/api/v1")
    people = (session, account, presence, enrolment, device, tokens, staff)
    work = (board, services, requests, tickets, leases, host_keys, approvals, reviews)
    for part in (*people, *work, helpdesks, ledger, terms, mine):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(device.oauth)
    app.include_router(description.router)
    app.include_router(health.router)
    app.include_router(pages)
    hang_intake(app, Core(vault), vault.settings)
    return app


def _version() -> str:
    try:
        return version("valetkey")
    except PackageNotFoundError:  # run from a clone
        return "0"
