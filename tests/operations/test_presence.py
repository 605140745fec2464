"""Proof of presence: bound to one deed, one person and one session, fresh, and good once."""

import json
from typing import Any

import pytest

from tests.authenticator import Lies, SoftPasskey
from tests.operations.provers import LINE, acting, by_passkey, spend, with_passkey
from tests.refusals import answer, refused
from tests.world import World
from vault.errors import Denied, Ended, NotFound, NotSignedIn, ProofNeeded, StaleProof, Tampered
from vault.model.people import Proof
from vault.model.views import LeaseView
from vault.operations import presence
from vault.operations.leases import checkout
from vault.operations.people import account, sessions, tokens
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.services import tickets
from vault.values import Actor, new_id

REASON = "install the shop as ordered"
DEED = Deed("do one thing", ("thing", 1))
OTHER = Deed("do another thing", ("thing", 2))
LIES = {
    "another origin": Lies(origin="https://vault.evil.example"),
    "another host": Lies(rp_id="evil.example"),
    "another ceremony": Lies(type="webauthn.create"),
    "nobody verified": Lies(user_verified=False),
    "nobody there": Lies(user_present=False),
    "a foreign frame": Lies(cross_origin=True),
    "another question": Lies(challenge=b"\1" * 32),
    "a count that does not grow": Lies(sign_count=1),
    "another owner": Lies(user_handle=b"per_somebodyelse"),
    "a backup of what has none": Lies(backed_up=True),
    "bytes behind": Lies(tail=b"\0"),
    "another signature": Lies(signature=b"0"),
}


