"""Answering what ssh asks: the password once it asks for that, the person for everything else.

ssh runs a program for each question (SSH_ASKPASS), which comes here over a socket in a folder that only its own user
enters. Where the system says who connects, only what the ssh that was started here has started is answered, and so the
password is in no argument, no variable, no file and no pipe that another program could open.
"""

import os
import re
import shlex
import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli import askpass, terminal
from vault.errors import Invalid, VaultError
from vault.values import Plaintext

_MOST_TIMES = 2
"""How often the password is given: once by each of the two ways in which servers ask for one."""
_SECONDS = 10.0
_MOST_ANCESTORS = 8
_SOMETHING_ELSE = re.compile(
    r"code|otp|token|one.?time|verif|factor|\bpin\b|\bnew\b|retype|repeat|again|confirm|change",
    re.IGNORECASE,
)
"""What is not about the present password. Then the person is asked, who sees the server's own words."""


@dataclass
class Answers:
    """What is said to the questions of one connection."""

    user: str
    host: str
    secret: Plaintext
    ask: Callable[[str], str | None]
    """Asks the person; None where nobody is there to be asked."""
    times: int = 0

    def to(self, question: str) -> str | None:
        """The answer to a question of ssh's; None for none."""
        if self._is_for_the_secret(question) and self.times < _MOST_TIMES:
            self.times += 1
            return self.secret.expose()
        return self.ask(question)

    def _is_for_the_secret(self, question: str) -> bool:
        """Told by ssh's own words where it asks itself, and by the server's where ssh only passes them on."""
        if question == f"{self.user[:30]}@{self.host[:128]}'s password: ":
            return True
        if question.startswith("Enter passphrase for "):
            return True
        theirs = question.removeprefix(f"({self.user}@{self.host}) ")
        return theirs != question and not _SOMETHING_ELSE.search(theirs)


def asked_at_terminal(question: str) -> str | None:
    """Ask the person what the server wants to know, unseen; None where nobody sits at the terminal."""
    if not terminal.is_watched():
        return None
    try:
        return terminal.ask(f"the server asks: {question.strip().removesuffix(':')}", hidden=True)
    except VaultError:
        return None


def checked(secret: str) -> Plaintext:
    """A password that ssh can be told. Raises Invalid for one that it would cut."""
    if "\n" in secret or "\r" in secret or "\0" in secret:
        raise Invalid("this password has a line break in it, which ssh cannot be told")
    if len(secret.encode()) > askpass.LONGEST_ANSWER:
        raise Invalid(f"this password has more than {askpass.LONGEST_ANSWER} bytes, which ssh cannot be told")
    return Plaintext(secret)


class Door:
    """The socket at which questions arrive, until it is closed. `started` says whose they may be."""

    def __init__(self, place: Path, answers: Answers) -> None:
        """Listen in a folder that only this user enters. Raises OSError."""
        self.path = place / "door"
        self._answers = answers
        self._process = 0
        self._is_known = threading.Event()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self.path))
        self.path.chmod(0o600)
        self._listening.listen()
        self.program = _program(place)
        self._thread = threading.Thread(target=self._answer_all, daemon=True)
        self._thread.start()

    def environment(self) -> Mapping[str, str]:
        """What ssh has to see to ask here, whether or not it has a terminal (OpenSSH 8.4 and later)."""
        return {
            "SSH_ASKPASS": str(self.program),
            "SSH_ASKPASS_REQUIRE": "force",
            askpass.DOOR: str(self.path),
        }

    def started(self, process: int) -> None:
        """Say which process it is whose questions, and whose children's, are answered."""
        self._process = process
        self._is_known.set()

    def close(self) -> None:
        """Answer nothing more."""
        self._listening.close()

    def _answer_all(self) -> None:
        while True:
            try:
                visitor, _ = self._listening.accept()
            except OSError:
                return
            with visitor:
                try:
                    self._answer(visitor)
                except (OSError, VaultError):
                    continue  # ssh takes silence for a no

    def _answer(self, visitor: socket.socket) -> None:
        visitor.settimeout(_SECONDS)
        self._is_known.wait(_SECONDS)
        if not _descends(visitor, self._process):
            return
        question = b""
        while len(question) <= askpass.LONGEST_QUESTION and (chunk := visitor.recv(4096)):
            question += chunk
        answer = self._answers.to(question.decode(errors="replace"))
        if answer is not None:
            visitor.sendall(askpass.GIVEN + answer.encode())


def _program(place: Path) -> Path:
    """A program for ssh to run: it takes one file and no arguments. There is nothing in it but where Python is."""
    path = place / "askpass"
    words = shlex.join([sys.executable, "-I", "-S", askpass.__file__])
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o700)
    with os.fdopen(file, "w") as out:
        out.write(f'#!/bin/sh\nexec {words} "$@"\n')
    return path


def _descends(visitor: socket.socket, process: int) -> bool:
    """Whether it is the process that was started here, or one that descends from it, of the same user.

    Where the system does not say who it is, the folder alone keeps others away.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    raw = visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", raw)
    if uid != os.getuid():
        return False
    for _ in range(_MOST_ANCESTORS):
        if pid == process:
            return True
        pid = _parent(pid)
        if pid <= 1:
            return False
    return False


def _parent(pid: int) -> int:
    """Whose child a process is; 0 where that cannot be seen (proc(5): what follows the name in brackets)."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        return int(told.rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
