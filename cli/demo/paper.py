"""How the demonstration is written on a terminal: 80 columns, calm, and without colour where none is wanted."""

import os
import sys
import textwrap

WIDTH = 80
_BOLD, _DIM, _GREEN, _RED, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[31m", "\x1b[0m"


def is_coloured() -> bool:
    """Whether this terminal shows colour and its reader wants it (https no-color.org's rule)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _in(colour: str, text: str) -> str:
    return f"{colour}{text}{_PLAIN}" if is_coloured() else text


def bold(text: str) -> str:
    """What the eye should find first."""
    return _in(_BOLD, text)


def dim(text: str) -> str:
    """What the eye may pass over."""
    return _in(_DIM, text)


def write(text: str = "", end: str = "\n") -> None:
    """Write it as it is, at once."""
    sys.stdout.write(f"{text}{end}")
    sys.stdout.flush()


def prose(text: str, indent: str = "") -> None:
    """Write a paragraph."""
    write(textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent))


def held(number: int, sentence: str) -> None:
    """Write a step that held."""
    lines = textwrap.wrap(sentence, WIDTH - 4)
    write(f"{_in(_GREEN, f'{number:2}')}  {lines[0]}")
    for line in lines[1:]:
        write(f"    {line}")


def not_held(number: int, what: str, why: str) -> None:
    """Write a step that did not hold, and what was seen instead."""
    write(f"{_in(_RED, f'{number:2}')}  {_in(_RED, 'did not hold')}")
    for text in (what, why):
        prose(text, "    ")
