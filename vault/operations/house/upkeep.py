"""What the vault does by itself: sign, end what is over, send what waits. Checks at use never rely on it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Select, bindparam, delete, select

from vault.errors import Tampered, VaultError
from vault.model.people import (
    ApiToken,
    Attempt,
    Challenge,
    DeviceSignIn,
    Invitation,
    KnownBrowser,
    Proof,
    Session,
    StaffChange,
)
from vault.model.tables import Lease, Outbox, RefusalCount, Request
from vault.operations.customers import giving
from vault.operations.customers.requests import OPEN
from vault.operations.house import delivery, destruction, notices
from vault.operations.leases import reviewing
from vault.operations.leases.leases import LIVE, end_lease
from vault.operations.people import vouching
from vault.operations.services import tickets
from vault.operations.vault import Vault
from vault.policy.attempts import WINDOW
from vault.storage.database import scrub
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.storage.writer import where
from vault.values import DAY, MINUTE, Actor

SIGN_SECONDS = 1.0
SWEEP_SECONDS = 20.0
DELIVER_SECONDS = 5.0
_LEASES = Lease.table()
_REQUESTS = Request.table()
_LATE_LEASES = select(_LEASES.c.id).where(_LEASES.c.state.in_(LIVE), _LEASES.c.expires_at <= bindparam("at"))
_LATE_REQUESTS = select(_REQUESTS.c.id).where(
    _REQUESTS.c.state.in_(OPEN), _REQUESTS.c.expires_at <= bindparam("at")
)
_INVITATIONS = Invitation.table()
_CHANGES = StaffChange.table()
_LATE_INVITATIONS = select(_INVITATIONS.c.id).where(
    _INVITATIONS.c.state.in_(("open", "begun")), _INVITATIONS.c.expires_at <= bindparam("at")
)
_LATE_CHANGES = select(_CHANGES.c.id).where(
    _CHANGES.c.state == "waiting", _CHANGES.c.expires_at <= bindparam("at")
)
_log = logging.getLogger("valetkey.upkeep")


async def run(vault: Vault) -> None:
    """Keep at it until cancelled. A fault is logged and tried again; it stops nothing else."""
    await asyncio.gather(
        _every(SIGN_SECONDS, sign, vault),
        _every(SWEEP_SECONDS, sweep, vault),
        _every(DELIVER_SECONDS, deliver, vault, while_sealed=True),
    )


async def _every(
    seconds: float, work: Callable[[Vault], Awaitable[None]], vault: Vault, *, while_sealed: bool = False
) -> None:
    name = getattr(work, "__name__", "upkeep")
    while True:
        await asyncio.sleep(seconds)
        if vault.is_sealed and not while_sealed:
            continue
        try:
            await work(vault)
        except VaultError as error:
            _log.warning("%s: %s", name, error)
        except Exception as fault:  # noqa: BLE001 (the next round tries again)
            _log.error("%s failed and is tried again: %s", name, where(fault))


async def sign(vault: Vault) -> None:
    """Sign what was recorded since the last checkpoint, and drop keys that another process destroyed."""
    if await vault.aside(vault.signer.is_behind):
        await vault.checkpoint()
        await vault.aside(vault.keys.forget_destroyed)


async def sweep(vault: Vault) -> None:
    """End what has had its time (leases, requests, invitations, changes, services), and finish what was begun."""
    if vault.timekeeper.in_doubt:
        return
    for late, end in (
        (_LATE_LEASES, _expire_lease),
        (_LATE_REQUESTS, _expire_request),
        (_LATE_INVITATIONS, _expire_invitation),
        (_LATE_CHANGES, vouching.expire),
    ):
        for over in await vault.read_aside(_late, Actor.core(), late):
            with suppress(Tampered):  # its refusal is recorded, and it must not keep anything else alive
                await vault.perform(end, Actor.core(), over)
    for ids_of, step in ((tickets.late, tickets.run_out), (reviewing.late, reviewing.overdue)):
        for one in await vault.read_aside(ids_of, Actor.core()):
            with suppress(Tampered):
                await vault.perform(step, Actor.core(), one)
    await destruction.end_overdue(vault)
    await giving.check_waiting(vault)
    await vault.perform(_tidy, Actor.core())
    await vault.aside(scrub, vault.engine)


async def deliver(vault: Vault) -> None:
    """Send what waits in the outbox; while the vault is sealed, only the codes that open customers' pages."""
    await delivery.deliver(vault)


def _late(reading: Reading, _actor: Actor, query: Select[Any]) -> list[str]:
    return list(reading.connection.execute(query, {"at": reading.now}).scalars())


@operation("lease.expire")
def _expire_lease(unit: Unit, _actor: Actor, lease_id: str) -> None:
    unit.about(lease=lease_id)
    lease = unit.find(Lease, id=lease_id)
    if lease is not None and unit.now >= lease.expires_at:
        unit.about(service=lease.service_id, ticket=lease.ticket_id)
        was_asked = lease.state == "asked"
        end_lease(unit, lease, "not answered" if was_asked else "expiry")
        if was_asked:
            notices.on_decided(unit, "lapsed", lease)


@operation("request.expire")
def _expire_request(unit: Unit, _actor: Actor, request_id: str) -> None:
    unit.about(request=request_id)
    request = unit.find(Request, id=request_id)
    if request is not None and request.state in OPEN and unit.now >= request.expires_at:
        unit.about(service=request.service_id)
        unit.change(request, state="expired", code_hash=None, browser_hash=None)


@operation("invitation.expire")
def _expire_invitation(unit: Unit, _actor: Actor, invitation_id: str) -> None:
    unit.about(invitation=invitation_id)
    invitation = unit.find(Invitation, id=invitation_id)
    if invitation is None or invitation.state not in {"open", "begun"} or unit.now < invitation.expires_at:
        return
    unit.about(person=invitation.person_id)
    unit.change(invitation, state="expired", code_hash=None, browser_hash=None, password_hash="")


@operation("housekeeping", recorded=False)
def _tidy(unit: Unit, _actor: Actor) -> None:
    """Forget what decides nothing any more: counters, proofs, sessions, tokens, messages that were sent."""
    attempts, refusals, outbox = Attempt.table(), RefusalCount.table(), Outbox.table()
    unit.execute(delete(attempts).where(attempts.c.window_at < unit.now - 2 * WINDOW))
    unit.execute(delete(refusals).where(refusals.c.minute < (unit.now - 30 * DAY) // MINUTE))
    unit.execute(delete(outbox).where(outbox.c.state != "waiting", outbox.c.next_at < unit.now - DAY))
    challenges = Challenge.table()
    unit.execute(delete(challenges).where(challenges.c.expires_at < unit.now))
    for table in (Proof, Session, KnownBrowser, DeviceSignIn, ApiToken):
        expires_at = table.table().c.expires_at
        unit.execute(delete(table.table()).where(expires_at < unit.now - DAY))
    for table in (Session, ApiToken):
        ended_at = table.table().c.ended_at
        unit.execute(delete(table.table()).where(ended_at < unit.now - DAY))
