"""The customer's own page: asking for it, opening it with the code from the mailbox, and all that is to be seen."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.bodies import LARGEST_SEQ, PasskeySignIn, ServicePath
from api.depends import NobodyOnPage, TheVault
from api.errors import problem_of
from api.pages.cookies import give, take
from api.pages.paper import Paper, for_anybody, wished_by
from api.pages.proving import text
from api.visiting import MINE_COOKIE, OnOwnPage, OwnForm, OwnRoute, mine_token
from vault.errors import NotFound, NotSignedIn, VaultError
from vault.operations.customers import happened, mine, own_passkeys, visits
from vault.operations.people import sessions
from vault.values import SECOND

router = APIRouter(prefix="/mine", route_class=OwnRoute, include_in_schema=False)

LONGEST_CODE = 60


async def _visits(request: Request, vault: TheVault, actor: NobodyOnPage) -> bool:
    """Whether a page is open in this browser already."""
    try:
        await visits.resolve(vault, mine_token(request), actor.source)
    except NotSignedIn:
        return False
    return True


@router.get("", name="open")
async def asking(request: Request, vault: TheVault, actor: NobodyOnPage) -> Response:
    """Ask whose page it is to be; who has theirs open is led there."""
    if await _visits(request, vault, actor):
        return RedirectResponse("/mine/services", 303)
    return for_anybody(request, vault, "mine_ask.html", error="", sealed=vault.is_sealed)


@router.post("", name="open")
async def ask(request: Request, vault: TheVault, actor: NobodyOnPage) -> Response:
    """Have a code mailed to whoever the page's code names; the answer is the same for a code that names nobody."""
    form = await request.form(max_files=0)
    try:
        token = await visits.ask(vault, actor, text(form, "code", LONGEST_CODE))
    except VaultError as refusal:
        problem = problem_of(refusal, wished_by(request))
        error = "code" if isinstance(refusal, NotFound) else problem.detail
        return for_anybody(
            request,
            vault,
            "mine_ask.html",
            problem.status,
            problem.headers,
            error=error,
            sealed=vault.is_sealed,
        )
    answer = RedirectResponse("/mine/code", 303)
    give(answer, MINE_COOKIE, token, visits.CODE_LASTS // SECOND)
    return answer


@router.get("/code", name="open")
async def typing(request: Request, vault: TheVault) -> Response:
    """Ask for the code from the mail."""
    if not mine_token(request):
        return RedirectResponse("/mine", 303)
    return for_anybody(request, vault, "mine_code.html", error="")


@router.post("/code", name="open")
async def start(request: Request, vault: TheVault, actor: NobodyOnPage) -> Response:
    """Open the page; a fresh token replaces the one that has asked."""
    form = await request.form(max_files=0)
    try:
        started = await visits.start(vault, actor, mine_token(request), text(form, "code", LONGEST_CODE))
    except VaultError as refusal:
        problem = problem_of(refusal, wished_by(request))
        error = "code" if isinstance(refusal, NotSignedIn) else problem.detail
        return for_anybody(request, vault, "mine_code.html", problem.status, problem.headers, error=error)
    return _opened(started, RedirectResponse("/mine/services", 303))


def _opened(started: visits.Visiting, answer: Response) -> Response:
    give(answer, MINE_COOKIE, started.token, visits.LONGEST // SECOND)
    return answer


@router.post("/passkey/ask", name="open")
async def ask_passkey(vault: TheVault, actor: NobodyOnPage) -> Response:
    """Ask any passkey of this vault to answer; the question is the same for everybody."""
    return JSONResponse(await sessions.ask_passkey(vault, actor))


@router.post("/passkey", name="open")
async def start_with_passkey(vault: TheVault, actor: NobodyOnPage, body: PasskeySignIn) -> Response:
    """Open the page by a passkey's answer."""
    started = await own_passkeys.start(vault, actor, body.challenge, body.answer.plain())
    return _opened(started, JSONResponse({"to": "/mine/services"}))


@router.get("/services", name="mine.show")
async def overview(paper: Paper) -> Response:
    """Show all services, what is waiting, and who holds access now."""
    services = paper.own.services
    waiting = [one for service in services if service.state == "open" for one in service.given if _waits(one)]
    return paper.shown(
        "mine.html",
        waiting=len(waiting),
        asked_for=[lease for service in services for lease in service.asked],
        lent=[lease for service in services for lease in service.lent],
        open_ones=[service for service in services if service.state == "open"],
        over=[service for service in services if service.state != "open"],
    )


def _waits(given: Any) -> bool:
    return given.state in {"awaited", "refused"}


@router.get("/services/{service_id}", name="mine.show")
async def one_service(
    service_id: ServicePath,
    vault: TheVault,
    actor: OnOwnPage,
    paper: Paper,
    before: Annotated[int | None, Query(ge=0, le=LARGEST_SEQ)] = None,
) -> Response:
    """Show one service: what was given, who may use it, and all that happened."""
    service = await vault.read(mine.service, actor, service_id)
    found = await vault.read_aside(happened.happened, actor, service_id, before)
    return paper.shown(
        "mine_service.html",
        service=service,
        waiting=sum(map(_waits, service.given)),
        found=found,
        later=before is not None,
    )


@router.post("/leave", name="mine.show")
async def leave(vault: TheVault, actor: OnOwnPage, _form: OwnForm) -> Response:
    """End the visit."""
    await vault.perform(visits.leave, actor)
    answer = RedirectResponse("/mine", 303, {"Clear-Site-Data": '"cache", "storage"'})
    take(answer, MINE_COOKIE)
    return answer
