"""The core's side of the intake: a code opens a form once, for one browser; what comes back is sealed already."""

import hashlib
import secrets as randomness
from base64 import b32encode

from sqlalchemy import select

from vault.crypto.encoding import unb64
from vault.crypto.envelope import Envelope
from vault.crypto.tokens import intake_code_hash, parse_token
from vault.errors import Conflict, Ended, Invalid, NotFound, NotSignedIn, Sealed, Tampered
from vault.model.cards import holds_card_number
from vault.model.kinds import KINDS
from vault.model.messages import Begin, Done, Form, FormItem, Give, Look, Receipt
from vault.model.people import Person
from vault.model.tables import Customer, Request, Secret, Service
from vault.operations import attempts
from vault.operations.asking import service_of
from vault.operations.requests import ask_again
from vault.operations.vault import Vault
from vault.policy.access import require_open_service
from vault.policy.attempts import neighbourhood
from vault.storage.database import scrub
from vault.storage.keys import Opening
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, known_id, to_datetime

WHO_MAY_SEE = (
    "Only the technicians who work on a ticket of this service, each for a limited time and with a stated reason. "
    "Every look is recorded."
)
_NO_FORM = "this form is not open in this browser"


async def begin(vault: Vault, actor: Actor, message: Begin) -> Form:
    """Exchange an intake code for its form and bind it to this browser, once. Works while the vault is sealed.

    A code that never was and one that is over look alike from outside: NotFound, or Ended for the real code of a
    request that was answered, cancelled or is late. Raises TooMany.
    """
    await attempts.count(vault, actor, f"intake:{neighbourhood(actor.source)}")
    form: Form = await vault.perform(_begun, actor, intake_code_hash(message.code), _browser(message.browser))
    return form


def _browser(token: str) -> bytes:
    try:
        return parse_token("vk_giv", token)
    except NotSignedIn:
        raise NotFound(_NO_FORM) from None


@operation("request.begin")
def _begun(unit: Unit, _actor: Actor, code: bytes, browser: bytes) -> Form:
    request = unit.find(Request, code_hash=code)
    if request is None:
        raise NotFound("this code does not open a form; check it, or ask for a new one")
    unit.about(request=request.id, service=request.service_id)
    service = _open(unit, request)
    if request.state != "asked":
        raise Ended("this code was used already, maybe in another browser; ask for a new one")
    unit.change(request, state="started", browser_hash=browser, code_hash=None)
    return _form(unit, request, service)


def _open(reading: Reading, request: Request) -> Service:
    service = service_of(reading, request.service_id)
    require_open_service(is_open=service.state == "open", ends_at=service.ends_at, now=reading.now)
    if request.state not in {"asked", "started", "done"} or reading.now >= request.expires_at:
        raise Ended("this request is over; ask for a new code")
    return service


def _request_of(reading: Reading, browser: bytes) -> tuple[Request, Service]:
    request = reading.find(Request, browser_hash=browser)
    if request is None:
        raise NotFound(_NO_FORM)
    return request, _open(reading, request)


def _form(reading: Reading, request: Request, service: Service) -> Form:
    customer = reading.find(Customer, id=service.customer_id)
    asker = reading.find(Person, id=request.asked_by)
    if customer is None or asker is None:
        raise NotFound(_NO_FORM)
    asked = reading.find_all(Secret, request_id=request.id)
    return Form(
        state="done" if request.state == "done" else "started",
        business=reading.settings.business,
        customer_name=customer.name,
        service=service.id,
        service_title=service.title,
        deployment=reading.deployment,
        asked_by=asker.name,
        who_may_see=WHO_MAY_SEE,
        service_ends_at=to_datetime(service.ends_at),
        code_expires_at=to_datetime(request.expires_at),
        statement=service.statement,
        statement_signature=service.statement_signature,
        items=tuple(
            FormItem(
                secret=secret.id,
                version=secret.asked_version,
                kind=secret.kind,
                because=secret.because,
                required=secret.required,
                given=_is_given(secret),
                given_at=to_datetime(secret.given_at) if _is_given(secret) and secret.given_at else None,
            )
            for secret in asked
        ),
    )


def _is_given(secret: Secret) -> bool:
    return secret.version == secret.asked_version and secret.state in {"given", "checked"}


async def look(vault: Vault, actor: Actor, message: Look) -> Form:
    """The form as it stands for a browser that began it. Raises NotFound or Ended."""
    return await vault.read(_looked, actor, _browser(message.browser))


def _looked(reading: Reading, _actor: Actor, browser: bytes) -> Form:
    request, service = _request_of(reading, browser)
    return _form(reading, request, service)


async def give(vault: Vault, actor: Actor, message: Give) -> Receipt:
    """Take one secret, sealed. Works while the vault is sealed; otherwise the core checks it at once.

    The identical envelope again changes nothing and answers the same. Raises NotFound, Ended, Conflict, and Invalid
    for what is no envelope or does not pass the core's check; then nothing of it is kept. Raises TooMany for a form
    that tries without end.
    """
    try:
        envelope = Envelope.parse(unb64(message.envelope))
    except Tampered:
        raise Invalid(
            "this was not sealed by the form; load the page again and repeat it", "/envelope"
        ) from None
    browser = _browser(message.browser)
    await vault.read(_looked, actor, browser)  # whoever has no form never reaches the writer
    await attempts.count(vault, actor, f"form:{browser.hex()}")
    unchecked: bool
    receipt: Receipt
    receipt, unchecked = await vault.perform(_given, actor, browser, message, envelope)
    if unchecked and not vault.is_sealed:
        await check(vault, message.secret)
    return receipt


