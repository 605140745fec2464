"""What a customer's server, or whoever has taken it over, can try with a technician's ssh, and what comes of it."""

import asyncio
import os
import stat
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from cli import sshasking, sshlogins
from cli.sshasking import Answers
from tests.cli import sshd
from tests.cli.desk import Desk
from tests.world import World
from vault.errors import Invalid
from vault.values import Plaintext

PASSWORD = "canary Zq7w hunter2"
STEERING = "\x1b]0;owned\x07\x1b[2J\x1b[31mred \u202eevil\r\n"
PLAIN = "deploy@shop.example.com's password: "


def answers(told: list[str] | None = None, user: str = "deploy", host: str = "shop.example.com") -> Answers:
    def ask(question: str) -> str | None:
        if told is None:
            return None
        told.append(question)
        return "from the person"

    return Answers(user, host, Plaintext(PASSWORD), ask)


@pytest.mark.parametrize(
    "question",
    [
        PLAIN,
        "(deploy@shop.example.com) Password: ",
        "(deploy@shop.example.com) Mot de passe\xa0: ",
        "(deploy@shop.example.com) ",
    ],
)
def test_the_password_answers_what_asks_for_a_password(question: str) -> None:
    assert answers().to(question) == PASSWORD


@pytest.mark.parametrize(
    "question",
    [
        "(deploy@shop.example.com) Verification code: ",
        "(deploy@shop.example.com) New password: ",
        "(deploy@shop.example.com) Retype new password: ",
        "Enter deploy@shop.example.com's new password: ",
        "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
        "Password: ",
        "root@other.example's password: ",
        "(root@other.example) Password: ",
        "",
    ],
)
def test_everything_else_is_asked_of_the_person_or_of_nobody(question: str) -> None:
    told: list[str] = []
    assert answers(told).to(question) == "from the person"
    assert told == [question]
    assert answers().to(question) is None


def test_a_server_that_asks_again_and_again_is_told_twice_at_most() -> None:
    patient = answers()
    assert [patient.to(PLAIN) for _ in range(4)] == [PASSWORD, PASSWORD, None, None]


def test_names_that_sound_like_questions_do_not_confuse_it() -> None:
    code = answers(user="code", host="new.pin.example")
    assert code.to("code@new.pin.example's password: ") == PASSWORD
    assert code.to("(code@new.pin.example) Password: ") == PASSWORD


@pytest.mark.parametrize(
    "username",
    [
        "-oProxyCommand=touch${IFS}x",
        "--",
        "-",
        "$(touch x)",
        "`touch x`",
        "root;touch",
        "a|b",
        "a&b",
        "a>b",
        'a"b',
        "a'b",
        "${MINE}",
        "%h",
        "a b",
        "a\nb",
        "a\\",
        "(a)",
        "",
    ],
)
def test_a_user_name_that_ssh_could_take_for_something_else_starts_nothing(username: str) -> None:
    with pytest.raises(Invalid, match="nothing was started"):
        sshlogins.checked_username(username)


@pytest.mark.parametrize(
    "host",
    [
        "-oProxyCommand=x",
        "-",
        "a b",
        "a@b",
        "a,b",
        "a/b",
        "a%b",
        "a;b",
        "$(x)",
        "`x`",
        "[::1]",
        "a\nb",
        "",
        "a" * 254,
    ],
)
def test_a_host_name_that_ssh_could_take_for_something_else_starts_nothing(host: str) -> None:
    with pytest.raises(Invalid, match="nothing was started"):
        sshlogins.checked_host(host)


