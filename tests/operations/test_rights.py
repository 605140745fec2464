"""Who gets to a plaintext, and what everybody else is told: the same as about what is not there."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.refusals import answer, everything, refused
from tests.world import LOGIN, World
from vault.errors import Conflict, Denied, Invalid, NotFound, NotSignedIn, StaleProof, Tampered, VaultError
from vault.operations import presence
from vault.operations.customers import customers, requests
from vault.operations.house import audit, destruction
from vault.operations.leases import checkout
from vault.operations.people import sessions, staff
from vault.operations.presence import Deed, Presence
from vault.operations.services import catalogue, services, tickets
from vault.values import Actor, new_id, to_datetime

REASON = "install the shop as ordered"
OTHERS = ("coordinator", "auditor", "administrator")
THING = "there is no such thing"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06")
def test_nobody_but_a_technician_has_a_path_to_a_plaintext(world: World) -> None:
    """With a rightful owner in the room, whose lease works before and after."""
    _, secret, ticket, lease = world.lent()
    assert world.reveal(lease, secret) == LOGIN["password"]
    coordinator = world.actor("coordinator")
    for role in OTHERS:
        actor, person = world.actor(role), world.member(role)
        with refused(world, NotFound, "secret.reveal", match=THING):
            world.perform(checkout.reveal, actor, lease.id, secret, "password")
        code = world.code(role)
        with refused(world, Denied, "lease.start", match="your role does not do this"):
            world.run(
                checkout.lease(world.vault, actor, ticket.id, [secret], 30, REASON, Presence(code=code))
            )
        with refused(
            world, Denied, "ticket.assign", match="only technicians|role does not|nobody assigns themselves"
        ):
            world.perform(
                tickets.assign, actor if role == "coordinator" else coordinator, ticket.id, person.id
            )
        with refused(world, Denied, "secret.report", match="your role does not do this"):
            world.run(checkout.report_broken(world.vault, actor, lease.id, secret, "it does not work"))
        for forbidden in (
            lambda a=actor: staff.add(world.vault, a, "Eve Else", "eve@agency.example", ["technician"]),
            lambda a=actor: catalogue.apply(world.vault, a, "[agreement]\ntext='x'\n"),
        ):
            with pytest.raises(VaultError):
                world.run(forbidden())
    assert world.reveal(lease, secret) == LOGIN["password"]


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06")
def test_taking_a_technicians_row_or_name_does_not_help(embedded: World) -> None:
    """An assignment, a role or a lease made behind the program's back does not match the ledger."""
    _, secret, ticket, lease = embedded.lent()
    ada, tom = embedded.member("administrator"), embedded.member("technician")
    ada_acts, tom_acts = embedded.actor(ada), embedded.actor(tom)

    def named(statement: str) -> dict[str, str]:
        return {name: who.id for name, who in (("ada", ada), ("tom", tom)) if f":{name}" in statement}

    role = "UPDATE person SET roles = '{}' WHERE id = :ada"
    for doing, undoing in (
        ("UPDATE lease SET person_id = :ada", "UPDATE lease SET person_id = :tom"),
        (role.format("technician"), role.format("administrator")),
        ("UPDATE assignment SET person_id = :ada", "UPDATE assignment SET person_id = :tom"),
    ):
        embedded.sql(doing, **named(doing))
        with pytest.raises(VaultError):
            embedded.perform(checkout.reveal, ada_acts, lease.id, secret, "password")
        with pytest.raises(VaultError):
            embedded.run(
                checkout.lease(
                    embedded.vault, ada_acts, ticket.id, [secret], 30, REASON, embedded.presence(ada)
                )
            )
        embedded.sql(undoing, **named(undoing))
    assert embedded.perform(checkout.reveal, tom_acts, lease.id, secret, "password").expose()
    embedded.sql("UPDATE lease SET person_id = :ada", ada=ada.id)
    embedded.sql("UPDATE assignment SET person_id = :ada", ada=ada.id)
    embedded.sql(role.format("technician"), ada=ada.id)
    with refused(embedded, Tampered, "secret.reveal"):  # all of it together would be what policy asks for
        embedded.perform(checkout.reveal, ada_acts, lease.id, secret, "password")


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ02", "AZ07", "AZ08")
def test_a_stranger_and_a_ghost_get_the_same_answer(world: World) -> None:
    """For every id that a technician can name, with the rightful owner's lease alive."""
    vault = world.vault
    service, secret, ticket, lease = world.lent()
    stranger = world.actor(world.hire("Sam Stranger", "technician"))
    ghost: dict[str, Any] = {"lease": new_id("lse"), "ticket": new_id("tkt"), "secret": new_id("sec")}
    real = {"lease": lease.id, "ticket": ticket.id, "secret": secret}
    asks = {
        "reveal": lambda i: vault.perform(checkout.reveal, stranger, i["lease"], i["secret"], "password"),
        "check in": lambda i: vault.perform(checkout.check_in, stranger, i["lease"]),
        "see the lease": lambda i: vault.read(checkout.lease_view, stranger, i["lease"]),
        "report": lambda i: checkout.report_broken(vault, stranger, i["lease"], i["secret"], "it is broken"),
        "see the ticket": lambda i: vault.read(tickets.ticket, stranger, i["ticket"]),
    }
    before = everything(world)
    for name, ask in asks.items():
        answers = {answer(world, ask(ids)) for ids in (real, ghost)}
        assert answers == {(NotFound, THING, "")}, name
    for ids in (real, ghost):
        code = world.code(world.staff[stranger.id])
        lease_of = checkout.lease(
            vault, stranger, ids["ticket"], [ids["secret"]], 30, REASON, Presence(code=code)
        )
        assert answer(world, lease_of) == (NotFound, THING, "")
    assert everything(world) == before
    assert world.read(checkout.leases, stranger) == []
    assert world.read(tickets.tickets, stranger) == []
    assert world.reveal(lease, secret) == LOGIN["password"], "the rightful owner was in the room"
    for coordinators_own in (
        lambda: vault.perform(checkout.revoke, stranger, lease.id),
        lambda: vault.read(services.service, stranger, service.id),
        lambda: vault.perform(tickets.assign, stranger, ticket.id, stranger.id),
    ):
        assert answer(world, coordinators_own())[0] is Denied


