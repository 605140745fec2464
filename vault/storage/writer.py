"""The one door for every change: one thread, one transaction a batch, one commit, and only then the answers."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError

from vault.errors import Busy, ClockInDoubt, NotRecorded, Sealed, Unavailable, VaultError
from vault.model.tables import LedgerEntry, RefusalCount
from vault.sentences import Sentence
from vault.settings import Settings
from vault.storage.append import TAKE_HEAD, Appended, Ledger
from vault.storage.clock import Timekeeper
from vault.storage.heads import Heads, may_change_sealed
from vault.storage.keys import Keys, Receipt
from vault.storage.unit import Draft, Operation, Unit
from vault.values import MINUTE, Actor, Moment

MOST_IN_A_BATCH = 256
MOST_WAITING = 2048
CONFIRM_SECONDS = 10.0
"""How long a doubtful commit is looked up before its operations are answered with NotRecorded."""

_log = logging.getLogger("valetkey.writer")
_LEAF_AT = select(LedgerEntry.table().c.leaf).where(LedgerEntry.table().c.seq == bindparam("seq"))
_DOUBT = Sentence("the host's clock jumped; nothing opens and nothing ends until it is confirmed")
_CONTAINED = (IntegrityError, DataError, ProgrammingError)
"""Faults of one operation; every other database error is the batch's, because the transaction may be gone."""


@dataclass(eq=False)
class Waiting:
    """An operation on its way through the writer."""

    operation: Operation[..., Any]
    actor: Actor
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: asyncio.Future[tuple[Any, Receipt | None]]
    result: Any = None
    error: BaseException | None = None
    receipt: Receipt | None = None
    appended: Appended | None = field(default=None, repr=False)


