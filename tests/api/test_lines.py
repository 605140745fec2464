import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from api.lines import listening
from vault.errors import Denied, Unavailable, VaultError


def refused(error: VaultError) -> dict[str, str]:
    return {"error": type(error).__name__, "message": str(error)}


async def answered(line: bytes) -> dict[str, str]:
    if line == b'"no"':
        raise Denied("the sentence")
    if line == b'"fault"':
        raise RuntimeError("hunter2")
    return {"ok": line.decode()}


def conversation(path: Path, said: bytes, uids: frozenset[int] | None, mode: int = 0o600) -> list[dict]:
    """Say all of it, and give every answer until the other side hangs up."""

    async def talk() -> bytes:
        async with listening(path, mode, 1024, answered, refused, uids):
            assert stat.S_IMODE(os.stat(path).st_mode) == mode  # noqa: PTH116 (a test may wait for a file)
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(said)
            writer.write_eof()
            try:
                answers = await reader.read()
            except ConnectionResetError:
                answers = b""  # it hung up without reading
            writer.close()
        return answers

    found = asyncio.run(talk())
    assert not path.exists()
    return [json.loads(line) for line in found.splitlines()]


ME = frozenset({os.getuid()})


def test_every_line_has_one_answer_and_a_refusal_is_one_too(tmp_path: Path) -> None:
    said = b'"hello"\n"no"\n"fault"\n"again"\n'
    assert conversation(tmp_path / "s", said, ME) == [
        {"ok": '"hello"'},
        {"error": "Denied", "message": "the sentence"},
        {"error": "Unavailable", "message": "something went wrong here"},
        {"ok": '"again"'},
    ]


def test_a_line_beyond_the_bound_is_refused_and_half_a_line_is_not_heard(tmp_path: Path) -> None:
    assert conversation(tmp_path / "s", b"x" * 5000 + b"\n", ME)[0]["error"] == "Invalid"
    assert conversation(tmp_path / "s", b'"hello"', ME) == []


def test_another_user_is_not_heard_even_when_the_mode_lets_them_in(tmp_path: Path) -> None:
    assert conversation(tmp_path / "s", b'"hello"\n', frozenset({os.getuid() + 1}), 0o666) == []
    assert conversation(tmp_path / "s", b'"hello"\n', None, 0o666) == [{"ok": '"hello"'}]


def test_a_socket_left_by_a_killed_server_is_taken_over(tmp_path: Path) -> None:
    import socket

    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert path.exists()
    assert conversation(path, b'"hello"\n', ME) == [{"ok": '"hello"'}]


def test_a_socket_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere" / "s", tmp_path / ("x" * 120)):
        with pytest.raises(Unavailable, match="cannot be made"):
            conversation(path, b"", ME)
