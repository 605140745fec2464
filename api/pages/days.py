"""The last day of something that ends, as a form asks for it and as it is kept."""

import re
from datetime import date, datetime, time, timedelta, timezone

from vault.errors import Invalid

USUAL_DAYS = 30
"""How long a service is taken to last before somebody says otherwise."""
_OFFSET = re.compile(r"-?[0-9]{1,3}", re.ASCII)
_FARTHEST = 14 * 60
_LAST_SECOND = time(23, 59, 59)


def latest_day(now: datetime, longest_days: int) -> date:
    """The last day that a service may have which lasts that many days at most from now."""
    return (now + timedelta(days=longest_days)).date()


def usual_day(now: datetime, longest_days: int) -> date:
    """The day that a form proposes."""
    return (now + timedelta(days=min(longest_days, USUAL_DAYS))).date()


def end_of(raw: str, offset: str, now: datetime, longest_days: int) -> datetime:
    """The end of that day where it was typed: `offset` is in minutes east of UTC, as static/register.js tells it.

    On the latest day there may be no whole day left; then the end is the latest moment. Raises Invalid.
    """
    try:
        day = date.fromisoformat(raw) if len(raw) == len("2026-12-31") else None
        zone = timezone(timedelta(minutes=minutes_east(offset)))
        end = datetime.combine(day, _LAST_SECOND, zone) if day else None
        if day and end and day == latest_day(now, longest_days):
            return min(end, now + timedelta(days=longest_days))
    except (ValueError, OverflowError):
        end = None
    if end is None:
        raise Invalid("give its last day, like 2026-12-31", "/ends_at")
    return end


def minutes_east(offset: str) -> int:
    """By how many minutes a place is east of UTC, as a form tells it; none for what is no such number."""
    found = int(offset) if _OFFSET.fullmatch(offset) else 0
    return found if abs(found) <= _FARTHEST else 0
