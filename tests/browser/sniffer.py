"""A wire-tap: passes every byte between a browser and a server, and remembers all of them."""

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus


class Wire:
    """What went over the wire, in both directions."""

    def __init__(self) -> None:
        self.seen = bytearray()
        self._lock = threading.Lock()

    def note(self, raw: bytes) -> None:
        with self._lock:
            self.seen += raw

    def spellings_of(self, text: str) -> list[str]:
        """Every common spelling of `text` that was seen."""
        seen = bytes(self.seen)
        return [name for name, spelt in spellings(text) if spelt in seen]


def spellings(text: str) -> Iterator[tuple[str, bytes]]:
    """The text as bytes, as base64 at each of the three offsets, in hexadecimal, for URLs and in UTF-16."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        raw = text.encode(encoding)
        yield encoding, raw
        yield f"{encoding} hex", raw.hex().encode()
        yield f"{encoding} HEX", raw.hex().upper().encode()
        for offset in range(3):
            # the characters that belong to the text alone, whatever stands before and after it
            whole = base64.b64encode(b"\0" * offset + raw)
            inner = whole[(offset * 4 + 2) // 3 : (offset + len(raw)) * 4 // 3 - 1]
            yield f"{encoding} base64+{offset}", inner
            yield f"{encoding} base64url+{offset}", inner.replace(b"+", b"-").replace(b"/", b"_")
    yield "url", quote(text).encode()
    yield "form", quote_plus(text).encode()


@contextlib.contextmanager
def tapped(port: int) -> Iterator[tuple[int, Wire]]:
    """A port that leads to `port` on this host; gives it and the wire."""
    wire = Wire()
    listener = socket.create_server(("127.0.0.1", 0))
    accepting = threading.Thread(target=_accept, args=(listener, port, wire))
    accepting.start()
    try:
        yield listener.getsockname()[1], wire
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join(5)
        listener.close()


def _accept(listener: socket.socket, port: int, wire: Wire) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            threading.Thread(target=_connect, args=(near, port, wire), daemon=True).start()


def _connect(near: socket.socket, port: int, wire: Wire) -> None:
    with near, socket.create_connection(("127.0.0.1", port)) as far:
        back = threading.Thread(target=_pass, args=(far, near, wire), daemon=True)
        back.start()
        _pass(near, far, wire)
        back.join()


def _pass(source: socket.socket, sink: socket.socket, wire: Wire) -> None:
    with contextlib.suppress(OSError):
        while raw := source.recv(65_536):
            wire.note(raw)
            sink.sendall(raw)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
