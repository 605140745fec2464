"""All that happened to a service, told to its customer out of the ledger itself and not out of a copy of it."""

from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import bindparam, select

from vault.errors import Tampered
from vault.ledger.entry import Entry, decode
from vault.model.kind import Kind
from vault.model.own_views import By, HappenedPage, HappenedView, Judged, OfAsking, Verdict, Why
from vault.model.tables import Lease, LedgerEntry, Secret, Ticket
from vault.operations import showing
from vault.operations.customers.visits import own_service
from vault.operations.house.audit import facts_of
from vault.operations.leases import exposure
from vault.storage.reading import Reading
from vault.values import Actor, to_datetime

PAGE = 50
TYPES = frozenset(
    {
        "request.ask", "request.reissue", "request.cancel", "request.begin", "request.done", "request.expire",
        "terms.accept", "secret.give", "secret.checked", "secret.withdraw", "secret.replace", "secret.report",
        "ticket.open", "ticket.assign", "ticket.unassign", "ticket.close",
        "ticket.hand-over", "lease.start", "lease.approve", "lease.refuse", "lease.extend", "lease.check-in",
        "lease.revoke", "lease.expire", "lease.break-glass", "review.close", "host-key.meet",
        "secret.reveal", "secret.use", "secret.code", "secret.damaged",
        "service.register", "service.connect", "service.disconnect", "service.prolong",
        "service.pause", "service.resume",
        "service.overdue", "service.end", "service.destroy", "records.export",
    }
)  # fmt: skip
"""What concerns a customer: everything of their service but the vault's own steps in between."""
_ENTRIES = LedgerEntry.table()
_OF_SERVICE = (
    select(_ENTRIES.c.seq, _ENTRIES.c.body)
    .where(
        _ENTRIES.c.service_id == bindparam("service"),
        _ENTRIES.c.seq < bindparam("before"),
        LedgerEntry.is_of(*TYPES),
    )
    .order_by(_ENTRIES.c.seq.desc())
)
_NEWEST = 2**53
T = TypeVar("T")
_ABOUT_SOMEBODY = frozenset({"ticket.assign", "ticket.unassign", "ticket.hand-over"})
_VERDICT: TypeAdapter[Verdict] = TypeAdapter(Verdict)
_WHY: TypeAdapter[Why] = TypeAdapter(Why)
_JUDGED: TypeAdapter[Judged] = TypeAdapter(Judged)


def entries_of(
    reading: Reading, service_id: str, before: int = _NEWEST, most: int | None = None
) -> list[Entry]:
    """The entries about a service that concern its customer, the newest first."""
    query = _OF_SERVICE if most is None else _OF_SERVICE.limit(most)
    rows = reading.connection.execute(query, {"service": service_id, "before": before})
    return [decode(row.body.encode()) for row in rows]


def happened(reading: Reading, actor: Actor, service_id: str, before: int | None = None) -> HappenedPage:
    """Up to 50 things that happened to a service of the customer's, the newest first, older than `before`.

    What is only in a disclosure is under keys, so while the vault is sealed it is left out. Raises NotSignedIn,
    NotFound.
    """
    own_service(reading, actor, service_id)
    found = entries_of(reading, service_id, _NEWEST if before is None else before, PAGE + 1)
    shown = found[:PAGE]
    more = str(shown[-1].seq) if len(found) > PAGE else None
    return HappenedPage(happened=tuple(told(reading, shown)), next=more)


def told(reading: Reading, entries: list[Entry]) -> list[HappenedView]:
    """Entries in the words of those whom they concern."""
    facts = {} if reading.is_sealed else facts_of(reading, [entry.seq for entry in entries])
    reasons = _column(reading, Lease, "reason", {entry.ids.get("lease", "") for entry in entries})
    people = {one for entry in entries for one in (entry.actor, entry.ids.get("person", ""))}
    names = showing.names_of(reading, people)
    ends = _column(reading, Lease, "ended_how", {entry.ids.get("lease", "") for entry in entries})
    tickets = _column(reading, Ticket, "number", {entry.ids.get("ticket", "") for entry in entries})
    kinds = _column(reading, Secret, "kind", {entry.ids.get("secret", "") for entry in entries})
    given = exposure.given_kinds(reading, {entry.ids.get("service", "") for entry in entries})
    return [
        _view(
            entry,
            {"reason": reasons.get(entry.ids.get("lease", ""), "")} | facts.get(entry.seq, {}),
            _of_asking(entry, ends.get(entry.ids.get("lease", ""), "")),
            names,
            tickets,
            exposure.opened_kind(entry, given, kinds.get(entry.ids.get("secret", ""), "")),
        )
        for entry in entries
    ]


def _of_asking(entry: Entry, ended_how: str) -> OfAsking:
    """How an entry about a lease belongs to one that waited for a yes. What has ended once never ends otherwise."""
    match entry.type, ended_how:
        case "lease.start", _ if entry.ids.get("approver"):
            return "asked"
        case "lease.check-in", "taken back":
            return "taken back"
        case "lease.expire", "not answered":
            return "not answered"
    return ""


def _column(reading: Reading, model: Any, name: str, ids: set[str]) -> dict[str, str]:
    table = model.table()
    rows = reading.connection.execute(select(table.c.id, table.c[name]).where(table.c.id.in_(ids)))
    return {str(row[0]): str(row[1]) for row in rows}


def _view(
    entry: Entry,
    facts: dict[str, str],
    of_asking: OfAsking,
    names: dict[str, str],
    tickets: dict[str, str],
    kind: type[Kind] | None,
) -> HappenedView:
    field = entry.ids.get("field", "")
    titles = {one.name: one.title for one in kind.all_fields} if kind else {}
    return HappenedView(
        seq=entry.seq,
        at=to_datetime(entry.time),
        type=entry.type,
        outcome=entry.outcome,
        by=_by(entry.actor),
        by_name=names.get(entry.actor, ""),
        whom=names.get(entry.ids.get("person", ""), "") if entry.type in _ABOUT_SOMEBODY else "",
        verdict=_known(_VERDICT, entry.ids.get("verdict", "")),
        why=_why(entry),
        ticket=tickets.get(entry.ids.get("ticket", ""), ""),
        reason=facts.get("note", facts["reason"]),
        secret=kind.title if kind else "",
        field=titles.get(field, ""),
        of_asking=of_asking,
        judged=_known(_JUDGED, entry.ids.get("judged", "")),
        begins_at=_moment(entry, "begins"),
        until=_moment(entry, "until"),
    )


def _why(entry: Entry) -> Why:
    """Why the vault refused what was given; an entry that does not say which reason is of when none was kept."""
    if entry.ids.get("verdict") != "refused":
        return ""
    return _known(_WHY, entry.ids.get("why", "unusable"))


def _moment(entry: Entry, name: str) -> datetime | None:
    return to_datetime(int(entry.ids[name])) if name in entry.ids else None


def _known(words: TypeAdapter[T], said: str) -> T:
    """One of the words that an entry of ours can say. Raises Tampered for any other."""
    try:
        return words.validate_python(said)
    except ValidationError:
        raise Tampered from None


def _by(actor: str) -> By:
    if actor.startswith(("per_", "hlp_")):
        return "staff" if actor.startswith("per_") else "helpdesk"
    if actor in {"core", "host"}:
        return "vault" if actor == "core" else "host"
    return "you"
