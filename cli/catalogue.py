"""The catalogue: applied by the host's operator, read by all of the staff, approved by an administrator."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import proving
from cli.host import tell_server
from cli.http import signed_in
from cli.terminal import AsJson, put, put_json, say, say_next
from vault.errors import Invalid, NotFound

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

WHOSE = {"customer": "the customer", "coordinator": "a coordinator"}

Type = Annotated[str, typer.Argument(metavar="TYPE", help="A service type's name, like domain-transfer.")]
Kind = Annotated[str, typer.Argument(metavar="KIND", help="The extraordinary kind, like registrar.")]


@app.callback()
def _catalogue() -> None:
    """Say which service types there are, and what each may ask of customers."""


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The catalogue, a TOML file.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would change, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the catalogue what the file says; prints what changed.

    It runs on the vault's host. A line that asks for an extraordinary kind waits for an administrator's yes.
    """
    try:
        toml = file.read_bytes().decode()
    except UnicodeDecodeError:
        raise Invalid("the catalogue is not UTF-8 text") from None
    try:
        changed = tell_server("catalogue apply", toml=toml, dry_run=dry_run)
    except Invalid as error:
        if not error.pointer:
            raise
        raise Invalid(f"{error.pointer.strip('/').replace('/', '.')}: {error}") from None
    if as_json:
        put_json(changed)
    else:
        for line in changed:
            put(line)
    if not changed:
        say("the catalogue is like that already")
    elif dry_run:
        say("nothing was changed; without --dry-run it is")
    say_next(f"valetkey catalogue apply {file}" if changed and dry_run else "valetkey catalogue show")


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="[TYPE]", help="One service type; all without it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what each service type asks for, and what waits."""
    with signed_in() as client:
        known = client.get("/api/v1/service-types")
    types = [one for one in known if name in {"", one["name"]}]
    if name and not types:
        raise NotFound("the catalogue has no such service type").hinting("valetkey catalogue show lists all")
    if as_json:
        put_json(types)
        return
    if not types:
        say("the catalogue is empty; an operator runs valetkey catalogue apply on the vault's host")
    for one in types:
        _put_type(one)
    waiting = [(one["name"], asked["kind"]) for one in types for asked in _waiting(one)]
    for name_of_type, kind in waiting:
        say_next(f"an administrator runs valetkey catalogue approve {name_of_type} {kind}")
    if not waiting:
        say_next("valetkey service register CUSTOMER TYPE TITLE --days DAYS" if types else "valetkey whoami")


def _put_type(one: dict[str, Any]) -> None:
    put(f"{one['name']}: {one['title']}")
    grace = f", {one['grace_days']} days of grace after it" if one["grace_days"] else ""
    put(
        f"  leases up to {one['longest_lease_minutes']} minutes, ends within {one['longest_life_days']} days{grace}"
    )
    for way, lines in (("needs", one["needs"]), ("may ask for", one["may_ask"])):
        for asked in lines:
            put(f"  {way} {asked['kind']}, {asked['because']}")
            if asked["approval"]:
                put(f"    {yes_of(asked['approval'])}")
            if asked["necessity"]:
                put(f"    necessity: {asked['necessity']}")
                put(
                    f"    {'approved' if asked['approved'] else 'waits for an administrator: nobody is asked for it'}"
                )


def yes_of(approval: str) -> str:
    """Say whose yes each checkout takes."""
    return f"each checkout takes the yes of {WHOSE[approval]}"


def _waiting(one: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        asked for asked in (*one["needs"], *one["may_ask"]) if asked["necessity"] and not asked["approved"]
    ]


@app.command()
def approve(name: Type, kind: Kind, as_json: AsJson = False) -> None:
    """Approve a line that asks for an extraordinary kind.

    An administrator does this, as the second person. The line is shown first, and exactly that is approved: when the
    operator changes a word of it, it waits again.
    """
    with signed_in() as client:
        known = client.get("/api/v1/service-types")
        lines = [
            (one["title"], asked)
            for one in known
            for asked in (*one["needs"], *one["may_ask"])
            if (one["name"], asked["kind"]) == (name, kind) and asked["necessity"]
        ]
        if not lines:
            raise NotFound("the catalogue has no such line that asks for an extraordinary kind").hinting(
                "valetkey catalogue show lists what waits"
            )
        ((title, asked),) = lines
        say(f"{title} asks customers for {kind}, {asked['because']}")
        say(f"necessity: {asked['necessity']}")
        say(yes_of(asked["approval"]))
        approved = proving.deed(
            client,
            "/api/v1/service-types",
            name,
            kind,
            "approve",
            title=title,
            because=asked["because"],
            necessity=asked["necessity"],
            approval=asked["approval"],
        )
    if as_json:
        put_json(approved)
    say("approved; coordinators can ask customers for it from now on")
    say_next(f"valetkey catalogue show {name}")


@app.command()
def revoke(name: Type, kind: Kind) -> None:
    """Take the approval of such a line back.

    From now on no customer is asked for that kind. Open requests in which it is not answered yet are cancelled;
    whatever else stood in them has to be asked for anew.
    An administrator does this, alone. What customers have given already stays where it is.
    """
    with signed_in() as client:
        client.post("/api/v1/service-types", name, kind, "revoke")
    say("the approval is taken back; nobody is asked for it until an administrator approves it again")
    say(
        "open requests in which it was not answered yet are cancelled; ask anew for whatever else stood in them"
    )
    say_next(f"valetkey catalogue show {name}")
