"""Tickets: pieces of work on a service, and who is assigned to them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import typer

from cli.approvals import whose_yes
from cli.held import first_use, own_leases
from cli.http import Client, signed_in
from cli.lookup import person_id, ticket_id, typable
from cli.moments import typed, until
from cli.services import secret_line
from cli.terminal import AsJson, put, put_details, put_json, put_table, say, say_next

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Ticket = Annotated[str, typer.Argument(help="The ticket's id or number.")]
Person = Annotated[str, typer.Argument(help="The technician's mail address or id.")]


@app.command("open")
def open_(
    service: Annotated[str, typer.Argument(help="The service's id, svc_…")],
    number: Annotated[str, typer.Argument(help="The ticket's number in your helpdesk.")],
    title: Annotated[str, typer.Argument(help="What is to be done.")],
    as_json: AsJson = False,
) -> None:
    """Open a ticket on a service; prints its id."""
    with signed_in() as client:
        ticket = client.post("/api/v1/tickets", service=service, number=number, title=title)
    if as_json:
        put_json(ticket)
    else:
        put(ticket["id"])
    say(f"ticket {ticket['number']} on {ticket['service_title']} is open")
    say_next(f"valetkey ticket assign {typable(ticket['number'], ticket['id'])} MAIL")


@app.command()
def assign(
    ticket: Ticket,
    person: Person,
    ends: Annotated[
        str,
        typer.Option("--until", metavar="TIME", help="Until when, like 18:00, +4h or '2026-12-31 18:00'."),
    ] = "",
) -> None:
    """Assign a technician to a ticket, for good or until a time."""
    last = typed(ends, datetime.now(UTC)).isoformat() if ends else None
    with signed_in() as client:
        whom = {"person": person_id(client, person)} | ({"until": last} if last else {})
        client.post("/api/v1/tickets", ticket_id(client, ticket), "assign", **whom)
    say(f"assigned until {until(last)}" if last else "assigned")
    say_next(f"valetkey ticket show {ticket}")


@app.command()
def unassign(ticket: Ticket, person: Person) -> None:
    """Take a technician off a ticket; leases under it end at once."""
    _post(ticket, "unassign", person)
    say("no longer assigned; leases under this ticket have ended")
    say_next(f"valetkey ticket show {ticket}")


@app.command()
def close(ticket: Ticket) -> None:
    """Close a ticket; leases under it end at once."""
    _post(ticket, "close", None)
    say("the ticket is closed; leases under it have ended")
    say_next("valetkey ticket list")


def _post(ticket: str, deed: str, person: str | None) -> None:
    with signed_in() as client:
        whom = {"person": person_id(client, person)} if person is not None else {}
        client.post("/api/v1/tickets", ticket_id(client, ticket), deed, **whom)


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the tickets that are yours to see."""
    with signed_in() as client:
        tickets = client.get("/api/v1/tickets")
    if as_json:
        put_json(tickets)
        return
    put_table(
        ("number", "id", "state", "customer", "title", "assigned"),
        (
            (
                ticket["number"],
                ticket["id"],
                ticket["state"],
                ticket["customer_name"],
                ticket["title"],
                ", ".join(person["name"] for person in ticket["assigned"]) or "nobody",
            )
            for ticket in tickets
        ),
        "there are no tickets for you",
    )
    say_next("valetkey ticket show TICKET" if tickets else "valetkey service list")


@app.command()
def show(ticket: Ticket, as_json: AsJson = False) -> None:
    """Show a ticket, its people and its secrets."""
    with signed_in() as client:
        found = client.get("/api/v1/tickets", ticket_id(client, ticket))
    if as_json:
        put_json(found)
        return
    put_details(
        {
            "ticket": found["id"],
            "number": found["number"],
            "title": found["title"],
            "state": found["state"],
            "customer": found["customer_name"],
            "service": f"{found['service_title']} ({found['service_id']})",
            "service ends": until(found["service_ends_at"]),
            "assigned": ", ".join(map(_assigned, found["assigned"])),
        }
    )
    for secret in found["secrets"]:
        put(secret_line(secret))
    if found["paused_at"]:
        say(
            f"paused by the customer since {until(found['paused_at'])}; nothing opens until they let it go on"
        )
    say_next(_next(found))


