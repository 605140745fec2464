"""One's own account: what proves somebody anew ends all that was proved before, and nobody gets at another's."""

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.authenticator import SoftPasskey
from tests.operations.provers import LINE, PAGE, acting, by_passkey, spend, with_passkey
from tests.refusals import answer, refused
from tests.world import PASSWORD, World
from vault.crypto.factors import current_code
from vault.crypto.tokens import new_token
from vault.errors import Conflict, Denied, Invalid, NotFound, NotSignedIn, ProofNeeded, StaleProof, TooMany
from vault.operations import presence
from vault.operations.people import account, device, enrolling, sessions, staff, tokens
from vault.operations.presence import NOTHING, Deed, Presence
from vault.policy.attempts import LIMITS
from vault.values import SECOND, Actor, new_id

NEW = "nine loud geese march past noon"
DEED = Deed("do one thing", ("thing", 1))


def seed_of(uri: str) -> bytes:
    return base64.b32decode(parse_qs(urlsplit(uri).query)["secret"][0])


def shown(world: World, uri: str) -> str:
    """What the new authenticator shows now."""
    return current_code(seed_of(uri), world.clock.wall() // SECOND)


def factor_ids(world: World, who: str, kind: str = "%") -> list[str]:
    rows = world.sql(
        "SELECT id FROM factor WHERE person_id = :who AND state = 'active' AND kind LIKE :kind ORDER BY created_at",
        who=world.member(who).id,
        kind=kind,
    )
    return [row[0] for row in rows]


def resolved(world: World, token: str, channel: Any = "page") -> Any:
    return sessions.resolve(world.vault, token, "192.0.2.7", channel)


@dataclass
class Everything:
    """Whatever somebody has opened by proving who they are: to be looked at before and after."""

    page: str
    line: str
    api: str
    known: str
    proof: str
    challenge: str
    device: str

    def alive(self, world: World, who: str) -> set[str]:
        """What of it still opens something."""
        found = set()
        for name, work in (
            ("page", resolved(world, self.page)),
            ("line", resolved(world, self.line, "cli")),
            ("api", tokens.resolve(world.vault, self.api, "192.0.2.7")),
        ):
            try:
                world.run(work)
                found.add(name)
            except NotSignedIn:
                pass
        person = world.member(who).id
        held = {
            "known": "SELECT id FROM known_browser WHERE person_id = :who",
            "proof": "SELECT id FROM proof WHERE person_id = :who AND spent_at IS NULL",
            "challenge": "SELECT id FROM challenge WHERE person_id = :who AND spent_at IS NULL",
            "device": "SELECT id FROM device_sign_in WHERE person_id = :who AND state = 'allowed'",
        }
        return found | {name for name, query in held.items() if world.sql(query, who=person)}


EVERY = {"page", "line", "api", "known", "proof", "challenge", "device"}


def opened(world: World, who: str) -> Everything:
    member, vault = world.member(who), world.vault
    mail = member.view.mail
    page = world.run(sessions.sign_in(vault, mail, PASSWORD, world.code(who), PAGE))
    line = world.run(sessions.sign_in(vault, mail, PASSWORD, world.code(who), LINE))
    actor = acting(world, page)
    made = world.run(tokens.make(vault, actor, "helpdesk", ["tickets:read"], 1, world.presence(who)))
    waiting = world.run(device.ask(vault, LINE, "command line"))
    world.run(device.answer(vault, actor, waiting.user_code, True, world.presence(who)))
    proof = world.run(presence.prove(vault, actor, DEED, world.presence(who)))
    with pytest.raises(ProofNeeded) as asked:
        world.run(presence.prove(vault, actor, DEED, NOTHING))
    challenge = asked.value.challenge["id"]
    return Everything(
        page.token, line.token, made[0], page.known_browser, proof, challenge, waiting.device_code
    )


# -- what ends everything ---------------------------------------------------------------------------------------------


WAYS = ("password", "totp", "passkey", "remove", "disabled")


@pytest.mark.attack("AN18", "AN26", "AZ14")
@pytest.mark.parametrize("way", WAYS)
def test_a_new_password_or_factor_ends_all_that_was_opened_before_and_nothing_of_others(
    world: World, way: str
) -> None:
    who, vault = "coordinator", world.vault
    with_passkey(world, who)
    all_of_it, others = opened(world, who), opened(world, "technician")
    assert all_of_it.alive(world, who) == EVERY
    actor = world.run(resolved(world, all_of_it.page))
    if way == "password":
        world.run(account.change_password(vault, actor, NEW, world.presence(who)))
    elif way == "totp":
        offered = world.run(account.ask_totp(vault, actor, world.presence(who)))
        assert all_of_it.alive(world, who) == EVERY, "what is only on offer changes nothing"
        world.run(account.confirm_totp(vault, actor, shown(world, offered.uri)))
    elif way == "passkey":
        asked = world.run(account.ask_passkey(vault, actor, world.presence(who)))
        made = SoftPasskey(world.settings.origin).create(asked["passkey"])
        world.run(account.add_passkey(vault, actor, asked["challenge"], made, "Another"))
    elif way == "remove":
        (passkey,) = factor_ids(world, who, "passkey")
        world.run(account.remove_factor(vault, actor, passkey, world.presence(who)))
    else:
        world.perform(staff.disable, Actor.host(), actor.id)
    assert all_of_it.alive(world, who) == set()
    with refused(world, StaleProof, "lease.start"):
        world.perform(spend, actor, all_of_it.proof, DEED)
    assert world.run(device.collect(vault, LINE, all_of_it.device)) in {"access_denied", "invalid_grant"}
    assert others.alive(world, "technician") == EVERY


@pytest.mark.attack("AN18")
def test_a_sign_in_with_the_old_password_that_is_on_its_way_comes_too_late(world: World) -> None:
    """It was right when it was hashed; by then the account had another."""
    tom, actor = world.member("technician"), world.actor("technician")
    changing = world.presence("technician")
    verify = world.vault.hashing.verify
    found: list[bool] = []

    async def overtaken(*args: Any) -> bool:
        found.append(await verify(*args))
        await account.change_password(world.vault, actor, NEW, changing)
        return found[-1]

    world.vault.hashing.verify = overtaken  # type: ignore[method-assign]
    signing = sessions.sign_in(world.vault, tom.view.mail, PASSWORD, world.code(tom), PAGE)
    assert answer(world, signing)[0] is NotSignedIn
    assert found == [True]
    world.vault.hashing.verify = verify  # type: ignore[method-assign]
    old = sessions.sign_in(world.vault, tom.view.mail, PASSWORD, world.code(tom), PAGE)
    assert answer(world, old)[0] is NotSignedIn
    assert world.run(sessions.sign_in(world.vault, tom.view.mail, NEW, world.code(tom), PAGE))
    assert world.sql("SELECT template FROM outbox WHERE subject_id = :tom", tom=tom.id) == [
        ("staff.password",)
    ]


@pytest.mark.attack("AN18", "AN13")
def test_signing_out_everywhere_and_one_by_one_ends_ones_own_and_no_others(world: World) -> None:
    mine, others = opened(world, "coordinator"), opened(world, "technician")
    clara = world.run(resolved(world, mine.page))
    toms = world.run(resolved(world, others.page))
    listed = world.read(sessions.own_sessions, clara)
    assert {view.here for view in listed} == {True, False}
    for stranger in (toms.session, new_id("ses"), "ses_x", mine.page):
        with refused(world, NotFound, "session.end"):
            world.perform(sessions.end_one, clara, stranger)
    line = world.run(resolved(world, mine.line, "cli"))
    world.perform(sessions.end_one, clara, line.session)
    assert mine.alive(world, "coordinator") == EVERY - {"line"}
    with refused(world, NotFound, "session.end"):
        world.perform(sessions.end_one, clara, line.session)
    world.perform(account.sign_out_everywhere, clara)
    assert {"page", "line", "known"} & mine.alive(world, "coordinator") == set()
    assert others.alive(world, "technician") == EVERY


# -- passwords --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weak", ["short", "password1234", "Tom Tanner 2026", "tom@agency.example", "x" * 257, "\ud800" * 20]
)
def test_a_new_password_is_judged_before_anything_is_spent(embedded: World, weak: str) -> None:
    tom = embedded.actor("technician")
    code = embedded.code("technician")
    with refused(embedded, Invalid):
        embedded.run(account.change_password(embedded.vault, tom, weak, Presence(code=code)))
    embedded.run(account.change_password(embedded.vault, tom, NEW, Presence(code=code)))


