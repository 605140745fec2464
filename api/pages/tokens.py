"""API tokens on a page: made with a proof of presence, shown once, ended by a button."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from api.depends import CheckedForm, PageActor, TheVault
from api.pages.proving import deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import VaultError
from vault.operations.people import tokens
from vault.policy.rights import SCOPES

router = APIRouter(prefix="/account/tokens", route_class=PageRoute, include_in_schema=False)

DAYS = (30, 90, 180, 365)
_DIGITS = re.compile(r"[0-9]{1,3}", re.ASCII)


def _offered(sheet: Sheet, typed: dict[str, Any]) -> dict[str, Any]:
    own = tokens.usable(sheet.roles)
    return {
        "scopes": {name: said for name, said in SCOPES.items() if name in own},
        "days": DAYS,
        "typed": typed,
    }


@router.get("", name="account.show")
async def new_token(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask what a new token is for."""
    return await deed_page(vault, actor, sheet, "token.html", **_offered(sheet, {}))


@router.post("", name="token.make")
async def make(
    request: Request, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Make it and show it, this once."""
    scopes = [scope for scope in form.getlist("scopes") if isinstance(scope, str)]
    name, days = text(form, "name", 200), text(form, "days", 10)
    lasts = int(days) if _DIGITS.fullmatch(days) else 0
    try:
        token, view = await tokens.make(vault, actor, name, scopes, lasts, given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal, "name", "scopes", "days")
        typed = {"name": name, "scopes": scopes, "days": days}
        return await deed_page(vault, actor, sheet, "token.html", faults, **_offered(sheet, typed))
    return sheet.shown("token_made.html", token=token, view=view, scopes=SCOPES)


@router.post("/{token_id}/end", name="token.end")
async def end(
    token_id: Annotated[str, Path(max_length=40)], vault: TheVault, actor: PageActor, _form: CheckedForm
) -> Response:
    """End it at once."""
    await vault.perform(tokens.end, actor, token_id)
    return RedirectResponse("/account", 303)
