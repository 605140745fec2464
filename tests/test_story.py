"""The whole life of a credential, on both databases."""

from pathlib import Path

import pytest

from tests.world import LOGIN, World
from vault.errors import Ended
from vault.ledger import verify


@pytest.mark.promise("P1", "P2", "P5", "P6")
def test_a_login_travels_from_the_customer_to_its_destruction(world: World, tmp_path: Path) -> None:
    service, secret, _ticket, lease = world.lent()
    assert [world.reveal(lease, secret, name) for name in ("host", "password")] == [
        LOGIN["host"],
        LOGIN["password"],
    ]

    place = tmp_path / "bundle"
    place.write_bytes(world.bundle())
    verdict = verify.verify_bundle(place, world.vkey())
    assert verdict.size == world.size()
    certificate = world.end(service)

    assert "destruction" in certificate.note
    with pytest.raises(Ended):
        world.reveal(lease, secret)
    assert world.ledger()[-3:] == ["service.end ok", "service.destroy ok", "secret.reveal Ended"]
