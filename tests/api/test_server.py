import subprocess
import sys

import pytest

from api import server
from vault.errors import Unavailable


@pytest.mark.attack("DP08")
@pytest.mark.parametrize("name", ["PYTHONINSPECT", "DEBUG", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG"])
def test_a_process_that_is_open_for_debugging_refuses_to_serve(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in server.OPEN_DOORS:
        monkeypatch.delenv(other, raising=False)
    server.refuse_debugging()
    monkeypatch.setenv(name, "1")
    with pytest.raises(Unavailable, match=name):
        server.refuse_debugging()


@pytest.mark.attack("DP08")
def test_the_interpreter_must_not_stay_open_after_the_server() -> None:
    asked = (
        "import api.server as s\ntry: s.refuse_debugging()\nexcept Exception as e: print(type(e).__name__)"
    )
    run = subprocess.run(
        [sys.executable, "-i", "-c", asked], input="", capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout.strip() == "Unavailable", run.stderr


@pytest.mark.promise("P3")
def test_the_intakes_own_process_loads_nothing_that_opens_and_no_database() -> None:
    asked = "import sys, api.serve_intake\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(run.stdout.split())
    assert "api.intake.app" in loaded  # the canary: it is the real thing that was loaded
    for name in (
        "vault.crypto.opening",
        "vault.crypto.rootkey",
        "vault.crypto.protectors",
        "sqlalchemy",
        "sqlite3",
    ):
        assert name not in loaded
    assert not [
        name for name in loaded if name.startswith(("vault.storage", "vault.operations", "vault.ledger"))
    ]
