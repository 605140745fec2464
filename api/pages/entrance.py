"""Signing in and out, and the confidentiality agreement that stands before all work."""

import re
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.bodies import PasskeySignIn
from api.depends import CheckedForm, NobodyOnPage, PageActor, TheVault
from api.errors import problem_of
from api.pages.cookies import KNOWN_COOKIE, give_session, take
from api.pages.proving import text
from api.pages.sheet import TEMPLATES, OwnSheet, PageRoute, way_back
from api.pages.templates import shown
from api.security import SESSION_COOKIE, cookie_named
from api.source import client_of
from vault.errors import NotSignedIn, VaultError
from vault.operations.people import sessions, staff
from vault.operations.vault import Vault
from vault.values import Actor

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_VERSION = re.compile(r"[0-9]{1,8}", re.ASCII)
LONGEST = 400
"""Characters of any one thing typed to sign in; more is none of it."""
WHY = {
    "password": "Your new password is in force. You were signed out everywhere; sign in with it now.",
    "factor": "Your factors have changed. You were signed out everywhere; sign in again.",
    "everywhere": "You are signed out, here and everywhere else.",
    "enrolled": "Your account is ready. Sign in to begin.",
}
"""What has led to the sign-in page, by the word in its address."""


def _page(vault: Vault, status: int = 200, headers: Any = None, **context: Any) -> Response:
    return shown(
        TEMPLATES,
        "signin.html",
        status,
        headers,
        **{"business": vault.settings.business, "mail": "", "error": "", "why": "", "to": "/"} | context,
        sealed=vault.is_sealed,
    )


@router.get("/signin", name="open")
async def signing_in(
    vault: TheVault,
    after: Annotated[str, Query(max_length=20)] = "",
    to: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """Show the sign-in page."""
    return _page(vault, why=WHY.get(after, ""), to=way_back(to))


@router.post("/signin", name="open")
async def sign_in(request: Request, vault: TheVault, actor: NobodyOnPage) -> Response:
    """Sign in; a fresh session replaces whatever this browser had."""
    form = await request.form(max_files=0)
    mail, password, code = (text(form, name, LONGEST) for name in ("mail", "password", "code"))
    to = way_back(text(form, "to"))
    known = cookie_named(request.headers, KNOWN_COOKIE)
    try:
        signed = await sessions.sign_in(
            vault, mail, password, code.replace(" ", ""), actor, client_of(request.headers), known
        )
    except VaultError as refusal:
        problem = problem_of(refusal)
        said = _WRONG if isinstance(refusal, NotSignedIn) else problem.detail
        return _page(vault, problem.status, problem.headers, mail=mail, error=said, to=to)
    await _end_former(request, vault, actor)
    answer = RedirectResponse(to, 303)
    give_session(answer, signed)
    return answer


async def _end_former(request: Request, vault: Vault, actor: Actor) -> None:
    """End the session that this browser had until now, if it had one that runs."""
    with suppress(VaultError):
        former = await sessions.resolve(
            vault, cookie_named(request.headers, SESSION_COOKIE), actor.source, "page"
        )
        await vault.perform(sessions.sign_out, former)


_WRONG = (
    "The mail address, the password or the code is not right. Each code works once; wait for the next one"
)


class PasskeyEntry(PasskeySignIn):
    """What a passkey answered, and where to go from here."""

    to: str = Field(default="", max_length=60)


@router.post("/signin/passkey/ask", name="open")
async def ask_passkey(vault: TheVault, actor: NobodyOnPage) -> Response:
    """Ask any passkey of this vault to answer; the question is the same for everybody."""
    return JSONResponse(await sessions.ask_passkey(vault, actor))


@router.post("/signin/passkey", name="open")
async def sign_in_with_passkey(
    request: Request, vault: TheVault, actor: NobodyOnPage, body: PasskeyEntry
) -> Response:
    """Sign in by a passkey's answer. The script that carries it is told where to go, and never the token."""
    signed = await sessions.sign_in_with_passkey(
        vault, body.challenge, body.answer.plain(), actor, client_of(request.headers)
    )
    await _end_former(request, vault, actor)
    answer = JSONResponse({"to": way_back(body.to)})
    give_session(answer, signed)
    return answer


@router.post("/signout", name="session.end")
async def sign_out(vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """End the session, here and everywhere it was open. The browser stays known."""
    await vault.perform(sessions.sign_out, actor)
    answer = RedirectResponse("/signin", 303, {"Clear-Site-Data": '"cache", "storage"'})
    take(answer, SESSION_COOKIE)
    return answer


@router.get("/agreement", name="agreement.read")
async def agreement(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show the agreement in force, and whether this person has accepted it."""
    return sheet.shown("agreement.html", agreement=await vault.read(staff.agreement, actor))


@router.post("/agreement", name="agreement.accept")
async def agree(vault: TheVault, actor: PageActor, form: CheckedForm) -> Response:
    """Accept the version that was shown."""
    version = text(form, "version")
    shown_version = int(version) if _VERSION.fullmatch(version) else 0
    await vault.perform(staff.agree, actor, shown_version)
    return RedirectResponse("/", 303)
