"""On the vault's host: look through what is kept for what must not be."""

from typing import Any

import typer

from cli.exits import NOT_VERIFIED
from cli.host import tell_server
from cli.terminal import AsJson, put_json, put_table, say, say_next


def scan(as_json: AsJson = False) -> None:
    """Look through every kept secret for card numbers and card codes. The vault has to be unsealed.

    Each is opened in the server's memory, with an entry of its own in the ledger, and shown to nobody. What holds a
    card number is purged, and its customer is asked again. Exit status 1 if one could not be opened.
    """
    looked_at = 0
    purged: list[Any] = []
    unopened: list[Any] = []
    after, more = "", True
    while more:
        page = tell_server("scan", after=after)
        looked_at += page["looked_at"]
        purged += page["purged"]
        unopened += page["unopened"]
        after = page["after"]
        more = bool(after)
    if as_json:
        put_json({"looked_at": looked_at, "purged": purged, "unopened": unopened})
    else:
        rows = [("purged", found) for found in purged] + [("not opened", found) for found in unopened]
        put_table(
            ("result", "service", "secret", "kind", "why", "what follows"),
            (
                (result, found["service"], found["secret"], found["kind"], found["why"], found["then"])
                for result, found in rows
            ),
            "nothing was found",
        )
    say(f"looked at {looked_at} {'secret' if looked_at == 1 else 'secrets'}, purged {len(purged)}")
    say_next("valetkey doctor")
    if unopened:
        raise typer.Exit(NOT_VERIFIED)
