"""The terms for customers, with what each version changes: a page that everybody can read."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.depends import NobodyOnPage, TheVault
from api.pages.paper import own_templates, wished_by
from api.pages.templates import shown
from api.routes.terms import Version
from vault.languages import LANGUAGES
from vault.operations.customers import terms

router = APIRouter(include_in_schema=False)


class Reader:
    """Who reads, and in which language: the one that the address names, else the one that the browser wishes for."""

    def __init__(self, business: str, chosen: str, wished: str) -> None:
        self._business = business
        self._chosen = chosen if chosen in LANGUAGES else ""
        self._templates = own_templates(self._chosen or wished)

    def shown(self, name: str, **context: Any) -> Response:
        """Show a template; its links go on in the language that was chosen."""
        chosen = f"?language={self._chosen}" if self._chosen else ""
        return shown(self._templates, name, business=self._business, chosen=chosen, **context)


async def _reader(
    request: Request, vault: TheVault, language: Annotated[str, Query(max_length=10)] = ""
) -> Reader:
    return Reader(vault.settings.business, language, wished_by(request).language)


TheReader = Annotated[Reader, Depends(_reader)]


@router.get("/terms", name="open")
async def all_terms(vault: TheVault, actor: NobodyOnPage, reader: TheReader) -> Response:
    """Show what is in force, and what changes when."""
    return reader.shown("terms.html", found=await vault.read_aside(terms.everything, actor))


@router.get("/terms/{version}", name="open")
async def one_version(version: Version, vault: TheVault, actor: NobodyOnPage, reader: TheReader) -> Response:
    """Show one version, also one that is no longer in force."""
    return reader.shown("terms_version.html", terms=await vault.read_aside(terms.one, actor, version))
