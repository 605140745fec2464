"""Proof of presence: given for one deed, good for that deed once and for five minutes."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Concatenate, ParamSpec

from sqlalchemy import bindparam, update

from vault.crypto import passkeys
from vault.crypto.encoding import pack
from vault.crypto.recovery import parse_recovery_code
from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, ProofNeeded, StaleProof, Tampered
from vault.model.people import Challenge, Person, Proof
from vault.model.views import DeedView
from vault.operations import attempts
from vault.operations.asking import may, person_of
from vault.operations.people import challenges, factors
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import MINUTE, Actor, Plaintext, known_id, new_id, to_datetime

FRESH = 5 * MINUTE
P = ParamSpec("P")
_PROOFS = Proof.table()
_SPEND = (
    update(_PROOFS)
    .where(_PROOFS.c.id == bindparam("proof"), _PROOFS.c.spent_at.is_(None))
    .values(spent_at=bindparam("at"))
)


@dataclass(frozen=True)
class Deed:
    """One deed: in words for whoever is asked to prove it, and by everything that makes it up."""

    words: str
    parts: tuple[str | int, ...] = field(repr=False)
    restores: bool = False
    """Whether a recovery code proves it too: only what gives somebody back what they have lost."""

    @property
    def digest(self) -> bytes:
        """By its SHA-256, for among the parts are words that somebody typed, and those are not kept."""
        return sha256(pack("valetkey/v1/deed", *self.parts)).digest()


@dataclass(frozen=True)
class Presence:
    """What somebody gives to prove a deed: a one-time code, or a challenge with a passkey's answer to it.

    A challenge without an answer is one that was proved in a browser meanwhile; nothing at all asks for a challenge.
    """

    code: str = field(default="", repr=False)
    challenge: str = ""
    answer: Mapping[str, Any] | None = field(default=None, repr=False)


NOTHING = Presence()


async def proved(
    vault: Vault,
    given: Presence,
    deed_of: Callable[Concatenate[Reading, Actor, P], Deed],
    actor: Actor,
    *args: P.args,
    **kwargs: P.kwargs,
) -> str:
    """Prove the deed that a read makes of what somebody wants to do; empty where that read refuses it.

    Nobody spends a code on what is refused anyway: the deed's own operation, which judges the same, then refuses it
    on record, and without a proof it does nothing in any case. Raises NotSignedIn, Sealed, and as `prove`.
    """
    try:
        deed = await vault.read(deed_of, actor, *args, **kwargs)
    except (Denied, NotFound, Ended, Conflict, Invalid, Tampered):
        return ""
    return await prove(vault, actor, deed, given)


async def prove(vault: Vault, actor: Actor, deed: Deed, given: Presence) -> str:
    """Prove presence for one deed; returns the proof's id, which `spend` consumes.

    It is an operation of its own: what was given is spent even when the deed is then refused. Raises ProofNeeded with
    a challenge where nothing was given, Denied for what is wrong or was used, StaleProof for a challenge that nobody
    has answered, TooMany.
    """
    if given == NOTHING:
        challenge = await vault.perform(_asked, actor, deed)
        raise ProofNeeded(f"prove that it is you, to {deed.words}", challenge)
    await attempts.count(vault, actor, f"code:{actor.id}")
    recovery = parse_recovery_code(given.code) if deed.restores else None
    if recovery:
        proof: str | None = await _by_recovery_code(vault, actor, deed, *recovery)
    elif given.code:
        proof = await vault.perform(_proved, actor, deed.digest, given.code)
    elif given.answer is not None:
        proof = await vault.perform(_answered, actor, given.challenge, deed.digest, given.answer)
    else:
        proof = await vault.read(_proved_elsewhere, actor, given.challenge, deed.digest)
        if proof is None:
            raise StaleProof("nobody has proved this in a browser yet")
    if proof is None and given.code:
        raise Denied("that code is wrong, or it was used already; wait for the next one")
    if proof is None:
        raise Denied(factors.NOT_ACCEPTED)
    return proof


async def _by_recovery_code(vault: Vault, actor: Actor, deed: Deed, number: int, spelled: str) -> str | None:
    """The proof for a change of one's own account by who has lost what made codes; None for a wrong or used one."""
    stored = await vault.read(_recovery_of, actor, number)
    right = await vault.hashing.verify(stored, Plaintext(spelled))
    return await vault.perform(_recovered, actor, deed.digest, number, stored if right else None)


