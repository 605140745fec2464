"""A command line signs in by a code: approved by its person for that one, collected once, renewed once a time."""

from collections import Counter
from typing import Any

import pytest

from tests.refusals import answer, refused
from tests.world import World
from vault.crypto.tokens import new_token, new_user_code, token_hash, user_code_hash
from vault.errors import (
    Denied,
    NotFound,
    NotSignedIn,
    ProofNeeded,
    Sealed,
    StaleProof,
    Tampered,
    TooMany,
)
from vault.operations import presence
from vault.operations.people import account, device, refreshing, sessions, staff
from vault.operations.people.device import DeviceAsked
from vault.operations.people.refreshing import SignedInDevice
from vault.operations.presence import Presence
from vault.policy.attempts import LIMITS
from vault.values import Actor

LAPTOP = Actor.nobody("198.51.100.4", "cli")
THIEF = Actor.nobody("203.0.113.66", "cli")


def asked(world: World) -> DeviceAsked:
    return world.run(device.ask(world.vault, LAPTOP, "command line"))


def allow(world: World, which: DeviceAsked, who: str = "technician") -> None:
    actor, given = world.actor(who), world.presence(who)
    world.run(device.answer(world.vault, actor, which.user_code, True, given))


def collect(world: World, which: DeviceAsked) -> Any:
    return world.run(device.collect(world.vault, LAPTOP, which.device_code))


def signed_in(world: World, who: str = "technician") -> SignedInDevice:
    which = asked(world)
    allow(world, which, who)
    result = collect(world, which)
    assert isinstance(result, SignedInDevice)
    return result


def refreshed(world: World, token: str, by: Actor = LAPTOP) -> Any:
    return world.run(refreshing.refresh(world.vault, by, token))


def acts(world: World, token: str) -> bool:
    try:
        return bool(world.run(sessions.resolve(world.vault, token, LAPTOP.source, "cli")))
    except NotSignedIn:
        return False


@pytest.mark.attack("AN13", "AU06")
def test_what_its_person_allows_is_collected_once_as_a_new_session(world: World) -> None:
    tom = world.actor("technician")
    which = asked(world)
    assert which.verification_uri == f"{world.settings.origin}/device"
    assert which.verification_uri_complete == f"{which.verification_uri}#{which.user_code}"
    assert (which.expires_in, which.interval) == (600, 5)
    view = world.run(device.look(world.vault, tom, which.user_code.lower().replace("-", " ")))
    assert (view.client, view.source) == ("command line", LAPTOP.source)
    assert collect(world, which) == "authorization_pending"
    since = world.size()
    allow(world, which)
    result = collect(world, which)
    assert world.ledger(since) == ["presence.prove ok", "device.allow ok", "session.start ok"]
    assert result.session.person.id == tom.id
    actor = world.run(sessions.resolve(world.vault, result.token, LAPTOP.source, "cli"))
    assert actor.session != tom.session
    assert acts(world, tom_token := world.member("technician").token)
    assert tom_token != result.token
    mine = {one.id: one for one in world.read(sessions.own_sessions, actor)}
    assert (mine[actor.session].channel, mine[actor.session].source) == ("cli", LAPTOP.source)
    assert mine[actor.session].here
    assert collect(world, which) == "invalid_grant", "once"
    body = world.sql("SELECT body FROM ledger_entry ORDER BY seq DESC LIMIT 1")[0][0]
    assert f'"actor":"{tom.id}"' in body
    assert f'"session":"{actor.session}"' in body


@pytest.mark.promise("P9")
def test_neither_code_nor_address_nor_token_is_readable_in_the_database(embedded: World) -> None:
    which = asked(embedded)
    result = signed_in(embedded)
    stored = repr(embedded.sql("SELECT * FROM device_sign_in") + embedded.sql("SELECT * FROM session"))
    for secret in (
        which.device_code,
        which.user_code,
        which.user_code.replace("-", ""),
        LAPTOP.source,
        result.token,
        *result.refresh.split("."),
    ):
        assert secret not in stored
        assert secret not in repr((which, result))


@pytest.mark.attack("AZ16", "AN06")
def test_of_many_polls_for_one_allowed_code_one_gets_the_session(world: World) -> None:
    before = len(world.sql("SELECT id FROM session")) + 1  # the browser in which it is allowed
    which = asked(world)
    allow(world, which)
    since = world.size()
    polls = (device.collect(world.vault, LAPTOP, which.device_code) for _ in range(20))
    results = Counter(one if isinstance(one, str) else type(one) for one in world.together(*polls))
    assert results == {SignedInDevice: 1, "invalid_grant": 19}
    assert world.ledger(since) == ["session.start ok"]
    assert len(world.sql("SELECT id FROM session")) == before + 1


