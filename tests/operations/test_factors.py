"""Second factors: what signs in, what each accepts once, and recovery codes for the day on which one is lost."""

import asyncio
import base64
import shutil
import subprocess
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.authenticator import EDDSA, ES256, RS256, Lies, SoftPasskey
from tests.operations.provers import PAGE, acting, by_passkey, with_passkey
from tests.refusals import answer, refused
from tests.world import PASSWORD, Member, World
from vault.crypto import passkeys
from vault.crypto.factors import current_code
from vault.errors import Denied, NotFound, NotSignedIn, Tampered, TooMany
from vault.ledger.entry import decode
from vault.operations import presence
from vault.operations.leases import checkout
from vault.operations.people import account, enrolling, factors, hosting, sessions, staff
from vault.operations.people.sessions import SignedIn
from vault.operations.presence import Deed, Presence
from vault.policy.attempts import LIMITS
from vault.values import SECOND, Actor, new_id

WRONG = (NotSignedIn, "mail address, password or code is not right", NotSignedIn.hint)
NO_PASSKEY = (NotSignedIn, "that passkey does not sign in here", NotSignedIn.hint)
LIES = {
    "another origin": Lies(origin="https://vault.evil.example"),
    "another host": Lies(rp_id="evil.example"),
    "another ceremony": Lies(type="webauthn.create"),
    "nobody verified": Lies(user_verified=False),
    "nobody there": Lies(user_present=False),
    "a foreign frame": Lies(cross_origin=True),
    "another question": Lies(challenge=b"\1" * 32),
    "another owner": Lies(user_handle=b"per_somebodyelse"),
    "no owner": Lies(user_handle=b""),
    "another id": Lies(credential_id=b"\1" * 32),
    "a backup of what has none": Lies(backed_up=True),
    "bytes behind": Lies(tail=b"\0"),
    "another signature": Lies(signature=b"0"),
}


def tries(world: World, member: Member, code: str, password: str = PASSWORD, number: int = 0) -> Any:
    by = Actor.nobody(f"198.51.100.{number % 250}", "page")
    return sessions.sign_in(world.vault, member.view.mail, password, code, by)


def answering(world: World, challenge: str, given: Any, by: Actor = PAGE) -> Any:
    return sessions.sign_in_with_passkey(world.vault, challenge, given, by)


def told(world: World, template: str) -> int:
    """How often the outbox holds that message."""
    return len(world.sql("SELECT id FROM outbox WHERE template = :template", template=template))


# -- passkeys ---------------------------------------------------------------------------------------------------------


@pytest.mark.attack("AN22", "AN13")
@pytest.mark.parametrize("alg", [ES256, EDDSA, RS256])
def test_a_passkey_signs_in_alone_and_each_time_anew(embedded: World, alg: int) -> None:
    key = with_passkey(embedded, "technician", alg=alg)
    tom, since = embedded.member("technician"), embedded.size()
    first, second = by_passkey(embedded, key), by_passkey(embedded, key)
    assert first.token != second.token
    assert first.session.person.id == tom.id
    assert embedded.ledger(since) == ["session.start ok"] * 2
    (body,) = embedded.sql("SELECT body FROM ledger_entry ORDER BY seq DESC LIMIT 1")
    entry = decode(body[0].encode())
    assert (entry.actor, entry.ids["by"]) == (tom.id, "passkey")


@pytest.mark.attack("AN22")
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_signs_nobody_in_and_all_lies_sound_alike(embedded: World, lie: str) -> None:
    key, since = with_passkey(embedded, "technician"), embedded.size()
    asked = embedded.run(sessions.ask_passkey(embedded.vault, PAGE))
    given = key.get(asked["passkey"], LIES[lie])
    assert answer(embedded, answering(embedded, asked["challenge"], given)) == NO_PASSKEY
    assert embedded.ledger(since) == ["session.start NotSignedIn"]
    honest = key.get(asked["passkey"])
    assert answer(embedded, answering(embedded, asked["challenge"], honest)) == NO_PASSKEY, (
        "it had its challenge"
    )
    assert by_passkey(embedded, key)


