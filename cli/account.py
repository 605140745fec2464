"""Signing in and out, and the confidentiality agreement."""

from typing import Annotated, Any

import typer

from cli import session
from cli.http import Client, signed_in
from cli.terminal import (
    AsJson,
    ask,
    ask_hidden,
    ask_to_type,
    put,
    put_details,
    put_json,
    say,
    say_next,
    when,
)
from vault.errors import NotSignedIn


def login(
    url: Annotated[str, typer.Argument(help="Where the vault is, like https://vault.example")],
    mail: Annotated[str, typer.Option(help="Your mail address; asked for if left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Sign in with password and code; the session is kept in a file of yours.

    Password and code are prompted for, or read from stdin, a line each.
    """
    with Client(url, {"Valetkey-Client": "cli"}) as client:
        answer = _signed_in(
            client,
            mail=mail or ask("mail address"),
            password=ask_hidden("password").expose(),
            code=ask("code from your authenticator"),
        )
        path = session.keep(session.SignedIn(client.url, str(answer["token"])))
    found = answer["session"]
    if as_json:
        put_json(found)
    person = found["person"]
    say(f"signed in as {person['name']} ({person['role']}) until {when(found['expires_at'])}")
    say(f"the session is kept in {path}, which only you can read; valetkey logout ends it")
    say_next(_first_command(person["role"]) if person["agreed"] else "valetkey agree")


def _signed_in(client: Client, **typed: str) -> Any:
    try:
        return client.post("/api/v1/session", **typed)
    except NotSignedIn as error:
        vars(error)["hint"] = (
            "Each code works once and for half a minute; wait for the next one and try again."
        )
        raise


def logout() -> None:
    """End the session, on the server and here."""
    try:
        with signed_in() as client:
            client.delete("/api/v1/session")
    except NotSignedIn:
        say("nobody was signed in any more")
    else:
        say("signed out")
    session.forget()


def whoami(as_json: AsJson = False) -> None:
    """Say who is signed in, and until when."""
    with signed_in() as client:
        found = client.get("/api/v1/session")
    if as_json:
        put_json(found)
        return
    person = found["person"]
    put_details(
        {
            "name": person["name"],
            "mail": person["mail"],
            "role": person["role"],
            "agreement": "accepted" if person["agreed"] else "not accepted yet",
            "vault": session.kept().url,
            "until": when(found["expires_at"]),
        }
    )
    say_next(_first_command(person["role"]) if person["agreed"] else "valetkey agree")


def agree(
    version: Annotated[
        int | None, typer.Option(help="Accept this version, which you have read, without being asked.")
    ] = None,
) -> None:
    """Read the confidentiality agreement and accept it."""
    with signed_in() as client:
        if version is None:
            agreement = client.get("/api/v1/agreement")
            version = int(agreement["version"])
            for line in str(agreement["text"]).splitlines():
                put(line)
            ask_to_type("I agree", f"\nThis is version {version} of the confidentiality agreement.")
        client.post("/api/v1/agreement", version=version)
        role = client.get("/api/v1/session")["person"]["role"]
    say(f"you have accepted version {version} of the confidentiality agreement")
    say_next(_first_command(str(role)))


def _first_command(role: str) -> str:
    return {
        "technician": "valetkey ticket list",
        "coordinator": "valetkey service list",
        "auditor": "valetkey audit list",
    }.get(role, "valetkey whoami")
