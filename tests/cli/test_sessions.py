"""The whole story at the terminal, as sessions of the people in it, against the real server."""

from pathlib import Path

import pytest

from tests.cli.playing import Value, play
from tests.cli.running import PROGRAM, environment
from tests.world import LOGIN, PASSWORD, World

SESSIONS = Path(__file__).parent / "sessions"


def codes(world: World) -> dict[str, Value]:
    """Each person's next one-time code, made when it is typed."""
    return {
        f"{role}_code": lambda role=role: world.code(role)
        for role in ("technician", "coordinator", "auditor", "administrator")
    }


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06")
def test_the_story_is_told_at_the_terminal(embedded: World, server: str, tmp_path: Path) -> None:
    known: dict[str, Value] = {
        **codes(embedded),
        "server": server,
        "password": PASSWORD,
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
    for session, person in people.items():
        home = tmp_path / person
        home.mkdir(exist_ok=True)
        known = play(SESSIONS / f"{session}.txt", PROGRAM, environment(home), **known)
    entries = embedded.ledger()
    assert entries.count("secret.reveal ok") == 3, "host, password, and the field that was left empty"
    assert "service.destroy ok" in entries
