"""The key of a server that somebody met first: kept for who comes after, sealed, and never replaced by another one."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.world import World
from vault.errors import Conflict, Ended, Invalid, NotFound, Tampered, VaultError
from vault.ledger.entry import decode
from vault.model.hostkeys import ServerKey
from vault.operations.customers import requests
from vault.operations.leases import checkout, host_keys
from vault.values import new_id


def fresh() -> str:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.promise("P9")
def test_a_key_is_kept_sealed_and_shown_to_who_comes_after(world: World) -> None:
    service, secret, _, lease = world.lent()
    tom, line = world.actor("technician"), fresh()
    with pytest.raises(NotFound, match="nobody has met"):
        world.run(host_keys.known(world.vault, tom, lease.id, secret))
    world.perform(host_keys.meet, tom, lease.id, secret, f"{line} a comment")
    view = world.run(host_keys.known(world.vault, tom, lease.id, secret))
    assert (view.line, view.met_by) == (line, "Tom Tanner")
    fingerprint = ServerKey.parse(line).fingerprint
    for table in ("host_key", "ledger_entry", "disclosure"):
        for row in world.sql(f"SELECT * FROM {table}"):
            for value in row:
                told = bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
                assert base64.b64decode(line.split()[1])[-16:] not in told
                assert line.split()[1].encode() not in told
                assert fingerprint[7:].encode() not in told
    terry = world.hire("Terry Tate", "technician")
    other = world.ticket(service, terry, number="T-1002")
    theirs = world.lease(other, secret, who=terry)
    seen = world.run(host_keys.known(world.vault, world.actor(terry), theirs.id, secret))
    assert (seen.line, seen.met_by) == (line, "Tom Tanner")


@pytest.mark.promise("P6")
def test_no_other_key_takes_its_place_and_who_meets_one_is_on_record(embedded: World) -> None:
    _, secret, _, lease = embedded.lent()
    tom, line = embedded.actor("technician"), fresh()
    embedded.perform(host_keys.meet, tom, lease.id, secret, line)
    since = embedded.size()
    with pytest.raises(Conflict, match="kept already"):
        embedded.perform(host_keys.meet, tom, lease.id, secret, fresh())
    assert embedded.run(host_keys.known(embedded.vault, tom, lease.id, secret)).line == line
    assert embedded.ledger(since) == ["host-key.meet Conflict", "host-key.show ok"]
    (body,) = embedded.sql("SELECT body FROM ledger_entry WHERE seq = :since", since=since)[0]
    assert set(decode(body.encode()).disclosed) == {"fingerprint"}
    embedded.sql("UPDATE host_key SET person_id = :ada", ada=embedded.member("administrator").id)
    with pytest.raises(VaultError):
        embedded.run(host_keys.known(embedded.vault, tom, lease.id, secret))


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ08")
def test_only_the_holder_of_a_live_lease_of_that_login_meets_and_sees_it(embedded: World) -> None:
    _, secret, _, lease = embedded.lent()
    tom, line = embedded.actor("technician"), fresh()
    terry = embedded.hire("Terry Tate", "technician")
    other = embedded.give(embedded.service(title="Another shop"))
    for who, lease_id, secret_id in (
        (embedded.actor(terry), lease.id, secret),
        (embedded.actor("coordinator"), lease.id, secret),
        (tom, new_id("lse"), secret),
        (tom, lease.id, other),
        (tom, lease.id, new_id("sec")),
    ):
        with pytest.raises(VaultError):
            embedded.perform(host_keys.meet, who, lease_id, secret_id, line)
        with pytest.raises(VaultError):
            embedded.perform(host_keys.show, who, lease_id, secret_id)
    assert embedded.sql("SELECT count(*) FROM host_key") == [(0,)]
    embedded.perform(host_keys.meet, tom, lease.id, secret, line)
    embedded.perform(checkout.check_in, tom, lease.id)
    with pytest.raises(Ended):
        embedded.perform(host_keys.show, tom, lease.id, secret)


def test_what_is_given_anew_may_be_for_another_server_and_is_met_anew(embedded: World) -> None:
    _, secret, _, lease = embedded.lent()
    tom, line = embedded.actor("technician"), fresh()
    embedded.perform(host_keys.meet, tom, lease.id, secret, line)
    told = (embedded.vault, tom, lease.id, secret, "the server shows another host key")
    asked = embedded.run(checkout.report_broken(*told))
    reissued = embedded.perform(requests.reissue, embedded.actor("coordinator"), asked.id, "hand")
    browser, form = embedded.begin(reissued)
    embedded.hand_in(browser, embedded.sealed(form))
    with pytest.raises(NotFound, match="nobody has met"):
        embedded.perform(host_keys.show, tom, lease.id, secret)
    newer = fresh()
    embedded.perform(host_keys.meet, tom, lease.id, secret, newer)
    assert embedded.run(host_keys.known(embedded.vault, tom, lease.id, secret)).line == newer


@pytest.mark.parametrize("size", [2048, 4096])
def test_lines_of_servers_are_read_and_say_their_fingerprint(size: int) -> None:
    for key in (
        rsa.generate_private_key(65537, size).public_key() if size == 2048 else None,
        ec.generate_private_key(ec.SECP384R1()).public_key(),
    ):
        if key is not None:
            line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
            assert ServerKey.parse(f"{line} root@shop").line == line
    known = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    assert ServerKey.parse(known).fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-dss AAAAB3NzaC1kc3MAAAA=",
        "ssh-ed25519 not base64",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
        "@cert-authority * ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
        "ssh-ed25519 " + "A" * 5000,
    ],
)
def test_what_is_no_key_of_a_server_is_refused(line: str) -> None:
    with pytest.raises(Invalid):
        ServerKey.parse(line)


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
def test_a_key_that_was_taken_out_of_the_database_is_missed_and_not_met_anew(embedded: World) -> None:
    _, secret, _, lease = embedded.lent()
    tom = embedded.actor("technician")
    embedded.perform(host_keys.meet, tom, lease.id, secret, fresh())
    embedded.sql("DELETE FROM host_key")
    with pytest.raises(Tampered, match="the ledger names"):
        embedded.run(host_keys.known(embedded.vault, tom, lease.id, secret))
    with pytest.raises(Tampered):
        embedded.perform(host_keys.meet, tom, lease.id, secret, fresh())
