"""Terms at the terminal of the vault's host, over its operator's socket."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from api.operator import operator_socket
from tests.cli.playing import play
from tests.cli.running import PROGRAM, environment
from tests.world import World
from vault.values import to_datetime

SESSION = Path(__file__).parent / "sessions" / "terms.txt"
FIRST = "# Our terms\n\nWe ask for little.\n"


@pytest.fixture
def host(embedded: World, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the operator's shell knows of a vault whose socket is open."""
    stack = AsyncExitStack()
    embedded.run(stack.enter_async_context(operator_socket(embedded.vault)))
    yield environment(tmp_path, VALETKEY_DATA_DIR=str(embedded.settings.data_dir))
    embedded.run(stack.aclose())


def test_the_operator_sees_what_changes_and_is_asked_before_it_is_posted(
    embedded: World, host: dict[str, str], tmp_path: Path
) -> None:
    files = {
        "first": FIRST,
        "second": FIRST.replace("little.", "little\nand keep nothing.\n- a login at most"),
        "short": "Too short",
    }
    known = {name: str(tmp_path / f"{name}.md") for name in (*files, "nowhere")}
    for name, text in files.items():
        Path(known[name]).write_text(text, "utf-8")
    effective = to_datetime(embedded.clock.wall()) + timedelta(days=30)
    parsed = FIRST.strip().encode()
    facts = {"effective": f"{effective.day} {effective:%B %Y}", "digest": sha256(parsed).hexdigest()}
    play(SESSION, PROGRAM, host, {**known, **facts})
    posted = [entry for entry in embedded.ledger() if entry.startswith("terms.")]
    assert posted == ["terms.publish ok", "terms.publish ok"]


def test_a_script_posts_only_with_a_yes_and_reads_json(
    embedded: World, host: dict[str, str], tmp_path: Path
) -> None:
    place = tmp_path / "terms.md"
    place.write_bytes(FIRST.encode())
    command = [*PROGRAM, "terms", "publish", str(place), "--json"]
    unasked = subprocess.run(command, env=host, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert unasked.returncode == 65
    assert unasked.stdout == b""
    assert not [entry for entry in embedded.ledger() if entry.startswith("terms.")]
    posted = subprocess.run([*command, "--yes"], env=host, capture_output=True, check=True)
    assert json.loads(posted.stdout)["version"] == 1
    assert embedded.ledger()[-1] == "terms.publish ok"


def test_a_file_that_is_no_text_is_refused(host: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "terms.pdf"
    place.write_bytes(b"%PDF-1.7 \xff\xfe and so on, for long enough")
    command = [*PROGRAM, "terms", "publish", str(place), "--yes"]
    refused = subprocess.run(command, env=host, capture_output=True, check=False)
    assert refused.returncode == 65
    assert b"error: the terms are not UTF-8 text" in refused.stderr
