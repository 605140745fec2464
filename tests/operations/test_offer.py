"""Access without a password: the key that the core offers, from the line on the form to the line to be removed."""

import base64
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
    load_ssh_public_key,
)

from tests.refusals import answer, refused
from tests.world import LOGIN, World
from vault.errors import Conflict, Ended, Invalid, NotFound, Tampered
from vault.model.kinds import KINDS
from vault.model.messages import Again, Done, Form, Look
from vault.model.views import ServiceView
from vault.operations.customers import giving, intake, requests
from vault.operations.customers.offering import offered
from vault.operations.house import notices
from vault.operations.leases import checkout
from vault.operations.services import services
from vault.outbox import customers
from vault.outbox.addressee import To
from vault.storage.unit import GIVEN, MADE, operation
from vault.values import Actor

CUSTOMER = Actor.nobody("198.51.100.9", "intake")
WHERE = {name: LOGIN[name] for name in ("host", "port", "username")}
ADDED = "ssh-added-key"


def look(world: World, browser: str) -> Form:
    return world.run(intake.look(world.vault, CUSTOMER, Look(browser=browser)))


def again(world: World, browser: str, secret: str) -> Form:
    return world.run(intake.again(world.vault, CUSTOMER, Again(browser=browser, secret=secret)))


def public_of(line: str) -> bytes:
    return load_ssh_public_key(line.partition(" ")[2].encode()).public_bytes(
        Encoding.OpenSSH, PublicFormat.OpenSSH
    )


def public_half(private_key: str) -> bytes:
    private = load_ssh_private_key(private_key.encode(), None)
    assert isinstance(private, Ed25519PrivateKey)
    return private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def kept(world: World) -> Any:
    (row,) = world.sql("SELECT kind, asked_kind, state, made, made_line, offer, offer_line FROM secret")
    return row


def added(world: World, service: ServiceView) -> tuple[str, str, Form]:
    """A customer who added the key: the secret's id, the browser, the form afterwards."""
    browser, form = world.begin(world.ask(service))
    receipt = world.hand_in(browser, world.sealed(form, WHERE, kind=ADDED))
    return receipt.secret, browser, look(world, browser)


@pytest.mark.promise("P1", "P3", "P8")
def test_a_customer_adds_our_key_and_tells_no_password(world: World) -> None:
    service = world.service()
    browser, form = world.begin(world.ask(service))
    (item,) = form.items
    assert (item.kind, item.instead) == ("ssh-password", ADDED)
    assert re.fullmatch(
        rf'expiry-time="[0-9]{{8}}" ssh-ed25519 [A-Za-z0-9+/]{{68}} valetkey-{service.id}', item.line
    )
    since = world.size()
    receipt = world.hand_in(browser, world.sealed(form, WHERE, kind=ADDED))
    assert world.ledger(since) == ["secret.give ok", "secret.check ok", "secret.checked ok"]
    (body,) = world.sql("SELECT body FROM ledger_entry WHERE seq = :since", since=since)[0]
    assert f'"kind":"{ADDED}"' in body, "the record says which was given"
    (shown,) = look(world, browser).items
    assert (shown.kind, shown.given_kind, shown.instead, shown.line) == (
        "ssh-password",
        ADDED,
        "",
        item.line,
    )
    assert shown.reference == receipt.reference
    assert kept(world)[:3] == (ADDED, "ssh-password", "checked")
    assert kept(world)[4:] == (item.line, b"", "")

    ticket = world.ticket(service)
    lease = world.lease(ticket, receipt.secret)
    (lent,) = lease.secrets
    assert (lent.kind, lent.asked_kind, lent.line) == (ADDED, "ssh-password", item.line)
    assert lent.fields == ("host", "port", "username", "host_key", "private_key")
    since = world.size()
    private_key = world.reveal(lease, receipt.secret, "private_key")
    assert world.ledger(since) == ["secret.reveal ok"]
    assert public_half(private_key) == public_of(item.line)
    assert world.reveal(lease, receipt.secret, "host") == LOGIN["host"]
    for name in ("password", "line", "", "made"):
        with refused(world, NotFound, "secret.reveal"):
            world.reveal(lease, receipt.secret, name)


