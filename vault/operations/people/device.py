"""Signing a command line in by a code that is approved in a browser (RFC 8628)."""

import hmac
import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import bindparam, delete, func, select, update

from vault.crypto.tokens import new_token, new_user_code, parse_token, token_hash, user_code_hash
from vault.errors import NotFound, NotSignedIn, Sealed, Tampered, TooMany
from vault.model.people import DeviceSignIn, Person
from vault.model.views import DeviceView
from vault.operations import attempts
from vault.operations.asking import may
from vault.operations.people import refreshing
from vault.operations.people.refreshing import SignedInDevice
from vault.operations.presence import NOTHING, Deed, Presence, prove, spend
from vault.operations.vault import Vault
from vault.policy.attempts import neighbourhood
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import MINUTE, SECOND, Actor, new_id, to_datetime

LIFE = 10 * MINUTE
INTERVAL = 5 * SECOND
"""How long a device waits between two polls."""
JITTER = SECOND
"""What a network may shorten that wait by."""
MOST_WAITING = 20_000
"""Sign-ins that wait at once. One in ten million guesses at a user code then finds one."""
LONGEST_CLIENT = 60
_NOTHING_ASKED = "there is no such code, or it is over"
_DEVICES = DeviceSignIn.table()
_WAITING = select(func.count().label("waiting")).where(
    _DEVICES.c.state == "waiting", _DEVICES.c.expires_at > bindparam("at")
)
_FORGET = delete(_DEVICES).where(_DEVICES.c.expires_at < bindparam("before"))
_POLLED = update(_DEVICES).where(_DEVICES.c.id == bindparam("device")).values(polled_at=bindparam("at"))
_ANSWER = (
    update(_DEVICES)
    .where(_DEVICES.c.id == bindparam("device"), _DEVICES.c.state == "waiting")
    .values(state=bindparam("answered"), person_id=bindparam("person"), tag=bindparam("vouched"))
)
_USE = (
    update(_DEVICES)
    .where(_DEVICES.c.id == bindparam("device"), _DEVICES.c.state == "allowed")
    .values(state="used")
)
_DENY_ALL = (
    update(_DEVICES)
    .where(_DEVICES.c.person_id == bindparam("person"), _DEVICES.c.state == "allowed")
    .values(state="denied", tag=b"")
)

Refused = Literal["authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_grant"]
"""Why a device gets no tokens now, in the words of RFC 8628 (3.5) and RFC 6749 (5.2)."""


@dataclass(frozen=True)
class DeviceAsked:
    """What a device is told when it asks (RFC 8628, 3.2); lengths of time are in seconds."""

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    verification_uri: str
    verification_uri_complete: str = field(repr=False)
    """With the code behind `#`, which no browser sends and no server logs."""
    expires_in: int
    interval: int


# -- asking, by the device ------------------------------------------------------------------------------------------


async def ask(vault: Vault, actor: Actor, client: str = "") -> DeviceAsked:
    """Begin a sign-in of a command line. It opens nothing until somebody has allowed it, within ten minutes.

    `client` says in short words with what. Raises TooMany, Sealed.
    """
    if vault.is_sealed:
        raise Sealed("the vault is sealed, and with it the second factors of its staff")
    await attempts.count(vault, actor, f"asking:{neighbourhood(actor.source)}")
    asked: DeviceAsked = await vault.perform(_asked, actor, client)
    return asked


@operation("device.ask", recorded=False)
def _asked(unit: Unit, actor: Actor, client: str) -> DeviceAsked:
    unit.execute(_FORGET, before=unit.now - LIFE)  # for that long a late one still hears that it is late
    if unit.connection.execute(_WAITING, {"at": unit.now}).scalar_one() >= MOST_WAITING:
        raise TooMany("too many command lines wait for somebody's yes")
    device_code, user_code = new_token("vk_dvc"), new_user_code()
    row = DeviceSignIn(
        id=new_id("dsi"),
        device_hash=token_hash(device_code),
        user_hash=user_code_hash(user_code),
        polled_at=0,
        expires_at=unit.now + LIFE,
    )
    told = {"client": _short(client), "source": actor.source, **_belongings(row)}
    row.sealed = unit.keys.factors.wrap(json.dumps(told).encode(), "device", row.id)
    unit.insert(row)
    page = f"{unit.settings.origin}/device"
    return DeviceAsked(
        device_code, user_code, page, f"{page}#{user_code}", LIFE // SECOND, INTERVAL // SECOND
    )


