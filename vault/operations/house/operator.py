"""What only the host's operator does: make a vault, unseal and seal it, keep the mirror, look it over."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import func, insert, make_url, select

from vault.crypto.protectors import Protector
from vault.crypto.rootkey import RootKey
from vault.crypto.statement import statement_public
from vault.errors import Conflict, Tampered, Unavailable, VaultError
from vault.ledger.entry import decode
from vault.ledger.note import Signer as NoteSigner
from vault.model.tables import Deployment, LedgerEntry, LedgerHead, RowHead, Service
from vault.model.views import InvitationView
from vault.operations.customers import giving
from vault.operations.house import delivery
from vault.operations.leases import glass, reviewing
from vault.operations.people import staff, vouching
from vault.operations.vault import Vault
from vault.settings import Settings
from vault.storage.clock import Clock, SystemClock
from vault.storage.database import create_schema, expected_schema, open_engine
from vault.storage.keyring import KeptCheckpoint, Keyring
from vault.storage.reading import Reading
from vault.storage.signer import Signer, check_rows_of, walk
from vault.storage.unit import Unit, operation
from vault.values import Actor, new_id, to_datetime


@dataclass(frozen=True)
class Initialised:
    """A new vault's public facts."""

    deployment: str
    ledger_key: str
    """The key that verifies checkpoints and certificates (C2SP signed-note vkey); publish it."""
    statement_key: str
    """The key that verifies key statements, 32 bytes in hex; the intake's configuration names it."""


def initialise(settings: Settings, protector: Protector, clock: Clock | None = None) -> Initialised:
    """Make both databases, the root key under `protector`, and the keys under the root key.

    Nothing is kept of the root key. Raises Conflict where a vault or a keyring is already; nothing is overwritten.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.data_dir.chmod(0o700)
    engine = open_engine(settings.vault_url)
    keyring = Keyring(settings.keyring_place, settings.keyring_mirror_url)
    try:
        create_schema(engine)
        with engine.connect() as connection:
            if connection.execute(select(Deployment.table().c.id)).first():
                raise Conflict("there is a vault here already")
        deployment = new_id("dep")
        origin = f"{settings.host_name}/{deployment}"
        root_key = secrets.token_bytes(32)
        wrapping = RootKey(root_key).derive("keyring wrap")
        ledger_key, statement_key = secrets.token_bytes(32), secrets.token_bytes(32)
        vkey = NoteSigner(origin, ledger_key).vkey
        keyring.create(
            {
                "deployment": deployment,
                "origin": origin,
                "protector": json.dumps(protector.protect(root_key)),
                "ledger key": wrapping.wrap(ledger_key, "ledger key").hex(),
                "statement key": wrapping.wrap(statement_key, "statement key").hex(),
                "ledger verifier": vkey,
            }
        )
        with engine.begin() as connection:
            now = (clock or SystemClock()).wall()
            connection.execute(
                insert(Deployment.table()).values(id=deployment, origin=origin, created_at=now)
            )
            connection.execute(
                insert(LedgerHead.table()).values(id=1, size=0, time=0, frontier=b"", keyring_generation=0)
            )
    finally:
        engine.dispose()
        keyring.close()
    public = statement_public(statement_key).hex()
    place = settings.statement_key_place
    place.write_text(public + "\n", "ascii")
    place.chmod(0o644)
    return Initialised(deployment, vkey, public)


async def invite_first(settings: Settings, protector: Protector, name: str, mail: str) -> InvitationView:
    """Invite the first administrator of a vault just made, before any server runs on it; the code is in the answer.

    It opens the vault as an unseal does, which shows that what was just chosen does open it. Raises Unavailable, Denied
    and Tampered as that does, Invalid, and Conflict where somebody was invited before.
    """
    vault = Vault.start(settings)
    try:
        await unseal(vault, protector.unprotect(vault.keyring.protector_record()))
        return await staff.add(vault, Actor.host(), name, mail, ["administrator"], "hand")
    finally:
        await vault.close()


async def unseal(vault: Vault, root_key: bytes) -> None:
    """Unseal; then check what was given meanwhile. Raises Invalid, Tampered."""
    if not vault.is_sealed:
        return
    checked = await vault.aside(vault.take_root_key, root_key)
    await vault.perform(_unsealed, Actor.host(), vault.signer, checked)
    await giving.check_waiting(vault)


@operation("vault.unseal", in_any_time=True)
def _unsealed(unit: Unit, _actor: Actor, signer: Signer, checked: int) -> None:
    """Customers went on handing in while the unseal was on its way: that is vouched for now, in one with the entry."""
    signer.vouch_since(unit.connection, unit.keys, checked)


async def seal(vault: Vault) -> None:
    """Seal: the record first, then the keys go. Sealing a sealed vault is no fault."""
    if vault.is_sealed:
        return
    await vault.perform(_sealed, Actor.host())
    await vault.aside(vault.forget_keys)


@operation("vault.seal", in_any_time=True)
def _sealed(unit: Unit, actor: Actor) -> None:
    """The entry says it all."""


async def mirror(vault: Vault) -> str:
    """Make the keyring's mirror say what the keyring says. Raises Conflict without one, NotRecorded."""
    if not vault.keyring.mirrored:
        raise Conflict("no mirror is configured; name one with keyring_mirror_url")
    await vault.aside(vault.keyring.mirror)
    return f"the mirror is at generation {vault.keyring.generation()}"


