"""Reading and proving the ledger. The auditor sees who did what and when, and never a secret."""

import base64
import re
from collections.abc import Iterator

from sqlalchemy import select

from vault.errors import Invalid, Tampered
from vault.ledger.bundle import write_bundle
from vault.ledger.disclosure import Disclosure
from vault.ledger.disclosure import decode as decode_disclosure
from vault.ledger.entry import Entry, decode
from vault.ledger.proof import consistency_proof, inclusion_proof
from vault.ledger.tiles import TileReader
from vault.ledger.verify import BEYOND_INTEGERS
from vault.model.helpdesks import Helpdesk
from vault.model.log_views import CheckpointView, EntryPage, EntryView, ProofView
from vault.model.tables import Disclosed, LedgerCheckpoint, LedgerEntry, LedgerHead
from vault.operations import showing
from vault.operations.asking import may
from vault.operations.vault import Vault
from vault.storage.append import disclosure_context, frontier_at, tile_hashes
from vault.storage.keys import Keys
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, known_id, to_datetime

PAGE = 50
CHUNK = 2_000
_TYPE = re.compile(r"[a-z.-]{1,40}", re.ASCII)
_ENTRIES = LedgerEntry.table()
_DISCLOSED = Disclosed.table()
_CHECKPOINTS = LedgerCheckpoint.table()


