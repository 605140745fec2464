"""`make demo`: the story holds, the open house is a real one, and nothing of either is left behind."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.demo import company, story
from cli.demo.background import background
from cli.demo.company import refused
from cli.demo.customer_server import customer_server, log_in
from cli.demo.ground import NotHeld, require
from cli.demo.traces import encodings_of, files_in, pieces_of, search
from cli.http import Client
from vault.errors import Denied

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = 'Grüne "Gasse" & <b5e1f0a2>'
Play = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def place() -> Iterator[Path]:
    """A temporary folder that is not deep: the demonstration puts sockets into it."""
    with tempfile.TemporaryDirectory(prefix="vk-") as place:
        yield Path(place)


@pytest.fixture
def play(place: Path) -> Iterator[Play]:
    """Starts the demonstration in a session of its own, with its temporary folder in that one."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, **variables: str) -> "subprocess.Popen[str]":
        demo = subprocess.Popen(
            [sys.executable, "-m", "cli.demo", *words],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(place), "NO_COLOR": "1", **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(demo)
        return demo

    yield start
    for demo in started:
        demo.terminate()  # not killed: it has a server to end
        demo.wait(60)
        demo.stdout.close()  # type: ignore[union-attr]


def left_of(demo: "subprocess.Popen[str]", place: Path) -> list[str]:
    """What is still there after some seconds: its files, and processes of its session or with its folder in argv."""
    until = time.monotonic() + 5
    while (
        found := [*map(str, place.iterdir()), *processes_of(demo.pid, str(place))]
    ) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def processes_of(session: int, place: str) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, *_, own = (process / "stat").read_text().rpartition(")")[2].split()[:4]
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state not in "ZX" and (int(own) == session or place in words):
            yield f"{process.name} {state} {words}"


@pytest.mark.long
def test_the_story_holds_to_its_last_step_and_leaves_nothing(play: Play, place: Path) -> None:
    demo = play("--once")
    said, _ = demo.communicate(timeout=200)
    lines = said.splitlines()
    assert lines[-1] == f"story: {len(story.STEPS)} steps held", said
    assert demo.returncode == 0
    steps = [int(found[1]) for line in lines if (found := re.match(r"([ \d]\d)  \S", line))]
    assert steps == list(range(1, len(story.STEPS) + 1))
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in said
    assert left_of(demo, place) == []


@pytest.mark.long
def test_the_story_holds_without_a_browser(play: Play) -> None:
    demo = play("--once", PATH="/nonexistent")
    said, _ = demo.communicate(timeout=200)
    assert demo.returncode == 0, said
    assert "No Chromium here" in said


@pytest.mark.long
def test_the_open_house_is_real_and_is_gone_after_sigterm(play: Play, place: Path) -> None:
    demo = play()
    lines: list[str] = []
    while not lines or not lines[-1].startswith("codes until"):
        lines.append(demo.stdout.readline())  # type: ignore[union-attr]
        assert lines[-1], "".join(lines)
    said = "".join(lines)
    assert max(map(len, said.splitlines())) <= 80
    assert oct(next(place.iterdir()).stat().st_mode & 0o777) == "0o700"

    (sign_in, *others) = re.findall(r"http://\S+/signin", said)
    assert others == [sign_in] * 3
    with urllib.request.urlopen(sign_in, timeout=10) as page:  # noqa: S310
        assert "Sign in" in page.read().decode()
    mail, password, code = re.findall(r"(tom@\S+) +password (\S+) +code (\d{6})", said)[0]
    with Client(sign_in.removesuffix("/signin")) as client:
        signed_in = client.post("/api/v1/session", mail=mail, password=password, code=code)
    assert signed_in["session"]["person"]["roles"] == ["technician"]

    (box,) = re.findall(r"^ +(http://localhost:\d+/)$", said, re.MULTILINE)
    with urllib.request.urlopen(box, timeout=10) as page:  # noqa: S310
        mail = page.read().decode()
    for way in ("give", "enrol"):
        assert re.search(rf'<p><a href="http://localhost:\d+/{way}#[0-9A-Z-]+"', mail), way
    assert mail.count("<p>") > 4

    demo.send_signal(signal.SIGTERM)
    assert demo.wait(30) == 128 + signal.SIGTERM
    assert left_of(demo, place) == []


@pytest.mark.parametrize("step", [1, pytest.param(9, marks=pytest.mark.long)])
def test_a_signal_in_the_middle_of_the_story_leaves_nothing_either(
    play: Play, place: Path, step: int
) -> None:
    """After the first step the server is being started, after the ninth the browser."""
    demo = play("--once")
    while not demo.stdout.readline().startswith(f" {step}  "):  # type: ignore[union-attr]
        assert demo.poll() is None
    time.sleep(0.7)
    for _ in range(3):  # who is impatient presses it again
        demo.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert demo.wait(30) == 128 + signal.SIGINT
    assert left_of(demo, place) == []


def test_a_step_that_does_not_hold_ends_the_story_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fine(_stage: object) -> str:
        return "this holds"

    def wrong(_stage: object) -> str:
        """Water runs uphill."""
        require(False, "it ran down")
        return "never said"

    monkeypatch.setattr(story, "STEPS", (fine, wrong, fine))
    assert story.play() == 1
    said = capsys.readouterr().out
    assert " 1  this holds\n 2  did not hold\n    Water runs uphill.\n    it ran down\n" in said
    assert "steps held" not in said


def test_the_code_that_is_shown_is_one_that_was_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watch:
        now = 1_000_000_015.0  # late in its step: who enrols then uses the very code that is shown

        def time(self) -> float:
            return self.now

        def sleep(self, seconds: float) -> None:
            self.now += seconds

    monkeypatch.setattr(company, "time", Watch())
    tom = company.Person("per_1", "Tom Tanner", "tom@greenlane.example", "technician", seed=bytes(20))
    used = {tom.fresh_code(), tom.fresh_code()}
    assert tom.shown_code() in used
    tom.wait_until_unused()
    assert tom.shown_code() not in used


def test_a_refusal_for_another_reason_is_not_the_one_that_was_promised() -> None:
    def deny() -> None:
        raise Denied("your role does not do this")

    refused(Denied, "your role", deny)
    for kind, words, deed in ((Denied, "host key", deny), (LookupError, "", deny), (Denied, "", dict)):
        with pytest.raises(NotHeld):
            refused(kind, words, deed)  # type: ignore[arg-type]


# -- the search -----------------------------------------------------------------------------------------------------


def test_the_search_finds_a_text_however_it_is_written(tmp_path: Path) -> None:
    needles = encodings_of(PASSWORD)
    wrapped = json.dumps({"v": 1, "p": f"x{PASSWORD}y"})
    spelt = {
        "utf-8": PASSWORD.encode(),
        "utf-16-le": PASSWORD.encode("utf-16-le"),
        "latin-1": PASSWORD.encode("latin-1"),
        "JSON": wrapped.encode(),
        "hex of utf-8": PASSWORD.encode().hex().upper().encode(),
        "URL": urllib.request.quote(f"a={PASSWORD}").encode(),
        "HTML": b"<td>Gr\xc3\xbcne &quot;Gasse&quot; &amp; &lt;b5e1f0a2&gt;</td>",
    }
    for name, content in spelt.items():
        place = tmp_path / "file"
        place.write_bytes(content)
        assert name in search([place], needles), name


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("way", ["base64", "base64url", "base32"])
def test_the_search_finds_a_text_inside_of_something_encoded(tmp_path: Path, way: str, before: int) -> None:
    import base64

    encode = {"base64": base64.b64encode, "base64url": base64.urlsafe_b64encode, "base32": base64.b32encode}
    place = tmp_path / "file"
    place.write_bytes(encode[way](b"p" * before + PASSWORD.encode() + b'"}'))
    assert f"{way} of utf-8" in search([place], encodings_of(PASSWORD))
    place.write_bytes(encode[way](b"p" * before + PASSWORD.encode()[1:] + b'"}'))
    assert f"{way} of utf-8" not in search([place], encodings_of(PASSWORD))


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_the_search_sees_what_a_database_has_deleted(tmp_path: Path, journal: str) -> None:
    sealed = os.urandom(6000)
    needles = {"sealed": pieces_of(sealed)}
    with closing(sqlite3.connect(tmp_path / "some.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("CREATE TABLE secret (envelope BLOB)")
        connection.execute("INSERT INTO secret VALUES (?)", (sealed,))
        connection.execute("DELETE FROM secret")
        assert connection.execute("SELECT count(*) FROM secret").fetchone() == (0,)
        found = search(files_in(tmp_path), needles)
    assert found == {"sealed": {"some.db-wal" if journal == "WAL" else "some.db"}}


# -- the customer's server ------------------------------------------------------------------------------------------


def test_the_customers_server_lets_in_by_password_and_says_what_it_knows() -> None:
    with background() as beside, customer_server(beside) as server:
        fields = server.login.fields()
        assert beside.run(log_in(fields, "whoami")) == server.login.username
        assert server.visits == [f"{server.login.username} by password"]
        for wrong in ({"password": fields["password"].strip()}, {"username": "root"}):
            with pytest.raises(Denied, match="did not let us in"):
                beside.run(log_in(fields | wrong, "whoami"))
        with pytest.raises(Denied):
            beside.run(log_in(fields, "cat /etc/passwd"))
        assert len(server.visits) == 2


def test_the_customers_server_lets_in_by_key() -> None:
    import asyncssh

    with background() as beside, customer_server(beside) as server:

        async def by_key() -> str:
            login = server.login
            known = asyncssh.import_known_hosts(f"[{login.host}]:{login.port} {login.host_key}\n")
            key = asyncssh.import_private_key(server.private_key)
            async with asyncssh.connect(
                login.host, int(login.port), username=login.username, client_keys=[key], known_hosts=known
            ) as connection:
                return str((await connection.run("uptime", check=True)).stdout)

        assert "412 days" in beside.run(by_key())
        assert server.visits == [f"{server.login.username} by key"]


def test_an_impostor_is_told_nothing() -> None:
    with (
        background() as beside,
        customer_server(beside) as server,
        customer_server(beside, server.login.username, server.login.password) as impostor,
    ):
        with pytest.raises(Denied, match="another host key"):
            beside.run(log_in(server.login.fields() | {"port": impostor.login.port}, "whoami"))
        time.sleep(0.1)
        assert impostor.knocks == []