@pytest.mark.attack("AZ16")
def test_of_many_answers_one_counts(world: World) -> None:
    which = asked(world)
    tom, clara = world.actor("technician"), world.actor("coordinator")
    answers = world.together(
        device.answer(world.vault, tom, which.user_code, True, world.presence("technician")),
        device.answer(world.vault, clara, which.user_code, True, world.presence("coordinator")),
        device.answer(world.vault, clara, which.user_code, False),
    )
    assert Counter(map(type, answers)) == {type(None): 1, NotFound: 2}


def test_what_is_pending_hurried_refused_late_or_unknown_says_so(embedded: World) -> None:
    which, refused_one = asked(embedded), asked(embedded)
    assert collect(embedded, which) == "authorization_pending"
    assert collect(embedded, which) == "slow_down"
    embedded.clock.advance(seconds=5)
    assert collect(embedded, which) == "authorization_pending"
    tom = embedded.actor("technician")
    since = embedded.size()
    embedded.run(device.answer(embedded.vault, tom, refused_one.user_code, False))
    assert embedded.ledger(since) == ["device.deny ok"], "to refuse takes no proof"
    assert collect(embedded, refused_one) == "access_denied"
    for stranger in (new_token("vk_dvc"), new_token("vk_ses"), which.device_code[:-1], "", "\ud800"):
        assert embedded.run(device.collect(embedded.vault, LAPTOP, stranger)) == "invalid_grant"
    embedded.clock.advance(minutes=10)
    assert collect(embedded, which) == "expired_token"
    late = device.answer(embedded.vault, tom, which.user_code, True, Presence(code="000000"))
    assert answer(embedded, late)[0] is NotFound
    embedded.seal()
    for work in (
        device.ask(embedded.vault, LAPTOP),
        device.collect(embedded.vault, LAPTOP, which.device_code),
        refreshing.refresh(embedded.vault, LAPTOP, "x"),
    ):
        assert answer(embedded, work)[0] is Sealed


@pytest.mark.attack("AN07", "AZ11")
def test_a_proof_for_one_command_line_lets_in_no_other(world: World) -> None:
    mine, thiefs = asked(world), world.run(device.ask(world.vault, THIEF))
    tom = world.actor("technician")
    with pytest.raises(ProofNeeded) as needed:
        world.run(device.answer(world.vault, tom, mine.user_code, True))
    challenge = needed.value.challenge
    assert challenge["deed"] == f"let a command line at {LAPTOP.source} sign in as you"
    world.run(presence.prove_here(world.vault, tom, challenge["id"], world.presence("technician")))
    given = Presence(challenge=challenge["id"])
    with refused(world, StaleProof):
        world.run(device.answer(world.vault, tom, thiefs.user_code, True, given))
    assert world.run(device.collect(world.vault, THIEF, thiefs.device_code)) == "authorization_pending"
    world.run(device.answer(world.vault, tom, mine.user_code, True, given))
    assert isinstance(collect(world, mine), SignedInDevice)
    assert world.sql("SELECT count(*) FROM proof WHERE spent_at IS NULL") == [(0,)]


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
def test_who_only_writes_to_the_database_lets_nobody_in(world: World) -> None:
    tom = world.actor("technician")
    allowed, mine = asked(world), asked(world)
    allow(world, allowed)
    ((tag,),) = world.sql("SELECT tag FROM device_sign_in WHERE state = 'allowed'")
    for given in (b"", bytes(tag)):
        world.sql(
            "UPDATE device_sign_in SET state = 'allowed', person_id = :tom, tag = :tag WHERE device_hash = :mine",
            tom=tom.id,
            tag=given,
            mine=token_hash(mine.device_code),
        )
        with pytest.raises(Tampered):
            collect(world, mine)
    world.sql(
        "UPDATE device_sign_in SET person_id = :other WHERE device_hash = :allowed",
        other=world.member("auditor").id,
        allowed=token_hash(allowed.device_code),
    )
    with pytest.raises(Tampered):
        collect(world, allowed)


