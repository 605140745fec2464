"""`valetkey ssh` and `valetkey sftp`: stock OpenSSH with a customer's login, which nobody gets to see.

What logs in is opened for the program when it is about to connect, and is in the memory of what needs it: this process,
and ssh or an agent of its own. ssh is told everything by options and reads no configuration, since what stands there
could run programs, use other agents, share the connection with later ones or send it another way.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import sshagents, sshruns
from cli.held import MINUTES, found_lease, held_for
from cli.http import Client, signed_in
from cli.lookup import ticket_id
from cli.moments import seconds_until, until
from cli.sshasking import Answers, Door, asked_at_terminal, checked
from cli.sshlogins import FILES, SHELL, Login, chosen, folder_of, login, secret_of
from cli.sshtrust import explain, trusted
from cli.terminal import say
from cli.watching import Watch
from vault.errors import Unavailable
from vault.model.hostkeys import ServerKey
from vault.values import Plaintext

Ticket = Annotated[str, typer.Argument(help="The ticket's number or id, or a lease's id.")]
SecretOption = Annotated[
    str, typer.Option("--secret", help="Which login, by id or kind, where the lease has several.")
]
HostKeyOption = Annotated[
    str,
    typer.Option(
        "--host-key", metavar="FINGERPRINT", help="The server's key as you know it, SHA256:…; for scripts."
    ),
]
ReasonOption = Annotated[str, typer.Option(help="Why you need it, where it is checked out for this.")]
MinutesOption = Annotated[int, typer.Option(min=1, help="For how long, where it is checked out for this.")]

_FAILED = 255
"""How ssh ends where it did not connect (ssh(1))."""
_OPTIONS = {
    # It is that server and no other, and nothing about it is written down.
    "StrictHostKeyChecking": "yes",
    "GlobalKnownHostsFile": "/dev/null",
    "UpdateHostKeys": "no",
    "VerifyHostKeyDNS": "no",
    "CheckHostIP": "no",
    # Nobody else's way there, and nothing of this connection for anybody else.
    "ProxyCommand": "none",
    "ControlMaster": "no",
    "ControlPath": "none",
    "ControlPersist": "no",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "ClearAllForwardings": "yes",
    "Tunnel": "no",
    "PermitLocalCommand": "no",
    # No key or ticket of the technician's own is offered to a customer's server.
    "IdentityFile": "none",
    "PKCS11Provider": "none",
    "AddKeysToAgent": "no",
    "GSSAPIAuthentication": "no",
    "HostbasedAuthentication": "no",
    # With ~ ssh would go to the background or be suspended, and outlive the lease.
    "EscapeChar": "none",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "3",
    "ConnectTimeout": "30",
}
_BY_PASSWORD = {
    "BatchMode": "no",  # before sftp's own: it asks for nothing in a batch, and here it is not a person who is asked
    "IdentityAgent": "none",
    "PubkeyAuthentication": "no",
    "PreferredAuthentications": "password,keyboard-interactive",
    "NumberOfPasswordPrompts": "1",
}
_BY_KEY = {"BatchMode": "yes", "PreferredAuthentications": "publickey"}

Command = Callable[[Login, Sequence[str]], list[str]]
"""From a login and the options of OpenSSH to what is run."""


def ssh(
    ticket: Ticket,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="-- CMD", help="What to run there; left out: a shell.")
    ] = None,
    secret: SecretOption = "",
    host_key: HostKeyOption = "",
    tty: Annotated[bool, typer.Option("--tty", "-t", help="Give the command a terminal there.")] = False,
    reason: ReasonOption = "",
    minutes: MinutesOption = MINUTES,
) -> None:
    """Log in on the customer's server by SSH, for as long as the lease lasts.

    It works under your lease of the ticket, which stays; if there is none, access is
    checked out first and handed back at the end. It ends with the exit status of the
    command there, and with 255 where ssh could not connect.
    """

    def words(to: Login, options: Sequence[str]) -> list[str]:
        terminal = ["-o", "RequestTTY=force"] if tty else []
        return ["ssh", *options, "-p", str(to.port), *terminal, "--", to.host, *(command or ())]

    raise typer.Exit(_connected(ticket, SHELL, secret, host_key, reason, minutes, words))


def sftp(
    ticket: Ticket,
    batch: Annotated[
        str,
        typer.Option(metavar="FILE", help="Commands to run, - for stdin; it ends at the first that fails."),
    ] = "",
    secret: SecretOption = "",
    host_key: HostKeyOption = "",
    reason: ReasonOption = "",
    minutes: MinutesOption = MINUTES,
) -> None:
    """Bring files to the customer's server and fetch them, for as long as the lease lasts.

    Leases, and the end, as of valetkey ssh. It ends with the exit status of sftp.
    """

    def words(to: Login, options: Sequence[str]) -> list[str]:
        host = f"[{to.host}]" if ":" in to.host else to.host
        return ["sftp", *options, "-P", str(to.port), *(["-b", batch] if batch else []), "--", host]

    raise typer.Exit(_connected(ticket, FILES, secret, host_key, reason, minutes, words))


def _connected(
    ticket: str, kinds: frozenset[str], named: str, host_key: str, reason: str, minutes: int, words: Command
) -> int:
    """Connect under a lease and give the exit status. Raises what opens nothing, another host key, and Ended."""
    with signed_in() as client, _held(client, ticket, kinds, named, reason, minutes) as lease:
        secret = chosen(lease["secrets"], named, kinds)
        to = login(client, lease, secret)
        key = trusted(client, lease, to, host_key)
        if folder := folder_of(client, lease, secret):
            say(f"the customer names this folder: {folder}")
        status = _run(client, lease, secret, to, key, words)
        if status == _FAILED:
            explain(client, lease, to, key)
    return status


def _held(
    client: Client, ticket: str, kinds: frozenset[str], named: str, reason: str, minutes: int
) -> AbstractContextManager[dict[str, Any]]:
    """One's lease of that ticket, or a new one of the login alone: other secrets may take somebody's yes.

    Where nobody sits at the terminal, what comes in is the program's, and nothing is asked of it. Raises NotFound then.
    """
    if found_lease(client, ticket) is not None:
        return held_for(client, ticket, only_watched=True)
    there = client.get("/api/v1/tickets", ticket_id(client, ticket))["secrets"]
    wanted = chosen([one for one in there if one["state"] == "checked"], named, kinds)
    return held_for(
        client, ticket, reason=reason, minutes=minutes, secrets=[str(wanted["id"])], only_watched=True
    )


def _run(
    client: Client,
    lease: dict[str, Any],
    secret: dict[str, Any],
    to: Login,
    key: ServerKey,
    words: Command,
) -> int:
    with ExitStack() as held:
        place = held.enter_context(_place())
        known_hosts = place / "known_hosts"
        known_hosts.write_text(f"{to.host} {key.line}\n", "ascii")
        options = {
            **_OPTIONS,
            "UserKnownHostsFile": f'"{known_hosts}"',
            "HostKeyAlias": to.host,
            "User": _quoted(to.username),
        }
        environment = sshruns.environment()
        if to.by_key:
            agent = _agent(client, lease, secret, to, place, held, environment)
            options |= {**_BY_KEY, "IdentityAgent": f'"{agent}"'}
            environment["SSH_ASKPASS_REQUIRE"] = "never"
            started: Callable[[int], None] | None = None
        else:
            password = checked(secret_of(client, lease, secret, "password"))
            answers = Answers(to.username, to.host, password, asked_at_terminal)
            asking = held.enter_context(closing(Door(place, answers)))
            options |= _BY_PASSWORD
            environment |= asking.environment()
            started = asking.started
        said = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        say(f"{to.shown}, until {until(lease['expires_at'])} at the latest")
        try:
            return sshruns.run(
                words(to, ["-F", "none", *said]), environment, Watch(client, lease, quiet=True), started
            )
        except FileNotFoundError:
            raise Unavailable("this computer has no ssh; install OpenSSH's client") from None


def _agent(
    client: Client,
    lease: dict[str, Any],
    secret: dict[str, Any],
    to: Login,
    place: Path,
    held: ExitStack,
    environment: dict[str, str],
) -> Path:
    """An agent with the key, until the connection is over."""
    known_hosts = place / "known_hosts"
    private = Plaintext(secret_of(client, lease, secret, "private_key"))
    passphrase = secret_of(client, lease, secret, "passphrase")
    seconds = max(1, int(seconds_until(lease["expires_at"])))
    socket = held.enter_context(sshagents.agent(place, seconds, environment))
    sshagents.load(place, socket, private, passphrase, seconds, known_hosts, to.host, environment)
    return socket


def _quoted(value: str) -> str:
    """A value as an option of ssh's, whatever is in it (ssh_config(5))."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextmanager
def _place() -> Iterator[Path]:
    """A folder that only this user enters, for sockets; in memory where the system offers that. Gone afterwards."""
    for base in map(Path, (os.environ.get("XDG_RUNTIME_DIR") or "/tmp", os.environ.get("TMPDIR") or "/tmp")):  # noqa: S108
        if base.is_dir() and os.access(base, os.W_OK) and not _runs_nothing(base):
            place = base / f"valetkey-{secrets.token_hex(8)}"
            place.mkdir(mode=0o700)
            try:
                yield place
            finally:
                shutil.rmtree(place, ignore_errors=True)
            return
    raise Unavailable("there is no folder for the sockets of a connection; set TMPDIR to one of yours")


def _runs_nothing(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0))
