"""Signing in and out, and the confidentiality agreement that stands before all work."""

import re

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.depends import CheckedForm, NobodyOnPage, PageActor, TheVault
from api.errors import problem_of
from api.pages.sheet import TEMPLATES, OwnSheet, PageRoute
from api.pages.templates import shown
from api.security import SESSION_COOKIE
from vault.errors import NotSignedIn, VaultError
from vault.operations import sessions, staff

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_VERSION = re.compile(r"[0-9]{1,8}", re.ASCII)
LONGEST = 400
"""Characters of any one thing typed to sign in; more is none of it."""


@router.get("/signin")
async def signing_in(vault: TheVault) -> Response:
    """Show the sign-in page."""
    return shown(
        TEMPLATES, "signin.html", business=vault.settings.business, mail="", error="", sealed=vault.is_sealed
    )


@router.post("/signin")
async def sign_in(request: Request, vault: TheVault, actor: NobodyOnPage) -> Response:
    """Sign in; a fresh session replaces whatever this browser had."""
    form = await request.form(max_files=0)
    mail, password, code = (str(form.get(name, ""))[:LONGEST] for name in ("mail", "password", "code"))
    try:
        token, _ = await sessions.sign_in(vault, mail, password, code.replace(" ", ""), actor)
    except VaultError as refusal:
        problem = problem_of(refusal)
        said = _WRONG if isinstance(refusal, NotSignedIn) else problem.detail
        context = {
            "business": vault.settings.business,
            "mail": mail,
            "error": said,
            "sealed": vault.is_sealed,
        }
        return shown(TEMPLATES, "signin.html", problem.status, problem.headers, **context)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(SESSION_COOKIE, token, path="/", secure=True, httponly=True, samesite="strict")
    return answer


_WRONG = (
    "The mail address, the password or the code is not right. Each code works once; wait for the next one"
)


@router.post("/signout")
async def sign_out(vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """End the session, here and everywhere it was open."""
    await vault.perform(sessions.sign_out, actor)
    answer = RedirectResponse("/signin", 303, {"Clear-Site-Data": '"cache", "storage"'})
    answer.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return answer


@router.get("/agreement")
async def agreement(vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show the agreement in force, and whether this person has accepted it."""
    return sheet.shown("agreement.html", agreement=await vault.read(staff.agreement, actor))


@router.post("/agreement")
async def agree(vault: TheVault, actor: PageActor, form: CheckedForm) -> Response:
    """Accept the version that was shown."""
    version = form.get("version")
    shown_version = int(version) if isinstance(version, str) and _VERSION.fullmatch(version) else 0
    await vault.perform(staff.agree, actor, shown_version)
    return RedirectResponse("/", 303)
