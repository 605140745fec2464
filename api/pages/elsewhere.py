"""What somebody has begun at a command line and proves here: letting it sign in, and deeds that it asks for."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.bodies import ChallengePath
from api.depends import CheckedForm, PageActor, TheVault
from api.errors import problem_of
from api.pages.proving import NO_FAULTS, Faults, Means, deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import NotFound, VaultError
from vault.model.views import DeedView
from vault.operations import presence
from vault.operations.people import device

router = APIRouter(route_class=PageRoute, include_in_schema=False)

LONGEST_USER_CODE = 40


@router.get("/device", name="device.answer")
async def typing(sheet: OwnSheet) -> Response:
    """Ask for the code that the command line shows."""
    return sheet.shown("device_code.html", error="")


@router.post("/device", name="device.answer")
async def look(vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm) -> Response:
    """Show who asks, and from where; nothing is decided yet."""
    code = text(form, "user_code", LONGEST_USER_CODE)
    try:
        asking = await device.look(vault, actor, code)
    except NotFound as refusal:
        return sheet.shown("device_code.html", 404, error=problem_of(refusal).detail)
    return await deed_page(vault, actor, sheet, "device.html", asking=asking, user_code=code)


@router.post("/device/allow", name="device.answer")
async def allow(
    request: Request, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Let it sign in, with a proof for this very one."""
    code = text(form, "user_code", LONGEST_USER_CODE)
    try:
        await device.answer(vault, actor, code, allow=True, given=given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal)
        asking = await device.look(vault, actor, code)
        return await deed_page(vault, actor, sheet, "device.html", faults, asking=asking, user_code=code)
    return sheet.shown("device_done.html", allowed=True)


@router.post("/device/deny", name="device.answer")
async def deny(vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm) -> Response:
    """Send it away; that takes no proof."""
    await device.answer(vault, actor, text(form, "user_code", LONGEST_USER_CODE), allow=False)
    return sheet.shown("device_done.html", allowed=False)


@router.get("/presence/{challenge_id}", name="presence.prove")
async def deed(challenge_id: ChallengePath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Show what a command line asks to be proved."""
    asked = await vault.read(presence.deed_of, actor, challenge_id)
    return _deed_page(sheet, asked)


def _deed_page(sheet: Sheet, asked: DeedView, faults: Faults = NO_FAULTS) -> Response:
    means = Means(code=asked.code, passkey=asked.passkey is not None)
    return sheet.shown("presence.html", faults.status, means=means, faults=faults.said, asked=asked)


@router.post("/presence/{challenge_id}", name="presence.prove")
async def prove(
    challenge_id: ChallengePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Prove it; the command line goes on by itself."""
    asked = await vault.read(presence.deed_of, actor, challenge_id)
    try:
        await presence.prove_here(vault, actor, challenge_id, given_in(form))
    except VaultError as refusal:
        return _deed_page(sheet, asked, faults_of(request, refusal))
    return sheet.shown("presence_done.html", asked=asked)
