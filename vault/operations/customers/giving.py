"""Giving: one sealed secret comes in, and the core looks at it once, in memory and seen by nobody."""

import secrets as randomness

from sqlalchemy import bindparam, select

from vault.crypto.encoding import unb64
from vault.crypto.envelope import Envelope
from vault.errors import Conflict, Ended, Invalid, NotFound, Sealed, Tampered
from vault.ledger.entry import decode
from vault.model.cards import NO_CARDS, holds_card_number
from vault.model.doubts import doubt_of
from vault.model.kinds import KINDS, judge
from vault.model.messages import Give, Receipt
from vault.model.own_views import Why
from vault.model.tables import LedgerEntry, Request, Secret
from vault.operations import attempts
from vault.operations.asking import service_of
from vault.operations.customers.forms import (
    browser_of,
    is_given,
    receipt_of,
    request_of,
    require_bound,
    secret_of,
    terms_of,
)
from vault.operations.customers.offering import offered
from vault.operations.customers.requests import ask_again
from vault.operations.house import notices
from vault.operations.services import necessity
from vault.operations.vault import Vault
from vault.storage.database import scrub
from vault.storage.keys import Opening
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, known_id


async def give(vault: Vault, actor: Actor, message: Give) -> Receipt:
    """Take one secret, sealed. Works while the vault is sealed; otherwise the core checks it at once.

    The identical envelope again changes nothing and answers the same. Raises NotFound, Ended, Conflict (given already,
    another version than is asked for, terms that are not accepted), and Invalid for what is no envelope or does not
    pass the core's check; then nothing of it is kept. Raises TooMany for a form that tries without end.
    """
    try:
        envelope = Envelope.parse(unb64(message.envelope))
    except Tampered:
        raise Invalid(
            "this was not sealed by the form; load the page again and repeat it", "/envelope"
        ) from None
    browser = browser_of(message.browser)
    await vault.read(require_bound, actor, browser)
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
    request, service = request_of(unit, browser)
    unit.about(request=request.id, service=service.id)
    secret = secret_of(unit, request, known_id("sec", message.secret))
    raw = envelope.encode()
    if is_given(secret) and message.version == secret.version:
        if not randomness.compare_digest(bytes(secret.envelope), raw):
            raise Conflict("this was given already; to change it, ask for a new form")
        return receipt_of(secret), secret.state == "given"
    if request.state != "started":
        raise Ended("this form is finished; ask for a new one to change something")
    if message.version != secret.asked_version:
        raise Conflict("this form is out of date; load the page again")
    necessity.require_asked(unit, service, secret.asked_kind)
    terms = terms_of(unit, request)
    if terms is not None and not terms.accepted:
        raise Conflict("please read and accept our terms first")
    kind = _kind_given(secret, message.kind)
    by_our_key = bool(KINDS[kind].made)
    unit.change(
        secret,
        kind=kind,
        version=message.version,
        state="given",
        envelope=raw,
        suite=envelope.suite.name,
        sealed_by=message.sealed_by,
        given_at=unit.now,
        made=secret.offer if by_our_key else b"",
        made_line=secret.offer_line if by_our_key else "",
        offer=b"",
        offer_line="",
    )
    unit.say(kind=kind, version=str(secret.version), suite=secret.suite, sealed_by=secret.sealed_by)
    if message.sure:
        unit.say(sure="yes")
    return receipt_of(secret), True


def _kind_given(secret: Secret, named: str) -> str:
    """What is given: what was asked for, or what was offered instead of it. Raises Invalid for anything else."""
    kind = named or secret.asked_kind
    if kind not in {secret.asked_kind, KINDS[secret.asked_kind].instead}:
        raise Invalid("this form does not ask for that kind", "/kind")
    if KINDS[kind].made and not secret.offer:
        raise Conflict("this form is out of date; load the page again")
    return kind


# -- the core's check ------------------------------------------------------------------------------------------------

