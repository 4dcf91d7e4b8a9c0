"""The time of a run: seconds since the epoch that only go forwards, whatever is done to the machine's clock meanwhile.

The wall clock is read once, at the start; from then on time is what has really passed, the machine's sleep included. A
clock that is set back an hour in mid-run would otherwise make every host wait that hour, and every URL found before not
due; one that is set forwards would cut short what a host asked us to wait. What WARC records say stays the wall clock's.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def _elapsed() -> float:
    """Seconds since some moment of the past. Linux's monotonic clock stands still while the machine sleeps; this one does not."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def steady(wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = _elapsed) -> Callable[[], float]:
    """A clock that agrees with `wall` now, and goes on by `elapsed`."""
    offset = wall() - elapsed()
    return lambda: offset + elapsed()


now = steady()
"""the clock of this process"""
