"""Asking a customer on a page: for what a service needs, for more, anew; and the one page that shows a link or PIN."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.bodies import RequestPath, ServicePath
from api.depends import CheckedForm, PageActor, TheVault
from api.errors import problem_of
from api.pages.proving import NO_FAULTS, Faults, sentence_of, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from vault.errors import Denied, Invalid, NotFound, NotSignedIn, VaultError
from vault.model.kinds import KINDS
from vault.model.views import RequestView, ServiceTypeView, ServiceView
from vault.operations.customers import requests
from vault.operations.services import services
from vault.operations.vault import Vault
from vault.values import Actor

router = APIRouter(prefix="/services", route_class=PageRoute, include_in_schema=False)

HERE = ("given", "checked")
"""States of a secret that need no asking."""


@dataclass(frozen=True)
class Question:
    """What a form says about asking: which kinds, how the link goes, with a PIN or not."""

    kinds: tuple[str, ...]
    deliver: str
    pin: bool

    @classmethod
    def of(cls, form: FormData) -> "Question":
        """What was filled in."""
        kinds = tuple(kind[:40] for kind in form.getlist("kinds") if isinstance(kind, str))
        return cls(kinds, text(form, "deliver", 10), "pin" in form)


def usual(vault: Vault, of: ServiceTypeView, service: ServiceView | None = None) -> Question:
    """What a fresh form proposes: all that the type needs and that is not here yet, by mail where there is mail."""
    here = {one.asked_kind for one in service.secrets if one.state in HERE} if service else set()
    kinds = tuple(one.kind for one in of.needs if one.kind not in here and may_be_asked(of, one.kind))
    return Question(kinds, "mail" if vault.settings.smtp_host else "hand", pin=False)


def may_be_asked(of: ServiceTypeView, kind: str) -> bool:
    """Whether a type asks for that kind, and somebody has approved it where it is extraordinary."""
    lines = {one.kind: one for one in (*of.needs, *of.may_ask)}
    return kind in lines and (lines[kind].approved or not KINDS[kind].extraordinary)


def fault_in(vault: Vault, question: Question) -> dict[str, str]:
    """What is wrong with a question before anybody is asked it, by field."""
    faults = {}
    if not question.kinds:
        faults["kinds"] = "Tick at least one."
    if question.deliver == "mail" and not vault.settings.smtp_host:
        faults["deliver"] = "No mail server is configured: hand the link over yourself."
    return faults


def asked_page(sheet: Sheet, service: ServiceView, request: RequestView | None, **context: Any) -> Response:
    """What was asked of whom; where a link, a code or a PIN is to be handed over, this is the one time it is seen.

    It is the answer to the form itself: what it shows goes into no address, no cookie and no cache.
    """
    usual_context: dict[str, Any] = {"registered": False, "missed": [], "ticket": None, "why_not": ""}
    return sheet.shown("ask_done.html", service=service, request=request, **usual_context | context)


# -- asking -----------------------------------------------------------------------------------------------------------


async def _ask_page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    service_id: str,
    question: Question | None = None,
    faults: Faults = NO_FAULTS,
) -> Response:
    service = await vault.read(services.service, actor, service_id)
    askable = await vault.read(requests.askable, actor, service_id)
    if service.state != "open":
        return RedirectResponse(f"/services/{service_id}", 303)  # it says why there is nobody to ask
    return sheet.shown(
        "ask.html",
        faults.status,
        service=service,
        of=askable.type,
        seen=askable.standing,
        typed=question or usual(vault, askable.type, service),
        mailing=bool(vault.settings.smtp_host),
        faults=faults.said,
    )


@router.get("/{service_id}/ask", name="request.ask")
async def question(service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet) -> Response:
    """Ask what the customer is to be asked for."""
    return await _ask_page(vault, actor, sheet, service_id)


@router.post("/{service_id}/requests", name="request.ask")
async def ask(
    service_id: ServicePath, vault: TheVault, actor: PageActor, sheet: OwnSheet, form: CheckedForm
) -> Response:
    """Ask for it, and show what is to be handed over, this once."""
    typed = Question.of(form)
    wrong = fault_in(vault, typed)
    if wrong:
        return await _ask_page(vault, actor, sheet, service_id, typed, Faults(wrong, 422))
    try:
        request = await requests.ask_customer(
            vault,
            actor,
            service_id,
            list(typed.kinds),
            typed.deliver,
            pin=typed.pin,
            seen=text(form, "seen", 100),
        )
    except VaultError as refusal:
        return await _ask_page(vault, actor, sheet, service_id, typed, refused(refusal))
    return asked_page(sheet, await vault.read(services.service, actor, service_id), request)


def refused(refusal: VaultError, *fields: str) -> Faults:
    """A refusal as a form shows it that takes no proof.

    Raises it again where nobody is signed in any more, and where there is nothing to show a form for.
    """
    if isinstance(refusal, NotSignedIn | NotFound):
        raise refusal
    place = refusal.pointer.strip("/") if isinstance(refusal, Invalid) else ""
    if type(refusal) is Denied and not fields:
        place = "kinds"
    known = fields or ("kinds", "deliver")
    return Faults({place if place in known else "": sentence_of(refusal)}, problem_of(refusal).status)


# -- asking anew, and taking it back ----------------------------------------------------------------------------------


async def _reissue_page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    service_id: str,
    request_id: str,
    typed: Question | None = None,
    faults: Faults = NO_FAULTS,
) -> Response:
    service = await vault.read(services.service, actor, service_id)
    askable = await vault.read(requests.askable, actor, service_id)
    return sheet.shown(
        "reissue.html",
        faults.status,
        service=service,
        request=_request_in(service, request_id),
        seen=askable.standing,
        typed=typed or usual(vault, askable.type),
        mailing=bool(vault.settings.smtp_host),
        faults=faults.said,
    )


def _request_in(service: ServiceView, request_id: str) -> RequestView:
    for one in service.requests:
        if one.id == request_id:
            return one
    raise NotFound("there is no such thing")


@router.get("/{service_id}/requests/{request_id}", name="request.ask")
async def another_link(
    service_id: ServicePath, request_id: RequestPath, vault: TheVault, actor: PageActor, sheet: OwnSheet
) -> Response:
    """Ask how a new link goes to the customer."""
    return await _reissue_page(vault, actor, sheet, service_id, request_id)


@router.post("/{service_id}/requests/{request_id}", name="request.ask")
async def reissue(
    service_id: ServicePath,
    request_id: RequestPath,
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    form: CheckedForm,
) -> Response:
    """Send or show a new link; the one before opens nothing any more."""
    typed, seen = Question.of(form), text(form, "seen", 100)
    _request_in(await vault.read(services.service, actor, service_id), request_id)
    try:
        fresh = await requests.reissue_code(vault, actor, request_id, typed.deliver, pin=typed.pin, seen=seen)
    except VaultError as refusal:
        faults = refused(refusal, "deliver")
        return await _reissue_page(vault, actor, sheet, service_id, request_id, typed, faults)
    return asked_page(sheet, await vault.read(services.service, actor, service_id), fresh, again=True)


@router.post("/{service_id}/requests/{request_id}/cancel", name="request.ask")
async def cancel(
    service_id: ServicePath, request_id: RequestPath, vault: TheVault, actor: PageActor, _form: CheckedForm
) -> Response:
    """Take a request back; its link opens nothing any more."""
    _request_in(await vault.read(services.service, actor, service_id), request_id)
    await vault.perform(requests.cancel, actor, request_id)
    return RedirectResponse(f"/services/{service_id}?done=cancelled", 303)
