"""The customer's own page: what they see is theirs and all of it, and every way to stop it holds, sealed or not."""

import base64
import hashlib
import json
from typing import Any

import pytest

from tests.operations import visiting
from tests.operations.test_entries import told
from tests.operations.visiting import NOBODY, Lent, Visitor, ask, code_of, come, come_again, shown
from tests.refusals import refused
from tests.world import LOGIN, World
from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, NotSignedIn
from vault.ledger.verify import leaf_hash, open_note, parse_checkpoint, verify_inclusion
from vault.model.messages import Done
from vault.model.own_views import HappenedPage
from vault.model.views import ServiceView
from vault.operations.customers import happened, intake, mine, records, visits
from vault.operations.leases import checkout
from vault.operations.services import services
from vault.values import Actor, new_id

OF_THE_VAULT = {
    "request.mint": "the code that is in the mail",
    "request.try": "a PIN before it was judged; a code that was locked shows as a request that is over",
    "request.lock": "the same",
    "secret.again": "the customer's own change of mind on the form",
    "secret.check": "opened to be looked at; what came of it is told",
    "customer.correct": "the language that was chosen on a form: it is in their details, and in what they read",
    "review.overdue": "what we remind each other of; what came of the review is told",
    "service.lapse": "the end of the grace; what is destroyed then is told",
    "host-key.show": "what was noted once, looked up by who holds a lease; that it was noted is told",
}
"""Entries about a service that are not told to its customer, each with its reason."""


def told_of(world: World, visitor: Visitor, service: ServiceView) -> HappenedPage:
    return world.read(happened.happened, visitor.actor, service.id)


def opens(world: World, lease: Any, secret: str) -> bool:
    return world.reveal(lease, secret) == LOGIN["password"]


@pytest.fixture
def lent(world: World) -> Lent:
    return visiting.lent(world)


NOTHING = r"^there is no such thing$"


# -- seeing ----------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P8")
def test_a_customer_sees_who_holds_what_who_may_and_what_was_opened_for_which_ticket_and_why(
    lent: Lent,
) -> None:
    world, service, secret, lease, visitor = lent
    world.reveal(lease, secret)
    world.reveal(lease, secret, "host")
    view = shown(world, visitor, service)
    assert view.who_may == ("Tom Tanner",)
    (held,) = view.lent
    assert (held.who, held.ticket, held.reason) == ("Tom Tanner", "T-1001", "install the shop as ordered")
    assert held.secrets == ("Server login with a password",) == (view.given[0].title,)
    assert (view.given[0].state, view.given[0].opened, view.given[0].opened_by) == (
        "checked",
        2,
        ("Tom Tanner",),
    )
    page = told_of(world, visitor, service)
    newest = page.happened[0]
    assert (newest.type, newest.outcome, newest.by, newest.by_name) == (
        "secret.reveal",
        "ok",
        "staff",
        "Tom Tanner",
    )
    assert (newest.ticket, newest.reason, newest.field) == (
        "T-1001",
        "install the shop as ordered",
        "Server",
    )
    types = [one.type for one in page.happened]
    assert types[-1] == "service.register"
    assert {
        "request.ask",
        "request.begin",
        "secret.give",
        "secret.checked",
        "ticket.open",
        "ticket.assign",
    } <= set(types)
    for value in LOGIN.values():
        if len(value) > 2:
            assert value not in view.model_dump_json() + page.model_dump_json()


@pytest.mark.promise("P8")
def test_a_refused_opening_is_told_too(lent: Lent) -> None:
    world, service, secret, lease, visitor = lent
    world.perform(mine.pause, visitor.actor, service.id)
    with pytest.raises(Denied):
        world.reveal(lease, secret)
    newest = told_of(world, visitor, service).happened[0]
    assert (newest.type, newest.outcome, newest.by_name) == ("secret.reveal", "Denied", "Tom Tanner")


