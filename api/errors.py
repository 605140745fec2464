"""What the vault refuses, said over HTTP: one table of statuses, one form (RFC 9457), and never an echo."""

import logging
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from jinja2 import Environment
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from api.pages.templates import for_customers
from vault import errors
from vault.languages import LANGUAGES, Translation, marked, translation, wished

LOG = logging.getLogger("valetkey.api")

_Kind = TypeVar("_Kind", bound=Exception)

STATUS: dict[type[errors.VaultError], int] = {
    errors.VaultError: 503,
    errors.Invalid: 422,
    errors.NotSignedIn: 401,
    errors.Denied: 403,
    errors.NotAgreed: 403,
    errors.Resting: 403,
    errors.PinNeeded: 403,
    errors.StaleProof: 401,
    errors.ProofNeeded: 401,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Ended: 410,
    errors.TooMany: 429,
    errors.Unavailable: 503,
    errors.Sealed: 503,
    errors.Busy: 503,
    errors.NotRecorded: 503,
    errors.ClockInDoubt: 503,
    errors.Tampered: 503,
}
"""Every class of vault.errors; a test demands that none is missing."""

_PROVE_IT = {"WWW-Authenticate": 'Bearer error="insufficient_user_authentication"'}  # RFC 9470, 3
HEADERS: dict[type[errors.VaultError], Mapping[str, str]] = {
    errors.NotSignedIn: {"WWW-Authenticate": "Bearer"},
    errors.StaleProof: _PROVE_IT,
    errors.ProofNeeded: _PROVE_IT,
    errors.TooMany: {"Retry-After": "60"},
    errors.Busy: {"Retry-After": "1"},
}

_STAFF = "__Host-vk_session="
"""How the cookie of who is signed in as staff begins."""
LANGUAGE = "language"
"""What of a request's state names the language of the customer whose page is open."""


@dataclass(frozen=True)
class Problem:
    """One refusal, ready to be shown. `kind` ends the problem's type; `detail` and `hint` are sentences."""

    kind: str
    title: str
    status: int
    detail: str
    hint: str = ""
    pointer: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    challenge: Mapping[str, Any] | None = field(default=None, repr=False)
    """What a deed is to be proved with: for programs and scripts, and on no page."""

    def members(self) -> dict[str, str | int]:
        """The members of the problem object (RFC 9457, 3.1, with the extensions `hint` and `pointer`) for anybody."""
        shown: dict[str, str | int] = {
            "type": f"urn:valetkey:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "hint": self.hint,
        }
        return shown | ({"pointer": self.pointer} if self.pointer else {})


def problem_of(error: errors.VaultError, spoken: Translation | None = None) -> Problem:
    """The problem that a refusal of the vault is, its sentences in that language; without one as they are, English."""
    spoken = spoken or translation(LANGUAGES[0])
    kind = next(known for known in type(error).__mro__ if known in STATUS)
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()
    return Problem(
        kind=words.replace(" ", "-"),
        title=words.capitalize(),
        status=STATUS[kind],
        detail=_sentence(spoken.said(error.sentence or _first_line(kind))),
        hint=spoken.said(error.hint),
        pointer=error.pointer if isinstance(error, errors.Invalid) else "",
        headers=HEADERS.get(kind, {}),
        challenge=error.challenge if isinstance(error, errors.ProofNeeded) else None,
    )


def problem_of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem of a plain HTTP status, in our own words: those of a library might repeat what was sent."""
    phrase = HTTPStatus(status).phrase
    detail, hint = _STATUS_WORDS.get(status, (marked("The request could not be answered."), ""))
    return Problem(
        kind=phrase.lower().replace(" ", "-"),
        title=phrase.capitalize(),
        status=status,
        detail=detail,
        hint=hint,
        headers=dict(headers or {}),
    )


_STATUS_WORDS: dict[int, tuple[str, str]] = {
    400: (marked("This request is not well formed."), marked("Send it again as the API describes it.")),
    403: (
        marked("This request came from another site, so it was not carried out."),
        marked("Open the page here and repeat it."),
    ),
    404: (marked("There is no such thing here."), ""),
    405: (
        marked("This address does not answer to that method."),
        marked("The Allow header names those it answers to."),
    ),
    413: (marked("This request is larger than what belongs here."), marked("Send less at once.")),
    414: (marked("This address is longer than any of ours."), ""),
    415: (
        marked("This address does not take that kind of content."),
        marked("Send JSON in UTF-8, uncompressed."),
    ),
    421: (
        marked("This vault is not reached under that name."),
        marked("Use the address that your business gave you."),
    ),
    500: (
        marked("Something went wrong here; nothing secret was shown."),
        marked("Tell the operator of this vault the time of day."),
    ),
}


def problem_of_fault(fault: Mapping[str, Any], place: str = "") -> Problem:
    """The problem that one pydantic error is. Neither its input nor an unknown field's name is repeated."""
    where, *path = fault.get("loc") or ("body",)
    if fault["type"] in {"extra_forbidden", "json_invalid", "invalid_key"}:
        path = path[:-1]  # the last part is the sender's own text, not a name that we gave
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
    sentence = _FAULTS.get(fault["type"], "What was sent here is not what belongs here.")
    return Problem(
        kind="invalid",
        title="Invalid",
        status=422,
        detail=sentence.format_map(_Bounds(fault.get("ctx") or {})),
        hint=errors.Invalid.hint,
        pointer=place or (pointer if where == "body" else ""),
    )