class Writer:
    """Runs operations in batches on a thread of its own, in one order for everybody."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        origin: str,
        deployment: str,
        timekeeper: Timekeeper,
        last_time: Moment,
    ) -> None:
        """Start the thread. `keys` is set by unseal and taken away by seal."""
        self.keys: Keys | None = None
        self.recording = True
        self.last_time = last_time
        self.batches = 0
        self.entries = 0
        self._engine = engine
        self._settings = settings
        self._origin = origin
        self._deployment = deployment
        self._timekeeper = timekeeper
        self._connection: Connection | None = None
        self._reused = False
        self._heads = Heads()
        self._pending: deque[Waiting] = deque()
        self._idle = True
        self._closing = False
        self._work: deque[list[Waiting]] = deque()
        self._wake = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    # -- the event loop's side -------------------------------------------------------------------------------------

    async def perform(
        self, operation: Operation[..., Any], actor: Actor, *args: Any, **kwargs: Any
    ) -> tuple[Any, Receipt | None]:
        """Run a change and return its result after the commit of its record.

        Raises the operation's own refusal once that is recorded, Busy when too many wait, and NotRecorded when the
        commit failed or could not be confirmed; then nothing of it may be shown.
        """
        if self._closing or len(self._pending) >= MOST_WAITING:
            raise Busy(Sentence("too much is waiting to be recorded"))
        loop = asyncio.get_running_loop()
        waiting = Waiting(operation, actor, args, kwargs, loop.create_future())
        self._pending.append(waiting)
        if self._idle:
            self._idle = False
            loop.call_soon(self._dispatch)  # what else arrives in this turn of the loop joins the batch
        return await asyncio.shield(waiting.future)

    def _dispatch(self) -> None:
        batch = [self._pending.popleft() for _ in range(min(len(self._pending), MOST_IN_A_BATCH))]
        self._work.append(batch)
        self._wake.release()

    def _finished(self, batch: Sequence[Waiting]) -> None:
        for waiting in batch:
            if waiting.future.done():
                continue
            if waiting.error is not None:
                waiting.future.set_exception(waiting.error)
                waiting.future.exception()  # whoever asked may have gone; the record stands all the same
            else:
                waiting.future.set_result((waiting.result, waiting.receipt))
        if self._pending:
            asyncio.get_running_loop().call_soon(self._dispatch)
        else:
            self._idle = True

    async def drain(self) -> None:
        """Take no more, and finish what waits."""
        self._closing = True
        while not self._idle:
            await asyncio.sleep(0.005)

    def stop(self) -> None:
        """End the thread, after what it is at. Nothing that still waits is answered: `drain` before."""
        self._closing = True
        self._wake.release()
        self._thread.join(30)

    # -- the thread's side -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            self._wake.acquire()
            if not self._work:
                break
            batch = self._work.popleft()
            self._record(batch)
            try:
                batch[0].future.get_loop().call_soon_threadsafe(self._finished, batch)
            except RuntimeError:  # the loop of these callers is gone; the record stands
                self._idle = True
        self._let_go()

    def _record(self, batch: list[Waiting]) -> None:
        """Run a batch to its commit. Whatever goes wrong, every waiting operation has its answer afterwards."""
        ledger: Ledger | None = None
        try:
            connection = self._connect()
            with connection.begin() as transaction:
                ledger = Ledger(connection, self._origin, self.keys, self._heads)
                doubted = self._timekeeper.in_doubt
                now = self._timekeeper.now(ledger.last_time)
                if self._timekeeper.in_doubt and not doubted:
                    ledger.append(Draft("clock.doubt", Actor.core()), now, 0)
                for waiting in batch:
                    self._run_one(connection, ledger, waiting, now)
                ledger.finish(now)
                transaction.commit()
            self._heads.settle(ledger.size)
            self.recording = True
            self.last_time = now
            self.batches += 1
        except Exception as error:  # noqa: BLE001 (whatever it was, nothing of the batch may be shown)
            _log.warning("a batch of %d was not recorded: %s", len(batch), where(error))
            held = self._reused
            self._let_go()
            self._heads.forget()
            if held and ledger is None and isinstance(error, DBAPIError) and error.connection_invalidated:
                # the connection had died while nobody used it, and nothing was begun on it
                self._record(batch)
                return
            self.recording = ledger is not None and self._was_committed(batch)
            if not self.recording:
                for waiting in batch:
                    waiting.result = None
                    waiting.error = NotRecorded(Sentence("this could not be recorded, so it was not done"))
                return
        for waiting in batch:
            if waiting.appended is not None:
                waiting.receipt = Receipt(waiting.appended.seq, now, self)
                self.entries += 1

    def _run_one(self, connection: Connection, ledger: Ledger, waiting: Waiting, now: Moment) -> None:
        draft = Draft(waiting.operation.entry_type, waiting.actor)
        unit = Unit(connection, now, self.keys, draft, self._heads, self._settings, self._deployment)
        driver: Any = connection.connection.driver_connection
        driver.execute("SAVEPOINT operation")
        try:
            if self._timekeeper.in_doubt and not waiting.operation.in_any_time:
                raise ClockInDoubt(_DOUBT)
            waiting.result = waiting.operation(unit, waiting.actor, *waiting.args, **waiting.kwargs)
            if ledger.is_sealed and not all(may_change_sealed(draft.type, row_id) for row_id in draft.rows):
                # nobody could vouch for what this changes
                raise Sealed(Sentence("the vault was sealed meanwhile"))
            if waiting.operation.recorded:
                waiting.appended = ledger.append(draft, now, unit.keyring_generation)
        except VaultError as refusal:
            waiting.error = refusal
        except Exception as fault:
            if isinstance(fault, SQLAlchemyError) and not isinstance(fault, _CONTAINED):
                raise
            _log.error("%s failed: %s", draft.type, where(fault))
            waiting.error = Unavailable(
                Sentence("something went wrong inside the vault; nothing was changed")
            )
        if waiting.error is not None:
            driver.execute("ROLLBACK TO SAVEPOINT operation")
            draft.outcome = type(waiting.error).__name__
            draft.rows.clear()
        driver.execute("RELEASE SAVEPOINT operation")
        if waiting.error is not None and waiting.actor.kind == "nobody":
            self._count_refusal(connection, waiting.actor.source, now)
        elif waiting.error is not None and waiting.operation.recorded:
            waiting.appended = ledger.append_refused(draft, now, unit.keyring_generation)

    def _count_refusal(self, connection: Connection, source: str, now: Moment) -> None:
        """Refusals of nobody in particular are counted, so that a flood does not grow the ledger."""
        make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
        table = RefusalCount.table()
        count = make(table).values(source=source, minute=now // MINUTE, count=1)
        connection.execute(
            count.on_conflict_do_update(
                index_elements=["source", "minute"], set_={"count": table.c.count + 1}
            )
        )

    def _was_committed(self, batch: Sequence[Waiting]) -> bool:
        """Read the truth back after a commit that may or may not have happened."""
        appended = next((waiting.appended for waiting in batch if waiting.appended is not None), None)
        if appended is None:
            return False
        until = time.monotonic() + CONFIRM_SECONDS
        while time.monotonic() < until and not self._closing:
            try:
                connection = self._connect()
                connection.execute(TAKE_HEAD)  # the lost transaction holds it until it has ended, either way
                found = connection.execute(_LEAF_AT, {"seq": appended.seq}).scalar()
                connection.rollback()
                return found is not None and bytes(found) == appended.leaf
            except SQLAlchemyError:
                self._let_go()
                time.sleep(0.2)
        return False

    def _connect(self) -> Connection:
        self._reused = self._connection is not None
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.invalidate()
                connection.close()
            except SQLAlchemyError:
                _log.warning("a broken connection could not be closed")


def where(fault: BaseException) -> str:
    """A fault's class and the line it came from: enough to find it, and nothing of what it was given."""
    frame = fault.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" at {frame.tb_frame.f_code.co_filename.rpartition('/')[2]}:{frame.tb_lineno}" if frame else ""
    return type(fault).__name__ + place