def _recovery_of(reading: Reading, actor: Actor, number: int) -> str | None:
    return factors.recovery_hash(reading, person_of(reading, actor), number)


@operation("presence.prove")
def _recovered(unit: Unit, actor: Actor, of: bytes, number: int, stored: str | None) -> str | None:
    """By a recovery code, which is used up; mail tells the person."""
    person = person_of(unit, actor)
    unit.about(person=person.id)
    unit.say(by="recovery code")
    if stored is None or not factors.spend_recovery(unit, person, number, stored):
        unit.draft.outcome = "Denied"
        return None
    unit.notify("staff.recovery-code", person.id)
    return _prove(unit, person.id, of)


@operation("presence.ask", recorded=False)
def _asked(unit: Unit, actor: Actor, deed: Deed) -> dict[str, Any]:
    """Leave a challenge for the deed, bound to this session; with what a browser needs to answer it."""
    person = person_of(unit, actor)
    challenge = challenges.ask(unit, "deed", person_id=person.id, bound_to=actor.session, deed=deed.digest)
    # bound to the tag and by it to all that was asked, so that nobody is shown one deed and proves another
    challenge.sealed = unit.keys.factors.wrap(deed.words.encode(), "deed", bytes(challenge.tag))
    unit.insert(challenge)
    return _as_asked(unit, person, challenge, deed.words)


def _as_asked(reading: Reading, person: Person, challenge: Challenge, words: str) -> dict[str, Any]:
    held = factors.passkeys_of(reading, person)
    rp = factors.relying_party(reading.settings)
    options = passkeys.assertion_options(rp, bytes(challenge.question), held) if held else None
    return {
        "id": challenge.id,
        "deed": words,
        "passkey": options,
        "code": factors.has_totp(reading, person),
        "expires_at": to_datetime(challenge.expires_at).isoformat().replace("+00:00", "Z"),
    }


def deed_of(reading: Reading, actor: Actor, challenge_id: str) -> DeedView:
    """What a challenge of one's own is about, for the page on which it is proved for a command line.

    Raises NotSignedIn, Denied; NotFound for another person's, an unknown, a late and an answered one.
    """
    person = may(reading, actor, "presence.prove")
    challenge = _open(reading, challenge_id, person.id)
    words = _words(reading, challenge)
    asked = _as_asked(reading, person, challenge, words)
    return DeedView(
        id=challenge.id,
        words=words,
        passkey=asked["passkey"],
        code=asked["code"],
        expires_at=to_datetime(challenge.expires_at),
    )


async def prove_here(vault: Vault, actor: Actor, challenge_id: str, given: Presence) -> None:
    """Prove, in a browser, a deed that the same person was asked for elsewhere. Raises as `prove`, and NotFound."""
    await vault.read(deed_of, actor, challenge_id)
    await attempts.count(vault, actor, f"code:{actor.id}")
    if not await vault.perform(_proved_here, actor, challenge_id, given.code, given.answer):
        raise Denied(factors.NOT_ACCEPTED)


def _open(reading: Reading, challenge_id: str, person_id: str) -> Challenge:
    found = challenges.still_open(reading, "deed", challenge_id)
    if found is None or found.person_id != person_id:
        raise NotFound("there is nothing to be proved here, or it is over")
    _words(reading, found)
    return found


