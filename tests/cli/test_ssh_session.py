"""A technician comes to a new server, as a session at a terminal: he is asked for a reason, a proof and its key."""

from functools import partial
from pathlib import Path

import pytest

from tests.cli import sshd
from tests.cli.desk import Desk
from tests.cli.playing import play
from tests.keys import keygen
from tests.world import World

SESSION = Path(__file__).parent / "sessions" / "ssh.txt"
PASSWORD = "canary Zq7w hunter2"


@pytest.mark.promise("P2")
@pytest.mark.skipif(bool(sshd.why_not()), reason=sshd.why_not() or "-")
def test_a_technician_comes_to_a_server_that_nobody_has_met(
    embedded: World, server: str, tmp_path: Path
) -> None:
    with sshd.running(password=PASSWORD) as real:
        desk = Desk(embedded, tmp_path, real, server)
        desk.give(password=PASSWORD)
        desk.sign_in()
        unshare, *rest = desk.command()
        known = {
            "technician_code": partial(embedded.code, "technician"),
            "secret": PASSWORD,
            "print": keygen("-l", "-f", str(real.place / "host_ed25519")).split()[1],
        }
        play(SESSION, ("/usr/bin/env", unshare, *rest), desk.environment(), known)
        assert real.log.count("Accepted password") == 2
        assert desk.files() == set()
