"""Customers' passkeys: a way to their page that does not wait for a mail. Each is made on the page itself."""

from collections.abc import Mapping
from typing import Any

from vault.crypto.tokens import new_token, token_hash
from vault.errors import NotFound, NotSignedIn
from vault.model.tables import Customer
from vault.model.views import FactorView
from vault.operations import attempts
from vault.operations.customers.visits import Visiting, begin, customer_of
from vault.operations.people import factors
from vault.operations.vault import Vault
from vault.policy.attempts import neighbourhood
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor

_NO_PASSKEY = "that passkey does not open a page here"


def own(reading: Reading, actor: Actor) -> tuple[FactorView, ...]:
    """The passkeys of the customer who asks. Raises NotSignedIn, Sealed."""
    return factors.views_of(reading, customer_of(reading, actor))


async def ask(vault: Vault, actor: Actor) -> dict[str, Any]:
    """What this visit's browser needs to make a passkey. Raises NotSignedIn, Sealed."""
    asked: dict[str, Any] = await vault.perform(_asked, actor)
    return asked


@operation("factor.ask")
def _asked(unit: Unit, actor: Actor) -> dict[str, Any]:
    customer = customer_of(unit, actor)
    unit.about(customer=customer.id)
    return factors.ask_passkey(unit, customer, actor.session)


@operation("factor.add")
def add(unit: Unit, actor: Actor, challenge: str, answer: Mapping[str, Any], name: str) -> None:
    """Take a new passkey into use; the customer is told by mail.

    Raises NotSignedIn, NotFound, Denied, Invalid, Conflict.
    """
    customer = customer_of(unit, actor)
    unit.about(customer=customer.id)
    unit.say(kind="passkey")
    factors.add_passkey(unit, customer, actor.session, challenge, answer, name)
    unit.notify("customer.passkey", customer.id)


@operation("factor.remove")
def remove(unit: Unit, actor: Actor, factor_id: str) -> None:
    """Take a passkey out of use; the last one too, for the mailbox goes on. Raises NotSignedIn, NotFound, Sealed."""
    unit.about(factor=factor_id)
    customer = customer_of(unit, actor)
    unit.about(customer=customer.id)
    unit.say(kind=factors.remove(unit, customer, factor_id).kind)
    unit.notify("customer.passkey", customer.id)


async def start(vault: Vault, actor: Actor, challenge_id: str, answer: Mapping[str, Any]) -> Visiting:
    """Open a customer's page with a passkey alone; `sessions.ask_passkey` gave the question.

    Raises NotSignedIn, also for a passkey of the staff; TooMany; Sealed: passkeys are under the root key.
    """
    vault.keys  # noqa: B018 (raises Sealed)
    await attempts.count(vault, actor, f"asking:{neighbourhood(actor.source)}")
    fresh = new_token("vk_own")
    visit: str | None = await vault.perform(_started, actor, challenge_id, answer, token_hash(fresh))
    if visit is None:
        raise NotSignedIn(_NO_PASSKEY)
    return Visiting(fresh, visit)


@operation("visit.start")
def _started(
    unit: Unit, actor: Actor, challenge_id: str, answer: Mapping[str, Any], browser: bytes
) -> str | None:
    try:
        factor = factors.accept_sign_in(unit, challenge_id, answer)
    except NotFound:
        raise NotSignedIn(_NO_PASSKEY) from None
    customer = unit.find(Customer, id=factor.person_id) if factor else None
    if customer is None:
        unit.draft.outcome = "NotSignedIn"
        return None
    return begin(unit, actor, customer.id, browser)