def _words(reading: Reading, challenge: Challenge) -> str:
    """The deed in words. Raises Tampered for words of another challenge."""
    sealed = bytes(challenge.sealed)
    return reading.keys.factors.unwrap(sealed, "deed", bytes(challenge.tag)).decode()


@operation("presence.prove")
def _proved(unit: Unit, actor: Actor, of: bytes, code: str) -> str | None:
    """By a one-time code."""
    person = person_of(unit, actor)
    unit.about(person=person.id)
    unit.say(by="code")
    if not factors.accept_code(unit, person, code):
        unit.draft.outcome = "Denied"
        return None
    return _prove(unit, person.id, of)


@operation("presence.prove")
def _answered(
    unit: Unit, actor: Actor, challenge_id: str, of: bytes, answer: Mapping[str, Any]
) -> str | None:
    """By a passkey, in the session that was asked, for the deed that it was asked for."""
    person = person_of(unit, actor)
    unit.about(person=person.id, challenge=challenge_id)
    unit.say(by="passkey")
    challenge = _open(unit, challenge_id, person.id)
    unit.change(challenge, spent_at=unit.now)
    if (
        challenge.bound_to != actor.session
        or bytes(challenge.deed) != of
        or factors.accept_passkey(unit, bytes(challenge.question), answer, person) is None
    ):
        unit.draft.outcome = "Denied"
        return None
    return _prove(unit, person.id, of)


@operation("presence.prove")
def _proved_here(
    unit: Unit, actor: Actor, challenge_id: str, code: str, answer: Mapping[str, Any] | None
) -> bool:
    """In a browser, for a session of the same person elsewhere."""
    person = may(unit, actor, "presence.prove")
    unit.about(person=person.id, challenge=challenge_id)
    unit.say(by="code" if code else "passkey")
    challenge = _open(unit, challenge_id, person.id)
    if code:
        right = factors.accept_code(unit, person, code)
    else:
        right = (
            answer is not None
            and factors.accept_passkey(unit, bytes(challenge.question), answer, person) is not None
        )
        unit.change(challenge, spent_at=unit.now)
    if not right:
        unit.draft.outcome = "Denied"
        return False
    unit.change(challenge, proof_id=_prove(unit, person.id, bytes(challenge.deed)), spent_at=unit.now)
    return True


def _proved_elsewhere(reading: Reading, actor: Actor, challenge_id: str, of: bytes) -> str | None:
    person = person_of(reading, actor)
    found = reading.find(Challenge, id=known_id("chl", challenge_id))
    if (
        found is None
        or found.person_id != person.id
        or found.bound_to != actor.session
        or bytes(found.deed) != of
    ):
        raise StaleProof("that was asked for something else")
    return found.proof_id or None


def _prove(unit: Unit, person_id: str, of: bytes) -> str:
    proof = Proof(id=new_id("prf"), person_id=person_id, deed=of, expires_at=unit.now + FRESH)
    proof.tag = _tag(unit, proof)
    unit.insert(proof)
    unit.about(proof=proof.id)
    return proof.id


def _tag(unit: Unit, proof: Proof) -> bytes:
    return unit.keys.sessions.tag(proof.id, proof.person_id, bytes(proof.deed), proof.expires_at)


def spend(unit: Unit, actor: Actor, proof_id: str, deed: Deed) -> None:
    """Consume a proof for the deed it was given for. Raises StaleProof unless it is fresh, unspent and for this one."""
    unit.about(proof=proof_id)
    proof = unit.find(Proof, id=proof_id)
    if (
        proof is None
        or proof.person_id != actor.id
        or bytes(proof.deed) != deed.digest
        or unit.now >= proof.expires_at
        or not hmac.compare_digest(bytes(proof.tag), _tag(unit, proof))
        or unit.execute(_SPEND, proof=proof_id, at=unit.now) != 1
    ):
        raise StaleProof("the proof of presence for this is used up or older than five minutes")
