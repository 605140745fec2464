"""`valetkey run`: the secret is in the command and nowhere else, and all ends that has to end."""

import base64
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.running import wished
from tests.cli.playing import in_terminal
from tests.cli.running import PROGRAM, Ran, environment
from tests.cli.test_show import signed_in
from tests.lent_file import BINARY, lent_file
from tests.world import LOGIN, World
from vault.errors import Invalid
from vault.model.views import LeaseView
from vault.operations.leases import checkout

SECRET = LOGIN["password"]
BARE = SECRET.strip().encode()
ENV = ("--env", "WORD=password")
HASTY = (
    sys.executable,
    "-c",
    "import cli.watching as w; w.EVERY_SECONDS = 0.2; from cli.main import run; run()",
)
"""The same program, which looks at its lease all the time."""

Run = Callable[..., Ran]


@pytest.fixture
def lease(embedded: World, server: str, tmp_path: Path) -> LeaseView:
    """The technician's lease of ticket T-1001, and who is signed in here."""
    *_, lease = embedded.lent()
    signed_in(embedded, server, tmp_path)
    return lease


@pytest.fixture
def unique(embedded: World, server: str, tmp_path: Path) -> tuple[LeaseView, bytes]:
    """The same, of a password that no other test has: processes of others are looked at, too."""
    service = embedded.service()
    word = f"canary-{secrets.token_hex(8)}"
    secret = embedded.give(service, {**LOGIN, "password": word})
    lease = embedded.lease(embedded.ticket(service), secret)
    signed_in(embedded, server, tmp_path)
    return lease, word.encode()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`valetkey run T-1001 …`, with what is given on stdin."""

    def run(*arguments: str, typed: bytes = b"", **more: str) -> Ran:
        return subprocess.run(
            [*PROGRAM, "run", "T-1001", *arguments],
            input=typed,
            capture_output=True,
            env=environment(tmp_path, **more),
            cwd=tmp_path,
            timeout=60,
            check=False,
        )

    return run


@contextmanager
def running(
    home: Path, *arguments: str, program: tuple[str, ...] = PROGRAM
) -> "Iterator[subprocess.Popen[bytes]]":
    """The same, while it runs."""
    with subprocess.Popen(
        [*program, "run", "T-1001", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
        cwd=home,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: "subprocess.Popen[bytes]", error: bool = False) -> str:
    stream = process.stderr if error else process.stdout
    assert stream
    return stream.readline().decode()


def said_until(process: "subprocess.Popen[bytes]", words: str) -> str:
    shown = ""
    while words not in shown:
        line = line_of(process, error=True)
        assert line, shown
        shown += line
    return shown


@pytest.mark.promise("P1")
@pytest.mark.promise("P2")
def test_the_command_gets_the_secret_and_its_use_is_on_record(
    run: Run, lease: LeaseView, embedded: World
) -> None:
    before = embedded.size()
    check = "import os, sys; sys.exit(os.environ['WORD'] != sys.argv[1])"
    ran = run(*ENV, "--", sys.executable, "-c", check, SECRET)
    assert ran.returncode == 0, ran.stderr
    assert embedded.ledger(before) == ["secret.use ok"]
    assert b"runs with WORD, until" in ran.stderr
    assert b", in " in ran.stderr
    assert ran.stderr.endswith(f"next: valetkey checkin {lease.id}\n".encode())


@pytest.mark.attack("DP01")
def test_what_it_prints_is_masked_also_over_two_writes_and_encoded(run: Run, lease: LeaseView) -> None:
    code = (
        "import os, sys, time, base64, json\n"
        "word = os.environ['WORD']\n"
        "for part in (word[:9], word[9:], '|', base64.b64encode(word.encode()).decode()[:11]):\n"
        "    print(part, end='', flush=True); time.sleep(0.05)\n"
        "print(base64.b64encode(word.encode()).decode()[11:], word.encode().hex(' '), json.dumps([word]))\n"
        "print(word.strip(), 'é', file=sys.stderr)\n"
    )
    ran = run(*ENV, "--", sys.executable, "-c", code)
    assert ran.returncode == 0
    encoded = base64.b64encode(SECRET.encode()).decode()
    for trace in (BARE, encoded[4:16].encode(), BARE.hex(" ").encode()):
        assert trace not in ran.stdout + ran.stderr
    assert re.fullmatch(
        rb" <masked> \|\S{0,3}<masked>\S{0,3} .{0,6}<masked>.{0,6} \[\" <masked> \"\]\n", ran.stdout
    )
    assert "<masked> é\n".encode() in ran.stderr


def test_everything_comes_as_it_was_printed_however_much(run: Run, lease: LeaseView) -> None:
    code = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 20000); sys.exit(7)"
    ran = run(*ENV, "--", sys.executable, "-c", code)
    assert (ran.returncode, ran.stdout) == (7, bytes(range(256)) * 20000)


def test_stdin_is_the_commands_also_behind_what_was_asked(
    run: Run, embedded: World, server: str, tmp_path: Path
) -> None:
    """Where nothing is checked out, a lease is made for the run; reason and code are the first lines of stdin."""
    service = embedded.service()
    embedded.give(service)
    embedded.ticket(service)
    embedded.actor("technician")
    signed_in(embedded, server, tmp_path)
    before = embedded.size()
    typed = f"install the shop as ordered\n{embedded.code('technician')}\nline one\nline two".encode()
    ran = run(*ENV, "--", "cat", typed=typed)
    assert (ran.returncode, ran.stdout) == (0, b"line one\nline two"), ran.stderr
    assert embedded.ledger(before) == [
        "presence.prove ok",
        "lease.start ok",
        "secret.use ok",
        "lease.check-in ok",
    ]
    assert b"handed back; it opens nothing any more" in ran.stderr


def test_without_a_wish_it_gets_every_field_that_was_filled_in(run: Run, lease: LeaseView) -> None:
    code = "import os, json; print(json.dumps({k: len(v) for k, v in os.environ.items() if k.startswith('VK_')}))"
    ran = run("--", sys.executable, "-c", code)
    found = json.loads(ran.stdout)
    assert found.pop("VK_RUN") == len(lease.id)
    assert found == {f"VK_{name.upper()}": len(value) for name, value in LOGIN.items()}


def test_a_file_is_in_memory_and_byte_for_byte(
    run: Run, embedded: World, server: str, tmp_path: Path
) -> None:
    lent_file(embedded, BINARY)
    signed_in(embedded, server, tmp_path)
    code = (
        "import os, sys, hashlib\n"
        "place = os.environ['CONF']\n"
        "print(os.readlink(place), oct(os.stat(place).st_mode & 0o777))\n"
        "for _ in range(2): print(hashlib.sha256(open(place, 'rb').read()).hexdigest())\n"
        "try: os.write(os.open(place, os.O_RDWR), b'x')\n"
        "except OSError: print('sealed')\n"
    )
    ran = run("--file", "CONF=contents", "--", sys.executable, "-c", code)
    digest = hashlib.sha256(BINARY).hexdigest()
    assert ran.stdout.decode().splitlines() == [
        "/memfd:valetkey (deleted) 0o400",
        digest,
        digest,
        "sealed",
    ], ran.stderr
    assert b"CONF is too short or too long to be masked" in ran.stderr
    refused = run("--env", "CONF=contents", "--", "true")
    assert refused.returncode == os.EX_DATAERR
    assert b"hand it over with --file" in refused.stderr


# -- nowhere else ------------------------------------------------------------------------------------------------------


def processes_with(needle: bytes) -> set[str]:
    """Commands of all processes that have it in environment, arguments or, where they let us, memory files."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                if needle in (place / name).read_bytes():
                    found.add((place / "comm").read_text().strip())
            except OSError:
                continue
    return found


