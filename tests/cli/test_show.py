"""`valetkey show`: a revealed value as the bytes that it is, into a pipe or into a file of its own."""

import json
from pathlib import Path

import pytest

from tests.cli.running import Valetkey
from tests.lent_file import BINARY, TEXT, lent_file
from tests.world import LOGIN, World


def signed_in(world: World, server: str, home: Path) -> None:
    """What `valetkey login` leaves."""
    place = home / "config" / "valetkey" / "session.json"
    place.parent.mkdir(parents=True)
    place.touch(0o600)
    place.write_text(json.dumps({"url": server, "token": world.sign_in("technician")}))


@pytest.mark.parametrize("content", [BINARY, TEXT])
def test_a_file_arrives_byte_for_byte(
    embedded: World, server: str, valetkey: Valetkey, tmp_path: Path, content: bytes
) -> None:
    secret, lease = lent_file(embedded, content)
    signed_in(embedded, server, tmp_path)
    piped = valetkey("show", lease.id, "contents")
    assert (piped.returncode, piped.stdout) == (0, content)
    kept = valetkey("show", lease.id, "contents", "--secret", secret, "--to", "shop.ovpn")
    assert (kept.returncode, kept.stdout) == (0, b"")
    assert b"written into shop.ovpn; delete it when your work is done" in kept.stderr
    place = tmp_path / "shop.ovpn"
    assert place.read_bytes() == content
    assert place.stat().st_mode & 0o777 == 0o600


def test_any_value_can_go_into_a_file(
    embedded: World, server: str, valetkey: Valetkey, tmp_path: Path
) -> None:
    *_, lease = embedded.lent()
    signed_in(embedded, server, tmp_path)
    assert valetkey("show", lease.id, "password", "--to", "password").returncode == 0
    assert (tmp_path / "password").read_text() == LOGIN["password"]


@pytest.mark.promise("P1")
def test_nothing_is_overwritten_and_then_nothing_is_revealed(
    embedded: World, server: str, valetkey: Valetkey, tmp_path: Path
) -> None:
    *_, lease = embedded.lent()
    signed_in(embedded, server, tmp_path)
    (tmp_path / "there").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    before = embedded.size()
    for name in ("there", "link", "no/folder"):
        refused = valetkey("show", lease.id, "password", "--to", name)
        assert refused.returncode in {66, 73}, refused.stderr
        assert refused.stderr.startswith(f"error: {name}: ".encode())
    assert (tmp_path / "there").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()
    assert "secret.reveal ok" not in embedded.ledger(before)


def test_a_refused_reveal_leaves_no_file(
    embedded: World, server: str, valetkey: Valetkey, tmp_path: Path
) -> None:
    *_, lease = embedded.lent()
    signed_in(embedded, server, tmp_path)
    assert valetkey("show", lease.id, "host_key", "--to", "key").returncode == 66
    assert not (tmp_path / "key").exists()