@pytest.mark.promise("P9")
def test_the_private_half_lies_nowhere_in_clear(embedded: World) -> None:
    service = embedded.service()
    secret, *_ = added(embedded, service)
    private_key = embedded.reveal(embedded.lease(embedded.ticket(service), secret), secret, "private_key")
    body = "".join(private_key.splitlines()[1:-1])
    private = load_ssh_private_key(private_key.encode(), None)
    assert isinstance(private, Ed25519PrivateKey)
    traces = [private.private_bytes_raw(), body[-40:].encode(), base64.b64encode(private.private_bytes_raw())]
    files = [path.read_bytes() for path in embedded.settings.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert not [trace for trace in traces for raw in files if trace in raw]


def test_openssh_reads_the_line_and_the_key(embedded: World, tmp_path: Path) -> None:
    service = embedded.service()
    secret, _, form = added(embedded, service)
    private_key = embedded.reveal(embedded.lease(embedded.ticket(service), secret), secret, "private_key")
    (tmp_path / "key").write_text(private_key, "ascii")
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "authorized_keys").write_text(form.items[0].line + "\n", "ascii")

    def ssh_keygen(*options: str) -> str:
        done = subprocess.run(["ssh-keygen", *options], capture_output=True, text=True, check=True)
        return done.stdout

    public = ssh_keygen("-y", "-P", "", "-f", str(tmp_path / "key"))
    assert public.split()[:2] == form.items[0].line.split()[1:3]
    listed = ssh_keygen("-l", "-f", str(tmp_path / "authorized_keys"))
    assert f"valetkey-{service.id} (ED25519)" in listed


@pytest.mark.promise("P4")
def test_the_key_dies_by_itself_after_the_service_ends_wherever_the_server_stands(embedded: World) -> None:
    for days in (1, 1.4, 1.6, 30):
        service = embedded.service(title=f"For {days} days", days=days)
        _, form = embedded.begin(embedded.ask(service))
        day = form.items[0].line[len('expiry-time="') :][:8]
        dies = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
        ahead, behind = timedelta(hours=14), timedelta(hours=12)
        assert dies - ahead >= service.ends_at, (
            "not before the service, on the clocks that are furthest ahead"
        )
        assert dies + behind <= service.ends_at + timedelta(days=2) + behind


@pytest.mark.promise("P7")
def test_only_what_was_offered_can_be_given_instead(world: World) -> None:
    service = world.service()
    browser, form = world.begin(world.ask(service))
    for kind in ("ssh-key", "ftp", "registrar", "no such kind", "ssh-added-key/made"):
        foreign = world.sealed(form, WHERE, kind=kind)
        with refused(world, Invalid, match="does not ask for that kind"):
            world.run(giving.give(world.vault, CUSTOMER, foreign.model_copy(update={"browser": browser})))
    only_key = world.service(title="Keys only")
    browser, form = world.begin(world.ask(only_key, "ssh-key"))
    assert [(item.instead, item.line) for item in form.items] == [("", "")]
    message = world.sealed(form, WHERE, kind=ADDED).model_copy(update={"browser": browser})
    with refused(world, Invalid, match="does not ask for that kind"):
        world.run(giving.give(world.vault, CUSTOMER, message))


@pytest.mark.attack("CR01")
def test_what_was_sealed_as_one_kind_is_not_taken_as_the_other(embedded: World) -> None:
    for sealed_as, given_as in ((ADDED, "ssh-password"), ("ssh-password", ADDED)):
        service = embedded.service(title=sealed_as)
        browser, form = embedded.begin(embedded.ask(service))
        message = embedded.sealed(form, WHERE, kind=sealed_as)
        message = message.model_copy(update={"browser": browser, "kind": given_as})
        assert answer(embedded, giving.give(embedded.vault, CUSTOMER, message))[0] is Invalid
        (item,) = look(embedded, browser).items
        assert (item.given, item.refused, item.instead, item.version) == (False, True, ADDED, 2)


def test_a_password_that_is_given_after_all_takes_the_offer_away(world: World) -> None:
    browser, form = world.begin(world.ask(world.service()))
    world.hand_in(browser, world.sealed(form))
    assert kept(world)[0] == "ssh-password"
    assert kept(world)[3:] == (b"", "", b"", "")
    (item,) = look(world, browser).items
    assert (item.given_kind, item.instead, item.line) == ("ssh-password", "", "")


@pytest.mark.promise("P8")
def test_what_was_given_can_be_given_anew_until_the_customer_is_done(world: World) -> None:
    service = world.service()
    browser, form = world.begin(world.ask(service))
    secret = form.items[0].secret
    since = world.size()
    untouched = again(world, browser, secret)
    assert untouched == form, "nothing was given yet"
    receipt = world.hand_in(browser, world.sealed(form))
    anew = again(world, browser, secret)
    (item,) = anew.items
    assert (item.version, item.given, item.instead) == (2, False, ADDED)
    assert item.line not in {"", form.items[0].line}, "a fresh pair"
    lease = world.lease(world.ticket(service), secret)
    assert world.reveal(lease, secret) == LOGIN["password"], "the first stays until it is replaced"
    assert again(world, browser, secret) == anew, "asked twice is asked once"
    with refused(world, Conflict, match="not given yet"):
        world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    second = world.hand_in(browser, world.sealed(anew, WHERE, kind=ADDED))
    assert (second.version, second.reference != receipt.reference) == (2, True)
    assert public_half(world.reveal(lease, secret, "private_key")) == public_of(item.line)
    with refused(world, NotFound, "secret.reveal"):
        world.reveal(lease, secret, "password")
    world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    with refused(world, Ended, match="finished"):
        again(world, browser, secret)
    told = [entry for entry in world.ledger(since) if "again" in entry or "give" in entry]
    assert told == ["secret.again ok", "secret.give ok", *["secret.again ok"] * 2, "secret.give ok"]


