"""Signing in: slow to guess, one code once, one answer for everything wrong, and an end."""

import time
from typing import Any

import pytest

from tests.hashes import dearer_hashes
from tests.refusals import answer, refused
from tests.world import PASSWORD, Member, World
from vault.crypto.factors import current_code
from vault.crypto.tokens import new_token
from vault.errors import Denied, NotSignedIn, Sealed, TooMany
from vault.operations import attempts
from vault.operations.leases import checkout
from vault.operations.people import sessions, staff
from vault.operations.presence import Presence
from vault.policy.attempts import LIMITS
from vault.values import HOUR, SECOND, Actor

HERE = "192.0.2.7"
WRONG = (NotSignedIn, "mail address, password or code is not right", NotSignedIn.hint)


def tries(world: World, mail: str, password: str = PASSWORD, code: str = "000000", source: str = HERE) -> Any:
    return sessions.sign_in(world.vault, mail, password, code, Actor.nobody(source, "api"))


def resolved(world: World, token: str) -> Any:
    return sessions.resolve(world.vault, token, HERE, "api")


@pytest.fixture
def tom(embedded: World) -> Member:
    return embedded.member("technician")


@pytest.mark.attack("AN13", "AU06")
def test_signing_in_gives_a_new_token_and_an_entry_that_names_the_session(world: World) -> None:
    tom, since = world.member("technician"), world.size()
    tokens = {world.sign_in(tom) for _ in range(3)}
    assert len(tokens) == 3
    assert world.ledger(since) == ["session.start ok"] * 3
    actor = world.run(resolved(world, tom.token))
    assert (actor.kind, actor.id, actor.channel, actor.scopes) == ("person", tom.id, "api", None)
    bodies = [row[0] for row in world.sql("SELECT body FROM ledger_entry WHERE seq >= :s", s=since)]
    assert f'"session":"{actor.session}"' in bodies[-1]
    assert f'"actor":"{tom.id}"' in bodies[-1]
    hashes = [bytes(row[0]) for row in world.sql("SELECT token_hash FROM session")]
    assert not [token for token in tokens if token.encode() in b"".join(hashes)]
    for stranger in (
        new_token("vk_ses"),
        tom.token[:-1],
        tom.token + "x",
        "",
        "vk_ses_",
        new_token("vk_giv"),
    ):
        assert answer(world, resolved(world, stranger))[0] is NotSignedIn
    world.seal()
    for work in (resolved(world, tom.token), tries(world, tom.view.mail)):
        assert answer(world, work)[0] is Sealed


@pytest.mark.attack("AN01")
def test_an_account_is_closed_after_ten_tries_from_anywhere_also_for_the_right_password(world: World) -> None:
    tom = world.member("technician")
    for at in range(LIMITS["account"]):
        assert answer(world, tries(world, tom.view.mail, "wrong password", source=f"203.0.113.{at}")) == WRONG
    world.reopen()
    for source in (HERE, "198.51.100.200"):
        assert answer(world, tries(world, tom.view.mail, code=world.code(tom), source=source))[0] is TooMany
    assert world.sign_in("auditor"), "nobody else is kept out"
    world.clock.advance(minutes=12)  # and half a minute for each code
    assert answer(world, tries(world, tom.view.mail, code=world.code(tom)))[0] is TooMany
    world.clock.advance(minutes=4)
    assert world.sign_in(tom), "and it passes"


@pytest.mark.attack("AN12")
def test_a_password_is_hashed_anew_at_a_raised_cost_by_whoever_knows_it(world: World) -> None:
    tom = world.member("technician")
    kept = "SELECT password_hash FROM person WHERE id = :id"
    ((former,),) = world.sql(kept, id=tom.id)
    with dearer_hashes(world):
        assert answer(world, tries(world, tom.view.mail, "not " + PASSWORD, world.code(tom))) == WRONG
        assert world.sql(kept, id=tom.id) == [(former,)]
        world.sign_in(tom)
        ((renewed,),) = world.sql(kept, id=tom.id)
        assert renewed != former
        since = world.size()
        world.sign_in(tom)
        assert world.ledger(since) == ["session.start ok"], "once is enough"
    assert world.sql(kept, id=tom.id) == [(renewed,)]


@pytest.mark.attack("AN02")
def test_a_source_is_slowed_whatever_accounts_it_tries(embedded: World) -> None:
    since = embedded.size()
    nobody = Actor.nobody(HERE, "api")
    for _ in range(LIMITS["source"] - 12):
        embedded.run(attempts.count(embedded.vault, nobody, f"source:{HERE}"))
    for at in range(12):
        kind, *_ = answer(embedded, tries(embedded, f"nobody-{at}@agency.example"))
        assert kind is NotSignedIn, "unknown names count too"
    tom = embedded.member("technician")
    assert answer(embedded, tries(embedded, tom.view.mail, code=embedded.code(tom)))[0] is TooMany
    assert embedded.run(tries(embedded, tom.view.mail, code=embedded.code(tom), source="198.51.100.200"))
    assert embedded.ledger(since) == ["attempt.limit ok", "session.start ok"], (
        "tries of nobody are counted and not told one by one, but that they were too many is"
    )
    assert sum(row[0] for row in embedded.sql("SELECT count FROM refusal_count")) == 12


