"""The customer's yes: on their own page, to what they read there; and what is extraordinary takes it by itself."""

import pytest

from tests.approvals import (
    BY_COORDINATOR,
    BY_CUSTOMER,
    allowed,
    approved,
    customer_approves,
    customer_refuses,
    listed,
    no,
    owner,
    put,
    row_of,
    told,
    waits,
    yes,
)
from tests.logins import GOOD
from tests.operations.necessities import HOST, LINE, WITH_REGISTRAR, approve, registrar
from tests.operations.visiting import come, come_again, shown
from tests.refusals import refused
from tests.world import CATALOGUE, LOGIN, World
from vault.errors import Conflict, Denied, Ended, NotFound, NotSignedIn, Sealed, Tampered, Unavailable
from vault.model.tables import Lease
from vault.model.views import LeaseView, ServiceView
from vault.operations.customers import happened, own_approvals, visits
from vault.operations.house import upkeep
from vault.operations.leases import checkout
from vault.storage.rows import digest, values_of
from vault.values import Actor, new_id, to_datetime

KEEPS = "what customers were asked for before keeps taking"
GONE = "decided or taken back meanwhile, or has waited too long"


@pytest.mark.promise("P2", "P8")
@pytest.mark.attack("AZ11")
def test_a_customer_reads_what_is_asked_and_allows_exactly_that(world: World) -> None:
    service, secret, lease = waits(world, "customer")
    assert told(world) == [("lease.asked", service.customer.id)]
    visitor = owner(world, lease)
    (asked,) = listed(world, visitor)
    assert (asked.id, asked.who, asked.ticket, asked.minutes) == (lease.id, "Tom Tanner", "T-1001", 30)
    assert (asked.reason, asked.digest) == (lease.reason, lease.digest)
    assert asked.secrets == ("Server login with a password",)
    with refused(world, Conflict, "secret.reveal", match="waits for another person's yes"):
        world.reveal(lease, secret)
    since = world.size()
    world.run(customer_approves(world, visitor, lease))
    assert world.ledger(since) == ["lease.approve ok"]
    view = world.read(checkout.lease_view, world.actor("technician"), lease.id)
    assert (view.state, view.decided_by_name, view.approver) == ("active", "Acme Garden Tools", "customer")
    assert world.reveal(lease, secret) == LOGIN["password"]
    assert told(world)[-1] == ("staff.lease-approved", world.member("technician").id)
    mine_now = shown(world, visitor, service)
    assert (mine_now.asked, [one.id for one in mine_now.lent]) == ((), [lease.id])
    newest = world.read(happened.happened, come_again(world, visitor).actor, service.id).happened
    approved = next(one for one in newest if one.type == "lease.approve")
    assert (approved.by, approved.ticket, approved.outcome) == ("you", "T-1001", "ok")
    with refused(world, Ended, "lease.approve", match=GONE):
        world.run(customer_approves(world, visitor, lease))