@pytest.mark.attack("IN12")
def test_nobody_asks_anew_for_what_another_form_asks(world: World) -> None:
    browser, form = world.begin(world.ask(world.service()))
    other, theirs = world.begin(world.ask(world.service(title="Another shop")))
    world.hand_in(other, world.sealed(theirs))
    for secret in (theirs.items[0].secret, "", "\0", "sec_00000000000000000000"):
        with refused(world, NotFound):
            again(world, browser, secret)
    assert form.items[0].secret != theirs.items[0].secret


@pytest.mark.promise("P3")
def test_the_key_is_offered_and_renewed_while_the_vault_is_sealed(embedded: World) -> None:
    service = embedded.service()
    browser, form = embedded.begin(embedded.ask(service))
    embedded.seal()
    embedded.hand_in(browser, embedded.sealed(form))
    anew = again(embedded, browser, form.items[0].secret)
    receipt = embedded.hand_in(browser, embedded.sealed(anew, WHERE, kind=ADDED))
    embedded.unseal()
    assert kept(embedded)[2] == "checked"
    lease = embedded.lease(embedded.ticket(service), receipt.secret)
    private_key = embedded.reveal(lease, receipt.secret, "private_key")
    assert public_half(private_key) == public_of(anew.items[0].line)


@operation("secret.again")
def _offer_again(unit: Any, _actor: Actor, service: Any, secret: Any) -> Any:
    return offered(unit, service, secret, 2)


@pytest.mark.attack("CR02")
@pytest.mark.parametrize("sealed", [False, True])
def test_no_key_is_sealed_to_a_public_key_that_this_vault_did_not_sign(embedded: World, sealed: bool) -> None:
    """In a sealed vault a writer of the database makes rows that nothing can tell from ours: the signature can."""
    from vault.model.tables import Secret, Service

    embedded.begin(embedded.ask(embedded.service()))
    rows = embedded.read(
        lambda reading, _: [reading.find_all(Service)[0], reading.find_all(Secret)[0]], CUSTOMER
    )
    service, secret = rows
    if sealed:
        embedded.seal()
    assert embedded.perform(_offer_again, CUSTOMER, service, secret)["offer"], "the control"
    statement = json.loads(service.statement)
    forged = {**statement, "xwing": "A" * len(statement["xwing"])}
    text = json.dumps(forged, sort_keys=True, separators=(",", ":"))
    other = service.model_copy(update={"id": "svc_00000000000000000000"})
    for wrong in (service.model_copy(update={"statement": text}), other):
        with pytest.raises(Tampered):
            embedded.perform(_offer_again, CUSTOMER, wrong, secret)


@pytest.mark.attack("CR01", "CR06")
def test_what_the_core_made_and_what_was_given_do_not_pass_for_each_other(world: World) -> None:
    service = world.service()
    secret, *_ = added(world, service)
    lease = world.lease(world.ticket(service), secret)
    technician = world.actor("technician")
    row = dict(world.sql("SELECT * FROM secret")[0]._mapping)
    _, proof = world.run(
        world.vault.writer.perform(checkout.reveal, technician, lease.id, secret, "private_key")
    )
    assert proof

    @operation("secret.reveal")
    def swapped(unit: Any, _actor: Actor, bent: Any, name: str) -> Any:
        return unit.opening(bent, name)

    assert world.perform(swapped, technician, row, "private_key").expose().startswith("-----BEGIN OPENSSH")
    exchanged = {**row, "made": row["envelope"], "envelope": row["made"]}
    older = {**row, "version": 2}
    flipped = {**row, "made": bytes(row["made"])[:-1] + bytes([bytes(row["made"])[-1] ^ 1])}
    for bent in (exchanged, older, flipped, {**row, "made": b""}):
        with pytest.raises(Tampered):
            world.perform(swapped, technician, bent, "private_key")
    with pytest.raises(Tampered):
        world.perform(swapped, technician, exchanged, "host")
    world.sql("UPDATE secret SET made = envelope")
    with refused(world, Tampered, "secret.reveal"):
        world.reveal(lease, secret, "private_key")


