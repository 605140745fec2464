"""The command in a process of its own, and a tiny server for it to talk to."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-c", "from cli.main import run; run()")

Ran = subprocess.CompletedProcess[bytes]
Valetkey = Callable[..., Ran]


def environment(home: Path, **more: str) -> dict[str, str]:
    """What the command sees: nothing of the tester's own sessions, settings and colours."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL"}}
    return {
        **kept,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "VALETKEY_CONFIG": str(home / "none.toml"),
        "VALETKEY_DATA_DIR": str(home / "data"),
        "PYTHONPATH": str(ROOT),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "TERM": "dumb",
        "TZ": "UTC",
        **more,
    }


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, str, bytes]


@dataclass
class TinyServer:
    """A real HTTP server on loopback that answers what it is told to and remembers what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(
        self, method: str, path: str, status: int, body: bytes, kind: str = "application/json"
    ) -> None:
        self.answers[f"{method} {path}"] = (status, kind, body)

    def reply(self, asked: Asked) -> Answer:
        known = self.answers.get(f"{asked.method} {asked.path}")
        return known or (404, "text/plain", b"nothing here")


@contextmanager
def serving(tiny: TinyServer) -> Iterator[TinyServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            tiny.asked.append(asked)
            status, kind, answered = tiny.reply(asked)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if status in {301, 302, 307, 308}:
                self.send_header("Location", answered.decode())
                answered = b""
            self.send_header("Content-Length", str(len(answered)))
            self.end_headers()
            self.wfile.write(answered)

        do_GET = do_POST = do_DELETE = respond  # noqa: N815 (the names that http.server looks for)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    tiny.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield tiny
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
