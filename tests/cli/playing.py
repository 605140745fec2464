"""Terminal sessions are files: this plays one in a real terminal and says the first line that does not hold.

    $ valetkey …      runs a command; `$NAME` stands for a value that the test or an earlier line gave
    > words           types a line once the command asks for it
    ! words           must not appear anywhere in what the command shows
    ? 77              is its exit status; without such a line it is 0
    = NAME pattern    keeps what the pattern's group, or the whole pattern, matches, as `$NAME`
    # words           is for the reader

Every other line must appear, in this order; `…` in it stands for anything.
"""

import os
import pty
import re
import select
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 60.0
"""Seconds; the sign-in alone stretches a password."""

Value = str | Callable[[], str]


@dataclass
class Step:
    """One command of a session and what is expected of it."""

    line: int
    command: str
    types: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    expects: list[tuple[int, str]] = field(default_factory=list)
    keeps: list[tuple[str, str]] = field(default_factory=list)
    status: int = 0


def steps_of(text: str) -> list[Step]:
    steps: list[Step] = []
    for number, line in enumerate(text.splitlines(), 1):
        mark, _, rest = line.partition(" ")
        if mark == "$":
            steps.append(Step(number, rest))
        elif mark == ">":
            steps[-1].types.append(rest)
        elif mark == "!":
            steps[-1].never.append(rest)
        elif mark == "?":
            steps[-1].status = int(rest)
        elif mark == "=":
            name, _, pattern = rest.partition(" ")
            steps[-1].keeps.append((name, pattern))
        elif line.strip() and mark != "#":
            steps[-1].expects.append((number, line.strip()))
    return steps


def play(
    path: Path, program: tuple[str, ...], environment: Mapping[str, str], **values: Value
) -> dict[str, Value]:
    """Play the session and give what it kept; raises AssertionError with the line and what was shown."""
    known: dict[str, Value] = dict(values)

    def filled(text: str) -> str:
        def value(match: re.Match[str]) -> str:
            found = known[match[1]]
            return found if isinstance(found, str) else found()

        return re.sub(r"\$([a-z_]+)", value, text)

    for step in steps_of(path.read_text("utf-8")):
        name, *arguments = shlex.split(filled(step.command))
        assert name == "valetkey", f"{path.name}:{step.line}: only valetkey runs here"
        typed = [lambda line=line: filled(line) for line in step.types]
        shown, status = in_terminal([*program, *arguments], environment, typed)
        where = f"{path.name}:{step.line}: $ {step.command}\n{shown}"
        assert status == step.status, f"exit status {status}, expected {step.status}\n{where}"
        for words in step.never:
            assert filled(words) not in shown, f"“{words}” was shown\n{where}"
        rest = shown
        for number, words in step.expects:
            pattern = ".*?".join(re.escape(part) for part in filled(words).split("…"))
            match = re.search(pattern, rest)
            assert match, f"line {number} was not shown: {words}\n{where}"
            rest = rest[match.end() :]
        for name, pattern in step.keeps:
            match = re.search(pattern, shown, re.MULTILINE)
            assert match, f"nothing to keep as {name}\n{where}"
            known[name] = match[match.lastindex or 0]
    return known


def in_terminal(
    command: list[str], environment: Mapping[str, str], typed: list[Callable[[], str]]
) -> tuple[str, int]:
    """Run a command with a terminal as its stdin, stdout and stderr; type each line when it asks for one."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], command, dict(environment))  # noqa: S606 (a terminal needs a fork of its own)
    shown = b""
    asked_at = 0
    lines = list(typed)
    give_up = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < give_up:
            if lines and shown.endswith(b": ") and len(shown) > asked_at:
                asked_at = len(shown)
                os.write(terminal, lines.pop(0)().encode() + b"\n")
            ready, _, _ = select.select([terminal], [], [], 0.2)
            if ready:
                try:
                    chunk = os.read(terminal, 65_536)
                except OSError:  # Linux says so when the other end has gone
                    break
                if not chunk:
                    break
                shown += chunk
        else:
            os.kill(child, 9)
            raise AssertionError(f"it waited for something that nobody typed:\n{shown.decode()}")
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    assert not lines, f"it did not ask for {len(lines)} of the lines:\n{shown.decode()}"
    return shown.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)
