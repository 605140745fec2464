"""What somebody begins within a day: by the rows, and by the ledger where rows were taken away or bent."""

from typing import Any

from sqlalchemy import and_, bindparam, select

from vault.errors import Tampered
from vault.ledger.entry import Entry, decode
from vault.model.people import Person
from vault.model.tables import Lease, LedgerEntry, LedgerHead
from vault.policy.access import FURTHEST
from vault.policy.approval import WAITS_FOR
from vault.storage.reading import Reading
from vault.values import DAY

_LEASES, _ENTRIES = Lease.table(), LedgerEntry.table()
HAS_BEGUN = and_(
    _LEASES.c.state != "asked",
    _LEASES.c.ended_how != "refused",
    (_LEASES.c.approver == "") | (_LEASES.c.decided_by != "") | (_LEASES.c.review_id != ""),
)
"""Of a lease's row: that it began, or will; not what was only asked for. `has_begun` says the same."""
_BEGUN = select(_LEASES.c.id).where(
    _LEASES.c.person_id == bindparam("person"),
    _LEASES.c.starts_at > bindparam("since"),
    _LEASES.c.starts_at < bindparam("until"),
    HAS_BEGUN,
)
_STARTED = select(_ENTRIES.c.body).where(
    _ENTRIES.c.actor == bindparam("person"),
    _ENTRIES.c.seq >= bindparam("first"),
    LedgerEntry.is_of("lease.start"),
    _ENTRIES.c.body.contains('"outcome":"ok"'),
    (_ENTRIES.c.time > bindparam("asked")) | _ENTRIES.c.body.contains('"begins":"'),
)
"""Entries of leases that can begin within a day of some moment: asked for until shortly before, or planned."""
_SIZE = select(LedgerHead.table().c.size)
_TIME = select(_ENTRIES.c.time).where(_ENTRIES.c.seq == bindparam("seq"))


def has_begun(lease: Lease) -> bool:
    """Whether a lease began, or will."""
    is_asked = lease.approver and not lease.decided_by and not lease.review_id
    return lease.state != "asked" and lease.ended_how != "refused" and not is_asked


def around(reading: Reading, person: Person, moment: int) -> list[tuple[str, int]]:
    """The services of which a person begins leases within a day before or after a moment, and when.

    What the ledger says of a lease counts and not its row, which may have been bent to hide it. Raises Tampered where
    a row that is needed does not match, or is not there any more.
    """
    asked = moment - DAY - WAITS_FOR
    first = _first_after(reading, asked - FURTHEST)
    wanted: dict[str, Any] = {"person": person.id, "first": first, "asked": asked}
    entries = [decode(row["body"].encode()) for row in reading.rows(_STARTED, **wanted)]
    found = [(entry.ids["service"], _start_of(reading, person, entry)) for entry in entries]
    known = {entry.ids["lease"] for entry in entries}
    span = {"person": person.id, "since": moment - DAY, "until": moment + DAY}
    for row in reading.rows(_BEGUN, **span):  # of this very batch, whose entries are not written yet
        lease = reading.find(Lease, id=row["id"]) if row["id"] not in known else None
        if lease is not None:
            found.append((lease.service_id, lease.starts_at))
    return [
        (service, starts)
        for service, starts in found
        if starts is not None and moment - DAY < starts < moment + DAY
    ]


def _first_after(reading: Reading, moment: int) -> int:
    """Which entry is the first one later than a moment, which is found by halves: time does not run back in the ledger.

    So a checkout reads what somebody did in a month and not what they ever did.
    """
    first, end = 0, int(reading.connection.execute(_SIZE).scalar_one())
    while first < end:
        middle = (first + end) // 2
        time = reading.connection.execute(_TIME, {"seq": middle}).scalar()
        if time is None:
            raise Tampered("an entry of the ledger is missing")
        first, end = (first, middle) if time > moment else (middle + 1, end)
    return first


def _start_of(reading: Reading, person: Person, entry: Entry) -> int | None:
    """When a lease began, or will; None for one that took a yes and has none. Of others the entry alone says it."""
    if not entry.ids.get("approver"):
        return int(entry.ids.get("begins", entry.time))
    lease = reading.find(Lease, id=entry.ids["lease"])
    if lease is None or lease.person_id != person.id or lease.service_id != entry.ids["service"]:
        raise Tampered("a lease that the ledger names is not there any more")
    return lease.starts_at if has_begun(lease) else None