@pytest.mark.attack("AZ02")
def test_bent_ids_are_ids_of_nothing(embedded: World) -> None:
    vault, coordinator = embedded.vault, embedded.actor("coordinator")
    technician, auditor = embedded.actor("technician"), embedded.actor("auditor")
    _, secret, ticket, lease = embedded.lent()
    bent = ["", "1", "' OR 1=1 --", lease.id.upper(), lease.id + " ", lease.id[:-1], "\0", "\ud800"]
    bent += ["sec_" + "9" * 10_000, " ".join([secret] * 50_000)]
    for raw in bent:
        for ask in (
            lambda i: vault.perform(checkout.reveal, technician, i, secret, "password"),
            lambda i: vault.perform(checkout.reveal, technician, lease.id, i, "password"),
            lambda i: vault.perform(checkout.check_in, technician, i),
            lambda i: checkout.lease(vault, technician, i, [secret], 5, REASON, Presence(code="000000")),
            lambda i: checkout.lease(vault, technician, ticket.id, [i], 5, REASON, Presence(code="000000")),
            lambda i: checkout.report_broken(vault, technician, i, secret, REASON),
            lambda i: checkout.report_broken(vault, technician, lease.id, i, REASON),
            lambda i: vault.perform(checkout.revoke, coordinator, i),
            lambda i: vault.read(checkout.lease_view, coordinator, i),
            lambda i: vault.read(tickets.ticket, technician, i),
            lambda i: vault.perform(tickets.assign, coordinator, i, technician.id),
            lambda i: vault.perform(tickets.assign, coordinator, ticket.id, i),
            lambda i: vault.perform(tickets.unassign, coordinator, ticket.id, i),
            lambda i: vault.perform(tickets.close, coordinator, i),
            lambda i: vault.perform(tickets.open_ticket, coordinator, i, "T-1", "Some work"),
            lambda i: vault.perform(requests.ask, coordinator, i, None, "hand"),
            lambda i: vault.perform(requests.cancel, coordinator, i),
            lambda i: vault.perform(requests.reissue, coordinator, i, "hand"),
            lambda i: vault.read(services.service, coordinator, i),
            lambda i: destruction.end(vault, coordinator, i, "x", Presence(code="000000")),
            lambda i: services.prolong(vault, coordinator, i, tomorrow(embedded), Presence(code="000000")),
            lambda i: vault.read(destruction.certificate, coordinator, i),
            lambda i: vault.perform(staff.disable, Actor.host(), i),
            lambda i: services.register(vault, coordinator, i, "installation", "A shop", tomorrow(embedded)),
        ):
            assert answer(embedded, ask(raw))[0] is NotFound, raw[:30]
        if raw:
            assert answer(embedded, vault.read(audit.entries, auditor, None, None, raw, None))[0] is NotFound
    assert embedded.reveal(lease, secret) == LOGIN["password"]


