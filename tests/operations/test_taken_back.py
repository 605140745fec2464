"""An approval that was taken back reaches what customers were asked before: nobody is asked on, nothing comes in."""

import pytest

from tests.approvals import allowed
from tests.logins import GOOD
from tests.operations.necessities import ADA, HOST, WITH_REGISTRAR, approve
from tests.operations.visiting import NOBODY, come, shown
from tests.refusals import refused
from tests.world import World
from vault.errors import Conflict, Denied, Ended, NotFound
from vault.model.messages import Again, Done, Form, Look
from vault.operations.customers import intake, mine, requests
from vault.operations.leases import checkout
from vault.operations.services import catalogue, necessity

WAITING = "waits for an administrator's approval"
NOT_ANY_MORE = "we do not ask for this any more"
LOGIN = GOOD["registrar"]
CHANGED = WITH_REGISTRAR.replace("only to who", "to whoever")


@pytest.fixture
def asking(world: World) -> World:
    """The company, whose administrator has approved to ask for a registrar's login."""
    world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR))
    approve(world)
    return world


def revoke(world: World) -> None:
    world.perform(necessity.revoke, world.actor(ADA), "installation", "registrar")


def states(world: World) -> dict[str, str]:
    return {row.id: row.state for row in world.sql("SELECT id, state FROM request")}


def item_of(form: Form, kind: str) -> int:
    return next(number for number, item in enumerate(form.items) if item.kind == kind)


@pytest.mark.promise("P7")
def test_open_requests_end_in_which_it_is_still_unanswered_and_no_others(asking: World) -> None:
    world = asking
    alone, mixed, other, answered = (world.service() for _ in range(4))
    ends = [world.ask(alone, "registrar"), world.ask(mixed, "ssh-password", "registrar")]
    goes_on = [world.ask(other, "ssh-password"), world.ask(answered, "ssh-password", "registrar")]
    browser, form = world.begin(goes_on[1])
    world.hand_in(browser, world.sealed(form, LOGIN, item=item_of(form, "registrar")))
    started, begun = world.begin(ends[1])
    since = world.size()
    revoke(world)
    assert world.ledger(since) == ["catalogue.revoke ok"]
    assert states(world) == {
        **{request.id: "cancelled" for request in ends},
        goes_on[0].id: "asked",
        goes_on[1].id: "started",
    }
    with refused(world, NotFound, match="not open in this browser"):
        world.hand_in(started, world.sealed(begun, LOGIN, item=item_of(begun, "registrar")))
    assert world.ask(mixed, "ssh-password").kinds == ("ssh-password",), "whatever else is asked for anew"
    world.hand_in(browser, world.sealed(form, item=item_of(form, "ssh-password")))
    world.run(intake.done(world.vault, NOBODY, Done(browser=browser)))


@pytest.mark.promise("P7")
def test_another_type_keeps_its_requests(asking: World) -> None:
    world = asking
    line = WITH_REGISTRAR[WITH_REGISTRAR.index("[service-types.") :]
    both = WITH_REGISTRAR + line.replace("[service-types.installation]", "[service-types.moving]")
    world.run(catalogue.apply(world.vault, HOST, both))
    request = world.ask(world.service(), "registrar")
    for of in world.read(catalogue.service_types, world.actor(ADA)):
        if of.name == "moving":
            (moving,) = necessity.lines_of(of)
            world.run(necessity.approve(world.vault, world.actor(ADA), moving, world.presence(ADA)))
    world.perform(necessity.revoke, world.actor(ADA), "moving", "registrar")
    assert states(world) == {request.id: "asked"}
    revoke(world)
    assert states(world) == {request.id: "cancelled"}


@pytest.mark.promise("P7")
def test_no_new_code_is_made_for_what_is_not_approved_any_more(asking: World) -> None:
    """Nobody took it back: the operator has changed a word of the line since."""
    world = asking
    answered, waits = world.service(), world.service()
    first, second = world.ask(answered, "ssh-password", "registrar"), world.ask(waits, "registrar")
    browser, form = world.begin(first)
    world.hand_in(browser, world.sealed(form, LOGIN, item=item_of(form, "registrar")))
    world.run(catalogue.apply(world.vault, HOST, CHANGED))
    coordinator = world.actor("coordinator")
    with refused(world, Denied, "request.reissue", match=WAITING):
        world.perform(requests.reissue, coordinator, second.id, "hand")
    assert world.perform(requests.reissue, coordinator, first.id, "hand").code, "the rest is asked for on"


