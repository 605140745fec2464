"""What attackers of the running company have tried with success, once each."""

from typing import Any

import pytest

from tests.refusals import answer
from tests.world import CATALOGUE, LOGIN, PASSWORD, World
from vault.crypto.encoding import unb64
from vault.crypto.envelope import Envelope
from vault.crypto.tokens import new_token, token_hash
from vault.errors import Conflict, Denied, Invalid, NotSignedIn, Sealed, Tampered, TooMany
from vault.ledger.entry import Entry
from vault.ledger.tree import Frontier
from vault.ledger.verify import leaf_hash
from vault.model.messages import Begin
from vault.model.tables import Assignment
from vault.operations import attempts
from vault.operations.customers import giving, intake, requests
from vault.operations.house import audit, destruction, upkeep
from vault.operations.leases import checkout
from vault.operations.people import sessions
from vault.operations.services import catalogue, tickets
from vault.policy.attempts import LIMITS
from vault.storage.rows import digest, values_of
from vault.values import Actor, MailAddress, new_id

FOREIGN = "203.0.113.1"


def guess(world: World, mail: str, source: str) -> type:
    nobody = Actor.nobody(source, "api")
    return answer(world, sessions.sign_in(world.vault, mail, PASSWORD, "000000", nobody))[0]


@pytest.mark.attack("AN01", "AN02", "DO06")
def test_an_address_that_is_refused_goes_on_to_lock_nobody_out(world: World) -> None:
    tom = world.member("technician")
    for _ in range(LIMITS["source"]):
        world.run(attempts.count(world.vault, Actor.nobody(FOREIGN, "api"), f"source:{FOREIGN}"))
    for _ in range(LIMITS["account"] + 2):
        assert guess(world, tom.view.mail, FOREIGN) is TooMany
    assert world.sign_in(tom)


@pytest.mark.attack("AN02")
def test_the_addresses_of_one_network_are_one_source(embedded: World) -> None:
    for _ in range(LIMITS["source"] - 2):
        nobody = Actor.nobody("", "api")
        embedded.run(attempts.count(embedded.vault, nobody, "source:2001:db8:5:6::/64"))
    seen = [guess(embedded, f"x{at}@agency.example", f"2001:db8:5:6::{at:x}") for at in range(1, 5)]
    assert seen == [NotSignedIn, NotSignedIn, TooMany, TooMany]


@pytest.mark.attack("DO10")
@pytest.mark.parametrize(
    "raw", ["=?utf-8?q?=0aBcc=3a?=@b.example", "=?utf-8?q?a=40evil.example?=@b.example", "a=?@b.example"]
)
def test_an_address_that_a_mails_header_would_read_otherwise_is_refused(raw: str) -> None:
    """One of them stopped every mail after it for ever: the header could not be written."""
    with pytest.raises(Invalid):
        MailAddress.parse(raw)
    assert MailAddress.parse("=a?b@b.example").text == "=a?b@b.example"


def forge_sealed_assignment(world: World, ticket_id: str, person_id: str) -> None:
    """What a writer of the database does while the vault is sealed: a row, its entry, its index, the ledger's head."""
    coordinator = world.member("coordinator").id
    row = Assignment(
        id=new_id("asg"), ticket_id=ticket_id, person_id=person_id, assigned_by=coordinator, created_at=1
    )
    of_row = digest("assignment", values_of(row))
    [(size, time, frontier)] = world.sql("SELECT size, time, frontier FROM ledger_head")
    body = Entry(
        origin=world.vault.origin,
        seq=size,
        time=time,
        type="ticket.assign",
        outcome="ok",
        actor=coordinator,
        channel="api",
        ids={"ticket": ticket_id, "person": person_id},
        rows=((f"assignment:{row.id}", of_row.hex()),),
    ).encode()
    tree = Frontier.unpack(size, bytes(frontier))
    tree.push(leaf_hash(body))
    world.sql(
        "INSERT INTO assignment (id, ticket_id, person_id, assigned_by, state, alone, created_at, salt) "
        "VALUES (:id, :ticket, :person, :by, 'active', :alone, 1, :salt)",
        id=row.id,
        ticket=ticket_id,
        person=person_id,
        by=coordinator,
        alone=False,
        salt=row.salt,
    )
    world.sql(
        "INSERT INTO row_head (row_id, seq, digest, tag) VALUES (:id, :seq, :digest, :tag)",
        id=f"assignment:{row.id}",
        seq=size,
        digest=of_row,
        tag=b"",
    )
    world.sql(
        "INSERT INTO ledger_entry (seq, time, type, actor, body, leaf) "
        "VALUES (:seq, :time, 'ticket.assign', :actor, :body, :leaf)",
        seq=size,
        time=time,
        actor=coordinator,
        body=body.decode(),
        leaf=leaf_hash(body),
    )
    world.sql(
        "UPDATE ledger_head SET size = :size, frontier = :frontier", size=size + 1, frontier=tree.pack()
    )


@pytest.mark.promise("P2", "P6")
@pytest.mark.attack("CR03", "AZ06")
def test_an_assignment_forged_with_its_entry_in_a_sealed_vault_opens_nothing(world: World) -> None:
    service = world.service()
    secret = world.give(service)
    coordinator = world.actor("coordinator")
    ticket = world.perform(tickets.open_ticket, coordinator, service.id, "T-1", "Install the shop")
    world.actor("technician")
    world.seal()
    forge_sealed_assignment(world, ticket.id, world.member("technician").id)
    world.unseal()
    with pytest.raises(Tampered, match="not vouched for"):
        world.lease(ticket, secret)