@operation("secret.give")
def _given(
    unit: Unit, _actor: Actor, browser: bytes, message: Give, envelope: Envelope
) -> tuple[Receipt, bool]:
    unit.about(secret=message.secret)
    request, service = _request_of(unit, browser)
    unit.about(request=request.id, service=service.id)
    secret = unit.find(Secret, id=known_id("sec", message.secret))
    if secret is None or secret.request_id != request.id:
        raise NotFound("this form does not ask for that")
    raw = envelope.encode()
    if _is_given(secret) and message.version == secret.version:
        if not randomness.compare_digest(bytes(secret.envelope), raw):
            raise Conflict("this was given already; to change it, ask for a new form")
        return _receipt(secret), secret.state == "given"
    if request.state != "started":
        raise Ended("this form is finished; ask for a new one to change something")
    if message.version != secret.asked_version:
        raise Conflict("this form is out of date; load the page again")
    unit.change(
        secret,
        version=message.version,
        state="given",
        envelope=raw,
        suite=envelope.suite.name,
        sealed_by=message.sealed_by,
        given_at=unit.now,
    )
    unit.say(version=str(secret.version), suite=secret.suite, sealed_by=secret.sealed_by)
    return _receipt(secret), True


def _receipt(secret: Secret) -> Receipt:
    reference = b32encode(hashlib.sha256(bytes(secret.envelope)).digest()[:5]).decode("ascii")
    given_at = to_datetime(secret.given_at or 0)
    return Receipt(reference=f"VK-{reference}", secret=secret.id, version=secret.version, given_at=given_at)


async def done(vault: Vault, actor: Actor, message: Done) -> Form:
    """Finish a form. Raises NotFound, Ended, and Conflict while something needed is missing."""
    browser = _browser(message.browser)
    await vault.read(_looked, actor, browser)
    form: Form = await vault.perform(_done, actor, browser)
    return form


@operation("request.done")
def _done(unit: Unit, _actor: Actor, browser: bytes) -> Form:
    request, service = _request_of(unit, browser)
    unit.about(request=request.id, service=service.id)
    if request.state == "started":
        if any(
            secret.required and not _is_given(secret)
            for secret in unit.find_all(Secret, request_id=request.id)
        ):
            raise Conflict("something that is needed was not given yet")
        unit.change(request, state="done")
    return _form(unit, request, service)


# -- the core's check ------------------------------------------------------------------------------------------------

_SECRETS = Secret.table()
_UNCHECKED = select(_SECRETS.c.id).where(_SECRETS.c.state == "given").order_by(_SECRETS.c.id)


async def check_waiting(vault: Vault) -> int:
    """Check everything that was given while the vault was sealed. Returns how many there were."""
    waiting = await vault.read_aside(
        lambda reading, _: list(reading.connection.execute(_UNCHECKED).scalars()), Actor.core()
    )
    for secret_id in waiting:
        try:
            await check(vault, secret_id)
        except (Invalid, Conflict, NotFound, Tampered):
            continue  # refused and recorded; it must not keep the others from being checked
    return len(waiting)


async def check(vault: Vault, secret_id: str) -> None:
    """Open a submission once, in memory and seen by nobody: does it open, parse, and hold no card number?

    What fails is purged and asked for again. Raises Invalid with the reason, for the customer who is still there.
    """
    wrong: Invalid | None = None
    kind, version = await vault.read(_kind_of, Actor.core(), secret_id)
    try:
        fields = await vault.open_whole(_check_begun, Actor.core(), secret_id, version)
        plain = {name: value.expose() for name, value in fields.items()}
        KINDS[kind].check(plain)
        if await vault.aside(holds_card_number, plain):
            wrong = Invalid(
                "this looks like a card number, and card numbers are never taken; leave it out", "/fields"
            )
    except Invalid as fault:
        wrong = fault
    except (Tampered, Ended):
        wrong = Invalid("what arrived does not open; please give it once more", "/envelope")
    except Sealed:
        return  # sealed in between: the check after the next unseal finds it
    await vault.perform(_check_done, Actor.core(), secret_id, version, wrong is None)
    if wrong is not None:
        await vault.aside(scrub, vault.engine)  # what was refused does not wait in the log for the next sweep
        raise wrong


def _kind_of(reading: Reading, _actor: Actor, secret_id: str) -> tuple[str, int]:
    query = select(_SECRETS.c.kind, _SECRETS.c.version).where(_SECRETS.c.id == secret_id)
    row = reading.connection.execute(query).one()
    return str(row.kind), int(row.version)


@operation("secret.check")
def _check_begun(unit: Unit, _actor: Actor, secret_id: str, version: int) -> Opening:
    unit.about(secret=secret_id)
    secret = unit.find(Secret, id=secret_id)
    if secret is None or secret.state != "given" or secret.version != version:
        raise Conflict("there is nothing to check")
    unit.about(service=secret.service_id)
    unit.say(version=str(secret.version))
    return unit.opening(secret.model_dump(), "")


@operation("secret.checked")
def _check_done(unit: Unit, _actor: Actor, secret_id: str, version: int, passed: bool) -> None:
    unit.about(secret=secret_id)
    secret = unit.find(Secret, id=secret_id)
    if secret is None or secret.state != "given" or secret.version != version:
        return  # the verdict is on what was opened, and on nothing that was given since
    unit.about(service=secret.service_id)
    unit.say(version=str(secret.version), verdict="passed" if passed else "refused")
    if passed:
        unit.change(secret, state="checked")
        return
    unit.change(
        secret, state="refused", envelope=b"", suite="", given_at=None, asked_version=secret.version + 1
    )
    request = unit.find(Request, id=secret.request_id)
    service = service_of(unit, secret.service_id)
    if request is not None and request.state == "done" and service.state == "open":
        deliver = "mail" if unit.settings.smtp_host else "hand"
        ask_again(unit, request.asked_by, service, [secret], deliver)
