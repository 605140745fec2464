"""Proof of presence on a page: which ways a person has, what a form gives, and how a refusal comes back to the form."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from api.bodies import PasskeySignIn
from api.errors import problem_of
from api.pages.sheet import Sheet
from vault.errors import (
    Denied,
    Invalid,
    NotAgreed,
    NotSignedIn,
    ProofNeeded,
    Resting,
    StaleProof,
    TooMany,
    VaultError,
)
from vault.operations.people import account
from vault.operations.presence import Presence
from vault.operations.vault import Vault
from vault.sentences import Sentence
from vault.strict_json import read_json
from vault.values import Actor

LONGEST_CODE = 20
LONGEST_ANSWER = 32 * 1024
"""Characters of a passkey's answer as JSON; what it holds is bounded where it is read."""


@dataclass(frozen=True)
class Faults:
    """What is wrong with a form that was sent: a sentence for each field, "" for all of it; and the answer's status."""

    said: dict[str, str]
    status: int


NO_FAULTS = Faults({}, 200)
"""Of a form that nobody has sent yet."""


@dataclass(frozen=True)
class Means:
    """With what somebody can prove that it is they."""

    code: bool
    passkey: bool


async def deed_page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    name: str,
    faults: Faults = NO_FAULTS,
    **context: Any,
) -> Response:
    """The page of one deed, with the means that this person has to prove it. Raises NotSignedIn."""
    kinds = {factor.kind for factor in (await vault.read(account.account, actor)).factors}
    means = Means(code="totp" in kinds, passkey="passkey" in kinds)
    return sheet.shown(name, faults.status, means=means, faults=faults.said, **context)


def text(form: FormData, name: str, longest: int = 2000) -> str:
    """One field of a form, cut off where nothing of ours goes on; empty when it is not there."""
    value = form.get(name, "")
    return value[:longest] if isinstance(value, str) else ""


def given_in(form: FormData) -> Presence:
    """What a form gives as proof: what static/presence.js put into it, else the code that was typed.

    Raises Invalid for an answer that is not one.
    """
    answered = text(form, "presence", LONGEST_ANSWER)
    if answered:
        challenge, answer = answer_in(answered)
        return Presence(challenge=challenge, answer=answer)
    return Presence(code=text(form, "code").replace(" ", "")[:LONGEST_CODE])


def answer_in(raw: str) -> tuple[str, dict[str, Any]]:
    """A challenge's id and a passkey's answer to it. Raises Invalid, NotFound."""
    try:
        told = PasskeySignIn.model_validate(read_json(raw.encode("utf-8", "replace")))
    except ValidationError:
        raise Invalid(Sentence("that is not an answer of a passkey")) from None
    return told.challenge, told.answer.plain()


def faults_of(request: Request, refusal: VaultError, *fields: str) -> Faults:
    """A refusal as the form shows it: which field it is about (none: all of it), and a sentence.

    Raises the refusal again for static/presence.js, which asks for the challenge in it, and where nobody is signed in
    any more. What the form is about may be gone too: then the page that is to show the form again says so.
    """
    if isinstance(refusal, NotSignedIn) or asks_to_prove(request):
        raise refusal
    pointer = refusal.pointer.strip("/") if isinstance(refusal, Invalid) else ""
    about_proof = isinstance(refusal, StaleProof | TooMany) or type(refusal) is Denied
    place = pointer if pointer in fields else "code" if about_proof else ""
    return Faults({place: sentence_of(refusal)}, problem_of(refusal).status)


def asks_to_prove(request: Request) -> bool:
    """Whether static/presence.js asks, and not a person."""
    return "application/problem+json" in request.headers.get("accept", "")


def sentence_of(refusal: VaultError) -> str:
    """A refusal in a sentence or two."""
    if isinstance(refusal, ProofNeeded):
        return "Prove that it is you: nothing was done yet."
    problem = problem_of(refusal)
    more = f" {problem.hint}" if isinstance(refusal, NotAgreed | Resting | TooMany) else ""
    return problem.detail + more
