"""All commands as data, read from the one tree that also runs them: what the manual and the completion are made of."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from typer.main import get_command

from cli import main

Takes = Literal["", "text", "file"]


@dataclass(frozen=True)
class Option:
    """One option of a command."""

    names: tuple[str, ...]
    takes: Takes
    """Nothing for a switch."""
    metavar: str
    help: str
    repeats: bool


@dataclass(frozen=True)
class Argument:
    """One argument of a command."""

    metavar: str
    help: str
    required: bool
    takes: Takes


@dataclass(frozen=True)
class Command:
    """One thing to type."""

    words: tuple[str, ...]
    """Behind `valetkey`."""
    summary: str
    text: str
    """All of its help."""
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    children: tuple["Command", ...] = ()
    runs: bool = True
    """Whether it does something by itself; a group mostly does not."""
    people: str = ""
    """Under whom the help lists it."""


def root() -> Command:
    """`valetkey` with everything below it, in the order of the help."""
    group = get_command(main.app)
    people = {entry.name: (entry.people, entry.summary) for entry in main.ENTRIES}
    return _command(group, (), people)


def every(command: Command) -> Iterator[Command]:
    """The command and all below it."""
    yield command
    for child in command.children:
        yield from every(child)


def _command(command: Any, words: tuple[str, ...], people: dict[str, tuple[str, str]]) -> Command:
    text = str(command.help or "").strip()
    mine, summary = people.get(words[0], ("", "")) if len(words) == 1 else ("", "")
    names = getattr(command, "commands", {})
    children = [(name, command.get_command(None, name)) for name in names]
    hints = get_type_hints(inspect.unwrap(command.callback)) if command.callback else {}
    files = {name for name, hint in hints.items() if Path in (hint, *get_args(hint))}
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and not one.hidden]
    return Command(
        words=words,
        summary=summary or _first_sentence(text),
        text=text,
        arguments=tuple(_argument(one, "file" if one.name in files else "text") for one in arguments),
        options=tuple(_option(one, "file" if one.name in files else "text") for one in options),
        children=tuple(_command(child, (*words, name), people) for name, child in children),
        runs=not children or bool(getattr(command, "invoke_without_command", False)),
        people=mine,
    )


def _first_sentence(text: str) -> str:
    """The first sentence: up to a full stop that ends a line or has a space behind it."""
    return " ".join(text.split("\n\n", 1)[0].split()).split(". ", 1)[0].rstrip(".") + "."


def _argument(parameter: Any, takes: Takes) -> Argument:
    shown = str(parameter.metavar or parameter.name.upper()).strip("[]")
    many = "..." if parameter.nargs != 1 and not shown.endswith("...") else ""
    return Argument(f"{shown}{many}", str(parameter.help or ""), bool(parameter.required), takes)


def _option(parameter: Any, takes: Takes) -> Option:
    is_switch = bool(getattr(parameter, "is_flag", False))
    return Option(
        names=(*parameter.opts, *parameter.secondary_opts),
        takes="" if is_switch else takes,
        metavar="" if is_switch else str(parameter.metavar or parameter.name.upper()),
        help=str(parameter.help or ""),
        repeats=bool(parameter.multiple),
    )