@pytest.mark.attack("CR03")
def test_what_a_customer_hands_in_while_the_vault_is_unsealing_is_kept(world: World) -> None:
    """It was committed between the look over the unsigned tail and the keys: nothing ever vouched for it."""
    service = world.service()
    browser, form = world.begin(world.ask(service))
    ticket, give = world.ticket(service), world.sealed(form)
    world.seal()
    sign = world.vault.signer.sign

    def signing(*args: Any, **kwargs: Any) -> Any:
        kept = sign(*args, **kwargs)
        if kwargs:
            world.hand_in(browser, give)
        return kept

    world.vault.signer.sign = signing  # type: ignore[method-assign]
    world.unseal()
    world.vault.signer.sign = sign  # type: ignore[method-assign]
    lease = world.lease(ticket, give.secret)
    assert world.reveal(lease, give.secret) == LOGIN["password"]


@pytest.mark.attack("CR03")
def test_a_deed_that_a_seal_overtakes_is_refused(world: World) -> None:
    """A sealed vault vouches for nothing, so the row of a late deed could never be believed again."""
    service, coordinator = world.service(), world.actor("coordinator")
    world.seal()
    with pytest.raises(Sealed):
        world.perform(tickets.open_ticket, coordinator, service.id, "T-1", "Install the shop")
    world.unseal()
    assert world.read(tickets.tickets, world.actor("coordinator")) == []


@pytest.mark.promise("P5")
@pytest.mark.attack("DE12", "DO08")
def test_no_number_of_tickets_keeps_a_service_from_its_end_or_harms_others(
    embedded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, coordinator = embedded.service(), embedded.actor("coordinator")

    def opened(number: int) -> Any:
        return embedded.vault.perform(
            tickets.open_ticket, coordinator, service.id, f"T-{number}", "Install the shop"
        )

    embedded.together(*(opened(number) for number in range(tickets.MOST_OPEN)))
    with pytest.raises(Conflict):
        embedded.run(opened(0))
    monkeypatch.setattr("vault.ledger.entry.LONGEST_ENTRY", 50_000)
    ended, bystander = embedded.together(
        destruction.end(
            embedded.vault, coordinator, service.id, service.title, embedded.presence("coordinator")
        ),
        embedded.vault.perform(sessions.sign_out, embedded.actor("auditor")),
    )
    assert isinstance(ended, Invalid), "what no entry can hold is refused alone"
    assert bystander is None
    monkeypatch.undo()
    assert embedded.end(service).note


@pytest.mark.promise("P2", "P6")
@pytest.mark.attack("CR03")
def test_an_agreement_that_is_deleted_from_the_database_brings_no_older_one_back(world: World) -> None:
    _service, secret, ticket, lease = world.lent()
    tom = world.actor("technician")
    world.run(catalogue.apply(world.vault, Actor.host(), CATALOGUE.replace("I keep", "Always I keep")))
    with pytest.raises(Denied):
        world.perform(checkout.reveal, tom, lease.id, secret, "password")
    world.sql("DELETE FROM agreement WHERE id = 2")
    with pytest.raises(Tampered):
        world.perform(checkout.reveal, tom, lease.id, secret, "password")
    with pytest.raises(Tampered):
        world.lease(ticket, secret)


@pytest.mark.attack("DO08")
def test_downloads_that_stand_still_keep_no_connection_from_anybody(embedded: World) -> None:
    auditor = embedded.actor("auditor")
    standing = [embedded.run(audit.bundle(embedded.vault, auditor)) for _ in range(20)]
    begun = [next(lines) for lines in standing]
    assert len(begun) == len(standing)
    embedded.run(upkeep.sign(embedded.vault))
    assert embedded.end(embedded.service()).note


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_the_cores_verdict_on_one_version_is_not_given_to_the_next(embedded: World) -> None:
    """Asked again while the check is on its way, the customer gives a card number: it never passes for checked."""
    service, coordinator, vault = embedded.service(), embedded.actor("coordinator"), embedded.vault
    browser, form = embedded.begin(embedded.ask(service))
    opened = vault.open_whole

    async def overtaken(*args: Any, **kwargs: Any) -> Any:
        fields = await opened(*args, **kwargs)
        vault.open_whole = opened  # type: ignore[method-assign]
        again = await vault.perform(requests.ask, coordinator, service.id, None, "hand")
        nobody, other = Actor.nobody("198.51.100.9", "intake"), new_token("vk_giv")
        newer = await intake.begin(vault, nobody, Begin(code=again.code or "", browser=other))
        give = embedded.sealed(newer, {**LOGIN, "password": "4111 1111 1111 1111"})
        envelope = Envelope.parse(unb64(give.envelope))
        await vault.perform(giving._given, nobody, token_hash(other), give, envelope)
        return fields

    vault.open_whole = overtaken  # type: ignore[method-assign]
    embedded.hand_in(browser, embedded.sealed(form))
    assert embedded.sql("SELECT version, state FROM secret") == [(2, "given")]
    assert embedded.run(giving.check_waiting(vault)) == 1
    assert embedded.sql("SELECT version, state FROM secret") == [(2, "refused")]
