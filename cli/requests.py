"""Requests to a customer for access."""

from typing import Annotated, Any, Literal

import typer

from cli.http import signed_in
from cli.moments import until
from cli.terminal import AsJson, put, put_json, say, say_next

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Deliver = Annotated[
    Literal["mail", "hand"],
    typer.Option(
        help="By mail to the customer, or by hand: then the link is printed once, for you to hand over."
    ),
]
Pin = Annotated[
    bool,
    typer.Option(help="Protect the form by a PIN too; it is printed once, for you to tell by telephone."),
]
Request = Annotated[str, typer.Argument(help="The request's id, req_…")]


@app.command()
def ask(
    service: Annotated[str, typer.Argument(help="The service's id, svc_…")],
    kind: Annotated[
        list[str] | None,
        typer.Option(help="A kind to ask for; repeatable. Left out: all that the type needs."),
    ] = None,
    deliver: Deliver = "mail",
    pin: Pin = False,
    as_json: AsJson = False,
) -> None:
    """Ask a customer for access; prints the request's id.

    Delivered by hand, it prints the link too, and with a PIN that as well, this once.
    """
    with signed_in() as client:
        request = client.post(
            "/api/v1/services", service, "requests", kinds=kind or None, deliver=deliver, pin=pin
        )
    _put_request(request, as_json)


@app.command()
def reissue(request: Request, deliver: Deliver = "mail", pin: Pin = False, as_json: AsJson = False) -> None:
    """Give a request a new intake code; the old one stops working.

    A request that had a PIN gets a new one of those too.
    """
    with signed_in() as client:
        fresh = client.post("/api/v1/requests", request, "reissue", deliver=deliver, pin=pin)
    say("the old code no longer works")
    _put_request(fresh, as_json)


@app.command()
def cancel(request: Request) -> None:
    """Take a request back; its intake code stops working."""
    with signed_in() as client:
        client.post("/api/v1/requests", request, "cancel")
    say("the request is cancelled and its code no longer works")
    say_next("valetkey service list")


def _put_request(request: dict[str, Any], as_json: bool) -> None:
    if as_json:
        put_json(request)
    else:
        put(request["id"])
        if request["link"]:
            put(request["link"])
        if request["pin"]:
            put(request["pin"])
    asked = ", ".join(request["kinds"])
    if request["deliver"] == "mail":
        say(f"the customer is asked by mail for {asked}, until {until(request['expires_at'])}")
    else:
        say(f"hand the link over yourself; it opens the form once, until {until(request['expires_at'])}")
    if request["pin"]:
        say("tell the PIN by telephone, never in the same way as the link; five wrong tries end the code")
    say_next(f"valetkey service show {request['service_id']}")
