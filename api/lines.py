"""One JSON object a line over a Unix socket: how the host's operator and a separate intake reach the core."""

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from api.errors import log_unexpected
from vault.errors import Invalid, Unavailable, VaultError

Answerer = Callable[[bytes], Awaitable[Mapping[str, Any]]]
"""From one line, without its end, to the object that answers it. May raise VaultError."""
Refuser = Callable[[VaultError], Mapping[str, Any]]

IDLE_SECONDS = 60


@asynccontextmanager
async def listening(
    path: Path, mode: int, longest: int, answerer: Answerer, refuser: Refuser, uids: frozenset[int] | None
) -> AsyncIterator[None]:
    """Answer lines of at most `longest` bytes at `path`, whose mode is `mode` from its first moment on.

    `uids` names the users who may speak there beside the mode's own guard; None leaves it to the mode. Every
    line is answered by exactly one. Raises Unavailable when the socket cannot be made.
    """
    open_lines: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_lines.add(writer)
        try:
            if uids is None or _uid_of(writer) in uids:
                await _converse(reader, writer, answerer, refuser)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # they have gone, or said nothing: nothing was promised to them
        finally:
            open_lines.discard(writer)
            writer.close()

    before = os.umask(0o777 & ~mode)
    try:
        server = await asyncio.start_unix_server(talk, path, limit=longest)
    except OSError as error:
        why = error.strerror or "its path is too long"
        raise Unavailable(f"the socket {path.name} cannot be made: {why}") from None
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
        for line in open_lines:
            line.close()
        _remove(path)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()


def _uid_of(writer: asyncio.StreamWriter) -> int | None:
    """The user at the other end, as the kernel says it; None where it does not, and then nobody is let in."""
    line: socket.socket = writer.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    _pid, uid, _gid = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answerer: Answerer, refuser: Refuser
) -> None:
    while True:
        answer: Mapping[str, Any]
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                line = await reader.readline()
        except (
            ValueError
        ):  # asyncio's word for a line beyond the limit; what follows has no beginning any more
            await _say(writer, refuser(Invalid("this message is larger than what belongs here")))
            return
        if not line.endswith(b"\n"):
            return
        try:
            answer = await answerer(line[:-1])
        except VaultError as refusal:
            answer = refuser(refusal)
        except Exception as fault:  # noqa: BLE001 (its text may hold what was sent, so only its place is logged)
            log_unexpected(fault)
            answer = refuser(Unavailable("something went wrong here"))
        await _say(writer, answer)


async def _say(writer: asyncio.StreamWriter, answer: Mapping[str, Any]) -> None:
    writer.write(json.dumps(answer, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
    await writer.drain()
