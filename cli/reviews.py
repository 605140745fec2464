"""Reviews of leases that began by broken glass: somebody else says whether it was justified."""

from typing import Annotated, Any

import typer

from cli import proving
from cli.http import signed_in
from cli.moments import until
from cli.terminal import AsJson, ask, put, put_details, put_json, put_table, say, say_next
from vault.errors import Invalid

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Review the leases that began by broken glass.",
)

Review = Annotated[str, typer.Argument(help="The review's id, rev_…")]

_JUSTIFIED, _NOT_JUSTIFIED = "justified", "not justified"


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the reviews, those that wait first."""
    with signed_in() as client:
        reviews = client.get("/api/v1/reviews")
    if as_json:
        put_json(reviews)
        return
    put_table(
        ("review", "state", "due", "who", "customer", "ticket", "reason"),
        (
            (
                one["id"],
                one["verdict"] or one["state"],
                until(one["due_at"]) if one["state"] == "open" else "",
                one["lease"]["person_name"],
                one["lease"]["customer_name"],
                one["lease"]["ticket_number"],
                one["reason"],
            )
            for one in reviews
        ),
        "no glass was broken",
    )
    say_next("valetkey review show REVIEW" if reviews else "valetkey lease list")


@app.command()
def show(review: Review, as_json: AsJson = False) -> None:
    """Show who broke the glass, why, and what was opened."""
    with signed_in() as client:
        found = client.get("/api/v1/reviews", review)
    if as_json:
        put_json(found)
        return
    put_details(_details(found))
    for one in found["opened"]:
        put(_opened(one))
    if not found["opened"]:
        say("nothing was opened under it")
    say_next(
        f"valetkey review close {review} --justified, or: --not-justified"
        if found["yours"]
        else "valetkey review list"
    )


def _details(found: dict[str, Any]) -> dict[str, object]:
    lease = found["lease"]
    waits = found["state"] == "open"
    return {
        "review": found["id"],
        "state": found["verdict"] or found["state"],
        "who": lease["person_name"],
        "reason": found["reason"],
        "service": lease["service_title"],
        "customer": lease["customer_name"],
        "ticket": lease["ticket_number"],
        "lease": lease["id"],
        "began": until(found["created_at"]),
        "ended by" if lease["state"] == "ended" else "ends": lease["ended_how"] or until(lease["expires_at"]),
        "due": until(found["due_at"]) if waits else "",
        "closed": ""
        if waits
        else f"{until(found['closed_at'])}, by {found['closed_by_name']}: {found['note']}",
        "not yours": found["why_not"] if waits else "",
    }


def _opened(one: dict[str, Any]) -> str:
    from vault.model.desk_views import WAY_WORDS  # noqa: PLC0415 (slow to import, and most commands do without)

    times = "" if one["times"] == 1 else f", {one['times']} times"
    return f"opened: {one['kind_title']}, {WAY_WORDS.get(one['way'], one['way'])}{times}, last {until(one['last'])}"


@app.command()
def close(
    review: Review,
    justified: Annotated[
        bool | None, typer.Option("--justified/--not-justified", help="What you have found.")
    ] = None,
    note: Annotated[
        str, typer.Option(help="What you have found, 10 to 500 characters; asked for if left out.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Close a review with what you have found."""
    if justified is None:
        raise Invalid("say what you have found: --justified or --not-justified").hinting(
            f"read it first: valetkey review show {review}"
        )
    with signed_in() as client:
        found = client.get("/api/v1/reviews", review)
        for name, value in _details(found).items():
            if value:
                say(f"{name}: {value}")
        for one in found["opened"]:
            say(_opened(one))
        closed = proving.deed(
            client,
            "/api/v1/reviews",
            review,
            "close",
            verdict=_JUSTIFIED if justified else _NOT_JUSTIFIED,
            note=note or ask("what you have found, 10 to 500 characters"),
            seen=sum(one["times"] for one in found["opened"]),
        )
    if as_json:
        put_json(closed)
    say(f"closed: {closed['verdict']}")
    say_next("valetkey review list")
