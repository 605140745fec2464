"""The core's side of the intake: a code opens a form once, for one browser, until its customer is done with it."""

from sqlalchemy import bindparam, select

from vault.crypto.tokens import intake_code_hash
from vault.errors import Conflict, Ended, Invalid, NotFound, PinNeeded
from vault.languages import LANGUAGES, NO_SUCH_LANGUAGE
from vault.model.messages import Accept, Again, Begin, Done, Form, Look, Speak
from vault.model.tables import Customer, Request, Secret
from vault.operations import attempts
from vault.operations.customers import pins
from vault.operations.customers.forms import (
    browser_of,
    form_of,
    is_bound,
    is_given,
    open_service_of,
    request_of,
    require_bound,
    secret_of,
    terms_of,
)
from vault.operations.customers.offering import offered
from vault.operations.services import necessity
from vault.operations.vault import Vault
from vault.policy.attempts import neighbourhood
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, known_id

_REQUESTS = Request.table()
_ASKED = select(_REQUESTS.c.pin_hash).where(
    _REQUESTS.c.code_hash == bindparam("code"), _REQUESTS.c.state == "asked"
)
_FINISHED = "this form is finished; ask for a new one to change something"


async def begin(vault: Vault, actor: Actor, message: Begin) -> Form:
    """Exchange an intake code for its form and bind it to this browser, once. Works while the vault is sealed.

    The same browser that comes back with the same code gets the same form again. Raises NotFound for a code that never
    was or whose request was cancelled, Ended for one that another browser has used or that is late, Conflict where
    this browser's token is bound to another form, PinNeeded and Invalid for a PIN that is missing, wrong or none, and
    TooMany.
    """
    await attempts.count(vault, actor, f"intake:{neighbourhood(actor.source)}")
    code, browser = intake_code_hash(message.code), browser_of(message.browser)
    kept = await vault.read(_pin_of, actor, code, browser)
    if kept and message.pin:
        await pins.prove(vault, actor, code, kept, message.pin)
    form: Form = await vault.perform(_begun, actor, code, browser, kept if message.pin else "")
    return form


def _pin_of(reading: Reading, actor: Actor, code: bytes, browser: bytes) -> str:
    """What is kept of the PIN that has to be proved now; empty where there is none, or nothing to be opened by it.

    Nothing of it is trusted: each try and the binding are judged by the row as it is in their own transaction.
    """
    if is_bound(reading, actor, browser):
        return ""
    found = reading.rows(_ASKED, code=code)
    return str(found[0]["pin_hash"]) if found else ""


@operation("request.begin")
def _begun(unit: Unit, _actor: Actor, code: bytes, browser: bytes, proved: str) -> Form:
    request = unit.find(Request, code_hash=code)
    if request is None:
        raise NotFound("this code does not open a form; check it, or ask for a new one")
    unit.about(request=request.id, service=request.service_id)
    service = open_service_of(unit, request)
    if request.state != "asked":
        if request.browser_hash != browser:
            raise Ended("this code was used already, maybe in another browser; ask for a new one")
        return form_of(unit, request, service)
    if unit.find(Request, browser_hash=browser) is not None:
        raise Conflict("another form is open in this browser")
    if request.pin_hash != proved:
        raise PinNeeded("this form opens with the PIN that you were told by telephone")
    unit.change(request, state="started", browser_hash=browser)
    return form_of(unit, request, service)


async def look(vault: Vault, actor: Actor, message: Look) -> Form:
    """The form as it stands for a browser that began it. Raises NotFound or Ended."""
    return await vault.read(_looked, actor, browser_of(message.browser))


def _looked(reading: Reading, _actor: Actor, browser: bytes) -> Form:
    request, service = request_of(reading, browser)
    return form_of(reading, request, service)


async def accept(vault: Vault, actor: Actor, message: Accept) -> Form:
    """Accept the terms that this form shows. Works while the vault is sealed.

    Raises NotFound, Ended for a finished form, and Conflict for another version than the one that is shown now.
    """
    browser = browser_of(message.browser)
    await vault.read(require_bound, actor, browser)
    await attempts.count(vault, actor, f"form:{browser.hex()}")
    form: Form = await vault.perform(_accepted, actor, browser, message.version)
    return form


