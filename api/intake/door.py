"""The one door between the intake and the core, and how it is passed from a process of its own."""

import asyncio
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from vault import errors
from vault.errors import Invalid, Unavailable, VaultError
from vault.model.messages import ANSWERED, Form, Question, Receipt, Refused
from vault.sentences import Sentence

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of one message with its line break; more than the largest envelope in base64."""
PATIENCE = 30.0
"""Seconds to wait for the core."""


class Door(Protocol):
    """Ask the core one of the closed set of messages."""

    async def ask(self, message: Question) -> Form | Receipt:
        """Give the core's answer. Raises the core's own refusal, or Unavailable when it is not there."""


class SocketDoor:
    """The door as a Unix socket: one JSON object a line, one question a connection."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def ask(self, message: Question) -> Form | Receipt:
        """As the protocol says."""
        try:
            async with asyncio.timeout(PATIENCE):
                line = await self._exchange(message.model_dump_json().encode() + b"\n")
            answer = ANSWERED.validate_json(line)
        except (OSError, ValueError, ValidationError) as error:
            raise Unavailable(Sentence("the vault cannot be reached now")) from error
        if isinstance(answer, Refused):
            raise refusal_of(answer)
        return answer

    async def _exchange(self, line: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(self._path, limit=LONGEST_LINE)
        try:
            writer.write(line)
            await writer.drain()
            return await reader.readline()
        finally:
            writer.close()


def refusal_of(refused: Refused) -> VaultError:
    """Rebuild the core's refusal on this side. A class that is not known becomes Unavailable."""
    kind = getattr(errors, refused.error, None)
    if kind is Invalid:
        return Invalid(refused.sentence, refused.pointer)
    if isinstance(kind, type) and issubclass(kind, VaultError):
        return kind(refused.sentence)
    return Unavailable(Sentence("the vault cannot do this now"))
