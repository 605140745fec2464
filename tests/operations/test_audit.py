"""The record: who reads it, what it names, and that forgetting does not break it."""

import base64
import json
from typing import Any

import pytest

from tests.operations.necessities import HOST, WITH_REGISTRAR, approve
from tests.refusals import everything, refused
from tests.world import World
from vault.errors import Denied, Invalid, NotFound
from vault.ledger.entry import decode
from vault.ledger.verify import main as verify
from vault.ledger.verify import verify_consistency, verify_inclusion
from vault.model.log_views import EntryView
from vault.model.tables import GUARDED
from vault.operations.customers import terms
from vault.operations.house import audit
from vault.operations.leases import checkout
from vault.operations.people import vouching
from vault.operations.services import catalogue, tickets
from vault.values import new_id

AT_THE_DESK = {"review", "host_key", "helpdesk", "mirrored", "mirrored_person"}
"""Rows that only a busy desk has: the book of entries is played with them, and looks for the same of all rows."""


def pages(world: World, **asked: Any) -> list[EntryView]:
    """Every entry that the auditor finds, oldest first."""
    auditor, found, before = world.actor("auditor"), [], None
    while True:
        page = world.read(
            audit.entries, auditor, before, asked.get("type"), asked.get("service"), asked.get("person")
        )
        found += page.entries
        if page.next is None:
            return found[::-1]
        before = int(page.next)


def verified(world: World, bundle: bytes, tmp_path: Any, *arguments: str) -> int:
    place = tmp_path / "bundle"
    place.write_bytes(bundle)
    return verify([str(place), "--key", world.vkey(), *arguments])


@pytest.mark.promise("P8")
@pytest.mark.attack("AU06", "AU10")
def test_the_auditor_reads_who_did_what_for_which_ticket_and_why(world: World) -> None:
    service, secret, ticket, lease = world.lent()
    world.reveal(lease, secret)
    tom, clara = world.member("technician"), world.member("coordinator")
    entries = pages(world, service=service.id)
    by_type = {entry.type: entry for entry in entries}
    shown = by_type["secret.reveal"]
    assert (shown.actor, shown.actor_name, shown.channel, shown.outcome) == (
        tom.id,
        "Tom Tanner",
        "api",
        "ok",
    )
    assert shown.ids == {
        "service": service.id,
        "ticket": ticket.id,
        "lease": lease.id,
        "secret": secret,
        "field": "password",
        "version": "1",
    }
    started = by_type["lease.start"]
    assert started.facts == {"reason": lease.reason}
    assert (started.ids["lease"], started.ids["ticket"], started.ids["secrets"]) == (
        lease.id,
        ticket.id,
        secret,
    )
    asked = by_type["request.ask"]
    assert (asked.actor, asked.actor_name) == (clara.id, "Clara Cole")
    assert by_type["ticket.open"].facts == {"number": "T-1001", "title": "Install the shop"}
    assert by_type["service.register"].facts == {"title": service.title}
    assert {entry.type for entry in pages(world, person=tom.id)} >= {"secret.reveal", "lease.start"}
    signed_in = [entry for entry in pages(world, type="session.start") if entry.actor == tom.id]
    assert signed_in[0].facts == {"source": "192.0.2.7"}
    assert {entry.actor for entry in pages(world, person=clara.id)} == {clara.id}
    assert [entry.seq for entry in pages(world)] == list(range(world.size()))


@pytest.mark.promise("P8")
def test_every_changed_row_is_named_by_the_entry_that_changed_it(world: World) -> None:
    """Nothing of what is guarded changes without an entry: the newest entry of each row is that of its last change."""
    service, secret, _, lease = world.lent()
    world.reveal(lease, secret)
    world.perform(checkout.check_in, world.actor("technician"), lease.id)
    world.end(service)
    world.hire("Ben Boss", "administrator")
    ada = world.actor("administrator")
    wanted = ("Nora New", "nora@agency.example", ["technician"])
    world.run(vouching.invite(world.vault, ada, *wanted, world.presence("administrator")))
    world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR))
    approve(world)
    text = "We ask for access only where a service cannot be provided without it. "
    world.run(terms.publish(world.vault, HOST, 4 * text, 0))
    named = {
        row for (body,) in world.sql("SELECT body FROM ledger_entry") for row, _ in decode(body.encode()).rows
    }
    there = {f"{name}:{row[0]}" for name in GUARDED for row in world.sql(f"SELECT id FROM {name}")}
    assert named == there
    assert {name.partition(":")[0] for name in there} == set(GUARDED) - AT_THE_DESK


@pytest.mark.attack("AU10")
def test_names_and_reasons_are_in_no_entry_and_in_no_row_of_the_ledger(world: World) -> None:
    service, secret, _, lease = world.lent()
    world.run(
        checkout.report_broken(world.vault, world.actor("technician"), lease.id, secret, "it says no to me")
    )
    world.end(service)
    bodies = "\n".join(row[0] for row in world.sql("SELECT body FROM ledger_entry"))
    assert lease.id in bodies
    personal = [
        "Tom Tanner",
        "tom@agency",
        "Acme",
        "shop@acme",
        "install the shop",
        "T-1001",
        "192.0.2.7",
        "no to me",
    ]
    assert not [one for one in personal if one in bodies]
    sealed = b"".join(bytes(row[0]) for row in world.sql("SELECT sealed FROM disclosure"))
    assert len(sealed) > 500
    assert not [one for one in personal if one.encode() in sealed]