def _belongings(row: DeviceSignIn) -> dict[str, str | int]:
    """What a row is made with. It is wrapped too, so that nobody behind our back gives a code another device."""
    return {
        "device": bytes(row.device_hash).hex(),
        "user": bytes(row.user_hash).hex(),
        "expires_at": row.expires_at,
    }


def _short(client: str) -> str:
    return "".join(character for character in client if character.isprintable())[:LONGEST_CLIENT]


# -- answering, by its person in a browser --------------------------------------------------------------------------


async def look(vault: Vault, actor: Actor, user_code: str) -> DeviceView:
    """What waits under a user code, counted as a guess at one. Raises NotSignedIn, NotFound, TooMany."""
    await vault.read(may, actor, "device.answer")
    await _count_guess(vault, actor)
    return await vault.read(asked, actor, user_code)


def asked(reading: Reading, actor: Actor, user_code: str) -> DeviceView:
    """What waits under a user code: from where and with what. Raises NotSignedIn, NotFound. `look` counts the guess."""
    may(reading, actor, "device.answer")
    row = _waiting(reading, user_code)
    told = _told_of(reading, row)
    return DeviceView(
        client=told["client"] or "command line",
        source=told["source"],
        expires_at=to_datetime(row.expires_at),
    )


async def answer(vault: Vault, actor: Actor, user_code: str, allow: bool, given: Presence = NOTHING) -> None:
    """Let the command line that waits under this code sign in as oneself, with a proof of presence for this very one.

    To refuse it takes no proof. Raises NotSignedIn, NotFound for a code that does not wait, ProofNeeded, Denied,
    TooMany, Sealed.
    """
    await vault.read(may, actor, "device.answer")
    await _count_guess(vault, actor)
    device, source = await vault.read(_which, actor, user_code)
    if not allow:
        await vault.perform(_denied, actor, device)
        return
    deed = Deed(f"let a command line at {source} sign in as you", ("device.allow", device))
    proof = await prove(vault, actor, deed, given)
    await vault.perform(_allowed, actor, device, deed, proof)


async def _count_guess(vault: Vault, actor: Actor) -> None:
    """Count it for the person: nobody guesses without an account, and an office is one network address."""
    await attempts.count(vault, actor, f"enrol:{actor.id}")


def _which(reading: Reading, _actor: Actor, user_code: str) -> tuple[str, str]:
    row = _waiting(reading, user_code)
    return row.id, _told_of(reading, row)["source"]


def _told_of(reading: Reading, row: DeviceSignIn) -> dict[str, Any]:
    """With what and from where it was asked. Raises Tampered for a row that was changed since."""
    told: dict[str, Any] = json.loads(reading.keys.factors.unwrap(bytes(row.sealed), "device", row.id))
    belongings = _belongings(row)
    if any(told.get(name) != value for name, value in belongings.items()):
        raise Tampered("this sign-in is not the one that was asked for; it is not used")
    return told


def _waiting(reading: Reading, user_code: str) -> DeviceSignIn:
    row = reading.find(DeviceSignIn, user_hash=user_code_hash(user_code))
    if row is None or row.state != "waiting" or reading.now >= row.expires_at:
        raise NotFound(_NOTHING_ASKED)
    return row


@operation("device.allow")
def _allowed(unit: Unit, actor: Actor, device: str, deed: Deed, proof: str) -> None:
    unit.about(device=device, person=actor.id)
    person = may(unit, actor, "device.answer")
    spend(unit, actor, proof, deed)
    row = unit.find(DeviceSignIn, id=device)
    if row is None or unit.now >= row.expires_at:
        raise NotFound(_NOTHING_ASKED)
    unit.disclose(person.id, source=_told_of(unit, row)["source"])
    vouched = _tag(unit, row, person.id)
    if unit.execute(_ANSWER, device=device, answered="allowed", person=person.id, vouched=vouched) != 1:
        raise NotFound(_NOTHING_ASKED)


