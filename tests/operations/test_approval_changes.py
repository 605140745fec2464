"""What changes while a lease waits, and after its yes: all is judged anew where it counts, and races have one order."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.approvals import (
    BY_COORDINATOR,
    BY_CUSTOMER,
    allowed,
    approved,
    changed,
    customer_approves,
    customer_refuses,
    owner,
    put,
    row_of,
    waits,
    yes,
)
from tests.operations.necessities import HOST
from tests.operations.visiting import come
from tests.refusals import refused
from tests.world import CATALOGUE, LOGIN, World
from vault.errors import Conflict, Denied, Ended, Tampered, VaultError
from vault.model.views import LeaseView
from vault.operations.customers import mine
from vault.operations.house import destruction, operator
from vault.operations.leases import approving, checkout
from vault.operations.people import hosting, staff, vouching
from vault.operations.services import tickets
from vault.values import DAY, Actor

GONE = "decided or taken back meanwhile"


# -- while it waits ---------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ12", "AZ14")
@pytest.mark.parametrize("approver", ["coordinator", "customer"])
def test_what_ends_a_lease_ends_one_that_waits_too(world: World, approver: str) -> None:
    ends: dict[str, Callable[[LeaseView], Any]] = {
        "unassigned": lambda one: world.perform(
            tickets.unassign, world.actor("coordinator"), one.ticket_id, one.person_id
        ),
        "ticket closed": lambda one: world.perform(tickets.close, world.actor("coordinator"), one.ticket_id),
        "service ended": lambda one: world.run(
            destruction.end(
                world.vault,
                world.actor("coordinator"),
                one.service_id,
                one.service_title,
                world.presence("coordinator"),
            )
        ),
        "role taken away": lambda one: world.perform(
            vouching.drop_role, world.actor("administrator"), one.person_id, "technician"
        ),
    }
    for how, end in ends.items():
        _, _, lease = waits(world, approver)
        visitor = owner(world, lease)
        world.actor("coordinator")
        end(lease)
        assert row_of(world, lease) == ("ended", how, "")
        with pytest.raises(Ended, match=GONE):
            world.run(
                yes(world, lease) if approver == "coordinator" else customer_approves(world, visitor, lease)
            )


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ14")
@pytest.mark.parametrize("how", ["disabled", "account reset"])
def test_with_the_account_of_who_asked_ends_what_they_asked_for(world: World, how: str) -> None:
    _, _, lease = waits(world)
    tom = world.member("technician")
    if how == "disabled":
        world.perform(staff.disable, HOST, tom.id)
    else:
        world.run(hosting.reset(world.vault, HOST, tom.view.mail))
    assert row_of(world, lease) == ("ended", how, "")


@pytest.mark.promise("P2")
@pytest.mark.parametrize("approver", ["coordinator", "customer"])
def test_who_asked_is_judged_anew_when_it_begins(world: World, approver: str) -> None:
    """A refusal is about whoever asked: nobody who decides is told that they are signed out or may too little."""
    _, secret, lease = waits(world, approver)
    visitor, tom = owner(world, lease), world.member("technician")

    def decide() -> Any:
        return yes(world, lease) if approver == "coordinator" else customer_approves(world, visitor, lease)

    world.perform(mine.pause, visitor.actor, lease.service_id)
    with pytest.raises(Denied, match="the customer has paused this service"):
        world.run(decide())
    world.perform(mine.resume, visitor.actor, lease.service_id)
    for values, back in (
        ({"rests_until": world.vault.now() + DAY}, {"rests_until": 0}),
        ({"agreed_version": 0}, {"agreed_version": 1}),
        ({"roles": "auditor"}, {"roles": "technician"}),
    ):
        world.perform(changed, HOST, tom.id, values)
        with pytest.raises(Denied, match="who asked for this may not check it out at present"):
            world.run(decide())
        world.perform(changed, HOST, tom.id, back)
    if approver == "coordinator":
        (view,) = world.read(approving.waiting, world.actor("coordinator"))
        assert view.yours
    world.run(mine.withdraw(world.vault, visitor.actor, secret))
    with pytest.raises(Ended, match="the customer has taken this secret back"):
        world.run(decide())
    assert row_of(world, lease)[0] == "asked"


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_the_stricter_of_what_was_asked_and_what_the_catalogue_says_now_counts(world: World) -> None:
    _, secret, lease = waits(world)
    put(world, BY_CUSTOMER)
    with refused(world, Conflict, "lease.approve", match="takes another person's yes"):
        world.run(yes(world, lease))
    for easier in (CATALOGUE, CATALOGUE.replace("installation", "moving")):
        put(world, easier)
        assert row_of(world, lease)[0] == "asked", "what was asked under stays"
        with pytest.raises(Conflict):
            world.reveal(lease, secret)
    assert approved(world, lease).state == "active", "a retired type still governs what runs under it"
    put(world, BY_CUSTOMER)
    assert world.reveal(lease, secret) == LOGIN["password"], "what runs goes on"
    _, secret, theirs = waits(world, "customer")
    put(world, BY_COORDINATOR)
    with refused(world, Denied, "lease.approve", match="takes the customer's yes"):
        world.run(yes(world, theirs))
    assert allowed(world, theirs).state == "active"


@pytest.mark.promise("P4")
def test_a_lease_that_is_too_long_by_now_does_not_begin(world: World) -> None:
    _, _, lease = waits(world)
    put(world, BY_COORDINATOR.replace("= 240", "= 20"))
    with refused(world, Conflict, "lease.approve", match="the catalogue has changed"):
        world.run(yes(world, lease))


@pytest.mark.promise("P4")
def test_what_begins_late_ends_with_its_service(embedded: World) -> None:
    put(embedded, BY_COORDINATOR)
    service = embedded.service(days=1)
    secret, ticket = embedded.give(service), embedded.ticket(service)
    lease = embedded.lease(ticket, secret, minutes=240)
    embedded.clock.advance(hours=22)
    assert approved(embedded, lease).expires_at == service.ends_at


# -- after the yes ----------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ12")
@pytest.mark.parametrize("how", ["disabled", "role taken away", "account reset"])
def test_a_yes_counts_no_longer_than_who_said_it_is_who_they_were(world: World, how: str) -> None:
    _, secret, lease = waits(world)
    carl = world.hire("Carl Cole", "coordinator technician")
    other = world.lease(world.read(tickets.tickets, world.actor("technician"))[0], secret)
    approved(world, lease, carl)
    approved(world, other)
    assert world.reveal(lease, secret) == LOGIN["password"]
    match how:
        case "disabled":
            world.perform(staff.disable, HOST, carl.id)
        case "role taken away":
            world.perform(vouching.drop_role, world.actor("administrator"), carl.id, "technician")
            assert row_of(world, lease)[0] == "active", "that was not the role that said yes"
            world.run(hosting.put_roles(world.vault, HOST, carl.view.mail, ["technician"]))
        case _:
            world.run(hosting.reset(world.vault, HOST, carl.view.mail))
    assert row_of(world, lease) == ("ended", "approver disabled", carl.id)
    with refused(world, Ended, "secret.reveal"):
        world.reveal(lease, secret)
    assert world.reveal(other, secret) == LOGIN["password"], "another one's yes goes on"


# -- behind the program's back ----------------------------------------------------------------------------------------


@pytest.mark.promise("P6", "P2")
@pytest.mark.attack("CR03", "AZ11")
@pytest.mark.parametrize(
    "bend",
    [
        "state = 'active'",
        "state = 'active', approver = ''",
        "state = 'active', decided_by = person_id",
        "minutes = 240",
        "covers = covers || ' ' || covers",
        "reason = 'a much better reason'",
        "approver = 'customer'",
        "person_id = (SELECT id FROM person WHERE roles = 'coordinator')",
        "expires_at = expires_at + 1",
    ],
)
def test_a_lease_that_was_bent_while_it_waited_opens_nothing_and_takes_no_yes(
    world: World, bend: str
) -> None:
    _, secret, lease = waits(world)
    tom = world.actor("technician")
    world.sql(f"UPDATE lease SET {bend}")
    bent: Any = lease
    with refused(world, Tampered, "lease.approve"):
        world.run(yes(world, bent))
    if "person_id = (" not in bend and "covers" not in bend:
        with refused(world, Tampered, "secret.reveal"):
            world.perform(checkout.reveal, tom, lease.id, secret, "password")
    if "customer" in bend:
        visitor = owner(world, lease)
        with refused(world, Tampered, "lease.approve"):
            world.run(customer_approves(world, visitor, lease))


@pytest.mark.promise("P6", "P2")
@pytest.mark.attack("CR03", "AZ12")
def test_a_refused_lease_that_is_put_back_to_waiting_with_its_head_takes_no_yes(world: World) -> None:
    _, _, lease = waits(world)
    row = world.sql("SELECT * FROM lease")[0]._mapping
    head = world.sql("SELECT * FROM row_head WHERE row_id = :id", id=f"lease:{lease.id}")[0]._mapping
    clara = world.actor("coordinator")
    world.run(approving.refuse(world.vault, clara, lease.id, lease.digest, "no, ask me on the telephone"))
    put_back = "state = :state, ended_how = :ended_how, decided_by = :decided_by, refusal = :refusal"
    world.sql(f"UPDATE lease SET {put_back}", **{name: row[name] for name in row if f":{name}" in put_back})
    world.sql(
        "UPDATE row_head SET seq = :seq, digest = :digest, tag = :tag WHERE row_id = :id",
        seq=head["seq"],
        digest=head["digest"],
        tag=head["tag"],
        id=f"lease:{lease.id}",
    )
    with refused(world, Tampered, "presence.prove ok", "lease.approve"):
        world.run(yes(world, lease))


@pytest.mark.promise("P6")
def test_one_bent_lease_hides_no_other_from_who_decides(world: World) -> None:
    service, secret, lease = waits(world)
    other = world.lease(world.ticket(service, number="T-2"), secret)
    world.sql("UPDATE lease SET minutes = 240 WHERE id = :id", id=lease.id)
    views = {one.lease.id: one for one in world.read(approving.waiting, world.actor("coordinator"))}
    assert views[other.id].yours
    assert approved(world, other).state == "active"


# -- races ------------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_of_two_who_decide_at_once_one_has(world: World) -> None:
    carl = world.hire("Carl Cole", "coordinator")
    for first_is_yes in (True, False):
        _, _, lease = waits(world)
        clara = world.actor("coordinator")
        nay = approving.refuse(world.vault, clara, lease.id, lease.digest, "no, ask me on the telephone")
        works = [yes(world, lease), yes(world, lease, carl), nay]
        since = world.size()
        answers = world.together(*(works if first_is_yes else reversed(works)))
        assert sum(isinstance(one, Ended) for one in answers) == 2
        decided = [one for one in world.ledger(since) if one.startswith("lease.")]
        assert sorted(one.split()[1] for one in decided) == ["Ended", "Ended", "ok"]


def taking_away(world: World, visitor: Any, lease: LeaseView, secret: str) -> dict[str, Any]:
    """What takes it away meanwhile, by the entry that it leaves, for a coordinator who has proved it beforehand."""
    vault, clara, own = world.vault, world.actor("coordinator"), visitor.actor
    return {
        "service.pause": vault.perform(mine.pause, own, lease.service_id),
        "secret.withdraw": mine.withdraw(vault, own, secret),
        "ticket.close": vault.perform(tickets.close, clara, lease.ticket_id),
        "service.end": mine.end(vault, own, lease.service_id),
        "lease.check-in": vault.perform(checkout.check_in, world.actor("technician"), lease.id),
        "lease.refuse": customer_refuses(world, visitor, lease),
    }


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ15", "AZ12")
@pytest.mark.parametrize("approver", ["coordinator", "customer"])
def test_a_yes_and_what_takes_it_away_at_once_have_one_order(world: World, approver: str) -> None:
    """Whichever comes second meets the other: nothing opens after both."""
    shared, own = ["service.pause", "secret.withdraw", "service.end"], ["lease.refuse"]
    for name in shared + (own if approver == "customer" else ["ticket.close", "lease.check-in"]):
        for yes_first in (True, False):
            world.clock.advance(minutes=16)
            _, secret, lease = waits(world, approver)
            visitor = come(
                world, world.sql("SELECT customer_id FROM service WHERE id = :id", id=lease.service_id)[0][0]
            )
            others = taking_away(world, visitor, lease, secret)
            away = others.pop(name)
            for unused in others.values():
                unused.close()
            decide = (
                yes(world, lease) if approver == "coordinator" else customer_approves(world, visitor, lease)
            )
            since = world.size()
            world.together(*((decide, away) if yes_first else (away, decide)))
            entries = world.ledger(since)
            allowed = "lease.approve ok" in entries
            if allowed and f"{name} ok" in entries:
                assert entries.index("lease.approve ok") < entries.index(f"{name} ok")
            tom = Actor("person", lease.person_id, "api")
            if f"{name} ok" in entries:
                with pytest.raises(VaultError):
                    world.perform(checkout.reveal, tom, lease.id, secret, "password")
            else:
                assert (name, yes_first) == ("lease.refuse", True), "a no comes too late after the yes"
            if name == "service.pause":
                world.perform(mine.resume, visitor.actor, lease.service_id)


# -- what others see of it --------------------------------------------------------------------------------------------


def test_what_waits_is_no_lease_that_runs(embedded: World) -> None:
    world = embedded
    service, _, lease = waits(world, "customer")
    visitor = owner(world, lease)
    shown = world.read(mine.service, visitor.actor, service.id)
    assert (shown.lent, [one.id for one in shown.asked]) == ((), [lease.id])
    for who in ("technician", "coordinator"):
        (seen,) = world.read(checkout.leases, world.actor(who))
        assert seen.state == "asked"
    findings = world.run(operator.doctor(world.vault))
    assert not [one for one in findings if "lease" in one.text.lower()], findings