_FAULTS = {
    "missing": "This field is missing.",
    "extra_forbidden": "There is a field here that is not known.",
    "json_invalid": "The body is not JSON.",
    "model_attributes_type": "The body must be a JSON object, sent as application/json.",
    "model_type": "This must be a JSON object.",
    "dict_type": "This must be a JSON object.",
    "string_type": "This must be text.",
    "string_too_short": "This has at least {min_length} characters.",
    "string_too_long": "This has at most {max_length} characters.",
    "string_pattern_mismatch": "This is not written as it has to be.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_parsing_size": "This number is too large.",
    "int_from_float": "This must be a whole number.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than_equal": "This must be at most {le}.",
    "literal_error": "This must be {expected}.",
    "list_type": "This must be a list.",
    "too_short": "This list has at least {min_length} members.",
    "too_long": "This list has at most {max_length} members.",
    "one_proof": "Give either a code or a passkey's answer.",
    "answer_too_large": "A passkey's answer is smaller than this.",
    "timezone_aware": "Give the time with its zone, like 2026-12-31T18:00:00Z.",
    "datetime_type": "Give a time with its zone, like 2026-12-31T18:00:00Z.",
    "datetime_parsing": "Give a time with its zone, like 2026-12-31T18:00:00Z.",
    "datetime_from_date_parsing": "Give a time with its zone, like 2026-12-31T18:00:00Z.",
}


class _Bounds(dict[str, Any]):
    """Bounds of a field, as its type states them; one that pydantic does not name becomes a word."""

    def __missing__(self, key: str) -> str:
        return "what this field allows"


def _sentence(text: str) -> str:
    begun = text[:1].upper() + text[1:]
    return begun if begun.endswith((".", "!", "?", "…")) else f"{begun}."


def _first_line(kind: type[errors.VaultError]) -> str:
    return (kind.__doc__ or "").splitlines()[0]


def answer(scope: Scope, problem: Problem) -> Response:
    """The problem as this asker can read it: a page for a browser on a page, else problem+json.

    A page speaks the language of the customer whose page is open, English to whoever is signed in as staff, as all
    pages of theirs do, and to anybody else as their browser wishes.
    """
    headers = dict(problem.headers)
    if _reads_html(scope):
        spoken = _spoken(scope)
        said = {"detail": spoken.said(problem.detail), "hint": spoken.said(problem.hint)}
        page = _templates(spoken.language).get_template("error.html").render(problem.members() | said)
        return HTMLResponse(page, problem.status, headers)
    members: dict[str, Any] = problem.members()
    if problem.challenge is not None:
        members["challenge"] = problem.challenge
    return JSONResponse(members, problem.status, headers, media_type="application/problem+json")


def _reads_html(scope: Scope) -> bool:
    return "text/html" in Headers(scope=scope).get("accept", "") and not scope["path"].startswith("/api/")


def _spoken(scope: Scope) -> Translation:
    headers = Headers(scope=scope)
    if known := scope.get("state", {}).get(LANGUAGE):
        return translation(known)
    if any(_STAFF in line for line in headers.getlist("cookie")):
        return translation(LANGUAGES[0])
    return translation(wished(headers.get("accept-language", "")))


@cache
def _templates(language: str) -> Environment:
    return for_customers(language)


def log_unexpected(error: BaseException) -> None:
    """Say of which class a fault is and where, but not its message: a driver's may hold what was sent."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    path = " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames)
    )
    LOG.error("unexpected %s at %s", type(error).__name__, path)


async def _on_refusal(request: Request, error: Exception) -> Response:
    if isinstance(error, errors.Tampered):
        LOG.critical("stored data does not match its record; run: valetkey doctor")
    refusal = _as(errors.VaultError, error)
    problem = problem_of(refusal, _spoken(request.scope) if _reads_html(request.scope) else None)
    return answer(request.scope, problem)


async def _on_faults(request: Request, error: Exception) -> Response:
    faults: Sequence[Mapping[str, Any]] = _as(RequestValidationError, error).errors()
    return answer(request.scope, problem_of_fault(faults[0]))


async def _on_status(request: Request, error: Exception) -> Response:
    refused = _as(HTTPException, error)
    return answer(request.scope, problem_of_status(refused.status_code, refused.headers))


async def _on_wrong_answer(request: Request, error: Exception) -> Response:
    log_unexpected(error)
    return answer(request.scope, problem_of_status(500))


async def _on_fault(request: Request, _error: Exception) -> Response:
    # Starlette raises it again after this answer; the Gate logs it then
    return answer(request.scope, problem_of_status(500))


def _as(kind: type[_Kind], error: Exception) -> _Kind:
    if not isinstance(error, kind):
        raise TypeError(f"a handler for {kind.__name__} was registered for another class")
    return error


def install(app: FastAPI) -> None:
    """Make the application answer every refusal in this one form."""
    app.add_exception_handler(errors.VaultError, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_faults)
    app.add_exception_handler(HTTPException, _on_status)
    app.add_exception_handler(ResponseValidationError, _on_wrong_answer)
    app.add_exception_handler(Exception, _on_fault)
