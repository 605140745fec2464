"""Joining: an invitation's code, a password, a second factor, the recovery codes; one thing a page, and no way around.

What is reached stands in the vault and not in the page, so that reloading or coming back goes on where one was.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.depends import FORM_TOKEN, NobodyOnPage, TheVault
from api.errors import problem_of
from api.led import led
from api.pages.cookies import ENROL_COOKIE, give, take
from api.pages.pictures import scanned, typed
from api.pages.proving import LONGEST_ANSWER, NO_FAULTS, Faults, answer_in, faults_of, text
from api.pages.sheet import TEMPLATES
from api.pages.templates import shown
from api.security import cookie_named, form_token, is_form_token
from api.source import client_of
from vault.errors import Denied, NotFound, NotSignedIn, VaultError
from vault.model.views import EnrolmentView
from vault.operations.people import enrolling
from vault.operations.vault import Vault
from vault.settings import Settings
from vault.values import SECOND

LONGEST_TOKEN = 100
LONGEST_INVITATION = 100
LONGEST_PASSWORD = 1100
"""Characters that are looked at. What a password may have is judged where it is parsed."""


def _what_to_do(request: Request) -> Response | None:
    """Say it in words, to a browser that has no enrolment on its way."""
    if "text/html" not in request.headers.get("accept", ""):
        return None
    business = request.app.state.vault.settings.business
    return shown(TEMPLATES, "enrol_over.html", 401, business=business)


router = APIRouter(prefix="/enrol", route_class=led(_what_to_do), include_in_schema=False)


async def _token(request: Request) -> str:
    token = cookie_named(request.headers, ENROL_COOKIE)
    if not 0 < len(token) <= LONGEST_TOKEN:
        raise NotSignedIn("no enrolment has begun in this browser")
    return token


Enrolling = Annotated[str, Depends(_token)]
"""The token of a browser in which an enrolment has begun."""


async def _own_form(request: Request, token: Enrolling) -> FormData:
    form = await request.form(max_files=0)
    if not is_form_token(token, text(form, FORM_TOKEN)):
        raise Denied("this form was not made for this enrolment")
    return form


EnrolForm = Annotated[FormData, Depends(_own_form)]
"""The fields of a form that was made for this browser's enrolment."""


def _shown(settings: Settings, token: str, name: str, status: int = 200, /, **context: Any) -> Response:
    own = {
        "business": settings.business,
        "form_token": form_token(token) if token else "",
        "paper": "letter.html",
    }
    return shown(TEMPLATES, name, status, **own | context)


def _asked_for_code(settings: Settings, refusal: VaultError | None = None) -> Response:
    error, status = "", 200
    if refusal is not None:
        problem = problem_of(refusal)
        error, status = problem.detail, problem.status
    if isinstance(refusal, NotFound):
        error = "This invitation was used, has run out, or never was. Check each group, or ask for a new one"
    return _shown(settings, "", "enrol_code.html", status, error=error)


def _step(
    request: Request, vault: Vault, token: str, view: EnrolmentView, faults: Faults = NO_FAULTS
) -> Response:
    name = client_of(request.headers)
    return _shown(
        vault.settings,
        token,
        f"enrol_{view.step}.html",
        faults.status,
        view=view,
        faults=faults.said,
        device=name,
    )


@router.get("", name="open")
async def enrolment(request: Request, vault: TheVault, actor: NobodyOnPage) -> Response:
    """Show where this browser's enrolment stands; ask for the invitation's code where none has begun."""
    token = cookie_named(request.headers, ENROL_COOKIE)
    if not 0 < len(token) <= LONGEST_TOKEN:
        return _asked_for_code(vault.settings)
    try:
        view = await enrolling.look(vault, actor, token)
    except NotSignedIn:
        return _asked_for_code(vault.settings)
    return _step(request, vault, token, view)


@router.get("/code", name="open")
async def another(vault: TheVault) -> Response:
    """Ask for a code, whatever has begun here: for whoever enrols at somebody else's computer."""
    return _asked_for_code(vault.settings)


