"""The line that lets a key of ours in, and until when (sshd(8), AUTHORIZED_KEYS FILE FORMAT)."""

import re
from datetime import UTC, datetime, timedelta

_AHEAD = timedelta(hours=14)
"""How far the clocks that are furthest ahead of UTC are (Pacific/Kiritimati)."""
_EXPIRY = re.compile(r'expiry-time="([0-9]{8})" ', re.ASCII)
_SERVES = ("given", "checked")


def line_of(public: str, ends_at: datetime, mark: str) -> str:
    """A line for a public key in OpenSSH's spelling, which works no more once the service's end is past."""
    return f'expiry-time="{_stops_after(ends_at):%Y%m%d}" {public} {mark}'


def stops_on(line: str) -> datetime:
    """The midnight from which on a line of ours lets nobody in, as if the server were in UTC.

    Raises LookupError for what is no such line.
    """
    found = _EXPIRY.match(line)
    if found is None:
        raise LookupError("no line of ours")
    return datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC)


def longer(state: str, line: str, ends_at: datetime) -> str:
    """The same key in a line that works until this end, for a secret in this state that serves by a line.

    Empty where it does not serve, has no line, or its line lasts until then anyway.
    """
    until = _stops_after(ends_at)
    if state not in _SERVES or not line or stops_on(line) >= until:
        return ""
    return _EXPIRY.sub(f'expiry-time="{until:%Y%m%d}" ', line)


def _stops_after(ends_at: datetime) -> datetime:
    """A server reads the day in its own time zone: this is the first one that begins after the end everywhere."""
    last = (ends_at.astimezone(UTC) + _AHEAD).date()
    return datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
