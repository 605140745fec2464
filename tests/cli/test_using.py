"""A technician's work at the terminal, as sessions; and the small things beneath it."""

import base64
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest

from cli import clearing, moments
from cli.clearing import digest
from cli.lookup import typable
from cli.using import parts_of
from tests.approvals import given, taking
from tests.cli.browser import people_of
from tests.cli.playing import Elsewhere, Value, in_terminal, play
from tests.cli.running import PROGRAM, Valetkey, environment
from tests.cli.test_show import signed_in
from tests.lent_file import BINARY, lent_file
from tests.world import CATALOGUE, LOGIN, World
from vault.errors import Invalid
from vault.operations.people import device
from vault.operations.services import catalogue
from vault.values import Actor

SESSIONS = Path(__file__).parent / "sessions"
DATABASE = {
    "system": "MySQL or MariaDB",
    "host": "localhost",
    "database": "shop",
    "username": "shop",
    "password": "canary-Ws3 o'clock",
}
SEED = "otpauth://totp/Shop:ann?secret=JBSWY3DPEHPK3PXP&issuer=Shop"
MORE = (
    '{ kind = "totp-seed", because = "to pass the second step" }, '
    '{ kind = "database", because = "to work on the data" }, '
)


def played(world: World, home: Path, session: str, role: str, known: dict[str, Value]) -> dict[str, Value]:
    wait = Elsewhere(r"(\d+)", lambda minutes, _: world.clock.advance(minutes=int(minutes)))
    home.mkdir(exist_ok=True)
    values = {f"{role}_code": partial(world.code, role), **known}
    return play(
        SESSIONS / f"{session}.txt", PROGRAM, environment(home), values, {**people_of(world), "wait": wait}
    )


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says how long to wait between two polls, and nobody here has the time."""
    monkeypatch.setattr(device, "INTERVAL", 0)


@pytest.mark.promise("P2")
@pytest.mark.promise("P8")
def test_a_technicians_morning(embedded: World, server: str, tmp_path: Path) -> None:
    world = embedded
    world.run(
        catalogue.apply(world.vault, Actor.host(), CATALOGUE.replace("may_ask = [", f"may_ask = [{MORE}"))
    )
    service = world.service()
    world.give(service)
    world.give(service, DATABASE, "database")
    world.give(service, {"otpauth": SEED}, "totp-seed")
    world.ticket(service)
    before = world.size()
    known: dict[str, Value] = {"server": server, "database_password": DATABASE["password"]}
    played(world, tmp_path, "using", "technician", known)
    entries = world.ledger(before)
    assert [entries.count(f"secret.{way} ok") for way in ("use", "reveal", "code")] == [2, 2, 1]
    assert entries.count("lease.start ok") == 3
    assert entries.count("lease.extend ok") == 1
    assert entries.count("lease.check-in ok") == 3


@pytest.mark.promise("P8")
def test_the_glass_is_broken_at_night_and_reviewed_in_the_morning(
    embedded: World, server: str, tmp_path: Path
) -> None:
    world = embedded
    given(world, "coordinator")
    text = taking("coordinator").replace("may_ask", "break_glass_minutes = 20\nmay_ask")
    world.run(catalogue.apply(world.vault, Actor.host(), text))
    known: dict[str, Value] = {"server": server, "secret": LOGIN["password"].strip()}
    known = played(world, tmp_path / "tom", "breaking", "technician", known)
    played(world, tmp_path / "clara", "reviewing", "coordinator", known)
    assert "lease.break-glass ok" in world.ledger()
    assert "review.close ok" in world.ledger()


# -- read --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["1;curl x|sh", "$(id)", "-h", "--to", "T 1", "", "T\u00e9", "a\n"])
def test_a_number_that_a_shell_would_read_otherwise_is_in_no_command(number: str) -> None:
    assert typable(number, "tkt_1") == "tkt_1"
    assert typable("T-1001_b", "tkt_1") == "T-1001_b"


def test_a_reference_names_a_ticket_a_secret_and_a_field() -> None:
    assert parts_of("vk://T-1001/ssh-password/password") == ("T-1001", "ssh-password", "password")
    assert parts_of("vk://%2317%2Fa/sec_1/password") == ("#17/a", "sec_1", "password")


@pytest.mark.parametrize(
    "raw",
    ["", "vk://", "vk://a/b", "vk://a/b/c/d", "vk:///b/c", "vk://a//c", "VK://a/b/c", "op://a/b/c", "a/b/c"],
)
def test_anything_else_is_no_reference(raw: str) -> None:
    with pytest.raises(Invalid, match="a reference is"):
        parts_of(raw)


@pytest.mark.promise("P1")
def test_a_script_reads_bytes_and_it_counts_as_used(
    embedded: World, server: str, valetkey: Valetkey, tmp_path: Path
) -> None:
    *_, lease = embedded.lent()
    signed_in(embedded, server, tmp_path)
    before = embedded.size()
    for name in ("T-1001", "t-1001", lease.ticket_id, lease.id):
        ran = valetkey("read", f"vk://{name}/ssh-password/password")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, LOGIN["password"].encode(), b"")
    assert embedded.ledger(before) == ["secret.use ok"] * 4


# -- copy --------------------------------------------------------------------------------------------------------------

TOOL = """#!/bin/sh
cat /proc/$$/environ /proc/$$/cmdline /proc/$PPID/environ /proc/$PPID/cmdline >> "{place}/seen"
case "$*" in
    *-out) cat "{place}/clipboard" ;;
    *) cat > "{place}/clipboard" ;;
