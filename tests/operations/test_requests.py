"""Asking, asking again, and what becomes of the login that is there meanwhile."""

import pytest

from tests.refusals import refused
from tests.world import LOGIN, World
from vault.crypto.envelope import Context
from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, Tampered
from vault.model.messages import Done
from vault.operations.customers import intake, requests
from vault.operations.leases import checkout
from vault.operations.services import services
from vault.storage.keys import Opening
from vault.values import Actor

CUSTOMER = Actor.nobody("198.51.100.9", "intake")
NOTE = "the server says: permission denied"


@pytest.mark.promise("P7", "P8")
def test_a_request_asks_for_what_is_needed_and_says_so(world: World) -> None:
    service, coordinator = world.service(), world.actor("coordinator")
    since = world.size()
    request = world.perform(requests.ask, coordinator, service.id, None, "hand")
    assert (request.state, request.kinds, request.deliver) == ("asked", ("ssh-password",), "hand")
    assert request.link == f"{world.settings.origin}/give#{request.code}"
    assert world.ledger(since) == ["request.ask ok"]
    (body,) = world.sql("SELECT body FROM ledger_entry WHERE seq = :since", since=since)[0]
    assert f'"actor":"{coordinator.id}"' in body
    assert request.id in body
    assert service.id in body
    shown = world.read(services.service, coordinator, service.id)
    assert [(one.id, one.code, one.link) for one in shown.requests] == [(request.id, None, None)]
    world.perform(requests.cancel, coordinator, request.id)
    with refused(world, Conflict, "request.cancel"):
        world.perform(requests.cancel, coordinator, request.id)
    with refused(world, Conflict, "request.reissue"):
        world.perform(requests.reissue, coordinator, request.id, "hand")
    for deliver in ("", "post", "MAIL", "mail\0"):
        with refused(world, Invalid, "request.ask"):
            world.perform(requests.ask, coordinator, service.id, None, deliver)
    with refused(world, Conflict, "request.ask", match="no mail server"):
        world.perform(requests.ask, coordinator, service.id, None, "mail")
    world.end(service)
    with refused(world, Ended, "request.ask"):
        world.perform(requests.ask, coordinator, service.id, None, "hand")
    with refused(world, Ended, "request.reissue"):
        world.perform(requests.reissue, coordinator, request.id, "hand")


def test_a_request_lives_for_its_days_and_never_longer_than_its_service(embedded: World) -> None:
    long, short = embedded.service(days=60), embedded.service(title="A short one", days=3)
    assert (embedded.ask(long).expires_at - long.created_at).days == 14
    assert embedded.ask(short).expires_at == short.ends_at


def test_asking_anew_ends_the_open_request_and_keeps_what_it_still_asked_for(embedded: World) -> None:
    service = embedded.service()
    first = embedded.ask(service, "ssh-password", "ssh-key")
    second = embedded.ask(service, "ssh-password")
    _, form = embedded.begin(second)
    assert {item.kind for item in form.items} == {"ssh-password", "ssh-key"}
    assert dict(embedded.sql("SELECT id, state FROM request")) == {
        first.id: "cancelled",
        second.id: "started",
    }
    assert len(embedded.sql("SELECT id FROM secret")) == 2, "a kind of a service is one secret"


@pytest.mark.promise("P8")
def test_a_login_that_does_not_work_is_asked_for_again_and_stays_until_it_is_replaced(world: World) -> None:
    service, secret, _, lease = world.lent()
    technician, coordinator = world.actor("technician"), world.actor("coordinator")
    ((old,),) = world.sql("SELECT envelope FROM secret")
    with refused(world, Invalid):
        world.run(checkout.report_broken(world.vault, technician, lease.id, secret, "broken"))
    since = world.size()
    asked = world.run(checkout.report_broken(world.vault, technician, lease.id, secret, NOTE))
    assert (asked.code, asked.link, asked.state) == (None, None, "asked"), "a technician holds no form"
    assert world.ledger(since) == ["secret.report ok"]
    assert NOTE not in world.sql("SELECT body FROM ledger_entry WHERE seq = :s", s=since)[0][0]
    with refused(world, Conflict, "secret.report", match="asked for this one again already"):
        world.run(checkout.report_broken(world.vault, technician, lease.id, secret, NOTE))
    assert world.reveal(lease, secret) == LOGIN["password"], "the present one stays until then"

    handed = world.perform(requests.reissue, coordinator, asked.id, "hand")
    browser, form = world.begin(handed)
    assert [(item.secret, item.version) for item in form.items] == [(secret, 2)]
    assert world.reveal(lease, secret) == LOGIN["password"]
    receipt = world.hand_in(browser, world.sealed(form, {**LOGIN, "password": "the new one"}))
    world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    assert receipt.version == 2
    assert world.reveal(lease, secret) == "the new one"
    ((key,),) = world.sql("SELECT key_id FROM secret")
    _, proof = world.run(
        world.vault.writer.perform(checkout.reveal, technician, lease.id, secret, "password")
    )
    for version, envelope, opens in ((2, old, False), (1, old, True)):
        context = Context(world.vault.deployment, service.id, key, secret, version, "ssh-password")
        opening = Opening(context, bytes(envelope), "password")
        if opens:  # the control: as version 1 it was the real one
            assert world.vault.keys.open(proof, opening)["password"].expose() == LOGIN["password"]
            continue
        with pytest.raises(Tampered):
            world.vault.keys.open(proof, opening)
    assert bytes(old) not in [bytes(row[0]) for row in world.sql("SELECT envelope FROM secret")]


@pytest.mark.promise("P7")
def test_what_the_catalogue_no_longer_names_is_no_longer_asked(embedded: World) -> None:
    from tests.world import CATALOGUE
    from vault.operations.services import catalogue

    service, coordinator = embedded.service(), embedded.actor("coordinator")
    embedded.perform(requests.ask, coordinator, service.id, ["ssh-key"], "hand")
    less = "\n".join(line for line in CATALOGUE.splitlines() if not line.startswith("may_ask"))
    embedded.run(catalogue.apply(embedded.vault, Actor.host(), less))
    with refused(embedded, Denied, "request.ask"):
        embedded.perform(requests.ask, coordinator, service.id, ["ssh-key"], "hand")


def test_only_the_outbox_makes_codes_for_mails(embedded: World) -> None:
    request = embedded.ask(embedded.service())
    for actor in (embedded.actor("coordinator"), Actor.host()):
        with refused(embedded, Denied, "request.mint"):
            embedded.perform(requests.mint, actor, request.id)
    with refused(embedded, Conflict, "request.mint"):
        embedded.perform(requests.mint, Actor.core(), request.id)
    with refused(embedded, NotFound, "request.mint"):
        embedded.perform(requests.mint, Actor.core(), "req_00000000000000000000")
