"""The HTTP client: the standard library's, because a whole reveal then takes a third of the time."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from cli import session
from cli.exits import refusal
from cli.terminal import say
from vault.errors import Invalid, NotSignedIn, ProofNeeded, Unavailable

CLIENT = "valetkey-cli"
"""As which this program asks for tokens; a public client (RFC 6749, 2.1)."""
_SECONDS = 60
_IDLE_SECONDS = 5
"""How long a connection is trusted to be still there: people think at prompts for longer than servers wait."""
_LARGEST_ANSWER = 32 * 1024 * 1024
_CHUNK = 64 * 1024
_LOOPBACK = frozenset(
    {"127.0.0.1", "::1", "localhost"}
)  # as in vault.settings, which takes too long to import


class Client:
    """One connection to a vault. Redirects are not followed: nothing is sent where the person did not say."""

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, kept: session.SignedIn | None = None
    ) -> None:
        """`url` is a scheme and a host; `kept` is the session to ask with, renewed when its token has gone to sleep.

        Raises Invalid for anything else than such an address and for http to another computer.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            raise Invalid("the address is a scheme and a host name, like https://vault.example") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
            raise Invalid("the address is a scheme and a host name, like https://vault.example")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise Invalid("the address is a scheme and a host name, with nothing behind them")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise Invalid("over plain http everybody on the way could read along; give an https address")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._used_at = 0.0
        self._kept = kept
        self._headers = {"Accept": "application/json", "User-Agent": "valetkey-cli", **(headers or {})}
        self._connection = (
            http.client.HTTPSConnection(
                parts.hostname, port, timeout=_SECONDS, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, port, timeout=_SECONDS)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, *path: str, **query: str | int | None) -> Any:
        """GET /path?query and give the JSON. Raises the server's own VaultError, or Unavailable."""
        asked = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", f"{_path(path)}?{urlencode(asked)}" if asked else _path(path))

    def post(self, *path: str, **body: Any) -> Any:
        """POST the body as JSON to /path and give the JSON, None for no content. Raises as `get`."""
        return self._ask("POST", _path(path), body)

    def delete(self, *path: str) -> None:
        """DELETE /path. Raises as `get`."""
        self._ask("DELETE", _path(path))

    def stream(self, *path: str) -> Iterator[bytes]:
        """GET /path and give its bytes as they come. Raises as `get`, and Unavailable if it ends early."""
        answer = self._send("GET", _path(path), None)
        try:
            while chunk := answer.read(_CHUNK):
                yield chunk
        except (OSError, http.client.HTTPException):
            raise _unreachable() from None
        if answer.length:
            raise Unavailable("the answer ended before it was whole")

    def carry(self, header: str, value: str) -> None:
        """Send this header with all that follows."""
        self._headers[header] = value

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._send(method, path, body)
        raw = _read(answer)
        if not raw:
            return None
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            raise Unavailable("something answered at this address, but not a vault") from None

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> http.client.HTTPResponse:
        """Ask with the session's token, if there is one, and once more where it could be renewed."""
        sent = None if body is None else json.dumps(body).encode("ascii")
        try:
            return self._exchange(method, path, sent, "application/json")
        except NotSignedIn:
            if self._kept is None or not self._renewed(self._kept):
                raise
        return self._exchange(method, path, sent, "application/json")

    def post_form(self, path: str, **sent: str) -> dict[str, Any]:
        """POST a form without any session, and give the JSON, also of a refusal in RFC 6749's form (`error`)."""
        body = urlencode(sent).encode("ascii")
        answer = self._asked("POST", path, body, "application/x-www-form-urlencoded", signed=False)
        raw = _read(answer)
        try:
            told = json.loads(raw)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict) and (_is_fine(answer) or isinstance(told.get("error"), str)):
            return told
        if _is_fine(answer):
            raise Unavailable("something answered at this address, but not a vault")
        raise _refused(answer.status, raw)

    def _renewed(self, before: session.SignedIn) -> bool:
        """Whether the session has new tokens now: from the server, or from another command that was faster."""
        with session.held():
            current = session.kept()
            if current.url != self.url or not current.refresh:
                return False
            if current.token == before.token:
                told = self.post_form(
                    "/oauth/token",
                    grant_type="refresh_token",
                    refresh_token=current.refresh,
                    client_id=CLIENT,
                )
                current = tokens_in(told, self.url)
                if not current.token:
                    session.forget()  # the server knows this session no more, and never will again
                    return False
                before_in_keyring = session.is_in_keyring()
                where = session.keep(current)
                if session.is_in_keyring() != before_in_keyring:
                    say(f"the session is kept in {where} from now on")
        self._kept = current
        return True

    def _exchange(self, method: str, path: str, sent: bytes | None, kind: str) -> http.client.HTTPResponse:
        answer = self._asked(method, path, sent, kind)
        if not _is_fine(answer):
            raise _refused(answer.status, _read(answer))
        return answer

    def _asked(
        self, method: str, path: str, sent: bytes | None, kind: str, *, signed: bool = True
    ) -> http.client.HTTPResponse:
        headers = dict(self._headers)
        if signed and self._kept is not None:
            headers["Authorization"] = f"Bearer {self._kept.token}"
        if sent is not None:
            headers["Content-Type"] = kind
        if time.monotonic() - self._used_at > _IDLE_SECONDS:
            self._connection.close()
        try:
            self._connection.request(method, path, sent, headers)
            answer = self._connection.getresponse()
            self._used_at = time.monotonic()
        except ssl.SSLCertVerificationError:
            raise Unavailable("the server's certificate is not trusted here, so nothing was sent") from None
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()  # a half-sent request would stand in the way of the next one
            raise _unreachable(error) from None
        return answer


