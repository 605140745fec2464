"""Where each service is on its way, and lists of services by that: told by prepared queries, whatever their number."""

from typing import Any, get_args

from sqlalchemy import BindParameter, RowMapping, Select, and_, bindparam, case, exists, func, or_, select

from vault.errors import Invalid
from vault.model.board_views import ServiceLine, ServiceLines, Stage, StageCount
from vault.model.tables import Customer, Request, Secret, Service, Ticket
from vault.operations.asking import may
from vault.storage.reading import Reading
from vault.values import Actor, known_id, to_datetime

STAGES: tuple[Stage, ...] = get_args(Stage)
PAGE = 50
_SERVICES = Service.table()
_CUSTOMERS = Customer.table()
_REQUESTS = Request.table()
_SECRETS = Secret.table()
_TICKETS = Ticket.table()

AT: BindParameter[Any] = bindparam("at")
_HELD = exists().where(_SECRETS.c.service_id == _SERVICES.c.id)
_HERE = _HELD.where(_SECRETS.c.state.in_(("given", "checked")))
_ASKED = exists().where(
    _REQUESTS.c.service_id == _SERVICES.c.id,
    _REQUESTS.c.state.in_(("asked", "started")),
    _REQUESTS.c.expires_at > AT,
)
_LAPSED = exists().where(
    _REQUESTS.c.service_id == _SERVICES.c.id,
    or_(
        _REQUESTS.c.state == "expired",
        and_(_REQUESTS.c.state.in_(("asked", "started")), _REQUESTS.c.expires_at <= AT),
    ),
)
_TICKET = exists().where(_TICKETS.c.service_id == _SERVICES.c.id, _TICKETS.c.state == "open")
STAGE = case(
    (_SERVICES.c.state == "destroyed", "destroyed"),
    (and_(_SERVICES.c.state == "ended", _SERVICES.c.destroy_at > AT), "grace"),
    (_SERVICES.c.state == "ended", "ending"),
    (_SERVICES.c.ends_at <= AT, "overdue"),
    (_SERVICES.c.paused_at.is_not(None), "paused"),
    (and_(_HERE, _TICKET), "working"),
    (_HERE, "ready"),
    (_ASKED, "asked"),
    (_LAPSED, "unanswered"),
    (_HELD, "empty"),
    else_="unasked",
)
"""The stage of a service's row: the first that is true."""
LINES: Select[Any] = select(
    *(_SERVICES.c[name] for name in ("id", "title", "customer_id", "created_at")),
    *(_SERVICES.c[name] for name in ("ends_at", "ended_at", "destroy_at", "destroyed_at")),
    _CUSTOMERS.c.name.label("customer_name"),
    STAGE.label("stage"),
).join_from(_SERVICES, _CUSTOMERS, _CUSTOMERS.c.id == _SERVICES.c.customer_id)
"""Services as `line` takes them, with `at`, the time."""
_KEPT = _SERVICES.c.state.in_(("open", "ended"))
_BY_END = (_SERVICES.c.ends_at, _SERVICES.c.id)
_COUNTED = select(STAGE.label("stage"), _SERVICES.c.id).where(_KEPT).subquery()
_COUNTS = select(_COUNTED.c.stage, func.count()).group_by(_COUNTED.c.stage)
_AFTER = or_(
    _SERVICES.c.ends_at > bindparam("end"),
    and_(_SERVICES.c.ends_at == bindparam("end"), _SERVICES.c.id > bindparam("id")),
)
_END_OF = select(_SERVICES.c.ends_at).where(_SERVICES.c.id == bindparam("id"))
_PAGES: dict[str, Select[Any]] = {
    "": LINES.where(_KEPT, _AFTER),
    "destroyed": LINES.where(_SERVICES.c.state == "destroyed", _AFTER),
} | {stage: LINES.where(_KEPT, STAGE.in_((stage,)), _AFTER) for stage in STAGES if stage != "destroyed"}


_RUNNING = (
    select(_SERVICES.c.customer_id, func.count())
    .where(_SERVICES.c.state == "open")
    .group_by(_SERVICES.c.customer_id)
)
MOST_OF_ONE = 500
_OF_CUSTOMER = (
    LINES.where(_SERVICES.c.customer_id == bindparam("customer"))
    .order_by(_SERVICES.c.state != "open", _SERVICES.c.created_at.desc(), _SERVICES.c.id)
    .limit(MOST_OF_ONE)
)


def counts(reading: Reading) -> tuple[StageCount, ...]:
    """How many services are at each stage, those that are destroyed aside; for who may list services."""
    found = {row[0]: row[1] for row in reading.connection.execute(_COUNTS, {"at": reading.now})}
    return tuple(StageCount(stage=stage, count=found[stage]) for stage in STAGES if stage in found)


def counted(reading: Reading, actor: Actor) -> tuple[StageCount, ...]:
    """The same, for coordinators. Raises NotSignedIn or Denied."""
    may(reading, actor, "service.list")
    return counts(reading)


def line(row: RowMapping) -> ServiceLine:
    """A service of LINES."""
    moments = {
        name: row[name] for name in ("created_at", "ends_at", "ended_at", "destroy_at", "destroyed_at")
    }
    told = {name: None if moment is None else to_datetime(moment) for name, moment in moments.items()}
    named = ("id", "title", "customer_id", "customer_name", "stage")
    return ServiceLine.model_validate({name: row[name] for name in named} | told)


def of_customer(reading: Reading, actor: Actor, customer_id: str) -> list[ServiceLine]:
    """The services of one customer, the open ones first, 500 at most, for coordinators.

    Nothing where there is no such customer. Raises NotSignedIn or Denied.
    """
    may(reading, actor, "service.list")
    return [line(row) for row in reading.rows(_OF_CUSTOMER, at=reading.now, customer=customer_id)]


def running(reading: Reading, actor: Actor) -> dict[str, int]:
    """How many open services each customer has, by their ids, for coordinators. Raises NotSignedIn or Denied."""
    may(reading, actor, "service.list")
    return {row[0]: row[1] for row in reading.connection.execute(_RUNNING)}


def services(reading: Reading, actor: Actor, stage: str = "", after: str = "") -> ServiceLines:
    """Up to 50 services of a stage by their end, after that one; of all that are not destroyed where none is named.

    For coordinators. Raises NotSignedIn, Denied, NotFound for an id that names nothing, Invalid for no stage.
    """
    may(reading, actor, "service.list")
    if stage not in _PAGES:
        raise Invalid("there is no such stage of a service", "/stage")
    end = reading.connection.execute(_END_OF, {"id": known_id("svc", after)}).scalar() if after else None
    query = _PAGES[stage].order_by(*_BY_END).limit(PAGE + 1)
    rows = reading.rows(query, at=reading.now, end=-1 if end is None else end, id=after)
    shown = tuple(line(row) for row in rows[:PAGE])
    return ServiceLines(services=shown, next=shown[-1].id if len(rows) > PAGE else None)