@pytest.mark.attack("AN03", "DO01")
def test_a_burst_hashes_no_more_passwords_than_the_limit_allows(world: World) -> None:
    tom = world.member("technician")
    hashed: list[None] = []
    verify = world.vault.hashing.verify

    async def counted(*args: Any) -> bool:
        hashed.append(None)
        return await verify(*args)

    world.vault.hashing.verify = counted  # type: ignore[method-assign]
    answers = world.together(*(tries(world, tom.view.mail, "wrong password") for _ in range(100)))
    assert len(hashed) == LIMITS["account"], "counted before the hash"
    assert {type(one) for one in answers} <= {NotSignedIn, TooMany}
    assert sum(type(one) is TooMany for one in answers) >= 90


@pytest.mark.attack("AN04")
@pytest.mark.parametrize(
    "spelling",
    ["TOM@AGENCY.EXAMPLE", " tom@agency.example ", "Tom@Agency.Example"],
)
def test_an_account_has_one_counter_however_it_is_spelt(embedded: World, tom: Member, spelling: str) -> None:
    assert tom.view.mail == "tom@agency.example"
    for _ in range(LIMITS["account"]):
        assert answer(embedded, tries(embedded, spelling, "wrong password")) == WRONG
    assert answer(embedded, tries(embedded, tom.view.mail, code=embedded.code(tom)))[0] is TooMany


@pytest.mark.attack("AN04")
def test_what_is_no_spelling_of_it_is_nobody(embedded: World, tom: Member) -> None:
    foreign = ["tom@agency.example.", "\uff54\uff4f\uff4d@agency.example", "tom@agency.example\0"]
    foreign += ["to\u043c@agency.example", "tom@agency.ex\u0131mple", "tom@agency.exampl\u0065\u0301"]
    for spelling in [*foreign, "tom@agency.ex\u00adample", "\ud800", "", "tom"]:
        assert answer(embedded, tries(embedded, spelling, code=embedded.code(tom))) == WRONG
    counted = embedded.sql("SELECT id FROM attempt WHERE id LIKE 'account:%'")
    assert counted == [("account:-",)], "what is no address shares one counter"
    assert embedded.sign_in(tom)


@pytest.mark.attack("AN05", "AN08")
def test_a_code_has_one_spelling_and_its_step_is_used_once(embedded: World, tom: Member) -> None:
    code = embedded.code(tom)
    assert embedded.run(tries(embedded, tom.view.mail, code=code))
    full_width = code.translate({48 + digit: 0xFF10 + digit for digit in range(10)})
    mathematical = code.translate({48 + digit: 0x1D7CE + digit for digit in range(10)})
    for again in (code, f"{code[:3]} {code[3:]}", full_width, mathematical, f"\u200b{code}", f"{code}\n"):
        assert answer(embedded, tries(embedded, tom.view.mail, code=again)) == WRONG
    embedded.clock.advance(seconds=30)
    assert answer(embedded, tries(embedded, tom.view.mail, code=code)) == WRONG, (
        "the step before, already used"
    )
    assert embedded.sign_in(tom)


@pytest.mark.attack("AN08")
def test_only_this_step_and_the_one_before_are_taken(embedded: World, tom: Member) -> None:
    embedded.clock.advance(minutes=5)
    now = embedded.clock.wall() // SECOND
    for away in (-2, +1, +2):
        code = current_code(tom.seed, now + 30 * away)
        assert answer(embedded, tries(embedded, tom.view.mail, code=code)) == WRONG
    assert embedded.run(tries(embedded, tom.view.mail, code=current_code(tom.seed, now)))
    assert answer(embedded, tries(embedded, tom.view.mail, code=current_code(tom.seed, now - 30))) == WRONG
    ((step,),) = embedded.sql("SELECT step FROM factor WHERE person_id = :id AND kind = 'totp'", id=tom.id)
    assert step == now // 30


@pytest.mark.attack("AN06", "AZ16")
def test_of_many_sign_ins_with_one_code_one_wins(world: World) -> None:
    tom = world.member("technician")
    code, since = world.code(tom), world.size()
    answers = world.together(*(tries(world, tom.view.mail, code=code) for _ in range(8)))
    assert sum(not isinstance(one, BaseException) for one in answers) == 1
    assert {type(one) for one in answers if isinstance(one, BaseException)} == {NotSignedIn}
    assert sorted(world.ledger(since)) == ["session.start NotSignedIn"] * 7 + ["session.start ok"]
    assert len(world.sql("SELECT id FROM session")) == 1


