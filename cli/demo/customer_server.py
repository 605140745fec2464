"""The customer's server: a real SSH server on loopback. It lets in by password and by key, and runs nothing real."""

import contextlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

import asyncssh

from cli.demo.background import Background
from vault.errors import Denied

HOST = "127.0.0.1"
SECONDS = 15
GREETING = "Welcome to the shop server of Blumen Meyer. Nothing that is typed here does anything.\r\n"
PROMPT = "shop:~$ "
ANSWERS = {
    "hostname": "shop",
    "whoami": "",
    "uptime": "up 412 days, 1 user, load average: 0.02",
    "shop --version": "Kleinladen 4.1.7 (needs 4.2)",
    "ls": "backups  public_html  shop.conf",
}
"""Every command that this server knows, and what it prints."""


@dataclass(frozen=True)
class Login:
    """What it takes to get into a server, as its owner would type it into the form."""

    host: str
    port: str
    username: str
    password: str = field(repr=False)
    host_key: str

    def fields(self) -> dict[str, str]:
        """The fields of an ssh-password."""
        return {
            "host": self.host,
            "port": self.port,
            "username": self.username,
            "password": self.password,
            "host_key": self.host_key,
        }


@dataclass
class CustomerServer:
    """A running server, and who got into it."""

    login: Login
    fingerprint: str
    """Its host key's, as ssh shows it."""
    private_key: str = field(repr=False)
    """A key of the same account in OpenSSH's format, for a form that asks for one."""
    visits: list[str] = field(default_factory=list)
    """Who logged in and how, in order, like `deploy by password`."""
    knocks: list[str] = field(default_factory=list)
    """Everybody who got as far as naming a user."""


class _Door(asyncssh.SSHServer):
    def __init__(self, server: CustomerServer, key: asyncssh.SSHKey) -> None:
        self._server = server
        self._key = key
        self._how = ""

    def begin_auth(self, username: str) -> bool:
        self._server.knocks.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._how = "password"
        login = self._server.login
        given, right = (username, password), (login.username, login.password)
        return all(
            hmac.compare_digest(one.encode(), two.encode()) for one, two in zip(given, right, strict=True)
        )

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._how = "key"
        return username == self._server.login.username and key == self._key

    def auth_completed(self) -> None:
        self._server.visits.append(f"{self._server.login.username} by {self._how}")


async def _shell(process: "asyncssh.SSHServerProcess[str]") -> None:
    """Answer one command, or what is typed line by line, from the closed list of answers."""
    username = str(process.get_extra_info("username"))
    if process.command is not None:
        process.exit(_answer(process, process.command, username))
        return
    process.stdout.write(GREETING)
    with contextlib.suppress(asyncssh.BreakReceived, asyncssh.TerminalSizeChanged):
        while True:
            process.stdout.write(PROMPT)
            line = await process.stdin.readline()
            if not line or line.strip() in {"exit", "logout"}:
                break
            if line.strip():
                _answer(process, line, username)
    process.exit(0)


def _answer(process: "asyncssh.SSHServerProcess[str]", command: str, username: str) -> int:
    words = " ".join(command.split())
    if words not in ANSWERS:
        process.stderr.write(f"this server knows only: {', '.join(ANSWERS)}\n")
        return 127
    process.stdout.write(f"{ANSWERS[words] or username}\n")
    return 0


@contextlib.contextmanager
def customer_server(beside: Background, username: str = "", password: str = "") -> Iterator[CustomerServer]:
    """A server with a host key and one account, on a free port of the loopback; name and password of it as you like."""
    host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    listening: list[CustomerServer] = []

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: _Door(listening[0], user_key.convert_to_public()),
            HOST,
            0,
            server_host_keys=[host_key],
            process_factory=_shell,
            agent_forwarding=False,
            allow_scp=False,
        )

    acceptor = beside.run(listen())
    login = Login(
        host=HOST,
        port=str(acceptor.get_port()),
        username=username or f"deploy-{secrets.token_hex(4)}",
        # what a form, a database or a shell might trim, escape or re-encode is in it
        password=password or f' Grüne "Gasse" & <{secrets.token_hex(5)}> ',
        host_key=" ".join(host_key.export_public_key().decode().split()[:2]),
    )
    listening.append(
        CustomerServer(login, host_key.get_fingerprint(), user_key.export_private_key().decode())
    )

    async def close() -> None:
        acceptor.close()
        await acceptor.wait_closed()

    try:
        yield listening[0]
    finally:
        beside.run(close())


async def log_in(fields: dict[str, str], command: str) -> str:
    """Log in as a technician does, with revealed fields only, and run a command; gives what it printed.

    The server must show the host key that the customer gave. Raises Denied when it shows another one, before
    the password is sent, or when the login does not work.
    """
    pinned = asyncssh.import_known_hosts(f"[{fields['host']}]:{fields['port']} {fields['host_key']}\n")
    try:
        async with asyncssh.connect(
            fields["host"],
            int(fields["port"]),
            username=fields["username"],
            password=fields["password"],
            known_hosts=pinned,
            client_keys=None,
            agent_path=None,
            config=None,
            preferred_auth=["password"],
            connect_timeout=SECONDS,
        ) as connection:
            done = await connection.run(command, check=True, timeout=SECONDS)
    except asyncssh.HostKeyNotVerifiable:
        raise Denied("the server shows another host key than the customer gave") from None
    except (asyncssh.Error, OSError) as error:
        raise Denied(f"the server did not let us in: {type(error).__name__}") from None
    return str(done.stdout).strip()
