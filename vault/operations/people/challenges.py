"""What passkeys are asked to sign: each question once, for one purpose, of one session or invitation."""

import hmac

from vault.crypto import passkeys
from vault.errors import Tampered
from vault.model.people import Challenge
from vault.sentences import Sentence
from vault.storage.reading import Reading
from vault.storage.unit import Unit
from vault.values import MINUTE, known_id, new_id

OPEN_FOR = 5 * MINUTE


def ask(unit: Unit, purpose: str, *, person_id: str = "", bound_to: str = "", deed: bytes = b"") -> Challenge:
    """A fresh question; `insert` it once it is complete."""
    challenge = Challenge(
        id=new_id("chl"),
        purpose=purpose,
        person_id=person_id,
        bound_to=bound_to,
        deed=deed,
        question=passkeys.new_challenge(),
        expires_at=unit.now + OPEN_FOR,
    )
    challenge.tag = _tag(unit, challenge)
    return challenge


def still_open(reading: Reading, purpose: str, challenge_id: str) -> Challenge | None:
    """The question, if it was asked for that purpose, is not late and was never answered; else None.

    Raises NotFound for what is not shaped like an id, Tampered for one that this vault has not asked just so: a writer
    of the database makes no question, and gives none to another.
    """
    found = reading.find(Challenge, id=known_id("chl", challenge_id))
    if found is None or found.purpose != purpose or found.spent_at is not None:
        return None
    if reading.now >= found.expires_at:
        return None
    if not hmac.compare_digest(bytes(found.tag), _tag(reading, found)):
        raise Tampered(Sentence("this was not asked by the vault; it is not used"))
    return found


def _tag(reading: Reading, challenge: Challenge) -> bytes:
    return reading.keys.sessions.tag(
        challenge.id,
        challenge.purpose,
        challenge.person_id,
        challenge.bound_to,
        bytes(challenge.deed),
        bytes(challenge.question),
        challenge.expires_at,
    )
