"""The core's side of the intake's door: the closed set of messages, in process or over a Unix socket."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.lines import listening
from vault.errors import Invalid, VaultError
from vault.model.messages import (
    ASKED,
    Accept,
    Again,
    Begin,
    Done,
    Form,
    Give,
    Look,
    Question,
    Receipt,
    Refused,
    Speak,
)
from vault.operations.customers import giving, intake
from vault.operations.vault import Vault
from vault.strict_json import read_json
from vault.values import Actor

LONGEST_LINE = 3 * 1024 * 1024
"""Bytes; the largest Give and the words around it."""


class Core:
    """A door to the core in the same process."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def ask(self, message: Question) -> Form | Receipt:
        """Hand one message to the core. Raises what the operation raises."""
        actor = Actor.nobody(message.source if isinstance(message, Begin) else "", "intake")
        return await _ANSWERS[type(message)](self._vault, actor, message)


_ANSWERS: Mapping[type[Question], Callable[[Vault, Actor, Any], Awaitable[Form | Receipt]]] = {
    Begin: intake.begin,
    Look: intake.look,
    Accept: intake.accept,
    Speak: intake.speak,
    Give: giving.give,
    Again: intake.again,
    Done: intake.done,
}


def refusal(error: VaultError) -> dict[str, Any]:
    """A refusal as the intake's process gets it."""
    return Refused.of(error).model_dump(mode="json")


@asynccontextmanager
async def intake_socket(core: Core, path: Path) -> AsyncIterator[None]:
    """Answer the intake's messages at `path`, for the server's user and group."""

    async def answer(line: bytes) -> dict[str, Any]:
        try:
            message = ASKED.validate_python(read_json(line))
        except ValidationError:
            raise Invalid("this message is not one of those that pass this door") from None
        return (await core.ask(message)).model_dump(mode="json")

    async with listening(path, 0o660, LONGEST_LINE, answer, refusal, uids=None):
        yield
