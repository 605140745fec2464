"""`valetkey sftp` against Debian's sshd: files there and back, by password and by key, and how it ends."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import sshd
from tests.cli.desk import NUMBER, Desk
from tests.keys import keygen
from tests.world import CATALOGUE, World
from vault.operations.leases import checkout
from vault.operations.services import catalogue
from vault.values import Actor

pytestmark = pytest.mark.skipif(bool(sshd.why_not()), reason=sshd.why_not() or "-")

PASSWORD = "canary Zq7w hunter2"
WITH_SFTP = CATALOGUE.replace(
    "may_ask = [", 'may_ask = [{ kind = "sftp", because = "to bring files to your server" }, '
)


@pytest.fixture
def desk(embedded: World, server: str, tmp_path: Path) -> Iterator[Desk]:
    embedded.run(catalogue.apply(embedded.vault, Actor.host(), WITH_SFTP))
    with sshd.running(password=PASSWORD) as real:
        yield Desk(embedded, tmp_path, real, server)


@pytest.mark.promise("P1")
def test_files_go_there_and_come_back_byte_for_byte_with_a_login_for_files_alone(desk: Desk) -> None:
    secret = desk.give(
        "sftp", password=PASSWORD, folder=f"{desk.server.home}/.bashrc", host_key=desk.server.key_line
    )
    lease = desk.world.lease(desk.ticket, secret)
    data = secrets.token_bytes(1 << 20)
    (desk.home / "-up").write_bytes(data)
    batch = "put ./-up there\nget there back\nls -l\n"
    ran = desk.run("sftp", NUMBER, "--batch", "-", typed=batch.encode())
    assert ran.returncode == 0, ran.stderr
    assert (desk.server.home / "there").read_bytes() == data
    assert (desk.home / "back").read_bytes() == data
    assert b"there" in ran.stdout
    told = ran.stderr.decode()
    assert f"the customer names this folder: {desk.server.home}/.bashrc" in told
    assert not (desk.home / ".bashrc").exists(), "what a server calls a folder is not fetched unasked"
    (desk.home / "steps").write_text("get missing\nput ./-up never\n")
    assert desk.run("sftp", NUMBER, "--batch", "steps").returncode == 1
    assert not (desk.server.home / "never").exists()
    ran = desk.run("sftp", NUMBER, typed=b"pwd\nbye\n")
    assert (ran.returncode, str(desk.server.home) in ran.stdout.decode()) == (0, True)
    ran = desk.run("ssh", NUMBER, "--", "true")
    assert ran.returncode == 65
    assert b"no login here that this works with" in ran.stderr
    desk.world.perform(checkout.check_in, desk.world.actor("technician"), lease.id)
    since = desk.world.size()
    ran = desk.run("sftp", NUMBER, "--batch", "-", typed=b"what is piped in is nobody's reason\n123456\n")
    assert ran.returncode == 66
    assert b"you have nothing checked out for this ticket" in ran.stderr
    assert desk.world.size() == since


def test_a_key_brings_files_too_over_ipv6_and_of_a_name_with_a_backslash(
    embedded: World, server: str, tmp_path: Path
) -> None:
    address = sshd.newest_address()
    with sshd.running(user=r"SHOP\deploy", address=address) as real:
        desk = Desk(embedded, tmp_path, real, server)
        path = real.place / "key"
        keygen("-t", "ed25519", "-N", "", "-C", "", "-f", str(path))
        real.allow(path.with_suffix(".pub").read_text())
        secret = desk.give("ssh-key", private_key=path.read_text(), host_key=real.key_line)
        desk.world.lease(desk.ticket, secret)
        (desk.home / "up").write_bytes(os.urandom(1000))
        ran = desk.run("sftp", NUMBER, "--batch", "-", typed=b"put up there\n")
        assert ran.returncode == 0, (ran.stderr, real.log)
        assert (real.home / "there").read_bytes() == (desk.home / "up").read_bytes()
        shown = f"[{address}]" if ":" in address else address
        assert rf"SHOP\deploy@{shown}:" in ran.stderr.decode()
        assert desk.files() == {"up"}
