"""The operator's line to the server on the same host: one JSON object a line over its 0600 Unix socket."""

import json
import socket
from pathlib import Path
from typing import Any

from cli.exits import refusal
from vault.errors import Denied, Unavailable

_SECONDS = 300  # the doctor may read every row
_LONGEST_ANSWER = 16 * 1024 * 1024


def ask_server(place: Path, do: str, **said: Any) -> Any:
    """Ask one thing of the running server and give its answer. What is said never leaves the host.

    Raises Unavailable if no server runs here, Denied if the socket is another user's, and what the
    server refuses.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_SECONDS)
        try:
            line.connect(str(place))
            line.sendall(json.dumps({"do": do, **said}).encode("ascii") + b"\n")
            with line.makefile("rb") as answers:
                raw = answers.readline(_LONGEST_ANSWER)
        except PermissionError:
            raise _others() from None
        except (FileNotFoundError, ConnectionRefusedError):
            raise _not_running() from None
        except OSError:
            raise Unavailable("the server on this host did not answer") from None
    return _answered(raw)


def _answered(raw: bytes) -> Any:
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unavailable("the server on this host hung up without an answer") from None
    match answer:
        case {"ok": found}:
            return found
        case {"error": str(name), "message": str(message)}:
            raise refusal(name, 503, message, str(answer.get("hint") or ""), str(answer.get("pointer") or ""))
    raise Unavailable("the server on this host answered in a way this command does not know")


def _not_running() -> Unavailable:
    return Unavailable("no server runs on this host with this data directory").hinting("valetkey serve")


def _others() -> Denied:
    return Denied("only the user that the server runs as may do this").hinting(
        "Run the command as that user."
    )
