"""The manual page and the completion of shells, both from the tree of commands."""

import re
import shutil
import subprocess

import pytest

from cli import completion, manual, tree
from tests.cli.running import Valetkey

ROOT = tree.root()
EVERY = [one for one in tree.every(ROOT) if one.words and one.runs]


def typed(command: tree.Command) -> str:
    return " ".join(command.words)


def test_the_sweep_sees_commands_of_groups_too() -> None:
    names = {typed(one) for one in EVERY}
    assert {"run", "tickets", "review close", "sessions", "sessions end", "audit verify"} <= names
    assert len(EVERY) > 50
    (run,) = [one for one in EVERY if typed(one) == "run"]
    assert [argument.metavar for argument in run.arguments] == ["TICKET", "-- COMMAND..."]
    assert [option.names for option in run.options if option.repeats] == [("--env",), ("--file",)]
    (close,) = [one for one in EVERY if typed(one) == "review close"]
    assert ("--justified", "--not-justified") in [option.names for option in close.options]


# -- the manual --------------------------------------------------------------------------------------------------------


def test_the_manual_has_every_command_with_all_it_takes() -> None:
    text = "\n".join(manual.page(ROOT)).replace("\\-", "-").replace("\\&", "")
    for one in EVERY:
        assert f"\\fBvaletkey {typed(one)}\\fR" in text, f"{typed(one)} is not in the manual"
        for option in one.options:
            assert all(f"\\fB{name}\\fR" in text for name in option.names)
    assert text.isascii()
    for section in (
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        '"EXIT STATUS"',
        "ENVIRONMENT",
        "FILES",
        '"TECHNICIANS"',
    ):
        assert f".SH {section}" in text


def test_no_line_of_text_is_taken_for_a_request() -> None:
    assert manual.page is not None
    requests = {"TH", "SH", "SS", "TP", "PP", "B", "I"}
    for line in manual.page(ROOT):
        assert not line.startswith("'")
        if line.startswith("."):
            assert line[1:].split(" ")[0] in requests, line


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed here")
def test_troff_has_nothing_to_say_about_it(valetkey: Valetkey) -> None:
    page = valetkey("manual")
    assert page.returncode == 0
    assert page.stderr == b""
    ran = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww"], input=page.stdout, capture_output=True, check=True, timeout=30
    )
    assert ran.stderr == b""
    shown = re.sub(rb"\x1b\[[0-9;]*m|.\x08", b"", ran.stdout).decode()
    assert "valetkey run [OPTION]... TICKET -- COMMAND..." in shown
    assert "128 and the signal's number" in shown


# -- completion --------------------------------------------------------------------------------------------------------


def completed(*words: str) -> list[str]:
    """What bash offers for the last of these words."""
    script = (
        'source /dev/stdin; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { echo FILES; }; _valetkey; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ran = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", "valetkey", *words],
        input="\n".join(completion.script("bash")).encode(),
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert ran.stderr == b""
    return ran.stdout.decode().split()


def test_bash_completes_commands_options_and_what_they_take() -> None:
    assert set(completed("")) >= {"run", "tickets", "review"}
    assert completed("ch") == ["checkout", "checkin"]
    assert completed("review", "") == ["list", "show", "close"]
    assert completed("review", "close", "rev_1", "--not-") == ["--not-justified"]
    assert set(completed("checkout", "T-1", "--")) >= {"--reason", "--minutes", "--begins", "--help"}
    assert completed("checkout", "T-1", "--reason", "") == [], "what stands there is anybody's own words"
    assert completed("show", "T-1", "password", "--to", "") == ["FILES"]
    assert "ls" in completed("run", "T-1", "--", "l"), "behind -- stands a command"
    assert completed("checkout", "review", "") == [], "a ticket that is called like a command is no command"
    assert completed("nonsense", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_reads_its_script(shell: str, valetkey: Valetkey) -> None:
    ran = valetkey("completion", shell)
    assert (ran.returncode, ran.stderr) == (0, b"")
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    subprocess.run([shell, "-n"], input=ran.stdout, check=True, timeout=30)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_names_every_command(shell: str) -> None:
    text = "\n".join(completion.script(shell))
    for one in EVERY:
        assert re.search(rf"(?<![\w-]){re.escape(one.words[-1])}(?![\w-])", text), typed(one)
        for option in one.options:
            assert option.names[0].lstrip("-") in text


def test_another_shell_is_refused(valetkey: Valetkey) -> None:
    ran = valetkey("completion", "tcsh")
    assert ran.returncode == 65
    assert b"there are scripts for bash, zsh and fish" in ran.stderr