@pytest.mark.attack("AU10")
def test_an_auditor_reads_and_changes_nothing(embedded: World) -> None:
    service, _, ticket, lease = embedded.lent()
    auditor, before = embedded.actor("auditor"), everything(embedded)
    pages(embedded)
    embedded.run(audit.checkpoint(embedded.vault, auditor))
    b"".join(embedded.run(audit.bundle(embedded.vault, auditor)))
    after = everything(embedded)
    assert after == before
    for change in (
        lambda: embedded.perform(checkout.revoke, auditor, lease.id),
        lambda: embedded.perform(tickets.close, auditor, ticket.id),
        lambda: embedded.perform(tickets.open_ticket, auditor, service.id, "T-2", "Work"),
    ):
        with pytest.raises(Denied):
            change()
    with refused(embedded, Denied, "audit.export"):
        embedded.run(audit.bundle(embedded.vault, embedded.actor("coordinator")))


def test_what_names_nothing_finds_nothing(world: World) -> None:
    auditor = world.actor("auditor")
    for service, person in ((new_id("per"), None), ("x", None), (None, new_id("svc")), (None, "\0")):
        with pytest.raises(NotFound):
            world.read(audit.entries, auditor, None, None, service, person)
    for kind in ("nothing.of-the-kind", "\0", "\ud800", "' OR 1=1 --", "x" * 100_000):
        assert world.read(audit.entries, auditor, None, kind, None, None).entries == ()
    for before in (0, -1, -(10**30)):
        assert world.read(audit.entries, auditor, before, None, None, None).entries == ()
    assert world.read(audit.entries, auditor, 10**30, None, None, None).entries
    for seq in (-1, world.size(), 10**30):
        with pytest.raises(Invalid):
            world.read(audit.inclusion, auditor, seq)
    for old, new in ((-1, 2), (2, 1), (1, 10**30), (0, world.size() + 1)):
        with pytest.raises(Invalid):
            world.read(audit.consistency, auditor, old, new)


@pytest.mark.promise("P6")
def test_proofs_hold_for_every_entry_and_every_size(embedded: World) -> None:
    embedded.lent()
    auditor = embedded.actor("auditor")
    size = embedded.size()
    roots = {}
    for old in range(1, size + 1):
        proof = embedded.read(audit.consistency, auditor, old, size)
        roots[old] = base64.b64decode(embedded.read(audit.consistency, auditor, old, old).root)
        hashes = [base64.b64decode(one) for one in proof.hashes]
        verify_consistency(old, size, roots[old], base64.b64decode(proof.root), hashes)
    for seq in range(size):
        proof = embedded.read(audit.inclusion, auditor, seq)
        hashes = [base64.b64decode(one) for one in proof.hashes]
        verify_inclusion(seq, size, base64.b64decode(proof.leaf or ""), hashes, roots[size])


@pytest.mark.promise("P6")
def test_an_export_verifies_offline_and_ends_with_its_own_entry(world: World, tmp_path: Any) -> None:
    service, secret, _, lease = world.lent()
    held = world.run(audit.checkpoint(world.vault, world.actor("auditor"))).note
    (tmp_path / "held").write_text(held)
    world.reveal(lease, secret)
    world.end(service)
    bundle = world.bundle()
    assert verified(world, bundle, tmp_path, "--since", str(tmp_path / "held")) == 0
    last = [line for line in bundle.splitlines() if not line.startswith((b"+", b"{"))][-1]
    assert decode(last.partition(b" ")[2]).type == "audit.export"
    assert verified(world, bundle.replace(lease.id.encode(), new_id("lse").encode(), 1), tmp_path) == 1


@pytest.mark.promise("P10")
@pytest.mark.attack("AU10")
def test_deleting_a_disclosure_erases_the_datum_and_leaves_the_log_whole(world: World, tmp_path: Any) -> None:
    world.lent()
    assert b"Tom Tanner" in world.bundle()
    tom, acme = world.member("technician").id, world.sql("SELECT id FROM customer")[0][0]
    for subject in (tom, acme):
        world.sql("DELETE FROM disclosure WHERE subject_id = :id", id=subject)
    bundle = world.bundle()
    assert verified(world, bundle, tmp_path) == 0
    assert b"Tom Tanner" not in bundle
    assert b"Acme" not in bundle
    assert b"Clara Cole" in bundle, "only who was to be forgotten"
    started = next(entry for entry in pages(world, type="lease.start"))
    assert started.facts == {}
    world.reopen()
    assert verified(world, world.bundle(), tmp_path) == 0
    assert json.loads(bundle.partition(b"\n")[0])["bundle"] == 1


@pytest.mark.promise("P10")
def test_without_the_persons_key_their_disclosures_are_noise_and_the_log_is_whole(
    embedded: World, tmp_path: Any
) -> None:
    embedded.lent()
    tom = embedded.member("technician").id
    import sqlite3

    with sqlite3.connect(embedded.settings.data_dir / "keyring.db") as keyring:
        keyring.execute("DELETE FROM subject WHERE subject_id = ?", (tom,))
    keyring.close()
    embedded.reopen()
    bundle = embedded.bundle()
    assert verified(embedded, bundle, tmp_path) == 0
    assert b"Tom Tanner" not in bundle
    assert b"Clara Cole" in bundle


def test_an_auditor_sees_the_end_in_the_order_it_happened(world: World) -> None:
    service, _, _, _ = world.lent()
    world.end(service)
    page = world.read(audit.entries, world.actor("auditor"), None, None, service.id)
    types = [entry.type for entry in page.entries]
    assert types.index("service.destroy") < types.index("service.end"), "newest first"
