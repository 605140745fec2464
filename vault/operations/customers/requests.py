"""Requests: asking a customer for the access that a service needs, and nothing else."""

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import select

from vault.crypto.encoding import pack
from vault.crypto.tokens import intake_code_hash, new_intake_code
from vault.errors import Conflict, Denied, Invalid, NotFound, NotSignedIn
from vault.model.tables import Request, Secret, Service
from vault.model.views import AskableView, RequestView
from vault.operations import showing
from vault.operations.asking import request_for, service_for, service_of
from vault.operations.customers import pins
from vault.operations.customers.offering import offered
from vault.operations.leases.approvers import approver_asked
from vault.operations.services import necessity
from vault.operations.services.necessity import require_approved
from vault.operations.services.services import type_of
from vault.operations.vault import Vault
from vault.policy.access import require_kinds, require_open_service
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import DAY, Actor, new_id

DELIVERIES = ("mail", "hand")
OPEN = ("asked", "started")


async def ask_customer(
    vault: Vault,
    actor: Actor,
    service_id: str,
    kinds: list[str] | None,
    deliver: str,
    *,
    pin: bool,
    seen: str = "",
) -> RequestView:
    """As `ask`; with `pin`, the form opens only with a PIN too, which is in the answer, this once. Raises TooMany."""
    made = await pins.make(vault) if pin else None
    view: RequestView = await vault.perform(ask, actor, service_id, kinds, deliver, made, seen)
    return view


@operation("request.ask")
def ask(
    unit: Unit,
    actor: Actor,
    service_id: str,
    kinds: list[str] | None,
    deliver: str,
    pin: pins.Pin | None = None,
    seen: str = "",
) -> RequestView:
    """Ask the customer of a service for these kinds; for None, for all that its type needs.

    Delivered by `hand`, the intake code is in the answer, this once; by `mail`, it is made when the mail is sent and
    nobody here sees it. With `seen`, a former `standing`, they are asked only if nobody has asked since: a form that
    is sent twice asks once. Raises NotSignedIn, Denied, NotFound, Ended, Invalid, Conflict (no mail server, or
    asked since).
    """
    unit.about(service=service_id)
    service = service_for(unit, actor, "request.ask", service_id)
    _require_unasked(unit, service, seen)
    require_open_service(is_open=service.state == "open", ends_at=service.ends_at, now=unit.now)
    of = type_of(unit, service.type, running=True)
    because = {asked.kind: asked.because for asked in (*of.needs, *of.may_ask)}
    wanted = list(dict.fromkeys(kinds if kinds is not None else [asked.kind for asked in of.needs]))
    require_kinds(wanted, because)
    require_approved(unit, of, wanted)
    held = {secret.asked_kind: secret for secret in unit.find_all(Secret, service_id=service.id)}
    asked: list[Secret] = []
    for kind in wanted:
        secret = held.get(kind)
        if secret is None:
            secret = Secret(
                id=new_id("sec"),
                service_id=service.id,
                request_id="",
                kind=kind,
                asked_kind=kind,
                because=because[kind],
                key_id=service.key_id,
            )
        asked.append(secret)
    return _new_request(unit, actor.id, service, asked, deliver, pin)


def ask_again(
    unit: Unit, asked_by: str, service: Service, secrets: Iterable[Secret], deliver: str
) -> RequestView:
    """A new request for secrets that are there already but do not serve, as part of another change.

    It has no PIN, because nobody is at the telephone then. Raises Denied for an extraordinary
    kind that is not approved.
    """
    wanted = list(secrets)
    of = type_of(unit, service.type, running=True)
    require_approved(unit, of, [secret.asked_kind for secret in wanted])
    return _new_request(unit, asked_by, service, wanted, deliver)


