"""Second factors: authenticators, passkeys and recovery codes; what each accepts is accepted once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vault.crypto import passkeys
from vault.crypto.factors import matching_step, new_totp_seed, provisioning_uri
from vault.crypto.passkeys import RelyingParty
from vault.crypto.recovery import new_recovery_codes, parse_recovery_code
from vault.errors import Conflict, Denied, NotFound
from vault.model.people import Challenge, Factor
from vault.model.views import FactorView
from vault.operations.vault import Vault
from vault.settings import Settings
from vault.storage.reading import Reading
from vault.storage.unit import Unit
from vault.values import MINUTE, SECOND, Plaintext, clean_text, known_id, new_id, to_datetime

NOT_ACCEPTED = "the passkey was not accepted"
OFFERED_FOR = 15 * MINUTE
MOST_PASSKEYS = 10


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


def active_of(reading: Reading, person_id: str, *kinds: str) -> list[Factor]:
    """The factors with which a person can prove something now."""
    held = reading.find_all(Factor, person_id=person_id, state="active")
    return [factor for factor in held if not kinds or factor.kind in kinds]


def views_of(reading: Reading, person_id: str) -> tuple[FactorView, ...]:
    """What somebody sees of their own factors; of the recovery codes how many are left."""
    return tuple(
        FactorView(
            id=factor.id,
            kind=factor.kind,
            name=factor.name,
            created_at=to_datetime(factor.created_at),
            left=sum(map(bool, _sheet(reading, factor))) if factor.kind == "recovery" else None,
        )
        for factor in active_of(reading, person_id)
    )


def has_totp(reading: Reading, person_id: str) -> bool:
    """Whether this person has an authenticator that shows codes."""
    return bool(active_of(reading, person_id, "totp"))


def passkeys_of(reading: Reading, person_id: str) -> list[bytes]:
    """The credential ids of a person's passkeys."""
    return [_passkey(reading, factor)[0] for factor in active_of(reading, person_id, "passkey")]


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


