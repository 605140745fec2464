"""Tickets: pieces of work on a service, and who is assigned to them."""

from typing import Annotated

import typer

from cli.http import signed_in
from cli.lookup import person_id, ticket_id
from cli.services import secret_line
from cli.terminal import AsJson, put, put_details, put_json, put_table, say, say_next, when

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
    say_next(f"valetkey ticket assign {ticket['id']} MAIL")


@app.command()
def assign(ticket: Ticket, person: Person) -> None:
    """Assign a technician to a ticket."""
    _post(ticket, "assign", person)
    say("assigned")
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
    if tickets:
        say_next("valetkey checkout TICKET")


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
            "service ends": when(found["service_ends_at"]),
            "assigned": ", ".join(f"{person['name']} <{person['mail']}>" for person in found["assigned"]),
        }
    )
    for secret in found["secrets"]:
        put(secret_line(secret))
    if found["paused_at"]:
        say(f"paused by the customer since {when(found['paused_at'])}; nothing opens until they let it go on")
    if found["state"] == "open":
        say_next(
            f"valetkey checkout {found['id']}"
            if found["assigned"]
            else f"valetkey ticket assign {found['id']} MAIL"
        )
