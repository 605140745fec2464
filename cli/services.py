"""Services of customers: registered, looked at, ended, and the certificate of what was destroyed."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import typer

from cli import proving
from cli.helpdesk import put_all as put_helpdesks
from cli.http import signed_in
from cli.lookup import customer_id
from cli.moments import until
from cli.terminal import AsJson, ask, put, put_details, put_json, put_table, say, say_next, shown
from vault.errors import Invalid

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Service = Annotated[str, typer.Argument(help="The service's id, svc_…")]

_WORDS = {
    "awaited": "awaited",
    "given": "given, not checked yet",
    "checked": "given and checked",
    "refused": "refused and asked for again",
    "withdrawn": "taken back by the customer",
    "purged": "destroyed",
}


@app.command()
def types(as_json: AsJson = False) -> None:
    """List the service types and what each asks for."""
    with signed_in() as client:
        known = client.get("/api/v1/service-types")
    if as_json:
        put_json(known)
        return
    put_table(
        ("type", "title", "needs", "may ask", "longest lease", "longest life", "grace"),
        (
            (
                kind["name"],
                kind["title"],
                ", ".join(asked["kind"] for asked in kind["needs"]) or "nothing",
                ", ".join(asked["kind"] for asked in kind["may_ask"]) or "nothing",
                f"{kind['longest_lease_minutes']} minutes",
                f"{kind['longest_life_days']} days",
                f"{kind['grace_days']} days",
            )
            for kind in known
        ),
        "the catalogue is empty; an operator runs valetkey catalogue apply on the vault's host",
    )
    if known:
        say_next("valetkey catalogue show TYPE")


@app.command()
def register(
    customer: Annotated[str, typer.Argument(help="The customer's id or mail address.")],
    kind: Annotated[
        str, typer.Argument(metavar="TYPE", help="A service type; valetkey service types lists them.")
    ],
    title: Annotated[str, typer.Argument(help="What the customer calls it, like 'Shop migration'.")],
    ends: Annotated[
        str, typer.Option(metavar="DATE", help="Its last day, like 2026-12-31, or an exact time with zone.")
    ] = "",
    days: Annotated[int, typer.Option(help="Or: how many days it lasts from now.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Register a service for a customer; prints its id. Every service has an end."""
    ends_at = end_of(ends, days, datetime.now(UTC))
    with signed_in() as client:
        service = client.post(
            "/api/v1/services",
            customer=customer_id(client, customer),
            type=kind,
            title=title,
            ends_at=ends_at.isoformat(),
        )
    if as_json:
        put_json(service)
    else:
        put(service["id"])
    say(f"{service['title']} for {service['customer']['name']} runs until {until(service['ends_at'])}")
    say_next(f"valetkey request ask {service['id']}")


