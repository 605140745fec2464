"""The life of a service as a picture: what was asked, what is here, who held it when; out of rows and the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from vault.ledger.entry import Entry
from vault.model.board_views import LaneView, MarkView, SpanView, TimelineView
from vault.model.kind import Kind
from vault.model.kinds import KINDS
from vault.model.tables import Lease, Request, Secret, Service, Ticket
from vault.operations import showing
from vault.operations.asking import service_for
from vault.operations.customers.happened import entries_of
from vault.operations.leases.begun import has_begun
from vault.operations.leases.exposure import WAYS, given_kinds, opened_kind
from vault.storage.reading import Reading
from vault.values import Actor, to_datetime

MOST_ENTRIES = 1_000
"""As many of the newest entries are looked at: what was before is in the log."""
MOST_MARKS = 200
"""Openings of one person that are drawn one by one."""


@dataclass
class _Told:
    """What the entries of a service say, by what they are about."""

    touched: dict[str, int] = field(default_factory=dict)
    """When each row was changed last, by its name in the ledger."""
    given: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    """Of each secret, when it came and went."""
    paused: list[tuple[int, bool]] = field(default_factory=list)
    opened: dict[str, list[Entry]] = field(default_factory=dict)
    """By whom."""


def timeline(reading: Reading, actor: Actor, service_id: str) -> TimelineView:
    """The life of a service from its first day to its end, for coordinators.

    Only times, kinds, numbers of tickets and names are in it. Raises NotSignedIn, Denied or NotFound.
    """
    service = service_for(reading, actor, "service.list", service_id)
    entries = entries_of(reading, service.id, most=MOST_ENTRIES)
    told = _read(reversed(entries))
    over = service.destroyed_at or service.ended_at
    until = over or max(service.ends_at, reading.now)
    lanes = (
        _asked(reading, service, told, over),
        *_here(reading, service, told, until),
        _paused(told, over or reading.now),
        *_lent(reading, service, told),
    )
    return TimelineView(
        begins=to_datetime(service.created_at),
        now=to_datetime(min(reading.now, until)),
        ends=to_datetime(until),
        over=over is not None,
        lanes=tuple(lane for lane in lanes if lane.spans or lane.marks),
        whole=len(entries) < MOST_ENTRIES,
    )


def _read(entries: Iterable[Entry]) -> _Told:
    told = _Told()
    for entry in entries:
        if entry.outcome != "ok":
            continue
        for row, _ in entry.rows:
            told.touched[row] = entry.time
        secret = entry.ids.get("secret", "")
        match entry.type:
            case "secret.give":
                told.given.setdefault(secret, []).append((entry.time, True))
            case "secret.withdraw":
                told.given.setdefault(secret, []).append((entry.time, False))
            case "secret.checked" if entry.ids.get("verdict") == "refused":
                told.given.setdefault(secret, []).append((entry.time, False))
            case "service.pause" | "service.resume":
                told.paused.append((entry.time, entry.type == "service.pause"))
            case opening if opening in WAYS:
                told.opened.setdefault(entry.actor, []).append(entry)
    return told


def _span(look: str, since: int, until: int, words: str) -> SpanView:
    return SpanView.model_validate(
        {"look": look, "since": to_datetime(since), "until": to_datetime(max(since, until)), "words": words}
    )


def _spans(look: str, turns: list[tuple[int, bool]], until: int, words: str) -> tuple[SpanView, ...]:
    """From when something began to when it ended, as often as it did; one that was given anew goes on."""
    found, since = [], None
    for at, begins in turns:
        if begins and since is None:
            since = at
        elif not begins and since is not None:
            found.append(_span(look, since, at, words))
            since = None
    if since is not None:
        found.append(_span(look, since, until, words))
    return tuple(found)


def _asked(reading: Reading, service: Service, told: _Told, over: int | None) -> LaneView:
    spans = []
    for request in sorted(
        reading.find_all_unchecked(Request, service_id=service.id), key=lambda one: one.created_at
    ):
        is_open = request.state in {"asked", "started"}
        ended = told.touched.get(f"request:{request.id}", request.expires_at)
        until = min(over or reading.now, request.expires_at, request.expires_at if is_open else ended)
        words = {"done": "asked, and answered", "cancelled": "asked, and taken back"}.get(
            request.state, "asked"
        )
        spans.append(
            _span("asked", request.created_at, until, "link ran out" if request.state == "expired" else words)
        )
    return LaneView(title="Asked", spans=tuple(spans), marks=())


def _here(reading: Reading, service: Service, told: _Told, until: int) -> list[LaneView]:
    lanes = []
    for secret in reading.find_all_unchecked(Secret, service_id=service.id):
        spans = _spans("here", told.given.get(secret.id, []), until, "here")
        lanes.append(LaneView(title=KINDS[secret.kind].title, spans=spans, marks=()))
    return lanes


def _paused(told: _Told, until: int) -> LaneView:
    spans = _spans("paused", told.paused, until, "paused by the customer")
    return LaneView(title="Paused", spans=spans, marks=())


def _lent(reading: Reading, service: Service, told: _Told) -> list[LaneView]:
    leases = [one for one in reading.find_all_unchecked(Lease, service_id=service.id) if has_begun(one)]
    people = showing.names_of(reading, {one.person_id for one in leases} | set(told.opened))
    numbers = {one.id: one.number for one in reading.find_all_unchecked(Ticket, service_id=service.id)}
    kinds = {one.id: one.kind for one in reading.find_all_unchecked(Secret, service_id=service.id)}
    given = given_kinds(reading, (service.id,))
    lanes = []
    for person, name in sorted(people.items(), key=lambda one: one[1]):
        theirs = sorted((one for one in leases if one.person_id == person), key=lambda one: one.starts_at)
        marks = [
            _mark(entry, opened_kind(entry, given, kinds.get(entry.ids.get("secret", ""), "")))
            for entry in told.opened.get(person, [])[-MOST_MARKS:]
        ]
        spans = [_lease(one, numbers.get(one.ticket_id, ""), told) for one in theirs]
        lanes.append(LaneView(title=name, spans=tuple(spans), marks=tuple(marks)))
    return lanes


def _lease(lease: Lease, number: str, told: _Told) -> SpanView:
    ended = (
        told.touched.get(f"lease:{lease.id}", lease.expires_at)
        if lease.state == "ended"
        else lease.expires_at
    )
    words = f"ticket {number}" + (", without a yes" if lease.review_id else "")
    return _span("glass" if lease.review_id else "lent", lease.starts_at, min(ended, lease.expires_at), words)


def _mark(entry: Entry, kind: type[Kind] | None) -> MarkView:
    titles = {one.name: one.title for one in kind.all_fields} if kind else {}
    what = titles.get(entry.ids.get("field", ""), "") or (kind.title if kind else "")
    return MarkView(way=WAYS[entry.type], at=to_datetime(entry.time), what=what)
