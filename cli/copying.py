"""The clipboard: what is put there goes in by stdin, and is taken off again unless something else is there by then."""

import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cli.clearing import digest
from cli.terminal import say
from vault.errors import Unavailable

SECONDS = 30
_TOOL_SECONDS = 5.0
_LONGEST_SEQUENCE = 74_994
"""Bytes of base64 that a terminal is sure to take as one sequence, as xterm does."""


class Clipboard(Protocol):
    """Where something can be put for a while."""

    @property
    def name(self) -> str:
        """What people call it."""

    def take(self, content: bytes) -> None:
        """Put it there. Raises Unavailable if it is not taken."""

    def clear_after(self, content: bytes, seconds: int) -> None:
        """See to it that it is gone by then."""


def clipboard() -> Clipboard:
    """The clipboard of this desktop, else that of the terminal. Raises Unavailable where there is neither."""
    for variable, name, write, read, clear in _TOOLS:
        if (not variable or os.environ.get(variable)) and (tool := shutil.which(write[0])):
            found = shutil.which(read[0]) or read[0]
            return Desktop(name, (tool, *write[1:]), (found, *read[1:]), (tool, *clear[1:]))
    if os.environ.get("TERM", "dumb") != "dumb":
        with suppress(OSError):
            os.close(os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY))
            return Terminal()
    raise Unavailable("there is no clipboard here").hinting(
        "install wl-clipboard or xclip, or pipe it: valetkey read vk://TICKET/SECRET/FIELD | …"
    )


_X = ("-selection", "clipboard")
_TOOLS = (
    ("WAYLAND_DISPLAY", "the clipboard", ("wl-copy",), ("wl-paste", "--no-newline"), ("wl-copy", "--clear")),
    ("DISPLAY", "the clipboard", ("xclip", *_X, "-in"), ("xclip", *_X, "-out"), ("xclip", *_X, "-in")),
    ("DISPLAY", "the clipboard", ("xsel", "-b", "-i"), ("xsel", "-b", "-o"), ("xsel", "-b", "-c")),
    ("", "the clipboard", ("pbcopy",), ("pbpaste",), ("pbcopy",)),
)
"""The variable that says that a desktop is there, and commands that write, read and clear (of empty input)."""


@dataclass(frozen=True)
class Desktop:
    """A clipboard with commands that write, read and clear it."""

    name: str
    write: Sequence[str]
    read: Sequence[str]
    clear: Sequence[str]

    def take(self, content: bytes) -> None:
        """Hand it to the tool on its stdin: arguments and environments are for everybody's eyes."""
        try:
            # a tool that stays to serve the clipboard must not hold our own output open
            subprocess.run(
                self.write,
                input=content,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_TOOL_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            raise Unavailable("the clipboard does not take anything; nothing is on it") from None

    def clear_after(self, content: bytes, seconds: int) -> None:
        """Leave a small process behind that knows a salted digest of it, and clears only what has that digest."""
        salt = secrets.token_hex(16)
        task = {
            "seconds": seconds,
            "salt": salt,
            "digest": digest(salt, content),
            "read": list(self.read),
            "clear": list(self.clear),
        }
        clearing = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).with_name("clearing.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # it outlives this command, and the terminal too
            cwd="/",
        )
        if clearing.stdin:
            with clearing.stdin as told:
                told.write(json.dumps(task).encode("ascii"))
        clearing.returncode = 0  # nobody waits for it, and nobody has to be warned of that


@dataclass(frozen=True)
class Terminal:
    """The clipboard behind the terminal, also at the other end of an SSH connection (OSC 52)."""

    name: str = "the clipboard of your terminal, if it takes that from programs,"

    def take(self, content: bytes) -> None:
        """Send it within an escape sequence, of which nothing is seen."""
        encoded = base64.b64encode(content)
        if len(encoded) > _LONGEST_SEQUENCE:
            raise Unavailable("this is too long for the clipboard of a terminal; nothing is on it")
        self._send(encoded)

    def clear_after(self, content: bytes, seconds: int) -> None:  # noqa: ARG002 (it cannot be compared with anything)
        """Wait and clear it, whatever it has: a terminal does not say. Ctrl-C clears it at once."""
        say(f"stay for {seconds} seconds, until it is cleared; Ctrl-C clears it now")
        with suppress(KeyboardInterrupt):
            time.sleep(seconds)
        self._send(b"")
        say("cleared")

    def _send(self, encoded: bytes) -> None:
        try:
            terminal = os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY)
        except OSError:
            raise Unavailable("the terminal has gone, and its clipboard with it") from None
        try:
            left = memoryview(b"\x1b]52;c;" + encoded + b"\x07")
            while left:
                left = left[os.write(terminal, left) :]
        finally:
            os.close(terminal)
