"""The one door: results only after the commit, refusals kept and undone, races with one winner, one chain for all."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from tests.storage.ground import away, findings, finished, spawn, verified
from tests.world import LOGIN, PASSWORD, World
from vault.crypto.envelope import Context
from vault.crypto.factors import current_code
from vault.crypto.tokens import new_token
from vault.errors import Conflict, Denied, NotFound, NotSignedIn, Unavailable, VaultError
from vault.ledger.entry import decode
from vault.model.messages import Begin
from vault.model.tables import Customer, RefusalCount
from vault.operations import presence
from vault.operations.customers import intake
from vault.operations.house import destruction
from vault.operations.leases import checkout
from vault.operations.people import sessions, staff
from vault.operations.presence import Deed, Presence
from vault.operations.services import tickets
from vault.storage.database import open_engine
from vault.storage.keys import Opening, Receipt
from vault.storage.unit import Unit, operation
from vault.storage.writer import MOST_IN_A_BATCH, MOST_WAITING
from vault.values import SECOND, Actor, Reason, new_id

CORE = Actor.core()
NOBODY = Actor.nobody("203.0.113.5", "intake")


@operation("storage.note")
def note(unit: Unit, _actor: Actor, name: str, wrong: str = "") -> str:
    """Write a customer's row, then go wrong in one of many ways."""
    customer = Customer(id=new_id("cus"), name=name, mail="x@example.com", created_at=unit.now)
    unit.insert(customer)
    if wrong == "refuses":
        raise Denied("no")
    if wrong == "breaks":
        raise RuntimeError("canary-in-an-exception")
    if wrong == "collides":
        unit.insert(Customer(id=customer.id, name=name, mail="", created_at=0))
    if wrong == "misspells":
        unit.rows(select(Customer.table().c.id).where(Customer.table().c.id == object()))
    if wrong == "says too much":
        unit.say(word="\ud800 no ASCII ü")
    if wrong == "exits":
        raise asyncio.CancelledError
    return customer.id


@operation("storage.slow")
def slow(unit: Unit, _actor: Actor) -> int:
    """Take long enough that others gather behind it."""
    time.sleep(0.3)
    return unit.now


def names(world: World) -> list[str]:
    return sorted(row[0] for row in world.sql("SELECT name FROM customer"))


# -- after the commit ------------------------------------------------------------------------------------------------


@pytest.mark.promise("P1")
@pytest.mark.attack("AU04")
def test_whoever_has_an_answer_finds_its_record_on_another_connection(world: World) -> None:
    """Eight at a time, each looks from a connection of its own at the moment its answer comes."""
    engine = open_engine(world.settings.vault_url, reader=True)

    async def one(number: int) -> tuple[int, bytes | None, int]:
        result, receipt = await world.vault.writer.perform(note, CORE, f"row {number}")
        assert receipt is not None
        with engine.connect() as connection:
            body = connection.exec_driver_sql(
                f"SELECT body FROM ledger_entry WHERE seq = {receipt.seq}"
            ).scalar()
            rows = connection.exec_driver_sql(f"SELECT count(*) FROM customer WHERE id = '{result}'").scalar()
        return receipt.seq, body, int(rows or 0)

    for _ in range(5):
        for answer in world.together(*(one(number) for number in range(8))):
            seq, body, rows = answer
            assert body is not None
            assert decode(str(body).encode()).seq == seq
            assert rows == 1
    engine.dispose()


@pytest.mark.promise("P1")
def test_while_an_operation_runs_nobody_else_sees_anything_of_it(world: World) -> None:
    seen: list[int] = []
    engine = open_engine(world.settings.vault_url, reader=True)

    @operation("storage.peeking")
    def peeking(unit: Unit, actor: Actor) -> None:
        note(unit, actor, "half done")
        with engine.connect() as other:
            looks = ("SELECT count(*) FROM customer", "SELECT size FROM ledger_head")
            seen.extend(int(other.exec_driver_sql(look).scalar() or 0) for look in looks)

    size = world.size()
    world.perform(peeking, CORE)
    assert seen == [0, size]
    assert world.size() == size + 1
    engine.dispose()


@pytest.mark.promise("P1")
def test_an_opening_is_worth_nothing_without_this_writers_receipt(embedded: World) -> None:
    service, secret, _, _ = embedded.lent()
    rows = embedded.sql("SELECT key_id, envelope FROM secret WHERE id = :id", id=secret)[0]
    context = Context(embedded.vault.deployment, service.id, rows[0], secret, 1, "ssh-password")
    right = Opening(context, bytes(rows[1]), "password")
    forged = Receipt(0, embedded.vault.now(), object())
    for receipt in (None, forged):
        with pytest.raises(Unavailable):
            embedded.run(embedded.vault._open(receipt, right))
    with pytest.raises(TypeError):
        embedded.vault.keys.open("a receipt", right)  # type: ignore[arg-type]