@pytest.mark.attack("AN07", "AN18")
def test_a_password_is_changed_with_a_proof_for_that_alone(embedded: World) -> None:
    tom, vault = embedded.actor("technician"), embedded.vault
    used = embedded.presence("technician")
    embedded.run(account.renew_recovery(vault, tom, used))
    before = embedded.sql("SELECT password_hash FROM person WHERE id = :id", id=tom.id)
    for given, error in ((NOTHING, ProofNeeded), (used, Denied), (Presence(code="000000"), Denied)):
        assert answer(embedded, account.change_password(vault, tom, NEW, given))[0] is error
    assert embedded.sql("SELECT password_hash FROM person WHERE id = :id", id=tom.id) == before
    for nobody in (PAGE, Actor.core(), Actor.host()):
        assert answer(embedded, account.change_password(vault, nobody, NEW, used))[0] is NotSignedIn


# -- factors ----------------------------------------------------------------------------------------------------------


@pytest.mark.attack("AN10")
def test_nothing_of_a_factor_is_offered_added_or_removed_without_a_proof_of_its_own(world: World) -> None:
    tom, vault = world.actor("technician"), world.vault
    (totp,) = factor_ids(world, "technician", "totp")
    deeds = {
        "totp": lambda given: account.ask_totp(vault, tom, given),
        "passkey": lambda given: account.ask_passkey(vault, tom, given),
        "remove": lambda given: account.remove_factor(vault, tom, totp, given),
        "recovery": lambda given: account.renew_recovery(vault, tom, given),
    }
    held = world.sql("SELECT id, state FROM factor ORDER BY id")
    challenges = {}
    for name, deed in deeds.items():
        with pytest.raises(ProofNeeded) as asked:
            world.run(deed(NOTHING))
        challenges[name] = asked.value.challenge
    assert len({asked["deed"] for asked in challenges.values()}) == 4, "each says what it is"
    for name, deed in deeds.items():
        for other, asked in challenges.items():
            kind = answer(world, deed(Presence(challenge=asked["id"])))[0]
            assert kind in {StaleProof, TooMany}, f"{other} for {name}"
        world.clock.advance(minutes=1)
    assert world.sql("SELECT id, state FROM factor ORDER BY id") == held