@pytest.mark.attack("AN22", "AZ16")
def test_an_answer_signs_in_once_of_twenty(world: World) -> None:
    key = with_passkey(world, "technician")
    before = len(world.sql("SELECT id FROM session"))
    asked = world.run(sessions.ask_passkey(world.vault, PAGE))
    given = key.get(asked["passkey"])
    many = world.together(*(answering(world, asked["challenge"], given) for _ in range(20)))
    assert sum(isinstance(one, SignedIn) for one in many) == 1
    assert {type(one) for one in many if not isinstance(one, SignedIn)} == {NotSignedIn}
    assert len(world.sql("SELECT id FROM session")) == before + 1


@pytest.mark.attack("AN22", "AN17")
def test_a_challenge_is_not_answered_late_nor_by_what_is_none(embedded: World) -> None:
    key = with_passkey(embedded, "technician")
    asked = embedded.run(sessions.ask_passkey(embedded.vault, PAGE))
    given = key.get(asked["passkey"])
    embedded.clock.advance(minutes=5)
    assert answer(embedded, answering(embedded, asked["challenge"], given)) == NO_PASSKEY
    embedded.clock.jump(minutes=-1)
    assert answer(embedded, answering(embedded, asked["challenge"], given)) == NO_PASSKEY, (
        "no clock revives it"
    )
    for nonsense in ("", "chl_x", "\ud800", "per_aaaaaaaaaaaaaaaaaaaa", "x" * 9999):
        kind = answer(embedded, answering(embedded, nonsense, given))[0]
        assert kind in {NotSignedIn, NotFound}, nonsense


@pytest.mark.attack("AN22")
@pytest.mark.parametrize("said", [0, 1, 2, 3])
def test_a_copy_whose_count_stands_behind_signs_nobody_in(world: World, said: int) -> None:
    key = with_passkey(world, "technician")
    for _ in range(3):
        by_passkey(world, key)
    asked = world.run(sessions.ask_passkey(world.vault, PAGE))
    copy = key.get(asked["passkey"], Lies(sign_count=said))
    assert answer(world, answering(world, asked["challenge"], copy)) == NO_PASSKEY
    key.sign_count = 7
    assert by_passkey(world, key), "the true one has gone on"
    ((step,),) = world.sql("SELECT step FROM factor WHERE kind = 'passkey'")
    assert step == 8


@pytest.mark.attack("AN22", "AZ22")
def test_a_passkey_dies_with_its_owners_account_and_with_its_removal(world: World) -> None:
    key, other = with_passkey(world, "technician"), with_passkey(world, "technician")
    tom = acting(world, by_passkey(world, key))
    ((number,),) = world.sql("SELECT id FROM factor WHERE kind = 'passkey' ORDER BY created_at LIMIT 1")
    world.run(account.remove_factor(world.vault, tom, number, world.presence("technician")))
    for passkey, error in ((key, NotSignedIn), (other, None)):
        asked = world.run(sessions.ask_passkey(world.vault, PAGE))
        work = answering(world, asked["challenge"], passkey.get(asked["passkey"]))
        assert world.run(work) if error is None else answer(world, work) == NO_PASSKEY
    world.perform(staff.disable, Actor.host(), tom.id)
    asked = world.run(sessions.ask_passkey(world.vault, PAGE))
    assert answer(world, answering(world, asked["challenge"], other.get(asked["passkey"]))) == NO_PASSKEY


@pytest.mark.attack("AN11", "AN22")
def test_who_asks_to_sign_in_by_passkey_learns_of_nobody(embedded: World) -> None:
    before = embedded.run(sessions.ask_passkey(embedded.vault, PAGE))["passkey"]
    with_passkey(embedded, "technician")
    after = embedded.run(sessions.ask_passkey(embedded.vault, PAGE))["passkey"]
    assert before.keys() == after.keys()
    assert {name: value for name, value in before.items() if name != "challenge"} == {
        name: value for name, value in after.items() if name != "challenge"
    }
    assert after["allowCredentials"] == []
    nobody = Actor.nobody("203.0.113.5", "page")
    counted = Counter(
        type(one).__name__
        for one in embedded.together(
            *(sessions.ask_passkey(embedded.vault, nobody) for _ in range(LIMITS["asking"] + 5))
        )
    )
    assert counted == {"dict": LIMITS["asking"], "TooMany": 5}


