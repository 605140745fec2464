"""Scenes: on both databases, on the embedded one, and one for a whole file."""

from collections.abc import Iterator

import pytest

from tests.conftest import _template
from tests.storage.scene import Scene
from tests.world import World


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world, *world.lent())


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One scene for all attacks that are undone afterwards."""
    template = _template(request, request.getfixturevalue("templates"), "sqlite")
    with template.world(tmp_path_factory.mktemp("shared")) as world:
        service, secret, ticket, _ = world.lent()
        yield Scene(world, service, secret, ticket, world.lease(ticket, secret, minutes=240))


@pytest.fixture
def small(embedded: World) -> Scene:
    return Scene(embedded, *embedded.lent())
