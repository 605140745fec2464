"""The coordinator's board: what waits for whom in the whole house, in as many queries for one service as for thousands.

Each list is bounded and its count stands beside it. Nothing here is trusted for a decision: the deeds to which the
board leads read their rows anew.
"""

from typing import Any

from sqlalchemy import BindParameter, RowMapping, Select, and_, bindparam, exists, func, or_, select

from vault.model.board_views import BoardView, LeaseLine, RequestLine, ReviewLine, ServiceLine, TicketLine
from vault.model.desk import Review
from vault.model.kinds import KINDS
from vault.model.people import Person
from vault.model.tables import Assignment, Customer, Lease, Request, Secret, Service, Ticket
from vault.operations.asking import IS_ON, may
from vault.operations.services.stages import AT, LINES, STAGE, counts, line
from vault.storage.reading import Reading
from vault.values import DAY, Actor, to_datetime

MOST = 6
"""Lines of one list: what is beyond is counted, and stands on a page of its own."""
SOON = 7 * DAY
_S, _C, _T, _P = Service.table(), Customer.table(), Ticket.table(), Person.table()
_R, _L, _V, _A, _X = Request.table(), Lease.table(), Review.table(), Assignment.table(), Secret.table()
_ME: BindParameter[Any] = bindparam("me")

# -- leases -----------------------------------------------------------------------------------------------------------

_LEASES: Select[Any] = (
    select(
        *(_L.c[name] for name in ("id", "person_id", "service_id", "ticket_id", "reason", "minutes")),
        *(_L.c[name] for name in ("state", "starts_at", "expires_at", "review_id")),
        _P.c.name.label("person_name"),
        _S.c.title.label("service_title"),
        _S.c.paused_at,
        _C.c.name.label("customer_name"),
        _T.c.number.label("ticket_number"),
    )
    .join_from(_L, _P, _P.c.id == _L.c.person_id)
    .join(_S, _S.c.id == _L.c.service_id)
    .join(_C, _C.c.id == _S.c.customer_id)
    .join(_T, _T.c.id == _L.c.ticket_id)
)
_WAITS = and_(_L.c.state == "asked", _L.c.expires_at > AT)
_TO_DECIDE = and_(_WAITS, _L.c.approver == "coordinator", _L.c.person_id != _ME)
_CUSTOMERS_DECIDE = and_(_WAITS, _L.c.approver == "customer")
_LENT = and_(_L.c.state == "active", _L.c.expires_at > AT)


def _lease(row: RowMapping, now: int) -> LeaseLine:
    planned = row["state"] == "active" and row["starts_at"] > now
    named = ("id", "person_id", "person_name", "service_id", "service_title", "customer_name", "ticket_id")
    return LeaseLine.model_validate(
        {name: row[name] for name in (*named, "ticket_number", "reason", "minutes")}
        | {
            "state": "planned" if planned else row["state"],
            "since": to_datetime(row["starts_at"]),
            "until": to_datetime(row["expires_at"]),
            "paused": row["paused_at"] is not None,
            "glass": bool(row["review_id"]),
        }
    )


# -- requests ---------------------------------------------------------------------------------------------------------

_REQUESTS: Select[Any] = (
    select(
        *(_R.c[name] for name in ("id", "service_id", "deliver", "state", "created_at", "expires_at")),
        _S.c.title.label("service_title"),
        _C.c.name.label("customer_name"),
    )
    .join_from(_R, _S, _S.c.id == _R.c.service_id)
    .join(_C, _C.c.id == _S.c.customer_id)
)
_RUNS = and_(_S.c.state == "open", _S.c.ends_at > AT)
_UNANSWERED = exists().where(_X.c.request_id == _R.c.id, _X.c.version < _X.c.asked_version)
_OPEN = _R.c.state.in_(("asked", "started"))
_WAITING = and_(_RUNS, _OPEN, _R.c.expires_at > AT)
_LAPSED = and_(_RUNS, or_(_R.c.state == "expired", and_(_OPEN, _R.c.expires_at <= AT)), _UNANSWERED)
_ASKED_KINDS = (
    select(_X.c.request_id, _X.c.asked_kind)
    .where(_X.c.request_id.in_(bindparam("requests", expanding=True)), _X.c.version < _X.c.asked_version)
    .order_by(_X.c.id)
)


def _requests(reading: Reading, rows: list[RowMapping]) -> tuple[RequestLine, ...]:
    kinds: dict[str, list[str]] = {row["id"]: [] for row in rows}
    for asked in reading.rows(_ASKED_KINDS, requests=list(kinds)) if kinds else ():
        kinds[asked["request_id"]].append(KINDS[asked["asked_kind"]].title)
    named = ("id", "service_id", "service_title", "customer_name", "deliver")
    return tuple(
        RequestLine.model_validate(
            {name: row[name] for name in named}
            | {
                "kinds": tuple(kinds[row["id"]]),
                "state": row["state"] if row["expires_at"] > reading.now else "expired",
                "asked_at": to_datetime(row["created_at"]),
                "expires_at": to_datetime(row["expires_at"]),
            }
        )
        for row in rows
    )


