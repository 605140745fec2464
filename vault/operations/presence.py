"""Proof of presence: a one-time code, given for one deed, good for that deed once and for five minutes."""

from hashlib import sha256

from sqlalchemy import bindparam, update

from vault.crypto.encoding import pack
from vault.crypto.factors import matching_step
from vault.errors import Denied, StaleProof
from vault.model.tables import Person, Proof
from vault.operations import attempts
from vault.operations.asking import person_of
from vault.operations.vault import Vault
from vault.storage.unit import Unit, operation
from vault.values import MINUTE, SECOND, Actor, new_id

FRESH = 5 * MINUTE
_PROOFS = Proof.table()
_SPEND = (
    update(_PROOFS)
    .where(
        _PROOFS.c.id == bindparam("proof"),
        _PROOFS.c.person_id == bindparam("person"),
        _PROOFS.c.deed == bindparam("of"),
        _PROOFS.c.spent_at.is_(None),
        _PROOFS.c.expires_at > bindparam("at"),
    )
    .values(spent_at=bindparam("at"))
)


def deed(*parts: str | int) -> bytes:
    """Name a deed by everything that makes it up, so that a proof for it fits no other.

    By its SHA-256, for among the parts are words that somebody typed, and those are not kept here.
    """
    return sha256(pack("valetkey/v1/deed", *parts)).digest()


async def prove(vault: Vault, actor: Actor, of: bytes, code: str) -> str:
    """Prove presence for one deed by a one-time code; returns the proof's id.

    It is an operation of its own: the code is spent even when the deed is then refused. Raises Denied for a code that
    is wrong or was used, and TooMany.
    """
    await attempts.count(vault, actor, f"code:{actor.id}")
    proof: str | None = await vault.perform(_proved, actor, of, code)
    if proof is None:
        raise Denied("that code is wrong, or it was used already; wait for the next one")
    return proof


@operation("presence.prove")
def _proved(unit: Unit, actor: Actor, of: bytes, code: str) -> str | None:
    person = person_of(unit, actor)
    unit.about(person=person.id)
    if not accept_code(unit, person, code):
        unit.draft.outcome = "Denied"
        return None
    proof = Proof(id=new_id("prf"), person_id=person.id, deed=of, expires_at=unit.now + FRESH)
    unit.insert(proof)
    unit.about(proof=proof.id)
    return proof.id


def accept_code(unit: Unit, person: Person, code: str) -> bool:
    """Whether the code is right and its time step was never used, for whatever purpose; then it is used now."""
    seed = unit.keys.factors.unwrap(bytes(person.factor), "totp", person.id)
    step = matching_step(seed, code, unit.now // SECOND)
    if step is None or step <= person.factor_step:
        return False
    unit.change(person, factor_step=step)
    return True


def spend(unit: Unit, actor: Actor, proof_id: str, of: bytes) -> None:
    """Consume a proof for the deed it was given for. Raises StaleProof unless it is fresh, unspent and for this one."""
    if unit.execute(_SPEND, proof=proof_id, person=actor.id, of=of, at=unit.now) != 1:
        raise StaleProof("the proof of presence for this is used up or older than five minutes")
