"""The running vault: its databases, its writer, its keys while unsealed, and the two ways in: perform and read."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, overload

from sqlalchemy import Connection, Engine, select

from vault.crypto.passwords import HashingQueue
from vault.crypto.protectors import protector_of
from vault.crypto.rootkey import RootKey
from vault.errors import Invalid, NotFound, Sealed, Tampered, Unavailable
from vault.ledger.checkpoint import parse as parse_checkpoint
from vault.model.codes import OneTimeCode, one_time_code
from vault.model.tables import Deployment, LedgerCheckpoint, LedgerHead
from vault.sentences import Sentence
from vault.settings import Settings
from vault.storage.append import frontier_at
from vault.storage.clock import Clock, SystemClock, Timekeeper
from vault.storage.database import check_schema, is_sqlite, open_engine, readable
from vault.storage.keyring import KeptCheckpoint, Keyring
from vault.storage.keys import CodeOpening, Keys, Opening, Receipt
from vault.storage.reading import Reading
from vault.storage.signer import Signer
from vault.storage.unit import Operation, Unit, operation
from vault.storage.writer import Writer
from vault.values import Actor, Moment, Plaintext

P = ParamSpec("P")
T = TypeVar("T")
READERS = 4


class Vault:
    """One process's hold on a deployment."""

    def __init__(self, settings: Settings, clock: Clock, hashing: HashingQueue) -> None:
        """Open it; `start` is what everybody calls."""
        self.settings = settings
        self.clock = clock
        self.hashing = hashing
        self.timekeeper = Timekeeper(clock)
        with ExitStack() as held:  # whatever is refused here lets go of all that was taken before it
            if settings.vault_url.startswith("sqlite"):
                held.callback(os.close, _hold(settings.data_dir))
            held.callback(self.hashing.close)
            self.engine: Engine = open_engine(settings.vault_url)
            held.callback(self.engine.dispose)
            self.reader = open_engine(settings.vault_url, reader=True)
            held.callback(self.reader.dispose)
            self.keyring = Keyring(settings.keyring_place, settings.keyring_mirror_url)
            held.callback(self.keyring.close)
            with self.reader.connect() as connection:
                self.schema = check_schema(connection)
                row = connection.execute(select(Deployment.table())).one()
                self.deployment, self.origin = str(row.id), str(row.origin)
                last_time = self._check_neither_is_behind(connection)
            self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
            held.callback(self._pool.shutdown)
            self._held = held.pop_all()
        self.signer = Signer(self.reader, self.engine, self.keyring, self.origin)
        self.writer = Writer(self.engine, settings, self.origin, self.deployment, self.timekeeper, last_time)
        self._inline = is_sqlite(self.engine)
        self._at_hand: Connection | None = None

    @classmethod
    def start(
        cls, settings: Settings, clock: Clock | None = None, hashing: HashingQueue | None = None
    ) -> Self:
        """Open the deployment that `settings` name; with a key file it unseals itself.

        Raises Unavailable when there is none, when it has another schema or another process holds it, and Tampered
        when vault and keyring are not of one time: one of them is an older copy.
        """
        vault = cls(settings, clock or SystemClock(), hashing or HashingQueue())
        try:
            record = vault.keyring.protector_record()
            if settings.root_key_file is not None and record.get("protector") == "file":
                protector = protector_of(record, passphrase=None, key_file=settings.root_key_file)
                vault.take_root_key(protector.unprotect(record))
        except BaseException:
            vault.let_go()
            raise
        return vault

    def _check_neither_is_behind(self, connection: Connection) -> Moment:
        """The time of the ledger's last entry, once vault and keyring are found to be of one time."""
        head = connection.execute(select(LedgerHead.table())).first()
        if head is None:
            raise Tampered("the ledger has no head")
        if self.keyring.fact("deployment") != self.deployment:
            raise Tampered("this keyring belongs to another vault")
        if self.keyring.generation() < head.keyring_generation:
            raise Tampered("the keyring is older than the vault: put back the present one or its mirror")
        kept = self.keyring.checkpoint()
        if kept is None:
            return Moment(head.time)
        if head.size < kept.size:
            raise Tampered("the vault is older than the keyring: this database is an earlier copy")
        signed = parse_checkpoint(kept.note.partition("\n\n")[0] + "\n")
        if frontier_at(connection, kept.size).root() != signed.root:
            raise Tampered("the ledger is not the one that the keyring's checkpoint covers")
        return Moment(head.time)

    # -- sealed and unsealed ---------------------------------------------------------------------------------------

    @property
    def is_sealed(self) -> bool:
        """Whether the root key is not in memory."""
        return self.writer.keys is None

    @property
    def keys(self) -> Keys:
        """The keys. Raises Sealed while there are none."""
        if self.writer.keys is None:
            raise Sealed(Sentence("the vault is sealed"))
        return self.writer.keys

    def take_root_key(self, root_key: bytes) -> int:
        """Unseal with the 32-byte root key; check what was recorded meanwhile against its rows, and sign it.

        Returns how many entries are checked: what was recorded while it looked is still to be vouched for.

        Raises Invalid for another length, Tampered when it is not this vault's root key or the unsigned tail of the
        ledger does not match; then the vault stays sealed.
        """
        if len(root_key) != 32:  # noqa: PLR2004 (AES-256 takes 16 bytes too, which would halve the strength in silence)
            raise Invalid("a root key is 32 bytes", "/root_key")
        if not self.is_sealed:
            return self.signer.signed_size()
        keys = Keys(RootKey(root_key), self.keyring, self.origin)
        try:
            checked = self.signer.sign(keys, check_rows=True).size
        except Exception:
            keys.wipe()
            raise
        self.writer.keys = keys
        return checked

    def forget_keys(self) -> None:
        """Seal: sign what is there, then drop every key."""
        keys, self.writer.keys = self.writer.keys, None
        if keys is not None:
            try:
                self.signer.sign(keys)
            finally:
                keys.wipe()

    # -- the two ways in -------------------------------------------------------------------------------------------

    @overload
    async def perform(
        self, change: Operation[P, CodeOpening], actor: Actor, *args: P.args, **kwargs: P.kwargs
    ) -> OneTimeCode: ...

    @overload
    async def perform(
        self, change: Operation[P, Opening], actor: Actor, *args: P.args, **kwargs: P.kwargs
    ) -> Plaintext: ...

    @overload
    async def perform(
        self, change: Operation[P, T], actor: Actor, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...

    async def perform(
        self, change: Operation[P, Any], actor: Actor, *args: P.args, **kwargs: P.kwargs
    ) -> Any:
        """Run a change and return its result once its record is durable; an opening comes back as its plaintext.

        The right to a code comes back as the code of this moment, and what it is made of does not.

        Raises the change's own refusal, Busy, NotRecorded, and for an opening what `Keys.open` raises.
        """
        result, receipt = await self.writer.perform(change, actor, *args, **kwargs)
        if isinstance(result, Opening):
            return await self._open(receipt, result)
        if isinstance(result, CodeOpening):
            return await self._open(receipt, result.of, lambda text: one_time_code(text, self.now()))
        return result

    async def open_whole(
        self, change: Operation[P, Opening], actor: Actor, *args: P.args, **kwargs: P.kwargs
    ) -> dict[str, Plaintext]:
        """Run a change that opens all of a secret, for the core's own check of it, seen by nobody.

        Raises what the change and `Keys.open` raise, and Sealed.
        """
        opening, receipt = await self.writer.perform(change, actor, *args, **kwargs)
        if receipt is None or not receipt.made_by(self.writer):
            raise Unavailable("there is no record of this opening")
        return self.keys.open(receipt, opening)

    async def _open(
        self, receipt: Receipt | None, opening: Opening, make: Callable[[Plaintext], T] | None = None
    ) -> Plaintext | T:
        if receipt is None or not receipt.made_by(self.writer):
            raise Unavailable("there is no record of this opening")
        try:
            fields = self.keys.open(receipt, opening)
            if make is not None and opening.name in fields:
                return make(fields[opening.name])
        except Tampered:
            await self.writer.perform(_damaged, Actor.core(), opening.context.service, opening.context.secret)
            raise
        if opening.name not in fields:
            raise NotFound("the customer left this field empty")
        return fields[opening.name]

    async def read(
        self,
        look: Callable[Concatenate[Reading, Actor, P], T],
        actor: Actor,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a read that changes nothing. It never waits for the writer.

        On the embedded SQLite it runs here and now, which is faster than any hand-over; PostgreSQL is asked from a
        bounded pool of threads, so that a slow answer stops nobody else.
        """
        if self._inline:
            with readable():
                if self._at_hand is None:
                    self._at_hand = self.reader.connect()
                return look(self._reading(self._at_hand), actor, *args, **kwargs)
        return await self.read_aside(look, actor, *args, **kwargs)

    def _reading(self, connection: Connection) -> Reading:
        return Reading(connection, self.now(), self.writer.keys, self.settings, self.deployment)

    async def read_aside(
        self,
        look: Callable[Concatenate[Reading, Actor, P], T],
        actor: Actor,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a long read on a thread of the pool, whatever the database."""

        def work() -> T:
            with readable(), self.reader.connect() as connection:
                return look(self._reading(connection), actor, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def aside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run slow or outside work on a thread of the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))

    def now(self) -> Moment:
        """The time that reads judge by: never before the newest batch."""
        return self.timekeeper.peek(self.writer.last_time)

    async def checkpoint(self) -> KeptCheckpoint:
        """Sign the ledger as it is now and keep the checkpoint in both databases."""
        kept = await self.aside(self.signer.sign, self.keys)
        await self.writer.perform(_keep_checkpoint, Actor.core(), kept)
        return kept

    async def close(self) -> None:
        """Finish what waits, sign, drop the keys and let go of everything."""
        await self.writer.drain()
        try:
            self.forget_keys()
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Close every connection and give the data directory free. `close` is the orderly way."""
        if self._at_hand is not None:
            self._at_hand.close()
        self.writer.stop()
        self._held.close()


@operation("secret.damaged")
def _damaged(unit: Unit, _actor: Actor, service_id: str, secret_id: str) -> None:
    """What is stored of a secret did not open: the record says so, because the entry before says it was opened."""
    unit.about(service=service_id, secret=secret_id)
    unit.draft.outcome = "Tampered"


@operation("ledger.checkpoint", recorded=False)
def _keep_checkpoint(unit: Unit, _actor: Actor, kept: KeptCheckpoint) -> None:
    if unit.rows(select(LedgerCheckpoint.table()).where(LedgerCheckpoint.table().c.size == kept.size)):
        return
    unit.insert(LedgerCheckpoint(size=kept.size, note=kept.note, time=unit.now))


def _hold(data_dir: Path) -> int:
    """Hold the data directory for this process alone: two writers on one SQLite file would fork the ledger."""
    try:
        descriptor = os.open(data_dir / "vault.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            "there is no vault in this data directory yet; make one with: valetkey init"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Unavailable("another process holds this vault; stop it first") from error
    return descriptor