@pytest.mark.attack("CR01")
def test_a_customer_cannot_slip_in_a_key_of_their_own_as_one_that_the_core_made(embedded: World) -> None:
    browser, form = embedded.begin(embedded.ask(embedded.service()))
    theirs = {**WHERE, "private_key": "-----BEGIN OPENSSH PRIVATE KEY-----"}
    message = embedded.sealed(form, theirs, kind=ADDED).model_copy(update={"browser": browser})
    kind, sentence, _ = answer(embedded, giving.give(embedded.vault, CUSTOMER, message))
    assert kind is Invalid
    assert "does not have" in sentence
    assert kept(embedded)[:5] == ("ssh-password", "ssh-password", "refused", b"", "")


@pytest.mark.promise("P8")
def test_asking_again_offers_a_fresh_key_and_leaves_the_former_one_in_use(world: World) -> None:
    service = world.service()
    secret, browser, former = added(world, service)
    world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    lease = world.lease(world.ticket(service), secret)
    handed = world.ask(service)
    assert handed.kinds == ("ssh-password",)
    browser, form = world.begin(handed)
    (item,) = form.items
    assert (item.secret, item.version, item.kind, item.instead) == (secret, 2, "ssh-password", ADDED)
    assert item.line != former.items[0].line
    assert public_half(world.reveal(lease, secret, "private_key")) == public_of(former.items[0].line)
    world.hand_in(browser, world.sealed(form))
    assert world.reveal(lease, secret) == LOGIN["password"]
    assert kept(world)[3:] == (b"", "", b"", "")


def test_what_the_check_refuses_is_asked_again_with_a_fresh_key(embedded: World) -> None:
    service = embedded.service()
    browser, form = embedded.begin(embedded.ask(service))
    embedded.seal()
    embedded.hand_in(browser, embedded.sealed(form, {**WHERE, "port": "no port"}, kind=ADDED))
    embedded.run(intake.done(embedded.vault, CUSTOMER, Done(browser=browser)))
    embedded.unseal()
    row = kept(embedded)
    assert row[:5] == ("ssh-password", "ssh-password", "refused", b"", "")
    assert row[6] not in {"", form.items[0].line}
    coordinator = embedded.actor("coordinator")
    waiting = [
        one
        for one in embedded.read(services.service, coordinator, service.id).requests
        if one.state == "asked"
    ]
    handed = embedded.perform(requests.reissue, coordinator, waiting[0].id, "hand")
    browser, form = embedded.begin(handed)
    assert (form.items[0].refused, form.items[0].line) == (True, row[6])
    assert embedded.hand_in(browser, embedded.sealed(form, WHERE, kind=ADDED))


@pytest.mark.promise("P5")
def test_the_end_names_the_line_to_remove_and_leaves_no_private_half(world: World) -> None:
    service, other = world.service(), world.service(title="By password")
    secret, browser, form = added(world, service)
    world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    world.give(other)
    certificate = json.loads(world.end(service).note.partition("\n")[0])
    assert certificate["remove"] == [{"secret": secret, "line": form.items[0].line}]
    assert json.loads(world.end(other).note.partition("\n")[0])["remove"] == []
    rows = world.sql("SELECT made, offer, offer_line, envelope FROM secret")
    assert [tuple(row) for row in rows] == [(b"", b"", "", b"")] * 2
    mails = [world.read(notices.destroyed, Actor.core(), ended.id) for ended in (service, other)]
    assert f"\n    {form.items[0].line}\n" in mails[0].text
    assert f"valetkey-{other.id} on a server" in " ".join(mails[1].text.split())


def test_a_mail_about_what_never_had_a_line_speaks_of_none() -> None:
    mail = customers.destroyed(To("to@x.example", "Acme", "Us"), "A shop", "CERTIFICATE", [], "")
    assert "remove it" not in mail.text
    assert mail.text.endswith("takes back.\n")


@pytest.mark.attack("IN01", "AZ16", "CR11")
def test_of_a_password_and_a_key_at_once_one_is_taken(world: World) -> None:
    browser, form = world.begin(world.ask(world.service()))
    messages = [world.sealed(form), world.sealed(form, WHERE, kind=ADDED)]
    works = [
        giving.give(world.vault, CUSTOMER, one.model_copy(update={"browser": browser}))
        for one in messages * 5
    ]
    answers = world.together(*works)
    taken = {one.reference for one in answers if not isinstance(one, Exception)}
    assert len(taken) == 1
    assert {type(one) for one in answers if isinstance(one, Exception)} == {Conflict}
    row = kept(world)
    assert (row[0] == ADDED) == bool(row[3]) == bool(row[4])
    assert row[5:] == (b"", "")


def test_every_kind_knows_what_is_given_and_what_is_made() -> None:
    assert set(MADE) == set(GIVEN) == set(KINDS)
    instead = {kind.instead for kind in KINDS.values() if kind.instead}
    assert instead == {name for name, made in MADE.items() if made} == {ADDED}
    assert {name for name, kind in KINDS.items() if kind.instead} >= {"ssh-password", "sftp"}
    assert MADE[ADDED] == {"private_key"}