@pytest.mark.promise("P6")
@pytest.mark.attack("CR01")
@pytest.mark.parametrize("moved", ["user_hash", "device_hash", "sealed", "expires_at"])
def test_a_code_that_was_given_another_device_behind_our_back_is_not_answered(
    embedded: World, moved: str
) -> None:
    mine, thiefs = asked(embedded), embedded.run(device.ask(embedded.vault, THIEF))
    tom = embedded.actor("technician")
    rows = {bytes(row.user_hash): row._mapping for row in embedded.sql("SELECT * FROM device_sign_in")}
    own, his = rows[user_code_hash(mine.user_code)], rows[user_code_hash(thiefs.user_code)]
    embedded.sql("DELETE FROM device_sign_in WHERE id = :id", id=own["id"])
    taken = own[moved] if moved != "expires_at" else own[moved] + 1
    embedded.sql(f"UPDATE device_sign_in SET {moved} = :taken WHERE id = :id", taken=taken, id=his["id"])
    code = mine.user_code if moved == "user_hash" else thiefs.user_code
    with pytest.raises(Tampered):
        embedded.run(device.look(embedded.vault, tom, code))
    with pytest.raises(Tampered):
        embedded.run(device.answer(embedded.vault, tom, code, True, embedded.presence("technician")))


@pytest.mark.attack("AN03")
def test_guesses_at_user_codes_are_counted_before_they_are_judged(world: World) -> None:
    which, tom = asked(world), world.actor("technician")
    guesses = [device.look(world.vault, tom, new_user_code()) for _ in range(40)]
    assert Counter(map(type, world.together(*guesses))) == {NotFound: LIMITS["enrol"], TooMany: 10}
    assert answer(world, device.look(world.vault, tom, which.user_code))[0] is TooMany
    assert answer(world, device.answer(world.vault, tom, which.user_code, False))[0] is TooMany
    assert world.run(device.look(world.vault, world.actor("auditor"), which.user_code))
    nobody = Actor.nobody("192.0.2.7", "page")
    for work in (
        device.look(world.vault, nobody, which.user_code),
        device.answer(world.vault, nobody, which.user_code, True, Presence("000000")),
    ):
        assert answer(world, work)[0] is NotSignedIn


@pytest.mark.attack("DO01")
def test_only_so_many_wait_and_what_is_late_is_forgotten(
    embedded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "MOST_WAITING", 3)
    since = embedded.size()
    for _ in range(3):
        asked(embedded)
    assert answer(embedded, device.ask(embedded.vault, LAPTOP))[0] is TooMany
    embedded.clock.advance(minutes=21)
    asked(embedded)
    assert len(embedded.sql("SELECT id FROM device_sign_in")) == 1
    assert embedded.ledger(since) == [], "asking for a code leaves no entry"


@pytest.mark.attack("AN16")
def test_a_session_is_renewed_for_twelve_hours_and_not_longer(world: World) -> None:
    first = signed_in(world)
    since, token, refresh = world.size(), first.token, first.refresh
    for hour in range(11):
        world.clock.advance(minutes=15 if hour % 2 else 60)
        assert not acts(world, token), "unused for a quarter of an hour"
        renewed = refreshed(world, refresh)
        assert acts(world, renewed.token)
        assert not acts(world, token)
        assert renewed.session.expires_at == first.session.expires_at
        assert len({refresh, renewed.refresh, token, renewed.token}) == 4
        token, refresh = renewed.token, renewed.refresh
    assert world.ledger(since) == ["session.refresh ok"] * 11
    world.clock.advance(hours=5)
    assert refreshed(world, refresh) == "invalid_grant"
    assert not acts(world, token)


@pytest.mark.attack("AN26")
@pytest.mark.parametrize("generations", [1, 2, 5])
def test_a_refresh_token_that_comes_again_ends_the_session_however_old_it_is(
    world: World, generations: int
) -> None:
    first, other = signed_in(world), signed_in(world, "auditor")
    stolen = newest = first.refresh
    for _ in range(generations):
        newest = refreshed(world, newest, THIEF).refresh
    since = world.size()
    assert refreshed(world, stolen) == "invalid_grant"
    assert world.ledger(since) == ["session.reuse ok"]
    told = world.sql("SELECT template, subject_id FROM outbox ORDER BY id DESC LIMIT 1")
    assert [tuple(row) for row in told] == [("staff.stolen", world.member("technician").id)]
    for token in (newest, stolen):
        assert refreshed(world, token, THIEF) == "invalid_grant"
    assert world.ledger(since) == ["session.reuse ok"], "a second time it is over already"
    assert refreshed(world, other.refresh) != "invalid_grant", "another's session goes on"


@pytest.mark.attack("AZ16")
def test_of_many_refreshes_with_one_token_at_most_one_works_and_the_session_ends(world: World) -> None:
    first = signed_in(world)
    refreshes = (refreshing.refresh(world.vault, LAPTOP, first.refresh) for _ in range(12))
    results = world.together(*refreshes)
    renewed = [one for one in results if isinstance(one, SignedInDevice)]
    assert len(renewed) == 1
    assert not any(isinstance(one, BaseException) for one in results)
    assert not acts(world, renewed[0].token)
    assert refreshed(world, renewed[0].refresh) == "invalid_grant"