@operation("terms.accept")
def _accepted(unit: Unit, _actor: Actor, browser: bytes, version: int) -> Form:
    request, service = request_of(unit, browser)
    unit.about(request=request.id, service=service.id, customer=service.customer_id)
    unit.say(version=str(version))
    shown = terms_of(unit, request)
    if shown is None or shown.version != version:
        raise Conflict("our terms have changed meanwhile; please read them again")
    if request.state != "started":
        raise Ended(_FINISHED)
    if not shown.accepted:
        unit.change(request, terms_version=version)
    return form_of(unit, request, service)


async def speak(vault: Vault, actor: Actor, message: Speak) -> Form:
    """Keep the language that the customer chose on the form, for this form and all that is written to them.

    Who holds the form speaks for the customer in far more than that; on their own page they can choose again. What
    is theirs already changes nothing. Raises NotFound, Ended, also for a finished form, Invalid, TooMany, and Sealed,
    for nobody could vouch for the change then.
    """
    browser = browser_of(message.browser)
    if message.language not in LANGUAGES:
        raise Invalid(NO_SUCH_LANGUAGE, "/language")
    before = await vault.read(_looked, actor, browser)
    if before.state != "started":
        raise Ended(_FINISHED)
    if before.language == message.language:
        return before
    await attempts.count(vault, actor, f"speak:{browser.hex()}")
    vault.keys  # noqa: B018 (raises Sealed, before anything is tried)
    form: Form = await vault.perform(_spoken_to, actor, browser, message.language)
    return form


@operation("customer.correct")
def _spoken_to(unit: Unit, _actor: Actor, browser: bytes, language: str) -> Form:
    request, service = request_of(unit, browser)
    unit.about(request=request.id, service=service.id, customer=service.customer_id)
    if request.state != "started":
        raise Ended(_FINISHED)
    customer = unit.find(Customer, id=service.customer_id)
    if customer is not None and customer.language != language:
        unit.change(customer, language=language)
    return form_of(unit, request, service)


async def again(vault: Vault, actor: Actor, message: Again) -> Form:
    """Ask for a secret once more on the same form; what was given stands until it is replaced.

    Of one that was not given yet nothing changes. Works while the vault is sealed. Raises NotFound, TooMany, and Ended
    once the customer has said that they are done.
    """
    browser = browser_of(message.browser)
    await vault.read(require_bound, actor, browser)
    await attempts.count(vault, actor, f"form:{browser.hex()}")
    form: Form = await vault.perform(_again, actor, browser, message.secret)
    return form


@operation("secret.again")
def _again(unit: Unit, _actor: Actor, browser: bytes, secret_id: str) -> Form:
    unit.about(secret=secret_id)
    request, service = request_of(unit, browser)
    unit.about(request=request.id, service=service.id)
    secret = secret_of(unit, request, known_id("sec", secret_id))
    if request.state != "started":
        raise Ended(_FINISHED)
    necessity.require_asked(unit, service, secret.asked_kind)
    if is_given(secret):
        version = secret.version + 1
        unit.change(secret, asked_version=version, **offered(unit, service, secret, version))
    return form_of(unit, request, service)


async def done(vault: Vault, actor: Actor, message: Done) -> Form:
    """Finish a form. Raises NotFound, Ended, and Conflict while something needed is missing."""
    browser = browser_of(message.browser)
    await vault.read(require_bound, actor, browser)
    form: Form = await vault.perform(_done, actor, browser)
    return form


@operation("request.done")
def _done(unit: Unit, _actor: Actor, browser: bytes) -> Form:
    request, service = request_of(unit, browser)
    unit.about(request=request.id, service=service.id)
    if request.state == "started":
        asked = unit.find_all(Secret, request_id=request.id)
        if any(secret.required and not is_given(secret) for secret in asked):
            raise Conflict("something that is needed was not given yet")
        unit.change(request, state="done")
    return form_of(unit, request, service)
