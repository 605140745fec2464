"""Signing a command line in: its own two doors (RFC 8628, RFC 6749), and the answer of the person in a browser."""

from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.bodies_device import DeviceAnswer, WhichDevice
from api.depends import Nobody, SignedIn, TheVault
from api.source import client_of
from vault.model.views import DeviceView
from vault.operations.people import device, refreshing
from vault.operations.people.refreshing import SignedInDevice
from vault.operations.people.sessions import IDLE
from vault.values import SECOND

CLIENT = "valetkey-cli"
"""The one client. It is public (RFC 6749, 2.1): its name proves nothing, and a person's yes proves all."""
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

Refused = device.Refused | Literal["invalid_request", "invalid_client", "unsupported_grant_type"]
_SAID: dict[str, str] = {
    "authorization_pending": "Nobody has answered yet.",
    "slow_down": "Ask less often.",
    "access_denied": "The person has refused it.",
    "expired_token": "Nobody has answered in time.",
    "invalid_grant": "This code or token does not work, or was used already.",
    "invalid_request": "A parameter is missing or comes twice.",
    "invalid_client": "There is no such client.",
    "unsupported_grant_type": "This vault does not know that grant.",
}

router = APIRouter(prefix="/device", tags=["device"])
oauth = APIRouter(prefix="/oauth", include_in_schema=False)
"""Form-encoded as the RFCs have it, so no part of the description of the JSON API."""


@oauth.post("/device_authorization", name="open")
async def ask(request: Request, vault: TheVault, actor: Nobody) -> JSONResponse:
    """Begin a sign-in (RFC 8628, 3.1)."""
    sent = await _sent(request)
    refused = _refused_client(sent)
    if refused:
        return _refusal(refused)
    return _kept_nowhere(asdict(await device.ask(vault, actor, client_of(request.headers))))


@oauth.post("/token", name="open")
async def token(request: Request, vault: TheVault, actor: Nobody) -> JSONResponse:
    """Collect the tokens of an allowed sign-in (RFC 8628, 3.4), or refresh them (RFC 6749, 6)."""
    sent = await _sent(request)
    refused = _refused_client(sent)
    if sent is None or refused:
        return _refusal(refused or "invalid_request")
    match sent:
        case {"grant_type": grant, "device_code": code} if grant == DEVICE_GRANT:
            return _tokens(await device.collect(vault, actor, code))
        case {"grant_type": "refresh_token", "refresh_token": former}:
            return _tokens(await refreshing.refresh(vault, actor, former))
        case {"grant_type": grant} if grant not in {DEVICE_GRANT, "refresh_token"}:
            return _refusal("unsupported_grant_type")
    return _refusal("invalid_request")


async def _sent(request: Request) -> dict[str, str] | None:
    """The parameters, or None where one of them comes twice; empty ones count as left out (RFC 6749, 3.2)."""
    form = await request.form(max_files=0)
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str) and value]
    sent = dict(pairs)
    return sent if len(sent) == len(pairs) else None


def _refused_client(sent: dict[str, str] | None) -> Refused | None:
    if sent is None or "client_id" not in sent:
        return "invalid_request"
    return None if sent["client_id"] == CLIENT else "invalid_client"


def _tokens(result: SignedInDevice | device.Refused) -> JSONResponse:
    """The answer of RFC 6749, 5.1. `expires_in` is how long the token lives unused, in seconds."""
    if not isinstance(result, SignedInDevice):
        return _refusal(result)
    return _kept_nowhere(
        {
            "access_token": result.token,
            "token_type": "Bearer",
            "expires_in": IDLE // SECOND,
            "refresh_token": result.refresh,
        }
    )


def _refusal(why: Refused) -> JSONResponse:
    """The error object of RFC 6749, 5.2."""
    return _kept_nowhere({"error": why, "error_description": _SAID[why]}, 400)


def _kept_nowhere(told: dict[str, object], status: int = 200) -> JSONResponse:
    return JSONResponse(told, status, {"Cache-Control": "no-store", "Pragma": "no-cache"})


@router.post("/look", name="device.answer")
async def look(body: WhichDevice, vault: TheVault, actor: SignedIn) -> DeviceView:
    """Say from where a command line asks that shows this code."""
    return await device.look(vault, actor, body.user_code)


@router.post("", name="device.answer", status_code=204)
async def answer(body: DeviceAnswer, vault: TheVault, actor: SignedIn) -> None:
    """Let it sign in as oneself, with a proof of presence; or refuse it, without."""
    await device.answer(vault, actor, body.user_code, body.allow, body.given())
