"""One's own account: password, factors, recovery codes, sessions. What changes a proof ends what was proved before."""

import json

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.bodies import FactorPath, SessionPath
from api.depends import CheckedForm, PageActor, TheVault
from api.errors import problem_of
from api.pages.cookies import KNOWN_COOKIE, take
from api.pages.joining import LONGEST_PASSWORD
from api.pages.pictures import scanned, typed
from api.pages.proving import (
    LONGEST_ANSWER,
    NO_FAULTS,
    Faults,
    answer_in,
    deed_page,
    faults_of,
    given_in,
    text,
)
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from api.security import SESSION_COOKIE
from api.source import client_of
from vault.errors import Denied, NotFound, VaultError
from vault.operations.people import account, sessions
from vault.operations.vault import Vault
from vault.policy.rights import SCOPES
from vault.values import Actor

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)


def signed_out(why: str) -> Response:
    """Lead to the sign-in page, which says why: every session of this person has just ended."""
    answer = RedirectResponse(f"/signin?after={why}", 303, {"Clear-Site-Data": '"cache", "storage"'})
    take(answer, SESSION_COOKIE, KNOWN_COOKIE)
    return answer


@router.get("", name="account.show")
async def own_account(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show the account, and what can be done about it."""
    view = await vault.read(account.account, actor)
    return sheet.shown("account.html", account=view, scopes=SCOPES)


@router.get("/password", name="account.show")
async def new_password(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask for a new password."""
    return await deed_page(vault, actor, sheet, "password.html")


@router.post("/password", name="account.change")
async def change_password(
    request: Request, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Take the new password and end every session; one that is too weak is refused with the reason."""
    new = text(form, "password", LONGEST_PASSWORD)
    try:
        await account.change_password(vault, actor, new, given_in(form))
    except VaultError as refusal:
        return await deed_page(vault, actor, sheet, "password.html", faults_of(request, refusal, "password"))
    return signed_out("password")


# -- authenticator ----------------------------------------------------------------------------------------------------


@router.get("/authenticator", name="account.show")
async def new_authenticator(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask for a proof by a factor that is there."""
    return await deed_page(vault, actor, sheet, "authenticator_ask.html")


@router.post("/authenticator", name="account.change")
async def ask_totp(
    request: Request, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Show a new authenticator's key, this once."""
    try:
        offered = await account.ask_totp(vault, actor, given_in(form))
    except VaultError as refusal:
        return await deed_page(vault, actor, sheet, "authenticator_ask.html", faults_of(request, refusal))
    return _authenticator(sheet, offered.uri)


def _authenticator(sheet: Sheet, uri: str = "", fault: str = "") -> Response:
    return sheet.shown(
        "authenticator.html",
        422 if fault else 200,
        paper="sheet.html",
        place="/account/authenticator",
        picture=scanned(uri) if uri else "",
        key=typed(uri) if uri else "",
        fault=fault,
    )


@router.post("/authenticator/confirm", name="account.change")
async def confirm_totp(vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm) -> Response:
    """Take the authenticator into use, and end every session."""
    try:
        await account.confirm_totp(vault, actor, text(form, "code").replace(" ", "")[:20])
    except (Denied, NotFound) as refusal:
        return _authenticator(sheet, fault=problem_of(refusal).detail)
    return signed_out("factor")


# -- passkeys ---------------------------------------------------------------------------------------------------------


@router.get("/passkey", name="account.show")
async def new_passkey(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask for a proof by a factor that is there."""
    return await deed_page(vault, actor, sheet, "passkey_ask.html")


@router.post("/passkey/ask", name="account.change")
async def ask_passkey(
    request: Request, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Show the page on which the passkey is made."""
    try:
        asked = await account.ask_passkey(vault, actor, given_in(form))
    except VaultError as refusal:
        return await deed_page(vault, actor, sheet, "passkey_ask.html", faults_of(request, refusal))
    device = client_of(request.headers)
    return sheet.shown("passkey_make.html", asked=json.dumps(asked), device=device)


@router.post("/passkey", name="account.change")
async def add_passkey(
    request: Request, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Take the passkey into use, and end every session."""
    try:
        challenge, answer = answer_in(text(form, "made", LONGEST_ANSWER))
        await account.add_passkey(vault, actor, challenge, answer, text(form, "name"))
    except VaultError as refusal:
        return await deed_page(vault, actor, sheet, "passkey_ask.html", faults_of(request, refusal))
    return signed_out("factor")


# -- taking away, recovery codes --------------------------------------------------------------------------------------


async def _removal(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    factor_id: str,
    faults: Faults = NO_FAULTS,
) -> Response:
    held = (await vault.read(account.account, actor)).factors
    found = next((one for one in held if one.id == factor_id and one.kind != "recovery"), None)
    if found is None:
        raise NotFound("there is no such factor")
    return await deed_page(vault, actor, sheet, "remove.html", faults, factor=found)


@router.get("/factors/{factor_id}", name="account.show")
async def factor(factor_id: FactorPath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask whether a factor is to be removed."""
    return await _removal(vault, actor, sheet, factor_id)


@router.post("/factors/{factor_id}", name="account.change")
async def remove_factor(
    factor_id: FactorPath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Remove it, and end every session; the last one stays."""
    try:
        await account.remove_factor(vault, actor, factor_id, given_in(form))
    except VaultError as refusal:
        return await _removal(vault, actor, sheet, factor_id, faults_of(request, refusal))
    return signed_out("factor")


@router.get("/recovery", name="account.show")
async def new_recovery(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask whether the recovery codes are to be replaced."""
    return await deed_page(vault, actor, sheet, "recovery.html")


@router.post("/recovery", name="account.change")
async def renew_recovery(
    request: Request, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Show ten new codes, this once."""
    try:
        codes = await account.renew_recovery(vault, actor, given_in(form))
    except VaultError as refusal:
        return await deed_page(vault, actor, sheet, "recovery.html", faults_of(request, refusal))
    return sheet.shown("codes.html", paper="sheet.html", codes=codes, onward="/account", joined=False)


# -- sessions ---------------------------------------------------------------------------------------------------------


@router.post("/sessions/end", name="session.end")
async def end_all(vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """Sign out everywhere; no browser is known any more."""
    await vault.perform(account.sign_out_everywhere, actor)
    return signed_out("everywhere")


@router.post("/sessions/{session_id}/end", name="session.end")
async def end_one(session_id: SessionPath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """End one session elsewhere."""
    await vault.perform(sessions.end_one, actor, session_id)
    return RedirectResponse("/account", 303)
