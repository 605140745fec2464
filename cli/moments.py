"""Moments as people read and type them: the exact time, and how far away it is."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from cli.terminal import when
from vault.errors import Invalid

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_WRONG = "say when, like 22:00, '2026-12-31 22:00', 2026-12-31T22:00:00Z or +90m (also h, d)"
_SPANS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST_SPAN = 5
"""Digits."""


def until(moment: Any, now: datetime | None = None) -> str:
    """Write a moment of the server as `2026-11-23 15:30 UTC, in 42 minutes`; empty for none."""
    if not moment:
        return ""
    return f"{when(moment)}, {away(moment, now)}"


def seconds_until(moment: Any, now: datetime | None = None) -> float:
    """How many seconds are left until a moment of the server, by this computer's clock; below 0 once it is over."""
    return (datetime.fromisoformat(str(moment)) - (now or datetime.now(UTC))).total_seconds()


def away(moment: Any, now: datetime | None = None) -> str:
    """How far a moment of the server is from now, in the words that one would say: `in 42 minutes`, `2 days ago`."""
    span = seconds_until(moment, now)
    length = abs(span)
    if length < _MINUTE:
        return "within a minute" if span >= 0 else "just now"
    if length < 2 * _HOUR:
        words = _counted(round(length / _MINUTE), "minute")
    elif length < 2 * _DAY:
        words = _counted(round(length / _HOUR), "hour")
    else:
        words = _counted(round(length / _DAY), "day")
    return f"in {words}" if span >= 0 else f"{words} ago"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def typed(raw: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Read when something is to begin: a time of day (the next one), a day and time, an exact time, or `+90m` from now.

    What names no zone is in this computer's, or in `zone`. Raises Invalid for anything else.
    """
    text = raw.strip()
    try:
        if text.startswith("+"):
            return now + _span(text[1:])
        if len(text) <= len("22:00"):
            local = now.astimezone(zone)
            hour, minute = map(int, text.split(":"))
            found = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
            return (found if found > now else found + timedelta(days=1)).astimezone(UTC)
        exact = datetime.fromisoformat(text)
        if exact.tzinfo is None:
            exact = exact.replace(tzinfo=zone) if zone else exact.astimezone()
        return exact.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(_WRONG) from None


def _span(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if unit not in _SPANS or not number.isascii() or not number.isdigit() or len(number) > _LONGEST_SPAN:
        raise ValueError
    return timedelta(**{_SPANS[unit]: int(number)})