def _next(found: Mapping[str, Any]) -> str:
    name = typable(found["number"], found["id"])
    if found["state"] != "open":
        return "valetkey ticket list"
    if not found["assigned"]:
        return f"valetkey ticket assign {name} MAIL"
    if any(one["state"] == "checked" for one in found["secrets"]):
        return f"valetkey checkout {name}"
    return f"valetkey service show {found['service_id']}"


def _assigned(person: Mapping[str, Any]) -> str:
    end = f" until {until(person['until'])}" if person["until"] else ""
    alone = ", whom nobody else is known to have put there" if person["alone"] else ""
    return f"{person['name']} <{person['mail']}>{end}{alone}"


# -- as a technician, what is mine -------------------------------------------------------------------------------------


class Standing(NamedTuple):
    """How it is with a ticket of one's own, and what one does next."""

    words: str
    command: str


def mine(as_json: AsJson = False) -> None:
    """List your tickets: one line each, with what you hold and what to do next."""
    with signed_in() as client:
        me = client.get("/api/v1/session")["person"]["id"]
        leases = own_leases(client)
        tickets = [
            {**ticket, "leases": [lease for lease in leases if lease["ticket_id"] == ticket["id"]]}
            for ticket in client.get("/api/v1/tickets")
            if ticket["state"] == "open" and any(person["id"] == me for person in ticket["assigned"])
        ]
        standing = [_standing(client, ticket) for ticket in tickets]
    if as_json:
        put_json([{**ticket, "next": one.command} for ticket, one in zip(tickets, standing, strict=True)])
        return
    put_table(
        ("ticket", "customer", "title", "now", "next"),
        (
            (ticket["number"], ticket["customer_name"], ticket["title"], one.words, one.command)
            for ticket, one in zip(tickets, standing, strict=True)
        ),
        "you are on no open ticket; a coordinator puts you on one",
    )
    if first := next((one.command for one in standing if one.command), ""):
        say_next(first)


def _standing(client: Client, ticket: Mapping[str, Any]) -> Standing:
    for state in ("active", "asked", "planned"):
        for lease in ticket["leases"]:
            if lease["state"] == state:
                return _held(client, ticket, lease)
    if ticket["paused_at"]:
        return Standing("paused by the customer", "")
    name = typable(ticket["number"], ticket["id"])
    given = [one for one in _secrets(client, ticket) if one["state"] == "checked"]
    if not given:
        return Standing("nothing is given yet", f"valetkey ticket show {name}")
    return Standing(", ".join(sorted(one["kind"] for one in given)), f"valetkey checkout {name}")


def _secrets(client: Client, ticket: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """A ticket's secrets, which lists leave out."""
    found: Sequence[Mapping[str, Any]] = (
        ticket["secrets"] or client.get("/api/v1/tickets", ticket["id"])["secrets"]
    )
    return found


def _held(client: Client, ticket: Mapping[str, Any], lease: Mapping[str, Any]) -> Standing:
    name = typable(ticket["number"], ticket["id"])
    if lease["state"] == "planned":
        return Standing(f"begins {until(lease['starts_at'])}", f"valetkey checkin {name}")
    if lease["state"] == "asked":
        one = client.get("/api/v1/leases", lease["id"])  # lists do not say what can be broken
        command = f"valetkey break-glass {name}" if one["breakable"] else f"valetkey checkin {name}"
        return Standing(f"waits for the yes of {whose_yes(dict(lease))}", command)
    if lease["paused_at"]:
        return Standing("checked out, and paused by the customer", f"valetkey checkin {name}")
    return Standing(f"checked out until {until(lease['expires_at'])}", first_use(lease, name))
