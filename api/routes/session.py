"""Signing in and out, and the confidentiality agreement."""

from fastapi import APIRouter, Request, Response

from api.bodies import Agreed, PasskeyAsked, PasskeySignIn, SignedInAnswer, SignIn
from api.depends import Nobody, SignedIn, TheVault
from api.source import client_of
from vault.model.views import AgreementView, SessionView
from vault.operations.people import sessions, staff

router = APIRouter(tags=["session"])


@router.post("/session", name="open", status_code=201)
async def sign_in(request: Request, body: SignIn, vault: TheVault, actor: Nobody) -> SignedInAnswer:
    """Sign in with mail address, password and a fresh code; the token goes into the Authorization header."""
    started = await sessions.sign_in(
        vault, body.mail, body.password, body.code, actor, client_of(request.headers)
    )
    return SignedInAnswer(token=started.token, session=started.session)


@router.post("/session/passkey/ask", name="open", status_code=201)
async def ask_passkey(vault: TheVault, actor: Nobody) -> PasskeyAsked:
    """Ask for a challenge to sign in with a passkey."""
    return PasskeyAsked.model_validate(await sessions.ask_passkey(vault, actor))


@router.post("/session/passkey", name="open", status_code=201)
async def sign_in_with_passkey(
    request: Request, body: PasskeySignIn, vault: TheVault, actor: Nobody
) -> SignedInAnswer:
    """Sign in with a passkey alone."""
    started = await sessions.sign_in_with_passkey(
        vault, body.challenge, body.answer.plain(), actor, client_of(request.headers)
    )
    return SignedInAnswer(token=started.token, session=started.session)


@router.get("/session", name="session.show")
async def session(vault: TheVault, actor: SignedIn) -> SessionView:
    """Say who is signed in, and until when."""
    return await vault.read(sessions.session, actor)


@router.delete("/session", name="session.end", status_code=204)
async def sign_out(vault: TheVault, actor: SignedIn, response: Response) -> None:
    """End this session at once, everywhere."""
    await vault.perform(sessions.sign_out, actor)
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'


@router.get("/agreement", name="agreement.read")
async def agreement(vault: TheVault, actor: SignedIn) -> AgreementView:
    """Show the confidentiality agreement that is in force."""
    return await vault.read(staff.agreement, actor)


@router.post("/agreement", name="agreement.accept", status_code=204)
async def agree(body: Agreed, vault: TheVault, actor: SignedIn) -> None:
    """Accept the agreement in the version that was read."""
    await vault.perform(staff.agree, actor, body.version)
