"""On the vault's host: make it, run it, unseal and seal it, and ask how it is."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from cli import terminal
from cli.exits import NOT_VERIFIED, Misconfigured
from cli.moments import until
from cli.operator import ask_server
from cli.terminal import AsJson, put_details, put_json, put_table, say, say_next
from vault.errors import Invalid, Unavailable
from vault.settings import Settings

if TYPE_CHECKING:
    from vault.crypto.protectors import Protector
PassphraseFile = Annotated[
    str,
    typer.Option("--passphrase-file", metavar="FILE", help="Take the passphrase from a file; - is stdin."),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="Use a key file instead of a passphrase; init makes one that is not there.",
    ),
]


def settings() -> Settings:
    """Read this deployment's configuration. Raises Misconfigured with the name of a setting that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in fault["loc"])
        said = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            said = "there is no setting of that name"
        raise Misconfigured(f"setting {name}: {said}" if name else said) from None
    except ValueError:
        raise Misconfigured("the configuration file is not TOML") from None


def tell_server(do: str, **said: Any) -> Any:
    """Ask the server that runs on this host with this configuration. Raises as `operator.ask_server`."""
    return ask_server(settings().operator_socket, do, **said)


def init(
    passphrase_file: PassphraseFile = "",
    key_file: KeyFileOption = None,
    admin_name: Annotated[
        str, typer.Option("--admin-name", metavar="NAME", help="The name of the first administrator.")
    ] = "",
    admin_mail: Annotated[
        str, typer.Option("--admin-mail", metavar="MAIL", help="The mail address they sign in with.")
    ] = "",
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="You know what a lost passphrase or keyring means. It asks nothing; without --admin-mail nobody is "
            "invited yet.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new vault in its data directory, and invite its first administrator.

    It has two databases, and a root key behind a passphrase or a key file.
    """
    import asyncio  # noqa: PLC0415 (slow to import, and most commands do without)

    from sqlalchemy.exc import OperationalError  # noqa: PLC0415 (as above)

    from vault.operations.house import operator  # noqa: PLC0415 (as above)
    from vault.values import MailAddress, Title  # noqa: PLC0415 (as above)

    chosen = settings()
    if key_file and passphrase_file:
        raise Invalid("a root key has one protector: a passphrase or a key file, not both")
    say(f"this makes a new vault in {chosen.data_dir}")
    say()
    say(f"  1. Who loses the {'key file' if key_file else 'passphrase'} loses everything, for ever.")
    say("     Nobody can reset it. Keep a copy where this host's thief does not find it.")
    say("  2. Who loses the keyring loses everything too. It is a database of its own: mirror it")
    say("     (valetkey keyring mirror) and never back it up: what is destroyed must stay destroyed.")
    say()
    if not yes:
        terminal.ask_to_type("I can lose everything", "Read the two points above.")
    first = None
    if admin_name or admin_mail or not yes:
        name = admin_name or terminal.ask("name of the first administrator")
        mail = admin_mail or terminal.ask("their mail address")
        first = Title.parse(name, "a name").text, MailAddress.parse(mail).text
    os.umask(0o077)  # what is made here is its owner's alone, whatever the shell hands down
    protector = _new_protector(passphrase_file, key_file)
    try:
        made = operator.initialise(chosen, protector)
    except OperationalError:
        raise _no_database() from None
    facts: dict[str, Any] = {
        "deployment": made.deployment,
        "ledger_key": made.ledger_key,
        "statement_key": made.statement_key,
    }
    invited = asyncio.run(operator.invite_first(chosen, protector, *first)) if first else None
    if invited:
        facts |= {"administrator": invited.person.mail, "enrolment_link": invited.link}
    if as_json:
        put_json(facts)
    else:
        put_details({name.replace("_", " "): value for name, value in facts.items()})
    say("the vault is made; publish both keys where this host's operator cannot change them")
    if invited:
        say_link(invited.person.name, invited.expires_at.isoformat())
        say("it works as soon as the server runs and is unsealed: valetkey serve, then valetkey unseal")
    else:
        say("nobody can sign in yet: once the server runs and is unsealed, valetkey staff add invites people")
    say_next("valetkey serve")


def say_link(name: str, ends_at: str) -> None:
    """Say what an enrolment link is that was just printed."""
    say(f"the link is for {name} alone: who opens it chooses the password of that account")
    say(f"it is shown this once, opens once, and can be used until {until(ends_at)}")


def _no_database() -> Unavailable:
    return Unavailable("a database cannot be opened or made").hinting(
        "The folders of data_dir, keyring_url and keyring_mirror_url must be there and belong to this user, "
        "or PostgreSQL has to answer; then run valetkey init again."
    )


def _new_protector(passphrase_file: str, key_file: Path | None) -> "Protector":
    from vault.crypto.protectors import KeyFile, Passphrase  # noqa: PLC0415 (slow to import, and most commands do without)

    if key_file:
        return KeyFile(key_file) if key_file.exists() else KeyFile.make(key_file)
    if passphrase_file:
        return Passphrase(terminal.read_secret_file(passphrase_file))
    return Passphrase(terminal.ask_twice("root passphrase, at least 12 characters"))


def serve(
    intake_only: Annotated[
        bool, typer.Option("--intake-only", help="Only the customers' form, with neither key nor database.")
    ] = False,
) -> None:
    """Run the server until it is stopped. It starts sealed, unless a key file is configured."""
    from api.serve import serve as run_server  # noqa: PLC0415 (slow to import, and most commands do without)

    os.umask(0o077)
    try:
        run_server(settings(), intake_only=intake_only)
    except Unavailable as error:
        if error.hint == Unavailable.hint:
            error.hinting("")  # to wait and to tell the operator helps nobody who is the operator
        raise


def unseal(passphrase_file: PassphraseFile = "", key_file: KeyFileOption = None) -> None:
    """Give the running server its root key.

    The passphrase is stretched in this process, not in the server.
    """
    from vault.crypto.encoding import b64  # noqa: PLC0415 (slow to import, and most commands do without)
    from vault.crypto.protectors import protector_of  # noqa: PLC0415 (slow to import, and most commands do without)

    chosen = settings()
    status = tell_server("status")
    if not status["sealed"]:
        say("the vault is not sealed")
        say_next("valetkey status")
        return
    record = status["protector"]
    passphrase = None
    by_passphrase = record.get("protector") == "passphrase"
    if key_file if by_passphrase else passphrase_file:
        raise Invalid(
            f"this vault opens with a {'passphrase' if by_passphrase else 'key file'}, not with that"
        )
    if by_passphrase:
        passphrase = (
            terminal.read_secret_file(passphrase_file)
            if passphrase_file
            else terminal.ask_hidden("root passphrase")
        )
    protector = protector_of(record, passphrase=passphrase, key_file=key_file or chosen.root_key_file)
    tell_server("unseal", root_key=b64(protector.unprotect(record)))
    say("the vault is unsealed")
    say_next("valetkey doctor")


def seal() -> None:
    """Make the running server forget the root key. Forms still take secrets in; nothing opens."""
    tell_server("seal")
    say("the vault is sealed")
    say_next("valetkey unseal")


def status(as_json: AsJson = False) -> None:
    """Say how the running server is."""
    found = tell_server("status")
    if as_json:
        put_json(found)
    else:
        plain = {name: _plainly(name, value) for name, value in found.items() if name != "protector"}
        put_details({name.replace("_", " "): value for name, value in plain.items()})
    say_next("valetkey unseal" if found["sealed"] else "valetkey doctor")


def _plainly(name: str, value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return until(value) if name in {"time", "ledger_time"} else value


def doctor(as_json: AsJson = False) -> None:
    """Look for what is wrong or weak.

    Rows that do not match the ledger, a clock in doubt, one person who could open everything. Exit
    status 1 if anything is an alarm.
    """
    findings = tell_server("doctor")
    if as_json:
        put_json(findings)
    else:
        put_table(
            ("level", "subject", "finding"),
            ((finding["level"], finding["subject"], finding["text"]) for finding in findings),
            "nothing was looked at",
        )
    is_wrong = any(finding["level"] == "alarm" for finding in findings)
    if is_wrong:
        say("something is wrong; nothing that does not match is opened")
    say_next("valetkey status")
    if is_wrong:
        raise typer.Exit(NOT_VERIFIED)
