"""Guessing is slow for strangers and tells the auditor; whoever belongs here gets in all the same."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.hashes import CHEAP
from tests.operations.provers import by_passkey, with_passkey
from tests.refusals import answer
from tests.world import PASSWORD, Member, World
from vault.crypto.passwords import HashingQueue
from vault.crypto.tokens import new_token, token_hash
from vault.errors import NotSignedIn, TooMany
from vault.ledger.entry import Entry, decode
from vault.operations import attempts, presence
from vault.operations.house import operator, upkeep
from vault.operations.people import account, enrolling, sessions
from vault.operations.people.sessions import SignedIn
from vault.operations.presence import Presence
from vault.operations.vault import Vault
from vault.policy.attempts import LIMITS, WINDOW
from vault.values import Actor

HOME = Actor.nobody("192.0.2.7", "page")
WRONG = "a password that is nobody's own"
BODIES = "SELECT body FROM ledger_entry WHERE seq >= :since ORDER BY seq"


def stranger(number: int = 0) -> Actor:
    return Actor.nobody(f"203.0.113.{number % 250}", "page")


def tries(
    world: World, mail: str, by: Actor, known: str = "", password: str = WRONG, code: str = "000000"
) -> Any:
    return sessions.sign_in(world.vault, mail, password, code, by, "Firefox", known)


def at_home(world: World, who: "str | Member") -> SignedIn:
    """Sign in with a browser, which is known from then on."""
    member = world.member(who)
    return world.run(tries(world, member.view.mail, HOME, password=PASSWORD, code=world.code(member)))


async def reach(world: World, actor: Actor, key: str) -> None:
    """Use up a key's share, and try once more."""
    limit = LIMITS[key.partition(":")[0]]
    tried = (attempts.count(world.vault, actor, key) for _ in range(limit + 1))
    await asyncio.gather(*tried, return_exceptions=True)


def locked(world: World, member: Member) -> None:
    """What strangers do to an account."""
    world.run(reach(world, stranger(), f"account:{member.view.mail}"))


def alerts(world: World, since: int = 0) -> list[Entry]:
    found = (decode(body.encode()) for (body,) in world.sql(BODIES, since=since))
    return [entry for entry in found if entry.type == "attempt.limit"]


def counted(world: World, key: str) -> int:
    return sum(row[0] for row in world.sql("SELECT count FROM attempt WHERE id = :key", key=key))


# -- no weapon --------------------------------------------------------------------------------------------------------


@pytest.mark.attack("AN01", "DO06")
def test_a_known_browser_and_a_passkey_get_in_while_strangers_lock_the_account(world: World) -> None:
    key = with_passkey(world, "technician")
    tom = world.member("technician")
    known = at_home(world, tom).known_browser
    locked(world, tom)
    right = {"password": PASSWORD, "code": world.code(tom)}
    assert answer(world, tries(world, tom.view.mail, HOME, **right))[0] is TooMany, "it is locked"
    assert world.run(tries(world, tom.view.mail, stranger(9), known, **right)).session.person.id == tom.id
    assert by_passkey(world, key).session.person.id == tom.id
    world.reopen()
    assert answer(world, tries(world, tom.view.mail, HOME))[0] is TooMany, "as it was before the restart"
    code = world.code(tom)
    assert world.run(tries(world, tom.view.mail, HOME, known, PASSWORD, code))
    assert by_passkey(world, key)


@pytest.mark.attack("AN02", "DO06")
def test_when_strangers_have_had_their_share_of_all_tries_the_staff_still_gets_in(world: World) -> None:
    key, clara = with_passkey(world, "coordinator"), world.member("coordinator")
    known = at_home(world, clara).known_browser
    own = counted(world, f"account:{clara.view.mail}")
    world.run(reach(world, stranger(), "everybody:"))
    right = {"password": PASSWORD, "code": world.code(clara)}
    assert answer(world, tries(world, clara.view.mail, stranger(1), **right))[0] is TooMany
    assert counted(world, f"account:{clara.view.mail}") == own, "no stranger was counted against the account"
    assert world.run(tries(world, clara.view.mail, HOME, known, **right))
    assert by_passkey(world, key)
    assert [(entry.actor, dict(entry.ids)) for entry in alerts(world)] == [("nobody", {"sort": "everybody"})]


