"""The terms for customers: open to everybody, because everybody has to be able to read them before they agree."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.depends import Nobody, TheVault
from vault.model.terms import AllTermsView, TermsView
from vault.operations.customers import terms

router = APIRouter(tags=["terms"])

Version = Annotated[int, Path(ge=1, le=1_000_000)]


@router.get("/terms", name="open")
async def all_terms(vault: TheVault, actor: Nobody) -> AllTermsView:
    """Show the terms in force and those that are announced, each with what it changes."""
    return await vault.read_aside(terms.everything, actor)


@router.get("/terms/{version}", name="open")
async def one_version(version: Version, vault: TheVault, actor: Nobody) -> TermsView:
    """Show one version of the terms, also one that is no longer in force."""
    return await vault.read_aside(terms.one, actor, version)