def tomorrow(world: World) -> Any:
    return to_datetime(world.clock.wall() + 24 * 3600 * 1_000_000)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ14", "AZ22")
def test_a_disabled_technician_is_out_in_the_same_commit(world: World) -> None:
    """Idle session, open lease, request in flight: whatever reaches the writer after it is refused."""
    _, secret, ticket, lease = world.lent()
    tom, technician = world.member("technician"), world.actor("technician")
    deed = (checkout.reveal, technician, lease.id, secret, "password")
    answers = world.together(
        *(world.vault.perform(*deed) for _ in range(5)),
        world.vault.perform(staff.disable, Actor.host(), tom.id),
        *(world.vault.perform(*deed) for _ in range(5)),
    )
    assert [isinstance(one, BaseException) for one in answers] == [False] * 6 + [True] * 5
    assert {type(one) for one in answers[6:]} == {NotSignedIn}
    assert world.ledger()[-6:] == ["staff.disable ok"] + ["secret.reveal NotSignedIn"] * 5
    open_sessions = "SELECT id FROM session WHERE ended_at IS NULL AND person_id = :tom"
    assert world.sql(open_sessions, tom=tom.id) == []
    with pytest.raises(NotSignedIn):
        world.run(sessions.resolve(world.vault, tom.token, "192.0.2.7", "api"))
    for ask in (
        world.vault.read(checkout.leases, technician),
        world.vault.read(tickets.tickets, technician),
        world.vault.read(sessions.session, technician),
        world.vault.perform(staff.agree, technician, 1),
    ):
        assert answer(world, ask)[0] is NotSignedIn
    with pytest.raises(NotSignedIn):
        world.sign_in(tom)
    with pytest.raises(NotFound):
        world.perform(tickets.assign, world.actor("coordinator"), ticket.id, tom.id)


