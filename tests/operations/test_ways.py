"""Three ways to open: to eyes, to a program, and one-time codes; who could have kept what follows from them."""

import json
from typing import Any

import pytest

from tests.logins import GOOD
from tests.operations.desks import WITH_CODES, apply, now, planned, used
from tests.operations.test_extraordinary import lent as registrar
from tests.operations.test_offer import ADDED, WHERE
from tests.operations.visiting import come
from tests.refusals import answer, refused
from tests.world import LOGIN, World
from vault.errors import Conflict, Denied, Ended, NotFound, ProofNeeded, StaleProof
from vault.model.codes import OneTimeCode
from vault.model.desk_views import SeenView
from vault.model.tables import Lease
from vault.model.views import LeaseView, ServiceView
from vault.operations import presence
from vault.operations.customers import happened, mine
from vault.operations.leases import checkout, exposure
from vault.operations.services import tickets
from vault.storage.keys import CodeOpening, Opening
from vault.values import SECOND

SEED = "JBSWY3DPEHPK3PXP"
"""The seed within GOOD's link."""


def coded(world: World) -> tuple[ServiceView, str, LeaseView]:
    """A service whose login takes codes, checked out."""
    apply(world, WITH_CODES)
    service = world.service()
    secret = world.give(service, GOOD["totp-seed"], "totp-seed")
    return service, secret, world.lease(world.ticket(service), secret)


def issued(world: World, lease: LeaseView, secret: str) -> OneTimeCode:
    made: OneTimeCode = world.run(
        checkout.issue_code(world.vault, world.actor("technician"), lease.id, secret)
    )
    return made


def seen(world: World, service: ServiceView) -> dict[str, list[SeenView]]:
    """By secret, as a coordinator reads it."""
    found = world.read(exposure.exposure, world.actor("coordinator"), service.id)
    return {one.secret_id: list(one.seen) for one in found}


def ways(lines: list[SeenView]) -> list[tuple[str, str, int, int, bool]]:
    return [(one.person_name, one.way, one.times, one.version, one.present) for one in lines]


# -- codes ------------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P1", "P8")
def test_a_code_is_issued_and_its_seed_never_opens(world: World) -> None:
    service, secret, lease = coded(world)
    (view,) = lease.secrets
    assert (view.codes, view.fields) == (True, ())
    since = world.size()
    code = issued(world, lease, secret)
    assert world.ledger(since) == ["secret.code ok"]
    assert code.code.expose().isdecimal()
    assert (len(code.code.expose()), code.period) == (6, 30)
    assert 0 < code.until - world.clock.wall() <= 30 * SECOND
    assert issued(world, lease, secret).code.expose() == code.code.expose(), "the same within its time"
    world.clock.advance(seconds=30)
    assert issued(world, lease, secret).code.expose() != code.code.expose()
    tom = world.actor("technician")
    for way in (checkout.reveal, checkout.use):
        for name in ("otpauth", ""):
            error = Denied if name else NotFound
            with refused(
                world, error, way.entry_type, match="issued of this secret instead" if name else None
            ):
                world.perform(way, tom, lease.id, secret, name)
    visitor = come(world, service.customer.id)
    told = world.read(happened.happened, visitor.actor, service.id).happened
    assert [one.type for one in told[:4]] == ["secret.use"] * 2 + ["secret.reveal"] * 2
    everything = (
        world.read(mine.service, visitor.actor, service.id).model_dump_json()
        + "".join(one.model_dump_json() for one in told)
        + now(world, lease).model_dump_json()
        + world.bundle().decode()
    )
    assert SEED not in everything
    assert code.code.expose() not in everything, "nor is the code in any record"


