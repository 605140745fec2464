"""What waits for a customer's yes: read whole on a page of its own, then allowed or not. Looking at it does nothing."""

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.bodies import LeasePath
from api.depends import TheVault
from api.errors import problem_of
from api.pages.paper import OwnPaper, Paper
from api.pages.proving import text
from api.visiting import OnOwnPage, OwnForm, OwnRoute
from vault.errors import Conflict, Ended, NotFound, NotSignedIn, Sealed, VaultError
from vault.languages import marked, translation
from vault.model.own_views import AskedLeaseView, OwnServiceView, OwnView
from vault.operations.customers import own_approvals
from vault.operations.vault import Vault
from vault.storage.unit import Operation
from vault.values import Actor

router = APIRouter(prefix="/mine/leases", route_class=OwnRoute, include_in_schema=False)

_FAULTS: dict[type[VaultError], str] = {
    Conflict: marked("This was changed meanwhile. Please read it as it is now; nothing was opened."),
    Sealed: marked(
        "Our vault was locked just now, so nothing was opened. Please try again when it is unlocked."
    ),
}
_FAULT = marked("This cannot begin any more as it was asked for, and nothing was opened.")


@router.get("/{lease_id}", name="mine.show")
async def waiting(lease_id: LeasePath, paper: Paper) -> Response:
    """Show who asks for what, why and for how long."""
    return _page(paper, lease_id)


@router.post("/{lease_id}/approve", name="mine.approve")
async def approve(
    lease_id: LeasePath, vault: TheVault, actor: OnOwnPage, paper: Paper, form: OwnForm
) -> Response:
    """Let it begin, exactly as the page has shown it."""
    return await _answered(own_approvals.approve, vault, actor, paper, lease_id, form)


@router.post("/{lease_id}/refuse", name="mine.approve")
async def refuse(
    lease_id: LeasePath, vault: TheVault, actor: OnOwnPage, paper: Paper, form: OwnForm
) -> Response:
    """Do not let it begin. Who has asked may ask again."""
    return await _answered(own_approvals.refuse, vault, actor, paper, lease_id, form)


async def _answered(
    answer: Operation[[str, str], None],
    vault: Vault,
    actor: Actor,
    paper: OwnPaper,
    lease_id: str,
    form: FormData,
) -> Response:
    try:
        await vault.perform(answer, actor, lease_id, text(form, "digest"))
    except VaultError as refusal:
        return _page(paper, lease_id, refusal)
    found = _asked(paper.own, lease_id)
    return RedirectResponse(f"/mine/services/{found[0].id}" if found else "/mine/services", 303)


def _page(paper: OwnPaper, lease_id: str, refusal: VaultError | None = None) -> Response:
    """The page of one lease. What waits no more, what is somebody else's and what never was get the same words.

    Raises the refusal again where the page is not open any more.
    """
    if isinstance(refusal, NotSignedIn):
        raise refusal
    found = _asked(paper.own, lease_id)
    if found is None or isinstance(refusal, NotFound | Ended):
        return paper.shown("mine_lease.html", 404, service=None, lease=None, fault="")
    service, lease = found
    if refusal is None:
        return paper.shown("mine_lease.html", service=service, lease=lease, fault="")
    fault = translation(paper.own.language).gettext(_FAULTS.get(type(refusal), _FAULT))
    return paper.shown(
        "mine_lease.html", problem_of(refusal).status, service=service, lease=lease, fault=fault
    )


def _asked(own: OwnView, lease_id: str) -> tuple[OwnServiceView, AskedLeaseView] | None:
    """The lease that waits for this customer, with its service."""
    waiting = ((service, lease) for service in own.services for lease in service.asked)
    return next((found for found in waiting if found[1].id == lease_id), None)
