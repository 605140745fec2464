"""Who could have kept a secret: told out of the ledger itself, by the way in which each person came to it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from vault.ledger.entry import Entry, decode
from vault.model.desk_views import ExposureView, SeenView, Way
from vault.model.kind import Kind
from vault.model.kinds import KINDS
from vault.model.tables import Lease, LedgerEntry, Secret
from vault.operations import showing
from vault.operations.asking import service_for
from vault.storage.reading import Reading
from vault.values import Actor, to_datetime

WAYS: dict[str, Way] = {"secret.reveal": "revealed", "secret.use": "used", "secret.code": "code"}
"""The types of entry that say that something was opened, and in which way."""
_ORDER = tuple(WAYS.values())
_ENTRIES = LedgerEntry.table()
_OPENED = (
    select(_ENTRIES.c.body)
    .where(
        _ENTRIES.c.service_id == bindparam("service"),
        LedgerEntry.is_of(*WAYS),
        _ENTRIES.c.body.contains('"outcome":"ok"'),
    )
    .order_by(_ENTRIES.c.seq)
)
_GIVEN = select(_ENTRIES.c.body).where(
    _ENTRIES.c.service_id == bindparam("service"),
    LedgerEntry.is_of("secret.give"),
    _ENTRIES.c.body.contains('"outcome":"ok"'),
)
_SECRET_FIELDS = {field.name for kind in KINDS.values() for field in kind.all_fields if field.secret}
"""What is secret of any kind: the row says only of which kind a secret is now, and not what was opened before."""


@dataclass(frozen=True)
class _Seen:
    """What stands in one line: who came in which way to which version of what."""

    secret: str
    person: str
    way: Way
    version: int


def exposure(reading: Reading, actor: Actor, service_id: str) -> tuple[ExposureView, ...]:
    """Who could have kept each secret of a service, for coordinators; one that nobody has opened is not among them.

    Raises NotSignedIn, Denied or NotFound.
    """
    return of_service(reading, service_for(reading, actor, "service.list", service_id).id)


def of_service(reading: Reading, service_id: str) -> tuple[ExposureView, ...]:
    """The same, for whoever may see that service."""
    held = _held(reading, service_id)
    lines = _lines(reading, service_id, _entries(reading, service_id), held)
    found = {
        one: tuple(line for secret, line in lines if secret == one)
        for one in dict.fromkeys([*held, *(secret for secret, _ in lines)])
    }
    return tuple(
        ExposureView(
            secret_id=one, kind_title=_title(held[one].kind) if one in held else seen[0].kind_title, seen=seen
        )
        for one, seen in found.items()
        if seen
    )


def under(reading: Reading, lease: Lease) -> tuple[SeenView, ...]:
    """What was opened under one lease."""
    entries = (one for one in _entries(reading, lease.service_id) if one.ids.get("lease") == lease.id)
    held = _held(reading, lease.service_id)
    return tuple(line for _, line in _lines(reading, lease.service_id, entries, held))


def _held(reading: Reading, service_id: str) -> dict[str, Secret]:
    """By whatever the rows say now: what was opened is told even where one was bent since, or taken out."""
    return {one.id: one for one in reading.find_all_unchecked(Secret, service_id=service_id)}


def _entries(reading: Reading, service_id: str) -> Iterator[Entry]:
    for (body,) in reading.connection.execute(_OPENED, {"service": service_id}):
        yield decode(body.encode())


def _lines(
    reading: Reading, service_id: str, entries: Iterable[Entry], held: dict[str, Secret]
) -> list[tuple[str, SeenView]]:
    """A line for each person, way and version, with the secret's id; by name, and the gravest way first."""
    times: dict[_Seen, list[int]] = {}
    for entry in entries:
        if _is_of_a_secret(entry):
            version = int(entry.ids.get("version", "0"))
            seen = _Seen(entry.ids["secret"], entry.actor, WAYS[entry.type], version)
            times.setdefault(seen, []).append(entry.time)
    names = showing.names_of(reading, {seen.person for seen in times})
    given = given_kinds(reading, (service_id,)) if times else {}
    kinds = {one.id: one.kind for one in held.values()}
    found = [
        (
            seen.secret,
            SeenView(
                person_name=names.get(seen.person, ""),
                way=seen.way,
                times=len(at),
                first=to_datetime(at[0]),
                last=to_datetime(at[-1]),
                version=seen.version,
                kind_title=_title(given.get((seen.secret, seen.version)) or kinds.get(seen.secret, "")),
                present=_is_present(held.get(seen.secret), seen.version),
            ),
        )
        for seen, at in times.items()
    ]
    return sorted(found, key=lambda one: (one[1].person_name, _ORDER.index(one[1].way), one[1].first))


def _is_of_a_secret(entry: Entry) -> bool:
    """Whether what was opened is what nobody else may know: a host or a user name alone lets nobody in."""
    return entry.type == "secret.code" or entry.ids.get("field") in _SECRET_FIELDS


def _is_present(secret: Secret | None, version: int) -> bool:
    return secret is not None and bool(secret.envelope) and secret.version == version


def _title(kind: str) -> str:
    """What a kind is called; nothing for one that neither a row nor the ledger knows."""
    return KINDS[kind].title if kind in KINDS else ""


def given_kinds(reading: Reading, service_ids: Iterable[str]) -> dict[tuple[str, int], str]:
    """Of which kind each version of each secret of these services was given, as the ledger has it."""
    bodies = (
        str(row["body"]) for service_id in service_ids for row in reading.rows(_GIVEN, service=service_id)
    )
    entries = (decode(body.encode()) for body in bodies)
    return {
        (entry.ids["secret"], int(entry.ids["version"])): entry.ids["kind"]
        for entry in entries
        if entry.ids.get("kind") in KINDS
    }


def opened_kind(entry: Entry, given: Mapping[tuple[str, int], str], now: str) -> type[Kind] | None:
    """Of which kind what an entry is about was at that time; where the entry does not say, of which it is now."""
    version = entry.ids.get("version", "")
    then = given.get((entry.ids.get("secret", ""), int(version))) if version.isdecimal() else None
    return KINDS.get(then or now)
