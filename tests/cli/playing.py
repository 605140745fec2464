"""Terminal sessions are files: this plays one in a real terminal and says the first line that does not hold.

    $ valetkey …      runs a command; `$NAME` stands for a value that the test or an earlier line gave
    > words           types a line once the command asks for it
    ~ verb words      does something elsewhere, mostly in a browser, once the command shows what that takes
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
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 60.0
"""Seconds; the sign-in alone stretches a password."""

ENDING = re.compile(r"submit|audit verify .* --key")
"""After these, nothing is left to do."""

TIME_ALONE = re.compile(r"\d UTC(?!, (in \d+ \w+|within a minute|just now|\d+ \w+ ago))")
QUOTED = re.compile(r"prove that it is you, |this host's clock says ")
"""What the server names as the deed, and what is to be compared with a clock."""

Value = str | Callable[[], str]


@dataclass(frozen=True)
class Elsewhere:
    """What somebody does with what a terminal shows them, or with what stands behind the verb itself."""

    cue: str
    """The pattern of what it takes; its group is that."""
    do: Callable[[str, str], object]
    """Takes that, and the words behind the verb."""
    words: str = ""

    def is_done(self, shown: str) -> bool:
        """Do it if the cue has been given."""
        match = re.search(self.cue, f"{self.words}\n{shown}")
        if match:
            self.do(match[1], self.words)
        return match is not None


Move = Callable[[], str] | Elsewhere
"""A line to type, made when it is typed; or something elsewhere."""


@dataclass
class Step:
    """One command of a session and what is expected of it."""

    line: int
    command: str
    moves: list[tuple[str, str]] = field(default_factory=list)
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
        elif mark in {">", "~"}:
            steps[-1].moves.append((mark, rest))
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
    path: Path,
    program: tuple[str, ...],
    environment: Mapping[str, str],
    values: Mapping[str, Value],
    elsewhere: Mapping[str, Elsewhere] | None = None,
) -> dict[str, Value]:
    """Play the session and give all the values that are known after it.

    `elsewhere` says what the session's verbs do. Raises AssertionError with the line and what was shown.
    """
    known: dict[str, Value] = dict(values)
    verbs = elsewhere or {}

    def filled(text: str) -> str:
        def value(match: re.Match[str]) -> str:
            found = known[match[1]]
            return found if isinstance(found, str) else found()

        return re.sub(r"\$([a-z_]+)", value, text)

    def move(mark: str, rest: str) -> Move:
        if mark == ">":
            return lambda: filled(rest)
        verb, _, words = rest.partition(" ")
        return Elsewhere(verbs[verb].cue, verbs[verb].do, filled(words))

    for step in steps_of(path.read_text("utf-8")):
        name, *arguments = shlex.split(filled(step.command))
        assert name == "valetkey", f"{path.name}:{step.line}: only valetkey runs here"
        moves = [move(mark, rest) for mark, rest in step.moves]
        shown, status = in_terminal([*program, *arguments], environment, moves)
        where = f"{path.name}:{step.line}: $ {step.command}\n{shown}"
        assert status == step.status, f"exit status {status}, expected {step.status}\n{where}"
        if status == 0 and "--json" not in arguments and not ENDING.match(" ".join(arguments)):
            last = shown.rstrip().rpartition("\n")[2]
            assert last.startswith("next: "), f"it does not say what to do next\n{where}"
        alone = [line for line in shown.splitlines() if TIME_ALONE.search(line) and not QUOTED.match(line)]
        assert not alone, f"how far away is that? {alone}\n{where}"
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


def in_terminal(command: list[str], environment: Mapping[str, str], moves: Sequence[Move]) -> tuple[str, int]:
    """Run a command with a terminal as its stdin, stdout and stderr; make each move when its turn has come."""
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever tests in the background has it ignored
        os.execve(command[0], command, dict(environment))  # noqa: S606 (a terminal needs a fork of its own)
    raw = b""
    asked_at = 0
    left = list(moves)
    ended = False
    give_up = time.monotonic() + PATIENCE
    try:
        while not ended:
            if time.monotonic() > give_up:
                os.kill(child, signal.SIGKILL)
                raise AssertionError(f"it waited for something that nobody did:\n{_text(raw)}")
            ready, _, _ = select.select([terminal], [], [], 0.2)
            chunk = _read(terminal) if ready else None
            ended = chunk == b""
            raw += chunk or b""
            if not left:
                continue
            move = left[0]
            if isinstance(move, Elsewhere):
                if move.is_done(_text(raw)):
                    left.pop(0)
            elif raw.endswith(b": ") and len(raw) > asked_at and not ended:
                asked_at = len(raw)
                left.pop(0)
                os.write(terminal, move().encode() + b"\n")
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    assert not left, f"{len(left)} things were left to do:\n{_text(raw)}"
    return _text(raw), os.waitstatus_to_exitcode(status)


def _read(terminal: int) -> bytes:
    """What the terminal shows next; nothing once the command has gone."""
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so when the other end has gone
        return b""


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").replace("\r\n", "\n")
