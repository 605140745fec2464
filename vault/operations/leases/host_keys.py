"""The key that a login's server showed when somebody first came to it: kept for everybody who comes after.

It is sealed to the service's public key, because it leads to the server, and belongs to one version of the secret: what
is given anew may be for another server. Whoever meets another key than the one that is kept is refused, on record.
"""

from sqlalchemy import bindparam, select

from vault.crypto.envelope import Context
from vault.crypto.sealing import seal
from vault.crypto.suites import XWING
from vault.errors import Conflict, NotFound, Tampered
from vault.ledger.entry import decode
from vault.model.desk import HostKey
from vault.model.desk_views import HostKeyView
from vault.model.hostkeys import ServerKey
from vault.model.kinds import KINDS, pack_fields
from vault.model.tables import LedgerEntry, Secret, Service
from vault.operations import showing
from vault.operations.asking import may, service_of
from vault.operations.customers.offering import believed
from vault.operations.leases import openings
from vault.operations.vault import Vault
from vault.storage.keys import Opening
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, known_id, new_id, to_datetime

_FIELD = "host_key"
_ENTRIES = LedgerEntry.table()
_MET = select(_ENTRIES.c.body).where(
    _ENTRIES.c.service_id == bindparam("service"), LedgerEntry.is_of("host-key.meet")
)


@operation("host-key.meet")
def meet(unit: Unit, actor: Actor, lease_id: str, secret_id: str, line: str) -> None:
    """Keep the key that a secret's server showed, under a live lease of it, as the one that it has.

    Raises NotSignedIn, Denied, NotFound, Ended, Invalid; Conflict where one is kept already, whichever it is.
    """
    unit.about(lease=lease_id, secret=secret_id)
    secret, service = _held(unit, actor, "host-key.meet", lease_id, secret_id)
    met = ServerKey.parse(line)
    unit.disclose(actor.id, fingerprint=met.fingerprint)
    if _kept(unit, secret) is not None:
        raise Conflict("a key of this server is kept already, and no other one is trusted in its place")
    statement = believed(unit, service)
    row = HostKey(
        id=new_id("hky"),
        secret_id=secret.id,
        service_id=service.id,
        version=secret.version,
        key_id=secret.key_id,
        sealed=seal(
            pack_fields({_FIELD: met.line}),
            XWING,
            statement.public_key(XWING.name),
            _context(unit, secret, secret.version),
        ),
        person_id=actor.id,
        created_at=unit.now,
    )
    unit.insert(row)


@operation("host-key.show")
def show(unit: Unit, actor: Actor, lease_id: str, secret_id: str) -> Opening:
    """The key that is kept of a secret's server, for who holds a live lease of it.

    Raises NotSignedIn, Denied, Ended; NotFound where nobody has met one.
    """
    unit.about(lease=lease_id, secret=secret_id)
    secret, _ = _held(unit, actor, "host-key.show", lease_id, secret_id)
    row = _kept(unit, secret)
    if row is None:
        raise NotFound("nobody has met the key of this server yet")
    return Opening(_context(unit, secret, row.version), bytes(row.sealed), _FIELD)


async def known(vault: Vault, actor: Actor, lease_id: str, secret_id: str) -> HostKeyView:
    """The key that is kept of a secret's server, and who met it when. Raises as `show`."""
    line = await vault.perform(show, actor, lease_id, secret_id)
    view: HostKeyView = await vault.read(_met, actor, secret_id)
    return view.model_copy(update={"line": line.expose()})


def _met(reading: Reading, actor: Actor, secret_id: str) -> HostKeyView:
    may(reading, actor, "host-key.show")
    secret = reading.find(Secret, id=secret_id)
    row = _kept(reading, secret) if secret is not None else None
    if row is None:
        raise NotFound("nobody has met the key of this server yet")
    met_by = showing.name_of(reading, row.person_id)
    return HostKeyView(line="", met_by=met_by, met_at=to_datetime(row.created_at))


def _kept(reading: Reading, secret: Secret) -> HostKey | None:
    """What is kept of it. Raises Tampered where the ledger names one that is gone: another would pass for the first."""
    row = reading.find(HostKey, secret_id=secret.id, version=secret.version)
    if row is not None:
        return row
    known = {"secret": secret.id, "version": str(secret.version)}
    for found in reading.rows(_MET, service=secret.service_id):
        entry = decode(found["body"].encode())
        if entry.outcome == "ok" and known.items() <= entry.ids.items():
            raise Tampered("the key of this server that the ledger names is not there")
    return None


def _held(unit: Unit, actor: Actor, right: str, lease_id: str, secret_id: str) -> tuple[Secret, Service]:
    """The secret and its service, for who could open it under this lease now: it is judged as an opening is."""
    may(unit, actor, right)
    found = openings.judged(unit, actor, known_id("lse", lease_id), known_id("sec", secret_id), right)
    secret = Secret(**found.secret)
    if _FIELD not in {field.name for field in KINDS[secret.kind].fields}:
        raise NotFound("this login has no server that shows a key")
    return secret, service_of(unit, secret.service_id)


def _context(unit: Unit, secret: Secret, version: int) -> Context:
    """What the sealed line belongs to: it never passes for what was given, nor back."""
    return Context(
        unit.deployment, secret.service_id, secret.key_id, secret.id, version, f"{secret.kind}/host-key"
    )