async def confirm_clock(vault: Vault) -> None:
    """An operator says that the host's clock is right as it stands now; the record shows it. Raises Conflict."""
    if not vault.timekeeper.confirm(vault.writer.last_time):
        raise Conflict(
            "the clock stands before the last entry of the ledger: set it right, time does not run back"
        )
    await vault.perform(_confirmed, Actor.host())


@operation("clock.confirm", in_any_time=True)
def _confirmed(unit: Unit, actor: Actor) -> None:
    """The entry says it all."""


def status(vault: Vault) -> dict[str, Any]:
    """What is so now; nothing of it is secret."""
    return {
        "sealed": vault.is_sealed,
        "recording": vault.writer.recording,
        "clock_in_doubt": vault.timekeeper.in_doubt,
        "time": to_datetime(vault.clock.wall()).isoformat(),
        "ledger_time": to_datetime(vault.now()).isoformat(),
        "deployment": vault.deployment,
        "ledger_key": vault.keyring.fact("ledger verifier"),
        "schema": vault.schema,
        "protector": vault.keyring.protector_record(),
    }


# -- the doctor ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor looked at."""

    subject: str
    level: Literal["ok", "note", "warning", "alarm"]
    text: str


async def doctor(vault: Vault) -> list[Finding]:
    """Look the whole vault over: every row against the ledger, the ledger against its checkpoint, and the setting."""
    found = [_protector(vault), _mirror(vault), _clock(vault)]
    if vault.schema != expected_schema():
        found.append(Finding("schema", "alarm", "the schema is not the one of this program"))
    if not vault.writer.recording:
        found.append(
            Finding("recording", "alarm", "the last batch could not be recorded; nothing opens until one can")
        )
    if vault.is_sealed:
        found.append(Finding("ledger", "note", "sealed: the ledger is looked over after the next unseal"))
    else:
        found.append(await vault.aside(_signed, vault))
    found.append(await vault.read_aside(_rows, Actor.core(), vault.keyring.checkpoint()))
    found.append(await vault.read_aside(_unfinished, Actor.core()))
    found.append(await vault.read_aside(_outbox, Actor.core()))
    found.append(await vault.read_aside(_administrators, Actor.core()))
    found.append(await vault.read_aside(_reviews, Actor.core()))
    found += [await vault.aside(look, vault.settings) for look in (_files, _passkeys, _breach_list)]
    return found


def _protector(vault: Vault) -> Finding:
    name = vault.keyring.protector_record().get("protector")
    if name == "file":
        text = "root key in a file: whoever reads that file and the data directory opens everything"
    else:
        text = "root key under one passphrase: one operator of this host can open everything"
    return Finding("root key", "note", text)


def _mirror(vault: Vault) -> Finding:
    if not vault.keyring.mirrored:
        return Finding(
            "mirror", "warning", "the keyring has no mirror: if it is lost, everything sealed is lost"
        )
    try:
        theirs = vault.keyring.mirror_generation()
    except Unavailable:
        return Finding("mirror", "alarm", "the keyring's mirror cannot be read")
    if theirs != vault.keyring.generation():
        return Finding("mirror", "alarm", "the keyring's mirror is behind; run: valetkey keyring mirror")
    return Finding("mirror", "ok", "the keyring's mirror is up to date")


def _clock(vault: Vault) -> Finding:
    if vault.timekeeper.in_doubt:
        return Finding(
            "clock", "alarm", "the host's clock jumped; nothing opens until: valetkey clock confirm"
        )
    return Finding("clock", "ok", "the host's clock is believed")


def _signed(vault: Vault) -> Finding:
    try:
        kept = vault.signer.sign(vault.keys)
    except VaultError as error:
        return Finding("ledger", "alarm", str(error))
    return Finding("ledger", "ok", f"{kept.size} entries, signed up to the last")


