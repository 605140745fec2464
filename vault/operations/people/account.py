"""One's own account: password, factors, recovery codes. What proves somebody anew ends all that was proved before."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, update

from vault.crypto.passwords import parse_password
from vault.errors import Denied
from vault.model.people import Challenge, Person, Proof
from vault.model.views import AccountView
from vault.operations import attempts, showing
from vault.operations.asking import agreement_in_force, may, person_of
from vault.operations.people import browsers, device, factors, sessions, tokens
from vault.operations.people.judging import judge
from vault.operations.presence import NOTHING, Deed, Presence, prove, spend
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, to_datetime


def account(reading: Reading, actor: Actor) -> AccountView:
    """The account of whoever asks. Raises NotSignedIn, Denied."""
    person = may(reading, actor, "account.show")
    in_force = agreement_in_force(reading)
    resting = reading.now < person.rests_until
    return AccountView(
        person=showing.person(person, in_force),
        rests_until=to_datetime(person.rests_until) if resting else None,
        factors=factors.views_of(reading, person),
        sessions=sessions.own_sessions(reading, actor),
        tokens=tokens.own_tokens(reading, actor),
        agreement_version=in_force,
    )


@operation("session.end-all", in_any_time=True)
def sign_out_everywhere(unit: Unit, actor: Actor) -> None:
    """End every session of whoever asks, this one and those that still wait for a yes too; know no browser any more.

    API tokens stay: they are ended one by one, or with a change of password or factor.
    """
    person = person_of(unit, actor)
    unit.about(person=person.id)
    sessions.end_all(unit, person.id)
    device.end_all(unit, person.id)
    browsers.forget_all(unit, person.id)


def end_everything(unit: Unit, person_id: str) -> None:
    """End what a person's former proofs have opened: sessions, API tokens, waiting sign-ins, proofs, known browsers.

    As part of another change. Leases are not among it: they end with the person's right to hold them.
    """
    sessions.end_all(unit, person_id)
    tokens.end_all(unit, person_id)
    device.end_all(unit, person_id)
    browsers.forget_all(unit, person_id)
    proofs, challenges = Proof.table(), Challenge.table()
    unit.execute(
        update(proofs)
        .where(proofs.c.person_id == person_id, proofs.c.spent_at.is_(None))
        .values(spent_at=unit.now)
    )
    unit.execute(delete(challenges).where(challenges.c.person_id == person_id))


async def _proved(vault: Vault, actor: Actor, given: Presence, words: str, *parts: str) -> tuple[Deed, str]:
    """A proof for a change of one's own account, judged before anybody is asked for it."""
    await vault.read(may, actor, "account.change")
    deed = Deed(words, ("account.change", *parts), restores=True)
    return deed, await prove(vault, actor, deed, given)


def _changing(unit: Unit, actor: Actor, deed: Deed, proof: str) -> Person:
    person = may(unit, actor, "account.change")
    unit.about(person=person.id)
    spend(unit, actor, proof, deed)
    return person


# -- password ---------------------------------------------------------------------------------------------------------


async def change_password(vault: Vault, actor: Actor, new: str, given: Presence = NOTHING) -> None:
    """Choose a new password, with a proof of presence. Every session ends, this one too; mail tells the person.

    Raises NotSignedIn, Denied, Invalid with the reason for a weak one, ProofNeeded, TooMany.
    """
    person = await vault.read(may, actor, "account.change")
    chosen = parse_password(new)
    await judge(vault, chosen, person.name, person.mail)
    deed, proof = await _proved(vault, actor, given, "choose a new password", "password")
    hashed = await vault.hashing.hash(chosen)
    await vault.perform(_changed, actor, hashed, deed, proof)


@operation("password.change")
def _changed(unit: Unit, actor: Actor, hashed: str, deed: Deed, proof: str) -> None:
    person = _changing(unit, actor, deed, proof)
    unit.change(person, password_hash=hashed)
    end_everything(unit, person.id)
    unit.notify("staff.password", person.id)


# -- factors ----------------------------------------------------------------------------------------------------------


async def ask_totp(vault: Vault, actor: Actor, given: Presence = NOTHING) -> factors.OfferedTotp:
    """Offer a new authenticator's seed to this session, with a proof of presence by a factor that is there already."""
    deed, proof = await _proved(vault, actor, given, "set up a new authenticator", "totp")
    offered: factors.OfferedTotp = await vault.perform(_offered, actor, deed, proof)
    return offered


