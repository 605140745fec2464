"""One lease: what its holder opens under it, one thing at a time, how it is made longer, and how it is handed back."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.bodies import LeasePath
from api.depends import CheckedForm, PageActor, TheVault
from api.errors import problem_of
from api.pages import downloads
from api.pages.proving import NO_FAULTS, Faults, asks_to_prove, deed_page, faults_of, given_in, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import Denied, Invalid, NotFound, ProofNeeded, StaleProof, TooMany, VaultError
from vault.model.kinds import KINDS
from vault.model.views import LeaseView
from vault.operations.leases import checkout, extending
from vault.operations.vault import Vault
from vault.values import SECOND, Actor, to_datetime

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MINUTES = (15, 30, 60, 120, 240, 480, 720)
SHOWN_SECONDS = 30
"""How long a revealed value stays on the screen."""


def durations(longest: int) -> tuple[int, ...]:
    """The minutes to choose from: round ones as long as it may last, and the longest."""
    return (*(count for count in MINUTES if count < longest), longest)


def minutes_in(raw: str) -> int:
    """A number of minutes as a form gives it; 0, which is refused where it is judged, for what is none."""
    return int(raw) if raw.isascii() and raw.isdigit() else 0


async def lease_page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    held: LeaseView,
    faults: Faults = NO_FAULTS,
    **context: Any,
) -> Response:
    """The page of a lease as it stands: covered, or for whose yes it waits."""
    context |= {"lease": held, "now": to_datetime(vault.now()), "seconds": SHOWN_SECONDS}
    if held.state == "asked":
        return await deed_page(vault, actor, sheet, "lease_asked.html", faults, **context)
    more = durations(held.extendable_minutes) if held.extendable_minutes else ()
    return await deed_page(vault, actor, sheet, "lease.html", faults, more=more, **context)


@router.get("/leases/{lease_id}", name="lease.list")
async def lease(
    lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, asked: str = ""
) -> Response:
    """Show a lease, every field covered; or for whose yes it waits."""
    held = await vault.read(checkout.lease_view, actor, lease_id)
    return await lease_page(vault, actor, sheet, held, asked=asked == "again")


@router.post("/leases/{lease_id}/reveal", name="secret.reveal")
async def reveal(
    lease_id: LeasePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Show one field on a page of its own: for a browser without JavaScript, and what takes a proof for each look.

    It is recorded before it is shown. A file is saved instead, where the form says so, and that is recorded as a use.
    """
    secret, field = text(form, "secret"), text(form, "field")
    held = await vault.read(checkout.lease_view, actor, lease_id)
    file = downloads.is_file(held, secret, field)
    saves = file and "save" in form
    try:
        opened = await checkout.open_field(
            vault, actor, lease_id, secret, field, given_in(form), way="use" if saves else "reveal"
        )
    except (StaleProof, TooMany, Denied) as refusal:
        return await _look(vault, actor, sheet, held, request, form, refusal)
    except NotFound as refusal:
        said = problem_of(refusal)
        return await lease_page(vault, actor, sheet, held, Faults({}, said.status), refused=said.detail)
    if saves:
        return downloads.download(secret, opened.expose())
    value = downloads.revealed(secret, field, opened.expose(), file=file)
    return await lease_page(vault, actor, sheet, held, revealed=value | {"seconds": SHOWN_SECONDS})


async def _look(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    held: LeaseView,
    request: Request,
    form: CheckedForm,
    refusal: VaultError,
) -> Response:
    """Ask for the proof that this one opening takes. Raises the refusal again where it takes none."""
    secret, field = text(form, "secret"), text(form, "field")
    kind = next((KINDS[one.kind] for one in held.secrets if one.id == secret), None)
    if kind is None or not kind.extraordinary:
        raise refusal
    first = isinstance(refusal, ProofNeeded) and "asked" not in form
    faults = NO_FAULTS if first and not asks_to_prove(request) else faults_of(request, refusal)
    of = {"lease": held, "secret": secret, "field": kind.field(field)}
    return await deed_page(vault, actor, sheet, "look.html", faults, **of)


@router.post("/leases/{lease_id}/code", name="secret.code")
async def code(
    lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Show a one-time code on a page of its own, until it is over."""
    secret = text(form, "secret")
    held = await vault.read(checkout.lease_view, actor, lease_id)
    issued = await checkout.issue_code(vault, actor, lease_id, secret)
    digits = issued.code.expose()
    half = (len(digits) + 1) // 2
    left = (issued.until - vault.now()) // SECOND
    value = {
        "secret": secret,
        "field": "",
        "value": f"{digits[:half]} {digits[half:]}",
        "told": "",
        "seconds": max(1, min(left, issued.period)),
    }
    return await lease_page(vault, actor, sheet, held, revealed=value)


@router.post("/leases/{lease_id}/extend", name="lease.extend")
async def extend(
    lease_id: LeasePath,
    request: Request,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Make it longer. What was chosen comes back with a refusal."""
    minutes = text(form, "minutes", 10)
    try:
        await extending.extend(vault, actor, lease_id, minutes_in(minutes), given_in(form))
    except VaultError as refusal:
        faults = faults_of(request, refusal, "minutes")
        held = await vault.read(checkout.lease_view, actor, lease_id)
        return await lease_page(vault, actor, sheet, held, faults, typed=minutes)
    return RedirectResponse(f"/leases/{lease_id}", 303)


@router.post("/leases/{lease_id}/checkin", name="lease.check-in")
async def check_in(lease_id: LeasePath, vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """Hand access back."""
    await vault.perform(checkout.check_in, actor, lease_id)
    return RedirectResponse("/", 303)


@router.post("/leases/{lease_id}/broken", name="secret.report")
async def broken(
    lease_id: LeasePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Say that a login does not work; the customer is asked for it again."""
    note, secret = text(form, "note"), text(form, "secret")
    try:
        await checkout.report_broken(vault, actor, lease_id, secret, note)
    except Invalid as refusal:
        held = await vault.read(checkout.lease_view, actor, lease_id)
        said = problem_of(refusal)
        wrong = {"secret": secret, "note": note, "error": said.detail}
        return await lease_page(vault, actor, sheet, held, Faults({}, said.status), broken=wrong)
    return RedirectResponse(f"/leases/{lease_id}?asked=again", 303)
