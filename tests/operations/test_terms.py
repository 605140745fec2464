"""Terms hold thirty days after they were posted, on any clock and whatever somebody does to their rows."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from tests.refusals import answer, refused
from tests.world import World
from vault.errors import ClockInDoubt, Conflict, Denied, Invalid, NotFound, Sealed, Tampered
from vault.ledger.entry import decode
from vault.model.tables import Terms
from vault.model.terms import TermsView
from vault.operations.customers import terms
from vault.operations.customers.terms import NOTICE
from vault.operations.house import operator
from vault.storage.reading import Reading
from vault.storage.rows import digest, values_of
from vault.values import DAY, Actor, to_datetime

HOST = Actor.host()
ANYBODY = Actor.nobody("198.51.100.9", "page")
FIRST = "# Our terms\n\nWe ask for a login only where the service cannot be provided without it."
SECOND = FIRST + "\n\nWhat you hand over is deleted when it is no longer needed."
THIRD = SECOND.replace("deleted", "destroyed")


def post(world: World, text: str, after: int = 0) -> TermsView:
    return world.run(terms.publish(world.vault, HOST, text, after))


def shown(world: World) -> int:
    """The version that a customer would accept now; 0 for none."""
    found = world.read(lambda reading, _actor: terms.shown_for(reading), ANYBODY)
    return found.id if found else 0


def held(world: World) -> tuple[int, list[int]]:
    """The version in force, 0 for none, and those that are announced."""

    def look(reading: Reading, _actor: Actor) -> tuple[int, list[int]]:
        now = terms.in_force(reading)
        return now.id if now else 0, [coming.id for coming in terms.announced(reading)]

    return world.read(look, ANYBODY)


def pass_days(world: World, days: int) -> None:
    """Days go by in which the vault records something now and then, as it does."""
    for _ in range(days):
        world.clock.advance(days=1)
        world.run(operator.confirm_clock(world.vault))


@pytest.mark.promise("P4")
def test_every_version_holds_exactly_thirty_days_after_its_posting_the_first_one_too(world: World) -> None:
    assert (held(world), shown(world)) == ((0, []), 0)
    posted = post(world, FIRST)
    assert posted.effective_at - posted.posted_at == to_datetime(30 * DAY) - to_datetime(0)
    assert posted.posted_at == to_datetime(world.clock.wall())
    assert (posted.state, held(world), shown(world)) == ("announced", (0, [1]), 1)
    world.clock.advance(days=12)
    post(world, SECOND, 1)
    assert (held(world), shown(world)) == ((0, [1, 2]), 1)
    world.clock.advance(days=18, microseconds=-1)
    assert (held(world), shown(world)) == ((0, [1, 2]), 1)
    world.clock.advance(microseconds=1)
    assert (held(world), shown(world)) == ((1, [2]), 1)
    world.clock.advance(days=12, microseconds=-1)
    assert held(world) == (1, [2])
    world.clock.advance(microseconds=1)
    assert (held(world), shown(world)) == ((2, []), 2)


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17")
def test_a_clock_in_doubt_brings_no_version_into_force_and_none_is_posted(world: World) -> None:
    post(world, FIRST)
    world.clock.jump(days=31)
    assert held(world) == (0, [1])
    with refused(world, ClockInDoubt, "clock.doubt ok", "terms.publish"):
        post(world, SECOND, 1)
    assert (held(world), shown(world)) == ((0, [1]), 1)
    world.clock.jump(days=-31)
    pass_days(world, 30)
    assert held(world) == (1, [])
    world.clock.jump(days=-20)
    assert held(world) == (1, []), "a clock set back takes nothing out of force"


@pytest.mark.promise("P4")
@pytest.mark.attack("AN17")
def test_a_clock_that_stands_ahead_at_the_start_brings_nothing_into_force(world: World) -> None:
    post(world, FIRST)
    world.clock.jump(days=30)
    world.reopen()
    assert held(world) == (0, [1])


@pytest.mark.promise("P6")
def test_a_posting_is_recorded_with_the_digest_of_its_words(world: World) -> None:
    since = world.size()
    posted = post(world, FIRST)
    (body,) = world.sql("SELECT body FROM ledger_entry WHERE seq = :since", since=since)[0]
    entry = decode(body.encode())
    assert (entry.type, entry.outcome, entry.actor) == ("terms.publish", "ok", "host")
    assert entry.ids == {"version": "1", "digest": sha256(FIRST.encode()).hexdigest()}
    assert entry.ids["digest"] == posted.digest
    assert [row for row, _ in entry.rows] == ["terms:1"]
    assert to_datetime(entry.time) == posted.posted_at


def test_what_is_posted_was_compared_with_the_version_before(world: World) -> None:
    drafted = world.run(terms.draft(world.vault, HOST, FIRST))
    assert (drafted.version, drafted.changes) == (1, ())
    assert held(world) == (0, []), "a draft posts nothing"
    post(world, FIRST)
    drafted = world.run(terms.draft(world.vault, HOST, SECOND))
    assert [paragraph.how for paragraph in drafted.changes] == ["same", "same", "added"]
    assert drafted.effective_at - drafted.posted_at == to_datetime(NOTICE) - to_datetime(0)
    with refused(world, Conflict, "terms.publish", match="posted meanwhile"):
        post(world, SECOND, 0)
    assert post(world, SECOND, 1).changes == drafted.changes
    with refused(world, Conflict, "terms.publish", match="posted meanwhile"):
        post(world, THIRD, 1)


def test_the_same_words_are_no_new_version_however_the_file_is_wrapped(world: World) -> None:
    post(world, SECOND)
    wrapped = "\ufeff" + SECOND.replace("without it.", "without\r\n   it.  ").replace("\n\n", "\n \n\n")
    with refused(world, Conflict, "terms.publish", match="already"):
        post(world, wrapped, 1)
    assert answer(world, terms.draft(world.vault, HOST, wrapped))[0] is Conflict


UNREADABLE = {
    "empty": "",
    "short": "too short",
    "blank": " \n" * 50,
    "long": "x" * 30_001,
    "many paragraphs": "a word\n\n" * 401,
    "control": "our terms \x00 with a zero",
    "direction": "our terms \u202e turned",
    "surrogate": "our terms \ud800 half",
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_terms_that_nobody_can_read_are_refused(embedded: World, text: str) -> None:
    since = embedded.size()
    for work in (terms.publish(embedded.vault, HOST, text, 0), terms.draft(embedded.vault, HOST, text)):
        said = answer(embedded, work)
        assert said[0] is Invalid
        assert not text.strip() or text not in said[1]
    assert embedded.size() == since


def test_only_the_hosts_operator_posts(world: World) -> None:
    administrator = world.actor("administrator")
    with refused(world, Denied, "terms.publish"):
        world.run(terms.publish(world.vault, administrator, FIRST, 0))
    for actor in (administrator, ANYBODY):
        assert answer(world, terms.draft(world.vault, actor, FIRST))[0] is Denied
    with pytest.raises(Denied):
        world.run(terms.publish(world.vault, ANYBODY, FIRST, 0))
    assert held(world) == (0, [])


def test_a_sealed_vault_shows_terms_and_posts_none(world: World) -> None:
    post(world, FIRST)
    world.seal()
    assert shown(world) == 1
    with refused(world, Sealed, "terms.publish", match="vouch for them"):
        post(world, SECOND, 1)
    world.unseal()
    assert post(world, SECOND, 1).version == 2


BENT: dict[str, str] = {
    "the newest is hidden": "DELETE FROM terms WHERE id = 2",
    "all are hidden": "DELETE FROM terms",
    "an earlier one is hidden": "DELETE FROM terms WHERE id = 1",
    "the newest takes effect later": "UPDATE terms SET effective_at = effective_at + 1 WHERE id = 2",
    "the newest was posted later": "UPDATE terms SET posted_at = posted_at + 1 WHERE id = 2",
    "the newest has other words": "UPDATE terms SET text = 'We may sell what you hand over.' WHERE id = 2",
    "the newest is rolled back": "UPDATE terms SET text = (SELECT text FROM terms WHERE id = 1) WHERE id = 2",
    "the newest is renumbered": "UPDATE terms SET id = 3 WHERE id = 2",
    "one is slipped in": "INSERT INTO terms SELECT 3, text, posted_at, effective_at, salt FROM terms WHERE id = 1",
}  # fmt: skip
USES: dict[str, Callable[[World], Any]] = {
    "shown_for": shown,
    "in_force, announced": held,
    "everything": lambda world: world.read(terms.everything, ANYBODY),
    "draft": lambda world: world.run(terms.draft(world.vault, HOST, THIRD)),
    "publish": lambda world: post(world, THIRD, 2),
}


@pytest.mark.promise("P6")
@pytest.mark.attack("CR03")
@pytest.mark.parametrize("bent", BENT)
def test_a_version_hidden_changed_or_rolled_back_is_noticed_at_use(world: World, bent: str) -> None:
    post(world, FIRST)
    world.clock.advance(days=1)
    post(world, SECOND, 1)
    world.reopen()
    world.sql(BENT[bent])
    for name, use in USES.items():
        if bent == "an earlier one is hidden" and name in {"draft", "publish"}:
            continue  # these read the newest alone
        with pytest.raises(Tampered):
            use(world)


@pytest.mark.promise("P6")
def test_a_version_that_holds_is_not_shown_over_one_that_was_bent_before_it(world: World) -> None:
    """The older ones are not read to say what holds; whoever asks for them is told."""
    post(world, FIRST)
    world.clock.advance(days=1)
    post(world, SECOND, 1)
    world.clock.advance(days=31)
    world.sql("UPDATE terms SET text = 'We may sell whatever you hand over.' WHERE id = 1")
    assert shown(world) == 2
    with pytest.raises(Tampered):
        world.read(terms.everything, ANYBODY)
    with pytest.raises(Tampered):
        world.read(terms.one, ANYBODY, 1)


@pytest.mark.promise("P6")
def test_a_version_that_is_hidden_together_with_its_index_is_found_by_the_doctor(embedded: World) -> None:
    post(embedded, FIRST)
    embedded.clock.advance(days=1)
    post(embedded, SECOND, 1)
    assert {one.subject: one.level for one in embedded.run(operator.doctor(embedded.vault))}["rows"] == "ok"
    embedded.sql("DELETE FROM terms WHERE id = 2")
    embedded.sql("DELETE FROM row_head WHERE row_id = 'terms:2'")
    assert shown(embedded) == 1, "nothing at hand tells of it"
    assert {one.subject: one.level for one in embedded.run(operator.doctor(embedded.vault))}[
        "rows"
    ] == "alarm"


@pytest.mark.promise("P6")
def test_terms_that_were_forged_while_the_vault_was_sealed_are_refused_after_the_unseal(world: World) -> None:
    """A sealed vault cannot tell; that is why it posts none itself, and vouches for none afterwards."""
    post(world, FIRST)
    world.seal()
    world.sql("INSERT INTO terms SELECT 2, text, 1, 1, salt FROM terms WHERE id = 1")
    rows = world.read(lambda reading, _actor: reading.find_all_unchecked(Terms), ANYBODY)
    forged = digest("terms", values_of(rows[1]))
    world.sql("INSERT INTO row_head VALUES ('terms:2', 1, :digest, :tag)", digest=forged, tag=b"")
    assert shown(world) == 2
    world.unseal()
    with pytest.raises(Tampered):
        shown(world)


def test_a_version_that_is_posted_while_somebody_reads_is_no_alarm(world: World) -> None:
    post(world, FIRST)
    world.clock.advance(days=1)
    post(world, SECOND, 1)
    names = ("id", "text", "posted_at", "effective_at", "salt")
    row = dict(zip(names, world.sql(f"SELECT {', '.join(names)} FROM terms WHERE id = 2")[0], strict=True))
    world.sql("DELETE FROM terms WHERE id = 2")

    def look(reading: Reading, _actor: Actor) -> list[int]:
        honest = reading.newest_digest

        def late(row_id: str) -> bytes | None:
            if row_id == "terms:2" and not world.sql("SELECT id FROM terms WHERE id = 2"):
                world.sql(f"INSERT INTO terms ({', '.join(row)}) VALUES (:{', :'.join(row)})", **row)
            return honest(row_id)

        reading.newest_digest = late  # type: ignore[method-assign]
        return [coming.id for coming in terms.announced(reading)]

    assert world.run(world.vault.read_aside(look, ANYBODY)) == [1, 2]


def test_what_anybody_may_read_is_every_version_with_what_it_changed(world: World) -> None:
    nothing = world.read(terms.everything, ANYBODY)
    assert (nothing.in_force, nothing.announced) == (None, ())
    for after, text in enumerate((FIRST, SECOND, THIRD)):
        post(world, text, after)
        world.clock.advance(days=15)
    found = world.read(terms.everything, ANYBODY)
    assert found.in_force is not None
    assert (found.in_force.version, found.in_force.state) == (2, "in force")
    assert [(coming.version, coming.state) for coming in found.announced] == [(3, "announced")]
    assert [words for p in found.announced[0].changes if p.how == "changed" for words in p.words] == [
        ("same", "What you hand over is"),
        ("removed", "deleted"),
        ("added", "destroyed"),
        ("same", "when it is no longer needed."),
    ]
    for version, text in enumerate((FIRST, SECOND, THIRD), 1):
        seen = world.read(terms.one, ANYBODY, version)
        state = ("former", "in force", "announced")[version - 1]
        assert (seen.text, seen.state, bool(seen.changes)) == (text, state, version > 1)
    for absent in (-1, 0, 4, 10**30):
        with pytest.raises(NotFound):
            world.read(terms.one, ANYBODY, absent)
