"""Joining by an invitation. Whoever has opened it is known by a token of its own, and by no cookie here."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from api.bodies import (
    Confirmed,
    EnrolmentBegun,
    FirstPassword,
    InvitationCode,
    NewPasskey,
    OfferedUri,
    PasskeyAsked,
    RecoveryCodes,
)
from api.depends import Nobody, TheVault, bearer_of
from vault.model.views import EnrolmentView
from vault.operations.people import enrolling

router = APIRouter(prefix="/enrolment", tags=["enrolment"])


async def _enrolling(request: Request, vault: TheVault, actor: Nobody) -> str:
    token = bearer_of(request)
    await enrolling.look(vault, actor, token)  # refused before the body is looked at, as everywhere
    return token


Enrolling = Annotated[str, Depends(_enrolling)]
"""The token of an enrolment that is under way."""


@router.post("", name="open", status_code=201)
async def begin(body: InvitationCode, vault: TheVault, actor: Nobody) -> EnrolmentBegun:
    """Open an invitation with its code, once."""
    token, enrolment = await enrolling.begin(vault, actor, body.code)
    return EnrolmentBegun(token=token, enrolment=enrolment)


@router.get("", name="enrolment")
async def look(vault: TheVault, actor: Nobody, token: Enrolling) -> EnrolmentView:
    """Show how far it has come."""
    return await enrolling.look(vault, actor, token)


@router.post("/password", name="enrolment")
async def choose_password(
    body: FirstPassword, vault: TheVault, actor: Nobody, token: Enrolling
) -> EnrolmentView:
    """Choose a password; it counts once a second factor is confirmed."""
    return await enrolling.choose_password(vault, actor, token, body.password)


@router.post("/totp", name="enrolment", status_code=201)
async def offer_totp(vault: TheVault, actor: Nobody, token: Enrolling) -> OfferedUri:
    """Get the key URI of an authenticator, this once; one that was offered before is void."""
    return OfferedUri(uri=(await enrolling.offer_totp(vault, actor, token)).uri)


@router.post("/totp/confirm", name="enrolment", status_code=201)
async def confirm_totp(body: Confirmed, vault: TheVault, actor: Nobody, token: Enrolling) -> RecoveryCodes:
    """Finish with the authenticator's code, and get the recovery codes, this once."""
    return RecoveryCodes(codes=tuple(await enrolling.confirm_totp(vault, actor, token, body.code)))


@router.post("/passkey/ask", name="enrolment", status_code=201)
async def ask_passkey(vault: TheVault, actor: Nobody, token: Enrolling) -> PasskeyAsked:
    """Ask for what a browser needs to make a passkey."""
    return PasskeyAsked.model_validate(await enrolling.ask_passkey(vault, actor, token))


@router.post("/passkey", name="enrolment", status_code=201)
async def add_passkey(body: NewPasskey, vault: TheVault, actor: Nobody, token: Enrolling) -> RecoveryCodes:
    """Finish with a passkey, and get the recovery codes, this once."""
    codes = await enrolling.add_passkey(vault, actor, token, body.challenge, body.answer.plain(), body.name)
    return RecoveryCodes(codes=tuple(codes))
