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
from vault.errors import Invalid, Unavailable

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

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        """`url` is a scheme and a host. Raises Invalid for anything else and for http to another computer."""
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
        sent = None if body is None else json.dumps(body).encode("ascii")
        headers = dict(self._headers)
        if sent is not None:
            headers["Content-Type"] = "application/json"
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
        if not 200 <= answer.status < 300:  # noqa: PLR2004 (RFC 9110, 15.3)
            raise _refused(answer.status, _read(answer))
        return answer


def signed_in() -> Client:
    """Give a client with the session that `valetkey login` kept. Raises NotSignedIn without one."""
    kept = session.kept()
    return Client(kept.url, {"Authorization": f"Bearer {kept.token}", "Valetkey-Client": "cli"})


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
    return refusal(text("type"), status, message, text("hint"), text("pointer"))


def _unreachable(error: Exception | None = None) -> Unavailable:
    if isinstance(error, TimeoutError):
        return Unavailable("the server did not answer in time")
    found = Unavailable(
        "there is no server of that name"
        if isinstance(error, socket.gaierror)
        else "the server does not answer"
    )
    vars(found)["hint"] = "Check the address and the network, then try again."
    return found
