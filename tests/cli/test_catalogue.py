"""At the terminal: an administrator approves a line of the catalogue, a coordinator prolongs a service."""

from functools import partial
from pathlib import Path

import pytest

from tests.cli.browser import people_of
from tests.cli.playing import Value, play
from tests.cli.running import PROGRAM, environment
from tests.operations.necessities import HOST, NECESSITY, WITH_REGISTRAR
from tests.world import World
from vault.operations.house import upkeep
from vault.operations.people import device
from vault.operations.services import catalogue

SESSIONS = Path(__file__).parent / "sessions"


@pytest.mark.promise("P7")
@pytest.mark.parametrize(("session", "role"), [("prolonging", "coordinator"), ("approving", "administrator")])
def test_the_catalogue_and_its_graces_at_the_terminal(
    embedded: World, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: str, role: str
) -> None:
    monkeypatch.setattr(
        device, "INTERVAL", 0
    )  # the server says how long to wait, and nobody here has the time
    embedded.run(catalogue.apply(embedded.vault, HOST, WITH_REGISTRAR))
    service = embedded.service(days=3)
    embedded.clock.advance(days=4)
    embedded.run(upkeep.sweep(embedded.vault))
    known: dict[str, Value] = {
        "server": server,
        "service": service.id,
        "necessity": NECESSITY,
        f"{role}_code": partial(embedded.code, role),
    }
    play(SESSIONS / f"{session}.txt", PROGRAM, environment(tmp_path), known, people_of(embedded))
