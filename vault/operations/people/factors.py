"""Second factors: authenticators, passkeys and recovery codes; what each accepts is accepted once."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from vault.crypto import passkeys
from vault.crypto.factors import matching_step, new_totp_seed, provisioning_uri
from vault.crypto.passkeys import RelyingParty
from vault.crypto.recovery import new_recovery_codes
from vault.errors import Conflict, Denied, NotFound, Tampered
from vault.model.people import Factor, Person
from vault.model.tables import Customer
from vault.model.views import FactorView
from vault.operations.people import challenges
from vault.operations.vault import Vault
from vault.sentences import Sentence
from vault.settings import Settings
from vault.storage.reading import Reading
from vault.storage.unit import Unit
from vault.values import MINUTE, SECOND, Plaintext, clean_text, new_id, to_datetime

NOT_ACCEPTED = "the passkey was not accepted"
OFFERED_FOR = 15 * MINUTE
MOST_PASSKEYS = 10


Holder = Person | Customer
"""Whoever can have factors. A customer has passkeys alone: without one, their mailbox proves who they are."""


@dataclass(frozen=True)
class OfferedTotp:
    """An authenticator's seed on its way to its owner: shown this once."""

    factor: str
    uri: str = field(repr=False)


def relying_party(settings: Settings) -> RelyingParty:
    """Whose passkeys these are: this deployment's host name and origin, and nobody else's."""
    return RelyingParty(
        settings.host_name, settings.origin, settings.business, settings.passkeys_device_bound
    )


# -- what a person holds ----------------------------------------------------------------------------------------------


def active_of(reading: Reading, person: Holder, *kinds: str) -> list[Factor]:
    """The factors with which a person can prove something now.

    They are those that the person's own row counts: one that was hidden during a change and put back is none of them.
    Raises Tampered where the two do not agree.
    """
    held = reading.find_all(Factor, person_id=person.id, state="active")
    if {factor.id for factor in held} != set(person.factors.split()):
        raise Tampered("a person's factors are not those that count; none of them is used")
    return [factor for factor in held if not kinds or factor.kind in kinds]


def _count(unit: Unit, person: Holder, *, more: Collection[str] = (), fewer: Collection[str] = ()) -> None:
    """Count these factors, and those no longer, in the person's row."""
    unit.change(person, factors=" ".join(sorted({*person.factors.split(), *more} - set(fewer))))


def views_of(reading: Reading, person: Holder) -> tuple[FactorView, ...]:
    """What somebody sees of their own factors; of the recovery codes how many are left."""
    return tuple(
        FactorView(
            id=factor.id,
            kind=factor.kind,
            name=factor.name,
            created_at=to_datetime(factor.created_at),
            left=sum(map(bool, _sheet(reading, factor))) if factor.kind == "recovery" else None,
        )
        for factor in active_of(reading, person)
    )


def has_totp(reading: Reading, person: Person) -> bool:
    """Whether this person has an authenticator that shows codes."""
    return bool(active_of(reading, person, "totp"))


def passkeys_of(reading: Reading, person: Holder) -> list[bytes]:
    """The credential ids of a person's passkeys."""
    return [_passkey(reading, factor)[0] for factor in active_of(reading, person, "passkey")]


def _opened(reading: Reading, factor: Factor) -> bytes:
    return reading.keys.factors.unwrap(bytes(factor.sealed), factor.kind, factor.id, factor.person_id)


def _seal(unit: Unit, factor: Factor, plain: bytes) -> bytes:
    return unit.keys.factors.wrap(plain, factor.kind, factor.id, factor.person_id)


def _passkey(reading: Reading, factor: Factor) -> tuple[bytes, bytes]:
    """Its credential id and its attested credential data."""
    told = json.loads(_opened(reading, factor))
    return bytes.fromhex(told["id"]), bytes.fromhex(told["data"])


def _sheet(reading: Reading, factor: Factor) -> list[str]:
    """The hashes of the recovery codes by number; empty where one was used."""
    hashes: list[str] = json.loads(_opened(reading, factor))
    return hashes


# -- proving ----------------------------------------------------------------------------------------------------------


