"""Where on the picture of a service's life each thing stands. Numbers only: how it looks is the style sheet's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vault.model.board_views import LaneView, MarkView, SpanView, TimelineView
from vault.model.desk_views import WAY_WORDS

WIDTH, LANE = 1000, 52
"""The picture's own units; it is stretched to the width that there is."""
PAST = 780
"""How much of the width is for what was, while something is still to come: the rest is told more shortly."""
_TOP, _BAR = 31, 10
_LEAST = 4
_SHORT = timedelta(days=3)
_YOUNG = timedelta(minutes=1)


@dataclass(frozen=True)
class Bar:
    """Something that lasted."""

    span: SpanView
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Notch:
    """Something that was opened."""

    mark: MarkView
    x: int
    y1: int
    y2: int


@dataclass(frozen=True)
class Tick:
    """A moment that is named below the picture."""

    at: datetime
    x: int


@dataclass(frozen=True)
class Line:
    """Something of the picture in words, for the table below it."""

    since: datetime
    until: datetime | None
    who: str
    what: str


@dataclass(frozen=True)
class Picture:
    """A service's life, drawn."""

    view: TimelineView
    height: int
    now: int | None
    """Where now is; none once all is over."""
    bars: tuple[Bar, ...]
    notches: tuple[Notch, ...]
    ticks: tuple[Tick, ...]
    style: str
    """How the ticks are said: `short`, a day, or `clock`, a time."""
    lines: tuple[Line, ...]


def drawn(view: TimelineView) -> Picture:
    """The picture of that life."""
    lanes = list(enumerate(view.lanes))
    bars = tuple(_bar(view, at, span) for at, lane in lanes for span in lane.spans)
    notches = tuple(_notch(view, at, mark) for at, lane in lanes for mark in lane.marks)
    parts = 3
    told = [view.begins + (view.now - view.begins) * part / parts for part in range(parts)]
    ticks = tuple(Tick(at, _x(view, at)) for at in told)
    return Picture(
        view=view,
        height=LANE * len(view.lanes),
        now=None if view.over else _x(view, view.now),
        bars=bars,
        notches=notches,
        ticks=ticks if view.now - view.begins > _YOUNG else ticks[:1],
        style="clock" if view.now - view.begins < _SHORT else "short",
        lines=tuple(sorted(_lines(view.lanes), key=lambda one: one.since)),
    )


def _x(view: TimelineView, at: datetime) -> int:
    """Past and future each in proportion; what is to come is longer than it looks."""
    past, rest = view.now - view.begins, view.ends - view.now
    if rest <= timedelta(0) or past < _YOUNG:
        whole = max(view.ends - view.begins, timedelta(seconds=1))
        found = WIDTH * ((at - view.begins) / whole)
    elif at <= view.now:
        found = PAST * ((at - view.begins) / past)
    else:
        found = PAST + (WIDTH - PAST) * ((at - view.now) / rest)
    return max(0, min(WIDTH, round(found)))


def _bar(view: TimelineView, lane: int, span: SpanView) -> Bar:
    x, end = _x(view, span.since), _x(view, span.until)
    x = min(x, WIDTH - _LEAST)
    return Bar(span, x, LANE * lane + _TOP, max(_LEAST, end - x), _BAR)


def _notch(view: TimelineView, lane: int, mark: MarkView) -> Notch:
    middle = LANE * lane + _TOP + _BAR // 2
    half = 6 if mark.way == "code" else 10
    return Notch(mark, _x(view, mark.at), middle - half, middle + half)


def _lines(lanes: tuple[LaneView, ...]) -> Iterator[Line]:
    for lane in lanes:
        for span in lane.spans:
            yield Line(span.since, span.until, lane.title, span.words)
        for mark in lane.marks:
            yield Line(mark.at, None, lane.title, f"{WAY_WORDS[mark.way]}: {mark.what}")