@pytest.mark.promise("P7")
@pytest.mark.attack("AZ06")
def test_a_form_takes_nothing_whose_line_is_not_approved_now(asking: World) -> None:
    world = asking
    browser, form = world.begin(world.ask(world.service(), "ssh-password", "registrar"))
    message = world.sealed(form, LOGIN, item=item_of(form, "registrar"))
    world.run(catalogue.apply(world.vault, HOST, CHANGED))
    with refused(world, Ended, match=NOT_ANY_MORE):
        world.hand_in(browser, message)
    world.seal()
    with refused(world, Ended, match=NOT_ANY_MORE):
        world.hand_in(browser, message)
    world.unseal()
    world.hand_in(browser, world.sealed(form, item=item_of(form, "ssh-password")))
    approve(world)
    assert world.hand_in(browser, message).secret == form.items[item_of(form, "registrar")].secret


@pytest.mark.promise("P7")
def test_what_was_given_is_not_asked_for_once_more_on_its_form(asking: World) -> None:
    world = asking
    browser, form = world.begin(world.ask(world.service(), "registrar"))
    message = world.sealed(form, LOGIN)
    receipt = world.hand_in(browser, message)
    revoke(world)
    with refused(world, Ended, match=NOT_ANY_MORE):
        world.run(intake.again(world.vault, NOBODY, Again(browser=browser, secret=receipt.secret)))
    assert world.hand_in(browser, message) == receipt, "the same envelope again changes nothing"
    seen = world.run(intake.look(world.vault, NOBODY, Look(browser=browser)))
    assert seen.items[0].given


@pytest.mark.promise("P7")
def test_a_login_that_does_not_work_is_not_asked_for_again(asking: World) -> None:
    world = asking
    service = world.service()
    secret = world.give(service, LOGIN, "registrar")
    ticket = world.ticket(service)
    lease = allowed(world, world.lease(ticket, secret))
    revoke(world)
    technician = world.actor("technician")
    with refused(world, Denied, "secret.report", match=WAITING):
        world.run(checkout.report_broken(world.vault, technician, lease.id, secret, "it does not sign in"))


@pytest.mark.promise("P7", "P8")
def test_its_customer_cannot_give_it_anew_but_can_take_it_back(asking: World) -> None:
    world = asking
    service = world.service()
    secret = world.give(service, LOGIN, "registrar")
    revoke(world)
    visitor = come(world, service.customer.id)
    with refused(world, Conflict, "secret.replace", match="you can take back what you gave"):
        world.perform(mine.replace, visitor.actor, secret)
    world.run(mine.withdraw(world.vault, visitor.actor, secret))
    assert shown(world, visitor, service).given[0].state == "withdrawn"


@pytest.mark.promise("P7")
def test_another_request_does_not_carry_it_on(asking: World) -> None:
    world = asking
    service = world.service()
    world.ask(service, "ssh-password", "registrar")
    world.run(catalogue.apply(world.vault, HOST, CHANGED))
    _, form = world.begin(world.ask(service, "ssh-password"))
    assert [item.kind for item in form.items] == ["ssh-password"]


@pytest.mark.promise("P7")
@pytest.mark.parametrize("done", [True, False], ids=["done", "open"])
def test_what_fails_its_check_is_purged_and_not_asked_for_again(asking: World, done: bool) -> None:
    world = asking
    browser, form = world.begin(world.ask(world.service(), "registrar"))
    world.seal()
    world.hand_in(browser, world.sealed(form, {**LOGIN, "password": "4111 1111 1111 1111"}))
    if done:
        world.run(intake.done(world.vault, NOBODY, Done(browser=browser)))
    world.run(catalogue.apply(world.vault, HOST, CHANGED))
    world.unseal()
    (row,) = world.sql("SELECT state, envelope FROM secret")
    assert (row.state, bytes(row.envelope)) == ("refused", b"")
    assert len(states(world)) == 1


def test_a_line_that_is_gone_approves_nothing(asking: World) -> None:
    world = asking
    service = world.service()
    request = world.ask(service, "registrar")
    gone = WITH_REGISTRAR.replace('[{ kind = "registrar"', '[{ kind = "payment-provider"')
    assert gone != WITH_REGISTRAR
    world.run(catalogue.apply(world.vault, HOST, gone))
    with refused(world, Denied, "request.reissue", match=WAITING):
        world.perform(requests.reissue, world.actor("coordinator"), request.id, "hand")