@pytest.mark.promise("P2")
def test_a_customer_says_no_and_needs_no_reason(world: World) -> None:
    service, secret, lease = waits(world, "customer")
    visitor = owner(world, lease)
    since = world.size()
    world.run(customer_refuses(world, visitor, lease))
    assert world.ledger(since) == ["lease.refuse ok"]
    assert row_of(world, lease) == ("ended", "refused", service.customer.id)
    assert told(world)[-1] == ("staff.lease-refused", world.member("technician").id)
    with refused(world, Ended, "secret.reveal"):
        world.reveal(lease, secret)
    for again in (customer_approves, customer_refuses):
        with pytest.raises(Ended, match=GONE):
            world.run(again(world, visitor, lease))


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ02", "AZ08")
def test_anothers_and_what_is_not_theirs_to_decide_look_like_nothing(world: World) -> None:
    _, _, lease = waits(world, "customer")
    other = world.service(world.customer("Globex", "it@globex.example"))
    stranger = come(world, other.customer.id)
    put(world, BY_COORDINATOR)
    secret = world.give(other)
    of_a_coordinator = world.lease(world.ticket(other, number="T-2"), secret)
    for actor, one in (
        (stranger, lease),
        (stranger, of_a_coordinator),
        (stranger, lease.model_copy(update={"id": new_id("lse")})),
        (stranger, lease.model_copy(update={"id": "?"})),
    ):
        for act in (customer_approves, customer_refuses):
            with pytest.raises(NotFound, match="there is no such thing"):
                world.run(act(world, actor, one))
    assert listed(world, stranger) == ()
    for nobody in (
        world.actor("coordinator"),
        HOST,
        Actor.core(),
        Actor("customer", lease.person_id, "page"),
    ):
        for change in (own_approvals.approve, own_approvals.refuse):
            with pytest.raises(NotSignedIn):
                world.perform(change, nobody, lease.id, lease.digest)
    visitor = owner(world, lease)
    world.perform(visits.leave, visitor.actor)
    with pytest.raises(NotSignedIn):
        world.run(customer_approves(world, visitor, lease))
    assert row_of(world, lease)[0] == row_of(world, of_a_coordinator)[0] == "asked"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_a_customers_yes_is_for_what_they_read_and_in_time(world: World) -> None:
    service, secret, lease = waits(world, "customer")
    other = world.lease(world.ticket(service, number="T-2"), secret)
    visitor = owner(world, lease)
    for digest_of in (other.digest, "0" * 64, "ä", "\ud800"):
        for act in (customer_approves, customer_refuses):
            with pytest.raises(Conflict, match="read it as it is now"):
                world.run(act(world, visitor, lease, digest_of))
    world.run(customer_approves(world, visitor, other))
    assert row_of(world, lease)[0] == "asked", "one yes is for one lease"
    left = lease.expires_at - to_datetime(world.clock.wall())
    world.clock.advance(seconds=left.total_seconds() - 60)
    visitor = owner(world, lease)
    world.clock.advance(minutes=1)
    assert listed(world, visitor) == ()
    for act in (customer_approves, customer_refuses):
        with pytest.raises(Ended, match=GONE):
            world.run(act(world, visitor, lease))
    world.run(upkeep.sweep(world.vault))
    assert row_of(world, lease) == ("ended", "not answered", "")


def test_a_lapse_is_told_to_whoever_asked(embedded: World) -> None:
    _, _, lease = waits(embedded, "customer")
    embedded.clock.advance(days=1, minutes=1)
    embedded.run(upkeep.sweep(embedded.vault))
    assert told(embedded)[-1] == ("staff.lease-lapsed", lease.person_id)


# -- in a sealed vault ------------------------------------------------------------------------------------------------


@pytest.mark.promise("P3", "P6")
def test_in_a_sealed_vault_a_customer_can_say_no_and_not_yes(world: World) -> None:
    service, secret, lease = waits(world, "customer")
    second = world.lease(world.ticket(service, number="T-2"), secret)
    visitor = owner(world, lease)
    world.seal()
    with refused(world, Sealed, "lease.approve", match="allow it when the vault is unsealed"):
        world.run(customer_approves(world, visitor, lease))
    assert {one.id for one in listed(world, visitor)} == {lease.id, second.id}
    world.run(customer_refuses(world, visitor, lease))
    world.reopen()
    world.unseal()
    assert row_of(world, lease) == ("ended", "refused", service.customer.id)
    shown_now = world.read(checkout.lease_view, world.actor("technician"), lease.id)
    assert (shown_now.ended_how, shown_now.decided_by_name) == ("refused", "Acme Garden Tools")
    assert allowed(world, second).state == "active"
    assert world.reveal(second, secret) == LOGIN["password"]


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03", "AZ11")
@pytest.mark.parametrize(
    "bend", ["state = 'active', approver = ''", "state = 'active', decided_by = 'cus_x'"]
)
def test_whoever_writes_to_the_database_lets_no_lease_begin_in_the_shade_of_a_no(
    world: World, bend: str
) -> None:
    """A head made in the dark is believed after the unseal only for what has ended by it."""
    _, secret, lease = waits(world, "customer")
    visitor = owner(world, lease)
    world.seal()
    world.run(customer_refuses(world, visitor, lease))
    world.sql(f"UPDATE lease SET {bend}, ended_how = ''")
    row = Lease(**dict(world.sql("SELECT * FROM lease")[0]._mapping))
    world.sql(
        "UPDATE row_head SET digest = :digest, tag = :none WHERE row_id = :row",
        digest=digest("lease", values_of(row)),
        none=b"",
        row=f"lease:{lease.id}",
    )
    tom = Actor("person", lease.person_id, "api")
    with pytest.raises(Tampered):
        world.unseal()
    with pytest.raises(Unavailable):
        world.perform(checkout.reveal, tom, lease.id, secret, "password")