@pytest.mark.attack("AN07")
def test_a_code_that_signed_in_does_no_deed_and_the_next_one_does(embedded: World) -> None:
    service = embedded.service()
    secret = embedded.give(service)
    ticket, technician = embedded.ticket(service), embedded.actor("technician")
    tom = embedded.member("technician")
    embedded.sign_in(tom)
    used = current_code(tom.seed, embedded.clock.wall() // SECOND)
    with refused(embedded, Denied, "presence.prove"):
        reason = "install the shop as ordered"
        embedded.run(
            checkout.lease(embedded.vault, technician, ticket.id, [secret], 5, reason, Presence(code=used))
        )
    assert embedded.lease(ticket, secret)
    deed = current_code(tom.seed, embedded.clock.wall() // SECOND)
    assert answer(embedded, tries(embedded, tom.view.mail, code=deed)) == WRONG, "nor the other way round"


@pytest.mark.attack("AN01", "AN07")
def test_codes_for_deeds_are_counted_too(embedded: World) -> None:
    service = embedded.service()
    secret = embedded.give(service)
    ticket, technician = embedded.ticket(service), embedded.actor("technician")
    ask = (embedded.vault, technician, ticket.id, [secret], 5, "install the shop as ordered")
    for _ in range(LIMITS["code"]):
        assert answer(embedded, checkout.lease(*ask, Presence(code="000000")))[0] is Denied
    right = embedded.code("technician")
    assert answer(embedded, checkout.lease(*ask, Presence(code=right)))[0] is TooMany


@pytest.mark.attack("AN11")
def test_unknown_disabled_and_mistaken_get_the_same_answer(embedded: World, tom: Member) -> None:
    gone = embedded.hire("Gina Gone", "technician")
    embedded.perform(staff.disable, Actor.host(), gone.id)
    answers = {
        answer(embedded, tries(embedded, "nobody@agency.example", code=embedded.code(tom))),
        answer(embedded, tries(embedded, "not an address", code=embedded.code(tom))),
        answer(embedded, tries(embedded, gone.view.mail, code=embedded.code(gone))),
        answer(embedded, tries(embedded, tom.view.mail, "wrong password", embedded.code(tom))),
        answer(embedded, tries(embedded, tom.view.mail, "x" * 5000, embedded.code(tom))),
        answer(embedded, tries(embedded, tom.view.mail, "\ud800", embedded.code(tom))),
        answer(embedded, tries(embedded, tom.view.mail, code="000000")),
        answer(embedded, tries(embedded, tom.view.mail, code="")),
    }
    assert answers == {WRONG}
    assert embedded.sign_in(tom)


@pytest.mark.attack("AN11")
def test_the_limit_is_reached_after_as_many_tries_for_nobody_as_for_somebody(embedded: World) -> None:
    for mail in ("nobody@agency.example", "tom@agency.example"):
        counted = [answer(embedded, tries(embedded, mail, "wrong password"))[0] for _ in range(12)]
        assert counted == [NotSignedIn] * LIMITS["account"] + [TooMany] * 2


@pytest.mark.attack("AN12")
def test_a_wrong_sign_in_waits_until_its_record_does_not_show(embedded: World, tom: Member) -> None:
    """What is written of a known account takes longer than counting an unknown one: both are answered after it."""

    async def at_once(*_: Any) -> bool:
        return False

    verify, embedded.vault.hashing.verify = embedded.vault.hashing.verify, at_once  # type: ignore[method-assign]
    for mail in (tom.view.mail, "nobody@agency.example"):
        began = time.monotonic()
        assert answer(embedded, tries(embedded, mail)) == WRONG
        assert time.monotonic() - began >= sessions.SLOWEST_NO
    embedded.vault.hashing.verify = verify  # type: ignore[method-assign]
    assert embedded.sign_in(tom)


@pytest.mark.promise("P4")
@pytest.mark.attack("AN16")
def test_a_session_ends_when_idle_and_at_its_last_hour_though_busy(embedded: World, tom: Member) -> None:
    token = embedded.sign_in(tom)
    embedded.clock.advance(minutes=15, microseconds=-1)
    assert embedded.run(resolved(embedded, token))
    embedded.clock.advance(minutes=15)
    assert answer(embedded, resolved(embedded, token))[0] is NotSignedIn
    token = embedded.sign_in(tom)
    for _ in range(12 * 6 - 1):
        embedded.clock.advance(minutes=10)
        embedded.run(resolved(embedded, token))
    embedded.clock.advance(minutes=10, microseconds=-1)
    assert embedded.run(resolved(embedded, token))
    embedded.clock.advance(microseconds=1)
    assert answer(embedded, resolved(embedded, token))[0] is NotSignedIn
    assert sessions.LONGEST == 12 * HOUR


@pytest.mark.attack("AN15")
def test_signing_out_ends_that_session_alone(world: World) -> None:
    tom = world.member("technician")
    here, there = world.sign_in(tom), world.sign_in(tom)
    actor, since = world.run(resolved(world, here)), world.size()
    world.perform(sessions.sign_out, actor)
    world.perform(sessions.sign_out, actor)
    assert world.ledger(since) == ["session.end ok"] * 2
    assert answer(world, resolved(world, here))[0] is NotSignedIn
    assert world.run(resolved(world, there)).session != actor.session
    world.reopen()
    assert answer(world, resolved(world, here))[0] is NotSignedIn
