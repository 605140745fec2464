"""API tokens for integrations."""

from fastapi import APIRouter

from api.bodies_device import MadeApiToken, NewApiToken, TokenPath
from api.depends import SignedIn, TheVault
from vault.model.views import ApiTokenView
from vault.operations.people import tokens

router = APIRouter(prefix="/tokens", tags=["tokens"])


@router.get("", name="account.show")
async def own_tokens(vault: TheVault, actor: SignedIn) -> list[ApiTokenView]:
    """List one's own API tokens that work; the tokens themselves are never shown again."""
    return list(await vault.read(tokens.own_tokens, actor))


@router.post("", name="token.make", status_code=201)
async def make(body: NewApiToken, vault: TheVault, actor: SignedIn) -> MadeApiToken:
    """Make an API token; it is in the answer, this once."""
    token, view = await tokens.make(vault, actor, body.name, body.scopes, body.days, body.given())
    return MadeApiToken(token=token, about=view)


@router.post("/{token_id}/end", name="token.end", status_code=204)
async def end(token_id: TokenPath, vault: TheVault, actor: SignedIn) -> None:
    """End one of one's own API tokens at once."""
    await vault.perform(tokens.end, actor, token_id)