# -- what is extraordinary --------------------------------------------------------------------------------------------


def by_coordinator(toml: str) -> str:
    """The extraordinary line, where a coordinator's yes is to be enough."""
    return toml.replace(
        LINE, LINE.replace('kind = "registrar"', 'kind = "registrar", approval = "coordinator"')
    )


def rare(world: World) -> tuple[ServiceView, str, LeaseView]:
    """A lease of a registrar's login, asked for."""
    service = world.service()
    secret = world.give(service, GOOD["registrar"], "registrar")
    return service, secret, world.lease(world.ticket(service), secret)


@pytest.mark.promise("P2", "P7")
def test_what_is_extraordinary_takes_the_customers_yes_unless_an_approved_line_says_a_coordinators(
    world: World,
) -> None:
    put(world, WITH_REGISTRAR)
    assert registrar(world).approval == "customer"
    approve(world)
    service, secret, lease = rare(world)
    assert (lease.state, lease.approver) == ("asked", "customer")
    lines = put(world, by_coordinator(WITH_REGISTRAR))
    assert lines == [
        "service type installation: each lease of registrar takes a coordinator's yes",
        "service type installation: registrar waits for an administrator's approval",
    ]
    ticket = world.ticket(service, number="T-2")
    assert world.lease(ticket, secret).approver == "customer", "nobody has approved the easier line yet"
    approve(world)
    easier = world.lease(ticket, secret)
    assert easier.approver == "coordinator"
    put(world, by_coordinator(WITH_REGISTRAR).replace("only to who", "to whoever"))
    with refused(world, Conflict, "lease.approve", match="takes another person's yes"):
        world.run(yes(world, easier))
    approve(world)
    assert approved(world, easier).state == "active"
    assert allowed(world, lease).state == "active", (
        "asked under the stricter line, it stays with the customer"
    )
    with pytest.raises(Denied):
        no(world, lease)


@pytest.mark.promise("P7")
def test_what_is_extraordinary_stays_so_when_its_line_is_gone(world: World) -> None:
    put(world, by_coordinator(WITH_REGISTRAR))
    approve(world)
    service, secret, lease = rare(world)
    assert lease.approver == "coordinator"
    put(world, CATALOGUE)
    with refused(world, Conflict, "lease.approve", match="takes another person's yes"):
        world.run(yes(world, lease))
    again = world.lease(world.ticket(service, number="T-2"), secret)
    assert again.approver == "customer"


@pytest.mark.promise("P7")
def test_the_catalogue_says_whose_yes_each_lease_takes_and_where_that_is_easier(embedded: World) -> None:
    for toml, said in (
        (BY_CUSTOMER, "the customer's yes"),
        (BY_COORDINATOR, f"a coordinator's yes; {KEEPS} the customer's yes"),
        (CATALOGUE, f"nobody else's yes any more; {KEEPS} a coordinator's yes"),
    ):
        line = f"service type installation: each lease of ssh-password takes {said}"
        assert put(embedded, toml) == [line]
        assert put(embedded, toml) == []
