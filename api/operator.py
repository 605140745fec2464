"""The operator's socket: what only somebody on the vault's own host may do, and without a staff account."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from api.errors import problem_of_fault
from api.limits import read_json
from api.lines import listening
from vault.crypto.encoding import unb64
from vault.errors import Invalid, VaultError
from vault.operations import catalogue, operator, staff
from vault.operations.vault import Vault
from vault.values import Actor

LONGEST_LINE = 512 * 1024
"""Bytes; a catalogue of many service types."""


class Order(BaseModel):
    """Strict and frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)


class Plain(Order):
    """An order that needs nothing more said."""

    do: Literal["status", "seal", "keyring mirror", "doctor", "clock confirm"]


class Unseal(Order):
    """The root key, opened by the operator's own process: Argon2's gigabyte is never the server's."""

    do: Literal["unseal"]
    root_key: str = Field(max_length=64, repr=False)
    """32 bytes in URL-safe base64 without padding."""


class AddStaff(Order):
    """A person to be added, with a first password that the operator has read from their terminal."""

    do: Literal["staff add"]
    name: str
    mail: str
    role: str
    password: str = Field(repr=False)


class ApplyCatalogue(Order):
    """The catalogue as TOML text."""

    do: Literal["catalogue apply"]
    toml: str


ORDER: TypeAdapter[Plain | Unseal | AddStaff | ApplyCatalogue] = TypeAdapter(
    Annotated[Plain | Unseal | AddStaff | ApplyCatalogue, Field(discriminator="do")]
)


async def _status(vault: Vault) -> dict[str, Any]:
    return operator.status(vault)


_PLAIN: dict[str, Callable[[Vault], Awaitable[Any]]] = {
    "status": _status,
    "seal": operator.seal,
    "keyring mirror": operator.mirror,
    "doctor": operator.doctor,
    "clock confirm": operator.confirm_clock,
}


async def carry_out(vault: Vault, order: Plain | Unseal | AddStaff | ApplyCatalogue) -> Any:
    """Carry out one order as the host. Raises what the operation raises."""
    match order:
        case Plain():
            return await _PLAIN[order.do](vault)
        case Unseal():
            return await operator.unseal(vault, unb64(order.root_key))
        case AddStaff():
            return await staff.add(vault, Actor.host(), order.name, order.mail, order.role, order.password)
        case ApplyCatalogue():
            return await catalogue.apply(vault, Actor.host(), order.toml)


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
