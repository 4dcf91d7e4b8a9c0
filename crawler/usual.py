"""What is usual for a site, by the ledgers of its earlier runs. Pure.

Like is held against like, or a normal night after a deep first run would seem poor. What every run asks for are the first
pages of the lists that the seeds file names: how many of them answered, and how many new article URLs they showed. Later
pages, followed lists and indexes of other archives, of which a first run reads hundreds, are left out, and so are runs of
certain days and runs that read no start list: what was found since the last run that counts is counted by the next one
that does.

Runs are added up to days of 23 hours at least, since an hour of the night brings nothing. A slow day is the second lowest
of two weeks, the fourth lowest of four: a site that is silent on Saturdays and Sundays does not alarm, and one that has
fallen silent alarms for a few days, until that is what is usual.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pipelines.schedule import DAY, HOUR

Ledger = Mapping[str, Any]

MOST_RUNS = 28 * 24
"""ledgers that are looked at: four weeks of hourly runs"""
RUNS, ENOUGH_RUNS = 7, 3
"""the last runs of which the number of start lists is compared, and how many there must be"""
DAYS, ENOUGH_DAYS = 28, 7
"""days before the last one, and how many there must be: a week has a weekend"""
LEAST_DAY = 23 * HOUR
"""nightly runs begin some minutes early or late"""
SLOW = 8
"""a slow day: one in eight is slower"""


def is_like(ledger: Ledger) -> bool:
    """Whether other runs may be held against a run: it was of all days, and read start lists."""
    return not ledger.get("is_dated") and (ledger.get("starts") or {}).get("read", 0) > 0


def last_at(earlier: Iterable[Ledger]) -> float | None:
    """When the last run ended that counts (seconds since the epoch), of ledgers that begin with the newest."""
    return next((float(one["at"]) for one in earlier if is_like(one)), None)


def compared(ledger: Ledger, earlier: Iterable[Ledger]) -> dict[str, float | None]:
    """What the ledgers of earlier runs (newest first) say of a run: `lists`, how many start lists are read usually; `found`, how
    many article URLs become known on them on a slow day, and `day`, how many did in the day that ended with this run. None
    where there are too few runs to know."""
    like = [one for one in earlier if is_like(one)]
    read = [one["starts"]["read"] for one in like[:RUNS]]
    day, found = _found([ledger, *like]) if is_like(ledger) else (None, None)
    return {"lists": statistics.median(read) if len(read) >= ENOUGH_RUNS else None, "found": found, "day": day}


def _found(ledgers: Sequence[Ledger]) -> tuple[float | None, float | None]:
    """What the last day brought, and a slow day."""
    days = list(islice(_days(ledgers), 1 + DAYS))
    if len(days) <= ENOUGH_DAYS:
        return None, None
    (last, _), *before = days
    each = sorted(found / max(1.0, length) for found, length in before)
    return last, each[len(each) // SLOW]


def _days(ledgers: Iterable[Ledger]) -> Iterator[tuple[int, float]]:
    """What was found in each day, and its length in days, the newest first."""
    found, seconds = 0, 0.0
    for starts in (one["starts"] for one in ledgers):
        if starts["seconds"] is None:  # the first of all runs, or one on a clock that was set back
            found, seconds = 0, 0.0
            continue
        found, seconds = found + starts["found"], seconds + starts["seconds"]
        if seconds >= LEAST_DAY:
            yield found, seconds / DAY
            found, seconds = 0, 0.0
