"""Watching a lease while a program works under it: what ends the program, and what does not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli import watching
from cli.http import Client
from cli.watching import Watch
from tests.cli.running import TinyServer

PATH = "/api/v1/leases/lse_1"


def lease(seconds: float, **more: Any) -> dict[str, Any]:
    return {
        "id": "lse_1",
        "state": "active",
        "ended_how": "",
        "paused_at": None,
        "extendable_minutes": 60,
        "expires_at": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(),
        **more,
    }


@pytest.fixture
def watched(tiny: TinyServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Watch a lease of so many seconds until the watch has looked thrice, or has ended it; gives why."""
    monkeypatch.setattr(watching, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(watching, "_LEAST_SECONDS", 0.01)

    def watch(seconds: float) -> str:
        with Client(tiny.url) as client:
            one = Watch(client, lease(seconds))
            ended: list[str] = []
            one.start(lambda: ended.append(one.ended()))
            while not ended and len(tiny.asked) < 3:
                one._over.wait(0.005)
            one.stop()
            return one.ended()

    return watch


@pytest.mark.promise("P4")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "ended", "ended_how": "revocation"}, "a coordinator has ended it"),
        ({"state": "ended", "ended_how": "expiry"}, "its time is over"),
        ({"state": "ended", "ended_how": "disabled"}, "the account was disabled"),
        ({"paused_at": "2026-11-23T07:00:00Z"}, "the customer has paused the service"),
    ],
)
def test_what_ends_or_pauses_the_lease_ends_the_program(
    watched: Callable[..., str], tiny: TinyServer, change: dict[str, Any], words: str
) -> None:
    tiny.answer("GET", PATH, 200, json.dumps(lease(600, **change)).encode())
    assert watched(600) == words


@pytest.mark.promise("P4")
@pytest.mark.parametrize(("status", "words"), [(404, "it is gone"), (401, "you are signed out")])
def test_who_may_no_longer_look_may_no_longer_use(
    watched: Callable[..., str], tiny: TinyServer, status: int, words: str
) -> None:
    tiny.answer("GET", PATH, status, b"{}")
    assert watched(600) == words


@pytest.mark.promise("P4")
def test_a_server_that_is_silent_ends_nothing_before_its_time_and_everything_after(
    watched: Callable[..., str], tiny: TinyServer
) -> None:
    tiny.answer("GET", PATH, 503, b"{}")
    assert watched(600) == ""
    tiny.asked.clear()
    assert watched(-1) == "its time is over"


def test_it_is_said_once_before_the_lease_ends_and_with_what_makes_it_longer(
    watched: Callable[..., str], tiny: TinyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.answer("GET", PATH, 200, json.dumps(lease(130)).encode())
    assert watched(600) == ""
    said = capsys.readouterr().err
    assert said.count("and the command with it") == 1
    assert "in 2 minutes" in said
    assert said.endswith("next: valetkey extend lse_1\n")


def test_a_lease_that_was_extended_goes_on(watched: Callable[..., str], tiny: TinyServer) -> None:
    tiny.answer("GET", PATH, 200, json.dumps(lease(3600)).encode())
    assert watched(0.02) == ""
