"""The gate before every route: who may name us, what a browser may do with us, and whose form this is."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, answer, log_unexpected, problem_of_status
from vault.settings import Settings

SESSION_COOKIE = "__Host-vk_session"
GIVE_COOKIE = "__Host-vk_give"
_OUR_COOKIES = "__Host-vk_"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "connect-src 'self'; "
    "form-action 'self'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)

_NOT_NEEDED = ("camera", "microphone", "geolocation", "payment", "usb", "serial", "hid", "midi")

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Referrer-Policy": "same-origin",  # no-referrer would make browsers send Origin: null with our own forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{power}=()" for power in _NOT_NEEDED),
}
"""On every answer, also on refusals and faults."""

STATIC_PATHS = ("/static/", "/give/static/")
"""What is the same for everybody; all else is never stored by a browser or a proxy."""
_FOR_A_WHILE = (b"cache-control", b"public, max-age=300")
_NEVER_STORED = (b"cache-control", b"no-store")


class Gate:
    """ASGI middleware, outermost: checks host, site and cookies, sets headers, turns a fault into a 500.

    A fault is answered here and not above: a server's own 500 has no headers and logs the exception's text.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._host = settings.host_name
        self._origin = settings.origin
        headers = dict(HEADERS)
        if self._origin.startswith("https://"):
            headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._names = {name for name, _ in self._headers} | {b"cache-control"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises nothing for a request; a lifespan's own faults pass, so that a failed start is seen."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._dress(scope["path"], message)
            await send(message)

        try:
            problem = self._refused(scope)
            if problem is not None:
                await answer(scope, problem)(scope, receive, guarded)
                return
            await self.app(scope, receive, guarded)
        except Exception as fault:  # noqa: BLE001 (whatever it is, it must not reach a log with its text)
            log_unexpected(fault)
            if not started:
                await answer(scope, problem_of_status(500))(scope, receive, guarded)

    def _refused(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _host_name(hosts[0]) != self._host:
            return problem_of_status(421)
        if len(headers.getlist("authorization")) > 1 or _twice(cookies_of(headers)):
            return problem_of_status(400)
        if scope["method"] not in SAFE_METHODS and not self._same_site(headers):
            return problem_of_status(403)
        return None

    def _same_site(self, headers: Headers) -> bool:
        """Whether this deed was asked for by a page of ours, or by a program that carries no cookie of ours.

        Fetch Metadata decides where the browser sends it, else a strict Origin; `null` is never ours. With
        neither, only a request without our cookies passes: every browser sends one of them with a POST.
        """
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        origin = headers.get("origin")
        if origin is not None:
            return origin == self._origin
        return not any(name.startswith(_OUR_COOKIES) for name, _ in cookies_of(headers))

    def _dress(self, path: str, message: Message) -> None:
        said = [pair for pair in message["headers"] if pair[0] not in self._names]
        kept = [pair for pair in message["headers"] if pair[0] == b"cache-control"]
        if path.startswith(STATIC_PATHS) and message["status"] in {200, 304}:
            said += kept or [_FOR_A_WHILE]
        else:
            said.append(_NEVER_STORED)
        message["headers"] = said + self._headers


def _host_name(raw: str) -> str:
    try:
        return urlsplit(f"//{raw}").hostname or ""
    except ValueError:
        return ""


def cookies_of(headers: Headers) -> list[tuple[str, str]]:
    """Every cookie as it was sent, in order: of two with the same name, each parser keeps another one."""
    pairs = (pair.partition("=") for line in headers.getlist("cookie") for pair in line.split(";"))
    return [(name.strip(), value.strip()) for name, sign, value in pairs if sign]


def cookie_named(headers: Headers, name: str) -> str:
    """The value of a cookie that the Gate has let through, or nothing."""
    return next((value for found, value in cookies_of(headers) if found == name), "")


def _twice(cookies: list[tuple[str, str]]) -> bool:
    """Whether one of our names comes twice: then somebody else has planted one of them."""
    ours = [name.lower() for name, _ in cookies if name.lower().startswith(_OUR_COOKIES.lower())]
    return len(ours) != len(set(ours))


def form_token(token: str) -> str:
    """What a form of this session carries, so that one made elsewhere is refused: HMAC under its token.

    Only who has the session's token can make it, and it says nothing about that token.
    """
    digest = hmac.digest(token.encode(), b"valetkey form token v1", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_form_token(token: str, given: str) -> bool:
    """Whether that form was made for this session; in constant time, and no for every malformed one."""
    return hmac.compare_digest(form_token(token).encode(), given.encode("utf-8", "surrogatepass"))
