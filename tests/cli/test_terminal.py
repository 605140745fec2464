"""What reaches the terminal cannot steer it, and what is typed arrives byte for byte."""

import io
import sys
from pathlib import Path

import pytest

from cli import terminal
from vault.errors import Invalid


@pytest.mark.attack("IN09")
@pytest.mark.parametrize(
    "evil", ["\x1b]0;owned\x07", "\x9b31m", "a\rb", "\u202egnp", "\x00", "\ud800", "x\ny"]
)
def test_nothing_stored_can_steer_the_terminal(evil: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.put_table(("title",), [(evil,)], "nothing")
    terminal.put_details({"title": evil})
    terminal.put(evil)
    terminal.say(evil)
    terminal.say_error(evil, evil)
    shown = capsys.readouterr()
    for text in (shown.out, shown.err):
        assert not any(sign in text.replace("\n", "") for sign in "\x1b\x07\x9b\r\x00\ud800\u202e")
        assert "y\n" not in text or "\\ny" in text


def test_json_is_ascii_and_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.put_json({"value": "Größe \x1b[2J"})
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert "\x1b" not in shown


def test_errors_and_hints_are_lower_case_without_a_full_stop(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say_error("The vault is sealed.", "An operator unseals it.")
    terminal.say_error("TOTP codes have six digits", "")
    assert capsys.readouterr().err.splitlines() == [
        "error: the vault is sealed",
        "hint: an operator unseals it",
        "error: TOTP codes have six digits",
    ]


def test_columns_line_up_whatever_is_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.put_table(("a", "b"), [("漢字", 1), ("x", 2)], "nothing")
    assert capsys.readouterr().out == "漢字  1\nx     2\n"


def typed(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))


def test_a_line_from_a_pipe_keeps_every_byte_but_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, " pässword \t\r\nnext\n".encode())
    assert terminal.ask_hidden("password").expose() == " pässword \t\r"
    assert terminal.ask("next") == "next"


def test_what_is_not_utf_8_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, b"hunter\xff2\n")
    with pytest.raises(Invalid) as caught:
        terminal.ask("password")
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "read"), [(b" a b \n", " a b "), (b"a\r\n", "a"), (b"a\n\n", "a\n"), (b"", "")]
)
def test_a_secret_file_loses_one_line_end(tmp_path: Path, raw: bytes, read: str) -> None:
    (tmp_path / "secret").write_bytes(raw)
    assert terminal.read_secret_file(str(tmp_path / "secret")).expose() == read