@pytest.mark.promise("P1")
def test_nothing_but_the_running_vault_makes_a_code_of_a_committed_record(embedded: World) -> None:
    _, secret, lease = coded(embedded)
    tom = embedded.actor("technician")
    made, receipt = embedded.run(embedded.vault.writer.perform(checkout.code, tom, lease.id, secret))
    assert isinstance(made, CodeOpening)
    assert not isinstance(made, Opening)
    assert receipt is not None
    assert SEED not in f"{made!r}"
    code = issued(embedded, lease, secret)
    assert code.code.expose() not in f"{code!r}"


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07", "AZ08", "AZ09")
def test_a_code_and_a_use_are_judged_like_a_reveal(world: World) -> None:
    service, secret, lease = coded(world)
    tina = world.hire("Tina Torres", "technician")
    tom, clara = world.actor("technician"), world.actor("coordinator")
    strangers = [world.actor(tina), clara]
    for opens, args in ((checkout.code, ()), (checkout.use, ("otpauth",))):
        for stranger in strangers:
            with refused(world, NotFound, opens.entry_type, match="there is no such thing"):
                world.perform(opens, stranger, lease.id, secret, *args)
    later = planned(world, world.ticket(service, number="T-2"), secret, hours=5)
    tom = world.actor("technician")
    with refused(world, Conflict, "secret.code", match="opens nothing before"):
        world.perform(checkout.code, tom, later.id, secret)
    visitor = come(world, service.customer.id)
    world.perform(mine.pause, visitor.actor, service.id)
    for opens, args in ((checkout.code, ()), (checkout.use, ("otpauth",))):
        with refused(world, Denied, opens.entry_type, match="paused"):
            world.perform(opens, tom, lease.id, secret, *args)
    world.perform(mine.resume, visitor.actor, service.id)
    world.perform(tickets.unassign, clara, lease.ticket_id, tom.id)
    with refused(world, NotFound, "secret.code"):
        world.perform(checkout.code, tom, lease.id, secret)
    world.perform(tickets.assign, clara, lease.ticket_id, tom.id)
    with refused(world, Ended, "secret.code"):
        world.perform(checkout.code, tom, lease.id, secret)


def test_of_what_makes_no_codes_none_is_issued(embedded: World) -> None:
    _, secret, _, lease = embedded.lent()
    tom = embedded.actor("technician")
    with refused(embedded, Conflict, "secret.code", match="no one-time codes are made"):
        embedded.run(checkout.issue_code(embedded.vault, tom, lease.id, secret))


# -- use --------------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P8")
def test_a_use_is_another_entry_than_a_reveal_and_the_customer_reads_which_it_was(world: World) -> None:
    service, secret, _, lease = world.lent()
    since = world.size()
    assert used(world, lease, secret) == LOGIN["password"]
    assert world.reveal(lease, secret) == LOGIN["password"]
    assert world.ledger(since) == ["secret.use ok", "secret.reveal ok"]
    visitor = come(world, service.customer.id)
    told = world.read(happened.happened, visitor.actor, service.id).happened[:2]
    assert [(one.type, one.field) for one in told] == [
        ("secret.reveal", "Password"),
        ("secret.use", "Password"),
    ]
    (given,) = world.read(mine.service, visitor.actor, service.id).given
    assert given.opened == 2


@pytest.mark.promise("P2")
@pytest.mark.attack("AN07")
def test_a_proof_for_a_look_is_none_for_a_use_of_what_is_extraordinary(world: World) -> None:
    secret, lease = registrar(world)
    tom, vault = world.actor("technician"), world.vault
    asked = answer(world, checkout.open_field(vault, tom, lease.id, secret, "password", way="use"))
    assert asked[0] is ProofNeeded
    assert "hand the password to a program, out of “Login of your domain registrar”" in asked[1]
    past_the_door = vault.perform(checkout.use, tom, lease.id, secret, "password")
    assert answer(world, past_the_door)[0] is StaleProof
    look = checkout._look(lease.id, secret, "password", "reveal")
    proof = world.run(presence.prove(vault, tom, look, world.presence("technician")))
    swapped = vault.perform(checkout.use, tom, lease.id, secret, "password", proof)
    assert answer(world, swapped)[0] is StaleProof, "a look is no use"
    given = world.presence("technician")
    opened = checkout.open_field(vault, tom, lease.id, secret, "password", given, "use")
    assert world.run(opened).expose() == GOOD["registrar"]["password"]


# -- who could have kept it -------------------------------------------------------------------------------------------


