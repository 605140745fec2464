"""What a request may weigh: bounded before parsing, and nothing but plain JSON or a form."""

import asyncio
import re
from dataclasses import replace

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, answer, problem_of, problem_of_status
from vault.errors import Busy, Invalid
from vault.sentences import Sentence
from vault.strict_json import MOST_FIELDS, read_json

SMALL_BODY = 64 * 1024
"""Bytes; enough for every request but the giving of a secret."""
SECRET_BODY = 3 * 1024 * 1024
"""Bytes; the largest file or login, padded, sealed and in base64, or percent-encoded by a page without script."""
MOST_HELD = 64 * 1024 * 1024
"""Bytes that the large bodies of all requests hold together: anybody can begin one, also without a code."""
LONGEST_UPLOAD = 60.0
"""Seconds that a large body may take to arrive."""
LONGEST_TARGET = 8 * 1024
"""Bytes of path and query."""

LARGE_PATHS = frozenset({"/give/secret", "/give/plain"})
EVENT_BODY = 256 * 1024
"""Bytes of what a helpdesk says at once; Zammad puts the whole ticket into it."""
EVENT_PATHS = re.compile(r"/api/v1/helpdesks/[^/]+/events", re.ASCII)
"""What arrives there is signed as it stands, so nothing is read of it before its signature is."""

MOST_COMMAS = 10_000
"""In a JSON text, and so nearly its values: a million small ones take a second to read, and their sender nothing."""
_LONGEST_LENGTH = 18
"""Digits of a Content-Length that is looked at; beyond, it is no length."""

_CLOSE = {"Connection": "close"}


class Limits:
    """ASGI middleware: reads a body within its bound, refuses what is neither plain JSON nor a form."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises nothing: what is refused is answered here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] in LARGE_PATHS:
            await self._large(scope, receive, send, SECRET_BODY)
        elif EVENT_PATHS.fullmatch(scope["path"]):
            await self._large(scope, receive, send, EVENT_BODY)
        else:
            await self._bounded(scope, receive, send, SMALL_BODY)

    async def _large(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        """Let a large body in as far as there is room, and only while it keeps coming; a small one has its own room."""
        taken = seen = 0
        until = asyncio.get_running_loop().time() + LONGEST_UPLOAD

        async def counted() -> Message:
            nonlocal taken, seen
            async with asyncio.timeout_at(until):
                message = await receive()
            seen += len(message.get("body", b""))
            more = seen - taken if seen > SMALL_BODY else 0
            if more and self._held + more > MOST_HELD:
                raise Busy(Sentence("too many large forms arrive at this moment"))
            self._held += more
            taken += more
            return message

        try:
            await self._bounded(scope, receive, send, most, counted)
        finally:
            self._held -= taken

    async def _bounded(
        self, scope: Scope, receive: Receive, send: Send, most: int, counted: Receive | None = None
    ) -> None:
        headers = Headers(scope=scope)
        problem = _refused_by_head(scope, headers, most)
        body = b""
        if problem is None:
            try:
                read = await _read(counted or receive, most)
            except (Busy, TimeoutError) as late:
                busy = late if isinstance(late, Busy) else Busy(Sentence("this form took too long to arrive"))
                await answer(scope, replace(problem_of(busy), headers={**_CLOSE, "Retry-After": "5"}))(
                    scope, receive, send
                )
                return
            if read is None:
                problem = problem_of_status(413, _CLOSE)
            else:
                body = read
                problem = _refused_by_body(scope, headers, body)
        if problem is not None:
            await answer(scope, problem)(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)


def _refused_by_head(scope: Scope, headers: Headers, most: int) -> Problem | None:
    """What can be refused before one byte of the body is read."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET:
        return problem_of_status(414, _CLOSE)
    if headers.get("content-encoding", "identity").lower() != "identity":
        return problem_of_status(415, _CLOSE)
    length = headers.get("content-length")
    if length is not None and (not (length.isascii() and length.isdigit()) or len(length) > _LONGEST_LENGTH):
        return problem_of_status(400, _CLOSE)
    return problem_of_status(413, _CLOSE) if length is not None and int(length) > most else None


async def _read(receive: Receive, most: int) -> bytes | None:
    """The body, or None when it has more than `most` bytes: counted as it comes, whatever it claims."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)  # the client has gone; the application sees that when it asks again
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _refused_by_body(scope: Scope, headers: Headers, body: bytes) -> Problem | None:
    if not body:
        return None
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower()
    if charset not in {"", "charset=utf-8", 'charset="utf-8"'}:
        return problem_of_status(415)
    match kind.strip().lower():
        case "application/json":
            return None if EVENT_PATHS.fullmatch(scope["path"]) else _refused_json(body)
        case "application/x-www-form-urlencoded" if not scope["path"].startswith("/api/"):
            return (
                problem_of(Invalid(Sentence("this form has too many fields")))
                if body.count(b"&") > MOST_FIELDS
                else None
            )
        case _:  # multipart too: its parts over 1 MiB would lie in a temporary file
            return problem_of_status(415)


def _refused_json(body: bytes) -> Problem | None:
    if body.count(b",") > MOST_COMMAS:
        return problem_of(Invalid("the body holds too many values"))
    try:
        read_json(body)
    except Invalid as refusal:
        return problem_of(refusal)
    return None


def _replay(body: bytes, receive: Receive) -> Receive:
    handed = False

    async def again() -> Message:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