@pytest.mark.attack("DP03")
@pytest.mark.promise("P9")
def test_the_secret_is_in_no_other_process_and_on_no_disk(
    unique: tuple[LeaseView, bytes], tmp_path: Path
) -> None:
    word = unique[1]
    with running(
        tmp_path, *ENV, "--file", "F=password", "--", "sh", "-c", "echo up; exec sleep 60"
    ) as process:
        assert line_of(process) == "up\n"
        seen = processes_with(word)  # the command, before or after it turns into another program
        assert seen <= {"sh", "sleep"}
        assert seen, "the canary: it would be seen"
        status = Path(f"/proc/{process.pid}/status").read_text()
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s+0", limits)
        if os.getuid() != 0:
            with pytest.raises(PermissionError):
                Path(f"/proc/{process.pid}/environ").read_bytes()
        else:  # what is not dumpable belongs to root in /proc, which is us; so look that it has nothing
            assert word not in Path(f"/proc/{process.pid}/environ").read_bytes()
        assert "CoreDumping:\t0" in status
        process.terminate()
        process.wait(60)
    assert not processes_with(word)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and word in path.read_bytes()]


def test_a_run_within_a_run_is_refused_before_anything_opens(
    run: Run, lease: LeaseView, embedded: World
) -> None:
    before = embedded.size()
    ran = run(*ENV, "--", "true", VK_RUN=lease.id)
    assert ran.returncode == os.EX_CANTCREAT
    assert b"runs are not nested" in ran.stderr
    assert embedded.ledger(before) == []


def test_what_cannot_work_opens_nothing(run: Run, lease: LeaseView, embedded: World) -> None:
    before = embedded.size()
    for arguments, status in (
        ((*ENV, "--", "no-such-command-here"), 127),
        (("--env", "LD_PRELOAD=password", "--", "true"), os.EX_DATAERR),
        (("--env", "WORD=nothing", "--", "true"), os.EX_DATAERR),
        (("--env", "WORD=sec_none/password", "--", "true"), os.EX_DATAERR),
        (ENV, os.EX_USAGE),
    ):
        ran = run(*arguments)
        assert ran.returncode == status, ran.stderr
        assert ran.stderr.startswith(b"error: ")
    assert embedded.ledger(before) == []


