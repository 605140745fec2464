"""Signing in and out, one's sessions, and the confidentiality agreement."""

import time
from contextlib import suppress
from typing import Annotated, Any

import typer

from cli import session
from cli.http import CLIENT, Client, signed_in, tokens_in
from cli.moments import until
from cli.terminal import AsJson, ask_to_type, put, put_details, put_json, put_table, say, say_next
from vault.errors import Denied, Ended, Invalid, NotSignedIn, Unavailable, VaultError

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_LONGER_SECONDS = 5
"""What `slow_down` adds to the wait between two polls (RFC 8628, 3.5)."""

sessions = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    help="List and end your sessions.",
)


def login(
    url: Annotated[str, typer.Argument(help="Where the vault is, like https://vault.example")],
    as_json: AsJson = False,
) -> None:
    """Sign in: prints a code, which you approve in a browser where you are signed in.

    The session is kept in this desktop's keyring if there is one, else in a
    file of yours; it ends twelve hours later at the latest.
    """
    with Client(url, {"Valetkey-Client": "cli"}) as client:
        asked = client.post_form("/oauth/device_authorization", client_id=CLIENT)
        if "error" in asked or not all(name in asked for name in ("device_code", "user_code")):
            raise Unavailable("something answered at this address, but not a vault that this command can use")
        say(f"open {asked['verification_uri']} in a browser and give it this code: {asked['user_code']}")
        say(f"or open {asked['verification_uri_complete']}")
        say("waiting for your yes; whoever sent you a code that you did not ask for wants your access")
        found = _allowed(client, asked)
    with suppress(VaultError, OSError), signed_in() as former:
        former.delete("/api/v1/session")
    with session.held():
        where = session.keep(found)
    with signed_in() as client:
        told = client.get("/api/v1/session")
    if as_json:
        put_json(told)
    person = told["person"]
    say(f"signed in as {person['name']} ({', '.join(person['roles'])}) until {until(told['expires_at'])}")
    say(f"the session is kept in {where}; valetkey logout ends it")
    say_next(_first_command(person))


def _allowed(client: Client, asked: dict[str, Any]) -> session.SignedIn:
    """Poll until somebody has answered (RFC 8628, 3.4 and 3.5). Raises Denied, Ended or what the server refuses."""
    wait = float(asked.get("interval", _LONGER_SECONDS))
    give_up = time.monotonic() + float(asked.get("expires_in", 600))
    while time.monotonic() < give_up:
        time.sleep(wait)
        try:
            told = client.post_form(
                "/oauth/token", grant_type=_GRANT, device_code=str(asked["device_code"]), client_id=CLIENT
            )
        except Unavailable as error:
            if type(error) is not Unavailable:
                raise
            wait *= 2  # the network, most likely; what was asked for is still there
            continue
        found = tokens_in(told, client.url)
        if found.token:
            return found
        match told.get("error"):
            case "authorization_pending":
                continue
            case "slow_down":
                wait += _LONGER_SECONDS
            case "access_denied":
                raise Denied("it was refused in the browser")
            case "expired_token":
                break
            case _:
                raise Ended("this sign-in is over; begin again")
    raise Ended("nobody has allowed it in time").hinting("begin again: valetkey login URL")


def logout() -> None:
    """End the session, on the server and here."""
    try:
        with signed_in() as client:
            client.delete("/api/v1/session")
    except NotSignedIn:
        say("nobody was signed in any more")
    else:
        say("signed out")
    url = session.forget()
    say_next(f"valetkey login {url or 'URL'}")


def whoami(as_json: AsJson = False) -> None:
    """Say who is signed in, where, and until when."""
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
            "roles": ", ".join(person["roles"]),
            "agreement": "accepted" if person["agreed"] else "not accepted yet",
            "vault": client.url,
            "until": until(found["expires_at"]),
        }
    )
    say_next(_first_command(person))


@sessions.callback()
def list_sessions(context: typer.Context, as_json: AsJson = False) -> None:
    """List your sessions, on this computer and elsewhere."""
    if context.invoked_subcommand is not None:
        return
    with signed_in() as client:
        found = client.get("/api/v1/account/sessions")
    if as_json:
        put_json(found)
        return
    put_table(
        ("id", "with", "from", "started", "last used", "until", ""),
        (
            (
                one["id"],
                one["client"],
                one["source"],
                until(one["started_at"]),
                until(one["seen_at"]),
                until(one["expires_at"]),
                "this one" if one["here"] else "",
            )
            for one in found
        ),
        "you have no sessions",
    )
    say_next("valetkey sessions end SESSION, or: valetkey sessions end --all")


@sessions.command("end")
def end_session(
    chosen: Annotated[str | None, typer.Argument(metavar="SESSION", help="The session's id, ses_…")] = None,
    everywhere: Annotated[
        bool, typer.Option("--all", help="All of them, this one too; browsers are not known any more.")
    ] = False,
) -> None:
    """End one of your sessions, or all of them."""
    if bool(chosen) == everywhere:
        raise Invalid("name one session, or say --all")
    with signed_in() as client:
        if chosen:
            client.post("/api/v1/account/sessions", chosen, "end")
            say("the session has ended")
            say_next("valetkey sessions")
            return
        client.post("/api/v1/account/sessions/end-all")
    url = session.forget()
    say("you are signed out everywhere")
    say_next(f"valetkey login {url or 'URL'}")


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
        person = client.get("/api/v1/session")["person"]
    say(f"you have accepted version {version} of the confidentiality agreement")
    say_next(_first_command(person))


def _first_command(person: dict[str, Any]) -> str:
    if not person["agreed"]:
        return "valetkey agree"
    first = {
        "technician": "valetkey tickets",
        "coordinator": "valetkey service list",
        "auditor": "valetkey audit list",
    }
    return next((command for role, command in first.items() if role in person["roles"]), "valetkey whoami")
