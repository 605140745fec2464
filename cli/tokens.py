"""API tokens for integrations."""

from typing import Annotated

import typer

from cli import proving
from cli.http import signed_in
from cli.moments import until
from cli.terminal import AsJson, put, put_json, put_table, say, say_next

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_DAYS = 90


@app.command()
def make(
    name: Annotated[str, typer.Argument(help="What it is for, like 'helpdesk'.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="services:read, services:write, tickets:read, tickets:write or log:read; repeatable."
        ),
    ],
    days: Annotated[int, typer.Option(min=1, help="For how long, 365 at most.")] = _DAYS,
    as_json: AsJson = False,
) -> None:
    """Make an API token; it is printed this once and shown never again.

    It never does more than you may do yourself, and never reveals a secret.
    Your code is asked for, or read from stdin.
    """
    with signed_in() as client:
        made = proving.deed(client, "/api/v1/tokens", name=name, scopes=scope, days=days)
    if as_json:
        put_json(made)
    else:
        put(made["token"])
    about = made["about"]
    say(f"{about['id']} works until {until(about['expires_at'])}, for {', '.join(about['scopes'])}")
    say_next(f"valetkey token end {about['id']}")


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List your API tokens that work."""
    with signed_in() as client:
        found = client.get("/api/v1/tokens")
    if as_json:
        put_json(found)
        return
    put_table(
        ("id", "name", "scopes", "made", "last used", "until"),
        (
            (
                one["id"],
                one["name"],
                ", ".join(one["scopes"]),
                until(one["made_at"]),
                until(one["used_at"]) or "never",
                until(one["expires_at"]),
            )
            for one in found
        ),
        "you have no API tokens",
    )
    say_next("valetkey token end ID" if found else "valetkey token make NAME --scope SCOPE")


@app.command()
def end(chosen: Annotated[str, typer.Argument(metavar="ID", help="The token's id, tok_…")]) -> None:
    """End an API token at once."""
    with signed_in() as client:
        client.post("/api/v1/tokens", chosen, "end")
    say("the token has ended; it does nothing any more")
    say_next("valetkey token list")