def tokens_in(told: Mapping[str, Any], url: str) -> session.SignedIn:
    """The session in a token endpoint's answer (RFC 6749, 5.1); with an empty token where it holds none."""
    token, refresh = told.get("access_token"), told.get("refresh_token")
    if not isinstance(token, str) or not isinstance(refresh, str):
        return session.SignedIn(url, "")
    return session.SignedIn(url, token, refresh)


def signed_in() -> Client:
    """Give a client with the session that `valetkey login` kept. Raises NotSignedIn without one."""
    kept = session.kept()
    return Client(kept.url, {"Valetkey-Client": "cli"}, kept)


def _path(parts: tuple[str, ...]) -> str:
    """Join the path's parts: the first as it is, the others quoted, for they are what a person typed."""
    return "/".join([parts[0], *(quote(part, safe="") for part in parts[1:])])


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        raw = answer.read(_LARGEST_ANSWER + 1)
    except (OSError, http.client.HTTPException):
        raise _unreachable() from None
    if len(raw) > _LARGEST_ANSWER:
        raise Unavailable("the answer is larger than any answer of a vault")
    return raw


def _refused(status: int, raw: bytes) -> Exception:
    """Rebuild the error from problem+json (RFC 9457), or make one from the status alone."""
    try:
        problem = json.loads(raw)
    except (ValueError, RecursionError):
        problem = None
    if not isinstance(problem, dict):
        return refusal("", status, f"the server answered with status {status}")

    def text(name: str) -> str:
        return value if isinstance(value := problem.get(name), str) else ""

    message = text("detail") or text("title") or f"the server answered with status {status}"
    challenge = problem.get("challenge")
    error = refusal(text("type"), status, message, text("hint"), text("pointer"))
    if isinstance(error, ProofNeeded) and isinstance(challenge, dict):
        error.challenge = challenge
    return error


def _is_fine(answer: http.client.HTTPResponse) -> bool:
    return 200 <= answer.status < 300  # noqa: PLR2004 (RFC 9110, 15.3)


def _unreachable(error: Exception | None = None) -> Unavailable:
    if isinstance(error, TimeoutError):
        return Unavailable("the server did not answer in time")
    return Unavailable(
        "there is no server of that name"
        if isinstance(error, socket.gaierror)
        else "the server does not answer"
    ).hinting("Check the address and the network, then try again.")
