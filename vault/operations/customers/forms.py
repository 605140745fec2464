"""The customer's form as it stands: which browser holds it, what it asks, what of that was given. It holds no value."""

import hashlib
from base64 import b32encode

from sqlalchemy import bindparam, select

from vault.crypto.tokens import parse_token
from vault.errors import Ended, NotFound, NotSignedIn
from vault.languages import marked
from vault.model.kinds import KINDS
from vault.model.messages import Form, FormItem, Receipt, TermsShown
from vault.model.people import Person
from vault.model.tables import Customer, Request, Secret, Service
from vault.operations.asking import service_of
from vault.operations.customers import terms
from vault.policy.access import require_open_service
from vault.storage.reading import Reading
from vault.values import Actor, to_datetime

WHO_MAY_SEE = marked(
    "Only the technicians who work on a ticket of this service, each for a limited time and with a stated reason. "
    "Every look is recorded."
)
_REQUESTS = Request.table()
_BOUND = select(_REQUESTS.c.id).where(_REQUESTS.c.browser_hash == bindparam("browser"))
_NO_FORM = "this form is not open in this browser"


def browser_of(token: str) -> bytes:
    """The hash that a browser's token is kept as. Raises NotFound for what was never such a token."""
    try:
        return parse_token("vk_giv", token)
    except NotSignedIn:
        raise NotFound(_NO_FORM) from None


def is_bound(reading: Reading, _actor: Actor, browser: bytes) -> bool:
    """Whether a browser has begun any form; nothing of it is trusted or judged yet."""
    return bool(reading.rows(_BOUND, browser=browser))


def require_bound(reading: Reading, actor: Actor, browser: bytes) -> None:
    """Keep whoever has no form from the writer. Raises NotFound."""
    if not is_bound(reading, actor, browser):
        raise NotFound(_NO_FORM)


def open_service_of(reading: Reading, request: Request) -> Service:
    """The service of a request that can still be answered or looked at. Raises NotFound or Ended."""
    service = service_of(reading, request.service_id)
    require_open_service(is_open=service.state == "open", ends_at=service.ends_at, now=reading.now)
    if request.state not in {"asked", "started", "done"} or reading.now >= request.expires_at:
        raise Ended("this request is over; ask for a new code")
    return service


def request_of(reading: Reading, browser: bytes) -> tuple[Request, Service]:
    """The request that a browser has begun, and its service. Raises NotFound or Ended."""
    request = reading.find(Request, browser_hash=browser)
    if request is None:
        raise NotFound(_NO_FORM)
    return request, open_service_of(reading, request)


def secret_of(reading: Reading, request: Request, secret_id: str) -> Secret:
    """A secret that this request asks for. Raises NotFound for any other, whoever's it is."""
    asked = reading.find_all(Secret, request_id=request.id)
    found = next((secret for secret in asked if secret.id == secret_id), None)
    if found is None:
        raise NotFound("this form does not ask for that")
    return found


def form_of(reading: Reading, request: Request, service: Service) -> Form:
    """All that the customer needs to see of it. Raises NotFound."""
    customer = reading.find(Customer, id=service.customer_id)
    asker = reading.find(Person, id=request.asked_by)
    if customer is None or asker is None:
        raise NotFound(_NO_FORM)
    return Form(
        state="done" if request.state == "done" else "started",
        business=reading.settings.business,
        customer_name=customer.name,
        language=customer.language,
        service=service.id,
        service_title=service.title,
        deployment=reading.deployment,
        asked_by=asker.name,
        who_may_see=WHO_MAY_SEE,
        service_ends_at=to_datetime(service.ends_at),
        code_expires_at=to_datetime(request.expires_at),
        statement=service.statement,
        statement_signature=service.statement_signature,
        terms=terms_of(reading, request),
        items=tuple(_item(secret) for secret in reading.find_all(Secret, request_id=request.id)),
    )


def terms_of(reading: Reading, request: Request) -> TermsShown | None:
    """The terms that are accepted on this form, and whether they were; None while there are none."""
    shown = terms.shown_for(reading)
    if shown is None:
        return None
    return TermsShown(
        version=shown.id,
        text=shown.text,
        effective_at=to_datetime(max(shown.effective_at, shown.posted_at + terms.NOTICE)),
        accepted=request.terms_version == shown.id,
    )


def _item(secret: Secret) -> FormItem:
    given = is_given(secret)
    return FormItem(
        secret=secret.id,
        version=secret.asked_version,
        kind=secret.asked_kind,
        because=secret.because,
        required=secret.required,
        given=given,
        given_at=to_datetime(secret.given_at) if given and secret.given_at else None,
        given_kind=secret.kind if given else "",
        reference=reference_of(secret) if given else "",
        refused=secret.state == "refused",
        instead=KINDS[secret.asked_kind].instead if secret.offer_line else "",
        line=secret.made_line if given else secret.offer_line,
    )


def is_given(secret: Secret) -> bool:
    """Whether the version that is asked for now was given."""
    return secret.version == secret.asked_version and secret.state in {"given", "checked"}


def receipt_of(secret: Secret) -> Receipt:
    """What the customer keeps of having given it."""
    given_at = to_datetime(secret.given_at or 0)
    return Receipt(
        reference=reference_of(secret), secret=secret.id, version=secret.version, given_at=given_at
    )


def reference_of(secret: Secret) -> str:
    """A short name of exactly this envelope, the same however often it is asked."""
    digest = hashlib.sha256(bytes(secret.envelope)).digest()
    return f"VK-{b32encode(digest[:5]).decode('ascii')}"