@pytest.mark.promise("P9")
@pytest.mark.attack("CR01", "CR03")
@pytest.mark.parametrize("column", ["sealed", "handle", "person_id", "step", "state"])
def test_a_factor_that_was_exchanged_in_the_database_is_not_used(world: World, column: str) -> None:
    key, _ = with_passkey(world, "technician"), with_passkey(world, "coordinator")
    by_passkey(world, key)
    values = dict(world.sql(f"SELECT person_id, {column} FROM factor WHERE kind = 'passkey'"))
    tom, clara = world.member("technician").id, world.member("coordinator").id
    value = {"step": 0, "state": "gone", "handle": b"\0" * 32}.get(column, values[clara])
    world.sql(
        f"UPDATE factor SET {column} = :value WHERE person_id = :tom AND kind = 'passkey'",
        value=value,
        tom=tom,
    )
    asked = world.run(sessions.ask_passkey(world.vault, PAGE))
    kind = answer(world, answering(world, asked["challenge"], key.get(asked["passkey"])))[0]
    assert kind is (NotSignedIn if column == "handle" else Tampered)


# -- authenticators ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    shutil.which("oathtool") is None, reason="oathtool is not installed (.ci/system programs does)"
)
def test_codes_that_oathtool_makes_of_the_key_uri_are_accepted(embedded: World) -> None:
    """Another program of other people, on RFC 6238 alone: what it shows is what any authenticator shows."""
    invited = embedded.run(
        staff.add(embedded.vault, Actor.host(), "Olga Oath", "olga@agency.example", ["technician"])
    )
    browser, _ = embedded.run(enrolling.begin(embedded.vault, PAGE, invited.code or ""))
    embedded.run(enrolling.choose_password(embedded.vault, PAGE, browser, PASSWORD))
    uri = embedded.run(enrolling.offer_totp(embedded.vault, PAGE, browser)).uri
    first = oathtool(embedded, uri)
    embedded.run(enrolling.confirm_totp(embedded.vault, PAGE, browser, first))
    ask = (embedded.vault, "olga@agency.example", PASSWORD)
    assert answer(embedded, sessions.sign_in(*ask, first, PAGE)) == WRONG, (
        "the code that finished it is spent"
    )
    embedded.clock.advance(seconds=30)
    olga = acting(embedded, embedded.run(sessions.sign_in(*ask, oathtool(embedded, uri), PAGE)))
    embedded.clock.advance(seconds=30)
    given = Presence(code=oathtool(embedded, uri))
    assert embedded.run(presence.prove(embedded.vault, olga, Deed("do it", ("it",)), given))


