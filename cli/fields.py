"""Asking at the terminal for the fields of one secret, until they are right."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from cli import terminal
from cli.exits import sentence
from cli.terminal import say, say_error
from vault.errors import Invalid
from vault.model.cards import NO_CARDS, holds_card_number
from vault.model.doubts import doubt_of
from vault.model.files import MARK, file_bytes, file_value
from vault.model.kinds import KINDS, Field, Kind, judge
from vault.model.logins import read_login


def asked(kind: type[Kind], files: Mapping[str, str]) -> dict[str, str]:
    """Ask for the fields that the named files do not give. Raises Invalid if nobody is there to be asked again.

    A pasted line like `ssh -p 2222 deploy@shop.example.com` also offers what it says for the fields that follow, and a
    file offers its own name.
    """
    typed: dict[str, str] = {}
    offered: dict[str, str] = {}
    for field in sorted(
        kind.fields, key=lambda field: field.reads != "file"
    ):  # a file says what it is called
        typed[field.name] = _right(field, files, offered)
    while True:
        given = {name: value for name, value in typed.items() if value}
        try:
            judge(kind.name, given)
        except Invalid as fault:
            name = fault.pointer.removeprefix("/fields/")
            again = next((field for field in kind.fields if field.name == name), None)
            if again is None or name in files or not terminal.is_watched():
                raise
            say_error(sentence(fault)[0], again.hint)
            typed[name] = _right(again, files, {})
        else:
            break
    if holds_card_number(given):
        raise Invalid(NO_CARDS, "/fields").hinting("Nothing was sent.")
    return given


def is_sure(kind: type[Kind], fields: Mapping[str, str]) -> bool:
    """Whether something here looks misplaced and the person says that it belongs. Raises Invalid if it does not."""
    doubt = doubt_of(kind.name, fields)
    if not doubt:
        return False
    if not terminal.ask_yes(doubt):
        raise Invalid("then it is better kept where it was; nothing was sent")
    return True


def contents(path: str, field: Field | None) -> str:
    """A field's value out of a file. Raises Invalid for what that field cannot hold, and OSError."""
    data = Path(path).expanduser().read_bytes()
    if field is not None and field.reads == "file":
        return file_value(data)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8 text") from None


@dataclasses.dataclass(frozen=True)
class Revealed:
    """A field's value as the bytes that it stands for."""

    content: bytes = dataclasses.field(repr=False)
    is_text: bool
    typed: str = dataclasses.field(repr=False)
    """As the vault keeps it; a file in base64."""


def revealed(kind: str, name: str, value: str) -> Revealed:
    """The bytes of a revealed field; of a file the file itself. A kind that only a newer server knows is text."""
    reads = {one.name: one.reads for one in KINDS[kind].fields} if kind in KINDS else {}
    if reads.get(name) == "file" and value.startswith(MARK):
        return Revealed(file_bytes(value), is_text=False, typed=value)
    return Revealed(value.encode("utf-8", "surrogatepass"), is_text=True, typed=value)


def _right(field: Field, files: Mapping[str, str], offered: dict[str, str]) -> str:
    """One field's value that can be right by itself; what a pasted login says of others goes into `offered`."""
    while True:
        try:
            value = _value(field, files, offered)
            login = read_login(value) if field.reads == "ssh-command" else None
            if login is not None:
                value = login.host
                offered |= {
                    name: said for name, said in (("port", login.port), ("username", login.username)) if said
                }
            field.check(value)
        except (Invalid, OSError) as error:
            if not terminal.is_watched() or field.name in files:
                raise
            say_error(sentence(error)[0], field.hint)
        else:
            return value


def _value(field: Field, files: Mapping[str, str], offered: dict[str, str]) -> str:
    """One field as it is given; one of several lines out of a file, for a terminal would end them early."""
    if field.name not in files and not field.multiline:
        return _typed(field, offered)
    path = files.get(field.name) or terminal.ask(f"{_title(field)}, the path of its file")
    if path and field.reads == "file":
        offered["name"] = Path(path).name
    return contents(path, field) if path else ""


def _typed(field: Field, offered: Mapping[str, str]) -> str:
    """Ask for one field, byte for byte."""
    if field.choices and terminal.is_watched():
        say(f"one of: {' · '.join(field.choices)}")
    default = offered.get(field.name, field.default)
    return terminal.ask(_title(field), default=default, hidden=field.secret)


def _title(field: Field) -> str:
    return field.title if field.required else f"{field.title} (may be empty)"
