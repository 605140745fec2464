"""Leases: checked out with a reason and a proof of presence, extended, handed back."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import proving, terminal
from cli.approvals import answered
from cli.held import MINUTES, ask_for, first_use, found_lease, own_leases, say_waiting
from cli.http import Client, signed_in
from cli.lookup import ticket_id
from cli.moments import typed, until
from cli.opening import called, told_fields
from cli.terminal import AsJson, put, put_json, put_table, say, say_next
from vault.errors import Invalid, NotFound

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Lease = Annotated[str, typer.Argument(help="The lease's id, lse_…")]
Mine = Annotated[
    str | None,
    typer.Argument(
        metavar="[TICKET]", help="The ticket's number, or the lease's id; left out: your only open one."
    ),
]
SecretOption = Annotated[str, typer.Option(help="Which secret of the lease, if it has several.")]

_MORE_MINUTES = 30


def checkout(
    ticket: Annotated[str, typer.Argument(help="The ticket's id or number.")],
    reason: Annotated[str, typer.Option(help="Why you need it, for the record; asked for if left out.")] = "",
    minutes: Annotated[
        int, typer.Option(min=1, help="For how long; the service type may allow less.")
    ] = MINUTES,
    secret: Annotated[
        list[str] | None, typer.Option(help="A secret's id or kind; repeatable. Left out: all of them.")
    ] = None,
    begins: Annotated[
        str, typer.Option(metavar="TIME", help="Begin later, like 22:00, +90m or '2026-12-31 22:00'.")
    ] = "",
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Where it takes somebody's yes, ask for it and be done.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check access out for a ticket; prints the lease's id. Your code is asked for, or read from stdin.

    Where it takes the customer's or a coordinator's yes, it waits for that up to ten minutes.
    """
    begins_at = typed(begins, datetime.now(UTC)).isoformat() if begins else None
    with signed_in() as client:
        lease = ask_for(
            client,
            ticket_id(client, ticket),
            reason=reason,
            minutes=minutes,
            secrets=secret or (),
            begins_at=begins_at,
        )
        if not as_json:
            put(lease["id"])
        if lease["state"] == "asked":
            say_waiting(lease, waits=not no_wait)
            if not no_wait:
                lease = answered(client, lease)
    if as_json:
        put_json(lease)
    _say_held(lease)


def _say_held(lease: dict[str, Any]) -> None:
    match lease["state"]:
        case "asked":
            say_next(f"valetkey lease list, or to take it back: valetkey checkin {lease['id']}")
        case "planned":
            say(f"it begins at {until(lease['starts_at'])}, and ends at {until(lease['expires_at'])}")
            say_next(f"valetkey tickets, or to give it up: valetkey checkin {lease['id']}")
        case _:
            say(f"checked out until {until(lease['expires_at'])}; this and every opening are recorded")
            for line in told_fields(lease):
                say(line)
            first = first_use(lease, str(lease["id"]))
            shown = f"valetkey show {lease['id']} FIELD"
            say_next(first if " code " in first else f"{first}, or: {shown}")


def named_lease(client: Client, given: str | None) -> dict[str, Any]:
    """One's own lease that is named by ticket or id, or the only one there is. Raises Invalid, NotFound."""
    if given:
        found = found_lease(client, given)
        if found is None:
            raise NotFound("you have nothing checked out for this ticket").hinting(
                f"valetkey checkout {given}"
            )
        return found
    living = own_leases(client)
    if not living:
        raise NotFound("you have nothing checked out").hinting("valetkey tickets")
    if len(living) > 1:
        raise Invalid("you have several leases; name the one you mean").hinting(
            ", ".join(f"{one['id']} ({one['ticket_number']})" for one in living)
        )
    return living[0]


def extend(
    lease: Mine = None,
    minutes: Annotated[int, typer.Option(min=1, help="By how much.")] = _MORE_MINUTES,
    as_json: AsJson = False,
) -> None:
    """Make a lease longer while it runs, with a proof that it is you."""
    with signed_in() as client:
        held = named_lease(client, lease)["id"]
        longer = proving.deed(client, "/api/v1/leases", held, "extend", minutes=minutes)
    if as_json:
        put_json(longer)
    say(f"checked out until {until(longer['expires_at'])}")
    if longer["extendable_minutes"]:
        say(f"it can be extended by {longer['extendable_minutes']} more minutes")
    say_next(f"valetkey checkin {held}")


def checkin(lease: Mine = None) -> None:
    """Hand access back before the lease ends by itself."""
    with signed_in() as client:
        found = named_lease(client, lease)
        client.post("/api/v1/leases", found["id"], "checkin")
    say(_GIVEN_UP.get(found["state"], "handed back; it opens nothing any more"))
    say_next("valetkey tickets")


_GIVEN_UP = {
    "asked": "taken back; nobody is asked for a yes any more",
    "planned": "given up; it does not begin",
}


def broken(
    lease: Annotated[str, typer.Argument(help="The lease's id, or its ticket's number.")],
    secret: SecretOption = "",
    note: Annotated[str, typer.Option(help="What the server said; no secret, the customer reads it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say that a login does not work: the customer is asked for it again."""
    with signed_in() as client:
        held = named_lease(client, lease)
        chosen = _only(held, secret)
        told = note or terminal.ask("what happened (the customer reads it)")
        request = client.post("/api/v1/leases", held["id"], "broken", secret=chosen, note=told)
    if as_json:
        put_json(request)
    else:
        put(request["id"])
    say("the customer is asked for this login again")
    say_next(f"valetkey checkin {held['id']}")


def _only(lease: dict[str, Any], named: str) -> str:
    """The secret that is named by id or kind, or the only one. Raises Invalid where that is not one."""
    found = [str(one["id"]) for one in called(lease["secrets"], named)]
    if len(found) == 1:
        return found[0]
    held = ", ".join(f"{held['id']} ({held['kind']})" for held in lease["secrets"])
    raise Invalid("this lease has several secrets; say which one does not work").hinting(
        f"{held}; choose with --secret"
    )


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
                "" if lease["state"] == "ended" else until(lease["expires_at"]),
                lease["ticket_number"],
                lease["person_name"],
                lease["customer_name"],
                lease["reason"],
            )
            for lease in leases
        ),
        "there are no leases",
    )
    say_next(
        "valetkey checkin LEASE, or for somebody else's: valetkey lease revoke LEASE"
        if any(lease["state"] != "ended" for lease in leases)
        else "valetkey tickets"
    )


@app.command()
def revoke(lease: Lease) -> None:
    """End somebody's lease at once."""
    with signed_in() as client:
        client.post("/api/v1/leases", lease, "revoke")
    say("the lease has ended; it opens nothing any more")
    say_next("valetkey lease list")
