"""The PIN of a request: six digits, told by telephone, so that whoever comes by the link alone opens nothing."""

import re
import secrets
from dataclasses import dataclass, field

from vault.errors import Ended, Invalid, NotFound, PinNeeded
from vault.model.tables import Request
from vault.operations.customers.forms import open_service_of
from vault.operations.vault import Vault
from vault.sentences import Sentence
from vault.storage.unit import Unit, operation
from vault.values import Actor, Plaintext

MOST_TRIES = 5
_DIGITS = re.compile(r"[0-9]{6}", re.ASCII)
_DEAD = "the PIN was wrong too often, so this code opens nothing any more; ask for a new one"


@dataclass(frozen=True)
class Pin:
    """A fresh PIN: the digits are told once, `kept` is all that is stored of them (Argon2id)."""

    digits: str = field(repr=False)
    kept: str = field(repr=False)


async def make(vault: Vault) -> Pin:
    """Draw a PIN and hash it, outside the writer. Raises TooMany when too many hashes are waited for."""
    digits = f"{secrets.randbelow(10**6):06d}"
    return Pin(digits, await vault.hashing.hash(_stretched(digits)))


async def prove(vault: Vault, actor: Actor, code: bytes, kept: str, typed: str) -> None:
    """Let pass who knows the PIN that is stored as `kept` for the request with that code.

    A try counts before it is judged, so that neither parallel tries nor a crash give more of them; the fifth wrong one
    cancels the request. Raises Invalid for what is no PIN (which is no try), PinNeeded with the tries that are left,
    Ended after the last, NotFound, TooMany.
    """
    digits = re.sub(r"[\s-]", "", typed)
    if not _DIGITS.fullmatch(digits):
        raise Invalid("the PIN has six digits", "/pin")
    tries: int = await vault.perform(_tried, actor, code, kept)
    if await vault.hashing.verify(kept, _stretched(digits)):
        return
    if tries >= MOST_TRIES:
        await vault.perform(_spent, actor, code, kept)
        raise Ended(_DEAD)
    left = MOST_TRIES - tries
    one = Sentence("that is not the PIN; 1 try is left")
    raise PinNeeded(one if left == 1 else Sentence("that is not the PIN; %(left)s tries are left", left=left))


def _stretched(digits: str) -> Plaintext:
    """The digits as a password: those have twelve characters at least."""
    return Plaintext(f"valetkey intake PIN {digits}")


@operation("request.try")
def _tried(unit: Unit, _actor: Actor, code: bytes, kept: str) -> int:
    request = _waiting(unit, code, kept)
    if request.pin_tries >= MOST_TRIES:
        raise Ended(_DEAD)
    unit.change(request, pin_tries=request.pin_tries + 1)
    unit.say(tries=str(request.pin_tries))
    return request.pin_tries


@operation("request.lock")
def _spent(unit: Unit, _actor: Actor, code: bytes, kept: str) -> None:
    request = _waiting(unit, code, kept)
    unit.change(request, state="cancelled", code_hash=None, browser_hash=None)


def _waiting(unit: Unit, code: bytes, kept: str) -> Request:
    """The request that still waits for that code and that PIN. Raises NotFound or Ended."""
    request = unit.find(Request, code_hash=code)
    if request is None or request.pin_hash != kept:
        raise NotFound("this code does not open a form; check it, or ask for a new one")
    unit.about(request=request.id, service=request.service_id)
    open_service_of(unit, request)
    if request.state != "asked":
        raise Ended("this code was used already, maybe in another browser; ask for a new one")
    return request
