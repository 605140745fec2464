"""On the vault's host: let a helpdesk tell of tickets. Of which services it may, a coordinator says."""

from typing import Annotated, Any

import typer

from cli.host import tell_server
from cli.moments import until
from cli.terminal import AsJson, ask, ask_yes, put_details, put_json, put_table, say, say_next
from vault.errors import Invalid

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Helpdesk = Annotated[str, typer.Argument(help="The helpdesk's id, hlp_…")]


@app.callback()
def _helpdesk() -> None:
    """Let a helpdesk tell the vault of tickets.

    It says when they are opened and closed, and who is on them.

    A coordinator says of which services it may tell (valetkey service connect). It opens no secret and destroys
    nothing.
    """


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What you call it, like 'Zammad'.")] = "",
    kind: Annotated[
        str, typer.Option(help="standard (anything that signs by Standard Webhooks) or zammad.")
    ] = "standard",
    as_json: AsJson = False,
) -> None:
    """Let a helpdesk tell of tickets.

    It prints the address for it, and what it signs with, this once.
    """
    made = tell_server("helpdesk add", name=name or ask("name"), kind=kind)
    _put_secret(made, as_json=as_json)
    say("type both into the helpdesk; a coordinator then connects the services of which it may tell")
    say_next(f"valetkey service connect SERVICE {made['id']}")


@app.command("list")
def everything(as_json: AsJson = False) -> None:
    """List the helpdesks, those that have ended too."""
    found = tell_server("helpdesk list")
    put_all(found, as_json=as_json)
    say_next("valetkey helpdesk add NAME")


@app.command()
def renew(
    helpdesk: Helpdesk,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="The secret before counts no more, because somebody has it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new signing secret for a helpdesk.

    The one before counts for a day more.
    """
    made = tell_server("helpdesk secret", id=helpdesk, at_once=at_once)
    _put_secret(made, as_json=as_json)
    say("what is signed with the secret before is refused from now on" if at_once else _A_DAY)
    say_next("valetkey helpdesk list")


_A_DAY = "type it into the helpdesk within a day; until then the secret before counts too"


@app.command()
def end(
    helpdesk: Helpdesk,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Believe a helpdesk nothing any more.

    Tickets and assignments stay as they are.
    """
    if not yes and not ask_yes("believe this helpdesk nothing any more"):
        raise Invalid("nothing was changed")
    tell_server("helpdesk end", id=helpdesk)
    say("nothing that this helpdesk says is believed any more; its tickets are yours to look after")
    say_next("valetkey helpdesk list")


def _put_secret(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        put_json(made)
        return
    put_details({"id": made["id"], "address": made["address"], "secret": made["secret"]})


def put_all(found: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print helpdesks, one a line."""
    if as_json:
        put_json(found)
        return
    put_table(
        ("id", "name", "kind", "state", "since", "services"),
        (
            (
                one["id"],
                one["name"],
                one["kind"],
                one["state"],
                until(one["created_at"]),
                " ".join(one["services"]) or "none yet",
            )
            for one in found
        ),
        "no helpdesk tells of anything",
    )