@pytest.mark.parametrize(
    "raw", ["WORD", "WORD=", "=password", "9=password", "A B=password", "WORD=x/", "WÖRD=x"]
)
def test_a_wish_names_a_variable_and_a_field(raw: str) -> None:
    with pytest.raises(Invalid, match="name a variable and a field"):
        wished(raw, as_file=False)


@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "DYLD_X", "BASH_ENV", "PYTHONPATH", "VALETKEY_DATA_DIR", "VK_RUN"]
)
def test_no_value_of_a_customers_decides_which_code_runs(name: str) -> None:
    with pytest.raises(Invalid, match="decides which code runs"):
        wished(f"{name}=password", as_file=True)


# -- its end -----------------------------------------------------------------------------------------------------------


def test_signals_are_passed_on_and_its_status_is_ours(run: Run, lease: LeaseView, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, time\n"
        "for number, status in ((signal.SIGTERM, 9), (signal.SIGHUP, 11), (signal.SIGINT, 12)):\n"
        "    signal.signal(number, lambda *_, status=status: os._exit(status))\n"
        "print('up', flush=True); time.sleep(60)\n"
    )
    for number, status in ((signal.SIGTERM, 9), (signal.SIGHUP, 11), (signal.SIGINT, 12)):
        with running(tmp_path, *ENV, "--", sys.executable, "-c", code) as process:
            assert line_of(process) == "up\n"
            process.send_signal(number)
            assert process.wait(60) == status
    assert run(*ENV, "--", "sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL


def test_ctrl_c_reaches_it_once_through_the_terminal(lease: LeaseView, tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "count = []\n"
        "signal.signal(signal.SIGINT, lambda *_: count.append(1))\n"
        "print('ready: ', end='', flush=True)\n"
        "while not count: time.sleep(0.01)\n"
        "time.sleep(0.5); print('interrupted', len(count)); sys.exit(5)\n"
    )
    shown, status = in_terminal(
        [*PROGRAM, "run", "T-1001", *ENV, "--", sys.executable, "-c", code],
        environment(tmp_path),
        [lambda: "\x03"],
    )
    assert "interrupted 1" in shown
    assert status == 5


def test_with_its_output_left_alone_it_has_the_terminal(lease: LeaseView, tmp_path: Path) -> None:
    code = "import os; print(os.isatty(0), os.isatty(1), os.isatty(2), os.environ['WORD'].strip())"
    command = ["run", "T-1001", *ENV, "--unmasked", "--", sys.executable, "-c", code]
    shown, status = in_terminal([*PROGRAM, *command], environment(tmp_path), [])
    assert f"True True True {BARE.decode()}" in shown
    assert status == 0


def test_what_it_leaves_behind_is_waited_for_and_still_masked(lease: LeaseView, tmp_path: Path) -> None:
    later = '(until [ -e go ]; do sleep 0.1; done; echo "later $WORD") & exit 3'
    with running(tmp_path, *ENV, "--", "sh", "-c", f'echo "first $WORD"; {later}') as process:
        assert line_of(process) == "first  <masked> \n"
        shown = said_until(process, "Ctrl-C ends it")
        assert "what the command has started still runs, and has what it was given: " in shown
        (tmp_path / "go").touch()
        assert line_of(process) == "later  <masked> \n"
        assert process.wait(60) == 3


@pytest.mark.promise("P4")
def test_what_it_leaves_behind_is_ended_by_whoever_ends_the_run(
    unique: tuple[LeaseView, bytes], tmp_path: Path
) -> None:
    word = unique[1]
    daemon = "setsid sh -c 'trap \"\" HUP; exec sleep 77' >/dev/null 2>&1 </dev/null & echo gone; exit 4"
    with running(tmp_path, *ENV, "--", "sh", "-c", daemon) as process:
        assert line_of(process) == "gone\n"
        said_until(process, "Ctrl-C ends it")
        assert processes_with(word)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 4
    assert not processes_with(word)


@pytest.mark.promise("P4")
@pytest.mark.attack("AZ14")
def test_the_command_ends_with_its_lease(
    unique: tuple[LeaseView, bytes], embedded: World, tmp_path: Path
) -> None:
    lease, word = unique
    started = "trap 'echo told; exit 0' TERM; sleep 99 & echo up; wait"
    with running(tmp_path, *ENV, "--", "sh", "-c", started, program=HASTY) as process:
        assert line_of(process) == "up\n"
        embedded.perform(checkout.revoke, embedded.actor("coordinator"), lease.id)
        assert line_of(process) == "told\n"
        assert process.wait(60) == os.EX_TEMPFAIL, "never 0 for what was cut short"
        shown = said_until(process, "error: ")
    assert "the lease has ended (a coordinator has ended it), and so the command was ended" in shown
    assert not processes_with(word), "what it had started has ended, too"