@router.post("", name="open")
async def begin(request: Request, vault: TheVault, actor: NobodyOnPage) -> Response:
    """Exchange the code for a cookie; only now is the invitation used."""
    code = text(await request.form(max_files=0), "code", LONGEST_INVITATION)
    try:
        token, view = await enrolling.begin(vault, actor, code)
    except VaultError as refusal:
        return _asked_for_code(vault.settings, refusal)
    answer = RedirectResponse("/enrol", 303)
    left = int(view.expires_at.timestamp()) - vault.now() // SECOND
    give(answer, ENROL_COOKIE, token, max(left, 1))
    return answer


@router.get("/password", name="enrolment")
async def password_again(
    request: Request, vault: TheVault, actor: NobodyOnPage, token: Enrolling
) -> Response:
    """Ask for another password, as long as nothing is finished."""
    view = await enrolling.look(vault, actor, token)
    return _step(request, vault, token, view.model_copy(update={"step": "password"}))


@router.post("/password", name="enrolment")
async def choose_password(
    request: Request, vault: TheVault, actor: NobodyOnPage, token: Enrolling, form: EnrolForm
) -> Response:
    """Take the password, or say why not; it is never written back."""
    try:
        await enrolling.choose_password(vault, actor, token, text(form, "password", LONGEST_PASSWORD))
    except VaultError as refusal:
        faults = faults_of(request, refusal, "password")
        view = (await enrolling.look(vault, actor, token)).model_copy(update={"step": "password"})
        return _step(request, vault, token, view, faults)
    return RedirectResponse("/enrol", 303)


# -- a second factor --------------------------------------------------------------------------------------------------


@router.post("/authenticator", name="enrolment")
async def offer_totp(vault: TheVault, actor: NobodyOnPage, token: Enrolling, _form: EnrolForm) -> Response:
    """Show a new key for an authenticator app, this once; one that was shown before is void."""
    offered = await enrolling.offer_totp(vault, actor, token)
    return _authenticator(vault.settings, token, offered.uri)


def _authenticator(settings: Settings, token: str, uri: str = "", fault: str = "") -> Response:
    return _shown(
        settings,
        token,
        "authenticator.html",
        422 if fault else 200,
        place="/enrol/authenticator",
        picture=scanned(uri) if uri else "",
        key=typed(uri) if uri else "",
        fault=fault,
    )


@router.post("/authenticator/confirm", name="enrolment")
async def confirm_totp(vault: TheVault, actor: NobodyOnPage, token: Enrolling, form: EnrolForm) -> Response:
    """Finish with an authenticator, whose code shows that the key arrived; then show the recovery codes."""
    try:
        codes = await enrolling.confirm_totp(vault, actor, token, text(form, "code").replace(" ", "")[:20])
    except (Denied, NotFound) as refusal:
        return _authenticator(vault.settings, token, fault=problem_of(refusal).detail)
    return _done(vault.settings, codes)


@router.post("/passkey/ask", name="enrolment")
async def ask_passkey(vault: TheVault, actor: NobodyOnPage, token: Enrolling) -> Response:
    """What this browser needs to make a passkey."""
    return JSONResponse(await enrolling.ask_passkey(vault, actor, token))


@router.post("/passkey", name="enrolment")
async def add_passkey(
    request: Request, vault: TheVault, actor: NobodyOnPage, token: Enrolling, form: EnrolForm
) -> Response:
    """Finish with a passkey; then show the recovery codes."""
    try:
        challenge, answer = answer_in(text(form, "made", LONGEST_ANSWER))
        codes = await enrolling.add_passkey(vault, actor, token, challenge, answer, text(form, "name"))
    except VaultError as refusal:
        faults = faults_of(request, refusal, "name")
        view = await enrolling.look(vault, actor, token)
        return _step(request, vault, token, view, faults)
    return _done(vault.settings, codes)


def _done(settings: Settings, codes: list[str]) -> Response:
    answer = _shown(settings, "", "codes.html", codes=codes, onward="/signin?after=enrolled", joined=True)
    take(answer, ENROL_COOKIE)
    return answer
