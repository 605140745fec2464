"""Helpdesks: made and ended on the vault's host; a coordinator says of which services each may tell."""

import secrets

from sqlalchemy import bindparam, select

from vault.errors import Conflict, Denied, Invalid, NotFound
from vault.helpdesk import standard, zammad  # noqa: F401 (so that both kinds are known)
from vault.helpdesk.adapter import ADAPTERS, Adapter
from vault.model.helpdesk_views import ConnectionView, HelpdeskView, NamedHelpdesk
from vault.model.helpdesks import Helpdesk, Mirrored
from vault.operations.asking import active, may, service_for
from vault.operations.people.altering import new_subject
from vault.operations.vault import Vault
from vault.policy.access import require_open_service
from vault.policy.rights import ADMINISTRATOR
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import DAY, Actor, Title, known_id, new_id, to_datetime

CHANGES_FOR = DAY
"""How long the secret before the present one still counts: time to type the new one into the helpdesk."""
_MIRRORED = Mirrored.table()
_SERVICES = (
    select(_MIRRORED.c.ours_id)
    .where(
        _MIRRORED.c.helpdesk_id == bindparam("helpdesk"),
        _MIRRORED.c.thing == "service",
        _MIRRORED.c.ours_id != "",
    )
    .order_by(_MIRRORED.c.ours_id)
)


# -- on the host -------------------------------------------------------------------------------------------------------


async def add(vault: Vault, actor: Actor, name: str, kind: str) -> HelpdeskView:
    """Let a helpdesk tell of tickets; its signing secret is in the answer, this once. Administrators are told by mail.

    Raises Denied for anybody but the host's operator, Invalid, Conflict (an active one of that name), Sealed.
    """
    _require_host(actor)
    parsed = Title.parse(name, "a helpdesk's name", "/name").text
    if kind not in ADAPTERS:
        raise Invalid(f"the kinds of helpdesk are {', '.join(sorted(ADAPTERS))}", "/kind")
    helpdesk = Helpdesk(id=new_id("hlp"), name=parsed, kind=kind)
    secret = ADAPTERS[kind].new_secret()
    generation = await new_subject(vault, helpdesk.id)
    return await vault.perform(_added, actor, helpdesk, secret, generation)


@operation("helpdesk.add")
def _added(unit: Unit, actor: Actor, helpdesk: Helpdesk, secret: str, generation: int) -> HelpdeskView:
    _require_host(actor)
    unit.about(helpdesk=helpdesk.id)
    unit.say(kind=helpdesk.kind)
    if unit.find_all(Helpdesk, name=helpdesk.name, state="active"):
        raise Conflict("there is a helpdesk of that name already")
    unit.disclose(helpdesk.id, name=helpdesk.name)
    helpdesk.created_at = unit.now
    helpdesk.sealed = _sealed(unit, helpdesk, secret)
    unit.keyring_is_at(generation)
    unit.insert(helpdesk)
    _tell_administrators(unit, "staff.helpdesk-added", helpdesk)
    return shown(unit, helpdesk).model_copy(update={"secret": secret})


@operation("helpdesk.secret")
def renew(unit: Unit, actor: Actor, helpdesk_id: str, at_once: bool = False) -> HelpdeskView:
    """Make another signing secret, which is in the answer, this once; the one before counts for a day more.

    With `at_once` it counts no more from now on. Raises Denied (host only), NotFound, Sealed.
    """
    _require_host(actor)
    unit.about(helpdesk=helpdesk_id)
    helpdesk = _active(unit, helpdesk_id)
    secret = ADAPTERS[helpdesk.kind].new_secret()
    former = {"former": b"", "former_until": 0}
    if not at_once:
        former = {"former": helpdesk.sealed, "former_until": unit.now + CHANGES_FOR}
    unit.change(helpdesk, sealed=_sealed(unit, helpdesk, secret), **former)
    _tell_administrators(unit, "staff.helpdesk-secret", helpdesk)
    return shown(unit, helpdesk).model_copy(update={"secret": secret})


@operation("helpdesk.end", in_any_time=True)
def end(unit: Unit, actor: Actor, helpdesk_id: str) -> None:
    """Believe a helpdesk nothing any more; what it has told of stays as it is. Raises Denied (host only), NotFound."""
    _require_host(actor)
    unit.about(helpdesk=helpdesk_id)
    helpdesk = _active(unit, helpdesk_id)
    unit.change(helpdesk, state="ended", sealed=b"", former=b"", former_until=0)
    _tell_administrators(unit, "staff.helpdesk-ended", helpdesk)


def all_helpdesks(reading: Reading, actor: Actor) -> list[HelpdeskView]:
    """Every helpdesk, those that have ended too, for the host's operator. Raises Denied."""
    _require_host(actor)
    return [shown(reading, one) for one in reading.find_all(Helpdesk)]


def _require_host(actor: Actor) -> None:
    if actor.kind != "host":
        raise Denied("helpdesks are made and ended on the vault's host")


def _sealed(unit: Unit, helpdesk: Helpdesk, secret: str) -> bytes:
    return unit.keys.factors.wrap(secret.encode(), "helpdesk", helpdesk.id)


