"""The paper that a customer's own page is written on: in their language, with their name at the top."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, Request
from jinja2 import Environment
from markupsafe import Markup
from starlette.responses import Response

from api.depends import TheVault
from api.pages.happening import told
from api.pages.templates import environment, exact_time, shown
from api.security import form_token
from api.visiting import OnOwnPage, mine_token
from vault.languages import LANGUAGES, NAMES, translation, wished
from vault.model.kinds import KINDS
from vault.model.own import HappenedView, OwnView
from vault.operations import mine


@cache
def own_templates(language: str) -> Environment:
    """The templates of a customer's page in one of LANGUAGES."""
    say = translation(language)
    made = environment()
    made.add_extension("jinja2.ext.i18n")
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(say.gettext, say.ngettext, newstyle=True)  # type: ignore[attr-defined]

    def day(when: datetime) -> Markup:
        return exact_time(when, "date", say.day(when))

    def moment(when: datetime) -> Markup:
        return exact_time(when, "moment", say.moment(when))

    def happened(view: HappenedView, business: str) -> str:
        return told(view, say, business)

    made.filters.update(day=day, moment=moment, happened=happened)
    made.globals.update(language=language, languages=[(one, NAMES[one]) for one in LANGUAGES], kinds=KINDS)
    return made


def for_anybody(
    request: Request,
    vault: TheVault,
    name: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """A page before it is known whose it is, in the language that the browser wishes for."""
    templates = own_templates(wished(request.headers.get("accept-language", "")))
    return shown(templates, name, status, headers, business=vault.settings.business, **context)


class OwnPaper:
    """The letterhead of one customer."""

    def __init__(self, own: OwnView, token: str) -> None:
        self.own = own
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
    return OwnPaper(await vault.read(mine.page, actor), mine_token(request))


Paper = Annotated[OwnPaper, Depends(_paper)]
"""The paper for the customer whose page is open."""
