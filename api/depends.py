"""What a route may ask for in its signature: the vault, and who is asking. A right is named nowhere else."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

from api.security import SESSION_COOKIE, cookie_named, is_form_token
from api.source import source_of
from vault.errors import Denied, NotSignedIn
from vault.operations.people import sessions, tokens
from vault.operations.vault import Vault
from vault.values import Actor, Channel

FORM_TOKEN = "form_token"  # noqa: S105 (the name of a field)
BY_ITSELF = "valetkey-by-itself"
"""The header with which a page says that it asks by itself, and that nobody has touched it."""


async def _vault(request: Request) -> Vault:
    vault: Vault = request.app.state.vault
    return vault


TheVault = Annotated[Vault, Depends(_vault)]


def nobody(request: Request, vault: Vault) -> Actor:
    """The actor of a request that has not proved who it is from, such as a sign-in."""
    return Actor.nobody(source_of(request, vault.settings.trusted_proxies), _channel(request))


def _channel(request: Request) -> Channel:
    return "cli" if request.headers.get("valetkey-client") == "cli" else "api"


def bearer_of(request: Request) -> str:
    """The token of the Authorization header (RFC 6750, 2.1), or nothing."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _nobody(request: Request, vault: TheVault) -> Actor:
    return nobody(request, vault)


async def _nobody_on_page(request: Request, vault: TheVault) -> Actor:
    return Actor.nobody(source_of(request, vault.settings.trusted_proxies), "page")


async def _signed_in(request: Request, vault: TheVault) -> Actor:
    source = source_of(request, vault.settings.trusted_proxies)
    channel: Channel
    if "authorization" in request.headers:  # and never the cookie beside it: one request, one identity
        token = bearer_of(request)
        channel = _channel(request)
        if token.startswith("vk_api_"):
            return await tokens.resolve(vault, token, source)
    else:
        token = cookie_named(request.headers, SESSION_COOKIE)
        channel = "page"
    if not token:
        raise NotSignedIn("you are not signed in")
    by_itself = BY_ITSELF in request.headers
    return await sessions.resolve(vault, token, source, channel, by_itself=by_itself)


async def _page_actor(request: Request, vault: TheVault) -> Actor:
    token = cookie_named(request.headers, SESSION_COOKIE)
    if not token:
        raise NotSignedIn("you are not signed in")
    return await sessions.resolve(vault, token, source_of(request, vault.settings.trusted_proxies), "page")


async def _checked_form(request: Request) -> FormData:
    form = await request.form(max_files=0)
    given = form.get(FORM_TOKEN)
    token = cookie_named(request.headers, SESSION_COOKIE)
    if not token or not isinstance(given, str) or not is_form_token(token, given):
        raise Denied("this form was not made for your session")
    return form


Nobody = Annotated[Actor, Depends(_nobody)]
"""Whoever asks over the API, before they have proved anything: for signing in."""
NobodyOnPage = Annotated[Actor, Depends(_nobody_on_page)]
"""The same in front of a page."""
SignedIn = Annotated[Actor, Depends(_signed_in)]
"""Somebody with a living session, by bearer token or by a page's cookie; or an integration, by its API token."""
PageActor = Annotated[Actor, Depends(_page_actor)]
"""Somebody with a living session, by a page's cookie only."""
CheckedForm = Annotated[FormData, Depends(_checked_form)]
"""The fields of a page's form that was made for this session. Name the actor before it in the signature."""