def test_what_happened_comes_in_pages_and_each_thing_once(lent: Lent) -> None:
    world, service, secret, lease, visitor = lent
    for _ in range(60):
        world.reveal(lease, secret)
    first = told_of(world, visitor, service)
    assert len(first.happened) == happened.PAGE
    assert first.next
    second = world.read(happened.happened, visitor.actor, service.id, int(first.next))
    seqs = [one.seq for one in (*first.happened, *second.happened)]
    assert seqs == sorted(set(seqs), reverse=True)
    assert second.next is None


@pytest.mark.promise("P8")
def test_every_entry_about_a_service_is_told_or_has_a_reason_not_to_be() -> None:
    about_services = {name for name, row in told().items() if "service" in row.names}
    assert about_services == (happened.TYPES & set(told())) | set(OF_THE_VAULT)
    assert set(told()) >= happened.TYPES


# -- what is not theirs ----------------------------------------------------------------------------------------------


@pytest.mark.promise("P2", "P8")
@pytest.mark.attack("AZ02")
def test_another_customers_service_and_secret_are_not_there(lent: Lent) -> None:
    world, service, secret, lease, _ = lent
    other = world.customer("Mill Street Books", "books@mill.example")
    visitor = come(world, other.id)
    assert world.read(mine.page, visitor.actor).services == ()
    by_service = (mine.pause, mine.resume)
    for theirs, ghost in ((service.id, new_id("svc")), (service.id, "svc_x"), (service.id, "")):
        for deed in by_service:
            for one in (theirs, ghost):
                with pytest.raises(NotFound, match=NOTHING):
                    world.perform(deed, visitor.actor, one)
        for flow in (mine.end, records.records):
            for one in (theirs, ghost):
                with pytest.raises(NotFound, match=NOTHING):
                    world.run(flow(world.vault, visitor.actor, one))
        for look in (mine.service, happened.happened):
            for one in (theirs, ghost):
                with pytest.raises(NotFound, match=NOTHING):
                    world.read(look, visitor.actor, one)
    for one in (secret, new_id("sec"), service.id):
        with refused(world, NotFound, "secret.replace", match=NOTHING):
            world.perform(mine.replace, visitor.actor, one)
        with pytest.raises(NotFound, match=NOTHING):
            world.run(mine.withdraw(world.vault, visitor.actor, one))
    assert opens(world, lease, secret), "nothing of it happened"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ02", "AZ06")
def test_the_staff_and_strangers_have_no_page_of_a_customers(lent: Lent) -> None:
    world, service, secret, lease, visitor = lent
    session = visitor.actor.session
    forged = Actor(
        "customer", service.customer.id, "page", session[:-1] + ("y" if session[-1] == "z" else "z")
    )
    anothers = Actor("customer", world.customer("B", "b@customers.example").id, "page", visitor.actor.session)
    for actor in (
        *(world.actor(role) for role in ("coordinator", "technician", "administrator")),
        NOBODY,
        forged,
        anothers,
    ):
        with pytest.raises(NotSignedIn):
            world.read(mine.page, actor)
        for look in (mine.service, happened.happened):
            with pytest.raises(NotSignedIn):
                world.read(look, actor, service.id)
        with pytest.raises(NotSignedIn):
            world.perform(mine.pause, actor, service.id)
    with pytest.raises(NotSignedIn):
        world.perform(checkout.reveal, visitor.actor, lease.id, secret, "password")
    assert opens(world, lease, secret)


# -- stopping --------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P4", "P8")
def test_a_pause_stops_leases_and_new_ones_and_a_resumption_lets_them_go_on(lent: Lent) -> None:
    world, service, secret, lease, visitor = lent
    since = world.size()
    world.perform(mine.pause, visitor.actor, service.id)
    world.perform(mine.pause, visitor.actor, service.id)
    assert world.ledger(since) == ["service.pause ok"] * 2
    with pytest.raises(Denied, match="the customer has paused this service"):
        world.reveal(lease, secret)
    paused = shown(world, visitor, service).paused_at
    assert paused
    assert world.read(services.service, world.actor("coordinator"), service.id).paused_at == paused
    world.perform(mine.resume, visitor.actor, service.id)
    assert shown(world, visitor, service).paused_at is None
    assert opens(world, lease, secret)