def oathtool(world: World, uri: str) -> str:
    """What it makes of the secret in a key URI, as its own reader would, at the world's time."""
    secret = uri.partition("secret=")[2].partition("&")[0]
    at = f"@{world.clock.wall() // SECOND}"
    made = subprocess.run(
        ["oathtool", "--totp", "--base32", "--now", at, "-"],
        input=secret,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return made.stdout.strip()


# -- recovery codes ---------------------------------------------------------------------------------------------------


@pytest.mark.attack("AN25")
def test_a_recovery_code_signs_in_once_in_any_spelling_and_tells_its_owner(world: World) -> None:
    tom = world.member("technician")
    code, since = tom.recovery[3], world.size()
    typed = f" {code.lower().replace('-', ' ')} "
    started = world.run(tries(world, tom, typed))
    assert started.session.person.id == tom.id
    assert told(world, "staff.recovery-code") == 1
    for again in (code, typed, code.replace("-", ""), code.lower(), f"{code}\n", code.replace("-", " - ")):
        assert answer(world, tries(world, tom, again, number=7)) == WRONG
    world.reopen()
    assert answer(world, tries(world, tom, code, number=8)) == WRONG
    assert told(world, "staff.recovery-code") == 1, "a try that fails mails nobody"
    assert world.ledger(since) == ["session.start ok"] + ["session.start NotSignedIn"] * 7
    view = world.read(account.account, acting(world, started))
    assert [factor.left for factor in view.factors if factor.kind == "recovery"] == [9]
    assert world.run(tries(world, tom, tom.recovery[4], number=9)), "the others are as good as before"


@pytest.mark.attack("AN25", "AZ16")
def test_of_many_sign_ins_with_one_recovery_code_one_wins(world: World) -> None:
    """Eight, because nine fit into the queue of hashes; that of each is found right before any is spent."""
    tom = world.member("technician")
    world.vault.hashing.verify = _all_together(world, 8)  # type: ignore[method-assign]
    many = world.together(*(tries(world, tom, tom.recovery[0], number=n) for n in range(8)))
    assert sum(isinstance(one, SignedIn) for one in many) == 1
    assert {type(one) for one in many if not isinstance(one, SignedIn)} == {NotSignedIn}
    assert len(world.sql("SELECT id FROM session")) == 1


def _all_together(world: World, number: int) -> Any:
    """Verify as ever, but let nobody go on before everybody has verified against the same hash."""
    verify = world.vault.hashing.verify
    gates: dict[str, asyncio.Barrier] = {}

    async def verified(stored: str, given: Any) -> bool:
        right = await verify(stored, given)
        await gates.setdefault(stored, asyncio.Barrier(number)).wait()
        return right

    return verified


@pytest.mark.attack("AN25")
def test_new_recovery_codes_void_the_old_ones_and_tell_their_owner(world: World) -> None:
    tom, actor = world.member("technician"), world.actor("technician")
    codes = world.run(account.renew_recovery(world.vault, actor, world.presence("technician")))
    assert len(set(codes) | set(tom.recovery)) == 20
    assert told(world, "staff.recovery-codes") == 1
    for number, old in enumerate(tom.recovery[:4]):
        assert answer(world, tries(world, tom, old, number=number)) == WRONG
    assert world.run(tries(world, tom, codes[0], number=10))


@pytest.mark.attack("AN25")
def test_a_sheet_that_is_replaced_while_its_code_is_hashed_is_void(embedded: World) -> None:
    tom, actor = embedded.member("technician"), embedded.actor("technician")
    given, verify = embedded.presence("technician"), embedded.vault.hashing.verify
    seen: list[bool] = []

    async def overtaken(*args: Any) -> bool:
        right = await verify(*args)
        seen.append(right)
        if len(seen) == 2:
            await account.renew_recovery(embedded.vault, actor, given)
        return right

    embedded.vault.hashing.verify = overtaken  # type: ignore[method-assign]
    assert answer(embedded, tries(embedded, tom, tom.recovery[0])) == WRONG
    assert seen == [True, True], "both were right when they were looked at"


@pytest.mark.attack("AN25", "AN01")
def test_guesses_at_recovery_codes_are_counted_with_all_others(world: World) -> None:
    tom = world.member("technician")
    for number in range(LIMITS["account"]):
        guess = f"{number}-0000-0000-0000"
        assert answer(world, tries(world, tom, guess, number=number)) == WRONG
    assert answer(world, tries(world, tom, tom.recovery[0], number=200))[0] is TooMany
    world.clock.advance(minutes=15)
    assert world.run(tries(world, tom, tom.recovery[0]))


@pytest.mark.attack("AN25", "AN10")
def test_a_recovery_code_needs_the_password_and_its_own_person(world: World) -> None:
    tom, clara = world.member("technician"), world.member("coordinator")
    assert answer(world, tries(world, tom, tom.recovery[0], "another password entirely")) == WRONG
    assert answer(world, tries(world, tom, clara.recovery[0])) == WRONG
    assert world.run(tries(world, tom, tom.recovery[0])), "it was not spent by a wrong password"
    with_nothing = tom.recovery[1].partition("-")[0]
    for short in (with_nothing, tom.recovery[1][:-1], tom.recovery[1] + "0", "0" + tom.recovery[1]):
        assert answer(world, tries(world, tom, short, number=3)) == WRONG


@pytest.mark.attack("AN25", "AN07")
def test_a_recovery_code_gives_back_what_was_lost_and_proves_nothing_else(embedded: World) -> None:
    service = embedded.service()
    secret = embedded.give(service)
    ticket, tom = embedded.ticket(service), embedded.member("technician")
    embedded.actor(tom)  # has accepted the agreement
    actor = acting(embedded, embedded.run(tries(embedded, tom, tom.recovery[0])))
    code = Presence(code=tom.recovery[1])
    with refused(embedded, Denied, "presence.prove"):
        reason = "install the shop as ordered"
        embedded.run(checkout.lease(embedded.vault, actor, ticket.id, [secret], 5, reason, code))
    new = embedded.run(account.ask_totp(embedded.vault, actor, code))
    step = embedded.clock.wall() // SECOND
    seed = base64.b32decode(parse_qs(urlsplit(new.uri).query)["secret"][0])
    embedded.run(account.confirm_totp(embedded.vault, actor, current_code(seed, step)))
    tom.seed, tom.last_step = seed, step // 30
    assert embedded.sign_in(tom)
    again = acting(embedded, embedded.run(tries(embedded, tom, tom.recovery[2])))
    with refused(embedded, Denied, "presence.prove"):
        embedded.run(account.ask_totp(embedded.vault, again, code))


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03", "AZ06")
def test_a_factor_that_was_hidden_during_a_change_and_put_back_counts_no_more(world: World) -> None:
    """Byte for byte as it was, so that its own entry fits: but the person's row counts others."""
    tom = world.member("technician")
    ((hidden,),) = world.sql("SELECT id FROM factor WHERE person_id = :tom AND kind = 'totp'", tom=tom.id)
    hide = "UPDATE factor SET person_id = :whose WHERE id = :id"
    world.sql(hide, whose=world.member("administrator").id, id=hidden)
    fresh = world.enrol(world.run(hosting.reset(world.vault, Actor.host(), tom.view.mail)))
    world.sql(hide, whose=tom.id, id=hidden)
    assert answer(world, tries(world, fresh, world.code(tom)))[0] is Tampered
    assert answer(world, tries(world, fresh, world.code(fresh)))[0] is Tampered, (
        "none is used until that is settled"
    )
    world.sql(hide, whose=world.member("administrator").id, id=hidden)
    assert world.sign_in(fresh)


@pytest.mark.promise("P6")
@pytest.mark.attack("AN22", "AN10")
def test_a_question_that_the_vault_did_not_ask_is_answered_in_vain(world: World) -> None:
    """A writer of the database with a stolen session asks for a passkey of their own, without any presence."""
    tom, actor = world.member("technician"), world.actor("technician")
    question = b"q" * 32
    world.sql(
        "INSERT INTO challenge (id, purpose, person_id, bound_to, deed, question, tag, sealed, proof_id, expires_at)"
        " VALUES (:id, 'passkey', :tom, :session, :none, :question, :tag, :none, '', :until)",
        id=(forged := new_id("chl")),
        tom=tom.id,
        session=actor.session,
        none=b"",
        question=question,
        tag=b"t" * 32,
        until=world.clock.wall() + 60 * SECOND,
    )
    rp = factors.relying_party(world.settings)
    options = passkeys.registration_options(rp, question, tom.id.encode(), tom.view.mail, "Tom", [])
    made = SoftPasskey(world.settings.origin).create(options)
    with refused(world, Tampered, "factor.add"):
        world.run(account.add_passkey(world.vault, actor, forged, made, "A thief's key"))


@pytest.mark.attack("AN25", "AN18")
def test_recovery_codes_of_who_was_disabled_open_nothing(world: World) -> None:
    tom = world.member("technician")
    world.perform(staff.disable, Actor.host(), tom.id)
    assert answer(world, tries(world, tom, tom.recovery[0])) == WRONG
    assert told(world, "staff.recovery-code") == 0


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03", "AN25")
def test_a_sheet_that_was_put_back_in_the_database_is_not_used(world: World) -> None:
    tom = world.member("technician")
    ask = "SELECT sealed FROM factor WHERE person_id = :tom AND kind = 'recovery'"
    ((before,),) = world.sql(ask, tom=tom.id)
    assert world.run(tries(world, tom, tom.recovery[0]))
    world.sql(
        "UPDATE factor SET sealed = :old WHERE person_id = :tom AND kind = 'recovery'", old=before, tom=tom.id
    )
    assert answer(world, tries(world, tom, tom.recovery[0]))[0] is Tampered


def test_a_persons_factors_are_listed_without_what_is_in_them(embedded: World) -> None:
    with_passkey(embedded, "technician")
    views = embedded.read(account.account, embedded.actor("technician")).factors
    assert Counter(view.kind for view in views) == {"totp": 1, "passkey": 1, "recovery": 1}
    assert [view.left for view in views if view.kind != "recovery"] == [None, None]
