"""The ten promises, each told once in the words in which it is given. What else shows them carries their mark."""

import shutil
from pathlib import Path

import pytest

from cli.demo.traces import encodings_of
from tests.source_tree import is_in, reached_from
from tests.world import LOGIN, World
from vault.crypto.envelope import Context
from vault.errors import Denied, Ended, Invalid, NotFound, NotRecorded, Tampered, Unavailable, VaultError
from vault.ledger.entry import decode
from vault.ledger.verify import main as verify
from vault.operations.customers import requests
from vault.operations.house import audit
from vault.operations.leases import checkout
from vault.operations.services import tickets
from vault.storage.database import scrub
from vault.storage.keys import Opening


@pytest.mark.promise("P1")
def test_no_record_no_secret(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation gives an opening; only with the receipt of a committed entry does it become a plaintext."""
    _, secret, _, lease = world.lent()
    technician, size = world.actor("technician"), world.size()
    deed = (checkout.reveal, technician, lease.id, secret, "password")
    opening, receipt = world.run(world.vault.writer.perform(*deed))
    assert isinstance(opening, Opening)
    assert world.ledger(size) == ["secret.reveal ok"], "the record is there before anything was opened"
    with pytest.raises(TypeError):
        world.vault.keys.open(None, opening)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        world.run(world.vault._open(None, opening))
    assert world.run(world.vault._open(receipt, opening)).expose() == LOGIN["password"]
    monkeypatch.setattr("vault.storage.writer.CONFIRM_SECONDS", 0.1)
    world.sql("ALTER TABLE ledger_entry RENAME TO away")
    with pytest.raises(NotRecorded):
        world.perform(*deed)
    world.sql("ALTER TABLE away RENAME TO ledger_entry")
    assert world.perform(*deed).expose() == LOGIN["password"]
    assert world.ledger(size) == ["secret.reveal ok"] * 2


@pytest.mark.promise("P2")
def test_only_who_delivers_the_service(world: World) -> None:
    service, secret, ticket, lease = world.lent()
    stranger = world.hire("Sam Stranger", "technician")
    for who in (stranger, "coordinator", "auditor", "administrator"):
        with pytest.raises(NotFound):
            world.reveal(lease, secret, who=who)
        with pytest.raises((Denied, NotFound)):
            world.lease(ticket, secret, who=who)
    for role in ("coordinator", "auditor", "administrator"):
        with pytest.raises(Denied):
            world.perform(tickets.assign, world.actor("coordinator"), ticket.id, world.member(role).id)
    assert world.reveal(lease, secret) == LOGIN["password"], "who delivers it was in the room"
    assert service.id == lease.service_id


@pytest.mark.promise("P3")
def test_the_form_cannot_read(embedded: World) -> None:
    """It imports nothing that opens; what it hands on is sealed, also while the vault is; it reads nothing back."""
    opens = ("vault.crypto.opening", "vault.crypto.rootkey", "vault.storage", "vault.operations")
    assert not [name for name in reached_from("api.intake") if is_in(name, opens)]
    browser, form = embedded.begin(embedded.ask(embedded.service()))
    embedded.seal()
    sealed = embedded.sealed(form)
    embedded.hand_in(browser, sealed)
    ways = [needle for ways in encodings_of(LOGIN["password"]).values() for needle in ways]
    assert not [way for way in ways if way in sealed.model_dump_json().encode()]
    embedded.unseal()
    assert embedded.sql("SELECT state FROM secret") == [("checked",)]


@pytest.mark.promise("P4")
def test_everything_ends(world: World) -> None:
    """At use, without a sweep; and a clock set back revives nothing."""
    service = world.service(days=1)
    secret = world.give(service)
    ticket = world.ticket(service)
    lease = world.lease(ticket, secret, minutes=5)
    technician = world.actor("technician")
    deed = (checkout.reveal, technician, lease.id, secret, "password")
    assert world.perform(*deed)
    world.clock.advance(minutes=5)
    with pytest.raises(Ended):
        world.perform(*deed)
    world.clock.jump(minutes=-10)
    with pytest.raises(Unavailable):
        world.perform(*deed)
    world.clock.jump(minutes=10)
    world.clock.advance(hours=24)
    with pytest.raises(Ended):
        world.lease(ticket, secret)
    with pytest.raises(Ended):
        world.ask(service)


@pytest.mark.promise("P5")
def test_destroyed_is_destroyed(embedded: World, tmp_path: Path) -> None:
    """The database from before, with today's root key and keyring, does not open."""
    service, secret, _, lease = embedded.lent()
    assert embedded.reveal(lease, secret) == LOGIN["password"]
    ((envelope, key, version),) = embedded.sql("SELECT envelope, key_id, version FROM secret")
    assert scrub(embedded.vault.engine)
    shutil.copy2(embedded.settings.data_dir / "vault.db", tmp_path / "before.db")
    context = Context(embedded.vault.deployment, service.id, key, secret, version, "ssh-password")
    before = Opening(context, bytes(envelope), "password")
    technician = embedded.actor("technician")
    _, receipt = embedded.run(
        embedded.vault.writer.perform(checkout.reveal, technician, lease.id, secret, "password")
    )
    assert embedded.vault.keys.open(receipt, before)["password"].expose() == LOGIN["password"], "the control"
    certificate = embedded.end(service)
    assert key in certificate.note
    with pytest.raises(Ended, match="can never be opened again"):
        embedded.vault.keys.open(receipt, before)
    assert bytes(envelope)[:64] in (tmp_path / "before.db").read_bytes(), "the backup has the envelope"
    embedded.run(embedded.vault.close())
    for leftover in embedded.settings.data_dir.glob("vault.db-*"):
        leftover.unlink()
    present = embedded.settings.data_dir / "vault.db"
    today = present.read_bytes()
    shutil.copy2(tmp_path / "before.db", present)
    with pytest.raises(Tampered, match="earlier copy"):
        embedded._start()
    present.write_bytes(today)
    embedded.vault = embedded._start()
    with pytest.raises(Ended):
        embedded.vault.keys.open(receipt, before)


@pytest.mark.promise("P6")
def test_the_log_cannot_be_bent(world: World, tmp_path: Path) -> None:
    """A held checkpoint convicts every later history; a row that was changed is not used."""
    _, secret, _, lease = world.lent()
    world.reveal(lease, secret)
    held = world.run(audit.checkpoint(world.vault, world.actor("auditor"))).note
    bundle, seq = world.bundle(), world.ledger().index("secret.reveal ok")
    (tmp_path / "held").write_text(held)
    for name, bent in (
        ("true", bundle),
        ("edited", bundle.replace(b'"field":"password"', b'"field":"host"')),
        ("cut", b"".join(line for at, line in enumerate(bundle.splitlines(keepends=True)) if at != seq + 1)),
    ):
        (tmp_path / name).write_bytes(bent)
        arguments = [str(tmp_path / name), "--key", world.vkey(), "--since", str(tmp_path / "held")]
        assert verify(arguments) == (0 if name == "true" else 1), name
    world.sql("UPDATE lease SET expires_at = expires_at + 1")
    with pytest.raises(Tampered):
        world.reveal(lease, secret)


@pytest.mark.promise("P7")
def test_ask_for_less(embedded: World) -> None:
    service, coordinator = embedded.service(), embedded.actor("coordinator")
    with pytest.raises(Denied):
        embedded.perform(requests.ask, coordinator, service.id, ["payment-provider"], "hand")
    browser, form = embedded.begin(embedded.ask(service))
    assert [item.kind for item in form.items] == ["ssh-password"]
    with pytest.raises(Invalid, match="looks like a card number"):
        embedded.hand_in(browser, embedded.sealed(form, {**LOGIN, "password": "5555 5555 5555 4444"}))
    assert embedded.sql("SELECT state, envelope FROM secret") == [("refused", b"")]


@pytest.mark.promise("P8")
def test_the_record_has_it_all(world: World) -> None:
    """By whom, for which ticket, why: of every request, lease and reveal, and of the refused ones too."""
    service, secret, ticket, lease = world.lent()
    world.reveal(lease, secret)
    world.perform(checkout.revoke, world.actor("coordinator"), lease.id)
    with pytest.raises(Ended):
        world.reveal(lease, secret)
    page = world.read(audit.entries, world.actor("auditor"), None, None, service.id, None)
    told = [(entry.type, entry.outcome, entry.actor_name) for entry in reversed(page.entries)]
    for deed in (
        ("request.ask", "ok", "Clara Cole"),
        ("lease.start", "ok", "Tom Tanner"),
        ("secret.reveal", "ok", "Tom Tanner"),
        ("lease.revoke", "ok", "Clara Cole"),
        ("secret.reveal", "Ended", "Tom Tanner"),
    ):
        assert deed in told
    start = next(entry for entry in page.entries if entry.type == "lease.start")
    assert (start.ids["ticket"], start.facts["reason"]) == (ticket.id, lease.reason)
    reveals = [entry for entry in page.entries if entry.type == "secret.reveal"]
    assert {(one.ids["ticket"], one.ids["lease"]) for one in reveals} == {(ticket.id, lease.id)}
    assert '"reveals":1' in world.end(service).note


@pytest.mark.promise("P9")
def test_a_stolen_database_reads_as_noise(embedded: World) -> None:
    """Nothing that helps to enter a server is in it; and envelopes that are exchanged do not open."""
    _, secret, _, lease = embedded.lent()
    other_service, other, _, _ = embedded.lent()
    embedded.reveal(lease, secret)
    assert scrub(embedded.vault.engine)
    stolen = (embedded.settings.data_dir / "vault.db").read_bytes()
    assert b"Acme Garden Tools" in stolen, "names are readable, and the search finds them"
    tokens = [member.token for member in embedded.staff.values() if member.token]
    for value in (LOGIN["host"], LOGIN["password"], *tokens):
        assert not [way for ways in encodings_of(value).values() for way in ways if way in stolen]
    assert not [member for member in embedded.staff.values() if member.seed in stolen]
    technician = embedded.actor("technician")
    _, receipt = embedded.run(
        embedded.vault.writer.perform(checkout.reveal, technician, lease.id, secret, "password")
    )
    rows = {row[0]: row for row in embedded.sql("SELECT id, service_id, key_id, envelope FROM secret")}
    for mine, envelope in ((secret, rows[other][3]), (other, rows[secret][3])):
        _, service, key, _ = rows[mine]
        context = Context(embedded.vault.deployment, service, key, mine, 1, "ssh-password")
        with pytest.raises(Tampered):
            embedded.vault.keys.open(receipt, Opening(context, bytes(envelope), "password"))
    assert other_service.id != lease.service_id


@pytest.mark.promise("P10")
def test_forgetting_does_not_break_the_log(world: World, tmp_path: Path) -> None:
    world.lent()
    acme = world.sql("SELECT id FROM customer")[0][0]
    assert b"Acme Garden Tools" in world.bundle()
    world.sql("DELETE FROM disclosure WHERE subject_id = :acme", acme=acme)
    (tmp_path / "bundle").write_bytes(bundle := world.bundle())
    assert b"Acme" not in bundle
    assert verify([str(tmp_path / "bundle"), "--key", world.vkey()]) == 0
    bodies = [decode(row[0].encode()) for row in world.sql("SELECT body FROM ledger_entry")]
    assert any(
        entry.ids.get("customer") == acme and set(entry.disclosed) == {"name", "mail"} for entry in bodies
    )


@pytest.mark.promise("P2", "P4")
def test_what_is_over_is_over_for_whoever_once_had_the_right(embedded: World) -> None:
    """The technician after the lease: the same session, the same ids, the same code."""
    _, secret, ticket, lease = embedded.lent()
    technician = embedded.actor("technician")
    embedded.perform(checkout.check_in, technician, lease.id)
    embedded.perform(tickets.unassign, embedded.actor("coordinator"), ticket.id, technician.id)
    for again in (
        lambda: embedded.perform(checkout.reveal, technician, lease.id, secret, "password"),
        lambda: embedded.lease(ticket, secret),
        lambda: embedded.read(tickets.ticket, technician, ticket.id),
        lambda: embedded.perform(tickets.assign, technician, ticket.id, technician.id),
    ):
        with pytest.raises(VaultError):
            again()
