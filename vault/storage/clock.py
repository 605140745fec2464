"""Time that cannot be bent: one source, never backwards, and in doubt when the host's clock jumps."""

import time
from dataclasses import dataclass, field
from typing import Protocol

from vault.values import DAY, MINUTE, Moment

TOLERANCE = 2 * MINUTE
"""How far the wall clock may stray from the time that has really passed, in microseconds."""
LONGEST_ABSENCE = 7 * DAY
"""After a longer silence than this an operator confirms the clock before anything opens or ends."""


class Clock(Protocol):
    """Where time comes from; tests bring their own."""

    def wall(self) -> int:
        """The host's idea of now, in microseconds since 1970 UTC."""
        ...

    def elapsed(self) -> int:
        """Microseconds on a clock that only runs forward, through a suspended host too."""
        ...


class SystemClock:
    """The host's clocks."""

    def wall(self) -> int:
        """Now, by CLOCK_REALTIME."""
        return time.time_ns() // 1000

    def elapsed(self) -> int:
        """Time passed, by CLOCK_BOOTTIME where the platform has it."""
        source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return time.clock_gettime_ns(source) // 1000


@dataclass
class Timekeeper:
    """Turns the host's clock and the ledger's last time into the time of a batch.

    A clock set back revives nothing, because no batch is earlier than the one before. A clock that strays from the
    time really passed, or stands before the ledger's end, or a week after it at start, is in doubt: then time stands
    still at the ledger's end until an operator confirms the clock.
    """

    clock: Clock
    in_doubt: bool = False
    _anchor: tuple[int, int] | None = field(default=None, repr=False)

    def now(self, last: int) -> Moment:
        """The time of a batch that follows one at `last`. Sets `in_doubt`."""
        wall, elapsed = self.clock.wall(), self.clock.elapsed()
        self.in_doubt = self._strayed(wall, elapsed, last)
        if self.in_doubt:
            return Moment(last)
        self._anchor = (wall, elapsed)
        return Moment(max(wall, last))

    def peek(self, last: int) -> Moment:
        """The time that a read judges by, after a last batch at `last`. Nothing is remembered of it."""
        wall, elapsed = self.clock.wall(), self.clock.elapsed()
        return Moment(last if self._strayed(wall, elapsed, last) else max(wall, last))

    def _strayed(self, wall: int, elapsed: int, last: int) -> bool:
        if wall < last - TOLERANCE:
            return True
        anchor = self._anchor
        if anchor is None:
            return last > 0 and wall > last + LONGEST_ABSENCE
        return abs(wall - (anchor[0] + elapsed - anchor[1])) > TOLERANCE

    def confirm(self, last: int) -> bool:
        """An operator says that the clock is right as it stands now.

        False, and nothing is changed, where it stands before the ledger's last entry: time does not run backwards, so
        then the clock is to be set right or waited for.
        """
        wall, elapsed = self.clock.wall(), self.clock.elapsed()
        if wall < last - TOLERANCE:
            return False
        self._anchor = (wall, elapsed)
        self.in_doubt = False
        return True