@pytest.mark.attack("AN10", "AZ02")
def test_another_persons_factors_are_not_there(world: World) -> None:
    vault = world.vault
    with_passkey(world, "coordinator")
    theirs = factor_ids(world, "coordinator")
    with_passkey(world, "technician")
    tom = world.actor("technician")
    (recovery,) = factor_ids(world, "technician", "recovery")
    for stranger in (*theirs, new_id("fac"), "fac_x", recovery):
        with refused(world, NotFound, "presence.prove ok", "factor.remove"):
            world.run(account.remove_factor(vault, tom, stranger, world.presence("technician")))
        world.clock.advance(minutes=3)
    assert factor_ids(world, "coordinator") == theirs
    assert not set(theirs) & {view.id for view in world.read(account.account, tom).factors}


@pytest.mark.attack("AN10", "AZ16")
def test_nobody_is_left_without_a_second_factor(world: World) -> None:
    tom, vault = world.actor("technician"), world.vault
    (totp,) = factor_ids(world, "technician", "totp")
    with refused(world, Conflict, "presence.prove ok", "factor.remove", match="only second factor"):
        world.run(account.remove_factor(vault, tom, totp, world.presence("technician")))
    key = with_passkey(world, "technician")
    (passkey,) = factor_ids(world, "technician", "passkey")
    here, there = (acting(world, by_passkey(world, key)) for _ in range(2))

    def answered(actor: Actor, factor: str) -> Presence:
        with pytest.raises(ProofNeeded) as asked:
            world.run(account.remove_factor(vault, actor, factor, NOTHING))
        challenge = asked.value.challenge
        return Presence(challenge=challenge["id"], answer=key.get(challenge["passkey"]))

    world.clock.advance(minutes=1)
    one, other = answered(here, totp), answered(there, passkey)
    many = world.together(
        account.remove_factor(vault, here, totp, one), account.remove_factor(vault, there, passkey, other)
    )
    assert sum(one is None for one in many) == 1, many
    assert len(factor_ids(world, "technician", "totp") + factor_ids(world, "technician", "passkey")) == 1


@pytest.mark.attack("AN10", "AN13")
def test_a_half_enrolled_authenticator_is_confirmed_by_its_session_in_its_time(world: World) -> None:
    tom, vault = world.actor("technician"), world.vault
    elsewhere = world.run(resolved(world, world.sign_in("technician")))
    clara = world.actor("coordinator")
    offered = world.run(account.ask_totp(vault, tom, world.presence("technician")))
    for stranger in (elsewhere, clara):
        code = shown(world, offered.uri)
        with refused(world, NotFound, "factor.add"):
            world.run(account.confirm_totp(vault, stranger, code))
    code = shown(world, offered.uri)
    wrong = "000000" if code != "000000" else "000001"
    with refused(world, Denied, "factor.add"):
        world.run(account.confirm_totp(vault, tom, wrong))
    sign_in = sessions.sign_in(vault, world.member("technician").view.mail, PASSWORD, code, PAGE)
    assert answer(world, sign_in)[0] is NotSignedIn, "before it is confirmed it opens nothing"
    again = world.run(account.ask_totp(vault, tom, world.presence("technician")))
    with refused(world, Denied, "factor.add"):
        world.run(account.confirm_totp(vault, tom, shown(world, offered.uri)))
    world.clock.advance(minutes=14, seconds=59)
    late = world.run(resolved(world, world.sign_in("technician")))
    assert late.session != tom.session
    world.clock.advance(seconds=1)
    with refused(world, NotFound, "factor.add"):
        world.run(account.confirm_totp(vault, tom, shown(world, again.uri)))