def _rows(reading: Reading, _actor: Actor, kept: KeptCheckpoint | None) -> Finding:
    """Every entry against its leaf and the row index, and every row against its newest entry."""
    entries, size = LedgerEntry.table(), 0
    newest: dict[str, int] = {}
    try:
        for entry in walk(reading.connection, kept):
            size += 1
            newest.update({row_id: entry.seq for row_id, _ in entry.rows})
    except Tampered as error:
        return Finding("rows", "alarm", str(error))
    heads = RowHead.table()
    for row_id, seq in reading.connection.execute(select(heads.c.row_id, heads.c.seq)):
        if newest.get(row_id) != seq:
            return Finding("rows", "alarm", f"the index of rows does not name the newest entry of {row_id}")
    for row_id, seq in newest.items():
        body = reading.connection.execute(select(entries.c.body).where(entries.c.seq == seq)).scalar_one()
        try:
            check_rows_of(reading.connection, decode(body.encode()))
        except Tampered as error:
            return Finding("rows", "alarm", f"{row_id}: {error}")
    return Finding("rows", "ok", f"{len(newest)} rows match their newest of {size} entries")


def _unfinished(reading: Reading, _actor: Actor) -> Finding:
    table = Service.table()
    gone = (table.c.state == "ended", table.c.destroy_at.is_(None))  # else it is in its grace
    query = select(func.count()).select_from(table).where(*gone)
    waiting = int(reading.connection.execute(query).scalar_one())
    if waiting:
        return Finding("destruction", "warning", f"{waiting} ended services wait for their destruction")
    return Finding("destruction", "ok", "nothing that has ended is still there")


def _outbox(reading: Reading, _actor: Actor) -> Finding:
    waiting, since, given_up = delivery.backlog(reading)
    if waiting:
        many = "1 message waits" if waiting == 1 else f"{waiting} messages wait"
        said = f"{many} for the mail server, since {to_datetime(since):%Y-%m-%d %H:%M} UTC"
        return Finding("outbox", "warning", said)
    if given_up:
        many = "1 message was" if given_up == 1 else f"{given_up} messages were"
        return Finding("outbox", "warning", f"{many} given up since yesterday: a mailbox takes nothing")
    return Finding("outbox", "ok", "every message is on its way")


def _administrators(reading: Reading, _actor: Actor) -> Finding:
    try:
        if not vouching.is_alone(reading):
            return Finding("administrators", "ok", "two administrators can vouch for each other")
    except Tampered as error:
        return Finding("administrators", "alarm", str(error))
    return Finding(
        "administrators",
        "warning",
        "no two administrators can vouch for each other: accounts are changed on this host alone, by one person and "
        "without the yes of a second; add another with: valetkey staff add",
    )


def _reviews(reading: Reading, actor: Actor) -> Finding:
    waiting, overdue = reviewing.unclosed(reading, actor)
    if overdue:
        many = "1 review" if overdue == 1 else f"{overdue} reviews"
        said = f"{many} of broken glass {'is' if overdue == 1 else 'are'} overdue: a coordinator or auditor has to look"
        return Finding("reviews", "warning", said)
    if waiting:
        many = "1 review waits" if waiting == 1 else f"{waiting} reviews wait"
        return Finding("reviews", "note", f"{many} for a coordinator or an auditor")
    if not reading.settings.smtp_host and glass.is_anywhere(reading):
        said = "the catalogue lets the glass be broken, and without a mail server nobody hears of it at once"
        return Finding("reviews", "warning", said)
    return Finding("reviews", "ok", "no broken glass waits for its review")


def _files(settings: Settings) -> Finding:
    """What only the server's own user may read, whoever has made it or copied it there."""
    places = [settings.data_dir, settings.root_key_file, settings.smtp_password_file]
    for url in (settings.vault_url, settings.keyring_place, settings.keyring_mirror_url):
        database = make_url(url).database if url.startswith("sqlite") else None
        places += [Path(database + end) for end in ("", "-wal", "-shm")] if database else []
    reachable = [str(place) for place in places if place is not None and _others_reach(place)]
    if reachable:
        text = f"other users of this host reach {', '.join(reachable)}: take their rights away with chmod go= or chown"
        return Finding("files", "alarm", text)
    return Finding("files", "ok", "the databases and key files are reached by their owner alone")


def _others_reach(place: Path) -> bool:
    """Whether others than root and the server's user own it, or may do anything with it and get to it at all."""
    if not place.exists():
        return False
    found, folder = place.stat(), place.parent.stat()
    shut_in = not folder.st_mode & 0o077 and not place.is_dir()
    return found.st_uid not in {0, os.geteuid()} or bool(found.st_mode & 0o077 and not shut_in)


def _passkeys(settings: Settings) -> Finding:
    if settings.passkeys_device_bound:
        return Finding("passkeys", "ok", "only passkeys that cannot leave their device are taken")
    text = "passkeys that a cloud account copies to other devices are taken too; passkeys_device_bound refuses them"
    return Finding("passkeys", "note", text)


def _breach_list(settings: Settings) -> Finding:
    if settings.breach_list is None:
        return Finding("passwords", "note", "no list of breached passwords is configured (breach_list)")
    try:
        with settings.breach_list.open("rb") as opened:
            opened.read(1)
    except OSError:
        return Finding("passwords", "alarm", "the configured list of breached passwords cannot be read")
    return Finding("passwords", "ok", "new passwords are looked up in the list of breached ones")