@pytest.mark.promise("P1", "P4")
@pytest.mark.attack("AZ15")
def test_a_pause_and_reveals_at_once_have_one_order(lent: Lent) -> None:
    world, service, secret, lease, visitor = lent
    technician, since = world.actor("technician"), world.size()
    reveals = [
        world.vault.perform(checkout.reveal, technician, lease.id, secret, "password") for _ in range(20)
    ]
    reveals.insert(10, world.vault.perform(mine.pause, visitor.actor, service.id))
    answers = world.together(*reveals)
    entries = world.ledger(since)
    at = entries.index("service.pause ok")
    assert "secret.reveal ok" not in entries[at:]
    assert entries.count("secret.reveal ok") == sum(hasattr(one, "expose") for one in answers)


@pytest.mark.promise("P5", "P8")
@pytest.mark.attack("DE02")
def test_what_is_withdrawn_opens_for_nobody_and_is_in_no_file(lent: Lent) -> None:
    world, service, secret, lease, visitor = lent
    envelope = bytes(world.sql("SELECT envelope FROM secret WHERE id = :id", id=secret)[0][0])
    assert opens(world, lease, secret)
    world.run(mine.withdraw(world.vault, visitor.actor, secret))
    with pytest.raises(Ended, match="the customer has taken this secret back"):
        world.reveal(lease, secret)
    with pytest.raises(Ended):
        world.lease(world.ticket(service, number="T-2"), secret)
    assert shown(world, visitor, service).given[0].state == "withdrawn"
    with pytest.raises(Conflict, match="nothing of it here"):
        world.run(mine.withdraw(world.vault, visitor.actor, secret))
    if world.settings.vault_url.startswith("sqlite"):
        for path in world.settings.data_dir.glob("vault.db*"):
            assert envelope[40:120] not in path.read_bytes(), path.name


@pytest.mark.promise("P8")
def test_what_is_replaced_serves_until_the_new_one_is_given_and_then_only_that_opens(lent: Lent) -> None:
    world, _service, secret, lease, visitor = lent
    request = world.perform(mine.replace, visitor.actor, secret)
    assert request.code
    assert request.link == f"{world.settings.origin}/give#{request.code}"
    assert opens(world, lease, secret)
    browser, form = world.begin(request)
    assert [item.secret for item in form.items] == [secret]
    world.hand_in(browser, world.sealed(form, LOGIN | {"password": "another one altogether"}))
    world.run(intake.done(world.vault, NOBODY, Done(browser=browser)))
    assert world.reveal(lease, secret) == "another one altogether"


def test_what_was_withdrawn_can_be_given_anew(lent: Lent) -> None:
    world, _service, secret, lease, visitor = lent
    world.run(mine.withdraw(world.vault, visitor.actor, secret))
    browser, form = world.begin(world.perform(mine.replace, visitor.actor, secret))
    world.hand_in(browser, world.sealed(form))
    assert opens(world, lease, secret)


@pytest.mark.promise("P5", "P8")
def test_the_customer_ends_everything_and_has_the_certificate(lent: Lent) -> None:
    world, service, secret, lease, visitor = lent
    since = world.size()
    world.run(mine.end(world.vault, visitor.actor, service.id))
    assert world.ledger(since) == ["service.end ok", "service.destroy ok"]
    with pytest.raises(Ended):
        world.reveal(lease, secret)
    view = shown(world, visitor, service)
    assert (view.state, view.given[0].state, view.who_may, view.lent) == ("destroyed", "purged", (), ())
    assert view.certificate
    assert "valetkey destruction v1" in view.certificate
    assert len(world.vault.keyring.tombstones(service.id)) == 1
    with refused(world, Conflict, "service.end"):
        world.run(mine.end(world.vault, visitor.actor, service.id))
    for deed in (mine.pause, mine.resume):
        with pytest.raises(Ended):
            world.perform(deed, visitor.actor, service.id)
    with pytest.raises(Ended):
        world.perform(mine.replace, visitor.actor, secret)


