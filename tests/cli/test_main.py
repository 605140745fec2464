"""How every command starts and ends."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from cli import main as program
from cli import session
from tests.cli.playing import in_terminal
from tests.cli.running import PROGRAM, Valetkey, environment

HEAVY = (
    "pydantic",
    "sqlalchemy",
    "sqlmodel",
    "fastapi",
    "starlette",
    "cryptography",
    "argon2",
    "rich",
    "ssl",
)


def every_command() -> dict[str, object]:
    """Each command by what one types to run it."""
    group = get_command(program.app)
    found = {}
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        inner = getattr(command, "commands", None)
        if inner:
            found.update({f"{name} {sub}": inner[sub] for sub in inner})
        else:
            found[name] = command
    return found


COMMANDS = every_command()


def test_the_sweep_sees_commands_and_groups() -> None:
    assert {"login", "init", "submit", "request ask", "audit verify", "keyring mirror"} <= set(COMMANDS)
    assert len(COMMANDS) > 40


def test_help_loads_nothing_heavy() -> None:
    seen = subprocess.run(
        [sys.executable, "-c", "import sys, cli.main; cli.main.main(['--help']); print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(program.__file__).parents[1],
    ).stdout
    assert "typer.core" in seen
    loaded = {name.split(".")[0] for name in seen.rsplit("\n\n", 1)[-1].split()}
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_secret_can_stand_in_argv(name: str) -> None:
    """Whatever is secret has no option or argument that takes its value; at most a file's name."""
    secret = {"password", "passphrase", "code", "token", "totp", "root_key", "value", "private_key", "link"}
    names = {parameter.name for parameter in COMMANDS[name].params}
    assert "help" not in names
    assert not names & secret


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_what_it_takes(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        assert parameter.help, f"{name}: {parameter.name} is not explained"


@pytest.mark.parametrize("name", sorted({name.split()[0] for name in COMMANDS}))
def test_no_line_of_help_is_cut_off(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([name, "--help"]) == 0
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


DATA = [
    name for name in COMMANDS if name.split()[-1] in {"list", "show", "add", "register", "status", "doctor"}
]


@pytest.mark.parametrize("name", DATA)
def test_what_prints_data_prints_json_too(name: str) -> None:
    assert "as_json" in {parameter.name for parameter in COMMANDS[name].params}


def test_wrong_usage_is_64_with_a_hint(valetkey: Valetkey) -> None:
    ran = valetkey("chekout", "1")
    assert ran.returncode == os.EX_USAGE
    assert ran.stdout == b""
    lines = ran.stderr.decode().splitlines()
    assert lines[0].startswith("error: no such command")
    assert "checkout" in lines[0]
    assert lines[1] == "hint: valetkey --help"


def test_a_group_alone_shows_its_help_and_is_wrong_usage(valetkey: Valetkey) -> None:
    ran = valetkey("ticket")
    assert ran.returncode == os.EX_USAGE
    assert ran.stdout == b""
    assert b"assign" in ran.stderr
    assert b"error" not in ran.stderr


def test_nobody_signed_in_is_said_without_a_server(valetkey: Valetkey) -> None:
    ran = valetkey("whoami")
    assert ran.returncode == os.EX_NOPERM
    assert ran.stderr.decode().splitlines() == [
        "error: you are not signed in here",
        "hint: valetkey login URL",
    ]


def test_no_server_on_this_host_is_said(valetkey: Valetkey) -> None:
    ran = valetkey("status")
    assert ran.returncode == os.EX_UNAVAILABLE
    assert b"no server runs on this host" in ran.stderr


def test_a_wrong_setting_is_named_and_not_repeated(valetkey: Valetkey) -> None:
    ran = valetkey("status", VALETKEY_PORT="hunter2")
    assert ran.returncode == os.EX_CONFIG
    assert b"port" in ran.stderr
    assert b"hunter2" not in ran.stderr


def test_a_setting_that_is_none_is_named(valetkey: Valetkey, tmp_path: Path) -> None:
    file = tmp_path / "valetkey.toml"
    file.write_text('bussiness = "Example Hosting Ltd"\n')
    ran = valetkey("status", VALETKEY_CONFIG=str(file))
    assert ran.returncode == os.EX_CONFIG
    assert b"setting bussiness: there is no setting of that name" in ran.stderr


def test_an_unforeseen_error_shows_its_class_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> session.SignedIn:
        password = "hunter2"
        raise RuntimeError(f"cannot use {password}")

    monkeypatch.setattr(session, "kept", broken)
    assert program.main(["whoami"]) == os.EX_SOFTWARE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "RuntimeError" in shown.err
    assert "hunter2" not in shown.err
    assert "Traceback" not in shown.err


def test_ctrl_c_at_a_prompt_ends_quietly_with_130(tmp_path: Path) -> None:
    shown, status = in_terminal(
        [*PROGRAM, "submit", "--statement-key", "00" * 32],
        environment(tmp_path),
        [lambda: "\x03"],
    )
    assert status == 130
    assert "Traceback" not in shown
    assert "error" not in shown


def test_a_reader_that_has_read_enough_is_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "audit", "verifier"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.wait(60) == 141
        assert b"Traceback" not in running.stderr.read()


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_is_for_eyes_that_want_it(tmp_path: Path, more: dict[str, str], coloured: bool) -> None:
    shown, status = in_terminal([*PROGRAM, "whoami"], environment(tmp_path, TERM="xterm", **more), [])
    assert status == os.EX_NOPERM
    assert ("\x1b[" in shown) is coloured


def test_the_entries_of_the_help_are_unique_and_short() -> None:
    names = [entry.name for entry in program.ENTRIES]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Z].{5,55}\.", entry.summary) for entry in program.ENTRIES)


def test_the_version_is_data(valetkey: Valetkey) -> None:
    ran = valetkey("--version")
    assert ran.returncode == 0
    assert re.fullmatch(rb"[0-9][0-9a-z.+]*\n", ran.stdout)