@pytest.mark.attack("AN01", "DO06")
def test_a_known_browser_is_counted_by_itself_and_waits_by_itself(world: World) -> None:
    tom = world.member("technician")
    stolen, kept = (at_home(world, tom).known_browser for _ in range(2))
    since = world.size()
    for _ in range(LIMITS["browser"]):
        assert answer(world, tries(world, tom.view.mail, stranger(), stolen))[0] is NotSignedIn
    right = {"password": PASSWORD, "code": world.code(tom)}
    assert answer(world, tries(world, tom.view.mail, stranger(), stolen, **right))[0] is TooMany
    assert counted(world, f"account:{tom.view.mail}") == 2, "nothing of it was counted against the account"
    assert world.run(tries(world, tom.view.mail, HOME, kept, **right)), "nor against another browser"
    (alert,) = alerts(world, since)
    assert dict(alert.ids) == {"sort": "browser", "person": tom.id}


@pytest.mark.attack("AN01", "AN04", "DO06")
@pytest.mark.parametrize(
    "token", ["another's", "forged", "moved", "late", "forgotten", "garbage", "a session's"]
)
def test_what_only_looks_like_a_known_browser_gets_no_further_than_a_stranger(
    world: World, token: str
) -> None:
    tom, clara = world.member("technician"), world.member("coordinator")
    session = at_home(world, tom)
    known = session.known_browser
    if token == "another's":
        known = at_home(world, clara).known_browser
    elif token == "forged":
        mine = new_token("vk_dev")
        world.sql("UPDATE known_browser SET token_hash = :mine", mine=token_hash(mine))
        known = mine
    elif token == "moved":
        known = at_home(world, clara).known_browser
        world.sql("UPDATE known_browser SET person_id = :tom", tom=tom.id)
    elif token == "late":
        world.clock.advance(days=90)
    elif token == "forgotten":
        actor = world.run(sessions.resolve(world.vault, session.token, HOME.source, "page"))
        world.perform(account.sign_out_everywhere, actor)
    elif token == "garbage":
        known = "vk_dev_\ud800"
    else:
        known = session.token
    locked(world, tom)
    code = world.code(tom)
    refused = answer(world, tries(world, tom.view.mail, stranger(), known, PASSWORD, code))
    assert refused[0] is TooMany
    assert world.sql("SELECT id FROM attempt WHERE id LIKE 'browser:%'") == []


def test_a_browser_is_known_for_pages_alone(embedded: World) -> None:
    tom = embedded.member("technician")
    embedded.sign_in(tom)
    assert embedded.sql("SELECT id FROM known_browser") == []
    known = at_home(embedded, tom).known_browser
    assert known.startswith("vk_dev_")
    embedded.clock.advance(days=92)
    embedded.run(operator.confirm_clock(embedded.vault))
    embedded.run(upkeep.sweep(embedded.vault))
    assert embedded.sql("SELECT id FROM known_browser") == [], "and not for ever"


# -- the alert --------------------------------------------------------------------------------------------------------


@pytest.mark.attack("AN01", "AN02")
def test_the_first_try_too_many_is_told_once_a_window_and_names_whose_account_it_is(world: World) -> None:
    tom, since = world.member("technician"), world.size()
    for number in range(LIMITS["account"] + 5):
        answer(world, tries(world, tom.view.mail, stranger(number)))
    (alert,) = alerts(world, since)
    assert (alert.outcome, alert.actor, alert.session) == ("ok", "nobody", "")
    assert dict(alert.ids) == {"sort": "account", "person": tom.id}
    assert not alert.rows
    assert not alert.disclosed
    world.reopen()
    answer(world, tries(world, tom.view.mail, stranger(77)))
    assert len(alerts(world, since)) == 1
    world.clock.advance(microseconds=WINDOW)
    for number in range(LIMITS["account"] + 5):
        answer(world, tries(world, tom.view.mail, stranger(number)))
    assert len(alerts(world, since)) == 2, "the next window has an alert of its own"


@pytest.mark.attack("AN02")
def test_one_password_tried_on_fifty_accounts_slows_its_source_and_is_told(embedded: World) -> None:
    """Five rounds over fifty accounts, of which only some are there."""
    since, told = embedded.size(), Counter[str]()
    names = [member.view.mail for member in embedded.staff.values()]
    names += [f"somebody-{number}@agency.example" for number in range(50 - len(names))]

    async def sprayed() -> None:
        for _ in range(5):
            for name in names:
                try:
                    await tries(embedded, name, stranger(1))
                except (NotSignedIn, TooMany) as refusal:
                    told[type(refusal).__name__] += 1

    embedded.run(sprayed())
    assert told == {"NotSignedIn": LIMITS["source"], "TooMany": 250 - LIMITS["source"]}
    assert [dict(entry.ids) for entry in alerts(embedded, since)] == [{"sort": "source"}]


