"""The operator's socket: what only somebody on the vault's own host may do, and without a staff account."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from api.errors import problem_of_fault
from api.lines import listening
from vault.crypto.encoding import unb64
from vault.errors import Invalid, VaultError
from vault.model.helpdesk_views import HelpdeskView
from vault.model.terms import AllTermsView, TermsView
from vault.model.views import PersonView
from vault.operations.customers import terms
from vault.operations.helpdesk import helpdesks
from vault.operations.house import operator, scanning
from vault.operations.people import hosting, staff
from vault.operations.services import catalogue
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.strict_json import read_json
from vault.values import Actor

LONGEST_LINE = 512 * 1024
"""Bytes; a catalogue of many service types."""


class Order(BaseModel):
    """Strict and frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)


class Plain(Order):
    """An order that needs nothing more said."""

    do: Literal[
        "status",
        "seal",
        "keyring mirror",
        "doctor",
        "clock confirm",
        "staff list",
        "terms show",
        "helpdesk list",
    ]


class Scan(Order):
    """The next kept secrets to be looked through for card numbers; without `after`, from the first."""

    do: Literal["scan"]
    after: str = Field(default="", max_length=40)


class Unseal(Order):
    """The root key, opened by the operator's own process: Argon2's gigabyte is never the server's."""

    do: Literal["unseal"]
    root_key: str = Field(max_length=64, repr=False)
    """32 bytes in URL-safe base64 without padding."""


class AddStaff(Order):
    """A person to be invited. Without `deliver` the invitation goes by mail where there is a mail server."""

    do: Literal["staff add"]
    name: str
    mail: str
    roles: list[str]
    deliver: Literal["mail", "hand"] | None = None


class RolesOfStaff(Order):
    """The roles that the person with this address is to have, all of them."""

    do: Literal["staff roles"]
    mail: str
    roles: list[str]


class ResetStaff(Order):
    """The person with this address enrols anew; the invitation goes out as that of `AddStaff`."""

    do: Literal["staff reset"]
    mail: str
    deliver: Literal["mail", "hand"] | None = None


class MailOfStaff(Order):
    """The person with this address is to have the new one."""

    do: Literal["staff mail"]
    mail: str
    new: str


class DisableStaff(Order):
    """The person with this address leaves, at once."""

    do: Literal["staff disable"]
    mail: str


class ApplyCatalogue(Order):
    """The catalogue as TOML text."""

    do: Literal["catalogue apply"]
    toml: str
    dry_run: bool = False
    """Say what would change, and change nothing."""


class PublishTerms(Order):
    """The next version of the terms as text; `after` is the version it was compared with, 0 for none.

    Without `after` nothing is posted: the answer says what would be.
    """

    do: Literal["terms publish"]
    text: str
    after: int | None = None


class AddHelpdesk(Order):
    """A helpdesk that may tell of tickets from now on."""

    do: Literal["helpdesk add"]
    name: str
    kind: str


class RenewHelpdesk(Order):
    """A new signing secret for a helpdesk; the one before counts for a day more, or no more from now on."""

    do: Literal["helpdesk secret"]
    id: str
    at_once: bool = False


class EndHelpdesk(Order):
    """A helpdesk that is believed nothing any more."""

    do: Literal["helpdesk end"]
    id: str


HelpdeskOrder = AddHelpdesk | RenewHelpdesk | EndHelpdesk
StaffOrder = AddStaff | RolesOfStaff | ResetStaff | MailOfStaff | DisableStaff
AnyOrder = Plain | Scan | Unseal | ApplyCatalogue | PublishTerms | HelpdeskOrder | StaffOrder
ORDER: TypeAdapter[AnyOrder] = TypeAdapter(Annotated[AnyOrder, Field(discriminator="do")])


async def _status(vault: Vault) -> dict[str, Any]:
    return operator.status(vault)


async def _staff_list(vault: Vault) -> list[PersonView]:
    return await vault.read(_everybody, Actor.host())