# -- records ---------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P6", "P8")
def test_the_records_prove_each_entry_offline_and_say_no_value(lent: Lent) -> None:
    world, service, secret, lease, visitor = lent
    world.reveal(lease, secret)
    since = world.size()
    found = world.run(records.records(world.vault, visitor.actor, service.id))
    assert world.ledger(since) == ["records.export ok"]
    origin, size, root = parse_checkpoint(open_note(found["checkpoint"], found["key"]))
    assert (origin, size) == (world.vault.origin, world.size())
    assert found["key"] == world.vkey()
    assert [one["type"] for one in found["happened"]][:3] == [
        "records.export",
        "secret.reveal",
        "lease.start",
    ]
    for one in found["happened"]:
        entry = json.loads(one["entry"])
        assert (entry["seq"], entry["type"], entry["outcome"]) == (one["seq"], one["type"], one["outcome"])
        hashes = [base64.b64decode(part) for part in one["hashes"]]
        verify_inclusion(one["seq"], size, leaf_hash(one["entry"].encode()), hashes, root)
        said = {hashlib.sha256(text.encode()).hexdigest() for text in one["disclosures"]}
        assert said <= set(entry["disclosed"].values())
    text = json.dumps(found)
    assert not [value for value in LOGIN.values() if len(value) > 2 and value in text]


# -- their own data --------------------------------------------------------------------------------------------------


@pytest.mark.promise("P8")
def test_a_customer_corrects_their_own_data_and_a_new_address_voids_the_link_and_every_other_visit(
    world: World,
) -> None:
    acme = world.customer()
    former = code_of(world, acme.id)
    other, visitor = come(world, acme.id), come(world, acme.id)
    waits = ask(world, former)
    view = world.run(
        mine.correct(
            world.vault,
            visitor.actor,
            name=" Acme  Garden ",
            mail="New@Acme.example",
            language="de",
            digest=True,
        )
    )
    assert (view.name, view.mail, view.language, view.digest) == (
        "Acme Garden",
        "new@acme.example",
        "de",
        True,
    )
    assert world.read(mine.page, come_again(world, visitor).actor) == view, "who did it stays"
    for token in (other.token, waits):
        with pytest.raises(NotSignedIn):
            world.run(visits.resolve(world.vault, token, NOBODY.source))
    since = world.size()
    ask(world, former)
    assert world.ledger(since) == [], "the former link names nobody"
    assert code_of(world, acme.id) != former
    assert ("customer.moved",) in world.sql("SELECT template FROM outbox")
    assert come(world, acme.id).actor.id == acme.id


@pytest.mark.attack("CR03")
def test_a_visit_from_before_a_move_does_not_come_back_with_its_row(world: World) -> None:
    acme = world.customer()
    other, visitor = come(world, acme.id), come(world, acme.id)
    row = dict(world.sql("SELECT * FROM visit WHERE id = :id", id=other.actor.session)[0]._mapping)
    world.run(mine.correct(world.vault, visitor.actor, mail="new@acme.example"))
    world.sql(
        "UPDATE visit SET state = :state, tag = :tag WHERE id = :id",
        state=row["state"],
        tag=row["tag"],
        id=row["id"],
    )
    with pytest.raises(NotSignedIn):
        world.run(visits.resolve(world.vault, other.token, NOBODY.source))


def test_what_is_no_name_no_address_and_no_language_is_refused_and_nothing_is_told_without_a_change(
    world: World,
) -> None:
    acme = world.customer()
    visitor = come(world, acme.id)
    for wrong in ({"name": " "}, {"name": "x" * 121}, {"mail": "no address"}, {"language": "fr"}):
        with refused(world, Invalid):
            world.run(mine.correct(world.vault, visitor.actor, **wrong))
    before = world.sql("SELECT count(*) FROM outbox")
    world.run(mine.correct(world.vault, visitor.actor, name=acme.name, mail=acme.mail))
    assert world.sql("SELECT count(*) FROM outbox") == before