_SECRETS = Secret.table()
_ENTRIES = LedgerEntry.table()
_GIVINGS = (
    select(_ENTRIES.c.body)
    .where(_ENTRIES.c.service_id == bindparam("service"), LedgerEntry.is_of("secret.give"))
    .order_by(_ENTRIES.c.seq.desc())
)
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
    """Open a submission once, in memory and seen by nobody: does it open, parse, and hold nothing that is refused?

    What fails is purged and asked for again. Raises Invalid with the reason, for the customer who is still there.
    """
    wrong: Invalid | None = None
    why: Why = ""
    service_id, kind, version = await vault.read(_waiting, Actor.core(), secret_id)
    try:
        fields = await vault.open_whole(_check_begun, Actor.core(), secret_id, version)
        plain = {name: value.expose() for name, value in fields.items()}
        await vault.aside(judge, kind, plain)
        doubt = await vault.aside(doubt_of, kind, plain)
        if await vault.aside(holds_card_number, plain):
            wrong, why = Invalid(NO_CARDS, "/fields"), "card"
        elif doubt and not await vault.read_aside(_was_sure, Actor.core(), service_id, secret_id, version):
            wrong, why = Invalid(doubt, "/sure"), "misplaced"
    except Invalid as fault:
        wrong, why = fault, "unusable"
    except (Tampered, Ended):
        why = "damaged"
        wrong = Invalid("what arrived does not open; please give it once more", "/envelope")
    except Sealed:
        return  # sealed in between: the check after the next unseal finds it
    await vault.perform(_check_done, Actor.core(), secret_id, version, why)
    if wrong is not None:
        await vault.aside(scrub, vault.engine)  # what was refused does not wait in the log for the next sweep
        raise wrong


def _waiting(reading: Reading, _actor: Actor, secret_id: str) -> tuple[str, str, int]:
    query = select(_SECRETS.c.service_id, _SECRETS.c.kind, _SECRETS.c.version).where(
        _SECRETS.c.id == secret_id
    )
    row = reading.connection.execute(query).one()
    return str(row.service_id), str(row.kind), int(row.version)


def _was_sure(reading: Reading, _actor: Actor, service_id: str, secret_id: str, version: int) -> bool:
    """Whether the record of that giving says that the customer was asked about it, and that it belongs here."""
    for body in reading.connection.execute(_GIVINGS, {"service": service_id}).scalars():
        told = decode(body.encode()).ids
        if (told.get("secret"), told.get("version")) == (secret_id, str(version)):
            return told.get("sure") == "yes"
    return False


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
def _check_done(unit: Unit, _actor: Actor, secret_id: str, version: int, why: Why) -> None:
    unit.about(secret=secret_id)
    secret = unit.find(Secret, id=secret_id)
    if secret is None or secret.state != "given" or secret.version != version:
        return  # the verdict is on what was opened, and on nothing that was given since
    unit.about(service=secret.service_id)
    unit.say(version=str(secret.version), **verdict_words(why))
    if not why:
        unit.change(secret, state="checked")
        notices.on_received(unit, secret, service_of(unit, secret.service_id))
        return
    purge(unit, secret)


def verdict_words(why: Why) -> dict[str, str]:
    """What the entry of a check says: the verdict, and why it is a refusal."""
    return {"verdict": "refused", "why": why} if why else {"verdict": "passed"}


def purge(unit: Unit, secret: Secret) -> bool:
    """Keep nothing of what was given, as part of another change, and ask for it again.

    Tells whether that took a new request: while the customer's form is still open, it is that form which asks again,
    and nobody is asked for an extraordinary kind whose approval was taken back.
    """
    unit.change(
        secret,
        kind=secret.asked_kind,
        state="refused",
        envelope=b"",
        suite="",
        given_at=None,
        made=b"",
        made_line="",
    )
    service = service_of(unit, secret.service_id)
    if secret.asked_version == secret.version:  # else the customer wanted to give it anew already
        version = secret.version + 1
        unit.change(secret, asked_version=version, **offered(unit, service, secret, version))
    request = unit.find(Request, id=secret.request_id)
    if request is None or service.state != "open":
        return False
    if request.state in {"asked", "started"} and unit.now < request.expires_at:
        return False
    if not necessity.is_asked(unit, service, secret.asked_kind):
        return False
    ask_again(unit, request.asked_by, service, [secret], "mail" if unit.settings.smtp_host else "hand")
    return True
