"""Where the demonstration stands: a folder of its own that is gone afterwards, and the real programs run in it."""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cli
from cli.demo.signals import undisturbed
from cli.terminal import shown

BUSINESS = "Green Lane Web"
START_SECONDS = 60
STOP_SECONDS = 30
COMMAND_SECONDS = 60
DEEPEST = 48
"""Characters; a socket's whole path has at most 107 (unix(7))."""
_PROGRAM = (sys.executable, "-c", "from cli.main import run; run()")


class NotHeld(Exception):
    """What the demonstration says is not so. The message says what was seen instead."""


def require(holds: object, otherwise: str) -> None:
    """Raise NotHeld with this sentence unless it holds."""
    if not holds:
        raise NotHeld(otherwise)


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


@dataclass
class Ground:
    """One vault's place on this machine: its folder, its address, its mail server."""

    place: Path
    mail_port: int
    port: int = field(default_factory=free_port)

    @property
    def data(self) -> Path:
        """The vault's data directory."""
        return self.place / "data"

    @property
    def key_file(self) -> Path:
        """The root key's file, which is never in the data directory."""
        return self.place / "root.key"

    @property
    def log(self) -> Path:
        """All that the server says."""
        return self.place / "server.log"

    @property
    def url(self) -> str:
        """Where people reach the vault."""
        return f"http://localhost:{self.port}"

    def environment(self, data: Path | None = None) -> dict[str, str]:
        """What a program of ours sees: this vault's settings, and nothing of the visitor's own."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.place),
            "PYTHONPATH": str(Path(cli.__file__).parents[1]),
            "VALETKEY_CONFIG": str(self.place / "none.toml"),
            "VALETKEY_BUSINESS": BUSINESS,
            "VALETKEY_BASE_URL": self.url,
            "VALETKEY_PORT": str(self.port),
            "VALETKEY_DATA_DIR": str(data or self.data),
            "VALETKEY_ROOT_KEY_FILE": str(self.key_file),
            "VALETKEY_SMTP_HOST": "127.0.0.1",
            "VALETKEY_SMTP_PORT": str(self.mail_port),
            "VALETKEY_SMTP_STARTTLS": "false",
            "VALETKEY_MAIL_FROM": "vault@greenlane.example",
        }

    def valetkey(self, *words: str, given: str = "") -> bytes:
        """Run a command on the host as its operator does; `given` goes to its stdin, so that no secret is in argv.

        Returns its stdout. Raises NotHeld with what it said when it fails.
        """
        run = subprocess.run(
            [*_PROGRAM, *words],
            env=self.environment(),
            input=given.encode(),
            capture_output=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        said = run.stderr.decode(errors="replace")
        require(run.returncode == 0, f"valetkey {words[0]} ended with {run.returncode}: {said.strip()}")
        return run.stdout

    def told(self, *words: str, given: str = "") -> Any:
        """Run a command as `valetkey`, with --json, and give what it prints."""
        return json.loads(self.valetkey(*words, "--json", given=given))

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Run `valetkey serve` meanwhile. Raises NotHeld when it does not start or does not end in good order."""
        with contextlib.ExitStack() as stack:
            with undisturbed(), self.log.open("wb") as log:
                server = self._start(self.data, log)
                stack.callback(_stop, server)
            self._wait(server)
            yield
            ended = _stop(server)
        require(ended == 0, f"the server ended with {ended}")

    def refuses_to_serve(self, data: Path) -> str:
        """Try to run the server on another data directory; gives what it says. Raises NotHeld if it starts."""
        said = self.place / "refusal.log"
        with contextlib.ExitStack() as stack:
            with undisturbed(), said.open("wb") as log:
                server = self._start(data, log)
                stack.callback(_stop, server)
            try:
                ended = server.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                raise NotHeld("the server started on it") from None
        require(ended != 0, "the server ended as if all were well")
        return said.read_text("utf-8", "replace")

    def _start(self, data: Path, log: Any) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*_PROGRAM, "serve"],
            env=self.environment(data),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,  # a Ctrl-C is ours to hear: the server is ended in order, after us
        )

    def _wait(self, server: "subprocess.Popen[bytes]") -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if server.poll() is not None:
                said = shown(self.log.read_text("utf-8", "replace")[-600:])
                raise NotHeld(f"the server did not start: {said}")
            try:
                line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
                line.request("GET", "/readyz", headers={"Host": f"localhost:{self.port}"})
                if line.getresponse().status == http.HTTPStatus.OK:
                    return
            except OSError:
                pass
            finally:
                line.close()
            time.sleep(0.05)
        raise NotHeld("the server did not come up in time")


def _stop(server: "subprocess.Popen[bytes]") -> int:
    """End it, in good order if it can; gives its exit status. Stopping it again changes nothing."""
    with undisturbed():
        server.terminate()
        try:
            return server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            return server.wait()


@contextlib.contextmanager
def ground(mail_port: int) -> Iterator[Ground]:
    """A new folder that only this user can enter, for everything that the demonstration writes; gone afterwards."""
    place = _base() / f"valetkey-demo-{secrets.token_hex(4)}"
    before = os.environ.get("TMPDIR")
    try:
        place.mkdir(mode=0o700)
        os.environ["TMPDIR"] = str(place)  # for the browser's profile too
        yield Ground(place, mail_port)
    finally:
        with undisturbed():
            os.environ.pop("TMPDIR", None)
            if before is not None:
                os.environ["TMPDIR"] = before
            shutil.rmtree(place, ignore_errors=True)


def _base() -> Path:
    """Where temporary folders go; /tmp if that is so deep that the path of a socket in it would be too long."""
    wanted = os.environ.get("TMPDIR", "")
    return Path(wanted if 0 < len(wanted) <= DEEPEST else "/tmp")  # noqa: S108 (the folder in it is new and ours alone)


def wait_for(found: Any, seconds: float, otherwise: str) -> Any:
    """Ask until something is found; gives it. Raises NotHeld with the sentence when it takes too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if there := found():
            return there
        threading.Event().wait(0.05)
    raise NotHeld(otherwise)
