"""The login that an SSH connection takes: which secret of a lease it is, where it leads, and who logs in there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.http import Client
from cli.opening import called, used
from vault.errors import Invalid, NotFound

BY_KEY = frozenset({"ssh-key", "ssh-added-key"})
SHELL = frozenset({"ssh-password"}) | BY_KEY
FILES = SHELL | {"sftp"}
_USUAL = 22

_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_UNSPEAKABLE = re.compile(r"[\s\x00-\x1f\x7f'\"`$;&<>|(){}%]|\A-|\\\Z")
"""What ssh itself refuses in the name of a user (its `valid_ruser`), and what it would expand."""


@dataclass(frozen=True)
class Login:
    """Where a secret leads, checked: nothing in it can be taken for an option or a command."""

    secret: str
    kind: str
    host: str
    port: int
    username: str
    given_key: str
    """What the customer says of the server's key: a fingerprint or a line; empty where they say nothing."""

    @property
    def by_key(self) -> bool:
        """Whether it is a key that logs in, and not a password."""
        return self.kind in BY_KEY

    @property
    def shown(self) -> str:
        """As people write it."""
        host = f"[{self.host}]" if ":" in self.host and self.port != _USUAL else self.host
        return f"{self.username}@{host}" + (f":{self.port}" if self.port != _USUAL else "")


def chosen(held: Sequence[dict[str, Any]], named: str, kinds: frozenset[str]) -> dict[str, Any]:
    """The secret that connects, named by id or kind where several do. Raises Invalid otherwise."""
    able = [one for one in held if one["kind"] in kinds]
    fitting = called(able, named)
    if len(fitting) == 1:
        return fitting[0]
    if not able:
        raise Invalid("there is no login here that this works with").hinting(
            "there is " + (", ".join(one["kind"] for one in held) or "nothing given yet")
        )
    told = ", ".join(f"{one['id']} ({one['kind']})" for one in able)
    raise Invalid("several logins here connect" if fitting else "no login here is called that").hinting(
        f"{told}; choose with --secret"
    )


def login(client: Client, lease: dict[str, Any], secret: dict[str, Any]) -> Login:
    """Open where a secret leads, for ssh. Raises what the server refuses, and Invalid for what ssh would misread."""
    host, port, username = (_field(client, lease, secret, name) for name in ("host", "port", "username"))
    return Login(
        secret=str(secret["id"]),
        kind=str(secret["kind"]),
        host=checked_host(host),
        port=checked_port(port),
        username=checked_username(username),
        given_key=_field(client, lease, secret, "host_key", required=False),
    )


def _field(
    client: Client, lease: dict[str, Any], secret: dict[str, Any], name: str, *, required: bool = True
) -> str:
    if not required and name not in secret["fields"]:
        return ""
    try:
        return used(client, lease, str(secret["id"]), name).content.decode()
    except NotFound:
        if required:
            raise
        return ""


def secret_of(client: Client, lease: dict[str, Any], secret: dict[str, Any], name: str) -> str:
    """Open what logs in, or the passphrase of a key; empty where there is none."""
    return _field(client, lease, secret, name, required=name != "passphrase")


def folder_of(client: Client, lease: dict[str, Any], secret: dict[str, Any]) -> str:
    """The folder that the customer names; empty where none is."""
    return _field(client, lease, secret, "folder", required=False)


def checked_host(raw: str) -> str:
    """The name or address of a server, as ssh looks it up (IDNA for what is not ASCII). Raises Invalid."""
    try:
        host = raw if raw.isascii() else raw.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        raise Invalid("the name of this login's server is none that ssh could be given; nothing was started")
    return host.lower()


def checked_port(raw: str) -> int:
    """A port. Raises Invalid."""
    if not _PORT.fullmatch(raw) or int(raw) > 65_535:  # noqa: PLR2004 (RFC 9293: 16 bits)
        raise Invalid("the port of this login is none; nothing was started")
    return int(raw)


def checked_username(raw: str) -> str:
    """A user name that ssh takes for nothing else. Raises Invalid."""
    if not raw or _UNSPEAKABLE.search(raw):
        raise Invalid(
            "the user name of this login has characters that ssh would take for something else; nothing was started"
        )
    return raw
