"""The whole story at the terminal, as sessions of the people in it, against the real server."""

from functools import partial
from pathlib import Path

import pytest

from tests.cli.browser import people_of
from tests.cli.playing import Value, play
from tests.cli.running import PROGRAM, environment
from tests.world import LOGIN, World
from vault.operations.people import device

SESSIONS = Path(__file__).parent / "sessions"


def codes(world: World) -> dict[str, Value]:
    """Each person's next one-time code, made when it is typed."""
    return {f"{role}_code": partial(world.code, role) for role in world.staff}


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06")
def test_the_story_is_told_at_the_terminal(
    embedded: World, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        device, "INTERVAL", 0
    )  # the server says how long to wait, and nobody here has the time
    known: dict[str, Value] = {
        **codes(embedded),
        "server": server,
        "secret": LOGIN["password"],
        "statement_key": embedded.settings.statement_key_place.read_text().strip(),
        "wrong_key": "ab" * 32,
        "ledger_key": embedded.vkey(),
        "origin": embedded.vkey().split("+")[0],
        "bundle": str(tmp_path / "log.bundle"),
    }
    people = {
        "coordinator": "clara",
        "customer": "carl",
        "technician": "tom",
        "administrator": "ada",
        "auditor": "axel",
        "ending": "clara",
    }
    browsers = people_of(embedded)
    for session, person in people.items():
        home = tmp_path / person
        home.mkdir(exist_ok=True)
        known = play(SESSIONS / f"{session}.txt", PROGRAM, environment(home), known, browsers)
    entries = embedded.ledger()
    assert entries.count("secret.reveal ok") == 3, "host, password, and the field that was left empty"
    assert entries.count("device.allow ok") == 4
    assert entries.count("device.deny ok") == 1
    assert "service.destroy ok" in entries