def _everybody(reading: Reading, _host: Actor) -> list[PersonView]:
    return staff.everybody(reading)


async def _terms(vault: Vault) -> AllTermsView:
    return await vault.read_aside(terms.everything, Actor.host())


async def _helpdesks(vault: Vault) -> list[HelpdeskView]:
    return await vault.read(helpdesks.all_helpdesks, Actor.host())


_PLAIN: dict[str, Callable[[Vault], Awaitable[Any]]] = {
    "status": _status,
    "seal": operator.seal,
    "keyring mirror": operator.mirror,
    "doctor": operator.doctor,
    "clock confirm": operator.confirm_clock,
    "staff list": _staff_list,
    "terms show": _terms,
    "helpdesk list": _helpdesks,
}


async def carry_out(vault: Vault, order: AnyOrder) -> Any:
    """Carry out one order as the host. Raises what the operation raises."""
    match order:
        case Plain():
            return await _PLAIN[order.do](vault)
        case Scan():
            return await scanning.scan(vault, order.after)
        case Unseal():
            return await operator.unseal(vault, unb64(order.root_key))
        case ApplyCatalogue():
            return await catalogue.apply(vault, Actor.host(), order.toml, dry_run=order.dry_run)
        case PublishTerms():
            return await _publish_terms(vault, Actor.host(), order)
        case _:
            return await _change(vault, Actor.host(), order)


async def _change(vault: Vault, host: Actor, order: HelpdeskOrder | StaffOrder) -> Any:
    if isinstance(order, HelpdeskOrder):
        return await _change_helpdesk(vault, host, order)
    return await _change_staff(vault, host, order)


async def _change_helpdesk(vault: Vault, host: Actor, order: HelpdeskOrder) -> HelpdeskView | None:
    match order:
        case AddHelpdesk():
            return await helpdesks.add(vault, host, order.name, order.kind)
        case RenewHelpdesk():
            return await vault.perform(helpdesks.renew, host, order.id, order.at_once)
        case EndHelpdesk():
            await vault.perform(helpdesks.end, host, order.id)
    return None


async def _publish_terms(vault: Vault, host: Actor, order: PublishTerms) -> TermsView:
    if order.after is None:
        return await terms.draft(vault, host, order.text)
    return await terms.publish(vault, host, order.text, order.after)


async def _change_staff(vault: Vault, host: Actor, order: StaffOrder) -> Any:
    match order:
        case AddStaff():
            return await staff.add(vault, host, order.name, order.mail, order.roles, order.deliver or "")
        case RolesOfStaff():
            return await hosting.put_roles(vault, host, order.mail, order.roles)
        case ResetStaff():
            return await hosting.reset(vault, host, order.mail, order.deliver or "")
        case MailOfStaff():
            return await hosting.move(vault, host, order.mail, order.new)
        case DisableStaff():
            person = await vault.read(hosting.person_with, host, order.mail)
            return await vault.perform(staff.disable, host, person.id)


def refusal(error: VaultError) -> dict[str, str]:
    """A refusal as the socket says it; `error` names a class of vault.errors."""
    pointer = error.pointer if isinstance(error, Invalid) else ""
    return {"error": type(error).__name__, "message": str(error), "hint": error.hint, "pointer": pointer}


@asynccontextmanager
async def operator_socket(vault: Vault) -> AsyncIterator[None]:
    """Take orders at settings.operator_socket, from root and from the server's own user only."""

    async def answer(line: bytes) -> dict[str, Any]:
        try:
            order = ORDER.validate_python(read_json(line))
        except ValidationError as faults:
            problem = problem_of_fault(faults.errors(include_input=False, include_url=False)[0])
            raise Invalid(problem.detail) from None
        return {"ok": to_jsonable_python(await carry_out(vault, order))}

    users = frozenset({0, os.getuid()})
    async with listening(vault.settings.operator_socket, 0o600, LONGEST_LINE, answer, refusal, users):
        yield