@operation("factor.offer")
def _offered(unit: Unit, actor: Actor, deed: Deed, proof: str) -> factors.OfferedTotp:
    person = _changing(unit, actor, deed, proof)
    return factors.offer_totp(unit, person, actor.session)


async def confirm_totp(vault: Vault, actor: Actor, code: str) -> None:
    """Take the authenticator that this session was offered into use. Every session ends, this one too.

    Raises NotSignedIn, NotFound (nothing on offer here), Denied (wrong code), TooMany.
    """
    await attempts.count(vault, actor, f"code:{actor.id}")
    if not await vault.perform(_confirmed, actor, code):
        raise Denied("that code is not the one that your authenticator shows now; wait for the next one")


@operation("factor.add")
def _confirmed(unit: Unit, actor: Actor, code: str) -> bool:
    person = may(unit, actor, "account.change")
    unit.about(person=person.id)
    unit.say(kind="totp")
    if not factors.confirm_totp(unit, person, actor.session, code):
        unit.draft.outcome = "Denied"
        return False
    _factors_changed(unit, person)
    return True


async def ask_passkey(vault: Vault, actor: Actor, given: Presence = NOTHING) -> dict[str, Any]:
    """What this session's browser needs to make a passkey, with a proof of presence by a factor that is there."""
    deed, proof = await _proved(vault, actor, given, "add a passkey", "passkey")
    asked: dict[str, Any] = await vault.perform(_asked, actor, deed, proof)
    return asked


@operation("factor.ask")
def _asked(unit: Unit, actor: Actor, deed: Deed, proof: str) -> dict[str, Any]:
    person = _changing(unit, actor, deed, proof)
    return factors.ask_passkey(unit, person, actor.session)


async def add_passkey(
    vault: Vault, actor: Actor, challenge: str, answer: Mapping[str, Any], name: str
) -> None:
    """Take a new passkey into use. Every session ends, this one too. Raises NotSignedIn, NotFound, Denied, Conflict."""
    await attempts.count(vault, actor, f"code:{actor.id}")
    await vault.perform(_added, actor, challenge, answer, name)


@operation("factor.add")
def _added(unit: Unit, actor: Actor, challenge: str, answer: Mapping[str, Any], name: str) -> None:
    person = may(unit, actor, "account.change")
    unit.about(person=person.id)
    unit.say(kind="passkey")
    factors.add_passkey(unit, person, actor.session, challenge, answer, name)
    _factors_changed(unit, person)


async def remove_factor(vault: Vault, actor: Actor, factor_id: str, given: Presence = NOTHING) -> None:
    """Take a factor out of use. Every session ends, this one too. Raises NotFound, Conflict for the last one."""
    deed, proof = await _proved(vault, actor, given, "remove one of your factors", "remove", factor_id)
    await vault.perform(_removed, actor, factor_id, deed, proof)


@operation("factor.remove")
def _removed(unit: Unit, actor: Actor, factor_id: str, deed: Deed, proof: str) -> None:
    unit.about(factor=factor_id)
    person = _changing(unit, actor, deed, proof)
    unit.say(kind=factors.remove(unit, person, factor_id).kind)
    _factors_changed(unit, person)


async def renew_recovery(vault: Vault, actor: Actor, given: Presence = NOTHING) -> list[str]:
    """Ten new recovery codes, shown this once; the ones before open nothing any more. Mail tells the person."""
    deed, proof = await _proved(vault, actor, given, "replace your recovery codes", "recovery")
    codes, hashes = await factors.hashed_codes(vault)
    await vault.perform(_renewed, actor, hashes, deed, proof)
    return codes


@operation("recovery.renew")
def _renewed(unit: Unit, actor: Actor, hashes: list[str], deed: Deed, proof: str) -> None:
    person = _changing(unit, actor, deed, proof)
    factors.put_recovery(unit, person, hashes)
    unit.notify("staff.recovery-codes", person.id)


def _factors_changed(unit: Unit, person: Person) -> None:
    end_everything(unit, person.id)
    unit.notify("staff.factor", person.id)
