"""A proxy on a Unix socket between the vault and PostgreSQL, which can cut the line around a COMMIT."""

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

Mode = Literal["pass", "cut before", "cut after", "late"]
NAME = ".s.PGSQL.5432"
COMMIT = b"COMMIT\x00"


class Proxy:
    """`mode` is what happens to the next COMMIT; then it passes everything again.

    cut before: it never reaches the server. cut after: the server does it, and its answer is lost. late: the client
    loses the line, and the server does it a moment afterwards.
    """

    def __init__(self, place: Path, server: Path) -> None:
        self.mode: Mode = "pass"
        self.cuts = 0
        self.place = place
        self._server = server / NAME
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(place / NAME))
        self._listening.listen(50)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Take no more lines, and wait until those that are there have ended."""
        _cut(self._listening)
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server))
            down = threading.Thread(target=self._down, args=(server, client), daemon=True)
            down.start()
            self._up(client, server)
            down.join()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if COMMIT in data and self.mode != "pass":
                    mode, self.mode = self.mode, "pass"
                    self.cuts += 1
                    if mode == "cut after":
                        _cut(client)
                        server.sendall(data)
                        time.sleep(0.2)
                    elif mode == "late":
                        _cut(client)
                        time.sleep(0.7)
                        server.sendall(data)
                        time.sleep(0.2)
                    break
                server.sendall(data)
        _cut(client)
        _cut(server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        _cut(client)


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