def test_names_of_hosts_and_users_that_there_are_pass() -> None:
    for username in ("root", "web1@shop.example", r"SHOP\ada", "user+shop", "übel", "a.b-c_d", "u#2", "a:b"):
        assert sshlogins.checked_username(username) == username
    for host, told in (
        ("Shop.Example.com", "shop.example.com"),
        ("2001:DB8::1", "2001:db8::1"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("192.0.2.7", "192.0.2.7"),
    ):
        assert sshlogins.checked_host(host) == told
    for port in ("0", "65536", "-1", "22x", "", "٢٢"):
        with pytest.raises(Invalid):
            sshlogins.checked_port(port)


@pytest.mark.parametrize("secret", ["a\nb", "a\rb", "a\0b", "é" * 512])
def test_a_password_that_ssh_would_cut_is_refused_and_not_shortened(secret: str) -> None:
    with pytest.raises(Invalid, match="cannot be told"):
        sshasking.checked(secret)


def test_only_what_ssh_has_started_is_answered_and_nobody_who_finds_the_door(tmp_path: Path) -> None:
    with closing(sshasking.Door(tmp_path, answers())) as door:
        assert stat.S_IMODE(door.path.stat().st_mode) == 0o600
        asking = [str(door.program), PLAIN]
        environment = {"PATH": os.environ["PATH"], **door.environment()}
        door.started(os.getpid())
        mine = subprocess.run(asking, env=environment, capture_output=True, check=False)
        assert (mine.returncode, mine.stdout) == (0, f"{PASSWORD}\n".encode())
        sleeper = subprocess.Popen(["sleep", "60"])
        try:
            door.started(sleeper.pid)
            other = subprocess.run(asking, env=environment, capture_output=True, check=False)
            assert (other.returncode, other.stdout) == (1, b"")
        finally:
            sleeper.kill()
            sleeper.wait(10)
        assert PASSWORD not in door.program.read_text()


class Evil(asyncssh.SSHServer):
    """Takes no password, and asks for everything that it can think of."""

    def __init__(self, heard: list[Sequence[str]]) -> None:
        self.heard = heard
        self._rounds = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        conn.send_auth_banner(STEERING)

    def begin_auth(self, username: str) -> bool:
        return True

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return STEERING, STEERING, "", self._questions()

    def _questions(self) -> list[tuple[str, bool]]:
        return [
            ("Password: ", False),
            (f"{STEERING}Your code for the vault: ", True),
            ("Password again: ", False),
        ]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> Any:
        self.heard.append(list(responses))
        self._rounds += 1
        return ("", "", "", self._questions()) if self._rounds < 5 else False


@contextmanager
def evil_server() -> Iterator[tuple[int, str, list[Sequence[str]]]]:
    """Listening on loopback; gives the port, the line of its key and what it was told."""
    heard: list[Sequence[str]] = []
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    started: Future[asyncssh.SSHAcceptor] = Future()

    async def listen() -> None:
        acceptor = await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[key], server_factory=lambda: Evil(heard)
        )
        started.set_result(acceptor)

    def work() -> None:
        loop.run_until_complete(listen())
        loop.run_forever()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    acceptor = started.result(30)
    try:
        yield acceptor.get_port(), key.export_public_key().decode().strip(), heard
    finally:

        async def stop() -> None:
            acceptor.close()
            await acceptor.wait_closed()

        asyncio.run_coroutine_threadsafe(stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@pytest.mark.skipif(bool(sshd.why_not()), reason=sshd.why_not() or "-")
def test_a_hostile_server_hears_the_password_alone_and_steers_no_terminal(
    embedded: World, server: str, tmp_path: Path
) -> None:
    with sshd.running() as real, evil_server() as (port, line, heard):
        desk = Desk(embedded, tmp_path, real, server)
        secret = desk.give(port=str(port), password=PASSWORD, host_key=line)
        desk.world.lease(desk.ticket, secret)
        ran = desk.run("ssh", "T-1001", "--", "true")
    assert ran.returncode == 255
    told = [word for words in heard for word in words]
    assert set(told) <= {PASSWORD, ""}
    assert told.count(PASSWORD) <= 2
    assert heard[0] == [PASSWORD, "", ""]
    assert b"\x1b" not in ran.stdout + ran.stderr
    assert PASSWORD.encode() not in ran.stdout + ran.stderr
