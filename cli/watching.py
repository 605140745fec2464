"""Watching a lease while a program works under it: it can be revoked, extended, or just end."""

import threading
from collections.abc import Callable
from typing import Any

from cli.http import Client
from cli.moments import seconds_until, until
from cli.terminal import say, say_next
from vault.errors import Ended, NotFound, NotSignedIn, VaultError

EVERY_SECONDS = 20.0
"""Between two looks; a revoked lease ends the program that much later at most."""
_WARNED_SECONDS = 300.0
_LEAST_SECONDS = 1.0

HOW = {
    "expiry": "its time is over",
    "check-in": "it was handed back",
    "taken back": "it was taken back",
    "refused": "it was refused",
    "not answered": "nobody answered in time",
    "revocation": "a coordinator has ended it",
    "ticket closed": "the ticket was closed",
    "unassigned": "you are no longer on the ticket",
    "service ended": "the service has ended",
    "disabled": "the account was disabled",
    "account reset": "the account was reset",
    "role taken away": "the role for it was taken away",
    "approver disabled": "who said yes to it does so no more",
}
"""How a lease ended, in words."""


class Watch:
    """Looks at a lease now and then, in a thread of its own. The server decides; its silence ends nothing early."""

    def __init__(self, client: Client, lease: dict[str, Any], *, quiet: bool = False) -> None:
        """The client is the watch's alone as long as it lasts. `quiet`: nothing is said before the end."""
        self._quiet = quiet
        self._client = client
        self._lease = lease
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._wake: Callable[[], None] = lambda: None
        self._warned = self._left() < _WARNED_SECONDS
        self._why = ""

    def start(self, wake: Callable[[], None]) -> None:
        """Begin; `wake` is called once `ended` has something to say."""
        self._wake = wake
        self._thread.start()

    def stop(self) -> None:
        """Stop, and have the client back."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def ended(self) -> str:
        """Why the lease has ended, in words; nothing as long as it has not."""
        return self._why

    def _watch(self) -> None:
        while not self._over.wait(max(_LEAST_SECONDS, min(EVERY_SECONDS, self._left()))):
            try:
                self._lease = self._client.get("/api/v1/leases", self._lease["id"])
            except (NotFound, Ended):
                self._why = "it is gone"
            except NotSignedIn:
                self._why = "you are signed out"
            except VaultError:
                if self._left() <= 0:
                    self._why = HOW["expiry"]
            else:
                if self._lease["state"] == "ended":
                    self._why = HOW.get(self._lease["ended_how"], str(self._lease["ended_how"]))
                elif self._lease["paused_at"]:
                    self._why = "the customer has paused the service"
            if self._why:
                self._wake()
                return
            self._warn()

    def _warn(self) -> None:
        left = self._left()
        if self._quiet:
            return
        if left < _WARNED_SECONDS and not self._warned:
            self._warned = True
            say(f"the lease ends at {until(self._lease['expires_at'])}, and the command with it")
            if self._lease["extendable_minutes"]:
                say_next(f"valetkey extend {self._lease['id']}")
        elif left > _WARNED_SECONDS:
            self._warned = False  # it was extended

    def _left(self) -> float:
        return seconds_until(self._lease["expires_at"])
