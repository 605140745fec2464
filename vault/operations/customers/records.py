"""A customer's records, to take away: what happened, and the proof that the ledger says so."""

from typing import Any

from sqlalchemy import bindparam, select

from vault.model.tables import LedgerEntry
from vault.operations.customers import happened, mine
from vault.operations.customers.visits import own_service
from vault.operations.house.audit import disclosures_of, proof_of
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor

MOST = 2_000
_BODIES = select(LedgerEntry.table().c.seq, LedgerEntry.table().c.body).where(
    LedgerEntry.table().c.seq.in_(bindparam("seqs", expanding=True))
)


async def records(vault: Vault, actor: Actor, service_id: str) -> dict[str, Any]:
    """All of a service that concerns its customer, as JSON: the page's words, and the newest 2,000 entries with proofs.

    `checkpoint` is the ledger's signed size and root hash, `key` the key that checks it; of each entry `entry` is what
    was recorded, to the byte, `hashes` its inclusion proof (RFC 9162, 2.1.3) in that checkpoint's tree, and
    `disclosures` what it says in digests only. That this was taken is an entry too. Raises NotSignedIn, NotFound,
    Sealed.
    """
    vault.keys  # noqa: B018 (raises Sealed: without keys nothing can be signed)
    await vault.perform(_exported, actor, service_id)
    kept = await vault.checkpoint()
    found = await vault.read_aside(_collected, actor, service_id, kept.size)
    return {"records": 1, "checkpoint": kept.note, "key": vault.keys.signer.vkey, **found}


@operation("records.export")
def _exported(unit: Unit, actor: Actor, service_id: str) -> None:
    unit.about(service=service_id)
    own_service(unit, actor, service_id)


def _collected(reading: Reading, actor: Actor, service_id: str, size: int) -> dict[str, Any]:
    service = mine.service(reading, actor, service_id)
    entries = happened.entries_of(reading, service_id, size, MOST)
    bodies = {
        int(row.seq): str(row.body)
        for row in reading.connection.execute(_BODIES, {"seqs": [entry.seq for entry in entries]})
    }
    said = disclosures_of(reading, list(bodies))
    return {
        "service": service.model_dump(mode="json"),
        "happened": [
            {
                **view.model_dump(mode="json"),
                "entry": bodies[entry.seq],
                "disclosures": [one.encode().decode() for one in said.get(entry.seq, [])],
                "hashes": list(proof_of(reading, entry.seq, size).hashes),
            }
            for entry, view in zip(entries, happened.told(reading, entries), strict=True)
        ],
    }