def accept_code(unit: Unit, person: Person, code: str) -> bool:
    """Whether the code is right and its time step was never used, for whatever purpose; then it is used now."""
    for factor in active_of(unit, person, "totp"):
        step = matching_step(_opened(unit, factor), code, unit.now // SECOND)
        if step is not None and step > factor.step:
            unit.change(factor, step=step)
            return True
    return False


def accept_passkey(
    unit: Unit, question: bytes, answer: Mapping[str, Any], of: Holder | None = None
) -> Factor | None:
    """The passkey whose answer to the question this is, of that person where one is named; None for anything else.

    Its count of signatures moves on in the same transaction, so that a copy of it is noticed.
    """
    try:
        handle = passkeys.credential_handle(passkeys.credential_id_of(answer))
        factor = unit.find(Factor, handle=handle)
        person = of or (_holder(unit, factor.person_id) if factor else None)
        if factor is None or person is None or factor.person_id != person.id:
            return None
        if factor.state != "active" or factor.id not in person.factors.split():
            return None
        _id, data = _passkey(unit, factor)
        owner = factor.person_id.encode("ascii")
        rp = relying_party(unit.settings)
        count = passkeys.verify(rp, question, answer, data, factor.step, owner)
    except Denied:
        return None
    if count != factor.step:
        unit.change(factor, step=count)
    return factor


def accept_sign_in(unit: Unit, challenge_id: str, answer: Mapping[str, Any]) -> Factor | None:
    """The passkey that answers the open question of a sign-in, whoever holds it; None for a wrong answer.

    The question is spent either way. Raises NotFound where no such question is open.
    """
    challenge = challenges.still_open(unit, "sign-in", challenge_id)
    if challenge is None:
        raise NotFound("there is no such question, or it is over")
    unit.change(challenge, spent_at=unit.now)
    return accept_passkey(unit, bytes(challenge.question), answer)


def _holder(reading: Reading, holder_id: str) -> Holder | None:
    return reading.find(Person, id=holder_id) or reading.find(Customer, id=holder_id)


def recovery_hash(reading: Reading, person: Person, number: int) -> str | None:
    """The stored hash of a person's recovery code of that number; None where there is none, or it was used."""
    for factor in active_of(reading, person, "recovery"):
        return _sheet(reading, factor)[number] or None
    return None


def spend_recovery(unit: Unit, person: Person, number: int, stored: str) -> bool:
    """Use up a recovery code that was found right; False when it was used, or the sheet replaced, meanwhile."""
    for factor in active_of(unit, person, "recovery"):
        hashes = _sheet(unit, factor)
        if hashes[number] == stored:
            hashes[number] = ""
            unit.change(factor, sealed=_seal(unit, factor, json.dumps(hashes).encode()))
            return True
    return False


# -- giving and taking ------------------------------------------------------------------------------------------------


def offer_totp(unit: Unit, person: Person, offered_to: str) -> OfferedTotp:
    """Make a seed and offer it to one invitation or session; what was offered to the person before is void."""
    drop_offers(unit, person.id)
    factor = Factor(
        id=new_id("fac"),
        person_id=person.id,
        kind="totp",
        name="Authenticator",
        offered_to=offered_to,
        created_at=unit.now,
    )
    seed = new_totp_seed()
    factor.sealed = _seal(unit, factor, seed)
    unit.insert(factor)
    unit.about(factor=factor.id)
    return OfferedTotp(factor.id, provisioning_uri(seed, person.mail, unit.settings.business))


def confirm_totp(unit: Unit, person: Person, offered_to: str, code: str) -> bool:
    """Take the offered seed into use if the code is its own; it replaces an authenticator that was there before.

    False for a wrong code. Raises NotFound when nothing is on offer to this invitation or session.
    """
    offers = [one for one in _offers(unit, person.id) if one.offered_to == offered_to]
    if not offers or unit.now >= offers[0].created_at + OFFERED_FOR:
        raise NotFound("no authenticator waits to be confirmed here; begin again")
    factor = offers[0]
    step = matching_step(_opened(unit, factor), code, unit.now // SECOND)
    if step is None:
        return False
    former = active_of(unit, person, "totp")
    for one in former:
        _drop(unit, one)
    unit.change(factor, state="active", step=step)
    _count(unit, person, more=[factor.id], fewer=[one.id for one in former])
    unit.about(factor=factor.id)
    return True


def ask_passkey(unit: Unit, person: Holder, bound_to: str) -> dict[str, Any]:
    """Leave a challenge for a new passkey, bound to one invitation or session; with what the browser needs."""
    challenge = challenges.ask(unit, "passkey", person_id=person.id, bound_to=bound_to)
    unit.insert(challenge)
    options = passkeys.registration_options(
        relying_party(unit.settings),
        bytes(challenge.question),
        person.id.encode("ascii"),
        person.mail,
        person.name,
        passkeys_of(unit, person),
    )
    return {"challenge": challenge.id, "passkey": options}


def add_passkey(
    unit: Unit, person: Holder, bound_to: str, challenge_id: str, answer: Mapping[str, Any], name: str
) -> None:
    """Take a new passkey into use.

    Raises NotFound for a challenge that is not open for this invitation or session, Denied for an answer that does not
    hold, Invalid for a name that cannot be shown, Conflict for one passkey too many or one that is known.
    """
    challenge = challenges.still_open(unit, "passkey", challenge_id)
    if challenge is None or (challenge.person_id, challenge.bound_to) != (person.id, bound_to):
        raise NotFound("no passkey was asked for here, or it took too long; begin again")
    unit.change(challenge, spent_at=unit.now)
    made = passkeys.register(relying_party(unit.settings), bytes(challenge.question), answer)
    if len(active_of(unit, person, "passkey")) >= MOST_PASSKEYS:
        raise Conflict(Sentence("you have %(most)s passkeys; remove one first", most=MOST_PASSKEYS))
    handle = passkeys.credential_handle(made.credential_id)
    if unit.find(Factor, handle=handle) is not None:
        raise Conflict("this passkey is known already")
    factor = Factor(
        id=new_id("fac"),
        person_id=person.id,
        kind="passkey",
        name=clean_text(name, "a passkey's name", 60, pointer="/name"),
        handle=handle,
        step=made.sign_count,
        state="active",
        created_at=unit.now,
    )
    told = {"id": made.credential_id.hex(), "data": made.data.hex()}
    factor.sealed = _seal(unit, factor, json.dumps(told).encode())
    unit.insert(factor)
    _count(unit, person, more=[factor.id])
    unit.about(factor=factor.id)


async def hashed_codes(vault: Vault) -> tuple[list[str], list[str]]:
    """Ten fresh recovery codes and their slow hashes, one after the other, so that nobody's sign-in waits for all.

    Raises TooMany when the queue is full.
    """
    codes = new_recovery_codes()
    return codes, [await vault.hashing.hash(Plaintext(code)) for code in codes]


def put_recovery(unit: Unit, person: Person, hashes: list[str]) -> None:
    """Replace a person's sheet of recovery codes."""
    former = active_of(unit, person, "recovery")
    for one in former:
        _drop(unit, one)
    factor = Factor(
        id=new_id("fac"),
        person_id=person.id,
        kind="recovery",
        name="Recovery codes",
        state="active",
        created_at=unit.now,
    )
    factor.sealed = _seal(unit, factor, json.dumps(hashes).encode())
    unit.insert(factor)
    _count(unit, person, more=[factor.id], fewer=[one.id for one in former])


def remove(unit: Unit, person: Holder, factor_id: str) -> Factor:
    """Take a passkey or an authenticator out of use.

    Raises NotFound, and Conflict for the last one of the staff: nobody of them is left with a password alone.
    """
    held = active_of(unit, person, "totp", "passkey")
    found = next((factor for factor in held if factor.id == factor_id), None)
    if found is None:
        raise NotFound("there is no such factor")
    if len(held) == 1 and isinstance(person, Person):
        raise Conflict("this is your only second factor; add another one first")
    _drop(unit, found)
    _count(unit, person, fewer=[found.id])
    return found


def drop_all(unit: Unit, person: Person) -> None:
    """Take every factor of a person out of use, the recovery codes too, and whatever was hidden from us meanwhile."""
    for factor in unit.find_all(Factor, person_id=person.id, state="active"):
        _drop(unit, factor)
    unit.change(person, factors="")
    drop_offers(unit, person.id)


def drop_offers(unit: Unit, person_id: str) -> None:
    """Take back what was offered and never confirmed."""
    for factor in _offers(unit, person_id):
        _drop(unit, factor)


def _offers(reading: Reading, person_id: str) -> list[Factor]:
    return reading.find_all(Factor, person_id=person_id, state="offered")


def _drop(unit: Unit, factor: Factor) -> None:
    """The row stays, for the ledger names it; what was in it goes."""
    unit.change(factor, state="gone", sealed=b"", handle=None, offered_to="")
