"""The terms for customers, with what each version changes: a page that everybody can read."""

from fastapi import APIRouter
from starlette.responses import Response

from api.depends import NobodyOnPage, TheVault
from api.pages.sheet import TEMPLATES
from api.pages.templates import shown
from api.routes.terms import Version
from vault.operations import terms

router = APIRouter(include_in_schema=False)


@router.get("/terms", name="open")
async def all_terms(vault: TheVault, actor: NobodyOnPage) -> Response:
    """Show what is in force, and what changes when."""
    found = await vault.read_aside(terms.everything, actor)
    return shown(TEMPLATES, "terms.html", business=vault.settings.business, found=found)


@router.get("/terms/{version}", name="open")
async def one_version(version: Version, vault: TheVault, actor: NobodyOnPage) -> Response:
    """Show one version, also one that is no longer in force."""
    found = await vault.read_aside(terms.one, actor, version)
    return shown(TEMPLATES, "terms_version.html", business=vault.settings.business, terms=found)
