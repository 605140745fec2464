"""`valetkey`: the commands under the people who use them, and the one way in which each of them ends."""

import os
import signal
import sys
from importlib import import_module
from typing import Annotated, Any, NamedTuple, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from cli import exits, terminal


class Entry(NamedTuple):
    """One line of the help. The module is imported when the command is run: help has to be quick."""

    people: str
    name: str
    summary: str
    module: str
    found_as: str


EVERYBODY = "Everybody with an account"
TECHNICIANS = "Technicians"
COORDINATORS = "Coordinators"
CUSTOMERS = "Customers"
AUDITORS = "Auditors"
OPERATORS = "Operators, on the vault's host"

ENTRIES = (
    Entry(EVERYBODY, "login", "Sign in with a code that you approve in a browser.", "account", "login"),
    Entry(EVERYBODY, "logout", "End the session, on the server and here.", "account", "logout"),
    Entry(EVERYBODY, "whoami", "Say who is signed in, and until when.", "account", "whoami"),
    Entry(EVERYBODY, "sessions", "List and end your sessions.", "account", "sessions"),
    Entry(EVERYBODY, "token", "Make API tokens for integrations, end them.", "tokens", "app"),
    Entry(EVERYBODY, "agree", "Read the confidentiality agreement and accept it.", "account", "agree"),
    Entry(
        EVERYBODY, "completion", "Print what lets your shell complete commands.", "completion", "completion"
    ),
    Entry(EVERYBODY, "manual", "Print the manual page.", "manual", "manual"),
    Entry(TECHNICIANS, "tickets", "List your tickets, and what to do next.", "tickets", "mine"),
    Entry(TECHNICIANS, "checkout", "Check access out for a ticket, now or later.", "leases", "checkout"),
    Entry(TECHNICIANS, "run", "Run a command with secrets that only it gets.", "running", "run"),
    Entry(TECHNICIANS, "ssh", "Log in on the customer's server.", "ssh", "ssh"),
    Entry(TECHNICIANS, "sftp", "Bring files there and fetch them.", "ssh", "sftp"),
    Entry(TECHNICIANS, "show", "Reveal one field to your eyes.", "using", "show"),
    Entry(TECHNICIANS, "copy", "Put one field on the clipboard for 30 seconds.", "using", "copy"),
    Entry(TECHNICIANS, "code", "Make a one-time code; its seed stays in the vault.", "using", "code"),
    Entry(TECHNICIANS, "read", "Print one field for a script, by its vk:// name.", "using", "read"),
    Entry(TECHNICIANS, "extend", "Make a lease longer while it runs.", "leases", "extend"),
    Entry(TECHNICIANS, "checkin", "Hand access back before the lease ends by itself.", "leases", "checkin"),
    Entry(TECHNICIANS, "break-glass", "In an emergency, begin without a yes.", "glass", "break_glass"),
    Entry(TECHNICIANS, "broken", "Say that a login does not work.", "leases", "broken"),
    Entry(TECHNICIANS, "lease", "List leases and revoke them.", "leases", "app"),
    Entry(COORDINATORS, "customer", "Add and list customers.", "customers", "app"),
    Entry(COORDINATORS, "service", "Register services, look at them, end them.", "services", "app"),
    Entry(COORDINATORS, "request", "Ask a customer for access, cancel, reissue.", "requests", "app"),
    Entry(COORDINATORS, "approval", "Say yes or no to what waits for it.", "approvals", "app"),
    Entry(COORDINATORS, "review", "Review where glass was broken; auditors too.", "reviews", "app"),
    Entry(COORDINATORS, "ticket", "Open tickets, assign staff, close them.", "tickets", "app"),
    Entry(CUSTOMERS, "submit", "Hand over what you were asked for, sealed.", "give", "submit"),
    Entry(AUDITORS, "audit", "Read, export and verify the ledger.", "audit", "app"),
    Entry(OPERATORS, "init", "Make a new vault in its data directory.", "host", "init"),
    Entry(OPERATORS, "serve", "Run the server until it is stopped.", "host", "serve"),
    Entry(OPERATORS, "unseal", "Give the running server its root key.", "host", "unseal"),
    Entry(OPERATORS, "seal", "Make the running server forget the root key.", "host", "seal"),
    Entry(OPERATORS, "status", "Say how the running server is.", "host", "status"),
    Entry(OPERATORS, "doctor", "Look for what is wrong or weak.", "host", "doctor"),
    Entry(OPERATORS, "scan", "Look for card numbers in what is kept.", "scan", "scan"),
    Entry(OPERATORS, "staff", "Add staff and look after their accounts.", "house", "staff"),
    Entry(OPERATORS, "helpdesk", "Let a helpdesk tell of tickets.", "helpdesk", "app"),
    Entry(OPERATORS, "catalogue", "Say which service types there are.", "catalogue", "app"),
    Entry(OPERATORS, "terms", "Post terms for customers, thirty days ahead.", "terms", "app"),
    Entry(OPERATORS, "keyring", "Keep the keyring's mirror.", "house", "keyring"),
    Entry(OPERATORS, "clock", "Settle a clock in doubt.", "house", "clock"),
)
_BY_NAME = {entry.name: entry for entry in ENTRIES}


class ByPeople(TyperGroup):
    """The commands, listed under the people who use them and loaded when they are used."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = cast("Any", dict.fromkeys(_BY_NAME))  # for “did you mean”; `get_command` loads them

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (the caller's signature)
        """List the names in the order of the help."""
        return list(_BY_NAME)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (the caller's signature)
        """Load the command or group of that name, None if there is none."""
        entry = _BY_NAME.get(cmd_name)
        if entry is None:
            return None
        found = getattr(import_module(f"cli.{entry.module}"), entry.found_as)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(entry.name)(found)
            found = alone
        command = get_command(found)
        command.name = entry.name
        command.help = command.help or entry.summary
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (the caller's signature)
        """Write a section for each kind of people."""
        for people in dict.fromkeys(entry.people for entry in ENTRIES):
            with formatter.section(people):
                formatter.write_dl(
                    [(entry.name, entry.summary) for entry in ENTRIES if entry.people == people]
                )


app = typer.Typer(
    name="valetkey",
    cls=ByPeople,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 (help must be quick)

        try:
            terminal.put(version("valetkey"))
        except PackageNotFoundError:
            terminal.put("0")  # run from a clone
        raise typer.Exit


@app.callback()
def _valetkey(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep customers' server credentials: encrypted, lent for a ticket, recorded, ended, destroyed.

    Data goes to stdout and talk to stderr; --json prints data as JSON. Secrets
    are prompted for or read from stdin.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit status. Nothing escapes: no traceback, and no locals of one."""
    try:
        status = app(arguments, prog_name="valetkey", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return exits.INTERRUPTED
    except (BrokenPipeError, SystemExit) as end:
        # Typer turns the first into the second; uvicorn uses it too, after it has logged why it cannot serve.
        if not isinstance(end, BrokenPipeError) and not isinstance(end.__context__, BrokenPipeError):
            return os.EX_UNAVAILABLE
        # Whoever read this has read enough; what Python still holds must not fail again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return exits.CLOSED_PIPE
    except Exception as error:  # noqa: BLE001 (the last place where an error can become a sentence)
        if exits.is_help(error):
            sys.stderr.write(f"{exits.sentence(error)[0]}\n")
        else:
            terminal.say_error(*exits.sentence(error))
        return exits.exit_status(error)
    return status if isinstance(status, int) else os.EX_OK


def run() -> None:
    """Run as the console script. A second Ctrl-C while Python ends stays quiet too."""
    status = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)
