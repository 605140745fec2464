"""Leases that take another person's yes: waiting for it, and as a coordinator saying it."""

import time
from typing import Annotated, Any

import typer

from cli import proving
from cli.http import Client, signed_in
from cli.moments import until
from cli.terminal import AsJson, ask, put, put_details, put_json, put_table, say, say_next
from cli.watching import HOW
from vault.errors import Denied, Ended, Unavailable

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Lease = Annotated[str, typer.Argument(help="The lease's id, lse_…")]

EVERY_SECONDS = 3.0
LONGEST_SECONDS = 600.0

# -- as who has asked --------------------------------------------------------------------------------------------------


def answered(client: Client, lease: dict[str, Any]) -> dict[str, Any]:
    """Wait for the answer to a lease that waits for one; gives the lease once it has begun, or one that takes none.

    Whoever interrupts it leaves the lease waiting. Raises Denied for a no, Ended where nobody will answer any more,
    Unavailable after ten minutes.
    """
    give_up = time.monotonic() + LONGEST_SECONDS
    offered = False
    try:
        while lease["state"] == "asked":
            if time.monotonic() > give_up:
                raise Unavailable(
                    f"nobody has answered yet; it waits on until {until(lease['expires_at'])}"
                ).hinting("the answer comes by mail, too; look with: valetkey lease list")
            if not offered and lease.get("breakable"):
                offered = True
                say(
                    "nobody may be there to say yes; what cannot wait can begin without it, and is reviewed then"
                )
                say_next(f"valetkey break-glass {lease['id']}")
            time.sleep(EVERY_SECONDS)
            lease = client.get("/api/v1/leases", lease["id"])
    except KeyboardInterrupt:
        say()
        say("it waits on without you; the answer comes by mail, too")
        say_next(f"valetkey lease list, or to take it back: valetkey checkin {lease['id']}")
        raise
    if lease["ended_how"] == "refused":
        why = f": {lease['refusal']}" if lease["refusal"] else ""
        raise Denied(f"it was refused by {lease['decided_by_name']}{why}")
    if lease["state"] == "ended":
        raise Ended(f"it has ended: {HOW.get(lease['ended_how'], lease['ended_how'])}")
    return lease


def whose_yes(lease: dict[str, Any]) -> str:
    """Name whom a lease waits for."""
    return f"the customer, {lease['customer_name']}" if lease["approver"] == "customer" else "a coordinator"


# -- as a coordinator --------------------------------------------------------------------------------------------------


@app.callback()
def _approval() -> None:
    """Say yes or no to check-outs that take a coordinator's yes."""


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List what waits for a coordinator's yes."""
    with signed_in() as client:
        waiting = client.get("/api/v1/approvals")
    if as_json:
        put_json(waiting)
        return
    put_table(
        ("lease", "waits for", "until", "who", "minutes", "what", "ticket", "customer", "reason"),
        (
            (
                one["lease"]["id"],
                "you" if one["yours"] else "another",
                until(one["lease"]["expires_at"]),
                one["lease"]["person_name"],
                one["lease"]["minutes"],
                _what(one["lease"]),
                one["lease"]["ticket_number"],
                one["lease"]["customer_name"],
                one["lease"]["reason"],
            )
            for one in waiting
        ),
        "nothing waits for a coordinator's yes",
    )
    say_next("valetkey approval show LEASE" if waiting else "valetkey lease list")


@app.command()
def show(lease: Lease, as_json: AsJson = False) -> None:
    """Show who asks for what and why, and what else lately."""
    with signed_in() as client:
        found = client.get("/api/v1/approvals", lease)
    if as_json:
        put_json(found)
        return
    put_details(_details(found["lease"]) | {"waits for": _waits_for(found)})
    for one in found["lately"]:
        put(f"lately: {until(one['starts_at'])}: {_what(one)}, {one['service_title']}: {one['reason']}")
    say_next(
        f"valetkey approval approve {lease}, or: valetkey approval refuse {lease}"
        if found["yours"]
        else "valetkey approval list"
    )


@app.command()
def approve(lease: Lease, as_json: AsJson = False) -> None:
    """Say yes, with a proof that it is you. It is shown first, and the yes is to exactly that."""
    with signed_in() as client:
        asked = _asked(client, lease)
        begun = proving.deed(client, "/api/v1/leases", lease, "approve", digest=asked["digest"])
    if as_json:
        put_json(begun)
    begins = f"from {until(begun['starts_at'])} " if begun["state"] == "planned" else ""
    say(f"approved; {begun['person_name']} holds it {begins}until {until(begun['expires_at'])}")
    say_next(f"valetkey approval list, or to end it: valetkey lease revoke {lease}")


@app.command()
def refuse(
    lease: Lease,
    reason: Annotated[str, typer.Option(help="Why not; who has asked reads it. Asked for if left out.")] = "",
) -> None:
    """Say no, and why not."""
    with signed_in() as client:
        asked = _asked(client, lease)
        why = reason or ask("why not, 10 to 200 characters")
        client.post("/api/v1/leases", lease, "refuse", digest=asked["digest"], reason=why)
    say(f"refused; {asked['person_name']} is told why")
    say_next("valetkey approval list")


def _asked(client: Client, lease: str) -> dict[str, Any]:
    """The lease as it stands, said to whoever is about to decide on it."""
    asked: dict[str, Any] = client.get("/api/v1/approvals", lease)["lease"]
    for name, value in _details(asked).items():
        if value != "":
            say(f"{name}: {value}")
    return asked


def _details(lease: dict[str, Any]) -> dict[str, object]:
    return {
        "lease": lease["id"],
        "who": lease["person_name"],
        "what": _what(lease),
        "service": lease["service_title"],
        "customer": lease["customer_name"],
        "ticket": lease["ticket_number"],
        "minutes": lease["minutes"],
        "begins": until(lease["begins_at"]),
        "reason": lease["reason"],
    }


def _waits_for(found: dict[str, Any]) -> str:
    lease = found["lease"]
    if lease["state"] != "asked":
        return f"nobody: {lease['ended_how'] or 'it has begun'}"
    if found["yours"]:
        return f"you, until {until(lease['expires_at'])}"
    why = f": {found['why_not']}" if found["why_not"] else ""
    return f"{whose_yes(lease)}{'' if lease['approver'] == 'customer' else ' other than you'}{why}"


def _what(lease: dict[str, Any]) -> str:
    return ", ".join(secret["kind"] for secret in lease["secrets"])
