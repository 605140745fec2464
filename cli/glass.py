"""Breaking the glass: a lease begins without the yes that nobody can give, everybody is told, and it is reviewed."""

from typing import Annotated, Any

import typer

from cli import proving
from cli.http import signed_in
from cli.leases import Mine, named_lease
from cli.moments import until
from cli.opening import told_fields
from cli.terminal import AsJson, ask, ask_to_type, put_json, say, say_next
from vault.errors import Conflict

_WORDS = "break the glass"


def break_glass(
    lease: Mine = None,
    reason: Annotated[
        str, typer.Option(help="Why it cannot wait, 40 to 500 characters; asked for if left out.")
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask for the words that make it certain.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Begin what waits for a yes that nobody can give: in an emergency only.

    The customer, every coordinator and every auditor is told at once, and somebody else
    reviews it. Until that is done you cannot do it again.
    """
    with signed_in() as client:
        waiting = client.get(
            "/api/v1/leases", named_lease(client, lease)["id"]
        )  # lists do not say what can be broken
        _refuse_early(waiting)
        why = reason or ask("why it cannot wait, 40 to 500 characters")
        if not yes:
            ask_to_type(_WORDS, _warning(waiting))
        begun = proving.deed(client, "/api/v1/leases", waiting["id"], "break-glass", reason=why)
    if as_json:
        put_json(begun)
    say(f"checked out until {until(begun['expires_at'])}, without a yes; everybody has been told")
    for line in told_fields(begun):
        say(line)
    say_next(f"valetkey show {begun['id']} FIELD, and at the end: valetkey checkin {begun['id']}")


def _refuse_early(lease: dict[str, Any]) -> None:
    """Say why it cannot be done before a reason is asked for. Raises Conflict; the server judges again."""
    if not lease["breakable"]:
        raise Conflict(lease["why_not_breakable"] or "this lease waits for nobody's yes").hinting(
            "valetkey tickets"
        )


def _warning(lease: dict[str, Any]) -> str:
    days, names = lease["review_days"], lease["reviewers"]
    return (
        f"This opens logins of {lease['customer_name']} without the yes that they take, for "
        f"{lease['breakable_minutes']} minutes.\n"
        "The customer, every coordinator and every auditor is told at once, with your reason.\n"
        f"It is reviewed within {days} day{'' if days == 1 else 's'}, by {' or '.join(names)}."
    )
