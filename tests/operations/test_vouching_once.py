"""One yes serves one change as it was shown; what is refused, withdrawn or late; and what needs nobody else."""

from datetime import timedelta

import pytest

from tests.operations.council import (
    ADA,
    HOST,
    NEW,
    administrators,
    asked,
    row_of,
    since,
    state_of,
    told,
    unmoved,
    vouched,
)
from tests.refusals import answer, refused
from tests.world import World
from vault.errors import (
    Conflict,
    Denied,
    Ended,
    Invalid,
    NotFound,
    NotSignedIn,
    ProofNeeded,
    StaleProof,
    Tampered,
    TooMany,
)
from vault.model.views import InvitationView
from vault.operations import presence
from vault.operations.house import upkeep
from vault.operations.leases import checkout
from vault.operations.people import hosting, sessions, staff, vouching
from vault.operations.presence import Presence

# -- one yes serves one change, as it was shown -----------------------------------------------------------------------


@pytest.mark.attack("AZ11", "AN07")
def test_presence_is_proved_for_this_change_and_no_other(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    one = asked(world, vouching.invite, *NEW)
    two = asked(world, vouching.invite, "Uma Unger", "uma@agency.example", ["auditor"])
    actor = world.actor(ben)
    with pytest.raises(ProofNeeded) as needed:
        world.run(vouching.vouch(world.vault, actor, one.id))
    challenge = needed.value.challenge
    assert (
        challenge["deed"]
        == "vouch that Tara Tyler (tara@agency.example) joins as technician, as Ada Adams asks"
    )
    world.run(presence.prove_here(world.vault, actor, challenge["id"], world.presence(ben)))
    for_one = Presence(challenge=challenge["id"])
    with unmoved(world, StaleProof):
        world.run(vouching.vouch(world.vault, actor, two.id, for_one))
    assert world.run(vouching.vouch(world.vault, actor, one.id, for_one))
    with unmoved(world, Ended):
        world.run(vouching.vouch(world.vault, actor, one.id, for_one))
    assert state_of(world, two) == "waiting"


@pytest.mark.promise("P6")
@pytest.mark.attack("AZ11", "AU01")
@pytest.mark.parametrize(
    "bend",
    [
        "roles = 'administrator'",
        "mail = 'eve@agency.example'",
        "asked_by = person_id",
        "expires_at = expires_at + 1",
        "state = 'done'",
    ],
)
def test_a_change_that_was_edited_behind_the_vault_s_back_is_not_vouched_for(world: World, bend: str) -> None:
    (ben,) = administrators(world, "Ben")
    change = asked(world, vouching.invite, *NEW)
    actor, given = world.actor(ben), world.presence(ben)
    world.sql(f"UPDATE staff_change SET {bend} WHERE id = :id", id=change.id)
    assert answer(world, vouching.vouch(world.vault, actor, change.id, given))[0] is Tampered
    assert row_of(world, change.person.id)[1] == ""


@pytest.mark.attack("AZ16")
def test_of_fifty_vouches_at_once_one_counts(world: World) -> None:
    ben, cat = administrators(world, "Ben", "Cat")
    change = asked(world, vouching.invite, *NEW)
    works = []
    for member in (ben, cat):
        actor = world.actor(member)
        with pytest.raises(ProofNeeded) as needed:
            world.run(vouching.vouch(world.vault, actor, change.id))
        challenge = needed.value.challenge["id"]
        world.run(presence.prove_here(world.vault, actor, challenge, world.presence(member)))
        given = Presence(challenge=challenge)
        works += [vouching.vouch(world.vault, actor, change.id, given) for _ in range(25)]
    size = world.size()
    answers = world.together(*works)
    won = [one for one in answers if isinstance(one, InvitationView)]
    assert len(won) == 1
    assert {type(one) for one in answers if one not in won} <= {Ended, StaleProof, TooMany}
    assert sum(type(one) is Ended for one in answers) > 5, "they did race"
    assert world.ledger(size).count("staff.vouch ok") == 1
    assert world.enrol(won[0])


# -- who says no, and what runs out -----------------------------------------------------------------------------------


def test_a_change_is_withdrawn_by_its_asker_and_refused_by_another(world: World) -> None:
    ben, _ = administrators(world, "Ben", "Cat")
    tom = world.member("technician")
    change = asked(world, vouching.ask_reset, tom.id)
    with unmoved(world, Conflict, "waits already"):
        asked(world, vouching.ask_reset, tom.id, by=ben)
    with refused(world, Denied, "staff.refuse", match="withdraw it instead"):
        world.perform(vouching.refuse, world.actor(ADA), change.id)
    with refused(world, Denied, "staff.withdraw", match="refuse it instead"):
        world.perform(vouching.withdraw, world.actor(ben), change.id)
    world.perform(vouching.withdraw, world.actor(ADA), change.id)
    assert state_of(world, change) == "withdrawn"
    change = asked(world, vouching.ask_reset, tom.id)
    world.perform(vouching.refuse, world.actor(ben), change.id)
    assert state_of(world, change) == "refused"
    with refused(world, Ended, "staff.refuse"):
        world.perform(vouching.refuse, world.actor(ben), change.id)
    with refused(world, NotFound, "staff.refuse"):
        world.perform(vouching.refuse, world.actor(ben), "chg_" + "0" * 20)
    assert row_of(world, tom.id)[2] == "active"


@pytest.mark.parametrize("how", ["refused", "withdrawn", "expired", "void"])
def test_who_does_not_join_leaves_their_address_free(world: World, how: str) -> None:
    (ben,) = administrators(world, "Ben")
    change = asked(world, vouching.invite, *NEW)
    with unmoved(world, Conflict, "this mail address is there already"):
        asked(world, vouching.invite, *NEW)
    match how:
        case "refused":
            world.perform(vouching.refuse, world.actor(ben), change.id)
        case "withdrawn":
            world.perform(vouching.withdraw, world.actor(ADA), change.id)
        case "expired":
            world.clock.advance(days=7)
            error, _, _ = answer(world, vouching.vouch(world.vault, world.actor(ben), change.id))
            assert error is Ended, "before any sweep"
            world.run(upkeep.sweep(world.vault))
        case "void":
            world.perform(staff.disable, world.actor(ADA), change.person.id)
    assert state_of(world, change) == ("withdrawn" if how == "void" else how)
    assert row_of(world, change.person.id)[0:3] == (f"{change.person.id}@left.invalid", "", "disabled")
    with unmoved(world, Conflict, "never joined"):
        asked(world, vouching.ask_reset, change.person.id)
    again = asked(world, vouching.invite, *NEW)
    assert again.person.id != change.person.id
    assert vouched(world, again, ben)


@pytest.mark.attack("AZ12", "AZ14")
def test_what_somebody_asked_is_void_once_they_are_no_administrator(world: World) -> None:
    ben, cat = administrators(world, "Ben", "Cat")
    tom = world.member("technician")
    one = asked(world, vouching.ask_reset, tom.id, by=ben)
    two = asked(world, vouching.ask_mail, tom.id, "t@agency.example", by=cat)
    world.perform(vouching.drop_role, world.actor(ADA), ben.id, "administrator")
    world.perform(staff.disable, HOST, cat.id)
    assert (state_of(world, one), state_of(world, two)) == ("withdrawn", "withdrawn")
    with unmoved(world, Ended):
        vouched(world, one, ADA)


@pytest.mark.attack("AZ12", "AZ14")
def test_a_voucher_who_lost_the_role_meanwhile_is_refused(world: World) -> None:
    ben, _ = administrators(world, "Ben", "Cat")
    change = asked(world, vouching.invite, *NEW)
    actor = world.actor(ben)
    with pytest.raises(ProofNeeded) as needed:
        world.run(vouching.vouch(world.vault, actor, change.id))
    world.run(presence.prove_here(world.vault, actor, needed.value.challenge["id"], world.presence(ben)))
    world.perform(vouching.drop_role, world.actor(ADA), ben.id, "administrator")
    with unmoved(world, Denied):
        world.run(
            vouching.vouch(world.vault, actor, change.id, Presence(challenge=needed.value.challenge["id"]))
        )
    world.perform(staff.disable, world.actor(ADA), ben.id)
    with refused(world, NotSignedIn, "staff.refuse"):
        world.perform(vouching.refuse, actor, change.id)


@pytest.mark.attack("AZ11")
def test_an_account_that_changed_voids_what_waits_about_it(world: World) -> None:
    ben, cat = administrators(world, "Ben", "Cat")
    tom = world.member("technician")
    moved = asked(world, vouching.ask_mail, tom.id, "t@agency.example")
    vouched(world, asked(world, vouching.ask_reset, tom.id), ben)
    assert state_of(world, moved) == "withdrawn"
    with unmoved(world, Ended):
        vouched(world, moved, cat)


# -- taking away needs nobody -----------------------------------------------------------------------------------------


@pytest.mark.attack("AZ14")
def test_a_role_is_taken_away_at_once_with_all_that_hangs_on_it(world: World) -> None:
    service, secret, _, lease = world.lent()
    tom = world.member("technician")
    actor = world.actor(tom)
    size = world.size()
    world.perform(vouching.drop_role, world.actor(ADA), tom.id, "technician")
    assert "staff.drop-role ok" in world.ledger(size)
    with refused(world, Denied, "secret.reveal"):
        world.perform(checkout.reveal, actor, lease.id, secret, "password")
    with pytest.raises(NotSignedIn):
        world.run(sessions.resolve(world.vault, tom.token, "192.0.2.7", "api"))
    assert world.sql("SELECT state, ended_how FROM lease") == [("ended", "role taken away")]
    assert told(world) == ["staff.roles"]
    with refused(world, Conflict, "staff.drop-role", match="does not have that role"):
        world.perform(vouching.drop_role, world.actor(ADA), tom.id, "technician")
    assert service


# -- the host ---------------------------------------------------------------------------------------------------------


def test_the_host_looks_after_accounts_until_two_can_vouch(world: World) -> None:
    tom, clara = world.member("technician"), world.member("coordinator")
    size = world.size()
    world.run(hosting.put_roles(world.vault, HOST, clara.view.mail, ["technician", "coordinator"]))
    assert world.run(hosting.move(world.vault, HOST, tom.view.mail, "t@agency.example")) is None
    invited = world.run(hosting.reset(world.vault, HOST, "t@agency.example"))
    assert invited.code
    assert world.enrol(invited)
    assert since(world, size) == ["staff.roles ok", "staff.mail ok", "staff.reset ok"]
    now = world.vault.now()
    for person in (tom, clara):
        assert now < row_of(world, person.id)[3] <= now + timedelta(days=1) // timedelta(microseconds=1)
    assert told(world) == ["staff.roles", "staff.mail", "staff.reset"]
    (ben,) = administrators(world, "Ben")
    for act in (
        lambda: staff.add(world.vault, HOST, *NEW),
        lambda: hosting.put_roles(world.vault, HOST, clara.view.mail, ["technician"]),
        lambda: hosting.reset(world.vault, HOST, clara.view.mail),
        lambda: hosting.move(world.vault, HOST, clara.view.mail, "c@agency.example"),
    ):
        error, said, _ = answer(world, act())
        assert error is Denied
        assert "two administrators can vouch" in said
    world.perform(staff.disable, HOST, ben.id)
    assert world.run(hosting.reset(world.vault, HOST, ben.view.mail)).code, "after disabling"


@pytest.mark.attack("AZ06")
def test_only_the_host_is_the_host(world: World) -> None:
    ada = world.actor(ADA)
    for act in (
        hosting.put_roles(world.vault, ada, "tom@agency.example", ["coordinator"]),
        hosting.reset(world.vault, ada, "tom@agency.example"),
        hosting.move(world.vault, ada, "tom@agency.example", "ada-too@agency.example"),
    ):
        assert answer(world, act)[0] is Denied
    assert answer(world, world.vault.read(hosting.person_with, ada, "tom@agency.example"))[0] is Denied
    for said in (["king"], ["auditor", "technician"], ["administrator", "coordinator"], []):
        assert answer(world, hosting.put_roles(world.vault, HOST, "tom@agency.example", said))[0] is Invalid
    assert answer(world, hosting.reset(world.vault, HOST, "nobody@agency.example"))[0] is NotFound


def test_who_never_enrolled_is_invited_anew_at_the_right_address(world: World) -> None:
    first = world.run(staff.add(world.vault, HOST, *NEW))
    again = world.run(hosting.move(world.vault, HOST, NEW[1], "tara.tyler@agency.example"))
    assert again
    with pytest.raises(NotFound):
        world.enrol(first)
    assert world.enrol(again).view.mail == "tara.tyler@agency.example"


@pytest.mark.attack("AZ06")
def test_the_host_does_not_let_in_who_still_waits_for_a_second_person(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    change = asked(world, vouching.invite, *NEW)
    world.perform(staff.disable, HOST, ben.id)
    for act in (
        hosting.put_roles(world.vault, HOST, NEW[1], ["administrator"]),
        hosting.reset(world.vault, HOST, NEW[1]),
        hosting.move(world.vault, HOST, NEW[1], "eve@agency.example"),
    ):
        with unmoved(world, Conflict, "nobody has vouched"):
            world.run(act)
    world.perform(staff.disable, HOST, change.person.id)
    assert world.run(staff.add(world.vault, HOST, *NEW)).person.id != change.person.id


@pytest.mark.attack("AZ11", "AN07")
def test_the_proof_is_consumed_by_the_vouch_and_does_not_keep(world: World) -> None:
    (ben,) = administrators(world, "Ben")
    one, two = (
        asked(world, vouching.invite, f"{name} New", f"{name}@agency.example", ["auditor"]) for name in "ab"
    )
    actor = world.actor(ben)
    with pytest.raises(ProofNeeded) as needed:
        world.run(vouching.vouch(world.vault, actor, one.id))
    challenge = needed.value.challenge["id"]
    world.run(presence.prove_here(world.vault, actor, challenge, world.presence(ben)))
    ((proof,),) = world.sql("SELECT proof_id FROM challenge WHERE id = :id", id=challenge)
    with refused(world, StaleProof, "staff.vouch"):
        world.perform(vouching._vouched, actor, two.id, proof)
    world.clock.advance(minutes=5)
    with refused(world, StaleProof, "staff.vouch"):
        world.run(vouching.vouch(world.vault, actor, one.id, Presence(challenge=challenge)))
    assert vouched(world, one, ben)
    assert world.sql("SELECT count(*) FROM proof WHERE spent_at IS NULL AND id <> :id", id=proof) == [(0,)]