def end_of(ends: str, days: int, now: datetime) -> datetime:
    """Read the end: an exact time, the last second of a local day, or days from now. Raises Invalid."""
    if bool(ends) == bool(days):
        raise Invalid("say when it ends, either with --ends DATE or with --days DAYS")
    try:
        if days:
            return now + timedelta(days=days)
        if len(ends) == len("2026-12-31"):
            return datetime.combine(date.fromisoformat(ends), time(23, 59, 59)).astimezone(UTC)
        exact = datetime.fromisoformat(ends)
    except (ValueError, OverflowError):
        raise Invalid("give the end as a day like 2026-12-31 or a time like 2026-12-31T18:00:00Z") from None
    if exact.tzinfo is None:
        raise Invalid("give the time with its zone, like 2026-12-31T18:00:00Z")
    return exact


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the services."""
    with signed_in() as client:
        services = client.get("/api/v1/services")
    if as_json:
        put_json(services)
        return
    put_table(
        ("id", "state", "ends", "type", "customer", "title"),
        (
            (
                service["id"],
                service["state"],
                until(service["ends_at"]),
                service["type"],
                service["customer"]["name"],
                service["title"],
            )
            for service in services
        ),
        "there are no services that you may see",
    )
    say_next("valetkey service show SERVICE" if services else "valetkey service register CUSTOMER TYPE TITLE")


@app.command()
def show(service: Service, as_json: AsJson = False) -> None:
    """Show a service with its secrets and requests.

    The values of secrets are never shown here.
    """
    with signed_in() as client:
        found = client.get("/api/v1/services", service)
    if as_json:
        put_json(found)
        return
    put_details(
        {
            "service": found["id"],
            "title": found["title"],
            "customer": found["customer"]["name"],
            "type": found["type"],
            "state": found["state"],
            "ends": until(found["ends_at"]),
            "paused": until(found["paused_at"]),
            "ended": until(found["ended_at"]),
            "keys go": until(found["destroy_at"]),
            "destroyed": until(found["destroyed_at"]),
        }
    )
    for secret in found["secrets"]:
        put(secret_line(secret))
    for request in found["requests"]:
        kinds = ", ".join(request["kinds"])
        put(f"request {request['id']}: {request['state']}, for {kinds}, until {until(request['expires_at'])}")
    if found["state"] == "open":
        waiting = [request["id"] for request in found["requests"] if request["state"] in {"asked", "started"}]
        if any(secret["state"] == "checked" for secret in found["secrets"]):
            say_next(f"valetkey ticket open {found['id']} NUMBER TITLE")
        elif waiting:
            say("the customer is asked already, and has not answered yet")
            say_next(f"valetkey request reissue {waiting[-1]}, for a new code")
        else:
            say_next(f"valetkey request ask {found['id']}")
    elif found["state"] == "destroyed":
        say_next(f"valetkey service certificate {found['id']}")
    elif found["destroy_at"]:
        say_next(f"valetkey service prolong {found['id']} --days DAYS")
    else:
        say_next("valetkey service list")


_WHOSE = {"customer": "the customer", "coordinator": "a coordinator"}


def secret_line(secret: dict[str, Any]) -> str:
    """Describe a secret in a line: everything about it but what is in it."""
    fields = f", fields: {', '.join(secret['fields'])}" if secret["fields"] else ""
    state = _WORDS.get(secret["state"], secret["state"])
    yes = f", each checkout takes the yes of {_WHOSE[secret['approval']]}" if secret.get("approval") else ""
    stops = f", {_stops(secret)}" if secret["line_stops"] else ""
    return f"secret {secret['id']}: {secret['kind']}, {state}{yes}{stops}{fields}"


def _stops(secret: dict[str, Any]) -> str:
    """Until when the line works that the customer added, where the service lasts longer."""
    return f"the line on their server works until {secret['line_stops'][:10]} unless they exchange it"


@app.command()
def prolong(
    service: Service,
    ends: Annotated[
        str,
        typer.Option(metavar="DATE", help="Its new last day, like 2026-12-31, or an exact time with zone."),
    ] = "",
    days: Annotated[int, typer.Option(help="Or: how many days it lasts from now.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Move the end of a service, also in the grace after it.

    Your code is asked for, or read from stdin. What the end has closed stays closed: tickets and requests.
    """
    ends_at = end_of(ends, days, datetime.now(UTC))
    with signed_in() as client:
        found = proving.deed(client, "/api/v1/services", service, "prolong", ends_at=ends_at.isoformat())
    if as_json:
        put_json(found)
    say(f"{found['title']} for {found['customer']['name']} runs until {until(found['ends_at'])}")
    for secret in found["secrets"]:
        if secret["line_stops"]:
            say(f"{secret['id']}: {_stops(secret)}; a mail with the new line goes to them")
    say_next(f"valetkey service show {found['id']}")


@app.command()
def helpdesks(as_json: AsJson = False) -> None:
    """List the helpdesks, and of which services each tells."""
    with signed_in() as client:
        found = client.get("/api/v1/helpdesks")
    put_helpdesks(found, as_json=as_json)
    say_next("valetkey service connect SERVICE HELPDESK")


@app.command()
def connect(
    service: Service, helpdesk: Annotated[str, typer.Argument(help="The helpdesk's id, hlp_…")]
) -> None:
    """Let a helpdesk tell of a service.

    It opens tickets of it, and names it by the service's id.
    """
    with signed_in() as client:
        client.post("/api/v1/services", service, "helpdesk", helpdesk=helpdesk)
    say(f"that helpdesk tells of this service now, which it has to call {service}")
    say_next(f"valetkey service show {service}")


@app.command()
def disconnect(service: Service) -> None:
    """Let no helpdesk tell of a service any more.

    Its tickets stay as they are.
    """
    with signed_in() as client:
        client.delete("/api/v1/services", service, "helpdesk")
    say("no helpdesk tells of this service any more; its tickets stay as they are")
    say_next(f"valetkey service show {service}")


@app.command()
def end(
    service: Service,
    confirm: Annotated[str, typer.Option(help="The service's title, instead of typing it when asked.")] = "",
    as_json: AsJson = False,
) -> None:
    """End a service for good; prints the certificate.

    Its keys are destroyed first, then its secrets. Your code is asked for, or read from stdin.
    """
    with signed_in() as client:
        if not confirm:
            found = client.get("/api/v1/services", service)
            say(f"this ends {found['title']} for {found['customer']['name']}; its secrets go for good")
            confirm = ask(f"type the title “{shown(found['title'])}” to go on")
            if confirm != found["title"]:
                raise Invalid("that was not it; nothing was changed")
        certificate = proving.deed(client, "/api/v1/services", service, "end", confirm=confirm)
    _put_certificate(certificate, as_json)
    say("the service has ended and its secrets are destroyed")
    say_next(f"valetkey service certificate {certificate['service_id']}")


@app.command()
def certificate(service: Service, as_json: AsJson = False) -> None:
    """Print the certificate of destruction."""
    with signed_in() as client:
        found = client.get("/api/v1/services", service, "certificate")
    _put_certificate(found, as_json)
    say_next("valetkey service list")


def _put_certificate(certificate: dict[str, Any], as_json: bool) -> None:
    if as_json:
        put_json(certificate)
        return
    for line in str(certificate["note"]).splitlines():
        put(line)
    say(f"signed with {certificate['key']}")