def _new_request(
    unit: Unit,
    asked_by: str,
    service: Service,
    secrets: list[Secret],
    deliver: str,
    pin: pins.Pin | None = None,
) -> RequestView:
    _check_delivery(unit, deliver)
    request = Request(
        id=new_id("req"),
        service_id=service.id,
        asked_by=asked_by,
        deliver=deliver,
        pin_hash=pin.kept if pin else "",
        created_at=unit.now,
        expires_at=min(unit.now + unit.settings.request_days * DAY, service.ends_at),
    )
    unit.about(request=request.id)
    code = _code_for(request, deliver)
    unit.insert(request)
    of = type_of(unit, service.type, running=True)
    for secret in _with_unanswered(unit, service, secrets):
        version = max(secret.version + 1, secret.asked_version)
        offer = offered(unit, service, secret, version)
        approver = approver_asked(of, secret)
        if not secret.request_id:
            secret.approver = approver
            secret.request_id = request.id
            secret.offer, secret.offer_line = offer["offer"], offer["offer_line"]
            unit.insert(secret)
        else:
            unit.change(secret, request_id=request.id, asked_version=version, approver=approver, **offer)
    if deliver == "mail":
        unit.notify("request.asked", request.id, service.customer_id)
    return showing.request(
        request,
        [secret.asked_kind for secret in secrets],
        code,
        _link(unit, code),
        pin.digits if pin else None,
    )


def _with_unanswered(unit: Unit, service: Service, secrets: list[Secret]) -> list[Secret]:
    """These secrets, and whatever is still unanswered of the open requests that they came by, which end here.

    An extraordinary kind that is not approved now is left behind.
    """
    found = {secret.id: secret for secret in secrets}
    for request_id in {secret.request_id for secret in secrets if secret.request_id}:
        former = unit.find(Request, id=request_id)
        if former is None or former.state not in OPEN:
            continue
        unit.change(former, state="cancelled", code_hash=None, browser_hash=None)
        for other in _unanswered(unit, former):
            if necessity.is_asked(unit, service, other.asked_kind):
                found.setdefault(other.id, other)
    return list(found.values())


def _unanswered(reading: Reading, request: Request) -> list[Secret]:
    asked = reading.find_all(Secret, request_id=request.id)
    return [secret for secret in asked if secret.version < secret.asked_version]


def askable(reading: Reading, actor: Actor, service_id: str) -> AskableView:
    """What the customer of a service can be asked for. Raises NotSignedIn, Denied or NotFound."""
    service = service_for(reading, actor, "request.ask", service_id)
    of = necessity.shown(reading, type_of(reading, service.type, running=True))
    return AskableView(type=of, standing=_standing(reading, service.id))


def _standing(reading: Reading, service_id: str) -> str:
    """SHA-256 of all that the customer was asked so far: each asking makes it another one, sending a mail does not."""
    parts: list[str | int | bytes] = []
    for row in reading.find_all(Request, service_id=service_id):
        shown_code = row.code_hash if row.deliver == "hand" else None
        parts += (row.id, row.deliver, row.expires_at, row.pin_hash, shown_code or b"")
    return sha256(pack(*parts)).hexdigest()


def _require_unasked(reading: Reading, service: Service, seen: str) -> None:
    if seen and seen != _standing(reading, service.id):
        raise Conflict(
            "the customer was asked or answered meanwhile, maybe by this very form sent twice; nothing was done now"
        )


def _check_delivery(unit: Unit, deliver: str) -> None:
    if deliver not in DELIVERIES:
        raise Invalid("a request is delivered by mail or by hand", "/deliver")
    if deliver == "mail" and not unit.settings.smtp_host:
        raise Conflict(
            "no mail server is configured; ask with delivery by hand and pass the link on yourself"
        )


def _code_for(request: Request, deliver: str) -> str | None:
    if deliver == "mail":
        return None
    code = new_intake_code()
    request.code_hash = intake_code_hash(code)
    return code


def _link(unit: Unit, code: str | None) -> str | None:
    return None if code is None else f"{unit.settings.origin}/give#{code}"


@operation("request.cancel", in_any_time=True)
def cancel(unit: Unit, actor: Actor, request_id: str) -> None:
    """Withdraw a request: its intake code and its form are dead. Raises NotSignedIn, Denied, NotFound, Conflict."""
    unit.about(request=request_id)
    request, service = request_for(unit, actor, "request.ask", request_id)
    unit.about(service=service.id)
    if request.state not in OPEN:
        raise Conflict("this request is not open any more")
    unit.change(request, state="cancelled", code_hash=None, browser_hash=None)