@pytest.mark.attack("AZ07")
def test_who_is_taken_off_is_a_stranger_and_can_be_put_on_again(embedded: World) -> None:
    service = embedded.service()
    secret = embedded.give(service)
    ticket = embedded.ticket(service)
    coordinator, technician = embedded.actor("coordinator"), embedded.actor("technician")
    with refused(embedded, NotFound, "ticket.unassign", match="not on this ticket"):
        embedded.perform(tickets.unassign, coordinator, ticket.id, embedded.member("auditor").id)
    embedded.perform(tickets.unassign, coordinator, ticket.id, technician.id)
    with refused(embedded, NotFound, "lease.start", match=THING):
        embedded.lease(ticket, secret)
    assert embedded.read(tickets.tickets, technician) == []
    with refused(embedded, NotFound, "ticket.unassign"):
        embedded.perform(tickets.unassign, coordinator, ticket.id, technician.id)
    embedded.perform(tickets.assign, coordinator, ticket.id, technician.id)
    lease = embedded.lease(ticket, secret)
    assert embedded.reveal(lease, secret)
    assert len(embedded.sql("SELECT id FROM assignment")) == 1
    embedded.perform(tickets.close, coordinator, ticket.id)
    for change in (
        lambda: embedded.perform(tickets.assign, coordinator, ticket.id, technician.id),
        lambda: embedded.perform(tickets.close, coordinator, ticket.id),
    ):
        with pytest.raises(Conflict):
            change()


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01")
def test_each_role_sees_and_does_its_own_and_nothing_else(embedded: World) -> None:
    """The table of rights, each cell tried with things that exist."""
    vault = embedded.vault
    service, _, ticket, lease = embedded.lent()
    request = embedded.ask(service)
    tom = embedded.member("technician").id
    roles = ("technician", "auditor", "administrator", "coordinator")

    def given(actor: Actor) -> Presence:
        role = next((role for role in roles if embedded.member(role).id == actor.id), "")
        return embedded.presence(role) if role else Presence(code="000000")

    rights: dict[str, tuple[set[str], Any]] = {
        "tickets": ({"technician", "coordinator"}, lambda a: vault.read(tickets.tickets, a)),
        "leases": ({"technician", "coordinator"}, lambda a: vault.read(checkout.leases, a)),
        "services": ({"coordinator"}, lambda a: vault.read(services.services, a)),
        "a service": ({"coordinator"}, lambda a: vault.read(services.service, a, service.id)),
        "customers": ({"coordinator"}, lambda a: vault.read(customers.customers, a)),
        "people": ({"coordinator"}, lambda a: vault.read(staff.people, a)),
        "staff": ({"administrator"}, lambda a: vault.read(staff.staff, a)),
        "entries": ({"auditor"}, lambda a: vault.read(audit.entries, a, None, None, None, None)),
        "bundle": ({"auditor"}, lambda a: audit.bundle(vault, a)),
        "checkpoint": ({"auditor"}, lambda a: audit.checkpoint(vault, a)),
        "inclusion": ({"auditor"}, lambda a: vault.read(audit.inclusion, a, 0)),
        "consistency": ({"auditor"}, lambda a: vault.read(audit.consistency, a, 1, 2)),
        "add a customer": ({"coordinator"}, lambda a: customers.add(vault, a, "A Shop", "a@shop.example")),
        "ask": ({"coordinator"}, lambda a: vault.perform(requests.ask, a, service.id, ["ssh-key"], "hand")),
        "reissue": ({"coordinator"}, lambda a: vault.perform(requests.reissue, a, request.id, "hand")),
        "open": ({"coordinator"}, lambda a: vault.perform(tickets.open_ticket, a, service.id, "T-7", "Work")),
        "assign": ({"coordinator"}, lambda a: vault.perform(tickets.assign, a, ticket.id, tom)),
        "cancel": ({"coordinator"}, lambda a: vault.perform(requests.cancel, a, request.id)),
        "revoke": ({"coordinator"}, lambda a: vault.perform(checkout.revoke, a, lease.id)),
        "unassign": ({"coordinator"}, lambda a: vault.perform(tickets.unassign, a, ticket.id, tom)),
        "close": ({"coordinator"}, lambda a: vault.perform(tickets.close, a, ticket.id)),
        "certificate": (set(), lambda a: vault.read(destruction.certificate, a, service.id)),
        "prolong": (
            {"coordinator"},
            lambda a: services.prolong(vault, a, service.id, service.ends_at + timedelta(days=1), given(a)),
        ),
        "disable": ({"administrator"}, lambda a: vault.perform(staff.disable, a, tom)),
        "end": (
            {"coordinator"},
            lambda a: destruction.end(vault, a, service.id, service.title, given(a)),
        ),
    }
    for what, (who, ask) in rights.items():
        for role in sorted(roles, key=lambda r: r in who):  # refusals first, while everything is still there
            if what == "end" and role == "technician":
                continue  # disabled by now
            actor = Actor("person", embedded.member(role).id, "api")
            embedded.actor(role) if role != "technician" else None
            if role in who:
                embedded.run(ask(actor))
                continue
            refusal = answer(embedded, ask(actor))[0]
            assert refusal in {Denied, NotFound}, f"{role}: {what}"
            assert refusal is Denied or what == "certificate"
    for nobody in (
        Actor.nobody("192.0.2.7", "api"),
        Actor.core(),
        Actor.host(),
        Actor("person", "per_x", "api"),
    ):
        for what, (_, ask) in rights.items():
            if (what, nobody.kind) == ("disable", "host"):
                continue
            assert answer(embedded, ask(nobody))[0] is NotSignedIn, f"{nobody.kind}: {what}"


