"""A change of somebody's account takes two people, whatever one of them tries."""

import pytest

from tests.operations.council import (
    ADA,
    NEW,
    NOBODY,
    administrators,
    asked,
    row_of,
    since,
    state_of,
    told,
    unmoved,
    vouched,
)
from tests.refusals import answer
from tests.world import PASSWORD, World
from vault.errors import (
    Conflict,
    Denied,
    NotSignedIn,
    Resting,
)
from vault.operations.people import sessions, staff, vouching
from vault.values import Actor

# -- what two people can do -------------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
def test_one_administrator_asks_another_vouches_and_only_then_somebody_joins(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    size = world.size()
    change = asked(world, vouching.invite, *NEW)
    assert (change.state, change.yours, change.roles) == ("waiting", "withdraw", ("technician",))
    assert row_of(world, change.person.id)[1:3] == ("", "invited")
    assert world.sql("SELECT * FROM invitation WHERE person_id = :id", id=change.person.id) == []
    (shown,) = world.read(vouching.waiting, world.actor(ben))
    assert (shown.id, shown.yours, shown.why_not, shown.asked_by_name) == (
        change.id,
        "vouch",
        "",
        "Ada Adams",
    )
    invited = vouched(world, change, ben)
    assert invited is not None
    assert invited.code
    assert world.read(vouching.waiting, world.actor(ADA)) == ()
    assert since(world, size) == ["staff.ask ok", "staff.vouch ok"]
    tara = world.enrol(invited)
    world.staff[tara.id] = tara
    assert world.read(sessions.session, world.actor(tara)).person.roles == ("technician",)


@pytest.mark.attack("AZ06")
def test_who_joins_or_gets_a_role_checks_nothing_out_for_a_day(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    service = world.service()
    secret = world.give(service)
    invited = vouched(world, asked(world, vouching.invite, *NEW), ben)
    assert invited
    tara = world.enrol(invited)
    world.staff[tara.id] = tara
    ticket = world.ticket(service, tara)
    with unmoved(world, Resting):
        world.lease(ticket, secret, who=tara)
    world.clock.advance(days=1)
    assert world.reveal(world.lease(ticket, secret, who=tara), secret, who=tara)


def test_a_role_is_given_by_two_and_ends_what_was_open(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    clara, tom = world.member("coordinator"), world.member("technician")
    session = world.actor(clara)
    change = asked(world, vouching.ask_roles, clara.id, ["technician", "coordinator"])
    assert vouched(world, change, ben) is None
    assert row_of(world, clara.id)[1] == "coordinator technician"
    with pytest.raises(NotSignedIn):
        world.run(sessions.resolve(world.vault, clara.token, "192.0.2.7", "api"))
    assert session.session
    assert told(world)[-1:] == ["staff.roles"]
    _, secret, _, lease = world.lent()
    change = asked(world, vouching.ask_roles, tom.id, ["coordinator"])
    assert world.reveal(lease, secret), "asking changes nothing"
    vouched(world, change, ben)
    found = world.sql("SELECT state, ended_how FROM lease WHERE id = :id", id=lease.id)
    assert found == [("ended", "role taken away")]


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06", "AN18")
def test_a_reset_takes_two_ends_everything_and_opens_nothing_for_a_day(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    tom = world.member("technician")
    _, secret, ticket, lease = world.lent()
    before = tom.token
    change = asked(world, vouching.ask_reset, tom.id)
    assert world.reveal(lease, secret)
    invited = vouched(world, change, ben)
    assert invited
    assert row_of(world, tom.id)[1:3] == ("technician", "invited")
    for token in (before, tom.token):
        with pytest.raises(NotSignedIn):
            world.run(sessions.resolve(world.vault, token, "192.0.2.7", "api"))
    assert answer(world, sessions.sign_in(world.vault, tom.view.mail, PASSWORD, world.code(tom), NOBODY))[
        0
    ] is (NotSignedIn)
    assert world.sql("SELECT ended_how FROM lease WHERE id = :id", id=lease.id) == [("account reset",)]
    assert world.sql("SELECT count(*) FROM factor WHERE person_id = :id AND state <> 'gone'", id=tom.id) == [
        (0,)
    ]
    world.staff["technician"] = world.enrol(invited)
    with unmoved(world, Resting):
        world.lease(ticket, secret)
    world.clock.advance(days=1)
    assert world.reveal(world.lease(ticket, secret), secret)


def test_a_mail_address_is_changed_by_two_and_both_addresses_are_named(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    tom = world.member("technician")
    world.actor(tom)
    change = asked(world, vouching.ask_mail, tom.id, "Tom.Tanner@agency.example ")
    assert change.mail == "tom.tanner@agency.example"
    assert vouched(world, change, ben) is None
    assert row_of(world, tom.id)[0] == "tom.tanner@agency.example"
    assert world.sql("SELECT template, subject_id FROM outbox WHERE template = 'staff.mail'") == [
        ("staff.mail", change.id)
    ]
    assert world.sql("SELECT former_mail, mail FROM staff_change WHERE id = :id", id=change.id) == [
        ("tom@agency.example", "tom.tanner@agency.example")
    ]
    with pytest.raises(NotSignedIn):
        world.run(sessions.resolve(world.vault, tom.token, "192.0.2.7", "api"))
    tom.view = tom.view.model_copy(update={"mail": "tom.tanner@agency.example"})
    assert world.sign_in(tom)


def test_who_was_disabled_comes_back_by_two_people_and_enrols_anew(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    tom = world.member("technician")
    world.perform(staff.disable, world.actor(ADA), tom.id)
    with unmoved(world, Conflict, "a reset brings it back"):
        asked(world, vouching.ask_roles, tom.id, ["coordinator", "technician"])
    invited = vouched(world, asked(world, vouching.ask_reset, tom.id), ben)
    assert invited
    world.staff["technician"] = world.enrol(invited)
    assert world.actor("technician")


# -- what one person tries --------------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ06")
def test_alone_an_administrator_changes_nobody_and_is_told_what_that_means(world: World) -> None:
    ada, tom = world.actor(ADA), world.member("technician")
    for ask in (
        vouching.invite(world.vault, ada, *NEW),
        vouching.ask_roles(world.vault, ada, tom.id, ["coordinator", "technician"]),
        vouching.ask_reset(world.vault, ada, tom.id),
        vouching.ask_mail(world.vault, ada, tom.id, "ada-too@agency.example"),
    ):
        error, said, _ = answer(world, ask)
        assert error is Denied
        assert "no two administrators who can vouch" in said
        assert "valetkey staff" in said
    assert world.read(staff.staff, ada).alone


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11", "AZ06")
def test_nobody_vouches_for_what_they_asked_nor_for_themselves(world: World) -> None:
    ben, cat = administrators(world, "Ben", "Cat")
    change = asked(world, vouching.ask_reset, ben.id)
    with unmoved(world, Denied, "asked for it yourself"):
        vouched(world, change, ADA)
    with unmoved(world, Denied, "your own account"):
        vouched(world, change, ben)
    assert [one.why_not for one in world.read(vouching.waiting, world.actor(ben))] == [
        "it is about your own account"
    ]
    assert vouched(world, change, cat)


@pytest.mark.attack("AZ06")
def test_with_two_administrators_neither_changes_the_other(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    with unmoved(world, Denied, "a third administrator is needed, or the operator on the vault's host"):
        asked(world, vouching.ask_reset, ben.id)
    assert asked(world, vouching.ask_mail, world.member(ADA).id, "ada.adams@agency.example")


@pytest.mark.attack("AZ06", "AZ11")
def test_a_second_account_of_ones_own_vouches_for_nothing_for_a_week(world: World) -> None:
    """Ben vouches for whom he takes for a colleague; it is Ada under another name."""
    (ben,) = administrators(world, "Ben")
    change = asked(world, vouching.invite, "Eve Else", "eve@agency.example", ["administrator"])
    world.clock.advance(days=6)
    invited = vouched(world, change, ben)
    assert invited
    eve = world.enrol(invited)
    world.staff[eve.id] = eve
    wanted = asked(world, vouching.ask_reset, world.member("technician").id)
    with unmoved(world, Resting):
        vouched(world, wanted, eve)
    world.clock.advance(days=1, seconds=1)
    with unmoved(world, Denied, "one of you two was added by the other"):
        vouched(world, wanted, eve)
    world.perform(staff.disable, world.actor(ADA), ben.id)
    assert world.read(staff.staff, world.actor(ADA)).alone, "a sock puppet is no company"
    world.clock.advance(days=6)
    assert vouched(
        world, asked(world, vouching.ask_mail, world.member("technician").id, "t@agency.example"), eve
    ) is (None)


@pytest.mark.attack("AZ06", "AZ12")
def test_disabling_the_other_one_gains_nothing(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    change = asked(world, vouching.ask_reset, world.member("technician").id)
    world.perform(vouching.drop_role, world.actor(ADA), ben.id, "administrator")
    with unmoved(world, Denied):
        vouched(world, change, ADA)
    with unmoved(world, Denied, "no two administrators"):
        asked(world, vouching.ask_mail, world.member("technician").id, "x@agency.example")
    with unmoved(world, Conflict, "only role"):
        world.perform(vouching.drop_role, world.actor(ADA), world.member(ADA).id, "administrator")
    with unmoved(world, Conflict, "last active administrator"):
        world.perform(staff.disable, world.actor(ADA), world.member(ADA).id)


@pytest.mark.attack("AZ06", "AZ22", "AZ01")
@pytest.mark.parametrize("who", ["technician", "coordinator", "auditor"])
def test_nobody_else_asks_or_decides(world: World, who: str) -> None:
    (ben,) = administrators(world, "Ben")
    change = asked(world, vouching.invite, *NEW)
    actor, person = world.actor(who), world.member(who)
    for work in (
        lambda: vouching.invite(
            world.vault, actor, "X Y", "x@agency.example", ["technician"], world.presence(who)
        ),
        lambda: vouching.ask_roles(world.vault, actor, person.id, ["administrator"], world.presence(who)),
        lambda: vouching.vouch(world.vault, actor, change.id, world.presence(who)),
    ):
        assert answer(world, work())[0] is Denied
    for decide in (vouching.refuse, vouching.withdraw):
        with unmoved(world, Denied):
            world.perform(decide, actor, change.id)
    with unmoved(world, Denied):
        world.perform(vouching.drop_role, actor, person.id, who)
    token = Actor("person", ben.id, "api", "tok_x", "192.0.2.7", frozenset({"services:read"}))
    assert answer(world, vouching.vouch(world.vault, token, change.id))[0] is Denied
    assert state_of(world, change) == "waiting"
