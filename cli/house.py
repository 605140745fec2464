"""What only the host's operator does with a running vault: staff, keyring and clock."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import terminal
from cli.host import say_link, tell_server
from cli.moments import until
from cli.terminal import AsJson, put, put_json, put_table, say, say_next
from vault.errors import Invalid

staff = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
keyring = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
clock = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


Deliver = Annotated[
    bool,
    typer.Option("--by-hand", help="Print the link here even if a mail server could send it."),
]
Address = Annotated[
    str, typer.Argument(metavar="MAIL", help="The mail address that the person signs in with.")
]
Roles = Annotated[
    str,
    typer.Argument(
        metavar="ROLE[,ROLE]",
        help="technician, coordinator (these two go together), auditor or administrator.",
    ),
]


@staff.callback()
def _staff() -> None:
    """Add staff and look after their accounts, while no two administrators can vouch for each other.

    Once there are two, they do it on the page “People”: one asks, the other one vouches. The record shows what was
    done here as the host's.
    """


@staff.command()
def add(
    name: Annotated[str, typer.Argument(help="The person's name, as customers will read it.")] = "",
    mail: Annotated[str, typer.Argument(help="The mail address to sign in with.")] = "",
    roles: Roles = "",
    by_hand: Deliver = False,
    as_json: AsJson = False,
) -> None:
    """Invite a person. Asks for what is left out.

    They choose their password and second factor themselves, by a link that opens once. It goes to them by mail;
    without a mail server it is printed here, this once.
    """
    name = name or terminal.ask("name")
    mail = mail or terminal.ask("mail address")
    roles = roles or terminal.ask("roles (technician, coordinator, auditor, administrator)")
    invited = tell_server("staff add", name=name, mail=mail, roles=_split(roles), **_how(by_hand))
    _hand_over(invited, as_json=as_json)
    say_next("valetkey staff list")


@staff.command("list")
def everybody(as_json: AsJson = False) -> None:
    """List everybody, those who have left too."""
    people = tell_server("staff list")
    if as_json:
        put_json(people)
        return
    put_table(
        ("mail", "name", "roles", "state", "agreement"),
        (
            (
                person["mail"],
                person["name"],
                ",".join(person["roles"]) or "none",
                person["state"],
                "accepted" if person["agreed"] else "not accepted",
            )
            for person in people
        ),
        "there is nobody yet",
    )
    say_next("valetkey staff add")


@staff.command("roles")
def put_roles(mail: Address, roles: Roles, as_json: AsJson = False) -> None:
    """Give a person these roles instead of theirs. For one day after it they check nothing out."""
    person = tell_server("staff roles", mail=mail, roles=_split(roles))
    if as_json:
        put_json(person)
    say(f"{person['name']} is {' and '.join(person['roles'])} now, signed out everywhere, and told by mail")
    say_next("valetkey staff list")


@staff.command()
def reset(mail: Address, by_hand: Deliver = False, as_json: AsJson = False) -> None:
    """Have a person enrol anew.

    It is for who has lost password or factors, or comes back after they were disabled.
    """
    _hand_over(tell_server("staff reset", mail=mail, **_how(by_hand)), as_json=as_json)
    say_next("valetkey staff list")


@staff.command("mail")
def move(
    mail: Address,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The address that counts from now on.")],
    as_json: AsJson = False,
) -> None:
    """Give a person another mail address. Both addresses are told."""
    invited = tell_server("staff mail", mail=mail, new=new)
    if invited is not None:
        _hand_over(invited, as_json=as_json)
    elif as_json:
        put_json(invited)
    say("the new address counts from now on; the person is signed out everywhere")
    say_next("valetkey staff list")


@staff.command()
def disable(mail: Address) -> None:
    """Disable a person at once: sessions, leases and tokens end. This is always possible."""
    tell_server("staff disable", mail=mail)
    say("the account is disabled; nothing of it works any more")
    say_next("valetkey staff list")


def _split(roles: str) -> list[str]:
    return [role for role in roles.replace(",", " ").split() if role]


def _how(by_hand: bool) -> dict[str, str]:
    return {"deliver": "hand"} if by_hand else {}


def _hand_over(invited: dict[str, Any], *, as_json: bool) -> None:
    """Print the way in, where it is handed over here, and say what it is."""
    person, link = invited["person"], invited["link"]
    if as_json:
        put_json(invited)
    elif link:
        put(link)
    say(f"{person['name']} is invited as {' and '.join(person['roles'])}")
    if link:
        say_link(person["name"], invited["expires_at"])
    else:
        say(f"the invitation goes to {person['mail']}; it can be used until {until(invited['expires_at'])}")


@keyring.callback()
def _keyring() -> None:
    """Keep the keyring's mirror."""


@keyring.command()
def mirror() -> None:
    """Make the keyring's mirror the same as the keyring, now."""
    say(str(tell_server("keyring mirror")))
    say_next("valetkey doctor")


@clock.callback()
def _clock() -> None:
    """Settle a clock in doubt."""


@clock.command()
def confirm(
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask: you have looked at the host's clock and it is right.")
    ] = False,
) -> None:
    """Say that the host's clock is right after it jumped. What has ended by it then ends for good."""
    say(f"this host's clock says {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    if not yes and not terminal.ask_yes("is that right"):
        raise Invalid("then set the host's clock first; nothing was changed")
    tell_server("clock confirm")
    say("the clock is confirmed")
    say_next("valetkey status")