class Scene:
    """A technician with a passkey and an authenticator, and something to check out."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.key = with_passkey(world, "technician")
        service = world.service()
        self.secret = world.give(service)
        self.ticket = world.ticket(service)
        self.tom = acting(world, by_passkey(world, self.key))
        world.member("technician").token = ""

    def lease(self, given: Presence = NOTHING, minutes: int = 30, by: Actor | None = None) -> Any:
        secrets = [self.secret]
        return checkout.lease(
            self.world.vault, by or self.tom, self.ticket.id, secrets, minutes, REASON, given
        )

    def asked(self, minutes: int = 30, by: Actor | None = None) -> dict[str, Any]:
        return challenge_of(self.world, self.lease(minutes=minutes, by=by))

    def answered(self, asked: dict[str, Any], lies: Lies | None = None) -> Presence:
        return Presence(challenge=asked["id"], answer=self.key.get(asked["passkey"], lies or Lies()))


def challenge_of(world: World, work: Any) -> dict[str, Any]:
    """What a deed asks for that was tried without a proof."""
    with pytest.raises(ProofNeeded) as needed:
        world.run(work)
    return needed.value.challenge


def proved(world: World, actor: Actor, deed: Deed, given: Presence) -> Any:
    return world.run(presence.prove(world.vault, actor, deed, given))


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


@pytest.fixture
def small(embedded: World) -> Scene:
    return Scene(embedded)


# -- asking -----------------------------------------------------------------------------------------------------------


def test_who_gives_nothing_is_asked_in_the_words_of_the_deed_and_leaves_no_entry(small: Scene) -> None:
    world, since = small.world, small.world.size()
    asked = small.asked()
    assert asked["deed"] == "check out one login of “Acme's new shop” for ticket T-1001, 30 minutes"
    assert asked["code"] is True
    assert len(asked["passkey"]["allowCredentials"]) == 1
    assert world.ledger(since) == []
    clara = challenge_of(world, presence.prove(world.vault, world.actor("coordinator"), DEED, NOTHING))
    assert (clara["code"], clara["passkey"]) == (True, None), "whoever has no passkey is not asked for one"
    assert answer(world, presence.prove(world.vault, LINE, DEED, NOTHING))[0] is NotSignedIn
    told = b"".join(bytes(row[0]) for row in world.sql("SELECT sealed FROM challenge"))
    assert b"Acme" not in told
    assert b"thing" not in told


@pytest.mark.promise("P2")
def test_the_reveals_under_a_lease_ask_no_more(scene: Scene) -> None:
    world = scene.world
    lease: LeaseView = world.run(scene.lease(scene.answered(scene.asked())))
    since = world.size()
    for _ in range(3):
        world.perform(checkout.reveal, scene.tom, lease.id, scene.secret, "password")
        world.clock.advance(minutes=6)
    assert world.ledger(since) == ["secret.reveal ok"] * 3


# -- for this deed, this session, this person -------------------------------------------------------------------------


@pytest.mark.attack("AN07", "AN22")
def test_a_passkeys_answer_for_one_deed_does_no_other_and_is_spent_by_the_try(scene: Scene) -> None:
    world = scene.world
    given = scene.answered(scene.asked(minutes=30))
    with refused(world, Denied, "presence.prove"):
        world.run(scene.lease(given, minutes=240))
    with refused(world, NotFound, "presence.prove"):
        world.run(scene.lease(given, minutes=30))
    assert world.run(scene.lease(scene.answered(scene.asked())))


@pytest.mark.attack("AN07", "AN22", "AZ16")
def test_of_many_deeds_with_one_answer_one_is_done(scene: Scene) -> None:
    world = scene.world
    world.clock.advance(minutes=15)  # none of them is turned away for its number
    given = scene.answered(scene.asked())
    many = world.together(*(scene.lease(given) for _ in range(10)))
    assert sum(isinstance(one, LeaseView) for one in many) == 1
    assert {type(one) for one in many if not isinstance(one, LeaseView)} == {NotFound}
    assert len(world.sql("SELECT id FROM lease")) == 1


@pytest.mark.attack("AN07", "AZ16")
def test_one_code_does_one_of_ten_deeds(scene: Scene) -> None:
    world = scene.world
    given = world.presence("technician")
    many = world.together(*(scene.lease(given, minutes=10 + turn) for turn in range(10)))
    assert sum(isinstance(one, LeaseView) for one in many) == 1
    assert len(world.sql("SELECT id FROM lease")) == 1


@pytest.mark.attack("AN22")
def test_a_challenge_is_answered_in_its_own_session(scene: Scene) -> None:
    world = scene.world
    elsewhere = acting(world, by_passkey(world, scene.key))
    given = scene.answered(scene.asked())
    with refused(world, Denied, "presence.prove"):
        world.run(scene.lease(given, by=elsewhere))
    with refused(world, NotFound, "presence.prove"):
        world.run(scene.lease(given))


@pytest.mark.attack("AN22", "AZ02")
def test_a_challenge_is_answered_by_its_own_person_with_their_own_passkey(scene: Scene) -> None:
    world = scene.world
    clara_key = with_passkey(world, "coordinator")
    clara = acting(world, by_passkey(world, clara_key))
    toms = challenge_of(world, presence.prove(world.vault, scene.tom, DEED, NOTHING))
    claras = challenge_of(world, presence.prove(world.vault, clara, DEED, NOTHING))
    for actor, asked, key, error in (
        (clara, toms, clara_key, NotFound),
        (clara, toms, scene.key, NotFound),
        (clara, claras, scene.key, Denied),
    ):
        given = Presence(challenge=asked["id"], answer=key.get(asked["passkey"]))
        with refused(world, error, "presence.prove"):
            proved(world, actor, DEED, given)
    assert proved(world, scene.tom, DEED, scene.answered(toms)), "nobody else has spent it"
    code = world.code("technician")
    with refused(world, Denied, "presence.prove"):
        proved(world, clara, DEED, Presence(code=code))
    assert proved(world, scene.tom, DEED, Presence(code=code))


@pytest.mark.attack("AN22")
@pytest.mark.parametrize("lie", LIES)
def test_a_lying_passkey_proves_nothing_and_has_had_its_challenge(small: Scene, lie: str) -> None:
    world = small.world
    asked = challenge_of(world, presence.prove(world.vault, small.tom, DEED, NOTHING))
    for lies, error in ((LIES[lie], Denied), (Lies(), NotFound)):
        with refused(world, error, "presence.prove"):
            proved(world, small.tom, DEED, small.answered(asked, lies))


@pytest.mark.attack("AN22")
def test_a_challenge_of_one_ceremony_is_none_of_another(small: Scene) -> None:
    world, vault = small.world, small.world.vault
    signing = world.run(sessions.ask_passkey(vault, LINE))
    given = Presence(challenge=signing["challenge"], answer=small.key.get(signing["passkey"]))
    with refused(world, NotFound, "presence.prove"):
        proved(world, small.tom, DEED, given)
    making = world.run(account.ask_passkey(vault, small.tom, world.presence("technician")))
    options = {"challenge": making["passkey"]["challenge"], "allowCredentials": []}
    given = Presence(challenge=making["challenge"], answer=small.key.get(options))
    with refused(world, NotFound, "presence.prove"):
        proved(world, small.tom, DEED, given)
    deed = challenge_of(world, presence.prove(vault, small.tom, DEED, NOTHING))
    stolen = sessions.sign_in_with_passkey(vault, deed["id"], small.key.get(deed["passkey"]), LINE)
    assert answer(world, stolen)[0] is NotSignedIn
    other = SoftPasskey(world.settings.origin)
    options = {
        "rp": {"id": world.settings.host_name},
        "user": {"id": "cGVy"},
        "challenge": deed["passkey"]["challenge"],
    }
    made = account.add_passkey(vault, small.tom, deed["id"], other.create(options), "A key")
    assert answer(world, made)[0] is NotFound
    assert (
        answer(world, presence.prove(vault, small.tom, DEED, Presence(challenge="chl_nonsense", answer={})))[
            0
        ]
        is NotFound
    )


# -- fresh, once ------------------------------------------------------------------------------------------------------


@pytest.mark.attack("AN07", "AZ16")
@pytest.mark.parametrize("by", ["code", "passkey"])
def test_a_proof_serves_its_deed_for_five_minutes_and_once(scene: Scene, by: str) -> None:
    world, tom = scene.world, scene.tom

    def proof() -> str:
        if by == "code":
            return str(proved(world, tom, DEED, world.presence("technician")))
        asked = challenge_of(world, presence.prove(world.vault, tom, DEED, NOTHING))
        return str(proved(world, tom, DEED, scene.answered(asked)))

    first = proof()
    clara = world.actor("coordinator")
    for actor, deed in ((tom, OTHER), (tom, Deed(DEED.words, ("thing", "1", ""))), (clara, DEED)):
        with refused(world, StaleProof, "lease.start"):
            world.perform(spend, actor, first, deed)
    world.clock.advance(minutes=5, microseconds=-1)
    many = world.together(*(world.vault.perform(spend, tom, first, DEED) for _ in range(20)))
    assert many.count(None) == 1
    assert {type(one) for one in many if one is not None} == {StaleProof}
    late = proof()
    world.clock.advance(minutes=5)
    with refused(world, StaleProof, "lease.start"):
        world.perform(spend, tom, late, DEED)


def test_a_challenge_waits_for_five_minutes(small: Scene) -> None:
    world = small.world
    asked = small.asked()
    world.clock.advance(minutes=5)
    with refused(world, NotFound, "presence.prove"):
        world.run(small.lease(small.answered(asked)))


@pytest.mark.attack("AN07")
def test_what_was_given_stays_spent_when_its_deed_is_refused(scene: Scene) -> None:
    """Between the proof and the deed the ticket was closed: work of its own has rolled back, the proof has not."""
    world = scene.world
    asked = scene.asked()
    code, given = world.code("technician"), scene.answered(asked)
    prove = presence.prove

    async def overtaken(vault: Any, actor: Actor, deed: Deed, what: Presence) -> str:
        proof = await prove(vault, actor, deed, what)
        await vault.perform(tickets.close, clara, scene.ticket.id)
        return proof

    clara = world.actor("coordinator")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presence, "prove", overtaken)
        assert answer(world, scene.lease(Presence(code=code)))[0] in {Ended, Denied, NotFound}
    assert world.sql("SELECT id FROM lease") == []
    assert answer(world, prove(world.vault, scene.tom, DEED, Presence(code=code)))[0] is Denied
    assert proved(world, scene.tom, DEED, world.presence("technician"))
    with pytest.raises(Denied):
        proved(world, scene.tom, DEED, given)
    (spent,) = world.sql("SELECT spent_at FROM challenge WHERE id = :id", id=asked["id"])
    assert spent[0] is not None


# -- behind our back --------------------------------------------------------------------------------------------------


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
@pytest.mark.parametrize(
    "change", ["deed = :other", "person_id = :clara", "expires_at = expires_at + 1", "tag = :none"]
)
def test_a_proof_that_was_bent_in_the_database_serves_nothing(scene: Scene, change: str) -> None:
    world = scene.world
    clara = world.actor("coordinator")
    proof = proved(world, scene.tom, DEED, world.presence("technician"))
    values = {"other": OTHER.digest, "clara": clara.id, "none": b"\0" * 32}
    used = {name: value for name, value in values.items() if f":{name}" in change}
    world.sql(f"UPDATE proof SET {change} WHERE id = :id", id=proof, **used)
    who, deed = (clara if "person" in change else scene.tom), (OTHER if "deed" in change else DEED)
    with refused(world, StaleProof, "lease.start"):
        world.perform(spend, who, proof, deed)


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
def test_a_proof_that_was_made_in_the_database_serves_nothing_also_by_a_challenge(scene: Scene) -> None:
    world = scene.world
    asked = scene.asked()
    ((deed,),) = world.sql("SELECT deed FROM challenge WHERE id = :id", id=asked["id"])
    forged = Proof(id=new_id("prf"), person_id=scene.tom.id, deed=bytes(deed), expires_at=2**60)
    world.sql(
        "INSERT INTO proof (id, person_id, deed, tag, expires_at) VALUES (:id, :who, :deed, :tag, :until)",
        id=forged.id,
        who=scene.tom.id,
        deed=forged.deed,
        tag=b"\0" * 32,
        until=forged.expires_at,
    )
    world.sql(
        "UPDATE challenge SET proof_id = :proof, spent_at = 1 WHERE id = :id", proof=forged.id, id=asked["id"]
    )
    with refused(world, StaleProof, "lease.start"):
        world.run(scene.lease(Presence(challenge=asked["id"])))


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
@pytest.mark.parametrize("column", ["deed", "bound_to", "question", "sealed", "expires_at"])
def test_nobody_is_shown_one_deed_and_proves_another(scene: Scene, column: str) -> None:
    """Who writes to the database exchanges what two challenges of one person are about."""
    world, tom = scene.world, scene.tom
    small, large = scene.asked(minutes=5), scene.asked(minutes=240)
    elsewhere = acting(world, by_passkey(world, scene.key))
    value: Any = elsewhere.session
    if column == "expires_at":
        value = 2**60
    elif column != "bound_to":
        ((value,),) = world.sql(f"SELECT {column} FROM challenge WHERE id = :id", id=large["id"])
    world.sql(f"UPDATE challenge SET {column} = :value WHERE id = :id", value=value, id=small["id"])
    code = world.code("technician")
    assert answer(world, world.vault.read(presence.deed_of, tom, small["id"]))[0] is Tampered
    for given in (Presence(code=code), scene.answered(small)):
        assert answer(world, presence.prove_here(world.vault, tom, small["id"], given))[0] is Tampered
    if column == "sealed":
        return  # whoever answers in the session that asked has said what for, and is shown nothing
    for minutes in (5, 240):
        for by in (tom, elsewhere):
            assert answer(world, scene.lease(scene.answered(small), minutes, by))[0] is Tampered
    assert world.sql("SELECT id FROM lease") == []


# -- in a browser, for a command line ---------------------------------------------------------------------------------


def on_a_line(scene: Scene) -> Actor:
    """The same technician at a command line."""
    return acting(scene.world, by_passkey(scene.world, scene.key, LINE), "cli")


@pytest.mark.attack("AN07", "AZ02")
@pytest.mark.parametrize("by", ["code", "passkey"])
def test_a_browser_proves_what_a_command_line_asked_for_and_nothing_else(scene: Scene, by: str) -> None:
    world, line = scene.world, on_a_line(scene)
    asked = scene.asked(by=line)
    waiting = Presence(challenge=asked["id"])
    with refused(world, StaleProof, match="nobody has proved this"):
        world.run(scene.lease(waiting, by=line))
    seen = world.read(presence.deed_of, scene.tom, asked["id"])
    assert seen.words == asked["deed"]
    given = (
        world.presence("technician")
        if by == "code"
        else scene.answered({"id": seen.id, "passkey": seen.passkey})
    )
    since = world.size()
    world.run(presence.prove_here(world.vault, scene.tom, asked["id"], given))
    assert world.ledger(since) == ["presence.prove ok"]
    for minutes, who in ((240, line), (30, scene.tom)):
        with refused(world, StaleProof, match="something else"):
            world.run(scene.lease(waiting, minutes, who))
    assert answer(world, world.vault.read(presence.deed_of, scene.tom, asked["id"]))[0] is NotFound, (
        "answered"
    )
    assert world.run(scene.lease(waiting, by=line))
    with refused(world, StaleProof, "lease.start"):
        world.run(scene.lease(waiting, by=line))


@pytest.mark.attack("AZ02", "AN26")
def test_only_its_own_person_proves_it_in_a_session_that_lives(scene: Scene) -> None:
    world, line = scene.world, on_a_line(scene)
    asked, clara = scene.asked(by=line), world.actor("coordinator")
    made = tokens.make(world.vault, clara, "helpdesk", ["tickets:read"], 1, world.presence("coordinator"))
    token, _ = world.run(made)
    api = world.run(tokens.resolve(world.vault, token, "192.0.2.7"))
    for who, error in ((clara, NotFound), (api, Denied), (LINE, NotSignedIn)):
        for given in (Presence(code=world.code("coordinator")), scene.answered(asked)):
            assert answer(world, presence.prove_here(world.vault, who, asked["id"], given))[0] is error
        assert answer(world, world.vault.read(presence.deed_of, who, asked["id"]))[0] is error
    assert answer(world, presence.prove_here(world.vault, scene.tom, new_id("chl"), NOTHING))[0] is NotFound
    world.run(presence.prove_here(world.vault, scene.tom, asked["id"], world.presence("technician")))


@pytest.mark.attack("AN07", "AN22")
def test_a_wrong_code_leaves_it_open_a_wrong_passkey_does_not_and_neither_proves(scene: Scene) -> None:
    world, line = scene.world, on_a_line(scene)
    asked = scene.asked(by=line)
    used = world.code("technician")
    proved(world, scene.tom, DEED, Presence(code=used))
    for wrong in ("000000", used, "", f" {world.code('technician')}"):
        if wrong:
            with refused(world, Denied, "presence.prove"):
                world.run(presence.prove_here(world.vault, scene.tom, asked["id"], Presence(code=wrong)))
    lied = scene.answered(asked, Lies(user_verified=False))
    with refused(world, Denied, "presence.prove"):
        world.run(presence.prove_here(world.vault, scene.tom, asked["id"], lied))
    given = world.presence("technician")
    assert answer(world, presence.prove_here(world.vault, scene.tom, asked["id"], given))[0] is NotFound
    with refused(world, StaleProof, match="nobody has proved this"):
        world.run(scene.lease(Presence(challenge=asked["id"]), by=line))


@pytest.mark.attack("AN07")
def test_a_proof_from_the_browser_is_no_fresher_than_any_other(scene: Scene) -> None:
    world, line = scene.world, on_a_line(scene)
    early, late = scene.asked(by=line), scene.asked(minutes=10, by=line)
    world.run(presence.prove_here(world.vault, scene.tom, early["id"], world.presence("technician")))
    world.clock.advance(minutes=5)
    with refused(world, StaleProof, "lease.start"):
        world.run(scene.lease(Presence(challenge=early["id"]), by=line))
    given = world.presence("technician")
    assert answer(world, presence.prove_here(world.vault, scene.tom, late["id"], given))[0] is NotFound


def test_what_is_given_hides_itself() -> None:
    given = Presence(code="123456", challenge="chl_x", answer={"response": "signature"})
    assert "123456" not in repr(given)
    assert "signature" not in repr(given)
    assert "thing" not in repr(Deed("words", ("thing",)))
    assert json.dumps(DEED.digest.hex()) != json.dumps(OTHER.digest.hex())