@operation("device.deny", in_any_time=True)
def _denied(unit: Unit, actor: Actor, device: str) -> None:
    unit.about(device=device, person=actor.id)
    person = may(unit, actor, "device.answer")
    if unit.execute(_ANSWER, device=device, answered="denied", person=person.id, vouched=b"") != 1:
        raise NotFound(_NOTHING_ASKED)


def end_all(unit: Unit, person_id: str) -> None:
    """Take back what a person has allowed and no command line has collected yet, as part of another change."""
    unit.execute(_DENY_ALL, person=person_id)


# -- collecting, by the device --------------------------------------------------------------------------------------


async def collect(vault: Vault, actor: Actor, device_code: str) -> SignedInDevice | Refused:
    """The session that somebody has allowed, once; or why there is none (yet). Raises Sealed, Tampered, Busy.

    Of many polls for one approved code exactly one gets the session.
    """
    if vault.is_sealed:
        raise Sealed("the vault is sealed, and with it the second factors of its staff")
    try:
        hashed = parse_token("vk_dvc", device_code)
    except NotSignedIn:
        return "invalid_grant"
    device, stands = await vault.read(_standing, actor, hashed)
    if stands in ("authorization_pending", "slow_down"):
        await vault.perform(_polled, actor, device)
    if stands != "allowed":
        return stands
    try:
        # whatever asks by this door becomes a command line's session, and no page's
        started: SignedInDevice = await vault.perform(_start, replace(actor, channel="cli"), device)
    except NotSignedIn:  # another poll was faster, or the person was disabled meanwhile
        return "invalid_grant"
    return started


def _standing(reading: Reading, _actor: Actor, hashed: bytes) -> tuple[str, Refused | Literal["allowed"]]:
    """The id of the sign-in that a device code is for, and how it stands; it is judged again where it is used."""
    row = reading.find(DeviceSignIn, device_hash=hashed)
    if row is None or row.state == "used":
        return "", "invalid_grant"
    if reading.now >= row.expires_at:
        return row.id, "expired_token"
    if row.state == "waiting":
        early = reading.now < row.polled_at + INTERVAL - JITTER
        return row.id, "slow_down" if early else "authorization_pending"
    return row.id, "allowed" if row.state == "allowed" else "access_denied"


@operation("device.poll", recorded=False)
def _polled(unit: Unit, _actor: Actor, device: str) -> None:
    unit.execute(_POLLED, device=device, at=unit.now)


@operation("session.start")
def _start(unit: Unit, actor: Actor, device: str) -> SignedInDevice:
    """Start the allowed session. Raises NotSignedIn when that was done, is late, or its person is not active."""
    unit.say(by="device")
    unit.about(device=device)
    row = unit.find(DeviceSignIn, id=device)
    if row is None or unit.now >= row.expires_at or unit.execute(_USE, device=device) != 1:
        raise NotSignedIn(_NOTHING_ASKED)
    if not hmac.compare_digest(bytes(row.tag), _tag(unit, row, row.person_id)):
        raise Tampered("this sign-in was not allowed by anybody; it is not used")
    person = unit.find(Person, id=row.person_id)
    if person is None or person.state != "active":
        raise NotSignedIn("this account is not active")
    unit.about(person=person.id)
    unit.disclose(person.id, source=actor.source)
    client = _told_of(unit, row)["client"]
    return refreshing.begin(unit, actor, person, client)


def _tag(reading: Reading, row: DeviceSignIn, person_id: str) -> bytes:
    """What vouches for an approval: by whom, of which device code, until when."""
    return reading.keys.sessions.tag(
        "device sign-in", row.id, bytes(row.device_hash), person_id, row.expires_at
    )
