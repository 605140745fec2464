"""One's own account: password, second factors, recovery codes, and where one is signed in."""

from fastapi import APIRouter

from api.bodies import (
    Confirmed,
    FactorPath,
    NewPasskey,
    NewPassword,
    OfferedUri,
    PasskeyAsked,
    Proving,
    RecoveryCodes,
    SessionPath,
)
from api.depends import SignedIn, TheVault
from vault.model.views import AccountView, OwnSessionView
from vault.operations.people import account, sessions

router = APIRouter(prefix="/account", tags=["account"])


@router.get("", name="account.show")
async def show(vault: TheVault, actor: SignedIn) -> AccountView:
    """Show one's own account."""
    return await vault.read(account.account, actor)


@router.post("/password", name="account.change", status_code=204)
async def change_password(body: NewPassword, vault: TheVault, actor: SignedIn) -> None:
    """Choose a new password. Every session ends, this one too."""
    await account.change_password(vault, actor, body.password, body.given())


@router.post("/totp", name="account.change", status_code=201)
async def ask_totp(body: Proving, vault: TheVault, actor: SignedIn) -> OfferedUri:
    """Get the key URI of a new authenticator, this once; it works from its first code on."""
    return OfferedUri(uri=(await account.ask_totp(vault, actor, body.given())).uri)


@router.post("/totp/confirm", name="account.change", status_code=204)
async def confirm_totp(body: Confirmed, vault: TheVault, actor: SignedIn) -> None:
    """Take the new authenticator into use. Every session ends, this one too."""
    await account.confirm_totp(vault, actor, body.code)


@router.post("/passkeys/ask", name="account.change", status_code=201)
async def ask_passkey(body: Proving, vault: TheVault, actor: SignedIn) -> PasskeyAsked:
    """Ask for what a browser needs to make a passkey."""
    return PasskeyAsked.model_validate(await account.ask_passkey(vault, actor, body.given()))


@router.post("/passkeys", name="account.change", status_code=204)
async def add_passkey(body: NewPasskey, vault: TheVault, actor: SignedIn) -> None:
    """Take a new passkey into use. Every session ends, this one too."""
    await account.add_passkey(vault, actor, body.challenge, body.answer.plain(), body.name)


@router.post("/factors/{factor_id}/remove", name="account.change", status_code=204)
async def remove_factor(factor_id: FactorPath, body: Proving, vault: TheVault, actor: SignedIn) -> None:
    """Take a passkey or the authenticator out of use. Every session ends, this one too."""
    await account.remove_factor(vault, actor, factor_id, body.given())


@router.post("/recovery-codes", name="account.change", status_code=201)
async def renew_recovery(body: Proving, vault: TheVault, actor: SignedIn) -> RecoveryCodes:
    """Get ten new recovery codes, this once; the ones before open nothing any more."""
    return RecoveryCodes(codes=tuple(await account.renew_recovery(vault, actor, body.given())))


@router.get("/sessions", name="account.show")
async def own_sessions(vault: TheVault, actor: SignedIn) -> list[OwnSessionView]:
    """List where one is signed in, the last used first."""
    return list(await vault.read(sessions.own_sessions, actor))


@router.post("/sessions/end-all", name="session.end", status_code=204)
async def end_all(vault: TheVault, actor: SignedIn) -> None:
    """Sign out everywhere, here too."""
    await vault.perform(account.sign_out_everywhere, actor)


@router.post("/sessions/{session_id}/end", name="session.end", status_code=204)
async def end_one(session_id: SessionPath, vault: TheVault, actor: SignedIn) -> None:
    """End one of one's own sessions."""
    await vault.perform(sessions.end_one, actor, session_id)