# -- refusals and faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "error", "outcome"),
    [
        ("refuses", Denied, "Denied"),
        ("breaks", Unavailable, "Unavailable"),
        ("collides", Unavailable, "Unavailable"),
        ("misspells", Unavailable, "Unavailable"),
        ("says too much", VaultError, ""),
    ],
)
def test_what_goes_wrong_undoes_itself_and_leaves_its_mates_whole(
    world: World, wrong: str, error: type[VaultError], outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    size, batches = world.size(), world.vault.writer.batches
    first, bad, last = world.together(
        world.vault.perform(note, CORE, "first"),
        world.vault.perform(note, CORE, "bad", wrong),
        world.vault.perform(note, CORE, "last"),
    )
    assert isinstance(bad, error), bad
    assert isinstance(first, str)
    assert isinstance(last, str)
    assert world.vault.writer.batches == batches + 1, "one transaction for all three"
    assert names(world) == ["first", "last"]
    told = world.ledger(since=size)
    assert told[0] == told[2] == "storage.note ok"
    assert told[1].startswith(f"storage.note {outcome}")
    entry = decode(world.sql("SELECT body FROM ledger_entry WHERE seq = :seq", seq=size + 1)[0][0].encode())
    assert not entry.rows, "what was undone is not named"
    assert "canary" not in caplog.text
    assert findings(world)["rows"] == "ok"


def test_a_refusal_is_remembered_and_changes_nothing(world: World) -> None:
    size = world.size()
    with pytest.raises(Denied):
        world.perform(note, CORE, "refused", "refuses")
    assert names(world) == []
    assert world.ledger(since=size) == ["storage.note Denied"]


def test_refusals_of_nobody_are_counted_and_grow_no_ledger(world: World) -> None:
    size = world.size()
    others = Actor.nobody("203.0.113.6", "intake")
    world.together(*(world.vault.perform(note, NOBODY, "x", "refuses") for _ in range(30)))
    world.together(*(world.vault.perform(note, others, "x", "refuses") for _ in range(3)))
    world.clock.advance(seconds=61)
    world.together(*(world.vault.perform(note, NOBODY, "x", "refuses") for _ in range(2)))
    assert world.size() == size
    table = RefusalCount.table()
    assert table.name == "refusal_count"
    rows = world.sql("SELECT source, count FROM refusal_count ORDER BY source, minute")
    assert [tuple(row) for row in rows] == [("203.0.113.5", 30), ("203.0.113.5", 2), ("203.0.113.6", 3)]
    assert names(world) == []


def test_housekeeping_leaves_no_entry_and_no_receipt(embedded: World) -> None:
    @operation("storage.housekeeping", recorded=False)
    def housekeeping(_unit: Unit, _actor: Actor) -> str:
        return "done"

    size = embedded.size()
    assert embedded.run(embedded.vault.writer.perform(housekeeping, CORE)) == ("done", None)
    assert embedded.size() == size


def test_an_asker_who_has_gone_does_not_undo_what_was_asked(world: World) -> None:
    async def leave() -> None:
        asking = asyncio.create_task(world.vault.perform(note, CORE, "left behind"))
        await asyncio.sleep(0)
        asking.cancel()

    world.run(leave())
    world.perform(note, CORE, "afterwards")
    assert names(world) == ["afterwards", "left behind"]


def test_a_failed_insert_by_hand_is_contained_too(world: World) -> None:
    @operation("storage.raw")
    def raw(unit: Unit, _actor: Actor) -> str:
        customer = Customer.table()
        row = {"id": "cus_twice", "name": "raw", "mail": "", "created_at": 0, "salt": b""}
        unit.connection.execute(insert(customer).values(**row))
        try:
            unit.connection.execute(insert(customer).values(**row))
        except IntegrityError as error:
            raise Conflict("twice") from error
        return "never"

    with pytest.raises(Conflict):
        world.perform(raw, CORE)
    world.perform(note, CORE, "next")
    assert names(world) == ["next"]


# -- group commit ----------------------------------------------------------------------------------------------------


def test_sixty_four_reveals_at_once_need_few_commits(world: World) -> None:
    _, secret, _, lease = world.lent()
    technician = world.actor("technician")
    writer = world.vault.writer
    batches, entries = writer.batches, writer.entries

    async def eight_times() -> None:
        for _ in range(8):
            field = await world.vault.perform(checkout.reveal, technician, lease.id, secret, "password")
            assert field.expose() == LOGIN["password"]

    answers = world.together(*(eight_times() for _ in range(64)))
    assert answers == [None] * 64
    made = writer.entries - entries
    assert made == 64 * 8
    assert made / (writer.batches - batches) >= 20
    seqs = world.sql("SELECT count(*), max(seq) + 1 FROM ledger_entry")[0]
    assert seqs[0] == seqs[1] == world.size()


def test_what_waits_is_bounded_and_a_batch_too(embedded: World) -> None:
    """The rest of this attack is in test_faults: a queue behind a lock."""
    batches: list[int] = []
    size = embedded.size()

    async def flood() -> list[Any]:
        first = asyncio.create_task(embedded.vault.perform(slow, CORE))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(embedded.vault.perform(slow_not, CORE)) for _ in range(600)]
        await first
        return await asyncio.gather(*rest)

    @operation("storage.at")
    def slow_not(unit: Unit, _actor: Actor) -> int:
        batches.append(unit.now)
        return unit.now

    counted = embedded.vault.writer.batches
    answers = embedded.run(flood())
    assert len(answers) == 600
    assert embedded.vault.writer.batches - counted == 1 + -(-600 // MOST_IN_A_BATCH)
    assert MOST_WAITING == 2048
    assert embedded.size() == size + 601


# -- races -----------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P4", "P5")
@pytest.mark.attack("AZ15")
@pytest.mark.parametrize("rounds", [3, pytest.param(30, marks=pytest.mark.long)])
def test_reveals_that_race_with_the_end_come_before_it_or_not_at_all(world: World, rounds: int) -> None:
    for turn in range(rounds):
        world.sql("DELETE FROM attempt")
        service = world.service(title=f"Shop {turn}")
        secret = world.give(service)
        lease = world.lease(world.ticket(service, number=f"T-{turn}"), secret)
        technician, coordinator = world.actor("technician"), world.actor("coordinator")
        world.clock.advance(minutes=5)  # nobody gives more than ten codes in a quarter of an hour
        code = world.code("coordinator")
        size = world.size()

        async def reveal(technician=technician, lease=lease, secret=secret) -> str:
            field = await world.vault.perform(checkout.reveal, technician, lease.id, secret, "password")
            return field.expose()

        async def end(coordinator=coordinator, service=service, after=turn % 3, code=code) -> str:
            await asyncio.sleep(0.002 * after)
            await destruction.end(world.vault, coordinator, service.id, service.title, Presence(code=code))
            with pytest.raises(VaultError):
                await reveal()
            return "ended"

        async def several() -> list[str]:
            return [await reveal() for _ in range(4)]

        answers = world.together(*(several() for _ in range(10)), end(), *(several() for _ in range(10)))
        assert answers[10] == "ended"
        entries = world.ledger(since=size)
        ended = entries.index("service.end ok")
        assert "secret.reveal ok" not in entries[ended:]
        shown = sum(len(answer) for answer in answers if isinstance(answer, list))
        assert shown <= entries.count("secret.reveal ok")
        assert all(isinstance(answer, (list, str, VaultError)) for answer in answers)


@pytest.mark.attack("AZ16")
def test_an_intake_code_opens_one_form_of_fifty(world: World) -> None:
    request = world.ask(world.service())
    browsers = [new_token("vk_giv") for _ in range(50)]
    answers = world.together(
        *(
            intake.begin(
                world.vault,
                Actor.nobody(f"203.0.113.{number}", "intake"),
                Begin(code=request.code or "", browser=browser),
            )
            for number, browser in enumerate(browsers)
        )
    )
    kinds = Counter(type(answer).__name__ for answer in answers)
    assert kinds["Form"] == 1, kinds
    assert set(kinds) <= {"Form", "Ended", "NotFound"}
    assert world.ledger().count("request.begin ok") == 1


@pytest.mark.attack("AN06", "AZ16", "AN07")
def test_a_code_signs_in_once_of_twenty(world: World) -> None:
    member = world.member("technician")
    code = world.code(member)
    answers = world.together(
        *(
            sessions.sign_in(
                world.vault, member.view.mail, PASSWORD, code, Actor.nobody(f"192.0.2.{n}", "api")
            )
            for n in range(20)
        )
    )
    signed_in = [answer for answer in answers if isinstance(answer, sessions.SignedIn)]
    assert len(signed_in) <= 1
    assert world.ledger().count("session.start ok") == len(signed_in)
    world.sql("DELETE FROM attempt")
    world.clock.advance(seconds=31)  # whatever the hashing queue turned away, the next step is fresh
    step = world.clock.wall() // SECOND
    code = current_code(member.seed, step)
    one = world.run(sessions.sign_in(world.vault, member.view.mail, PASSWORD, code, NOBODY))
    actor = world.run(sessions.resolve(world.vault, one.token, "192.0.2.1", "api"))
    with pytest.raises(Denied):
        world.run(presence.prove(world.vault, actor, Deed("try it", ("lease", "x")), Presence(code=code)))


@pytest.mark.attack("AZ16", "AN06")
def test_a_code_proves_presence_once_of_fifty(world: World) -> None:
    actor = world.actor("technician")
    code = world.code("technician")
    deed = Deed("try it", ("lease", "something")).digest
    answers = world.together(*(world.vault.perform(presence._proved, actor, deed, code) for _ in range(50)))
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert sum(answer is None for answer in answers) == 49
    assert world.ledger().count("presence.prove ok") == 1
    assert world.sql("SELECT count(*) FROM proof")[0][0] == 1


@pytest.mark.attack("AZ16")
def test_a_proof_is_good_for_one_lease_of_fifty(world: World) -> None:
    _, secret, ticket, _ = world.lent()
    actor = world.actor("technician")
    why = Reason.parse("install the shop as ordered")
    wish = checkout.Wish(ticket.id, (secret,), 30, why)
    proof = world.run(presence.prove(world.vault, actor, wish.deed("try it"), world.presence("technician")))
    leases = world.sql("SELECT count(*) FROM lease")[0][0]
    answers = world.together(*(world.vault.perform(checkout._leased, actor, wish, proof) for _ in range(50)))
    kinds = Counter(type(answer).__name__ for answer in answers)
    assert kinds == {"LeaseView": 1, "StaleProof": 49}
    assert world.sql("SELECT count(*) FROM lease")[0][0] == leases + 1


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ14")
def test_nothing_opens_after_the_commit_that_disabled_a_person(world: World) -> None:
    _, secret, _, lease = world.lent()
    technician = world.actor("technician")
    size = world.size()
    answers = world.together(
        *(world.vault.perform(checkout.reveal, technician, lease.id, secret, "password") for _ in range(10)),
        world.vault.perform(staff.disable, Actor.host(), technician.id),
        *(world.vault.perform(checkout.reveal, technician, lease.id, secret, "password") for _ in range(10)),
    )
    entries = world.ledger(since=size)
    assert entries == ["secret.reveal ok"] * 10 + ["staff.disable ok"] + [entries[-1]] * 10
    assert not entries[-1].endswith(" ok")
    assert all(isinstance(answer, VaultError) for answer in answers[11:])
    with pytest.raises(NotSignedIn):
        world.run(sessions.resolve(world.vault, world.member("technician").token, "192.0.2.7", "api"))


# -- many writers ----------------------------------------------------------------------------------------------------


@pytest.mark.promise("P6")
@pytest.mark.attack("AU08")
@pytest.mark.parametrize(
    ("processes", "rounds"),
    [(2, 12), pytest.param(8, 14, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
def test_processes_that_share_a_database_make_one_chain(
    world: World, tmp_path: Path, processes: int, rounds: int
) -> None:
    """On PostgreSQL; on SQLite only one process is let in, and the others are told so."""
    service, secret, _, lease = world.lent()
    before = world.size()
    if world.ground.cluster is None:
        child = spawn(world, "start")
        assert finished(child) == ["Unavailable: another process holds this vault; stop it first"]
        return
    with away(world):
        children = [
            spawn(
                world,
                "load",
                lease=lease.id,
                secret=secret,
                service=service.id,
                rounds=rounds,
                mark=f"P{number}",
            )
            for number in range(processes)
        ]
        said = [finished(child, 600) for child in children]
    acknowledged = [int(line.split()[0]) for lines in said for line in lines if line[:1].isdigit()]
    assert all(lines[-1] == "closed" for lines in said)
    assert len(acknowledged) == len(set(acknowledged)) == processes * 16 * rounds
    rows = [row[0] for row in world.sql("SELECT seq FROM ledger_entry ORDER BY seq")]
    assert rows == list(range(world.size()))
    assert world.size() >= before + len(acknowledged)
    assert verified(world, tmp_path).size == world.size()
    assert findings(world)["rows"] == "ok"


def test_a_closed_vault_takes_nothing_more(embedded: World) -> None:
    with away(embedded), pytest.raises(Unavailable):
        embedded.perform(tickets.open_ticket, CORE, "svc", "T", "t")
    with pytest.raises(NotFound):
        embedded.perform(tickets.close, embedded.actor("coordinator"), "tkt_" + "0" * 20)


def test_shutting_down_finishes_what_waits(embedded: World) -> None:
    size = embedded.size()

    async def leave() -> list[Any]:
        waiting = [asyncio.create_task(embedded.vault.perform(note, CORE, f"{n}")) for n in range(20)]
        await asyncio.sleep(0)
        await embedded.vault.writer.drain()
        return await asyncio.gather(*waiting)

    assert len(embedded.run(leave())) == 20
    assert embedded.size() == size + 20
