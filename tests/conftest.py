"""What every test can ask for. `world` comes twice: on the embedded SQLite and on a real PostgreSQL."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compiled import share_statements
from tests.postgres import Cluster, quick_place, running
from tests.world import Template, World

share_statements()


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder of its own, in memory where there is plenty, as each commit waits for its file to be written. Its name
    is short: the path of a Unix socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="vk-", dir=quick_place()) as place:
        yield Path(place)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """Templates made so far in this process, by database."""
    return {}


def _template(request: pytest.FixtureRequest, templates: dict[str, Template], name: str) -> Template:
    if name not in templates:
        place = request.getfixturevalue("tmp_path_factory").mktemp(f"template-{name}")
        cluster = request.getfixturevalue("cluster") if name == "postgresql" else None
        templates[name] = Template(Path(place), cluster)
    return templates[name]


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, templates: dict[str, Template], tmp_path: Path) -> Iterator[World]:
    """The small company, once on each database."""
    with _template(request, templates, request.param).world(tmp_path) as world:
        yield world


@pytest.fixture
def embedded(
    request: pytest.FixtureRequest, templates: dict[str, Template], tmp_path: Path
) -> Iterator[World]:
    """The small company on the embedded SQLite alone, for what does not depend on the database."""
    with _template(request, templates, "sqlite").world(tmp_path) as world:
        yield world


@pytest.fixture
def server(embedded: World) -> Iterator[str]:
    """The whole application of `embedded` on a loopback socket; gives its base address."""
    with embedded.served() as address:
        yield address


LONGEST_FIRST = (
    "test_demo",
    "test_permissions",
    "browser/test_reading",
    "cli/test_host",
    "cli/test_sessions",
    "browser/test_pictures",
    "browser/test_form_reading",
    "browser/",
    "cli/",
    "storage/",
)
"""Files that take minutes; begun last, they would keep one process busy while the others wait."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        place = item.path.as_posix()
        return next(
            (at for at, part in enumerate(LONGEST_FIRST) if f"tests/{part}" in place), len(LONGEST_FIRST)
        )

    items.sort(key=turn)
