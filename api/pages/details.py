"""A customer's own data and passkeys."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from api.bodies import FactorPath
from api.depends import TheVault
from api.errors import problem_of
from api.pages.paper import OwnPaper, Paper
from api.pages.proving import LONGEST_ANSWER, answer_in, text
from api.visiting import OnOwnPage, OwnForm, OwnRoute
from vault.errors import Conflict, Denied, Invalid, NotFound, Sealed, VaultError
from vault.operations.customers import mine, own_passkeys
from vault.operations.vault import Vault
from vault.values import Actor

router = APIRouter(prefix="/mine/details", route_class=OwnRoute, include_in_schema=False)

LONGEST = 300


async def _page(
    vault: Vault,
    actor: Actor,
    paper: OwnPaper,
    typed: dict[str, str] | None = None,
    refusal: VaultError | None = None,
    at: str = "",
) -> Response:
    own, problem = paper.own, problem_of(refusal, paper.spoken) if refusal else None
    if refusal is not None and isinstance(refusal, Invalid) and refusal.pointer:
        at = refusal.pointer.strip("/")
    return paper.shown(
        "mine_details.html",
        problem.status if problem else 200,
        typed={"name": own.name, "mail": own.mail} | (typed or {}),
        passkeys=() if own.sealed else await vault.read(own_passkeys.own, actor),
        faults={at: problem.detail} if problem else {},
    )


@router.get("", name="mine.show")
async def details(vault: TheVault, actor: OnOwnPage, paper: Paper) -> Response:
    """Show a customer's own data."""
    return await _page(vault, actor, paper)


@router.post("", name="mine.correct")
async def correct(vault: TheVault, actor: OnOwnPage, paper: Paper, form: OwnForm) -> Response:
    """Correct them."""
    name, mail = text(form, "name", LONGEST), text(form, "mail", LONGEST)
    language, digest = text(form, "language", 10), text(form, "digest", 10) == "yes"
    try:
        await mine.correct(vault, actor, name=name, mail=mail, language=language, digest=digest)
    except (Invalid, Sealed) as refusal:
        return await _page(vault, actor, paper, {"name": name, "mail": mail}, refusal)
    return RedirectResponse("/mine/details", 303)


@router.post("/passkeys", name="mine.correct")
async def add_passkey(vault: TheVault, actor: OnOwnPage, paper: Paper, form: OwnForm) -> Response:
    """Take a passkey into use that this browser has just made."""
    try:
        challenge, answer = answer_in(text(form, "made", LONGEST_ANSWER))
        await vault.perform(own_passkeys.add, actor, challenge, answer, text(form, "called", LONGEST))
    except (Invalid, Denied, NotFound, Conflict, Sealed) as refusal:
        return await _page(vault, actor, paper, None, refusal, "called")
    return RedirectResponse("/mine/details", 303)


@router.post("/passkeys/{factor_id}/remove", name="mine.correct")
async def remove_passkey(
    factor_id: FactorPath, vault: TheVault, actor: OnOwnPage, _form: OwnForm
) -> Response:
    """Take a passkey out of use; the mailbox goes on."""
    await vault.perform(own_passkeys.remove, actor, factor_id)
    return RedirectResponse("/mine/details", 303)
