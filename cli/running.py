"""`valetkey run`: a command with secrets in its environment or in memory, and nowhere else."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import typer

from cli.fields import Revealed
from cli.held import MINUTES, held_for
from cli.http import Client, signed_in
from cli.masking import Mask, is_maskable
from cli.memory import memory_file
from cli.moments import until
from cli.opening import is_secret, kind_of, one_secret, told_fields, used
from cli.program import Program, Started
from cli.terminal import say, say_error
from cli.watching import Watch
from vault.errors import Conflict, Invalid, NotFound
from vault.model.kinds import KINDS

MARK = "VK_RUN"
"""Set for the command: it works under this lease already."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_STEERING = re.compile(
    r"(LD|DYLD)_.*|PATH|IFS|ENV|BASH_ENV|SHELLOPTS|PYTHON(PATH|HOME|STARTUP)|VALETKEY_.*|VK_RUN"
)
"""What decides which code runs. The customer typed the value, and it is not for them to decide that here."""
_NOT_FOUND, _NOT_STARTED = 127, 126
"""As shells say it."""
_CUT_SHORT = os.EX_TEMPFAIL


class Wish(NamedTuple):
    """A value that the command is to get under a name."""

    name: str
    secret: str
    """Its id or its kind; nothing where only one has the field."""
    field: str
    as_file: bool


@dataclass(frozen=True)
class Given:
    """A wish with the secret's id and, once it was opened, its value."""

    wish: Wish
    secret: str
    value: Revealed


def run(
    ticket: Annotated[str, typer.Argument(help="The ticket's number or id, or a lease's id.")],
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND", help="The command with its arguments, behind --.")
    ],
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FIELD", help="A variable with a field: NAME=field or NAME=secret/field."),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FIELD", help="A variable with the path of a file in memory; as --env."),
    ] = None,
    unmasked: Annotated[
        bool,
        typer.Option("--unmasked", help="Leave what it prints as it is."),
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, where it has to be checked out first.")] = "",
    minutes: Annotated[int, typer.Option(min=1, help="For how long, where it has to be.")] = MINUTES,
) -> None:
    """Run a command with secrets in its environment; they are masked in what it prints.

    Where you type to it, it has a terminal of its own: shells and editors work.

    Without --env and --file it gets every field, as VK_HOST, VK_PASSWORD and so on, and
    what has several lines as a file in memory, as VK_PRIVATE_KEY_FILE.

    It works under your lease of the ticket, which stays; if there is none, access is
    checked out first and handed back at the end. When the lease ends, the command ends.
    """
    if held := os.environ.get(MARK):
        raise Conflict("this runs within valetkey run already, and runs are not nested").hinting(
            f"it works under {held}; begin another one in a terminal of its own"
        )
    wishes = [
        *(wished(one, as_file=False) for one in env or ()),
        *(wished(one, as_file=True) for one in file or ()),
    ]
    program = _found(command)
    with signed_in() as client, held_for(client, ticket, reason=reason, minutes=minutes) as lease:
        given = _opened(client, lease, wishes or list(_all_of(lease)), everything=not wishes)
        started = _prepared([program, *command[1:]], lease, given, unmasked=unmasked)
        say(f"{command[0]} runs {_with(given)}, until {until(lease['expires_at'])} at the latest")
        status = _ran(client, lease, started)
    raise typer.Exit(status)


def wished(raw: str, *, as_file: bool) -> Wish:
    """Read `NAME=field` or `NAME=secret/field`. Raises Invalid."""
    name, equals, what = raw.partition("=")
    secret, _, field = what.rpartition("/")
    if not equals or not field or not _NAME.fullmatch(name):
        raise Invalid("name a variable and a field, like PGPASSWORD=password or KEY=ssh-key/private_key")
    if _STEERING.fullmatch(name):
        raise Invalid("this variable decides which code runs, so no customer's value goes into it")
    return Wish(name, secret, field, as_file)


def _all_of(lease: Mapping[str, Any]) -> Iterator[Wish]:
    """Every field of the lease's one secret. Raises Invalid for several: then the person says what it takes."""
    if len(lease["secrets"]) != 1:
        raise Invalid(
            "this lease has several secrets; say what the command needs with --env or --file"
        ).hinting("; ".join(told_fields(dict(lease))))
    held = lease["secrets"][0]
    known = {one.name: one for one in KINDS[held["kind"]].all_fields} if held["kind"] in KINDS else {}
    for name in held["fields"]:
        as_file = name in known and (known[name].multiline or known[name].reads == "file")
        yield Wish(f"VK_{name.upper()}{'_FILE' if as_file else ''}", held["id"], name, as_file)


def _found(command: Sequence[str]) -> str:
    """The program's path. Whatever is misspelt opens no secret. Ends as shells do where there is none."""
    found = shutil.which(command[0])
    if found is None:
        say_error("there is no such command here", "valetkey run TICKET -- COMMAND, with its path if need be")
        raise typer.Exit(_NOT_FOUND)
    return found


def _opened(
    client: Client, lease: dict[str, Any], wishes: Sequence[Wish], *, everything: bool
) -> list[Given]:
    """Open what is wished for, each field once; of everything, what the customer left empty stays away."""
    found = [(wish, one_secret(lease, wish.secret, wish.field)) for wish in wishes]
    values: dict[tuple[str, str], Revealed] = {}
    given = []
    for wish, secret in found:
        try:
            if (secret, wish.field) not in values:
                values[secret, wish.field] = used(client, lease, secret, wish.field)
        except NotFound:
            if everything and not _is_required(kind_of(lease, secret), wish.field):
                continue
            raise
        value = values[secret, wish.field]
        if not wish.as_file and b"\0" in value.content:
            raise Invalid(f"{wish.name} has bytes that no variable can hold; hand it over with --file")
        given.append(Given(wish, secret, value))
    return given


def _is_required(kind: str, field: str) -> bool:
    known = {one.name: one.required for one in KINDS[kind].all_fields} if kind in KINDS else {}
    return known.get(field, True)


def _prepared(
    command: list[str], lease: dict[str, Any], given: Sequence[Given], *, unmasked: bool
) -> Started:
    """What is to be run, with its variables, files and mask; this process's own environment stays as it is."""
    variables = {**os.environ, MARK: str(lease["id"])}
    files = []
    hidden = []
    for one in given:
        name, content = one.wish.name, one.value.content
        if one.wish.as_file:
            files.append(memory_file(content))
            variables[name] = f"/dev/fd/{files[-1]}"
        else:
            variables[name] = os.fsdecode(content)
        if unmasked or not is_secret(kind_of(lease, one.secret), one.wish.field):
            continue
        if not is_maskable(content):
            say(f"{name} is too short or too long to be masked in what the command prints")
        hidden.append(content)
    return Started(command, variables, files, None if unmasked else Mask(hidden))


def _with(given: Sequence[Given]) -> str:
    return (
        f"with {', '.join(one.wish.name for one in given)}"
        if given
        else "with nothing, for all fields are empty"
    )


def _ran(client: Client, lease: dict[str, Any], started: Started) -> int:
    """Run it until it or the lease has ended; gives its exit status, and never 0 for one that was cut short."""
    watch = Watch(client, lease)
    with closing(Program(started, watch.ended)) as program:
        try:
            status = program.run(lambda: watch.start(program.wake))
        except OSError as error:
            say_error(f"it cannot be started: {(error.strerror or 'no reason is known').lower()}", "")
            return _NOT_STARTED
        finally:
            watch.stop()
    if program.reason:
        say_error(f"the lease has ended ({program.reason}), and so the command was ended", "")
        return status or _CUT_SHORT
    return status