esac
"""


@pytest.fixture
def desktop(tmp_path: Path) -> dict[str, str]:
    """An X desktop whose clipboard is a file, with a tool that writes down what processes show of themselves."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "xclip").write_text(TOOL.format(place=tmp_path))
    (tools / "xclip").chmod(0o755)
    return {"DISPLAY": ":7", "PATH": f"{tools}:{os.environ['PATH']}"}


def content_of(clipboard: Path, expected: bytes) -> bytes:
    """What it has as soon as it is that, or after a minute."""
    give_up = time.monotonic() + 60
    while clipboard.read_bytes() != expected and time.monotonic() < give_up:
        time.sleep(0.05)
    return clipboard.read_bytes()


@pytest.mark.attack("DP01")
def test_what_is_copied_goes_by_stdin_and_is_cleared(
    embedded: World, server: str, valetkey: Valetkey, tmp_path: Path, desktop: dict[str, str]
) -> None:
    embedded.lent()
    signed_in(embedded, server, tmp_path)
    before = embedded.size()
    place = tmp_path / "clipboard"
    ran = valetkey("copy", "T-1001", "password", "--seconds", "1", **desktop)
    assert (ran.returncode, ran.stdout) == (0, b"")
    assert b"password is on the clipboard for 1 seconds" in ran.stderr
    assert content_of(place, b"") == b"", "cleared, by a process that has outlived the command"
    seen = (tmp_path / "seen").read_bytes()
    assert LOGIN["password"].strip().encode() not in seen
    assert b"clearing.py" in seen, "the canary: both ends were looked at"
    assert embedded.ledger(before) == ["secret.use ok"]


@pytest.mark.parametrize(
    ("there", "left"),
    [(b"hunter2", b""), (b"hunter2\n", b""), (b"my own words", b"my own words"), (b"", b"")],
)
def test_only_what_was_put_there_is_cleared(
    tmp_path: Path, desktop: dict[str, str], there: bytes, left: bytes
) -> None:
    place = tmp_path / "clipboard"
    place.write_bytes(there)
    tool = str(tmp_path / "tools" / "xclip")
    task = {
        "seconds": 0,
        "salt": "00ff",
        "digest": digest("00ff", b"hunter2"),
        "read": [tool, "-out"],
        "clear": [tool, "-in"],
    }
    subprocess.run(
        [sys.executable, "-I", str(Path(clearing.__file__))], input=json.dumps(task).encode(), check=True
    )
    assert place.read_bytes() == left


