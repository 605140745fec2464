"""What only the host's operator does with a running vault: staff, catalogue, keyring and clock."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import segno
import typer

from cli import terminal
from cli.host import tell_server
from cli.terminal import AsJson, put, put_json, say, say_next
from vault.errors import Invalid

staff = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
catalogue = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
keyring = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
clock = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@staff.callback()
def _staff() -> None:
    """Add staff."""


@staff.command()
def add(
    name: Annotated[str, typer.Argument(help="The person's name, as customers will read it.")] = "",
    mail: Annotated[str, typer.Argument(help="The mail address to sign in with.")] = "",
    role: Annotated[str, typer.Argument(help="technician, coordinator, auditor or administrator.")] = "",
    password_file: Annotated[
        str, typer.Option(metavar="FILE", help="Take the first password from a file; - is stdin.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Add a person. Asks for what is left out and for a first password.

    It shows the authenticator's seed once, as a QR code.
    """
    name = name or terminal.ask("name")
    mail = mail or terminal.ask("mail address")
    role = role or terminal.ask("role (technician, coordinator, auditor or administrator)")
    password = (
        terminal.read_secret_file(password_file)
        if password_file
        else terminal.ask_twice("first password, at least 12 characters")
    )
    added = tell_server("staff add", name=name, mail=mail, role=role, password=password.expose())
    if as_json:
        put_json(added)
    else:
        put(added["uri"])
        _draw(str(added["uri"]))
    say(f"{added['person']['name']} is {added['person']['role']} now")
    say("scan this once with an authenticator app; it is not shown again, and who has it can make the codes")
    say_next("valetkey login URL")


def _draw(uri: str) -> None:
    """Draw the QR code where somebody looks, beside the data and not in it."""
    if sys.stderr.isatty():
        segno.make(uri, error="l", micro=False).terminal(out=sys.stderr, compact=True)


@catalogue.callback()
def _catalogue() -> None:
    """Say which service types there are."""


@catalogue.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The catalogue, a TOML file.")], as_json: AsJson = False
) -> None:
    """Make the catalogue what the file says; prints what changed."""
    try:
        toml = file.read_bytes().decode()
    except UnicodeDecodeError:
        raise Invalid("the catalogue is not UTF-8 text") from None
    try:
        changed = tell_server("catalogue apply", toml=toml)
    except Invalid as error:
        if not error.pointer:
            raise
        raise Invalid(f"{error.pointer.strip('/').replace('/', '.')}: {error}") from None
    if as_json:
        put_json(changed)
    else:
        for line in changed:
            put(line)
    if not changed:
        say("the catalogue was like that already")
    say_next("valetkey service types")


@keyring.callback()
def _keyring() -> None:
    """Keep the keyring's mirror."""


@keyring.command()
def mirror() -> None:
    """Make the keyring's mirror the same as the keyring, now."""
    say(str(tell_server("keyring mirror")))
    say_next("valetkey doctor")


@clock.callback()
def _clock() -> None:
    """Settle a clock in doubt."""


@clock.command()
def confirm(
    yes: Annotated[
        bool, typer.Option("--yes", help="You have looked at the host's clock and it is right.")
    ] = False,
) -> None:
    """Say that the host's clock is right after it jumped. What has ended by it then ends for good."""
    say(f"this host's clock says {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    if not yes and not terminal.ask_yes("is that right"):
        raise Invalid("then set the host's clock first; nothing was changed")
    tell_server("clock confirm")
    say("the clock is confirmed")
    say_next("valetkey status")