@pytest.mark.attack("AN02")
def test_a_flood_of_made_up_accounts_and_addresses_grows_the_ledger_by_no_more_than_its_share(
    world: World,
) -> None:
    since, tom = world.size(), world.member("technician")

    async def flood() -> None:
        for number in range(LIMITS["alert"] * 2):
            key = f"account:nobody-{number}@agency.example"
            await reach(world, stranger(number), key)

    world.run(flood())
    assert len(alerts(world, since)) == LIMITS["alert"]
    world.run(reach(world, stranger(), f"account:{tom.view.mail}"))
    assert [entry.ids.get("person") for entry in alerts(world, since)][-1] == tom.id, "no flood hides this"
    world.clock.advance(microseconds=WINDOW)
    world.run(reach(world, stranger(), "source:203.0.113.1"))
    assert len(alerts(world, since)) == LIMITS["alert"] + 2


@pytest.mark.attack("AN01", "AN07")
def test_who_guesses_at_codes_in_a_session_is_named_with_it(embedded: World) -> None:
    tom, since = embedded.actor("technician"), embedded.size()
    deed = presence.Deed("do a thing", ("thing",))
    for _ in range(LIMITS["code"] + 2):
        answer(embedded, presence.prove(embedded.vault, tom, deed, Presence(code="000000")))
    (alert,) = alerts(embedded, since)
    assert (alert.actor, alert.session) == (tom.id, tom.session)
    assert dict(alert.ids) == {"sort": "code", "person": tom.id}


@pytest.mark.attack("AN19", "IN02")
def test_guesses_at_invitations_are_told_too_also_while_the_clock_is_in_doubt(embedded: World) -> None:
    since = embedded.size()
    for _ in range(LIMITS["enrol"] + 2):
        answer(embedded, enrolling.begin(embedded.vault, stranger(), "XXXX-XXXX"))
    embedded.clock.jump(hours=1)
    for _ in range(LIMITS["account"] + 1):
        answer(embedded, tries(embedded, "tom@agency.example", stranger()))
    sorts = [entry.ids["sort"] for entry in alerts(embedded, since)]
    assert sorts == ["enrol", "account"]


# -- before the hash --------------------------------------------------------------------------------------------------


class Counting(HashingQueue):
    """The real queue, which remembers how many hashes it was asked for."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.asked = 0

    async def verify(self, *args: Any) -> bool:
        self.asked += 1
        return await super().verify(*args)


@pytest.mark.attack("AN03", "DO01")
def test_of_two_hundred_wrong_sign_ins_at_two_nodes_no_more_are_hashed_than_the_limit_allows(
    world: World,
) -> None:
    """On PostgreSQL two nodes share the burst; on SQLite there is one, and it takes all of it."""
    tom = world.member("technician")
    queues, nodes = [Counting(), Counting()], [world.vault]
    world.vault.hashing = queues[0]
    if world.ground.cluster:
        nodes.append(second(world, queues[1]))
    try:
        burst = [
            sessions.sign_in(nodes[number % len(nodes)], tom.view.mail, WRONG, "000000", stranger(number))
            for number in range(200)
        ]
        answers = Counter(type(one) for one in world.together(*burst))
        assert sum(queue.asked for queue in queues) == LIMITS["account"]
        assert answers.keys() <= {NotSignedIn, TooMany}
        assert answers[TooMany] >= 200 - LIMITS["account"]
        assert counted(world, f"account:{tom.view.mail}") == 200
        assert len(alerts(world)) == 1, "and one alert between them"
        assert all(node.writer.batches for node in nodes), "each has counted"
    finally:
        for node in nodes[1:]:
            world.run(node.close())
        queues[1].close()


def second(world: World, hashing: HashingQueue) -> Vault:
    """Another node on the same databases, on the same loop."""

    async def start() -> Vault:
        return Vault.start(world.settings, world.clock, hashing)

    return world.run(start())


@pytest.mark.attack("AN03")
def test_a_sign_in_that_succeeds_meanwhile_gives_strangers_no_new_share(world: World) -> None:
    tom = world.member("technician")
    for number in range(LIMITS["account"] - 1):
        answer(world, tries(world, tom.view.mail, stranger(number)))
    world.run(tries(world, tom.view.mail, HOME, password=PASSWORD, code=world.code(tom)))
    assert answer(world, tries(world, tom.view.mail, stranger()))[0] is TooMany


@pytest.mark.attack("AN01", "AN17")
def test_a_clock_set_back_gives_nobody_a_new_share(world: World) -> None:
    tom = world.member("technician")
    locked(world, tom)
    for span in ({"hours": -1}, {"minutes": 30}, {"hours": 1}):
        world.clock.jump(**span)
        code = world.code(tom)
        refused = answer(world, tries(world, tom.view.mail, stranger(), password=PASSWORD, code=code))
        assert refused[0] is TooMany, "in doubt, time stands still for the limit too"
