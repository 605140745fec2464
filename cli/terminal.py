"""The terminal: data goes to stdout, talk to stderr, answers come from a prompt or a pipe."""

import os
import sys
import termios
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from vault.errors import Invalid
from vault.values import Plaintext

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

_LONGEST_LINE = 4095
"""Bytes that a terminal passes on of one line; longer ones arrive cut, without a word (POSIX MAX_CANON)."""

_RED, _DIM, _PLAIN = "\x1b[1;31m", "\x1b[2m", "\x1b[0m"
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _colour(colour: str, text: str) -> str:
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        return f"{colour}{text}{_PLAIN}"
    return text


def shown(text: object) -> str:
    """Text that cannot steer the terminal: control, direction and surrogate characters become escapes."""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in {"Cc", "Cs"} or character in _BIDI
        else character
        for character in str(text)
    )


def say(text: str = "") -> None:
    """Tell the person something that is not data."""
    _tell(shown(text))


def say_error(message: str, hint: str) -> None:
    """Say what went wrong and what helps: lower case, no full stop."""
    _tell(f"{_colour(_RED, 'error:')} {shown(_lowered(message))}")
    if hint:
        _tell(f"{_colour(_DIM, 'hint:')} {shown(_lowered(hint))}")


def say_next(command: str) -> None:
    """Name the next sensible command."""
    _tell(f"{_colour(_DIM, 'next:')} {shown(command)}")


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}{_line_end()}")
    sys.stderr.flush()


def _line_end() -> str:
    """What begins a line; a terminal that passes all on as it is, for a program that we run, needs the return too."""
    if sys.stderr.isatty():
        with suppress(termios.error):
            return "\n" if termios.tcgetattr(sys.stderr.fileno())[1] & termios.OPOST else "\r\n"
    return "\n"


def _lowered(sentence: str) -> str:
    """Lower a sentence's first letter, unless it is a name in capitals, and drop its full stop."""
    text = sentence.strip().removesuffix(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def put(text: object) -> None:
    """Print one line of data."""
    sys.stdout.write(f"{shown(text)}\n")
    sys.stdout.flush()


def put_exactly(data: bytes) -> None:
    """Write data to stdout byte for byte, with nothing added."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def put_json(data: object) -> None:
    """Print data as JSON in ASCII, which no terminal mistakes for anything else."""
    import json  # noqa: PLC0415 (help must be quick)

    sys.stdout.write(json.dumps(data, indent=2) + "\n")
    sys.stdout.flush()


def put_table(heads: Sequence[str], rows: Iterable[Sequence[object]], nothing: str) -> None:
    """Print rows in columns; the heads only where somebody looks, so that a pipe gets data alone."""
    cells = [[shown(cell) for cell in row] for row in rows]
    if not cells:
        say(nothing)
        return
    if sys.stdout.isatty():
        cells.insert(0, [head.upper() for head in heads])
    widths = [max(_width(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        line = "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


def put_details(pairs: Mapping[str, object]) -> None:
    """Print one thing's details, a name and its value on each line; what is empty is left out."""
    width = max(map(len, pairs))
    for name, value in pairs.items():
        if value is not None and value != "":
            sys.stdout.write(f"{name.ljust(width)}  {shown(value)}\n")
    sys.stdout.flush()


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in {"W", "F"})
        for character in text
    )


def when(moment: Any) -> str:
    """Write a moment of the server (ISO 8601) as people read it, in UTC; empty for none."""
    if not moment:
        return ""
    return f"{datetime.fromisoformat(str(moment)).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ask(label: str, *, default: str = "", hidden: bool = False) -> str:
    """Ask for one line, byte for byte without its line end; the default for an empty one.

    From a terminal it is prompted for, unseen if `hidden`; from a pipe it is the next line, so that scripts
    need no secret in a command's arguments. Raises Invalid when the input has ended or is not UTF-8.
    """
    if not sys.stdin.isatty():
        return _read_line(label) or default
    prompt = f"{label} [{default}]: " if default else f"{label}: "
    line = _read_unseen(prompt, label) if hidden else _read_prompted(prompt, label)
    if len(line.encode()) >= _LONGEST_LINE:
        raise Invalid(f"{label} is too long for one line of a terminal; give it from a file or a pipe")
    return line or default


def ask_hidden(label: str) -> Plaintext:
    """Ask for a secret, not echoed. Raises Invalid when the input has ended or is not UTF-8."""
    return Plaintext(ask(label, hidden=True))


def ask_twice(label: str) -> Plaintext:
    """Ask for a new secret, twice where somebody types it unseen. Raises Invalid if the two differ."""
    first = ask_hidden(label)
    if sys.stdin.isatty() and ask_hidden(f"{label} again").expose() != first.expose():
        raise Invalid("the two are not the same; nothing was changed")
    return first


def ask_yes(question: str, *, default: bool = False) -> bool:
    """Whether the person says yes."""
    answer = ask(f"{question} [{'Y/n' if default else 'y/N'}]").strip().lower()
    return answer in {"y", "yes"} if answer else default


def ask_to_type(words: str, why: str) -> None:
    """Have the person type the words to go on. Raises Invalid for anything else."""
    if ask(f"{why}\nType “{words}” to go on").strip() != words:
        raise Invalid("that was not it; nothing was changed")


def is_watched() -> bool:
    """Whether somebody sits at the terminal and can be asked again."""
    return sys.stdin.isatty()


def _read_prompted(prompt: str, label: str) -> str:
    sys.stderr.write(shown_lines(prompt))
    sys.stderr.flush()
    return _read_line(label)


def shown_lines(text: str) -> str:
    """Do the same as `shown` for text of several lines."""
    return "\n".join(shown(line) for line in text.split("\n"))


def _read_unseen(prompt: str, label: str) -> str:
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    quiet = termios.tcgetattr(terminal)
    quiet[3] &= ~termios.ECHO
    try:
        # Echo goes before the prompt comes, so that nothing typed at it is seen; what was pasted ahead stays.
        termios.tcsetattr(terminal, termios.TCSADRAIN, quiet)
        return _read_prompted(prompt, label)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        say()


def _read_line(label: str) -> str:
    line = _line_of_stdin()
    if not line:
        raise Invalid(f"the input ended where this was asked: {label.rsplit(chr(10), 1)[-1]}")
    try:
        return line.removesuffix(b"\n").decode()
    except UnicodeDecodeError:
        raise Invalid(f"{label} is not UTF-8 text") from None


def _line_of_stdin() -> bytes:
    """Read a line and nothing behind it: the rest may be for a program that this command starts."""
    source = getattr(sys.stdin.buffer, "raw", None)
    if source is None:
        return sys.stdin.buffer.readline()
    line = bytearray()
    while not line.endswith(b"\n") and (byte := source.read(1)):
        line += byte
    return bytes(line)


def read_secret_file(path: str) -> Plaintext:
    """Read a file's text without its last line break, for passwords. `-` is the next line of stdin.

    Raises Invalid for what is not UTF-8 and OSError for what cannot be read.
    """
    if path == "-":
        return Plaintext(_read_line("the file"))
    try:
        text = Path(path).read_bytes().decode()
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8 text") from None
    return Plaintext(text.removesuffix("\n").removesuffix("\r"))
