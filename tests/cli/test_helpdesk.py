"""At the terminal: a helpdesk is made on the host, connected by a coordinator, and ended."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from api.operator import operator_socket
from tests.cli.browser import people_of
from tests.cli.playing import play
from tests.cli.running import PROGRAM, environment
from tests.world import World
from vault.operations.people import device

SESSIONS = Path(__file__).parent / "sessions"


def test_a_helpdesk_is_made_connected_and_ended_at_the_terminal(
    embedded: World, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "INTERVAL", 0)  # nobody here has the time to wait as the server says
    service = embedded.service()
    told = {
        "VALETKEY_DATA_DIR": str(embedded.settings.data_dir),
        "VALETKEY_BASE_URL": embedded.settings.base_url,
    }
    stack = AsyncExitStack()
    embedded.run(stack.enter_async_context(operator_socket(embedded.vault)))
    try:
        known = {"service": service.id, "server": server}
        seen = environment(tmp_path, **told)
        play(SESSIONS / "helpdesk.txt", PROGRAM, seen, known, people_of(embedded))
    finally:
        embedded.run(stack.aclose())
    made = [entry for entry in embedded.ledger() if "helpdesk" in entry or "connect" in entry]
    assert made == [
        "helpdesk.add ok",
        "service.connect ok",
        "service.connect Conflict",
        "service.disconnect ok",
        "helpdesk.secret ok",
        "helpdesk.end ok",
        "helpdesk.secret NotFound",
    ]
