"""Extraordinary kinds of secrets: the operator states why one is needed, an administrator approves those very words."""

import hmac
from collections.abc import Iterator

from sqlalchemy import bindparam, select

from vault.errors import Conflict, Ended, NotFound
from vault.model.kinds import KINDS
from vault.model.tables import Necessity, Request, Secret, Service
from vault.model.views import AskedKind, ServiceTypeView
from vault.operations import presence
from vault.operations.asking import may
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.services.services import type_of
from vault.operations.vault import Vault
from vault.policy import necessity as policy
from vault.policy.necessity import Line
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, new_id

_REQUESTS, _SECRETS, _SERVICES = Request.table(), Secret.table(), Service.table()
_UNANSWERED = (
    select(_REQUESTS.c.id)
    .distinct()
    .join(_SECRETS, _SECRETS.c.request_id == _REQUESTS.c.id)
    .join(_SERVICES, _SERVICES.c.id == _REQUESTS.c.service_id)
    .where(
        _REQUESTS.c.state.in_(("asked", "started")),
        _SERVICES.c.type == bindparam("type"),
        _SECRETS.c.asked_kind == bindparam("kind"),
        _SECRETS.c.version < _SECRETS.c.asked_version,
    )
    .order_by(_REQUESTS.c.id)
)


def lines_of(of: ServiceTypeView) -> Iterator[Line]:
    """The lines of a service type that ask for an extraordinary kind."""
    for one in (*of.needs, *of.may_ask):
        if KINDS[one.kind].extraordinary:
            yield Line(of.name, of.title, one.kind, one.because, one.necessity, one.approval)


def is_approved(reading: Reading, line: Line) -> bool:
    """Whether an administrator approved exactly this line. One that has changed since waits again.

    Raises Tampered for an approval that does not match the ledger.
    """
    found = reading.find(Necessity, type=line.type, kind=line.kind)
    return found is not None and found.state == "approved" and hmac.compare_digest(found.digest, line.digest)


def require_approved(reading: Reading, of: ServiceTypeView, kinds: list[str]) -> None:
    """Refuse to ask for an extraordinary kind before its line of this service type is approved. Raises Denied."""
    policy.require_approved(kinds, _waiting(reading, of, kinds))


def is_asked(reading: Reading, service: Service, kind: str) -> bool:
    """Whether the customer of a service may be asked for a kind now: an ordinary one, or one that is approved."""
    return not _waiting(reading, type_of(reading, service.type, running=True), [kind])


def require_asked(reading: Reading, service: Service, kind: str) -> None:
    """Take nothing of an extraordinary kind that customers are not asked for any more. Raises Ended."""
    if not is_asked(reading, service, kind):
        raise Ended("we do not ask for this any more, so please do not give it")


def _waiting(reading: Reading, of: ServiceTypeView, kinds: list[str]) -> list[str]:
    """The extraordinary ones of these whose line is not approved, or not in the catalogue any more."""
    approved = {line.kind for line in lines_of(of) if line.kind in kinds and is_approved(reading, line)}
    return [kind for kind in kinds if KINDS[kind].extraordinary and kind not in approved]


def shown(reading: Reading, of: ServiceTypeView) -> ServiceTypeView:
    """A service type as people see it: with what is approved."""
    approved = {line.kind for line in lines_of(of) if is_approved(reading, line)}

    def with_approvals(lines: tuple[AskedKind, ...]) -> tuple[AskedKind, ...]:
        return tuple(one.model_copy(update={"approved": one.kind in approved}) for one in lines)

    return of.model_copy(update={"needs": with_approvals(of.needs), "may_ask": with_approvals(of.may_ask)})


async def approve(vault: Vault, actor: Actor, read: Line, given: Presence = NOTHING) -> ServiceTypeView:
    """Be the second person for a line of the catalogue: from now on customers may be asked for that kind.

    `read` is the line as it was read, word for word, so that nobody approves what the operator has written meanwhile.
    Raises NotSignedIn, Denied, Resting, NotFound, Conflict (another line by now, or approved already), ProofNeeded,
    TooMany.
    """
    proof = await presence.proved(vault, given, _deed_of, actor, read)
    return await vault.perform(_approved, actor, read, proof)


def _may_approve(reading: Reading, actor: Actor, read: Line) -> ServiceTypeView:
    """The service type that the line is of, if it is still written so and waits."""
    may(reading, actor, "catalogue.approve")
    of = type_of(reading, read.type)
    line = next((line for line in lines_of(of) if line.kind == read.kind), None)
    if line is None:
        raise NotFound("this service type has no such line that asks for an extraordinary kind")
    if is_approved(reading, line):
        raise Conflict("this line is approved already")
    if line != read:
        raise Conflict("this line was changed meanwhile; read it as it is now")
    return of


def _deed_of(reading: Reading, actor: Actor, read: Line) -> Deed:
    _may_approve(reading, actor, read)
    return _deed(read)


def _deed(line: Line) -> Deed:
    words = f"approve that “{line.title}” asks customers for “{KINDS[line.kind].title}”: {line.necessity}"
    return Deed(words, ("catalogue.approve", line.type, line.kind, line.digest))


@operation("catalogue.approve")
def _approved(unit: Unit, actor: Actor, read: Line, proof: str) -> ServiceTypeView:
    of = _may_approve(unit, actor, read)
    unit.say(type=read.type, kind=read.kind)
    presence.spend(unit, actor, proof, _deed(read))
    row = unit.find(Necessity, type=read.type, kind=read.kind)
    if row is None:
        row = Necessity(id=new_id("nec"), type=read.type, kind=read.kind, digest="", created_at=unit.now)
        unit.insert(row)
    unit.change(row, digest=read.digest, state="approved", approved_by=actor.id, approved_at=unit.now)
    unit.about(necessity=row.id)
    return shown(unit, of)


@operation("catalogue.revoke")
def revoke(unit: Unit, actor: Actor, type_name: str, kind: str) -> None:
    """Take an approval back: from now on no customer is asked for that kind, until somebody approves its line again.

    It takes no proof of presence, because it opens nothing. What customers have given already stays where it is. Each
    open request in which it is still unanswered is cancelled, whatever else it asks for: that is asked for anew. The
    approval of a line that was changed since or is gone can be taken back too: with its old words it would count again.
    Raises NotSignedIn, Denied, NotFound, Conflict where nothing is approved.
    """
    may(unit, actor, "catalogue.revoke")
    of = type_of(unit, type_name, running=True)
    found = unit.find(Necessity, type=type_name, kind=kind) if kind in KINDS else None
    if found is None or found.state != "approved":
        if all(line.kind != kind for line in lines_of(of)):
            raise NotFound("this service type has no such line that asks for an extraordinary kind")
        raise Conflict("nobody has approved this line")
    unit.about(necessity=found.id)
    unit.say(type=found.type, kind=found.kind)
    unit.change(found, state="revoked")
    for request_id in unit.connection.execute(_UNANSWERED, {"type": type_name, "kind": kind}).scalars().all():
        request = unit.find(Request, id=request_id)
        if request is not None:
            unit.change(request, state="cancelled", code_hash=None, browser_hash=None)