def entries(
    reading: Reading,
    actor: Actor,
    before: int | None = None,
    type: str | None = None,  # noqa: A002 (the word of the ledger, of the API and of the page)
    service: str | None = None,
    person: str | None = None,
) -> EntryPage:
    """Up to 50 entries, newest first, older than `before`; by type, service or person where given. For auditors.

    Raises NotSignedIn, Denied, NotFound for an id that names nothing.
    """
    may(reading, actor, "log.read")
    query = select(_ENTRIES.c.seq, _ENTRIES.c.body).order_by(_ENTRIES.c.seq.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(_ENTRIES.c.seq < max(0, min(before, BEYOND_INTEGERS)))
    if type:
        query = query.where(_ENTRIES.c.type == (type if _TYPE.fullmatch(type) else "?"))
    if service:
        query = query.where(_ENTRIES.c.service_id == known_id("svc", service))
    if person:
        query = query.where(_ENTRIES.c.actor == known_id("per", person))
    rows = reading.connection.execute(query).all()
    shown = [decode(row.body.encode()) for row in rows[:PAGE]]
    facts = facts_of(reading, [entry.seq for entry in shown])
    names = _names(reading, {entry.actor for entry in shown})
    views = tuple(_view(entry, facts.get(entry.seq, {}), names) for entry in shown)
    return EntryPage(entries=views, next=str(shown[-1].seq) if len(rows) > PAGE else None)


def _view(entry: Entry, facts: dict[str, str], names: dict[str, str]) -> EntryView:
    return EntryView(
        seq=entry.seq,
        at=to_datetime(entry.time),
        type=entry.type,
        outcome=entry.outcome,
        actor=entry.actor,
        actor_name=names.get(entry.actor, ""),
        channel=entry.channel,
        ids=dict(entry.ids),
        facts=facts,
    )


def facts_of(reading: Reading, seqs: list[int]) -> dict[int, dict[str, str]]:
    """What these entries disclose by name, as far as it was not erased, by their numbers. Raises Sealed."""
    return {seq: {one.name: one.value for one in said} for seq, said in disclosures_of(reading, seqs).items()}


def disclosures_of(reading: Reading, seqs: list[int]) -> dict[int, list[Disclosure]]:
    """The disclosures of these entries that were not erased, by their numbers. Raises Sealed."""
    found: dict[int, list[Disclosure]] = {}
    if not seqs:
        return found
    for row in reading.connection.execute(select(_DISCLOSED).where(_DISCLOSED.c.seq.in_(seqs))):
        disclosure = _disclosure(reading.keys, row.seq, row.name, row.subject_id, bytes(row.sealed))
        if disclosure is not None:
            found.setdefault(row.seq, []).append(disclosure)
    return found


def _disclosure(keys: Keys, seq: int, name: str, subject_id: str, sealed: bytes) -> Disclosure | None:
    key = keys.subject(subject_id)
    if key is None:
        return None
    return decode_disclosure(key.unwrap(sealed, *disclosure_context(keys.signer.name, seq, name)))


def _names(reading: Reading, actors: set[str]) -> dict[str, str]:
    return showing.names_of(reading, actors) | showing.names_of(reading, actors, Helpdesk)


async def checkpoint(vault: Vault, actor: Actor) -> CheckpointView:
    """A signed checkpoint of the ledger as it is now. For auditors. Raises NotSignedIn, Denied, Sealed."""
    await vault.read(may, actor, "log.read")
    kept = await vault.checkpoint()
    return CheckpointView(note=kept.note, key=vault.keys.signer.vkey, size=kept.size)


async def bundle(vault: Vault, actor: Actor) -> Iterator[bytes]:
    """The whole ledger up to now, with its disclosures and signed checkpoints, for the offline verifier.

    Its export is an entry, which the bundle itself ends with. For auditors. Raises NotSignedIn, Denied, Sealed.
    """
    await vault.perform(_exported, actor)
    kept = await vault.checkpoint()
    return _lines(vault, kept.size)


@operation("audit.export")
def _exported(unit: Unit, actor: Actor) -> None:
    may(unit, actor, "log.read")


def _lines(vault: Vault, size: int) -> Iterator[bytes]:
    keys = vault.keys
    query = select(_CHECKPOINTS.c.note).where(_CHECKPOINTS.c.size <= size).order_by(_CHECKPOINTS.c.size)
    with vault.reader.connect() as connection:
        notes = list(connection.execute(query).scalars())
    yield from write_bundle(
        _bodies(vault, size), _disclosures(vault, keys, size), notes, keys.signer.vkey, vault.origin
    )


# Each piece has a connection for itself: a reader who dawdles over a download would keep one from everybody else.


def _bodies(vault: Vault, size: int) -> Iterator[tuple[bytes, bytes]]:
    for first in range(0, size, CHUNK):
        query = select(_ENTRIES.c.leaf, _ENTRIES.c.body).order_by(_ENTRIES.c.seq)
        query = query.where(_ENTRIES.c.seq >= first, _ENTRIES.c.seq < min(first + CHUNK, size))
        with vault.reader.connect() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            yield bytes(row.leaf), row.body.encode()


def _disclosures(vault: Vault, keys: Keys, size: int) -> Iterator[tuple[int, Disclosure]]:
    for first in range(0, size, CHUNK):
        query = select(_DISCLOSED).order_by(_DISCLOSED.c.seq, _DISCLOSED.c.name)
        query = query.where(_DISCLOSED.c.seq >= first, _DISCLOSED.c.seq < min(first + CHUNK, size))
        with vault.reader.connect() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            disclosure = _disclosure(keys, row.seq, row.name, row.subject_id, bytes(row.sealed))
            if disclosure is not None:
                yield row.seq, disclosure


def _size(reading: Reading) -> int:
    return int(reading.connection.execute(select(LedgerHead.table().c.size)).scalar_one())


def inclusion(reading: Reading, actor: Actor, seq: int) -> ProofView:
    """Proof that entry `seq` is in the ledger as it is now. For auditors. Raises NotSignedIn, Denied, Invalid."""
    may(reading, actor, "log.read")
    return proof_of(reading, seq, _size(reading))


def proof_of(reading: Reading, seq: int, size: int) -> ProofView:
    """Proof that entry `seq` is in the ledger of `size` entries. Who may have it, the caller judges. Raises Invalid."""
    nodes = TileReader(lambda level, index: tile_hashes(reading.connection, size, level, index))
    hashes = inclusion_proof(seq, size, nodes)
    leaf = reading.connection.execute(select(_ENTRIES.c.leaf).where(_ENTRIES.c.seq == seq)).scalar()
    if leaf is None:
        raise Tampered("an entry of the ledger is missing")
    return ProofView(size=size, root=_root(reading, size), hashes=_texts(hashes), leaf=_text(bytes(leaf)))


def consistency(reading: Reading, actor: Actor, old: int, new: int) -> ProofView:
    """Proof that the ledger of `new` entries extends the one of `old`. For auditors.

    Raises NotSignedIn, Denied, Invalid.
    """
    may(reading, actor, "log.read")
    if new > _size(reading):
        raise Invalid("the ledger is not that long", "/to")
    nodes = TileReader(lambda level, index: tile_hashes(reading.connection, new, level, index))
    return ProofView(size=new, root=_root(reading, new), hashes=_texts(consistency_proof(old, new, nodes)))


def _root(reading: Reading, size: int) -> str:
    return _text(frontier_at(reading.connection, size).root())


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _texts(hashes: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(_text(one) for one in hashes)
