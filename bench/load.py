"""A loopback load: some clients, each with one connection kept open, each asking again when it was answered."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from vault.crypto.factors import current_code


@dataclass(frozen=True)
class Call:
    """One HTTP request, ready to be sent."""

    raw: bytes = field(repr=False)
    expected: int

    @classmethod
    def post(cls, port: int, path: str, body: str, expected: int, **headers: str) -> "Call":
        """A POST of JSON; header names are given with underscores."""
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body.encode())}")
        return cls("\r\n".join([*lines, "", ""]).encode() + body.encode(), expected)


@dataclass(frozen=True)
class Measured:
    """How many calls were answered as expected in how many seconds, and the seconds each one took."""

    seconds: float
    took: tuple[float, ...] = field(repr=False)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds

    def quantile(self, share: float) -> float:
        """The time that this share of the answers did not exceed, in seconds."""
        ordered = sorted(self.took)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class Unexpected(Exception):
    """The server did not answer as it should; what was measured means nothing."""


async def _client(port: int, calls: Iterator[Call], until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for call in calls:
            started = time.perf_counter()
            if started >= until:
                break
            writer.write(call.raw)
            head = await reader.readuntil(b"\r\n\r\n")
            at = head.lower().find(b"content-length:")
            body = await reader.readexactly(int(head[at + 15 : head.index(b"\r", at)])) if at > 0 else b""
            took.append(time.perf_counter() - started)
            if int(head[9:12]) != call.expected:
                raise Unexpected(f"{head[:15]!r} {body[:200]!r}")
    finally:
        writer.close()


async def load(port: int, clients: int, calls: Iterator[Call], seconds: float) -> Measured:
    """Let so many clients take from `calls` until they are used up or the time is."""
    took: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*[_client(port, calls, started + seconds, took) for _ in range(clients)])
    return Measured(time.perf_counter() - started, tuple(took))


def code_now(seed: str) -> str:
    """The one-time code of this moment."""
    return current_code(bytes.fromhex(seed), int(time.time()))