@pytest.mark.attack("AN07", "AN10")
def test_a_new_authenticator_replaces_the_old_one_and_its_first_code_is_spent(world: World) -> None:
    tom, vault, member = world.actor("technician"), world.vault, world.member("technician")
    offered = world.run(account.ask_totp(vault, tom, world.presence(member)))
    code = shown(world, offered.uri)
    world.run(account.confirm_totp(vault, tom, code))
    assert world.sql("SELECT template FROM outbox WHERE subject_id = :id", id=member.id) == [
        ("staff.factor",)
    ]
    ask = (vault, member.view.mail, PASSWORD)
    assert answer(world, sessions.sign_in(*ask, code, PAGE))[0] is NotSignedIn
    assert answer(world, sessions.sign_in(*ask, world.code(member), PAGE))[0] is NotSignedIn, "the old one"
    world.clock.advance(seconds=30)
    assert world.run(sessions.sign_in(*ask, shown(world, offered.uri), PAGE))
    assert len(factor_ids(world, "technician", "totp")) == 1
    sealed = world.sql("SELECT sealed FROM factor WHERE state = 'gone'")
    assert [bytes(row[0]) for row in sealed] == [b""], "what was in the old one is gone"


@pytest.mark.attack("AN10", "AN22")
def test_a_passkey_is_added_by_the_session_that_asked_once_and_to_one_account(world: World) -> None:
    tom, vault = world.actor("technician"), world.vault
    elsewhere = world.run(resolved(world, world.sign_in("technician")))
    clara = world.actor("coordinator")
    asked = world.run(account.ask_passkey(vault, tom, world.presence("technician")))
    key = SoftPasskey(world.settings.origin)
    made = key.create(asked["passkey"])
    for stranger in (elsewhere, clara):
        with refused(world, NotFound, "factor.add"):
            world.run(account.add_passkey(vault, stranger, asked["challenge"], made, "A key"))
    world.run(account.add_passkey(vault, tom, asked["challenge"], made, "A key"))
    assert answer(world, account.add_passkey(vault, tom, asked["challenge"], made, "A key"))[0] is NotFound
    asked = world.run(account.ask_passkey(vault, clara, world.presence("coordinator")))
    with refused(world, Conflict, "factor.add", match="known already"):
        theirs = key.create(asked["passkey"])
        world.run(account.add_passkey(vault, clara, asked["challenge"], theirs, "The same key"))


@pytest.mark.attack("AN01", "AN10")
def test_guesses_at_a_new_authenticators_code_are_counted(embedded: World) -> None:
    tom = embedded.actor("technician")
    offered = embedded.run(account.ask_totp(embedded.vault, tom, embedded.presence("technician")))
    for _ in range(LIMITS["code"] - 1):
        assert answer(embedded, account.confirm_totp(embedded.vault, tom, "000000"))[0] is Denied
    code = shown(embedded, offered.uri)
    assert answer(embedded, account.confirm_totp(embedded.vault, tom, code))[0] is TooMany


@pytest.mark.attack("AN26")
def test_an_api_token_and_a_half_enrolled_browser_change_no_account(embedded: World) -> None:
    clara, vault = embedded.actor("coordinator"), embedded.vault
    made = tokens.make(vault, clara, "helpdesk", ["tickets:read"], 1, embedded.presence("coordinator"))
    api = embedded.run(tokens.resolve(vault, embedded.run(made)[0], "192.0.2.7"))
    given, held = embedded.presence("coordinator"), factor_ids(embedded, "coordinator")
    for work in (
        account.change_password(vault, api, NEW, given),
        account.ask_totp(vault, api, given),
        account.confirm_totp(vault, api, "000000"),
        account.ask_passkey(vault, api, given),
        account.remove_factor(vault, api, held[0], given),
        account.renew_recovery(vault, api, given),
        vault.perform(account.sign_out_everywhere, api),
        vault.perform(sessions.end_one, api, clara.session),
        vault.read(account.account, api),
    ):
        assert answer(embedded, work)[0] in {NotSignedIn, Denied}
    assert factor_ids(embedded, "coordinator") == held
    assert embedded.run(account.renew_recovery(vault, clara, given)), "and nobody has spent the code"
    assert answer(embedded, enrolling.look(vault, PAGE, new_token("vk_enr")))[0] is NotSignedIn
