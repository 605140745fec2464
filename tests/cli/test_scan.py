"""At the terminal: the host's operator has what is kept looked through for card numbers."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from api.operator import operator_socket
from tests.cli.playing import play
from tests.cli.running import PROGRAM, environment
from tests.world import LOGIN, World
from vault.operations.customers import giving

SESSIONS = Path(__file__).parent / "sessions"


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11", "AU05")
def test_what_is_kept_is_looked_through_at_the_terminal(
    embedded: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = embedded.service()
    embedded.give(embedded.service(title="Another shop"))
    with monkeypatch.context() as before_the_rule:
        before_the_rule.setattr(giving, "holds_card_number", lambda _fields: False)
        bad = embedded.give(service, LOGIN | {"password": "4111 1111 1111 1111"})
    seen = environment(tmp_path, VALETKEY_DATA_DIR=str(embedded.settings.data_dir))
    stack = AsyncExitStack()
    embedded.run(stack.enter_async_context(operator_socket(embedded.vault)))
    try:
        play(SESSIONS / "scanning.txt", PROGRAM, seen, {"service": service.id, "bad": bad})
    finally:
        embedded.run(stack.aclose())
