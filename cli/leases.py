"""Leases: checked out with a reason and a proof of presence, read field by field, handed back."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import fields, private, proving, terminal
from cli.approvals import answered, whose_yes
from cli.http import signed_in
from cli.lookup import lease_id, ticket_id
from cli.terminal import AsJson, put, put_json, put_table, say, say_next, when
from vault.errors import Invalid, NotFound

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Lease = Annotated[str, typer.Argument(help="The lease's id, lse_…")]
SecretOption = Annotated[str, typer.Option(help="Which secret of the lease, if it has several.")]

_MINUTES = 60


def checkout(
    ticket: Annotated[str, typer.Argument(help="The ticket's id or number.")],
    reason: Annotated[str, typer.Option(help="Why you need it, for the record; asked for if left out.")] = "",
    minutes: Annotated[
        int, typer.Option(min=1, help="For how long; the service type may allow less.")
    ] = _MINUTES,
    secret: Annotated[
        list[str] | None, typer.Option(help="A secret's id; repeatable. Left out: all of them.")
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Where it takes somebody's yes, ask for it and be done.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check access out for a ticket; prints the lease's id. Your code is asked for, or read from stdin.

    Where it takes the customer's or a coordinator's yes, it waits for that up to ten minutes.
    """
    with signed_in() as client:
        chosen = ticket_id(client, ticket)
        secrets = secret or [
            held["id"]
            for held in client.get("/api/v1/tickets", chosen)["secrets"]
            if held["state"] == "checked"
        ]
        if not secrets:
            raise NotFound("the customer has not given anything for this ticket's service yet")
        lease = proving.deed(
            client,
            "/api/v1/tickets",
            chosen,
            "leases",
            secrets=secrets,
            minutes=minutes,
            reason=reason or terminal.ask("reason, 10 to 200 characters"),
        )
        if not as_json:
            put(lease["id"])
        if lease["state"] == "asked":
            say(
                f"it takes the yes of {whose_yes(lease)}, which can be given until {when(lease['expires_at'])}"
            )
            if not no_wait:
                say("waiting for it; Ctrl-C leaves it waiting without you")
                lease = answered(client, lease)
    if as_json:
        put_json(lease)
    if lease["state"] == "asked":
        say_next(f"valetkey lease list, or to take it back: valetkey checkin {lease['id']}")
        return
    say(f"checked out until {when(lease['expires_at'])}; this and every reveal are recorded")
    for held in lease["secrets"]:
        say(f"{held['id']} ({held['kind']}): {', '.join(held['fields'])}")
    say_next(f"valetkey show {lease['id']} FIELD")


def show(
    lease: Lease,
    field: Annotated[str, typer.Argument(help="The field to reveal, like password.")],
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
        held = client.get("/api/v1/leases", lease)
        chosen = secret or _holding(held, field)
        told = proving.deed(client, "/api/v1/leases", lease, "reveal", secret=chosen, field=field)["value"]
        value = fields.revealed(_kind_of(held, chosen), field, str(told))
        if out is not None:
            out.write(value.content)
    if to is not None:
        say(f"written into {to}; delete it when your work is done")
    elif as_json:
        put_json({"value": told})
        return
    elif not sys.stdout.isatty():
        terminal.put_exactly(value.content)
    elif value.is_text:
        for line in value.content.decode("utf-8", "surrogatepass").split("\n"):
            terminal.put(line)  # what a customer typed must not steer the terminal
        say("this stays in the terminal's history; pipe it to where it is needed instead")
    else:
        say(f"a file of {len(value.content):,} bytes, which is not text, so none of it is shown here")
        say_next(f"valetkey show {lease} {field} --to FILE")
        return
    say_next(f"valetkey checkin {lease}")


def _kind_of(lease: dict[str, Any], secret: str) -> str:
    return next((str(held["kind"]) for held in lease["secrets"] if held["id"] == secret), "")


def _holding(lease: dict[str, Any], field: str) -> str:
    """Find the one secret of the lease that has the field. Raises Invalid if the person has to say which."""
    found = [str(held["id"]) for held in lease["secrets"] if field in held["fields"]]
    if len(found) == 1:
        return found[0]
    held = "; ".join(f"{held['id']} has {', '.join(held['fields'])}" for held in lease["secrets"])
    error = Invalid("several secrets have that field" if found else "no secret of this lease has that field")
    vars(error)["hint"] = f"{held}; choose with --secret" if found else held
    raise error


def checkin(
    lease: Annotated[str | None, typer.Argument(help="The lease's id; left out: your only open one.")] = None,
) -> None:
    """Hand access back before the lease ends by itself."""
    with signed_in() as client:
        client.post("/api/v1/leases", lease_id(client, lease), "checkin")
    say("handed back; it opens nothing any more")
    say_next("valetkey ticket list")


def broken(
    lease: Lease,
    secret: SecretOption = "",
    note: Annotated[str, typer.Option(help="What the server said; no secret, the customer reads it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say that a login does not work: the customer is asked for it again."""
    with signed_in() as client:
        chosen = secret or _only(client.get("/api/v1/leases", lease))
        told = note or terminal.ask("what happened (the customer reads it)")
        request = client.post("/api/v1/leases", lease, "broken", secret=chosen, note=told)
    if as_json:
        put_json(request)
    else:
        put(request["id"])
    say("the customer is asked for this login again")
    say_next(f"valetkey checkin {lease}")


def _only(lease: dict[str, Any]) -> str:
    if len(lease["secrets"]) == 1:
        return str(lease["secrets"][0]["id"])
    error = Invalid("this lease has several secrets; say which one does not work")
    held = ", ".join(f"{held['id']} ({held['kind']})" for held in lease["secrets"])
    vars(error)["hint"] = f"{held}; choose with --secret"
    raise error


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List your leases; a coordinator sees all open ones."""
    with signed_in() as client:
        leases = client.get("/api/v1/leases")
    if as_json:
        put_json(leases)
        return
    put_table(
        ("id", "state", "until", "ticket", "who", "customer", "reason"),
        (
            (
                lease["id"],
                lease["ended_how"] or lease["state"],
                when(lease["expires_at"]),
                lease["ticket_number"],
                lease["person_name"],
                lease["customer_name"],
                lease["reason"],
            )
            for lease in leases
        ),
        "there are no leases",
    )
    if any(lease["state"] == "active" for lease in leases):
        say_next("valetkey checkin LEASE, or for somebody else's: valetkey lease revoke LEASE")


@app.command()
def revoke(lease: Lease) -> None:
    """End somebody's lease at once."""
    with signed_in() as client:
        client.post("/api/v1/leases", lease, "revoke")
    say("the lease has ended; it opens nothing any more")
    say_next("valetkey lease list")