def _tell_administrators(unit: Unit, template: str, helpdesk: Helpdesk) -> None:
    for person in active(unit, ADMINISTRATOR):
        unit.notify(template, f"{helpdesk.id} {person.id}", person.id)


# -- of which services it may tell -------------------------------------------------------------------------------------


def helpdesks(reading: Reading, actor: Actor) -> list[HelpdeskView]:
    """The helpdesks that tell of tickets, for coordinators. Raises NotSignedIn or Denied."""
    may(reading, actor, "service.connect")
    return [shown(reading, one) for one in reading.find_all(Helpdesk, state="active")]


def connection(reading: Reading, actor: Actor, service_id: str) -> ConnectionView:
    """Which helpdesk tells of a service, for coordinators. Raises NotSignedIn, Denied or NotFound."""
    service = service_for(reading, actor, "service.connect", service_id)
    told = next(iter(reading.find_all(Mirrored, thing="service", ours_id=service.id)), None)
    known = {
        one.id: NamedHelpdesk(id=one.id, name=one.name, state=one.state) for one in reading.find_all(Helpdesk)
    }
    return ConnectionView(
        told_by=known.pop(told.helpdesk_id, None) if told else None,
        reference=told.reference if told else "",
        others=tuple(one for one in known.values() if one.state == "active"),
    )


@operation("service.connect")
def connect(unit: Unit, actor: Actor, service_id: str, helpdesk_id: str) -> None:
    """Let a helpdesk tell of a service, which it then knows by its id here.

    Raises NotSignedIn, Denied, NotFound, Ended, Conflict (one helpdesk tells of it already).
    """
    unit.about(service=service_id, helpdesk=helpdesk_id)
    service = service_for(unit, actor, "service.connect", service_id)
    helpdesk = _active(unit, helpdesk_id)
    require_open_service(is_open=service.state == "open", ends_at=service.ends_at, now=unit.now)
    if unit.find_all(Mirrored, thing="service", ours_id=service.id):
        raise Conflict("a helpdesk tells of this service already; take it away from that one first")
    known = unit.find(Mirrored, helpdesk_id=helpdesk.id, thing="service", reference=service.id)
    if known is not None:
        unit.change(known, ours_id=service.id, opened_at=unit.now)
        return
    unit.insert(
        Mirrored(
            id=new_id("mir"),
            helpdesk_id=helpdesk.id,
            thing="service",
            reference=service.id,
            ours_id=service.id,
            opened_at=unit.now,
        )
    )


@operation("service.disconnect")
def disconnect(unit: Unit, actor: Actor, service_id: str) -> None:
    """Let no helpdesk tell of a service any more; tickets and assignments stay as they are.

    Raises NotSignedIn, Denied, NotFound.
    """
    unit.about(service=service_id)
    service = service_for(unit, actor, "service.connect", service_id)
    told = unit.find_all(Mirrored, thing="service", ours_id=service.id)
    if not told:
        raise NotFound("no helpdesk tells of this service")
    for one in told:
        unit.about(helpdesk=one.helpdesk_id)
        unit.change(one, ours_id="", closed_at=unit.now)


# -- for whoever listens to it -----------------------------------------------------------------------------------------


def signer(reading: Reading, _actor: Actor, helpdesk_id: str) -> tuple[Adapter, list[bytes]]:
    """How a helpdesk signs, and under which keys now; where there is no such helpdesk, nobody can tell.

    Raises Sealed.
    """
    keys = reading.keys
    try:
        helpdesk = _active(reading, helpdesk_id)
    except NotFound:
        return ADAPTERS["standard"], [secrets.token_bytes(32)]  # as much work, under a key that nobody has
    wrapped = [helpdesk.sealed]
    if helpdesk.former and reading.now < helpdesk.former_until:
        wrapped.append(helpdesk.former)
    adapter = ADAPTERS[helpdesk.kind]
    known = [keys.factors.unwrap(bytes(one), "helpdesk", helpdesk.id).decode() for one in wrapped]
    return adapter, [adapter.key_of(secret) for secret in known]


def require_active(unit: Unit, actor: Actor) -> Helpdesk:
    """The helpdesk that acts, as it is in this transaction. Raises NotFound for one that has ended meanwhile."""
    if actor.kind != "helpdesk":
        raise NotFound("there is no such helpdesk")
    return _active(unit, actor.id)


def _active(reading: Reading, helpdesk_id: str) -> Helpdesk:
    helpdesk = reading.find(Helpdesk, id=known_id("hlp", helpdesk_id))
    if helpdesk is None or helpdesk.state != "active":
        raise NotFound("there is no such helpdesk")
    return helpdesk


def shown(reading: Reading, helpdesk: Helpdesk) -> HelpdeskView:
    """A helpdesk as people see it."""
    return HelpdeskView(
        id=helpdesk.id,
        name=helpdesk.name,
        kind=helpdesk.kind,
        state=helpdesk.state,
        address=f"{reading.settings.origin}/api/v1/helpdesks/{helpdesk.id}/events",
        created_at=to_datetime(helpdesk.created_at),
        services=tuple(reading.connection.execute(_SERVICES, {"helpdesk": helpdesk.id}).scalars()),
    )
