"""Extraordinary kinds of secrets: the operator states why one is needed, an administrator approves those very words."""

import hmac
from collections.abc import Iterator

from vault.errors import Conflict, Denied, NotFound
from vault.model.kinds import KINDS
from vault.model.tables import Necessity
from vault.model.views import AskedKind, ServiceTypeView
from vault.operations import presence
from vault.operations.asking import may
from vault.operations.presence import NOTHING, Deed, Presence
from vault.operations.services import type_of
from vault.operations.vault import Vault
from vault.policy import necessity as policy
from vault.policy.necessity import Line
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, new_id


def lines_of(of: ServiceTypeView) -> Iterator[Line]:
    """The lines of a service type that ask for an extraordinary kind."""
    for one in (*of.needs, *of.may_ask):
        if KINDS[one.kind].extraordinary:
            yield Line(of.name, of.title, one.kind, one.because, one.necessity)


def is_approved(reading: Reading, line: Line) -> bool:
    """Whether an administrator approved exactly this line. One that has changed since waits again.

    Raises Tampered for an approval that does not match the ledger.
    """
    found = reading.find(Necessity, type=line.type, kind=line.kind)
    return found is not None and found.state == "approved" and hmac.compare_digest(found.digest, line.digest)


def require_approved(reading: Reading, of: ServiceTypeView, kinds: list[str]) -> None:
    """Refuse to ask for an extraordinary kind before its line of this service type is approved. Raises Denied."""
    waiting = [line.kind for line in lines_of(of) if line.kind in kinds and not is_approved(reading, line)]
    policy.require_approved(kinds, waiting)


def shown(reading: Reading, of: ServiceTypeView) -> ServiceTypeView:
    """A service type as people see it: with what is approved, and with the digest that an approval names."""
    lines = {line.kind: line for line in lines_of(of)}

    def with_approval(asked: AskedKind) -> AskedKind:
        line = lines.get(asked.kind)
        if line is None:
            return asked
        return asked.model_copy(update={"approved": is_approved(reading, line), "line": line.digest})

    return of.model_copy(
        update={
            "needs": tuple(map(with_approval, of.needs)),
            "may_ask": tuple(map(with_approval, of.may_ask)),
        }
    )


async def approve(
    vault: Vault, actor: Actor, type_name: str, kind: str, digest: str, given: Presence = NOTHING
) -> ServiceTypeView:
    """Be the second person for a line of the catalogue: from now on customers may be asked for that kind.

    `digest` is that of the line as it was read (`AskedKind.line`), so that nobody approves what the operator has
    written meanwhile. Raises NotSignedIn, Denied, Resting, NotFound, Conflict (another line by now, or approved
    already), ProofNeeded, TooMany.
    """
    try:
        line = await vault.read(_may_approve, actor, type_name, kind, digest)
    except (Denied, NotFound):
        proof = ""  # refused in the deed, where it is recorded
    else:
        proof = await presence.prove(vault, actor, _deed(line), given)
    view: ServiceTypeView = await vault.perform(_approved, actor, type_name, kind, digest, proof)
    return view


def _may_approve(reading: Reading, actor: Actor, type_name: str, kind: str, digest: str) -> Line:
    may(reading, actor, "catalogue.approve")
    of = type_of(reading, type_name)
    line = next((line for line in lines_of(of) if line.kind == kind), None)
    if line is None:
        raise NotFound("this service type has no such line, or none that waits for a second person")
    if is_approved(reading, line):
        raise Conflict("this line is approved already")
    if not hmac.compare_digest(line.digest.encode(), digest.encode("utf-8", "surrogatepass")):
        raise Conflict("this line was changed meanwhile; read it as it is now")
    return line


def _deed(line: Line) -> Deed:
    words = f"approve that “{line.title}” asks customers for “{KINDS[line.kind].title}”: {line.necessity}"
    return Deed(words, ("catalogue.approve", line.type, line.kind, line.digest))


@operation("catalogue.approve")
def _approved(
    unit: Unit, actor: Actor, type_name: str, kind: str, digest: str, proof: str
) -> ServiceTypeView:
    line = _may_approve(unit, actor, type_name, kind, digest)
    unit.say(type=line.type, kind=line.kind)
    presence.spend(unit, actor, proof, _deed(line))
    approval = {"digest": line.digest, "state": "approved", "approved_by": actor.id, "approved_at": unit.now}
    row = unit.find(Necessity, type=line.type, kind=line.kind)
    if row is None:
        row = Necessity(id=new_id("nec"), type=line.type, kind=line.kind, created_at=unit.now, **approval)
        unit.insert(row)
    else:
        unit.change(row, **approval)
    unit.about(necessity=row.id)
    return shown(unit, type_of(unit, type_name))
