"""Opening what is checked out: shown to eyes, read by a script, put on the clipboard, made into a one-time code."""

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import typer

from cli import copying, fields, private, terminal
from cli.held import live_lease
from cli.http import signed_in
from cli.moments import seconds_until
from cli.opening import is_file, kind_of, one_secret, one_time_code, revealed, used, with_codes
from cli.terminal import AsJson, put, put_json, say, say_next
from vault.errors import Invalid

Held = Annotated[str, typer.Argument(metavar="TICKET", help="The ticket's number or id, or a lease's id.")]
Field = Annotated[str, typer.Argument(help="The field, like password.")]
SecretOption = Annotated[str, typer.Option(help="Which secret of the lease, by its id or kind.")]

_SCHEME = "vk://"
_PARTS = 3
_WRONG = "a reference is vk://TICKET/SECRET/FIELD, like vk://T-1001/ssh-password/password"


def show(
    ticket: Held,
    field: Field,
    secret: SecretOption = "",
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it into a new file that only you can read.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Reveal one field: its value and nothing else on stdout. It is recorded first.

    Into a pipe or file it goes byte for byte; on a terminal, control characters are shown as escapes.
    """
    with signed_in() as client, private.fresh(to) as out:
        lease = live_lease(client, ticket)
        value = revealed(client, lease, one_secret(lease, secret, field), field)
        if out is not None:
            out.write(value.content)
    if to is not None:
        say(f"written into {to}; delete it when your work is done")
    elif as_json:
        put_json({"value": value.typed})
        return
    elif not _put(value):
        say_next(f"valetkey show {ticket} {field} --to FILE")
        return
    say_next(f"valetkey checkin {lease['id']}")


def read(
    reference: Annotated[str, typer.Argument(help="vk://TICKET/SECRET/FIELD; a secret is its id or kind.")],
) -> None:
    """Print one field for a script: its bytes and nothing else. It is recorded first.

    Into a pipe or file it counts as used by a program, on a terminal as revealed.
    """
    ticket, secret, field = parts_of(reference)
    with signed_in() as client:
        lease = live_lease(client, ticket)
        chosen = one_secret(lease, secret, field)
        is_seen = sys.stdout.isatty()
        value = (revealed if is_seen else used)(client, lease, chosen, field)
    if not _put(value):
        say_next(f"valetkey read {reference} > FILE")
    elif sys.stdout.isatty():
        say_next(f"valetkey checkin {lease['id']}")


def parts_of(reference: str) -> tuple[str, str, str]:
    """Take `vk://TICKET/SECRET/FIELD` apart; what has a slash in it is written as %2F. Raises Invalid."""
    parts = [unquote(part) for part in reference.removeprefix(_SCHEME).split("/")]
    if not reference.startswith(_SCHEME) or len(parts) != _PARTS or not all(parts):
        raise Invalid(_WRONG)
    ticket, secret, field = parts
    return ticket, secret, field


def _put(value: fields.Revealed) -> bool:
    """Print a value; False where it cannot be shown on a terminal."""
    if not sys.stdout.isatty():
        terminal.put_exactly(value.content)
    elif value.is_text:
        for line in value.content.decode("utf-8", "surrogatepass").split("\n"):
            put(line)  # what a customer typed must not steer the terminal
        say("this stays in the terminal's history; pipe it to where it is needed instead")
    else:
        say(f"a file of {len(value.content):,} bytes, which is not text, so none of it is shown here")
        return False
    return True


def copy(
    ticket: Held,
    field: Field,
    secret: SecretOption = "",
    seconds: Annotated[
        int, typer.Option(min=1, max=300, help="How long it stays on the clipboard.")
    ] = copying.SECONDS,
) -> None:
    """Put one field on the clipboard for 30 seconds. It is recorded first, as used."""
    with signed_in() as client:
        lease = live_lease(client, ticket)
        chosen = one_secret(lease, secret, field)
        if is_file(kind_of(lease, chosen), field):
            raise Invalid("this is a file, which no clipboard takes; nothing was opened").hinting(
                f"valetkey show {ticket} {field} --to FILE"
            )
        clipboard = copying.clipboard()
        value = used(client, lease, chosen, field)
    clipboard.take(value.content)
    say(f"{field} is on {clipboard.name} for {seconds} seconds; nothing of it was shown")
    clipboard.clear_after(value.content, seconds)
    say_next(f"valetkey checkin {lease['id']}")


def code(ticket: Held, secret: SecretOption = "", as_json: AsJson = False) -> None:
    """Make a one-time code from a carried second factor; the vault keeps its seed. It is recorded first."""
    with signed_in() as client:
        lease = live_lease(client, ticket)
        made = one_time_code(client, lease, with_codes(lease, secret))
    if as_json:
        put_json(made)
        return
    put(made["code"])
    say(f"it is good for one use, and for {_seconds_left(made)} more seconds")
    say_next(f"valetkey checkin {lease['id']}")


def _seconds_left(made: dict[str, Any]) -> int:
    """How long a code counts; never longer than any does, whatever the clock here says."""
    return max(1, min(int(seconds_until(made["until"])), int(made["period"])))