def test_a_terminals_clipboard_is_filled_and_cleared_unseen(
    embedded: World, server: str, tmp_path: Path
) -> None:
    embedded.lent()
    signed_in(embedded, server, tmp_path)
    command = [*PROGRAM, "copy", "T-1001", "password", "--seconds", "1"]
    shown, status = in_terminal(command, environment(tmp_path, TERM="xterm"), [])
    assert status == 0
    encoded = base64.b64encode(LOGIN["password"].encode()).decode()
    assert f"\x1b]52;c;{encoded}\x07" in shown
    assert shown.index(encoded) < shown.index("Ctrl-C clears it now") < shown.index("\x1b]52;c;\x07")
    assert LOGIN["password"].strip() not in shown


def test_without_a_clipboard_and_for_files_nothing_is_opened(
    embedded: World, server: str, valetkey: Valetkey, tmp_path: Path, desktop: dict[str, str]
) -> None:
    lent_file(embedded, BINARY)
    signed_in(embedded, server, tmp_path)
    before = embedded.size()
    ran = valetkey("copy", "T-1001", "name")
    assert ran.returncode == os.EX_UNAVAILABLE
    assert b"there is no clipboard here" in ran.stderr
    ran = valetkey("copy", "T-1001", "contents", **desktop)
    assert ran.returncode == os.EX_DATAERR
    assert b"valetkey show T-1001 contents --to FILE" in ran.stderr
    assert embedded.ledger(before) == []


# -- which lease, and when ---------------------------------------------------------------------------------------------


def test_several_leases_of_a_ticket_have_to_be_named(
    embedded: World, server: str, valetkey: Valetkey, tmp_path: Path
) -> None:
    _, secret, ticket, one = embedded.lent()
    other = embedded.lease(ticket, secret)
    signed_in(embedded, server, tmp_path)
    refused = valetkey("show", "T-1001", "host")
    assert refused.returncode == os.EX_DATAERR
    assert one.id in refused.stderr.decode()
    assert other.id in refused.stderr.decode()
    assert valetkey("show", one.id, "host").stdout == b"shop.example.com"
    assert valetkey("checkin").returncode == os.EX_DATAERR


def test_tickets_are_data_for_scripts_too(
    embedded: World, server: str, valetkey: Valetkey, tmp_path: Path
) -> None:
    *_, lease = embedded.lent()
    signed_in(embedded, server, tmp_path)
    (mine,) = json.loads(valetkey("tickets", "--json").stdout)
    assert (mine["number"], mine["next"], mine["leases"][0]["id"]) == (
        "T-1001",
        "valetkey ssh T-1001",
        lease.id,
    )


NOW = datetime(2026, 11, 23, 15, 30, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=30), "within a minute"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(minutes=42), "in 42 minutes"),
        (timedelta(minutes=119), "in 119 minutes"),
        (timedelta(hours=3), "in 3 hours"),
        (timedelta(days=9), "in 9 days"),
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=-3), "3 minutes ago"),
        (timedelta(days=-2), "2 days ago"),
    ],
)
def test_a_moment_is_said_as_people_say_it(span: timedelta, words: str) -> None:
    assert moments.away((NOW + span).isoformat(), NOW) == words
    assert moments.until((NOW + span).isoformat(), NOW).endswith(f" UTC, {words}")
    assert moments.until(None) == ""


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("+90m", "2026-11-23T17:00:20"),
        ("+2h", "2026-11-23T17:30:20"),
        ("+1d", "2026-11-24T15:30:20"),
        ("18:00", "2026-11-23T17:00:00"),
        ("9:15", "2026-11-24T08:15:00"),
        ("2026-12-31 22:00", "2026-12-31T21:00:00"),
        ("2026-12-31T22:00:00Z", "2026-12-31T22:00:00"),
    ],
)
def test_when_something_begins_is_read_in_the_zone_of_whoever_types_it(raw: str, moment: str) -> None:
    read = moments.typed(raw, NOW, timezone(timedelta(hours=1)))
    assert read == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "raw", ["", "tomorrow", "25:00", "+5", "+5w", "+-5m", "+999999d", "22", "2026-13-01", "+m"]
)
def test_anything_else_is_no_time(raw: str) -> None:
    with pytest.raises(Invalid, match="say when"):
        moments.typed(raw, NOW)