# -- tickets and reviews ----------------------------------------------------------------------------------------------

TICKETS: Select[Any] = (
    select(
        *(_T.c[name] for name in ("id", "number", "title", "state")),
        _S.c.title.label("service_title"),
        _C.c.name.label("customer_name"),
    )
    .join_from(_T, _S, _S.c.id == _T.c.service_id)
    .join(_C, _C.c.id == _S.c.customer_id)
)
"""Tickets as TicketLine takes them."""
_STAFFED = exists().where(_A.c.ticket_id == _T.c.id, IS_ON)
_UNSTAFFED = and_(_T.c.state == "open", _RUNS, ~_STAFFED)
_REVIEWS: Select[Any] = (
    select(
        *(_V.c[name] for name in ("id", "person_id", "reason", "created_at", "due_at")),
        _P.c.name.label("person_name"),
        _S.c.title.label("service_title"),
        _C.c.name.label("customer_name"),
    )
    .join_from(_V, _P, _P.c.id == _V.c.person_id)
    .join(_S, _S.c.id == _V.c.service_id)
    .join(_C, _C.c.id == _S.c.customer_id)
)
_TO_REVIEW = and_(_V.c.state == "open", _V.c.person_id != _ME)


def _review(row: RowMapping) -> ReviewLine:
    told = dict(row) | {name: to_datetime(row[name]) for name in ("created_at", "due_at")}
    return ReviewLine.model_validate(told)


# -- services ---------------------------------------------------------------------------------------------------------

_TO_END = and_(_S.c.state.in_(("open", "ended")), STAGE.in_(("overdue", "grace")))
_TO_START = and_(_S.c.state == "open", STAGE.in_(("unasked", "empty", "ready")))
_PAUSED = and_(_S.c.state == "open", STAGE == "paused")
_ENDS_SOON = and_(_S.c.state == "open", _S.c.ends_at > AT, _S.c.ends_at <= bindparam("soon"))


# -- the board --------------------------------------------------------------------------------------------------------


def _few(lines: Select[Any], which: Any, *order: Any) -> tuple[Select[Any], Select[Any]]:
    """The first lines of a list, and the count of all of it, prepared."""
    chosen = lines.where(which)
    return chosen.order_by(*order).limit(MOST), select(func.count()).select_from(chosen.subquery())


_LISTS = {
    "to_decide": _few(_LEASES, _TO_DECIDE, _L.c.starts_at, _L.c.id),
    "customers_decide": _few(_LEASES, _CUSTOMERS_DECIDE, _L.c.starts_at, _L.c.id),
    "lent": _few(_LEASES, _LENT, _L.c.expires_at, _L.c.id),
    "requests": _few(_REQUESTS, _WAITING, _R.c.created_at, _R.c.id),
    "lapsed": _few(_REQUESTS, _LAPSED, _R.c.expires_at.desc(), _R.c.id),
    "unstaffed": _few(TICKETS, _UNSTAFFED, _T.c.created_at, _T.c.id),
    "to_review": _few(_REVIEWS, _TO_REVIEW, _V.c.due_at, _V.c.id),
    "to_end": _few(LINES, _TO_END, _S.c.ends_at, _S.c.id),
    "to_start": _few(LINES, _TO_START, _S.c.created_at, _S.c.id),
    "paused": _few(LINES, _PAUSED, _S.c.paused_at, _S.c.id),
    "ends_soon": _few(LINES, _ENDS_SOON, _S.c.ends_at, _S.c.id),
}


def board(reading: Reading, actor: Actor) -> BoardView:
    """The whole house as it stands now, for a coordinator. Raises NotSignedIn or Denied."""
    person = may(reading, actor, "board.show")
    values: dict[str, Any] = {"at": reading.now, "soon": reading.now + SOON, "me": person.id}
    found: dict[str, list[RowMapping]] = {}
    counted: dict[str, int] = {}
    for name, (lines, number) in _LISTS.items():
        found[name] = reading.rows(lines, **values)
        all_shown = len(found[name]) < MOST
        counted[name] = (
            len(found[name]) if all_shown else int(reading.connection.execute(number, values).scalar_one())
        )

    def leases(name: str) -> tuple[LeaseLine, ...]:
        return tuple(_lease(row, reading.now) for row in found[name])

    def services(name: str) -> tuple[ServiceLine, ...]:
        return tuple(map(line, found[name]))

    return BoardView(
        at=to_datetime(reading.now),
        stages=counts(reading),
        to_decide=leases("to_decide"),
        customers_decide=leases("customers_decide"),
        lent=leases("lent"),
        requests=_requests(reading, found["requests"]),
        lapsed=_requests(reading, found["lapsed"]),
        unstaffed=tuple(TicketLine.model_validate(dict(row)) for row in found["unstaffed"]),
        to_review=tuple(map(_review, found["to_review"])),
        to_end=services("to_end"),
        to_start=services("to_start"),
        paused=services("paused"),
        ends_soon=services("ends_soon"),
        **{f"{name}_count": number for name, number in counted.items()},
    )
