"""A customer in front of their own page: by which cookie they are known, and that a form was made for their visit."""

from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import AfterValidator
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.depends import FORM_TOKEN, TheVault
from api.led import led
from api.security import SAFE_METHODS, cookie_named, is_form_token
from api.source import source_of
from vault.errors import Denied, NotSignedIn
from vault.operations.customers import visits
from vault.values import Actor, SecretId, known_id

MINE_COOKIE = "__Host-vk_mine"

SecretPath = Annotated[SecretId, Path(), AfterValidator(lambda raw: known_id("sec", raw))]


def mine_token(request: Request) -> str:
    """The token of this browser, at whatever stage it is; empty without one."""
    return cookie_named(request.headers, MINE_COOKIE)


async def _customer(request: Request, vault: TheVault) -> Actor:
    token = mine_token(request)
    if not token:
        raise NotSignedIn("this page is not open here")
    return await visits.resolve(vault, token, source_of(request, vault.settings.trusted_proxies))


async def _own_form(request: Request) -> FormData:
    form = await request.form(max_files=0)
    given, token = form.get(FORM_TOKEN), mine_token(request)
    if not token or not isinstance(given, str) or not is_form_token(token, given):
        raise Denied("this form was not made for your page")
    return form


OnOwnPage = Annotated[Actor, Depends(_customer)]
"""A customer whose own page is open in this browser. Raises NotSignedIn."""
OwnForm = Annotated[FormData, Depends(_own_form)]
"""The fields of a form that was made for this visit. Name the customer before it in the signature."""


def _to_their_page(request: Request) -> Response | None:
    return RedirectResponse("/mine", 303) if request.method in SAFE_METHODS else None


OwnRoute = led(_to_their_page)
"""A page of a customer's own; whoever has none open is led to where they can ask for it."""
