"""Signing in and out, and the confidentiality agreement."""

from fastapi import APIRouter, Response

from api.bodies import Agreed, SignedInAnswer, SignIn
from api.depends import Nobody, SignedIn, TheVault
from vault.model.views import AgreementView, SessionView
from vault.operations import sessions, staff

router = APIRouter(tags=["session"])


@router.post("/session", status_code=201)
async def sign_in(body: SignIn, vault: TheVault, actor: Nobody) -> SignedInAnswer:
    """Sign in with mail address, password and a fresh code; the token goes into the Authorization header."""
    token, session = await sessions.sign_in(vault, body.mail, body.password, body.code, actor)
    return SignedInAnswer(token=token, session=session)


@router.get("/session")
async def session(vault: TheVault, actor: SignedIn) -> SessionView:
    """Say who is signed in, and until when."""
    return await vault.read(sessions.session, actor)


@router.delete("/session", status_code=204)
async def sign_out(vault: TheVault, actor: SignedIn, response: Response) -> None:
    """End this session at once, everywhere."""
    await vault.perform(sessions.sign_out, actor)
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'


@router.get("/agreement")
async def agreement(vault: TheVault, actor: SignedIn) -> AgreementView:
    """Show the confidentiality agreement that is in force."""
    return await vault.read(staff.agreement, actor)


@router.post("/agreement", status_code=204)
async def agree(body: Agreed, vault: TheVault, actor: SignedIn) -> None:
    """Accept the agreement in the version that was read."""
    await vault.perform(staff.agree, actor, body.version)
