"""The paper that a customer's own page is written on: in their language, with their name at the top."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, Request
from jinja2 import Environment
from starlette.responses import Response

from api.depends import TheVault
from api.errors import LANGUAGE
from api.pages.happening import told
from api.pages.templates import for_customers, shown
from api.security import form_token
from api.visiting import OnOwnPage, mine_token
from vault.languages import Translation, translation, wished
from vault.model.own_views import HappenedView, OwnView
from vault.operations.customers import mine


@cache
def own_templates(language: str) -> Environment:
    """The templates of a customer's page in one of LANGUAGES."""
    made = for_customers(language)
    spoken = translation(language)

    def happened(view: HappenedView, business: str) -> str:
        return told(view, spoken, business)

    made.filters.update(happened=happened)
    return made


def wished_by(request: Request) -> Translation:
    """What is said in the language that a browser wishes for, before it is known whose page it is."""
    return translation(wished(request.headers.get("accept-language", "")))


def for_anybody(
    request: Request,
    vault: TheVault,
    name: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """A page before it is known whose it is, in the language that the browser wishes for."""
    templates = own_templates(wished_by(request).language)
    return shown(templates, name, status, headers, business=vault.settings.business, **context)


class OwnPaper:
    """The letterhead of one customer."""

    def __init__(self, own: OwnView, token: str) -> None:
        self.own = own
        self.spoken = translation(own.language)
        self._token = form_token(token)

    def shown(self, name: str, status: int = 200, **context: Any) -> Response:
        """Show a template to this customer."""
        own = self.own
        return shown(
            own_templates(own.language),
            name,
            status,
            own=own,
            business=own.business,
            form_token=self._token,
            **context,
        )


async def _paper(request: Request, vault: TheVault, actor: OnOwnPage) -> OwnPaper:
    own = await vault.read(mine.page, actor)
    setattr(request.state, LANGUAGE, own.language)
    return OwnPaper(own, mine_token(request))


Paper = Annotated[OwnPaper, Depends(_paper)]
"""The paper for the customer whose page is open."""