async def reissue_code(
    vault: Vault, actor: Actor, request_id: str, deliver: str, *, pin: bool, seen: str = ""
) -> RequestView:
    """As `reissue`; with a fresh PIN where one is wanted, and always for a request that had one. Raises TooMany."""
    try:
        has_pin = await vault.read(_has_pin, actor, request_id)
    except (NotSignedIn, Denied, NotFound):
        has_pin = False  # refused in the change, where it is recorded
    made = await pins.make(vault) if pin or has_pin else None
    view: RequestView = await vault.perform(reissue, actor, request_id, deliver, made, seen)
    return view


def _has_pin(reading: Reading, actor: Actor, request_id: str) -> bool:
    request, _ = request_for(reading, actor, "request.ask", request_id)
    return bool(request.pin_hash)


@operation("request.reissue")
def reissue(
    unit: Unit, actor: Actor, request_id: str, deliver: str, pin: pins.Pin | None = None, seen: str = ""
) -> RequestView:
    """A new intake code for a request that is not answered in full; the old code and the old form are dead.

    `seen` is as in `ask`. Raises NotSignedIn, Denied (an extraordinary kind that is unanswered and not approved now),
    NotFound, Ended, Invalid, and Conflict, also where a PIN would go without another.
    """
    unit.about(request=request_id)
    request, service = request_for(unit, actor, "request.ask", request_id)
    unit.about(service=service.id)
    require_open_service(is_open=service.state == "open", ends_at=service.ends_at, now=unit.now)
    _require_unasked(unit, service, seen)
    if request.state in {"done", "cancelled"}:
        raise Conflict("this request is done or was cancelled; ask again instead")
    if request.pin_hash and pin is None:
        raise Conflict("this request has a PIN, so its new code needs a new PIN")
    of = type_of(unit, service.type, running=True)
    require_approved(unit, of, [secret.asked_kind for secret in _unanswered(unit, request)])
    _check_delivery(unit, deliver)
    code = _code_for(request, deliver)
    unit.change(
        request,
        state="asked",
        deliver=deliver,
        code_hash=request.code_hash if code else None,
        browser_hash=None,
        pin_hash=pin.kept if pin else "",
        pin_tries=0,
        expires_at=min(unit.now + unit.settings.request_days * DAY, service.ends_at),
    )
    if deliver == "mail":
        unit.notify("request.asked", request.id, service.customer_id)
    return showing.request(
        request, showing.kinds_of(unit, request.id), code, _link(unit, code), pin.digits if pin else None
    )


@operation("request.mint")
def mint(unit: Unit, actor: Actor, request_id: str) -> str:
    """A fresh intake code for the mail that is being sent now; a code minted for an earlier try is dead.

    For the core's outbox alone. Raises Denied, NotFound, or Conflict for a request that is not waiting for it.
    """
    unit.about(request=request_id)
    if actor.kind != "core":
        raise Denied("only the outbox makes intake codes for mails")
    request = unit.find(Request, id=request_id)
    if request is None:
        raise NotFound("there is no such thing")
    unit.about(service=service_of(unit, request.service_id).id)
    if request.state != "asked" or request.deliver != "mail" or unit.now >= request.expires_at:
        raise Conflict("this request is not waiting for a mail")
    code = new_intake_code()
    unit.change(request, code_hash=intake_code_hash(code))
    return code


def end_requests(unit: Unit, service_id: str) -> None:
    """Cancel every open request of a service, as part of another change."""
    table = Request.table()
    open_ones = select(table.c.id).where(table.c.service_id == service_id, table.c.state.in_(OPEN))
    for request_id in unit.connection.execute(open_ones).scalars().all():
        request = unit.find(Request, id=request_id)
        if request is not None:
            unit.change(request, state="cancelled", code_hash=None, browser_hash=None)
