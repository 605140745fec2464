"""`valetkey ssh` against Debian's sshd: who gets in, by what, how it ends, and what is left of it."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import sshd
from tests.cli.desk import NUMBER, Desk
from tests.keys import PASSPHRASE, keygen, putty_key
from tests.world import World
from vault.operations.leases import checkout, host_keys

pytestmark = [
    pytest.mark.skipif(bool(sshd.why_not()), reason=sshd.why_not() or "-"),
    pytest.mark.promise("P1"),
]

PASSWORD = "canary Zq7w!$`\"'\\ hunter2 €"
CONFIGURATION = """
Host *
  ProxyCommand touch {home}/proxied
  ControlMaster auto
  ControlPath {home}/master-%h
  ControlPersist yes
  ForwardAgent yes
  PermitLocalCommand yes
  LocalCommand touch {home}/ran
  SendEnv *
  UserKnownHostsFile {home}/.ssh/known_hosts
  StrictHostKeyChecking no
  LogLevel DEBUG3
"""


@pytest.fixture
def desk(embedded: World, server: str, tmp_path: Path) -> Iterator[Desk]:
    with sshd.running(password=PASSWORD) as real:
        yield Desk(embedded, tmp_path, real, server)


def ed25519(folder: Path) -> str:
    """Another host key for the server, whose line it gives."""
    for name in ("host_ed25519", "host_ed25519.pub"):
        (folder / name).unlink()
    return sshd.host_key(folder).with_suffix(".pub").read_text().strip()


@pytest.mark.attack("DP01")
def test_a_password_logs_in_byte_for_byte_and_nothing_of_the_users_own_ssh_takes_part(desk: Desk) -> None:
    secret = desk.give(password=PASSWORD, host_key=desk.server.key_line)
    lease = desk.world.lease(desk.ticket, secret)
    folder = desk.home / ".ssh"
    folder.mkdir(mode=0o700)
    (folder / "config").write_text(CONFIGURATION.format(home=desk.home))
    before, since = desk.files(), desk.world.size()
    data = secrets.token_bytes(1 << 20)
    ran = desk.run("ssh", NUMBER, "--", "cat", typed=data, SSH_AUTH_SOCK="/run/mine", MINE="canary of mine")
    assert (ran.returncode, ran.stdout) == (0, data), ran.stderr
    told = ran.stderr.decode()
    assert "debug" not in told, "the configuration of the user was read"
    assert re.search(
        r"^deploy@127\.0\.0\.1:\d+, until .* UTC, in \d+ minutes at the latest$", told, re.MULTILINE
    )
    assert told.endswith(f"next: valetkey checkin {lease.id}\n")
    opened = desk.world.ledger(since)
    assert opened.count("secret.use ok") == 5, "host, port, user name, host key, password"
    assert "secret.reveal ok" not in opened

    ran = desk.run("ssh", lease.id, "--", "echo out; echo err >&2; env; exit 42", MINE="canary of mine")
    assert ran.returncode == 42
    assert ran.stdout.startswith(b"out\n")
    assert b"err\n" in ran.stderr
    assert b"canary" not in ran.stdout + ran.stderr
    assert b"SSH_AUTH_SOCK" not in ran.stdout
    assert desk.run("ssh", NUMBER, "--", "kill", "-9", "$$").returncode == 255, "as ssh says it"
    assert desk.files() == before, "no file of the user's ssh, no socket, no folder is left or was written"


@pytest.fixture
def by_key(embedded: World, server: str, tmp_path: Path) -> Iterator[Desk]:
    with sshd.running(password=PASSWORD, address=sshd.newest_address()) as real:
        yield Desk(embedded, tmp_path, real, server)


def test_keys_of_every_make_log_in_and_a_lease_of_several_asks_which(by_key: Desk) -> None:
    desk, real = by_key, by_key.server
    made, publics = {}, []
    for name, sort, form in (
        ("new", "ed25519", "RFC4716"),
        ("old", "rsa", "PEM"),
        ("nist", "ecdsa", "PKCS8"),
    ):
        path = real.place / name
        keygen("-t", sort, "-m", form, "-N", PASSPHRASE, "-C", "", "-f", str(path))
        made[name] = (path.read_text(), PASSPHRASE)
        publics.append(path.with_suffix(".pub").read_text().strip())
    made["windows"] = (f"\r\n{putty_key(3, PASSPHRASE)}", PASSPHRASE)
    made["bare"] = (putty_key(2), "")
    publics.append("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
    real.allow("\n".join(publics))
    lease = None
    for name, (key, word) in made.items():
        secret = desk.give(
            "ssh-key", private_key=key, host_key=real.key_line, **({"passphrase": word} if word else {})
        )
        lease = lease or desk.world.lease(desk.ticket, secret)
        ran = desk.run("ssh", NUMBER, "--", "id", "-un", "&&", "echo", "$SSH_AUTH_SOCK")
        assert (ran.returncode, ran.stdout) == (0, b"deploy\n\n"), (name, ran.stderr, real.log)
    assert desk.files() == set()
    assert real.log.count("Accepted publickey") == len(made)
    other = desk.give(password=PASSWORD, host_key=real.key_line)
    desk.world.perform(checkout.check_in, desk.world.actor("technician"), lease.id)
    desk.world.lease(desk.ticket, secret, other)
    ran = desk.run("ssh", NUMBER, "--", "true")
    assert ran.returncode == 65
    assert b"several logins here connect" in ran.stderr
    assert f"{secret} (ssh-key)" in ran.stderr.decode()
    for named in (secret, "ssh-password"):
        assert desk.run("ssh", NUMBER, "--secret", named, "--", "true").returncode == 0
    assert real.log.count("Accepted publickey") == len(made) + 1
    assert real.log.count("Accepted password") == 1


@pytest.mark.promise("P6")
def test_the_first_key_of_a_server_is_confirmed_kept_and_held_to(desk: Desk) -> None:
    world, server = desk.world, desk.server
    first, since = server.key_line, world.size()
    secret = desk.give(password=PASSWORD)
    world.lease(desk.ticket, secret)
    ran = desk.run("ssh", NUMBER, "--", "true")
    assert ran.returncode == 77
    print_of = sshd_print(server.place)
    assert f"--host-key {print_of}" in ran.stderr.decode()
    ran = desk.run("ssh", NUMBER, "--host-key", "SHA256:" + "k" * 43, "--", "true")
    assert ran.returncode == 77
    assert f"you gave SHA256:{'k' * 43}, and it shows {print_of}; nothing was sent" in ran.stderr.decode()
    assert "host-key.meet ok" not in world.ledger(since)
    assert "Accepted" not in server.log
    assert "Failed" not in server.log

    ran = desk.run("ssh", NUMBER, "--host-key", print_of, "--", "echo", "in")
    assert (ran.returncode, ran.stdout) == (0, b"in\n"), ran.stderr
    ran = desk.run("ssh", NUMBER, "--", "echo", "again")
    assert (ran.returncode, ran.stdout) == (0, b"again\n"), ran.stderr
    assert f"host key {print_of}, as Tom Tanner met it" in ran.stderr.decode()
    (lease,) = world.sql("SELECT id FROM lease")
    assert world.run(host_keys.known(world.vault, world.actor("technician"), lease[0], secret)).line == first

    ed25519(server.place)
    since, log = world.size(), server.log
    ran = desk.run("ssh", NUMBER, "--", "echo", "in")
    assert (ran.returncode, ran.stdout) == (77, b"")
    other = sshd_print(server.place)
    assert f"known is {print_of}, and it shows {other}; nothing was sent" in ran.stderr.decode()
    assert "host-key.meet Conflict" in world.ledger(since), "that is on record"
    sshd.host_key(server.place, "ecdsa")
    server.configure(host_keys=("ecdsa",))
    ran = desk.run("ssh", NUMBER, "--", "echo", "in")
    assert (ran.returncode, ran.stdout) == (77, b""), "a key of another type is another key"
    assert f"known is {print_of}, and it shows SHA256:" in ran.stderr.decode()
    assert "password" not in server.log.removeprefix(log)


def test_a_fingerprint_is_enough_also_of_a_key_that_the_server_shows_second(desk: Desk) -> None:
    rsa = sshd.host_key(desk.server.place, "rsa")
    desk.server.configure(host_keys=("ed25519", "rsa"))
    given = keygen("-l", "-f", str(rsa)).split()[1]
    secret = desk.give(password=PASSWORD, host_key=given)
    desk.world.lease(desk.ticket, secret)
    for _ in range(2):
        ran = desk.run("ssh", NUMBER, "--", "echo", "in")
        assert (ran.returncode, ran.stdout) == (0, b"in\n"), ran.stderr
    rsa.unlink()
    rsa.with_suffix(".pub").unlink()
    sshd.host_key(desk.server.place, "rsa")
    ran = desk.run("ssh", NUMBER, "--", "echo", "in")
    assert (ran.returncode, ran.stdout) == (77, b"")
    assert f"known is {given}, and it shows SHA256:" in ran.stderr.decode()


def sshd_print(place: Path) -> str:
    return keygen("-l", "-f", str(place / "host_ed25519")).split()[1]