def accept_code(unit: Unit, person_id: str, code: str) -> bool:
    """Whether the code is right and its time step was never used, for whatever purpose; then it is used now."""
    for factor in active_of(unit, person_id, "totp"):
        step = matching_step(_opened(unit, factor), code, unit.now // SECOND)
        if step is not None and step > factor.step:
            unit.change(factor, step=step)
            return True
    return False


def accept_passkey(
    unit: Unit, question: bytes, answer: Mapping[str, Any], person_id: str | None = None
) -> Factor | None:
    """The passkey whose answer to the question this is, of that person where one is named; None for anything else.

    Its count of signatures moves on in the same transaction, so that a copy of it is noticed.
    """
    try:
        handle = passkeys.credential_handle(passkeys.credential_id_of(answer))
        factor = unit.find(Factor, handle=handle)
        if factor is None or factor.state != "active" or person_id not in {None, factor.person_id}:
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


def recovery_hash(reading: Reading, person_id: str, number: int) -> str | None:
    """The stored hash of a person's recovery code of that number; None where there is none, or it was used."""
    for factor in active_of(reading, person_id, "recovery"):
        return _sheet(reading, factor)[number] or None
    return None


def spend_recovery(unit: Unit, person_id: str, number: int, stored: str) -> bool:
    """Use up a recovery code that was found right; False when it was used, or the sheet replaced, meanwhile."""
    for factor in active_of(unit, person_id, "recovery"):
        hashes = _sheet(unit, factor)
        if hashes[number] == stored:
            hashes[number] = ""
            unit.change(factor, sealed=_seal(unit, factor, json.dumps(hashes).encode()))
            return True
    return False


# -- giving and taking ------------------------------------------------------------------------------------------------


def offer_totp(unit: Unit, person_id: str, mail: str, offered_to: str) -> OfferedTotp:
    """Make a seed and offer it to one invitation or session; what was offered to it before is void."""
    drop_offers(unit, person_id)
    factor = Factor(
        id=new_id("fac"),
        person_id=person_id,
        kind="totp",
        name="Authenticator",
        offered_to=offered_to,
        created_at=unit.now,
    )
    seed = new_totp_seed()
    factor.sealed = _seal(unit, factor, seed)
    unit.insert(factor)
    unit.about(factor=factor.id)
    return OfferedTotp(factor.id, provisioning_uri(seed, mail, unit.settings.business))


def confirm_totp(unit: Unit, person_id: str, offered_to: str, code: str) -> Factor | None:
    """Take the offered seed into use if the code is its own; it replaces an authenticator that was there before.

    None for a wrong code. Raises NotFound when nothing is on offer to this invitation or session.
    """
    factor = next(
        (one for one in _offers(unit, person_id) if one.kind == "totp" and one.offered_to == offered_to), None
    )
    if factor is None or unit.now >= factor.created_at + OFFERED_FOR:
        raise NotFound("no authenticator waits to be confirmed here; begin again")
    step = matching_step(_opened(unit, factor), code, unit.now // SECOND)
    if step is None:
        return None
    for former in active_of(unit, person_id, "totp"):
        _drop(unit, former)
    unit.change(factor, state="active", step=step)
    unit.about(factor=factor.id)
    return factor


def ask_passkey(unit: Unit, person_id: str, mail: str, name: str, bound_to: str) -> dict[str, Any]:
    """Leave a challenge for a new passkey, bound to one invitation or session; with what the browser needs."""
    challenge = Challenge(
        id=new_id("chl"),
        purpose="passkey",
        person_id=person_id,
        bound_to=bound_to,
        question=passkeys.new_challenge(),
        expires_at=unit.now + 5 * MINUTE,
    )
    unit.insert(challenge)
    options = passkeys.registration_options(
        relying_party(unit.settings),
        bytes(challenge.question),
        person_id.encode("ascii"),
        mail,
        name,
        passkeys_of(unit, person_id),
    )
    return {"challenge": challenge.id, "passkey": options}


def add_passkey(
    unit: Unit, person_id: str, bound_to: str, challenge_id: str, answer: Mapping[str, Any], name: str
) -> Factor:
    """Take a new passkey into use.

    Raises NotFound for a challenge that is not open for this invitation or session, Denied for an answer that does not
    hold, Conflict for one passkey too many or one that is known.
    """
    challenge = unit.find(Challenge, id=known_id("chl", challenge_id))
    if (
        challenge is None
        or challenge.purpose != "passkey"
        or (challenge.person_id, challenge.bound_to) != (person_id, bound_to)
        or challenge.spent_at is not None
        or unit.now >= challenge.expires_at
    ):
        raise NotFound("no passkey was asked for here, or it took too long; begin again")
    unit.change(challenge, spent_at=unit.now)
    made = passkeys.register(relying_party(unit.settings), bytes(challenge.question), answer)
    if len(active_of(unit, person_id, "passkey")) >= MOST_PASSKEYS:
        raise Conflict(f"you have {MOST_PASSKEYS} passkeys; remove one first")
    handle = passkeys.credential_handle(made.credential_id)
    if unit.find(Factor, handle=handle) is not None:
        raise Conflict("this passkey is known already")
    factor = Factor(
        id=new_id("fac"),
        person_id=person_id,
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
    unit.about(factor=factor.id)
    return factor


async def hashed_codes(vault: Vault) -> tuple[list[str], list[str]]:
    """Ten fresh recovery codes and their slow hashes, one after the other, so that nobody's sign-in waits for all."""
    codes = new_recovery_codes()
    hashes = []
    for code in codes:
        parsed = parse_recovery_code(code)
        if parsed is None:
            raise Conflict("a recovery code was made wrong")
        hashes.append(await vault.hashing.hash(Plaintext(parsed[1])))
    return codes, hashes


def put_recovery(unit: Unit, person_id: str, hashes: list[str]) -> None:
    """Replace a person's sheet of recovery codes."""
    for former in active_of(unit, person_id, "recovery"):
        _drop(unit, former)
    factor = Factor(
        id=new_id("fac"),
        person_id=person_id,
        kind="recovery",
        name="Recovery codes",
        state="active",
        created_at=unit.now,
    )
    factor.sealed = _seal(unit, factor, json.dumps(hashes).encode())
    unit.insert(factor)


def remove(unit: Unit, person_id: str, factor_id: str) -> Factor:
    """Take a passkey or an authenticator out of use.

    Raises NotFound, and Conflict for the last one: nobody is left with a password alone.
    """
    held = active_of(unit, person_id, "totp", "passkey")
    found = next((factor for factor in held if factor.id == factor_id), None)
    if found is None:
        raise NotFound("there is no such factor")
    if len(held) == 1:
        raise Conflict("this is your only second factor; add another one first")
    _drop(unit, found)
    return found


def drop_all(unit: Unit, person_id: str) -> None:
    """Take every factor of a person out of use, the recovery codes too."""
    for factor in active_of(unit, person_id):
        _drop(unit, factor)
    drop_offers(unit, person_id)


def drop_offers(unit: Unit, person_id: str) -> None:
    """Take back what was offered and never confirmed."""
    for factor in _offers(unit, person_id):
        _drop(unit, factor)


def _offers(reading: Reading, person_id: str) -> list[Factor]:
    return reading.find_all(Factor, person_id=person_id, state="offered")


def _drop(unit: Unit, factor: Factor) -> None:
    """The row stays, for the ledger names it; what was in it goes."""
    unit.change(factor, state="gone", sealed=b"", handle=None, offered_to="")
