"""Each way that a lease can go, in any order, on a real vault beside a plain model.

Nothing here depends on luck: the search is the same each time, and the clock is the tests' own. `make test-long` looks
deeper, and makes what it finds small.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import _template
from tests.operations.lease_machine import Leases
from tests.operations.lease_scene import ENVIRONMENT, Opened, laid_each_time, laid_once
from tests.world import Template
from vault.policy.attempts import LIMITS

pytestmark = [
    pytest.mark.promise("P2", "P4"),
    pytest.mark.attack("AZ07", "AZ08", "AZ09", "AZ11", "AZ12", "AZ14", "AZ22", "AZ24"),
    pytest.mark.usefixtures("patient"),
]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A house with a low limit of services a day, in which nobody waits for having proved too much."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for key in ("code", "visit", "intake", "browser"):
        monkeypatch.setitem(LIMITS, key, 1_000_000)


def search(opened: Opened, *, runs: int, steps: int, deep: bool = False) -> None:
    run_state_machine_as_test(
        lambda: Leases(opened, thorough=deep),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate, *([Phase.shrink] if deep else [])],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_lease_goes_the_ways_of_the_model_and_no_others(
    request: pytest.FixtureRequest, templates: dict[str, Template], tmp_path: Path
) -> None:
    search(laid_once(_template(request, templates, "sqlite"), tmp_path), runs=3, steps=60)


def test_so_it_does_on_a_server(
    request: pytest.FixtureRequest, templates: dict[str, Template], tmp_path: Path
) -> None:
    search(laid_each_time(_template(request, templates, "postgresql"), tmp_path), runs=1, steps=30)


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_so_it_does_however_long_one_looks(
    request: pytest.FixtureRequest, templates: dict[str, Template], tmp_path: Path, database: str
) -> None:
    template = _template(request, templates, database)
    opened = laid_once(template, tmp_path) if database == "sqlite" else laid_each_time(template, tmp_path)
    search(opened, runs=24 if database == "sqlite" else 4, steps=80, deep=True)