@pytest.mark.promise("P2")
def test_a_proof_of_presence_is_for_one_deed_of_one_person_once(embedded: World) -> None:
    service = embedded.service()
    secret = embedded.give(service)
    ticket = embedded.ticket(service)
    other = embedded.hire("Tina Tell", "technician")
    embedded.perform(tickets.assign, embedded.actor("coordinator"), ticket.id, other.id)
    technician = embedded.actor("technician")
    why = checkout.Reason.parse(REASON)

    def proof_for(*parts: Any) -> str:
        deed = Deed("try it", ("lease", *parts))
        return embedded.run(presence.prove(embedded.vault, technician, deed, embedded.presence("technician")))

    def leased(proof: str, actor: Any = technician, minutes: int = 30, reason: Any = why) -> Any:
        wish = checkout.Wish(ticket.id, (secret,), minutes, reason)
        return embedded.vault.perform(checkout._leased, actor, wish, proof)

    mine = (ticket.id, 30, REASON, secret)
    right = proof_for(*mine)
    another = checkout.Reason.parse("something else entirely")
    for wrong in (
        leased(right, minutes=31),
        leased(right, reason=another),
        leased(right, actor=embedded.actor(other)),
        leased(new_id("prf")),
        leased("' OR 1=1"),
        leased(proof_for(ticket.id, 30, REASON)),
        leased(proof_for(new_id("tkt"), 30, REASON, secret)),
    ):
        assert answer(embedded, wrong)[0] is StaleProof
    assert embedded.run(leased(right)).ticket_id == ticket.id
    with refused(embedded, StaleProof, "lease.start"):
        embedded.run(leased(right))
    late = proof_for(*mine)
    embedded.clock.advance(minutes=5)
    embedded.actor("technician")
    with refused(embedded, StaleProof, "lease.start"):
        embedded.run(leased(late))


@pytest.mark.promise("P2")
@pytest.mark.attack("AN07")
def test_a_code_is_spent_even_when_its_deed_is_refused(embedded: World) -> None:
    _, secret, ticket, _ = embedded.lent()
    technician = embedded.actor("technician")
    code = embedded.code("technician")
    wish = checkout.Wish(ticket.id, (secret,), 30, checkout.Reason.parse(REASON))
    given = Presence(code=code)
    proof = embedded.run(presence.prove(embedded.vault, technician, wish.deed("try it"), given))
    with refused(embedded, Invalid, "lease.start"):
        embedded.perform(checkout._leased, technician, replace(wish, minutes=999), proof)
    with refused(embedded, Denied, "presence.prove", match="used already"):
        embedded.run(
            checkout.lease(embedded.vault, technician, ticket.id, [secret], 30, REASON, Presence(code=code))
        )
    assert embedded.lease(ticket, secret)


@pytest.mark.promise("P9")
def test_no_answer_to_anybody_holds_an_envelope(embedded: World) -> None:
    service, secret, ticket, lease = embedded.lent()
    ((envelope,),) = embedded.sql("SELECT envelope FROM secret WHERE id = :id", id=secret)
    coordinator, technician = embedded.actor("coordinator"), embedded.actor("technician")
    told = json.dumps(
        [
            embedded.read(services.service, coordinator, service.id).model_dump(mode="json"),
            embedded.read(tickets.ticket, technician, ticket.id).model_dump(mode="json"),
            embedded.read(checkout.lease_view, technician, lease.id).model_dump(mode="json"),
            embedded.read(audit.entries, embedded.actor("auditor"), None, None, None, None).model_dump(
                mode="json"
            ),
        ]
    )
    assert secret in told
    for part in (bytes(envelope)[:24].hex(), bytes(envelope)[-24:].hex()):
        assert part not in told
    assert not any(value in told for name, value in LOGIN.items() if name != "port")