@pytest.mark.promise("P8")
def test_exposure_says_who_could_have_kept_which_version_in_which_way(world: World) -> None:
    service, secret, ticket, lease = world.lent()
    assert seen(world, service) == {}
    world.reveal(lease, secret, "host")
    assert seen(world, service) == {}, "a host alone lets nobody in"
    world.reveal(lease, secret)
    used(world, lease, secret)
    used(world, lease, secret)
    assert ways(seen(world, service)[secret]) == [
        ("Tom Tanner", "revealed", 1, 1, True),
        ("Tom Tanner", "used", 2, 1, True),
    ]
    assert world.give(service) == secret, "given anew"
    world.reveal(lease, secret)
    found = seen(world, service)[secret]
    assert ways(found) == [
        ("Tom Tanner", "revealed", 1, 1, False),
        ("Tom Tanner", "revealed", 1, 2, True),
        ("Tom Tanner", "used", 2, 1, False),
    ]
    assert all(one.first <= one.last <= found[1].first for one in found[::2])
    assert {one.kind_title for one in found} == {"Server login with a password"}
    other = world.lease(ticket, secret)
    assert world.read(_under, world.actor("coordinator"), other.id) == ()
    assert [one.times for one in world.read(_under, world.actor("coordinator"), lease.id)] == [1, 1, 2]
    visitor = come(world, service.customer.id)
    assert world.read(mine.service, visitor.actor, service.id).exposure[0].seen == tuple(found)
    world.run(mine.withdraw(world.vault, visitor.actor, secret))
    assert not any(one.present for one in seen(world, service)[secret]), (
        "what was taken back is not stored now"
    )


@pytest.mark.promise("P8")
def test_what_was_seen_of_a_password_stays_when_a_key_is_given_in_its_place(embedded: World) -> None:
    service, secret, _, lease = embedded.lent()
    embedded.reveal(lease, secret)
    browser, form = embedded.begin(embedded.ask(service))
    assert embedded.hand_in(browser, embedded.sealed(form, WHERE, kind=ADDED)).secret == secret
    page = embedded.read(happened.happened, come(embedded, service.customer.id).actor, service.id)
    looked = next(one for one in page.happened if one.type == "secret.reveal")
    assert (looked.secret, looked.field) == ("Server login with a password", "Password")
    (line,) = seen(embedded, service)[secret]
    assert (line.way, line.version, line.present) == ("revealed", 1, False)
    assert line.kind_title == "Server login with a password", "of what was given then"


def _under(reading: Any, _actor: Any, lease_id: str) -> tuple[SeenView, ...]:
    found = reading.find(Lease, id=lease_id)
    return exposure.under(reading, found)


@pytest.mark.promise("P2", "P8")
@pytest.mark.attack("AZ02")
def test_exposure_is_for_coordinators_and_for_the_customer_whose_it_is(embedded: World) -> None:
    service, secret, _, lease = embedded.lent()
    embedded.reveal(lease, secret)
    for who in ("technician", "auditor", "administrator"):
        with pytest.raises(Denied):
            embedded.read(exposure.exposure, embedded.actor(who), service.id)
    visitor = come(embedded, embedded.customer("Other Shop", "other@customers.example").id)
    with pytest.raises(NotFound):
        embedded.read(mine.service, visitor.actor, service.id)


@pytest.mark.promise("P5", "P8")
def test_the_certificate_counts_each_way_for_itself(embedded: World) -> None:
    service, secret, lease = coded(embedded)
    issued(embedded, lease, secret)
    login = embedded.give(service)
    opened = embedded.lease(embedded.ticket(service, number="T-2"), login)
    embedded.reveal(opened, login)
    for _ in range(3):
        used(embedded, opened, login)
    stated = json.loads(embedded.end(service).note.partition("\n")[0])
    (tom,) = stated["seen"]
    assert (tom["reveals"], tom["uses"], tom["codes"]) == (1, 3, 1)
    assert set(stated["ways"]) == {"reveals", "uses", "codes"}
    assert tom["first"] <= tom["last"]