@pytest.mark.attack("AN26")
def test_halves_of_refresh_tokens_and_those_of_others_renew_nothing_and_end_nothing(embedded: World) -> None:
    first, other = signed_in(embedded), signed_in(embedded, "auditor")
    family, _, current = first.refresh.partition(".")
    for wrong in (
        family,
        current,
        f"{current}.{family}",
        f"{new_token('vk_ref')}.{current}",
        f"{new_token('vk_ref')}.{new_token('vk_ref')}",
        f"{first.refresh}.",
        first.token,
        "",
        ".",
    ):
        assert refreshed(embedded, wrong, THIEF) == "invalid_grant"
    assert acts(embedded, first.token)
    mixed = f"{family}.{other.refresh.partition('.')[2]}"
    assert refreshed(embedded, mixed) == "invalid_grant"
    assert not acts(embedded, first.token), "who knows a family has held one of its tokens"
    assert acts(embedded, other.token)


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
def test_a_former_refresh_token_does_not_come_back_with_its_row(world: World) -> None:
    first = signed_in(world)
    former = token_hash(first.refresh.partition(".")[2])
    assert refreshed(world, first.refresh)
    world.sql("UPDATE session SET refresh_hash = :former WHERE refresh_hash IS NOT NULL", former=former)
    with pytest.raises(Tampered):
        refreshed(world, first.refresh)


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
def test_who_only_writes_to_the_database_renews_nobodys_session(world: World) -> None:
    victims, mine = signed_in(world, "technician"), signed_in(world, "auditor")
    family, _, current = mine.refresh.partition(".")
    victim, thief = world.member("technician").id, world.member("auditor").id
    own = {"family": token_hash(family), "current": token_hash(current)}
    changes: list[tuple[str, dict[str, Any]]] = [
        ("UPDATE session SET person_id = :victim WHERE refreshed_hash = :family", {"victim": victim}),
        ("UPDATE session SET expires_at = expires_at + 1 WHERE refreshed_hash = :family", {}),
    ]
    for statement, values in changes:
        world.sql(statement, family=own["family"], **values)
        with pytest.raises(Tampered):
            refreshed(world, mine.refresh)
        world.sql(
            "UPDATE session SET person_id = :thief, expires_at = :until WHERE refreshed_hash = :family",
            thief=thief,
            until=world.sql("SELECT max(created_at) FROM session")[0][0] + 12 * 3600 * 1_000_000,
            family=own["family"],
        )
    world.sql(
        "UPDATE session SET refresh_hash = NULL, refreshed_hash = NULL WHERE refreshed_hash = :family",
        family=own["family"],
    )
    world.sql(
        "UPDATE session SET refresh_hash = :current, refreshed_hash = :family"
        " WHERE person_id = :victim AND refreshed_hash IS NOT NULL",
        victim=victim,
        **own,
    )
    with pytest.raises(Tampered):
        refreshed(world, mine.refresh)
    assert victims.token


@pytest.mark.attack("AN15", "AN18", "AZ14")
@pytest.mark.parametrize("way", ["signed out", "everywhere", "password", "disabled"])
def test_what_ends_a_session_ends_its_renewal_and_what_waits_to_begin(world: World, way: str) -> None:
    begun, waiting = signed_in(world), asked(world)
    allow(world, waiting)
    tom = world.actor("technician")
    line = world.run(sessions.resolve(world.vault, begun.token, LAPTOP.source, "cli"))
    if way == "signed out":
        world.perform(sessions.sign_out, line)
    elif way == "everywhere":
        world.perform(account.sign_out_everywhere, tom)
    elif way == "password":
        given = world.presence("technician")
        world.run(account.change_password(world.vault, tom, "nine loud geese march past noon", given))
    else:
        world.perform(staff.disable, world.actor("administrator"), tom.id)
    assert not acts(world, begun.token)
    assert refreshed(world, begun.refresh) == "invalid_grant"
    if way in {"password", "disabled"}:
        assert collect(world, waiting) in {"access_denied", "invalid_grant"}


def test_a_proof_that_is_wrong_allows_nothing(embedded: World) -> None:
    which, tom = asked(embedded), embedded.actor("technician")
    with refused(embedded, Denied, "presence.prove"):
        embedded.run(device.answer(embedded.vault, tom, which.user_code, True, Presence(code="000000")))
    assert collect(embedded, which) == "authorization_pending"
