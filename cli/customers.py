"""Customers of the business."""

from typing import Annotated

import typer

from cli.http import signed_in
from cli.terminal import AsJson, put, put_json, put_table, say, say_next

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The customer's name.")],
    mail: Annotated[str, typer.Argument(help="Where requests for access are sent.")],
    language: Annotated[str, typer.Option(help="In which they are written to: en or de.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Add a customer; prints the customer's id."""
    with signed_in() as client:
        customer = client.post("/api/v1/customers", name=name, mail=mail, language=language)
    if as_json:
        put_json(customer)
    else:
        put(customer["id"])
    say(f"{customer['name']} is a customer now")
    say_next(f"valetkey service register {customer['id']} TYPE TITLE --days DAYS")


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the customers."""
    with signed_in() as client:
        customers = client.get("/api/v1/customers")
    if as_json:
        put_json(customers)
        return
    put_table(
        ("id", "name", "mail"),
        ((customer["id"], customer["name"], customer["mail"]) for customer in customers),
        "there are no customers yet",
    )
    say_next(
        "valetkey service register CUSTOMER TYPE TITLE --days DAYS"
        if customers
        else "valetkey customer add NAME MAIL"
    )
